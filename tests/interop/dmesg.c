/* SPDX-License-Identifier: MIT */
/*
 * What a console writes to a file, dmesg(1) of util-linux reads: levels,
 * facilities, times, texts. Skipped where there is no such dmesg.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <unistd.h>

#include <lpk/consoles.h>

static struct small_log small;
static struct lpk_log *log_;
static char path[] = "/tmp/lpk-dmesg-XXXXXX";
static int file = -1;
static char printed[65536];

static const char *const levels[] = {
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};

/* Run dmesg on the file; what it printed. */
static const char *
dmesg(const char *options)
{
	char command[256];
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command),
	    "LC_ALL=C dmesg --color=never -F %s %s 2>&1", path, options);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(printed, 1, sizeof(printed) - 1, pipe);
	printed[length] = '\0';
	assert_int_equal(pclose(pipe), 0);
	return printed;
}

/* Give the records so far to dmesg's file. */
static void
to_file(enum lpk_style style)
{
	struct lpk_console console;

	assert_int_equal(ftruncate(file, 0), 0);
	lseek(file, 0, SEEK_SET);
	assert_int_equal(lpk_fd_console(&console, file), LPK_OK);
	console.log = log_;
	console.style = style;
	console.colours = false;
	assert_int_equal(lpk_console_register(&console), LPK_OK);
	assert_int_equal(lpk_console_unregister(&console, UINT64_MAX), LPK_OK);
}

static int
setup(void **state)
{
	unsigned int level;

	(void)state;
	log_ = small_log_make(&small, 8192, 4, 1);
	for (level = 0; level < 8; level++)
		lpk_write(
		    log_, (enum lpk_level)level, "text at %s", levels[level]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static unsigned int
count_lines(const char *text)
{
	unsigned int count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static void
test_dmesg_lines_with_priority_are_sorted_by_level(void **state)
{
	char options[64], want[64];
	unsigned int level;

	(void)state;
	to_file(LPK_STYLE_PRIO);
	assert_int_equal(count_lines(dmesg("")), 8);
	for (level = 0; level < 8; level++) {
		snprintf(options, sizeof(options), "-l %s", levels[level]);
		snprintf(want, sizeof(want), "] text at %s\n", levels[level]);
		assert_non_null(strstr(dmesg(options), want));
		assert_int_equal(count_lines(printed), 1);
	}
}

static void
test_dmesg_decodes_level_and_facility(void **state)
{
	char want[64];
	unsigned int level;

	(void)state;
	lpk_inject(log_, LPK_ERR, 3, "of a daemon", 11);
	to_file(LPK_STYLE_PRIO);
	dmesg("--decode");
	for (level = 0; level < 8; level++) {
		snprintf(want, sizeof(want), "kern  :%-6s: [", levels[level]);
		assert_non_null(strstr(printed, want));
	}
	assert_non_null(strstr(printed, "daemon:err   : ["));
	assert_int_equal(count_lines(dmesg("--facility daemon")), 1);
	assert_non_null(strstr(printed, "] of a daemon\n"));
}

static void
test_dmesg_shows_the_time_that_was_logged(void **state)
{
	struct lpk_reader reader;
	struct got got;
	char want[64];

	(void)state;
	lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
	assert_int_equal(next(&reader, &got), LPK_OK);
	to_file(LPK_STYLE_PRIO);
	lpk_record_print(
	    &got.record, got.text, LPK_STYLE_TEXT, want, sizeof(want));
	/* To the last microseconds the rate may have been measured anew. */
	assert_memory_equal(dmesg(""), want, 8);
	assert_non_null(strstr(printed, "] text at emerg\n"));
	assert_non_null(strstr(dmesg("-t"), "text at emerg\n"));
	assert_memory_equal(printed, "text", 4);
}

static void
test_dmesg_reads_plain_console_lines(void **state)
{
	(void)state;
	to_file(LPK_STYLE_TEXT);
	assert_int_equal(count_lines(dmesg("")), 8);
	assert_non_null(strstr(printed, "] text at info\n"));
	assert_memory_equal(dmesg("-t"), "text at emerg\n", 14);
}

static void
test_dmesg_gets_lines_of_one_record_one_by_one(void **state)
{
	(void)state;
	lpk_write(log_, LPK_CRIT, "one\ntwo\n<0>[    0.000000] three");
	to_file(LPK_STYLE_PRIO);
	assert_int_equal(count_lines(dmesg("-l crit")), 4);
	assert_non_null(strstr(printed, "] two\n"));
	/* Text that looks like a line is text. */
	assert_non_null(strstr(printed, "] <0>[    0.000000] three\n"));
}

static void
test_dmesg_gets_hostile_text_unharmed(void **state)
{
	(void)state;
	lpk_write(log_, LPK_CRIT, "%s", "\033[2Jesc \xff bad \r cr");
	to_file(LPK_STYLE_PRIO);
	assert_non_null(strstr(dmesg("-l crit"), "[2Jesc "));
	assert_null(strchr(printed, '\033'));
	assert_null(strchr(printed, '\r'));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_dmesg_lines_with_priority_are_sorted_by_level),
	    CASE(test_dmesg_decodes_level_and_facility),
	    CASE(test_dmesg_shows_the_time_that_was_logged),
	    CASE(test_dmesg_reads_plain_console_lines),
	    CASE(test_dmesg_gets_lines_of_one_record_one_by_one),
	    CASE(test_dmesg_gets_hostile_text_unharmed),
	};
	int failed;

	if (system("dmesg --version 2>/dev/null | grep -q util-linux") != 0) {
		puts("no dmesg of util-linux here");
		return 77;
	}
	file = mkstemp(path);
	if (file < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
