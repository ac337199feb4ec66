/* SPDX-License-Identifier: MIT */
/* The console on a descriptor: pipe, file, terminal; what the environment says. */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <lpk/consoles.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 16384, 16, 2);
	memset(&console, 0, sizeof(console));
	unsetenv("NO_COLOR");
	unsetenv("CLICOLOR_FORCE");
	unsetenv("FORCE_COLOR");
	setenv("TERM", "xterm", 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static void
start(int fd)
{
	assert_int_equal(lpk_fd_console(&console, fd), LPK_OK);
	console.log = log_;
	assert_int_equal(lpk_console_start(&console), LPK_OK);
}

static void
stop(void)
{
	assert_int_equal(lpk_console_stop(&console, UINT64_MAX), LPK_OK);
}

/* A terminal: what is written to the one end, the other reads. */
static int
open_terminal(int *screen)
{
	struct termios raw;
	char name[64];
	int keyboard = posix_openpt(O_RDWR | O_NOCTTY);

	if (keyboard < 0 || grantpt(keyboard) != 0 || unlockpt(keyboard) != 0 ||
	    ptsname_r(keyboard, name, sizeof(name)) != 0)
		return -1;
	*screen = open(name, O_RDWR | O_NOCTTY);
	if (*screen < 0 || tcgetattr(*screen, &raw) != 0)
		return -1;
	cfmakeraw(&raw);
	tcsetattr(*screen, TCSANOW, &raw);
	return keyboard;
}

static void
expect_line(const char *got, const char *want)
{
	const char *text = strstr(got, "] ");

	assert_int_equal(got[0], '[');
	assert_non_null(text);
	assert_string_equal(text + 2, want);
}

static void
test_fd_bad_descriptor_is_refused(void **state)
{
	(void)state;
	assert_int_equal(lpk_fd_console(NULL, 1), -LPK_EINVAL);
	assert_int_equal(lpk_fd_console(&console, -1), -LPK_EINVAL);
	assert_int_equal(lpk_fd_console(&console, 1000000), -LPK_EINVAL);
}

static void
test_fd_line_arrives_in_a_pipe(void **state)
{
	char text[256] = "";
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	start(ends[1]);
	assert_false(console.colours);
	lpk_info("through the pipe, %d", 42);
	/* It comes by itself, without a flush. */
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	expect_line(text, "through the pipe, 42\n");
	stop();
	close(ends[0]);
	close(ends[1]);
}

static void
test_fd_line_arrives_in_a_file(void **state)
{
	char text[256] = "";
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	start(fileno(file));
	lpk_info("into the file");
	stop();
	rewind(file);
	assert_non_null(fgets(text, sizeof(text), file));
	expect_line(text, "into the file\n");
	assert_null(fgets(text, sizeof(text), file));
	fclose(file);
}

static void
test_fd_line_arrives_on_a_terminal_in_colour(void **state)
{
	char text[256] = "";
	int screen, keyboard = open_terminal(&screen);

	(void)state;
	if (keyboard < 0)
		skip();
	start(screen);
	assert_true(console.colours);
	lpk_err("on the terminal");
	stop();
	assert_true(read(keyboard, text, sizeof(text) - 1) > 0);
	assert_memory_equal(text, "\033[31m[", 6);
	assert_non_null(strstr(text, "] on the terminal\033[0m\n"));
	close(screen);
	close(keyboard);
}

static bool
coloured(int fd, const char *name, const char *value)
{
	struct lpk_console made;

	if (name != NULL)
		setenv(name, value, 1);
	assert_int_equal(lpk_fd_console(&made, fd), LPK_OK);
	return made.colours;
}

static void
test_fd_environment_decides_on_colours(void **state)
{
	int screen, ends[2], keyboard = open_terminal(&screen);

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_false(coloured(ends[1], NULL, NULL));
	assert_true(coloured(ends[1], "CLICOLOR_FORCE", "1"));
	assert_false(coloured(ends[1], "CLICOLOR_FORCE", "0"));
	assert_false(coloured(ends[1], "CLICOLOR_FORCE", ""));
	if (keyboard >= 0) {
		assert_true(coloured(screen, NULL, NULL));
		assert_false(coloured(screen, "TERM", "dumb"));
		assert_true(coloured(screen, "TERM", "linux"));
		/* Empty means not set. */
		assert_true(coloured(screen, "NO_COLOR", ""));
		assert_false(coloured(screen, "NO_COLOR", "0"));
		close(screen);
		close(keyboard);
	}
	/* No colour wins over a forced one. */
	setenv("NO_COLOR", "1", 1);
	assert_false(coloured(ends[1], "CLICOLOR_FORCE", "1"));
	close(ends[0]);
	close(ends[1]);
}

static int
fill_pipe(int fd)
{
	static char zeros[65536];
	int flags = fcntl(fd, F_GETFL), total = 0;
	ssize_t count;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while ((count = write(fd, zeros, sizeof(zeros))) > 0 ||
	    (count = write(fd, zeros, 1)) > 0)
		total += (int)count;
	fcntl(fd, F_SETFL, flags);
	return total;
}

static void
drain_pipe(int fd, int bytes)
{
	static char sink[65536];

	while (bytes > 0) {
		ssize_t count = read(fd, sink,
		    (size_t)bytes < sizeof(sink) ? (size_t)bytes :
						   sizeof(sink));

		assert_true(count > 0);
		bytes -= (int)count;
	}
}

static void
full_pipe(int flags)
{
	char text[256] = "";
	int ends[2], filled;

	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) | flags);
	filled = fill_pipe(ends[1]);
	start(ends[1]);
	lpk_info("behind the stopped reader");
	assert_int_equal(lpk_console_flush(&console, lpk_now_ns() + 20000000),
	    -LPK_ETIMEDOUT);
	/* Inherited flags are somebody else's. */
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, flags);
	drain_pipe(ends[0], filled);
	assert_int_equal(lpk_console_flush(&console, UINT64_MAX), LPK_OK);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	expect_line(text, "behind the stopped reader\n");
	stop();
	close(ends[0]);
	close(ends[1]);
}

