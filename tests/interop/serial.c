/* SPDX-License-Identifier: MIT */
/*
 * A serial console on a pseudo-terminal with a reader as slow as a line of
 * 115200 baud: every line arrives, in order, ended by \r\n, whether its thread
 * or an emergency printed it. When the reader stops, the others do not.
 */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

enum { LINES = 600, MOST_BYTES = 1 << 18 };

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console *console;
static int far = -1;
static char line_name[64];

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 65536, 16, 2);
	far = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	return far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0 &&
		ptsname_r(far, line_name, sizeof(line_name)) == 0 ?
	    0 :
	    -1;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	close(far);
	return 0;
}

static struct lpk_console *
start(const char *driver, const char *target, const char *options)
{
	struct lpk_console *made;
	char words[160], error[256] = "";

	snprintf(words, sizeof(words), "%s:%s%s", driver, target, options);
	assert_int_equal(
	    lpk_console_new(&made, words, error, sizeof(error)), LPK_OK);
	made->log = log_;
	assert_int_equal(lpk_console_register(made), LPK_OK);
	return made;
}

static uint64_t
seconds_from_now(unsigned int seconds)
{
	return lpk_now_ns() + seconds * UINT64_C(1000000000);
}

struct slow_reader {
	pthread_t thread;
	size_t length;
	char text[MOST_BYTES];
};

/* 115 bytes in 10 ms, until the last line. */
static void *
read_slowly(void *argument)
{
	struct slow_reader *reader = argument;
	const struct timespec bite = {0, 10000000};
	ssize_t count;

	while (reader->length < sizeof(reader->text) - 116 &&
	    strstr(reader->text, "] the end\r\n") == NULL &&
	    (count = read(far, reader->text + reader->length, 115)) > 0) {
		reader->length += (size_t)count;
		nanosleep(&bite, NULL);
	}
	return NULL;
}

#define NOTICE "] ** replaying previous printk message **"

/*
 * What an emergency interrupted comes again, behind a notice; in front of it
 * there may be a piece of a line.
 */
static void
check_lines(char *text)
{
	int next = 0, number, end;
	char *line, *stop, *at;

	for (line = text; *line != '\0'; line = stop + 2) {
		stop = strstr(line, "\r\n");
		assert_non_null(stop);
		*stop = '\0';
		assert_null(strpbrk(line, "\r\n"));
		at = strstr(line, "] ");
		end = 0;
		if (at != NULL &&
		    sscanf(at, "] line %d of the log%n", &number, &end) == 1 &&
		    end != 0 && at[end] == '\0' && number == next)
			next++;
		else if (at != NULL && strcmp(at, "] the end") == 0)
			assert_int_equal(next, LINES);
		else if (at != NULL && strcmp(at, NOTICE) == 0)
			continue;
		else if (strstr(stop + 2, "** replaying") == NULL)
			fail_msg("\"%s\", without a notice behind it", line);
	}
	assert_int_equal(next, LINES);
}

static void
test_serial_slow_reader_gets_every_line(void **state)
{
	static struct slow_reader reader;
	struct lpk_console_stats stats;
	int i;

	(void)state;
	memset(&reader, 0, sizeof(reader));
	console = start("serial", line_name, ",115200n8");
	assert_int_equal(console->bytes_per_second, 11520);
	assert_int_equal(
	    pthread_create(&reader.thread, NULL, read_slowly, &reader), 0);
	for (i = 0; i < LINES; i++) {
		if (i % 200 == 100)
			lpk_emergency_enter();
		lpk_info("line %d of the log", i);
		if (i % 200 == 110)
			lpk_emergency_exit();
	}
	lpk_info("the end");
	assert_int_equal(
	    lpk_console_flush(console, seconds_from_now(100)), LPK_OK);
	pthread_join(reader.thread, NULL);
	assert_int_equal(
	    lpk_console_unregister(console, seconds_from_now(100)), LPK_OK);
	lpk_console_stats(console, &stats);
	lpk_console_free(console);
	assert_int_equal(stats.printed, LINES + 1);
	assert_int_equal(stats.lost, 0);
	check_lines(reader.text);
}

static void
test_serial_stopped_reader_stops_nobody_else(void **state)
{
	struct lpk_flush_result result;
	struct lpk_console_stats stats;
	struct lpk_console *file;
	char path[] = "/tmp/lpk-serial-XXXXXX", line[256];
	int i, fd = mkstemp(path), lines = 0;
	FILE *stream;

	(void)state;
	assert_true(fd >= 0);
	console = start("serial", line_name, ",4000000n8");
	file = start("file", path, "");
	/* More than the pseudo-terminal holds. */
	for (i = 0; i < 2000; i++)
		lpk_info("line %d of the log", i);
	assert_int_equal(
	    lpk_console_flush(file, seconds_from_now(100)), LPK_OK);
	assert_int_equal(
	    lpk_flush(lpk_now_ns() + 100000000, &result), -LPK_ETIMEDOUT);
	assert_int_equal(result.consoles, 2);
	assert_int_equal(result.reached, 1);
	assert_true(result.lag_records > 0);
	assert_memory_equal(result.laggard, "serial", 6);
	assert_int_equal(
	    lpk_console_unregister(console, lpk_now_ns() + 100000000),
	    -LPK_ETIMEDOUT);
	lpk_console_stats(console, &stats);
	assert_true(stats.printed > 0 && stats.printed < 2000);
	lpk_console_free(console);
	assert_int_equal(
	    lpk_console_unregister(file, seconds_from_now(100)), LPK_OK);
	lpk_console_free(file);
	stream = fdopen(fd, "r");
	while (fgets(line, sizeof(line), stream) != NULL)
		lines++;
	fclose(stream);
	unlink(path);
	assert_int_equal(lines, 2000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_serial_slow_reader_gets_every_line),
	    CASE(test_serial_stopped_reader_stops_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
