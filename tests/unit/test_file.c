/* SPDX-License-Identifier: MIT */
/*
 * The console on a file, its driver called as lpk calls it: rotation, files
 * that others rename, disks that are full, FIFOs, fsync.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/format.h>

enum { MOST_BYTES = 1 << 20 };

static struct lpk_console console;
static char folder[64], path[128], held[MOST_BYTES];
static int synced;

/* In place of the C library's. */
int
fdatasync(int fd)
{
	(void)fd;
	synced++;
	return 0;
}

static int
remove_one(const char *name, const struct stat *at, int type, struct FTW *ftw)
{
	(void)at;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lpk-file-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/x.log", folder);
	memset(&console, 0, sizeof(console));
	console.driver = &lpk_file_driver;
	synced = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(console.device);
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int
option(const char *key, const char *value)
{
	if (console.device == NULL)
		console.device = calloc(1, lpk_file_driver.device_bytes);
	assert_non_null(console.device);
	return lpk_file_driver.option(&console, key, value);
}

/* "rotate=1K*3,perm=0600" */
static int
start(const char *target, const char *options)
{
	char words[256], *word, *rest = words;

	assert_int_equal(option("", target), LPK_OK);
	snprintf(words, sizeof(words), "%s", options);
	while ((word = strsep(&rest, ",")) != NULL && word[0] != '\0') {
		char *value = strchr(word, '=');

		*value++ = '\0';
		assert_int_equal(option(word, value), LPK_OK);
	}
	return lpk_file_driver.setup(&console);
}

static void
stop(void)
{
	lpk_file_driver.exit(&console);
	free(console.device);
	console.device = NULL;
}

static struct lpk_batch
batch_of(const char *bytes, bool rest)
{
	return (struct lpk_batch){
	    .bytes = bytes,
	    .size_bytes = strlen(bytes),
	    .records = 1,
	    .level = LPK_INFO,
	    .rest = rest,
	    .deadline_ns = lpk_now_ns() + 20000000,
	};
}

static int
write_once(const char *bytes, bool rest, int *error)
{
	struct lpk_batch batch = batch_of(bytes, rest);
	int count = lpk_file_driver.write(&console, &batch);

	if (error != NULL)
		*error = batch.error;
	return count;
}

static int
panic_once(const char *bytes, int *error)
{
	struct lpk_batch batch = batch_of(bytes, false);
	int count;

	errno = 4711;
	count = lpk_file_driver.write_on_panic(&console, &batch);
	assert_int_equal(errno, 4711);
	if (error != NULL)
		*error = batch.error;
	return count;
}

/* As lpk does: again, with what is left. A new record begins at a newline. */
static void
put(const char *bytes)
{
	bool rest = false;

	while (*bytes != '\0') {
		int count = write_once(bytes, rest, NULL);

		assert_true(count > 0);
		bytes += count;
		rest = bytes[-1] != '\n';
	}
}

static void
put_numbers(int from, int below)
{
	char line[64];

	for (; from < below; from++) {
		snprintf(line, sizeof(line), "line %d of the log\n", from);
		put(line);
	}
}

static const char *
name_of(int number)
{
	static char name[160];

	if (number == 0)
		return path;
	snprintf(name, sizeof(name), "%s.%d", path, number);
	return name;
}

/* What a file holds; NULL when it is not there. */
static const char *
holds(const char *name)
{
	FILE *file = fopen(name, "r");

	if (file == NULL)
		return NULL;
	held[fread(held, 1, sizeof(held) - 1, file)] = '\0';
	fclose(file);
	return held;
}

static void
expect_file(const char *name, const char *want)
{
	const char *got = holds(name);

	assert_non_null(got);
	assert_string_equal(got, want);
}

static void
make_file(const char *name, const char *bytes)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(bytes, file);
	fclose(file);
}

/* Oldest file first: the lines of put_numbers(), each once, whole. */
static int
expect_numbers(int files, int from)
{
	char want[64];
	int number;

	for (number = files - 1; number >= 0; number--) {
		const char *at = holds(name_of(number));

		assert_non_null(at);
		while (*at != '\0') {
			snprintf(
			    want, sizeof(want), "line %d of the log\n", from++);
			assert_memory_equal(at, want, strlen(want));
			at += strlen(want);
		}
	}
	return from;
}

