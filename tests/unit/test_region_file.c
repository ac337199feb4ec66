/* SPDX-License-Identifier: MIT */
/*
 * Regions with a name: who may have it, what becomes of the sessions before,
 * and what is refused. Processes that use a name at the same time are real ones.
 */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/init.h>

#include "hosted/region.h"

static char folder[] = "/tmp/lpk-file-XXXXXX";
static char file[64];

static int
init_at(const char *where, unsigned int keep)
{
	struct lpk_options options = LPK_OPTIONS_INIT;

	options.region = where;
	options.keep = keep;
	return lpk_init(&options);
}

/* What lpk_init() says in a process of its own, which logs a text and dies. */
static int
session(const char *where, unsigned int keep, const char *text)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int result = init_at(where, keep);

		lpk_write(NULL, LPK_INFO, "%s", text);
		_exit(-result);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static bool
holds(const char *path, const char *text)
{
	static char bytes[4 << 20];
	int fd = open(path, O_RDONLY);
	ssize_t length = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : -1;

	if (fd >= 0)
		close(fd);
	return length > 0 &&
	    memmem(bytes, (size_t)length, text, strlen(text)) != NULL;
}

static const char *
named(const char *tail)
{
	static char name[2][96];
	static int turn;

	turn = !turn;
	snprintf(name[turn], sizeof(name[turn]), "%s%s", file, tail);
	return name[turn];
}

static int
clean(void **state)
{
	char command[128];

	(void)state;
	snprintf(
	    command, sizeof(command), "rm -rf %s/*  %s/.[!.]*", folder, folder);
	return system(command);
}

/* Nothing but what is named was left in the folder. */
static unsigned int
count_files(void)
{
	char command[128];
	unsigned int count = 0;
	FILE *pipe;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%u", &count), 1);
	pclose(pipe);
	return count;
}

static void
test_region_file_is_its_owners_alone(void **state)
{
	struct stat status;

	(void)state;
	umask(0);
	assert_int_equal(session(file, 8, "first"), LPK_OK);
	umask(022);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_true(S_ISREG(status.st_mode));
	/* All of it is there, so that no store into it can fail. */
	assert_true(status.st_blocks * 512 >= status.st_size);
	assert_true(holds(file, "first"));
	assert_int_equal(count_files(), 1);
}

static void
test_region_file_of_the_session_before_is_kept(void **state)
{
	(void)state;
	assert_int_equal(session(file, 2, "session one"), LPK_OK);
	assert_int_equal(session(file, 2, "session two"), LPK_OK);
	assert_true(holds(named(".1"), "session one"));
	assert_true(holds(file, "session two"));
	assert_false(holds(file, "session one"));
	assert_int_equal(session(file, 2, "session three"), LPK_OK);
	assert_true(holds(named(".2"), "session one"));
	assert_true(holds(named(".1"), "session two"));
	assert_true(holds(file, "session three"));
	/* The oldest goes when there are more than wished for. */
	assert_int_equal(session(file, 2, "session four"), LPK_OK);
	assert_true(holds(named(".2"), "session two"));
	assert_true(holds(named(".1"), "session three"));
	assert_int_equal(count_files(), 3);
	/* A gap is filled before anything is lost. */
	assert_int_equal(unlink(named(".1")), 0);
	assert_int_equal(session(file, 2, "session five"), LPK_OK);
	assert_true(holds(named(".2"), "session two"));
	assert_true(holds(named(".1"), "session four"));
	assert_int_equal(count_files(), 3);
}

static void
test_region_file_of_a_living_process_is_left_alone(void **state)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (init_at(file, 8) != LPK_OK)
			_exit(1);
		lpk_write(NULL, LPK_INFO, "it lives");
		/* A child that outlives it must not keep the name. */
		if (fork() == 0) {
			sleep(2);
			_exit(0);
		}
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(session(file, 8, "in its place"), -LPK_EBUSY);
	assert_int_equal(count_files(), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(session(file, 8, "after it"), LPK_OK);
	assert_true(holds(named(".1"), "it lives"));
	close(ready[0]);
	close(ready[1]);
}

