/* SPDX-License-Identifier: MIT */
/*
 * Durable mode: who may have it, when the region is written to its disk, and
 * that its thread does no harm. What the disk has afterwards is for
 * tests/interop/test_durable.sh to see. Each case runs in a child of its own.
 */
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/init.h>
#include <lpk/port.h>

#include "core/clock.h"
#include "core/log.h"
#include "hosted/durable.h"
#include "hosted/region.h"
#include "lpk_atomic.h"

/* On a disk, on most machines. */
static char folder[] = "/var/tmp/lpk-durable-XXXXXX";
static char file[64];

/* The disk of this test, which may refuse: in place of the C library's call. */
static unsigned long refuses, attempts;

int
msync(void *memory, size_t bytes, int flags)
{
	lpk_fetch_add_relaxed(&attempts, 1);
	if (lpk_load_relaxed(&refuses) != 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_msync, memory, bytes, flags);
}

static int
in_child(void (*part)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		part();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	unlink(file);
	return status;
}

/* Assertions of cmocka are for its own process. */
static void
demand(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", what);
	_exit(1);
}

static int
init_at(const char *where, unsigned int sync_ms, int sync_level)
{
	struct lpk_options options = LPK_OPTIONS_INIT;

	options.region = where;
	options.sync_ms = sync_ms;
	options.sync_level = sync_level;
	return lpk_init(&options);
}

static uint64_t
synced(void)
{
	return lpk__read64(lpk__head(lpk_default_log())->synced);
}

static void
nap(void)
{
	const struct timespec ms = {0, 1000000};

	nanosleep(&ms, NULL);
}

/* Store a text. Is there a write to the disk from then on, sooner or later? */
static bool
gets_synced(enum lpk_level level, const char *text)
{
	uint64_t now = lpk_port_clock();
	int tries;

	lpk_write(NULL, level, "%s", text);
	for (tries = 0; tries < 20000; tries++) {
		if (synced() != 0 && (int64_t)(synced() - now) >= 0)
			return true;
		nap();
	}
	return false;
}

static bool
no_disk(void)
{
	struct statfs status;

	return statfs(folder, &status) != 0 || status.f_type == TMPFS_MAGIC;
}

#define NEEDS_DISK()                                                           \
	do {                                                                   \
		if (no_disk())                                                 \
			skip();                                                \
	} while (0)

/* ---- words ---- */

static bool
word(const char *text, struct lpk__durable_wish *wish)
{
	return lpk__init_word(text, strlen(text), wish);
}

static void
test_durable_words_are_read(void **state)
{
	struct lpk__durable_wish wish = {0, -1};

	(void)state;
	assert_false(lpk__durable_wanted(&wish));
	assert_true(word("sync=100", &wish));
	assert_int_equal(wish.sync_ms, 100);
	assert_true(lpk__durable_wanted(&wish));
	assert_true(word("sync=0", &wish));
	assert_false(lpk__durable_wanted(&wish));
	assert_true(word("sync=3600000", &wish));
	assert_true(word("sync_level=err", &wish));
	assert_int_equal(wish.sync_level, LPK_ERR);
	assert_true(word("sync_level=emerg", &wish));
	assert_int_equal(wish.sync_level, LPK_EMERG);
	assert_true(word("sync_level=off", &wish));
	assert_int_equal(wish.sync_level, -1);
}

static void
test_durable_bad_words_change_nothing(void **state)
{
	static const char *const bad[] = {"", "sync", "sync=", "sync=-1",
	    "sync=1s", "sync= 1", "sync=3600001", "sync=99999999999999999999",
	    "sync_level", "sync_level=", "sync_level=loud", "sync_level=8",
	    "synch=1", "keep"};
	struct lpk__durable_wish wish = {7, 3};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(word(bad[i], &wish));
		assert_int_equal(wish.sync_ms, 7);
		assert_int_equal(wish.sync_level, 3);
	}
}

/* ---- who may have it ---- */

static void
part_refused(void)
{
	demand(init_at(file, 3600001, -1) == -LPK_EINVAL, "too long");
	demand(init_at(file, 0, -2) == -LPK_EINVAL, "no level");
	demand(init_at(file, 0, 8) == -LPK_EINVAL, "no level");
	demand(init_at(NULL, 10, -1) == -LPK_EINVAL, "a memfd");
	demand(init_at("off", 10, -1) == -LPK_EINVAL, "no region");
	demand(init_at("shm:durable", 0, LPK_ERR) == -LPK_EINVAL, "shm");
	demand(!lpk__region_there(), "moved in spite of that");
	demand(access("/dev/shm/lpk-0/durable", F_OK) != 0, "a file was left");
	demand(init_at(NULL, 0, -1) == LPK_OK, "a region without it");
	demand(synced() == 0, "something was written");
}

static void
test_durable_without_a_disk_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_refused), 0);
}

/* ---- when ---- */