static void
test_file_bad_words_are_refused(void **state)
{
	static const char *const words[][2] = {{"", ""}, {"rotate", ""},
	    {"rotate", "0"}, {"rotate", "M"}, {"rotate", "10X"},
	    {"rotate", "10M*"}, {"rotate", "10M*0"}, {"rotate", "10M*10000"},
	    {"rotate", "10M5"}, {"rotate", "-1"}, {"rotate", "99999999999999"},
	    {"age", ""}, {"age", "0"}, {"age", "1y"}, {"age", "1dd"},
	    {"keep", "0"}, {"keep", "x"}, {"keep", ""}, {"perm", ""},
	    {"perm", "0888"}, {"perm", "01777"}, {"perm", "rw"}, {"fsync", ""},
	    {"fsync", "always"}, {"fsync", "8"}};
	char longer[8192];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(option(words[i][0], words[i][1]), -LPK_EINVAL);
	assert_int_equal(option("rotation", "1"), -LPK_ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(option("", longer), -LPK_EINVAL);
	/* Without a name there is nothing to open. */
	assert_int_equal(lpk_file_driver.setup(&console), -LPK_EINVAL);
}

static void
test_file_good_words_are_taken(void **state)
{
	static const char *const words[][2] = {{"rotate", "1"},
	    {"rotate", "10k"}, {"rotate", "10M*5"}, {"rotate", "4G*9999"},
	    {"age", "1d"}, {"age", "90"}, {"age", "2w"}, {"keep", "1"},
	    {"perm", "0600"}, {"perm", "644"}, {"fsync", "never"},
	    {"fsync", "batch"}, {"fsync", "err"}, {"fsync", "0"}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(option(words[i][0], words[i][1]), LPK_OK);
}

static void
test_file_missing_folder_is_an_error(void **state)
{
	char name[160];

	(void)state;
	snprintf(name, sizeof(name), "%s/missing/x.log", folder);
	assert_int_equal(start(name, ""), -LPK_ENOENT);
}

static void
test_file_folder_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(start(folder, ""), -EISDIR);
}

static void
test_file_is_made_with_its_permissions(void **state)
{
	mode_t mask = umask(022);
	struct stat at;

	(void)state;
	assert_int_equal(start(path, ""), LPK_OK);
	assert_int_equal(stat(path, &at), 0);
	assert_int_equal(at.st_mode & 07777, 0640);
	stop();
	assert_int_equal(unlink(path), 0);
	/* What was asked for is not cut by the umask. */
	assert_int_equal(start(path, "perm=0662"), LPK_OK);
	assert_int_equal(stat(path, &at), 0);
	assert_int_equal(at.st_mode & 07777, 0662);
	stop();
	umask(mask);
}

static void
test_file_lines_are_appended(void **state)
{
	(void)state;
	make_file(path, "from before\n");
	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	/* Others may write to the file, too; it is always the end. */
	make_file(path, "emptied\n");
	put("two\nthree\n");
	assert_int_equal(panic_once("four\n", NULL), 5);
	expect_file(path, "emptied\ntwo\nthree\nfour\n");
	stop();
}

static void
test_file_line_torn_by_a_crash_is_ended_first(void **state)
{
	(void)state;
	make_file(path, "whole\nhalf a li");
	assert_int_equal(start(path, ""), LPK_OK);
	put("new\n");
	expect_file(path, "whole\nhalf a li\nnew\n");
	stop();
}

static void
test_file_relative_name_survives_chdir(void **state)
{
	char before[4096];

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(start("x.log", "rotate=40*3"), LPK_OK);
	assert_int_equal(chdir("/"), 0);
	put_numbers(0, 5);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(expect_numbers(3, 0), 5);
	stop();
}

static void
test_file_rotation_by_size_keeps_every_line(void **state)
{
	int number;
	struct stat at;

	(void)state;
	assert_int_equal(start(path, "rotate=1k*9"), LPK_OK);
	put_numbers(0, 400);
	for (number = 0; number <= 9; number++)
		if (stat(name_of(number), &at) != 0)
			break;
		else
			assert_true(at.st_size <= 1024);
	assert_true(number > 7 && number < 10);
	assert_int_equal(expect_numbers(number, 0), 400);
	stop();
}

static void
test_file_batch_is_shared_between_files_at_a_newline(void **state)
{
	char many[8192] = "";
	int i;

	(void)state;
	for (i = 0; i < 200; i++)
		snprintf(many + strlen(many), 64, "line %d of the log\n", i);
	assert_int_equal(start(path, "rotate=1k*9"), LPK_OK);
	put(many);
	assert_int_equal(expect_numbers(4, 0), 200);
	assert_null(holds(name_of(4)));
	stop();
}

static void
test_file_line_left_open_is_not_cut_by_a_rotation(void **state)
{
	(void)state;
	assert_int_equal(start(path, "rotate=10*9"), LPK_OK);
	put("before\n");
	put("probing disks");
	put("... two found\nnext\n");
	expect_file(name_of(2), "before\n");
	expect_file(name_of(1), "probing disks... two found\n");
	expect_file(path, "next\n");
	stop();
}

static void
test_file_line_left_open_is_whole_after_reopen(void **state)
{
	(void)state;
	assert_int_equal(start(path, ""), LPK_OK);
	put("probing disks");
	lpk_file_driver.reopen(&console);
	expect_file(path, "probing disks");
	assert_int_equal(rename(path, name_of(1)), 0);
	lpk_file_driver.reopen(&console);
	put("... two found\n");
	expect_file(name_of(1), "probing disks\n");
	expect_file(path, "probing disks... two found\n");
	stop();
}

static void
test_file_line_longer_than_a_file_is_kept_whole(void **state)
{
	(void)state;
	assert_int_equal(start(path, "rotate=8*9"), LPK_OK);
	put("short\n");
	put("much longer than eight bytes\n");
	put("short\n");
	expect_file(name_of(2), "short\n");
	expect_file(name_of(1), "much longer than eight bytes\n");
	expect_file(path, "short\n");
	stop();
}

static void
test_file_rotation_keeps_so_many(void **state)
{
	(void)state;
	assert_int_equal(start(path, "rotate=1,keep=2"), LPK_OK);
	put("1\n");
	put("2\n");
	put("3\n");
	put("4\n");
	expect_file(path, "4\n");
	expect_file(name_of(1), "3\n");
	expect_file(name_of(2), "2\n");
	assert_null(holds(name_of(3)));
	stop();
}

static void
test_file_rotation_fills_a_gap_first(void **state)
{
	(void)state;
	make_file(path, "newest\n");
	make_file(name_of(1), "older\n");
	make_file(name_of(3), "oldest\n");
	assert_int_equal(start(path, "rotate=1*5"), LPK_OK);
	put("new\n");
	expect_file(path, "new\n");
	expect_file(name_of(1), "newest\n");
	expect_file(name_of(2), "older\n");
	expect_file(name_of(3), "oldest\n");
	stop();
}

static void
test_file_size_counts_across_a_restart(void **state)
{
	(void)state;
	assert_int_equal(start(path, "rotate=20"), LPK_OK);
	put("0123456789\n");
	stop();
	assert_int_equal(start(path, "rotate=20"), LPK_OK);
	put("abcdefghij\n");
	expect_file(name_of(1), "0123456789\n");
	expect_file(path, "abcdefghij\n");
	stop();
}

/* Seconds are the least that the option knows. */
static void
wait_seconds(unsigned int seconds)
{
	struct timespec wait = {seconds, 50000000};

	while (nanosleep(&wait, &wait) != 0)
		;
}

static void
test_file_age_counts_across_a_restart(void **state)
{
	(void)state;
	assert_int_equal(start(path, "age=1h"), LPK_OK);
	put("old\n");
	stop();
	wait_seconds(2);
	/* Not old enough. */
	assert_int_equal(start(path, "age=1h"), LPK_OK);
	put("of the same hour\n");
	stop();
	assert_int_equal(start(path, "age=2s"), LPK_OK);
	put("new\n");
	expect_file(name_of(1), "old\nof the same hour\n");
	expect_file(path, "new\n");
	assert_null(holds(name_of(2)));
	stop();
}

static void
test_file_empty_file_is_never_too_old(void **state)
{
	(void)state;
	assert_int_equal(start(path, "age=1s"), LPK_OK);
	wait_seconds(2);
	put("first\n");
	expect_file(path, "first\n");
	assert_null(holds(name_of(1)));
	stop();
}

static void
test_file_panic_does_not_rotate(void **state)
{
	(void)state;
	assert_int_equal(start(path, "rotate=4*3"), LPK_OK);
	put("one\n");
	assert_int_equal(panic_once("two\n", NULL), 4);
	assert_int_equal(panic_once("three\n", NULL), 6);
	expect_file(path, "one\ntwo\nthree\n");
	put("four\n");
	expect_file(path, "four\n");
	stop();
}

static void
test_file_link_or_fifo_cannot_rotate(void **state)
{
	char target[160];

	(void)state;
	snprintf(target, sizeof(target), "%s/target", folder);
	make_file(target, "");
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(start(path, "rotate=1M"), -LPK_EINVAL);
	free(console.device);
	console.device = NULL;
	/* Without rotation it is written through. */
	assert_int_equal(start(path, ""), LPK_OK);
	put("line\n");
	expect_file(target, "line\n");
	stop();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(start(path, "age=1d"), -LPK_EINVAL);
}

static void
test_file_rotation_that_fails_loses_nothing(void **state)
{
	char name[160];
	int error;

	(void)state;
	snprintf(name, sizeof(name), "%s.1/x", path);
	assert_int_equal(start(path, "rotate=4*1"), LPK_OK);
	put("one\n");
	/* A folder is in the way that rename() cannot replace. */
	assert_int_equal(mkdir(name_of(1), 0700), 0);
	make_file(name, "");
	assert_int_equal(write_once("two\n", false, &error), 4);
	assert_int_not_equal(error, 0);
	put("three\n");
	expect_file(path, "one\ntwo\nthree\n");
	stop();
}

static void
test_file_renamed_file_is_left_at_reopen(void **state)
{
	char old[160];

	(void)state;
	snprintf(old, sizeof(old), "%s/old", folder);
	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	assert_int_equal(rename(path, old), 0);
	put("two\n");
	lpk_file_driver.reopen(&console);
	/* It is there at once: logrotate's scripts may look for it. */
	expect_file(path, "");
	put("three\n");
	expect_file(old, "one\ntwo\n");
	expect_file(path, "three\n");
	/* Nothing happened to the file: nothing happens. */
	lpk_file_driver.reopen(&console);
	put("four\n");
	expect_file(path, "three\nfour\n");
	stop();
}

static void
test_file_folder_gone_at_reopen_keeps_the_file(void **state)
{
	char moved[80], hidden[96];

	(void)state;
	snprintf(moved, sizeof(moved), "%s-moved", folder);
	snprintf(hidden, sizeof(hidden), "%s/x.log", moved);
	assert_int_equal(start(path, ""), LPK_OK);
	assert_int_equal(rename(folder, moved), 0);
	lpk_file_driver.reopen(&console);
	put("still\n");
	expect_file(hidden, "still\n");
	assert_int_equal(rename(moved, folder), 0);
	stop();
}

static void
test_file_renamed_file_is_noticed(void **state)
{
	(void)state;
	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	assert_int_equal(rename(path, name_of(1)), 0);
	make_file(path, "");
	wait_seconds(1);
	put("two\n");
	expect_file(name_of(1), "one\n");
	expect_file(path, "two\n");
	/* By whoever prints. */
	assert_int_equal(rename(path, name_of(2)), 0);
	make_file(path, "");
	wait_seconds(1);
	assert_int_equal(panic_once("three\n", NULL), 6);
	expect_file(name_of(2), "two\n");
	expect_file(path, "three\n");
	stop();
}

static void
test_file_removed_file_is_made_anew(void **state)
{
	(void)state;
	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	assert_int_equal(rename(path, name_of(1)), 0);
	wait_seconds(1);
	/* Whoever renamed it may be about to make it. */
	put("two\n");
	assert_null(holds(path));
	wait_seconds(1);
	put("three\n");
	expect_file(name_of(1), "one\ntwo\n");
	expect_file(path, "three\n");
	stop();
}

/* A limit on the size of files does what a full disk does. */
static struct rlimit no_limit;

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	if (no_limit.rlim_max == 0)
		no_limit = limit;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
unlimit_files(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_limit), 0);
}

