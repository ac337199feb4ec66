/* SPDX-License-Identifier: MIT */
/*
 * Three processes log to one file, and each of them rotates it: no line is
 * lost, torn, or out of its process's order.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>

enum { PROCESSES = 3, LINES = 20000, FILES_MOST = 999 };

static char folder[] = "/tmp/lpk-shared-XXXXXX";
static char path[96];

/* One of the processes. */
static int
be_writer(const char *target, int writer)
{
	struct small_log small;
	struct lpk_log *log_ = small_log_make(&small, 65536, 16, 2);
	struct lpk_console *console;
	struct lpk_console_stats stats;
	char words[160], error[256] = "";
	int i;

	snprintf(
	    words, sizeof(words), "file:%s,rotate=32K*%d", target, FILES_MOST);
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		return 1;
	console->log = log_;
	if (lpk_console_register(console) != LPK_OK)
		return 1;
	for (i = 0; i < LINES; i++) {
		lpk_info("writer %d line %d end", writer, i);
		if (i % 500 == 499)
			lpk_console_flush(console, UINT64_MAX);
	}
	lpk_console_unregister(console, UINT64_MAX);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	small_log_free(&small);
	return stats.lost != 0;
}

static void
spawn(pid_t *child, int writer)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", writer);
	*child = fork();
	assert_true(*child >= 0);
	if (*child != 0)
		return;
	execl("/proc/self/exe", "file_shared", path, number, (char *)NULL);
	_exit(127);
}

/*
 * A process that lost the race goes on in the file that was renamed for up to a
 * second; so between files only each process's own order is certain, and not
 * even that when its next lines came to a file that is newer.
 */
static unsigned char seen[PROCESSES][LINES];

static void
check_line(const char *line, int *last)
{
	const char *text = strstr(line, "] writer ");
	int writer, number, end = 0;

	assert_int_equal(line[0], '[');
	assert_non_null(text);
	assert_int_equal(
	    sscanf(text, "] writer %d line %d end\n%n", &writer, &number, &end),
	    2);
	assert_true(end != 0 && text[end] == '\0');
	assert_in_range(writer, 0, PROCESSES - 1);
	assert_in_range(number, 0, LINES - 1);
	assert_int_equal(seen[writer][number]++, 0);
	assert_true(number > last[writer]);
	last[writer] = number;
}

static unsigned int
check_files(void)
{
	char name[128], line[256];
	int last[PROCESSES], number, i;
	unsigned int files = 0;
	FILE *file;

	for (i = 0; i < PROCESSES; i++)
		last[i] = -1;
	for (number = FILES_MOST; number >= 0; number--) {
		snprintf(name, sizeof(name), number == 0 ? "%s" : "%s.%d", path,
		    number);
		file = fopen(name, "r");
		if (file == NULL)
			continue;
		files++;
		while (fgets(line, sizeof(line), file) != NULL)
			check_line(line, last);
		fclose(file);
	}
	for (i = 0; i < PROCESSES; i++)
		assert_null(memchr(seen[i], 0, LINES));
	return files;
}

static void
test_shared_file_is_rotated_by_all_and_loses_nothing(void **state)
{
	pid_t children[PROCESSES];
	unsigned int files;
	int i, status;

	(void)state;
	for (i = 0; i < PROCESSES; i++)
		spawn(&children[i], i);
	for (i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	files = check_files();
	printf("%u files\n", files);
	assert_true(files > 10);
}

static int
remove_one(const char *name, const struct stat *at, int type, struct FTW *ftw)
{
	(void)at;
	(void)type;
	(void)ftw;
	return remove(name);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		test_shared_file_is_rotated_by_all_and_loses_nothing),
	};
	int result;

	if (argc == 3)
		return be_writer(argv[1], atoi(argv[2]));
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/x.log", folder);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return result;
}
