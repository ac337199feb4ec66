/* SPDX-License-Identifier: MIT */
/*
 * A file on a disk that is full, a tmpfs of some pages: the console keeps its
 * place, says so once, and goes on when there is room. Skipped where nothing
 * may be mounted.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

enum { DISK_BYTES = 256 << 10, HOG_BYTES = 192 << 10, LINES = 4000 };

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static char folder[] = "/tmp/lpk-full-XXXXXX";
static char path[96], hog[96];

static int
setup(void **state)
{
	char bytes[32];

	(void)state;
	snprintf(bytes, sizeof(bytes), "size=%d,mode=0700", DISK_BYTES);
	log_ = small_log_make(&small, 65536, 16, 2);
	return mount("tmpfs", folder, "tmpfs", 0, bytes);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return umount2(folder, MNT_DETACH);
}

static void
make_hog(void)
{
	static char zeros[HOG_BYTES];
	FILE *file = fopen(hog, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
	assert_int_equal(fclose(file), 0);
}

static void
start(const char *options)
{
	char words[128], error[256] = "";

	snprintf(words, sizeof(words), "file:%s%s", path, options);
	assert_int_equal(
	    lpk_console_new(&console, words, error, sizeof(error)), LPK_OK);
	console->log = log_;
	assert_int_equal(lpk_console_register(console), LPK_OK);
}

static void
stop(void)
{
	struct lpk_console_stats stats;

	assert_int_equal(lpk_console_unregister(console, UINT64_MAX), LPK_OK);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.refused, 0);
}

/* More than there is room for, and all of it still in the ring. */
static void
fill_disk(void)
{
	struct lpk_console_stats stats;
	const struct timespec moment = {0, 1000000};
	int i;

	for (i = 0; i < LINES; i++)
		lpk_info("line %d end", i);
	do {
		nanosleep(&moment, NULL);
		lpk_console_stats(console, &stats);
	} while (stats.state != LPK_CONSOLE_BLOCKED);
	assert_int_equal(stats.last_error, ENOSPC);
	assert_true(stats.lag_records > 0);
	assert_int_equal(lpk_console_flush(console, lpk_now_ns() + 50000000),
	    -LPK_ETIMEDOUT);
}

/* The lines of files, oldest first; returns the first one's number. */
struct check {
	int first;
	int next;
	int told; /* that the disk was full */
};

static void
check_line(struct check *check, const char *line)
{
	const char *text = strstr(line, "] ");
	int number, end = 0;

	assert_int_equal(line[0], '[');
	assert_non_null(text);
	if (strncmp(text, "] lpk: console ", 15) == 0) {
		assert_non_null(strchr(text, '\n'));
		check->told += strstr(text, "takes nothing") != NULL;
		return;
	}
	assert_int_equal(sscanf(text, "] line %d end\n%n", &number, &end), 1);
	assert_true(end != 0 && text[end] == '\0');
	if (check->first < 0)
		check->first = check->next = number;
	assert_int_equal(number, check->next++);
}

static struct check
check_files(int oldest)
{
	struct check check = {.first = -1};
	char name[128], line[256];
	FILE *file;

	for (; oldest >= 0; oldest--) {
		snprintf(name, sizeof(name), oldest == 0 ? "%s" : "%s.%d", path,
		    oldest);
		file = fopen(name, "r");
		if (file == NULL)
			continue;
		while (fgets(line, sizeof(line), file) != NULL)
			check_line(&check, line);
		fclose(file);
	}
	assert_int_equal(check.next, LINES);
	assert_int_equal(check.told, 1);
	return check;
}

static void
test_full_disk_is_waited_for(void **state)
{
	(void)state;
	make_hog();
	start("");
	fill_disk();
	assert_int_equal(unlink(hog), 0);
	stop();
	assert_int_equal(check_files(0).first, 0);
}

static void
test_full_disk_is_waited_for_with_rotation(void **state)
{
	(void)state;
	make_hog();
	start(",rotate=16K*99,fsync=batch");
	fill_disk();
	assert_int_equal(unlink(hog), 0);
	stop();
	assert_int_equal(check_files(99).first, 0);
}

/* Who removes the log to make room gets the room, and the rest of the log. */
static void
test_full_disk_is_free_when_the_log_is_removed(void **state)
{
	(void)state;
	make_hog();
	start("");
	fill_disk();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
	    lpk_console_flush(console, lpk_now_ns() + 60000000000u), LPK_OK);
	assert_int_equal(unlink(hog), 0);
	stop();
	assert_true(check_files(0).first > 0);
}

static void
test_full_disk_is_free_when_the_log_is_emptied(void **state)
{
	(void)state;
	make_hog();
	start("");
	fill_disk();
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(
	    lpk_console_flush(console, lpk_now_ns() + 60000000000u), LPK_OK);
	stop();
	assert_true(check_files(0).first > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A name space of our own, so that nobody else sees what we mount. */
static bool
may_mount(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0 &&
	    umount(folder) == 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_full_disk_is_waited_for),
	    CASE(test_full_disk_is_waited_for_with_rotation),
	    CASE(test_full_disk_is_free_when_the_log_is_removed),
	    CASE(test_full_disk_is_free_when_the_log_is_emptied),
	};
	int result;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/x.log", folder);
	snprintf(hog, sizeof(hog), "%s/hog", folder);
	if (!may_mount()) {
		printf(
		    "a small tmpfs cannot be mounted: %s\n", strerror(errno));
		rmdir(folder);
		return 77;
	}
	result = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return result;
}
