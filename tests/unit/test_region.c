/* SPDX-License-Identifier: MIT */
/*
 * The default log in memory that outlives the process: what was stored before,
 * forks, and who may touch it. Each case runs in a child of its own, for a
 * process moves its log once.
 */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/init.h>

#include "core/log.h"
#include "hosted/page.h"
#include "hosted/region.h"

static char folder[] = "/tmp/lpk-region-XXXXXX";
static char file[64];

/* Run a part of a test in a child; its status. A lambda would be nicer. */
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
init_at(const char *where)
{
	struct lpk_options options = LPK_OPTIONS_INIT;

	options.region = where;
	return lpk_init(&options);
}

static unsigned long long
stored(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(lpk_default_log(), &stats);
	return stats.stored;
}

static bool
finds(const char *text)
{
	struct lpk_reader reader;
	struct got got;
	int result;

	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	while ((result = next(&reader, &got)) == LPK_OK) {
		if (strcmp(got.text, text) == 0)
			return true;
	}
	return false;
}

/* One call site, used before and after what the cases are about. */
static void
say(int number)
{
	lpk_info("number %d of %s", number, "one site");
}

static bool
said(int number)
{
	char text[64];

	snprintf(text, sizeof(text), "number %d of one site", number);
	return finds(text);
}

static void
part_earlier(void)
{
	struct lpk_reader reader;
	struct got got;

	say(1);
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	demand(next(&reader, &got) == LPK_OK, "no record before");
	demand(init_at(NULL) == LPK_OK, "not moved");
	say(2);
	demand(said(1) && said(2), "a record is missing");
	demand(stored() == 2, "another count");
	/* A reader that was open goes on. */
	demand(next(&reader, &got) == LPK_OK &&
		strcmp(got.text, "number 2 of one site") == 0,
	    "the reader does not go on");
	demand(got.record.seq == 1, "the reader counts anew");
	demand(lpk__region_fd() >= 64, "no descriptor");
}

static void
test_region_memfd_keeps_what_was_stored_before(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_earlier), 0);
}

static void
part_twice(void)
{
	struct lpk_options options = LPK_OPTIONS_INIT;

	options.keep = 0;
	demand(lpk_init(&options) == -LPK_EINVAL, "keep 0");
	options.keep = 100;
	demand(lpk_init(&options) == -LPK_EINVAL, "keep 100");
	options.keep = 1;
	options.flags = 0x80;
	demand(lpk_init(&options) == -LPK_EINVAL, "an unknown flag");
	options.flags = 0;
	options.size_bytes--;
	demand(lpk_init(&options) == -LPK_EINVAL, "a short structure");
	demand(!lpk__region_there(), "moved in spite of that");
	demand(init_at("off") == LPK_OK && !lpk__region_there(), "off");
	demand(init_at("memfd") == LPK_OK, "not moved");
	demand(init_at("memfd") == -LPK_EBUSY, "moved twice");
	demand(init_at(file) == -LPK_EBUSY, "moved twice");
	say(3);
	demand(said(3), "a record is missing");
}

static void
test_region_bad_options_and_second_calls_are_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_twice), 0);
}

static void *
wait_for_end(void *cookie)
{
	pause();
	return cookie;
}

static void
part_threads(void)
{
	pthread_t thread;

	demand(pthread_create(&thread, NULL, wait_for_end, NULL) == 0,
	    "no thread");
	demand(init_at(NULL) == -LPK_EBUSY, "moved under a thread");
	demand(init_at(file) == -LPK_EBUSY, "moved under a thread");
	demand(access(file, F_OK) != 0, "a file was left");
	say(1);
	demand(said(1), "a record is missing");
}

static void
test_region_other_threads_are_a_reason_to_refuse(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_threads), 0);
}

/* ---- forks ---- */

static void
grandchild(void)
{
	demand(!said(1) && !said(2), "a record of its forebears");
	say(30);
	demand(said(30), "its own record is missing");
	demand(stored() == 1, "another count");
}

static void
child(void)
{
	int number;

	demand(stored() == 0, "not empty");
	say(20);
	demand(said(20), "its own record is missing");
	lpk_write(NULL, LPK_INFO, "text of the child");
	demand(finds("text of the child"), "its own text is missing");
	demand(in_child(grandchild) == 0, "the grandchild");
	demand(stored() == 2, "the grandchild's records are here");
	for (number = 0; number < 50000; number++)
		say(number);
	demand(said(49999), "its newest record is missing");
}