/* One record's beginning is in the file, and no room for the rest. */
static void
tear(void)
{
	int error;

	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	limit_files(8);
	assert_int_equal(write_once("two and more\n", false, NULL), 4);
	assert_int_equal(write_once("and more\n", true, &error), -LPK_ENOSPC);
	assert_int_equal(error, EFBIG);
	expect_file(path, "one\ntwo ");
}

static void
test_file_torn_line_is_completed_when_there_is_room(void **state)
{
	(void)state;
	tear();
	assert_int_equal(write_once("and more\n", true, NULL), -LPK_ENOSPC);
	unlimit_files();
	assert_int_equal(write_once("and more\n", true, NULL), 9);
	put("three\n");
	expect_file(path, "one\ntwo and more\nthree\n");
	stop();
}

static void
test_file_torn_line_is_whole_in_a_file_emptied_meanwhile(void **state)
{
	(void)state;
	tear();
	assert_int_equal(truncate(path, 0), 0);
	unlimit_files();
	assert_int_equal(write_once("and more\n", true, NULL), 9);
	expect_file(path, "two and more\n");
	stop();
}

static void
test_file_torn_line_is_whole_in_a_file_renamed_meanwhile(void **state)
{
	(void)state;
	tear();
	assert_int_equal(rename(path, name_of(1)), 0);
	make_file(path, "");
	/* No room in the old file, and some in the new one. */
	assert_int_equal(write_once("and more\n", true, NULL), 4);
	assert_int_equal(write_once("more\n", true, NULL), -LPK_ENOSPC);
	unlimit_files();
	assert_int_equal(write_once("more\n", true, NULL), 5);
	expect_file(path, "two and more\n");
	stop();
}