/* Many at once: one has the name at a time, and nobody's log is lost. */
static void
test_region_file_many_that_start_at_once_lose_nothing(void **state)
{
	enum { PROCESSES = 12 };
	unsigned int moved = 0, i;
	pid_t pids[PROCESSES];
	bool there[PROCESSES];
	char text[32];
	int status;

	(void)state;
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			int result = init_at(file, 99);

			lpk_write(NULL, LPK_INFO, "process %u.", i);
			usleep(1000);
			_exit(result == LPK_OK       ? 0 :
				result == -LPK_EBUSY ? 1 :
						       2);
		}
	}
	for (i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		there[i] = WEXITSTATUS(status) == 0;
		moved += there[i];
	}
	assert_true(moved != 0);
	assert_int_equal(count_files(), moved);
	for (i = 0; i < PROCESSES; i++) {
		unsigned int number, found = 0;

		snprintf(text, sizeof(text), "process %u.", i);
		for (number = 0; number < moved; number++) {
			char tail[16] = "";

			if (number != 0)
				snprintf(tail, sizeof(tail), ".%u", number);
			found += holds(named(tail), text);
		}
		assert_int_equal(found, there[i]);
	}
}

static void
test_region_file_that_is_something_else_is_refused(void **state)
{
	int fd = open(file, O_CREAT | O_WRONLY, 0644);

	(void)state;
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_int_equal(session(file, 8, "x"), -LPK_EINVAL);
	assert_true(holds(file, "precious"));
	unlink(file);
	assert_int_equal(symlink(named(".elsewhere"), file), 0);
	assert_int_equal(session(file, 8, "x"), -LPK_EINVAL);
	assert_int_equal(access(named(".elsewhere"), F_OK), -1);
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(session(file, 8, "x"), -LPK_EINVAL);
	rmdir(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(session(file, 8, "x"), -LPK_EINVAL);
	assert_int_equal(count_files(), 1);
}

static void
test_region_file_names_that_make_no_sense_are_refused(void **state)
{
	char long_name[512];

	(void)state;
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(session("", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session("log", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session("shm:", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session("shm:../x", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session("shm:.x", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session(folder, 8, "x"), -LPK_EINVAL);
	assert_int_equal(session(named("/"), 8, "x"), -LPK_EINVAL);
	assert_int_equal(session("/nowhere/at/all", 8, "x"), -LPK_EINVAL);
	assert_int_equal(session(long_name, 8, "x"), -LPK_EINVAL);
}

static void
test_region_file_folder_of_many_is_refused(void **state)
{
	struct stat shm;

	(void)state;
	assert_int_equal(session("/tmp/lpk-of-many", 8, "x"), -LPK_EINVAL);
	assert_int_equal(access("/tmp/lpk-of-many", F_OK), -1);
	/* In a chroot it may be an ordinary folder of root's. */
	if (stat("/dev/shm", &shm) == 0 && (shm.st_mode & S_IWOTH) != 0)
		assert_int_equal(
		    session("/dev/shm/lpk-of-many", 8, "x"), -LPK_EINVAL);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(session(file, 8, "x"), -LPK_EINVAL);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(count_files(), 0);
}

static void
test_region_file_shm_lies_in_a_folder_of_the_user(void **state)
{
	char name[64], path[128];
	struct stat status;

	(void)state;
	snprintf(name, sizeof(name), "shm:lpk-test-%ld", (long)getpid());
	snprintf(path, sizeof(path), "/dev/shm/lpk-%lu/%s",
	    (unsigned long)geteuid(), name + 4);
	assert_int_equal(session(name, 8, "shared memory"), LPK_OK);
	assert_true(holds(path, "shared memory"));
	unlink(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	rmdir(path);
}

/* Told at once, and not by a signal when the log is written to. */
static void
test_region_file_that_finds_no_room_is_refused(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct rlimit limit = {65536, 65536};
		int result;

		setrlimit(RLIMIT_FSIZE, &limit);
		result = init_at(file, 8);
		lpk_write(NULL, LPK_INFO, "goes on");
		_exit(result != -LPK_ENOSPC || lpk__region_there());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_files(), 0);
}

#define CASE(name) cmocka_unit_test_teardown(name, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_region_file_is_its_owners_alone),
	    CASE(test_region_file_of_the_session_before_is_kept),
	    CASE(test_region_file_of_a_living_process_is_left_alone),
	    CASE(test_region_file_many_that_start_at_once_lose_nothing),
	    CASE(test_region_file_that_is_something_else_is_refused),
	    CASE(test_region_file_names_that_make_no_sense_are_refused),
	    CASE(test_region_file_folder_of_many_is_refused),
	    CASE(test_region_file_shm_lies_in_a_folder_of_the_user),
	    CASE(test_region_file_that_finds_no_room_is_refused),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(file, sizeof(file), "%s/log", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