static void
part_fork(void)
{
	struct lpk__head *head = lpk__head(lpk_default_log());
	unsigned char id[16];

	say(1);
	demand(init_at(NULL) == LPK_OK, "not moved");
	say(2);
	memcpy(id, head->session.id, sizeof(id));
	demand(in_child(child) == 0, "the child");
	demand(stored() == 2, "the child's records are here");
	demand(memcmp(id, head->session.id, sizeof(id)) == 0, "another id");
	demand(head->session.pid == (uint32_t)getpid(), "another pid");
	say(3);
	demand(said(1) && said(2) && said(3), "a record is missing");
}

static void
test_region_child_of_a_fork_has_a_log_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_fork), 0);
}

static void
child_again(void)
{
	char name[80];
	struct stat status;

	say(4);
	snprintf(name, sizeof(name), "%s.child", file);
	demand(init_at(name) == LPK_OK, "the child may not move");
	demand(stat(name, &status) == 0, "no file");
	say(5);
	demand(said(4) && said(5), "a record is missing");
	demand(init_at(NULL) == -LPK_EBUSY, "moved twice");
	unlink(name);
}

static void
part_fork_again(void)
{
	demand(init_at(file) == LPK_OK, "not moved");
	say(1);
	demand(in_child(child_again) == 0, "the child");
	demand(stored() == 1, "the child's records are here");
	unlink(file);
}

static void
test_region_child_may_have_a_name_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_fork_again), 0);
}

/* A child that fork()'s handlers know nothing of. */
static void
part_raw_fork(void)
{
	int status = 0;
	pid_t pid;

	demand(init_at(NULL) == LPK_OK, "not moved");
	say(1);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		say(2);
		_exit(0);
	}
	demand(waitpid(pid, &status, 0) == pid, "no end");
	demand(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	    "it logged somewhere");
	demand(stored() == 1 && !said(2), "it logged here");
}

static void
test_region_child_without_handlers_cannot_reach_the_log(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_raw_fork), 0);
}

static volatile sig_atomic_t handled;

static void
on_signal(int number)
{
	(void)number;
	handled++;
	lpk_warn("a handler");
}

/* Signals come all the time while the process forks; none is lost. */
static void
part_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t mask, now;
	int round, status;
	pid_t pid;

	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	demand(init_at(NULL) == LPK_OK, "not moved");
	for (round = 0; round < 50; round++) {
		pid = fork();
		if (pid == 0) {
			sigprocmask(SIG_SETMASK, NULL, &now);
			raise(SIGUSR1);
			_exit(!sigismember(&now, SIGUSR2) ||
			    sigismember(&now, SIGUSR1) || stored() != 1);
		}
		raise(SIGUSR1);
		demand(waitpid(pid, &status, 0) == pid && status == 0,
		    "a child's signals");
	}
	sigprocmask(SIG_SETMASK, NULL, &now);
	demand(sigismember(&now, SIGUSR2) && !sigismember(&now, SIGUSR1),
	    "another mask");
	demand(handled == 50 && stored() == 50, "a handler's record");
}

static void
test_region_fork_leaves_signals_as_they_were(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_signals), 0);
}

/* ---- who may touch it ---- */

static void
part_seals(void)
{
	char path[64];
	void *memory;
	int fd;

	demand(init_at(NULL) == LPK_OK, "not moved");
	say(1);
	fd = lpk__region_fd();
	demand(ftruncate(fd, 0) != 0, "cut");
	demand(ftruncate(fd, 1 << 30) != 0, "grown");
	demand(pwrite(fd, "x", 1, 0) != 1, "written to");
	memory = mmap(
	    NULL, LPK__PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	demand(memory == MAP_FAILED, "mapped to be written to");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDONLY);
	demand(fd >= 0, "not to be read");
	memory = mmap(NULL, LPK__PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	demand(memory != MAP_FAILED && memcmp(memory, "lpk log", 7) == 0,
	    "not to be mapped");
	say(2);
	demand(said(1) && said(2), "a record is missing");
}

static void
test_region_memfd_is_sealed(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_seals), 0);
}

/* The flags that the system has for the memory of the log. */
static void
memory_flags(char *flags, size_t size)
{
	unsigned long begin, end, at = (unsigned long)lpk_default_log()->region;
	FILE *maps = fopen("/proc/self/smaps", "r");
	bool ours = false;
	char line[512];

	flags[0] = '\0';
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			ours = at >= begin && at < end;
		if (ours && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line + 8);
	}
	if (maps != NULL)
		fclose(maps);
}