static void
part_time(void)
{
	int i;

	demand(init_at(file, 5, -1) == LPK_OK, "no region");
	for (i = 0; i < 3; i++)
		demand(gets_synced(LPK_INFO, "one of three"), "not written");
}

static void
test_durable_by_time_everything_is_written(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_time), 0);
}

static void
part_level(void)
{
	int i;

	demand(init_at(file, 0, LPK_ERR) == LPK_OK, "no region");
	for (i = 0; i < 50; i++) {
		lpk_warn("number %d", i);
		nap();
	}
	demand(synced() == 0, "written for a warning");
	demand(gets_synced(LPK_ERR, "an error"), "not written for an error");
	demand(gets_synced(LPK_EMERG, "worse than that"),
	    "not written for what is worse");
}

static void
test_durable_by_level_the_important_is_written(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_level), 0);
}

/* An hour would be too long. */
static void
part_both(void)
{
	demand(init_at(file, 3600000, LPK_ERR) == LPK_OK, "no region");
	lpk_info("some");
	nap();
	demand(synced() == 0, "written before its time");
	demand(gets_synced(LPK_CRIT, "an error"), "not written for an error");
}

static void
test_durable_level_comes_before_time(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_both), 0);
}

static void
part_exit(void)
{
	demand(init_at(file, 0, LPK_ERR) == LPK_OK, "no region");
	lpk_info("the last word");
}

static void
test_durable_exit_writes_the_rest(void **state)
{
	struct lpk__head head;
	pid_t pid;
	int fd, status;

	(void)state;
	NEEDS_DISK();
	pid = fork();
	if (pid == 0) {
		part_exit();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd = open(file, O_RDONLY);
	assert_int_equal(read(fd, &head, sizeof(head)), sizeof(head));
	close(fd);
	unlink(file);
	assert_int_equal(head.state, LPK__STATE_CLEAN);
	assert_true(lpk__read64(head.synced) != 0);
}

/* ---- a disk that refuses ---- */

/* Records of the log that have these words. */
static unsigned int
said(const char *words)
{
	struct lpk_record record;
	struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1];
	unsigned int count = 0;
	int result;

	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	while ((result = lpk_reader_next(
		    &reader, &record, text, sizeof(text))) != -LPK_EAGAIN) {
		if (result == LPK_OK && strstr(text, words) != NULL)
			count++;
	}
	return count;
}

static void
wait_until_said(const char *words)
{
	int tries;

	for (tries = 0; tries < 20000 && said(words) == 0; tries++)
		nap();
	demand(said(words) == 1, words);
}

static void
part_refused_by_disk(void)
{
	uint64_t began, second = 1000000000;
	unsigned long before, tried;
	int i;

	demand(init_at(file, 5, LPK_ERR) == LPK_OK, "no region");
	demand(gets_synced(LPK_ERR, "while it works"), "not written");
	lpk_store_relaxed(&refuses, 1);
	began = lpk_now_ns();
	before = lpk_load_relaxed(&attempts);
	lpk_err("the first that is refused");
	wait_until_said("cannot be written to its disk");
	/* However many records want it at once. */
	for (i = 0; i < 300; i++) {
		lpk_err("number %d", i);
		nap();
	}
	tried = lpk_load_relaxed(&attempts) - before;
	/* One of them, and that of before, may have been on its way. */
	demand(tried <= 2 + (lpk_now_ns() - began) / second,
	    "it tries again and again");
	demand(said("cannot be written to its disk") == 1, "not said once");
	before = lpk_load_relaxed(&attempts);
	for (i = 0; i < 20000 && lpk_load_relaxed(&attempts) == before; i++)
		nap();
	demand(lpk_load_relaxed(&attempts) != before, "it does not try again");
	demand(said("cannot be written to its disk") == 1, "said once more");
	lpk_store_relaxed(&refuses, 0);
	wait_until_said("written to its disk again");
	demand(gets_synced(LPK_ERR, "when it works again"), "not written");
	demand(said("written to its disk again") == 1, "not said once");
}

static void
test_durable_disk_that_refuses_is_told_once_and_tried_again(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_refused_by_disk), 0);
}

/* ---- its thread ---- */

/* The line of a file of the thread's that begins so; one thread but this. */
static bool
thread_line(const char *name, char *line, size_t size)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	char path[320];
	bool found = false;
	FILE *status;

	while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status",
		    entry->d_name);
		status = fopen(path, "r");
		while (status != NULL && !found &&
		    fgets(line, (int)size, status) != NULL)
			found = strncmp(line, name, strlen(name)) == 0;
		if (status != NULL)
			fclose(status);
	}
	if (tasks != NULL)
		closedir(tasks);
	return found;
}

static void
part_idle(void)
{
	char before[128], after[128];
	int tries, i;

	demand(init_at(file, 5, LPK_ERR) == LPK_OK, "no region");
	demand(gets_synced(LPK_ERR, "something to do"), "not written");
	/* It has its last look; then there is none in twenty intervals. */
	for (tries = 0; tries < 100; tries++) {
		demand(thread_line("voluntary", before, sizeof(before)),
		    "no thread");
		for (i = 0; i < 100; i++)
			nap();
		demand(thread_line("voluntary", after, sizeof(after)),
		    "no thread");
		if (strcmp(before, after) == 0)
			return;
	}
	demand(false, "it never sleeps");
}