static void
test_fd_full_pipe_times_the_flush_out(void **state)
{
	(void)state;
	full_pipe(0);
}

static void
test_fd_full_nonblocking_pipe_is_waited_for(void **state)
{
	(void)state;
	full_pipe(O_NONBLOCK);
}

static void
test_fd_closed_pipe_is_counted_and_kills_nobody(void **state)
{
	struct lpk_console_stats stats;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	start(ends[1]);
	close(ends[0]);
	lpk_info("to nobody");
	assert_int_equal(lpk_console_flush(&console, UINT64_MAX), LPK_OK);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 0);
	assert_int_equal(stats.refused, 1);
	stop();
	close(ends[1]);
}

enum { LINES = 5000 };

/* Reads in small bites; the text of each line must be its number. */
static void *
read_lines(void *arg)
{
	static char text[LINES * 64];
	size_t length = 0;
	ssize_t count;
	char *line = text, *end;
	intptr_t number = 0;

	while (length < sizeof(text) - 1 &&
	    (count = read(*(int *)arg, text + length, 7)) > 0)
		length += (size_t)count;
	text[length] = '\0';
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		char *at = strstr(line, "] ");

		if (at == NULL || strtol(at + 2, NULL, 10) != number++)
			return NULL;
	}
	return (void *)number;
}

static void
test_fd_slow_reader_gets_every_line_whole(void **state)
{
	pthread_t thread;
	int ends[2], i;
	void *number;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	start(ends[1]);
	assert_int_equal(
	    pthread_create(&thread, NULL, read_lines, &ends[0]), 0);
	for (i = 0; i < LINES; i++) {
		lpk_info("%d", i);
		if (i % 1000 == 999)
			assert_int_equal(
			    lpk_console_flush(&console, UINT64_MAX), LPK_OK);
	}
	stop();
	close(ends[1]);
	pthread_join(thread, &number);
	assert_int_equal((intptr_t)number, LINES);
	close(ends[0]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_fd_bad_descriptor_is_refused),
	    CASE(test_fd_line_arrives_in_a_pipe),
	    CASE(test_fd_line_arrives_in_a_file),
	    CASE(test_fd_line_arrives_on_a_terminal_in_colour),
	    CASE(test_fd_environment_decides_on_colours),
	    CASE(test_fd_full_pipe_times_the_flush_out),
	    CASE(test_fd_full_nonblocking_pipe_is_waited_for),
	    CASE(test_fd_closed_pipe_is_counted_and_kills_nobody),
	    CASE(test_fd_slow_reader_gets_every_line_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