/* There in programs that AddressSanitizer watches. */
void __asan_init(void) __attribute__((weak));

static void
part_flags(void)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	char flags[512];

	options.flags = LPK_INIT_LOCKED | LPK_INIT_NODUMP;
	demand(lpk_init(&options) == LPK_OK, "not moved");
	memory_flags(flags, sizeof(flags));
	if (flags[0] == '\0')
		return; /* a system that does not say */
	demand(strstr(flags, " dc") != NULL, "a fork inherits it");
	demand(strstr(flags, " dd") != NULL, "it is dumped");
	/* AddressSanitizer's mlock(2) does nothing. */
	demand(strstr(flags, " lo") != NULL || __asan_init != NULL,
	    "it is not locked");
	demand(strstr(flags, " sh") != NULL, "it is not shared");
}

static void
test_region_options_are_obeyed(void **state)
{
	(void)state;
	assert_int_equal(in_child(part_flags), 0);
}

/* ---- how it ended ---- */

static struct lpk__head
read_head(const char *path)
{
	struct lpk__head head;
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &head, sizeof(head)), sizeof(head));
	close(fd);
	unlink(path);
	return head;
}

static void
part_exit(void)
{
	demand(init_at(file) == LPK_OK, "not moved");
	say(1);
}

static void
part_kill(void)
{
	demand(init_at(file) == LPK_OK, "not moved");
	say(1);
	raise(SIGKILL);
}

static void
test_region_says_who_wrote_it_and_how_that_ended(void **state)
{
	static const unsigned char none[16];
	struct lpk__head head;

	(void)state;
	assert_int_equal(in_child(part_exit), 0);
	head = read_head(file);
	assert_memory_equal(head.fixed.magic, LPK__MAGIC, 16);
	assert_int_equal(head.fixed.version, LPK__FORMAT_VERSION);
	assert_int_equal(head.fixed.dict, LPK_HEAD_BYTES);
	assert_int_equal(head.state, LPK__STATE_CLEAN);
	assert_string_equal(head.session.program, "test_region");
	assert_true(head.session.pid != 0 && head.session.started != 0);
	assert_memory_not_equal(head.session.id, none, 16);
	assert_memory_not_equal(head.session.boot, none, 16);
	assert_int_equal(in_child(part_kill), SIGKILL);
	head = read_head(file);
	assert_int_equal(head.state, LPK__STATE_LIVE);
}

/* ---- the environment ---- */

static int
run_self(const char *region, const char *part)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setenv("LPK_REGION", region, 1);
		execl("/proc/self/exe", "test_region", part, (char *)NULL);
		_exit(126);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* What the process does that was given LPK_REGION. */
static int
environment_part(const char *part)
{
	if (strcmp(part, "there") == 0)
		return !lpk__region_there() || init_at("off") != LPK_OK ||
		    init_at(NULL) != LPK_OK;
	if (strcmp(part, "off") == 0)
		return init_at(NULL) != LPK_OK || lpk__region_there();
	/* Refused with a word on standard error; the program's wish counts. */
	return lpk__region_there() || init_at(NULL) != LPK_OK ||
	    !lpk__region_there();
}

static void
test_region_environment_comes_before_the_program(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(run_self("memfd", "there"), 0);
	assert_int_equal(run_self(file, "there"), 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	unlink(file);
	assert_int_equal(run_self("off", "off"), 0);
	assert_int_equal(run_self("nonsense", "refused"), 0);
	assert_int_equal(run_self("/tmp/lpk-shared", "refused"), 0);
	assert_int_equal(access("/tmp/lpk-shared", F_OK), -1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_region_memfd_keeps_what_was_stored_before),
	    cmocka_unit_test(
		test_region_bad_options_and_second_calls_are_refused),
	    cmocka_unit_test(test_region_other_threads_are_a_reason_to_refuse),
	    cmocka_unit_test(test_region_child_of_a_fork_has_a_log_of_its_own),
	    cmocka_unit_test(test_region_child_may_have_a_name_of_its_own),
	    cmocka_unit_test(
		test_region_child_without_handlers_cannot_reach_the_log),
	    cmocka_unit_test(test_region_fork_leaves_signals_as_they_were),
	    cmocka_unit_test(test_region_memfd_is_sealed),
	    cmocka_unit_test(test_region_options_are_obeyed),
	    cmocka_unit_test(test_region_says_who_wrote_it_and_how_that_ended),
	    cmocka_unit_test(test_region_environment_comes_before_the_program),
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