static void
test_file_torn_line_is_whole_after_reopen(void **state)
{
	(void)state;
	tear();
	unlimit_files();
	assert_int_equal(rename(path, name_of(1)), 0);
	lpk_file_driver.reopen(&console);
	put("");
	assert_int_equal(write_once("and more\n", true, NULL), 9);
	put("three\n");
	expect_file(path, "two and more\nthree\n");
	stop();
}

static void
test_file_panic_at_a_limit_kills_nobody(void **state)
{
	int error;

	(void)state;
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(start(path, ""), LPK_OK);
	limit_files(4);
	assert_int_equal(panic_once("one\n", NULL), 4);
	assert_int_equal(panic_once("two\n", &error), -LPK_ENOSPC);
	assert_int_equal(error, EFBIG);
	unlimit_files();
	signal(SIGXFSZ, SIG_IGN);
	stop();
}

static void
test_file_full_device_keeps_the_place(void **state)
{
	int error;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	assert_int_equal(start("/dev/full", ""), LPK_OK);
	assert_int_equal(write_once("one\n", false, &error), -LPK_ENOSPC);
	assert_int_equal(error, ENOSPC);
	assert_int_equal(panic_once("one\n", &error), -LPK_ENOSPC);
	stop();
}

static void
test_file_closed_by_somebody_else_is_opened_anew(void **state)
{
	char other[160];
	int fd, files[64], count = 0;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(start(path, ""), LPK_OK);
	put("one\n");
	/* A program that becomes a daemon, and then opens files of its own. */
	for (fd = 3; fd < 32; fd++)
		close(fd);
	while (count < 30)
		files[count++] = open(other, O_WRONLY | O_CREAT, 0600);
	put("two\n");
	while (count > 0)
		close(files[--count]);
	for (fd = 3; fd < 64; fd++)
		close(fd);
	assert_int_equal(panic_once("three\n", NULL), 6);
	expect_file(path, "one\ntwo\nthree\n");
	expect_file(other, "");
	stop();
}