static void
test_durable_idle_thread_sleeps(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_idle), 0);
}

static void
part_signals(void)
{
	unsigned long long mask;
	char line[128];

	demand(init_at(file, 5, -1) == LPK_OK, "no region");
	/* Until then the C library holds all of them off. */
	demand(gets_synced(LPK_INFO, "a word"), "not written");
	demand(thread_line("SigBlk:", line, sizeof(line)), "no thread");
	mask = strtoull(line + 7, NULL, 16);
	demand((mask >> (SIGTERM - 1) & 1) == 1, "SIGTERM is not blocked");
	demand((mask >> (SIGUSR1 - 1) & 1) == 1, "SIGUSR1 is not blocked");
	demand((mask >> (SIGSEGV - 1) & 1) == 0, "SIGSEGV is blocked");
	demand((mask >> (SIGBUS - 1) & 1) == 0, "SIGBUS is blocked");
}

static void
test_durable_thread_takes_no_signal_but_faults(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_signals), 0);
}

static void
part_fork(void)
{
	char line[128];
	int status;
	pid_t pid;

	demand(init_at(file, 5, -1) == LPK_OK, "no region");
	lpk_info("before");
	pid = fork();
	if (pid == 0) {
		demand(!thread_line("SigBlk:", line, sizeof(line)), "a thread");
		demand(!lpk__region_on_disk(), "the parent's file");
		lpk_info("in the child");
		exit(0);
	}
	waitpid(pid, &status, 0);
	demand(status == 0, "the child");
	demand(gets_synced(LPK_INFO, "after"), "not written any more");
}

static void
test_durable_fork_leaves_it_to_the_parent(void **state)
{
	(void)state;
	NEEDS_DISK();
	assert_int_equal(in_child(part_fork), 0);
}

/* ---- the environment ---- */

static int
run_self(const char *words, const char *part, bool *said)
{
	char value[128], text[1024];
	ssize_t length;
	int status, fds[2];
	pid_t pid;

	snprintf(value, sizeof(value), "%s%s", file, words);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		setenv("LPK_REGION", value, 1);
		execl("/proc/self/exe", "test_durable", part, (char *)NULL);
		_exit(126);
	}
	close(fds[1]);
	length = read(fds[0], text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	close(fds[0]);
	*said = strstr(text, "not understood") != NULL;
	waitpid(pid, &status, 0);
	unlink(file);
	return status;
}

static int
environment_part(const char *part)
{
	char line[128];
	bool there;

	/* The program's own wish counts where the environment has none. */
	if (strcmp(part, "asks") == 0 && init_at(NULL, 5, -1) != LPK_OK)
		return 1;
	there = thread_line("SigBlk:", line, sizeof(line));
	if (strcmp(part, "off") == 0)
		return there || init_at(NULL, 5, -1) != LPK_OK ||
		    thread_line("SigBlk:", line, sizeof(line));
	return !there || !gets_synced(LPK_ERR, "a word");
}

static void
test_durable_environment_is_obeyed(void **state)
{
	bool said;

	(void)state;
	NEEDS_DISK();
	assert_int_equal(run_self(",sync=5", "on", &said), 0);
	assert_false(said);
	assert_int_equal(run_self(",sync_level=err", "on", &said), 0);
	assert_false(said);
	assert_int_equal(run_self(",sync=5,sync_level=err", "on", &said), 0);
	assert_int_equal(run_self(",sync=0", "off", &said), 0);
	assert_false(said);
	assert_int_equal(run_self("", "asks", &said), 0);
	assert_false(said);
	/* What is wrong is named, and the rest counts. */
	assert_int_equal(run_self(",sink=5,sync=5", "on", &said), 0);
	assert_true(said);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_durable_words_are_read),
	    cmocka_unit_test(test_durable_bad_words_change_nothing),
	    cmocka_unit_test(test_durable_without_a_disk_is_refused),
	    cmocka_unit_test(test_durable_by_time_everything_is_written),
	    cmocka_unit_test(test_durable_by_level_the_important_is_written),
	    cmocka_unit_test(test_durable_level_comes_before_time),
	    cmocka_unit_test(test_durable_exit_writes_the_rest),
	    cmocka_unit_test(
		test_durable_disk_that_refuses_is_told_once_and_tried_again),
	    cmocka_unit_test(test_durable_idle_thread_sleeps),
	    cmocka_unit_test(test_durable_thread_takes_no_signal_but_faults),
	    cmocka_unit_test(test_durable_fork_leaves_it_to_the_parent),
	    cmocka_unit_test(test_durable_environment_is_obeyed),
	};
	int failed;

	if (argc > 1)
		return environment_part(argv[1]);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/log", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