static void
test_file_standard_descriptors_are_not_taken(void **state)
{
	int saved = dup(STDIN_FILENO);

	(void)state;
	close(STDIN_FILENO);
	assert_int_equal(start(path, ""), LPK_OK);
	assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
	put("line\n");
	expect_file(path, "line\n");
	stop();
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static int
read_fifo(int fd, char *text, size_t size_bytes)
{
	ssize_t count = read(fd, text, size_bytes - 1);

	text[count > 0 ? count : 0] = '\0';
	return (int)count;
}

static void
test_file_fifo_waits_for_its_reader(void **state)
{
	char text[64];
	int error, fd;

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(start(path, ""), LPK_OK);
	assert_int_equal(write_once("one\n", false, &error), -LPK_EAGAIN);
	assert_int_equal(error, ENXIO);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	put("one\n");
	assert_int_equal(read_fifo(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "one\n");
	close(fd);
	/* The reader is gone, and the process is not. */
	assert_int_equal(panic_once("two\n", &error), -LPK_EAGAIN);
	assert_int_equal(error, EPIPE);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(write_once("two\n", false, &error), -LPK_EAGAIN);
	assert_int_equal(error, EPIPE);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	put("two\n");
	assert_int_equal(read_fifo(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "two\n");
	close(fd);
	stop();
}

static void
test_file_full_fifo_is_waited_for_until_the_deadline(void **state)
{
	char line[1001];
	int fd, count, full = 0;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	strcpy(line + sizeof(line) - 2, "\n");
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK);
	assert_int_equal(start(path, ""), LPK_OK);
	while ((count = write_once(line, false, NULL)) > 0)
		full += count;
	assert_int_equal(count, -LPK_EAGAIN);
	assert_int_equal(panic_once(line, NULL), -LPK_EAGAIN);
	assert_true(full > 1000);
	while (full > 0) {
		count = (int)read(fd, held, sizeof(held));
		assert_true(count > 0);
		full -= count;
	}
	assert_int_equal(write_once(line, false, NULL), 1000);
	close(fd);
	stop();
}

static void
sync_batch(unsigned int level, int want)
{
	struct lpk_batch batch = batch_of("line\n", false);

	batch.level = (uint8_t)level;
	synced = 0;
	assert_int_equal(lpk_file_driver.write(&console, &batch), 5);
	assert_int_equal(synced, want);
	synced = 0;
	assert_int_equal(lpk_file_driver.write_on_panic(&console, &batch), 5);
	assert_int_equal(synced, want);
}

static void
test_file_fsync_follows_its_policy(void **state)
{
	(void)state;
	assert_int_equal(start(path, ""), LPK_OK);
	sync_batch(LPK_EMERG, 0);
	stop();
	assert_int_equal(start(path, "fsync=batch"), LPK_OK);
	sync_batch(LPK_DEBUG, 1);
	stop();
	assert_int_equal(start(path, "fsync=err"), LPK_OK);
	sync_batch(LPK_WARN, 0);
	sync_batch(LPK_ERR, 1);
	sync_batch(LPK_EMERG, 1);
	stop();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_file_bad_words_are_refused),
	    CASE(test_file_good_words_are_taken),
	    CASE(test_file_missing_folder_is_an_error),
	    CASE(test_file_folder_is_an_error),
	    CASE(test_file_is_made_with_its_permissions),
	    CASE(test_file_lines_are_appended),
	    CASE(test_file_line_torn_by_a_crash_is_ended_first),
	    CASE(test_file_relative_name_survives_chdir),
	    CASE(test_file_rotation_by_size_keeps_every_line),
	    CASE(test_file_batch_is_shared_between_files_at_a_newline),
	    CASE(test_file_line_left_open_is_not_cut_by_a_rotation),
	    CASE(test_file_line_left_open_is_whole_after_reopen),
	    CASE(test_file_line_longer_than_a_file_is_kept_whole),
	    CASE(test_file_rotation_keeps_so_many),
	    CASE(test_file_rotation_fills_a_gap_first),
	    CASE(test_file_size_counts_across_a_restart),
	    CASE(test_file_age_counts_across_a_restart),
	    CASE(test_file_empty_file_is_never_too_old),
	    CASE(test_file_panic_does_not_rotate),
	    CASE(test_file_link_or_fifo_cannot_rotate),
	    CASE(test_file_rotation_that_fails_loses_nothing),
	    CASE(test_file_renamed_file_is_left_at_reopen),
	    CASE(test_file_folder_gone_at_reopen_keeps_the_file),
	    CASE(test_file_renamed_file_is_noticed),
	    CASE(test_file_removed_file_is_made_anew),
	    CASE(test_file_torn_line_is_completed_when_there_is_room),
	    CASE(test_file_torn_line_is_whole_in_a_file_emptied_meanwhile),
	    CASE(test_file_torn_line_is_whole_in_a_file_renamed_meanwhile),
	    CASE(test_file_torn_line_is_whole_after_reopen),
	    CASE(test_file_panic_at_a_limit_kills_nobody),
	    CASE(test_file_full_device_keeps_the_place),
	    CASE(test_file_closed_by_somebody_else_is_opened_anew),
	    CASE(test_file_standard_descriptors_are_not_taken),
	    CASE(test_file_fifo_waits_for_its_reader),
	    CASE(test_file_full_fifo_is_waited_for_until_the_deadline),
	    CASE(test_file_fsync_follows_its_policy),
	};

	/* A thread of lpk has all signals blocked; the test plays one. */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
