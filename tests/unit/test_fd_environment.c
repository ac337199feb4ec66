/* SPDX-License-Identifier: MIT */
/*
 * What the environment tells the driver of descriptors: colours or none, and
 * whether they lead to the journal.
 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <lpk/consoles.h>

static struct lpk_console console;

static void
forget_environment(void)
{
	static const char *const names[] = {"NO_COLOR", "CLICOLOR_FORCE",
	    "FORCE_COLOR", "JOURNAL_STREAM", "INVOCATION_ID",
	    "SYSTEMD_EXEC_PID"};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("TERM", "xterm", 1);
}

static int
setup(void **state)
{
	(void)state;
	memset(&console, 0, sizeof(console));
	forget_environment();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (console.driver != NULL && console.driver->exit != NULL)
		console.driver->exit(&console);
	return 0;
}

/* The driver opened on a descriptor. */
static void
open_on(int fd)
{
	assert_int_equal(lpk_fd_console(&console, fd), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
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
	raw.c_iflag |= IXON;
	tcsetattr(*screen, TCSANOW, &raw);
	return keyboard;
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
	assert_true(coloured(ends[1], "FORCE_COLOR", "1"));
	unsetenv("FORCE_COLOR");
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

static void
name_stream(int fd, int add)
{
	struct stat is;
	char text[64];

	fstat(fd, &is);
	sprintf(text, "%llu:%llu", (unsigned long long)is.st_dev,
	    (unsigned long long)is.st_ino + (unsigned int)add);
	setenv("JOURNAL_STREAM", text, 1);
}

/* Does a record get "<N>" in front? The journal's own protocol has it too. */
static bool
prefixed(int fd, const char *journal, enum lpk_style style)
{
	struct lpk_record record = {.level = LPK_WARN, .text_bytes = 4};
	void *device = calloc(1, lpk_fd_driver.device_bytes);
	char line[64] = "";
	bool result;

	assert_int_equal(lpk_fd_console(&console, fd), LPK_OK);
	console.device = device;
	console.style = style;
	console.colours = true;
	assert_int_equal(
	    lpk_fd_driver.option(&console, "journal", journal), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
	result = console.driver->render != NULL;
	assert_int_equal(console.colours, !result);
	if (result && strcmp(console.driver->name, "journald") != 0) {
		assert_int_equal(console.driver->render(&console, &record,
				     "text", line, sizeof(line)),
		    8);
		assert_memory_equal(line, "<4>text\n", 8);
	}
	console.driver->exit(&console);
	/* As before, for the next time. */
	assert_ptr_equal(console.driver, &lpk_fd_driver);
	assert_ptr_equal(console.device, device);
	free(device);
	memset(&console, 0, sizeof(console));
	return result;
}

static void
test_fd_stream_of_the_journal_is_recognized(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_false(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	name_stream(ends[1], 0);
	assert_true(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	assert_true(prefixed(ends[1], "prefix", LPK_STYLE_TEXT));
	assert_false(prefixed(ends[1], "no", LPK_STYLE_TEXT));
	/* A style that was asked for is left alone. */
	assert_false(prefixed(ends[1], "auto", LPK_STYLE_KMSG));
	/* Inherited, but the descriptor was redirected. */
	name_stream(ends[1], 1);
	assert_false(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	setenv("JOURNAL_STREAM", "nonsense", 1);
	assert_false(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	close(ends[0]);
	close(ends[1]);
}

static void
test_fd_pipe_of_a_service_gets_prefixes(void **state)
{
	int ends[2], screen, keyboard = open_terminal(&screen);
	FILE *file = tmpfile();
	char pid[32];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_false(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	setenv("INVOCATION_ID", "0123456789abcdef0123456789abcdef", 1);
	assert_true(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	assert_false(prefixed(ends[1], "no", LPK_STYLE_TEXT));
	/* Started by the service's script, or much further down. */
	sprintf(pid, "%d", (int)getppid());
	setenv("SYSTEMD_EXEC_PID", pid, 1);
	assert_true(prefixed(ends[1], "auto", LPK_STYLE_TEXT));
	setenv("SYSTEMD_EXEC_PID", "1", 1);
	assert_int_equal(
	    prefixed(ends[1], "auto", LPK_STYLE_TEXT), getppid() == 1);
	unsetenv("SYSTEMD_EXEC_PID");
	/* Files and terminals do not lead to the journal. */
	assert_false(prefixed(fileno(file), "auto", LPK_STYLE_TEXT));
	if (keyboard >= 0) {
		assert_false(prefixed(screen, "auto", LPK_STYLE_TEXT));
		close(screen);
		close(keyboard);
	}
	fclose(file);
	close(ends[0]);
	close(ends[1]);
}

/* What the lines of LPK_STYLE_PRIO hold, without the time. */
static size_t
expected_lines(const struct lpk_record *record, const char *text, char *to)
{
	static char lines[LPK_TEXT_MAX * 32];
	char *at = lines, *end = to;

	lpk_record_print(record, text, LPK_STYLE_PRIO, lines, sizeof(lines));
	while (*at != '\0') {
		char *line = strstr(at, "] ") + 2;
		size_t length = strcspn(line, "\n") + 1;

		memcpy(end, at, 3);
		memcpy(end + 3, line, length);
		end += 3 + length;
		at = line + length;
	}
	return (size_t)(end - to);
}

static void
test_fd_prefix_stands_before_every_line(void **state)
{
	static const char *const words[] = {"plain words, ", "\n", "\033[2J",
	    "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\xa7", "\xff",
	    "\xe2\x80\xae", "\xc2\x9b", "\xe2\x82", "\x80\x80\x80\x80"};
	static char want[LPK_TEXT_MAX * 32], got[LPK_TEXT_MAX * 32];
	struct lpk_record record = {.level = LPK_NOTICE};
	char text[LPK_TEXT_MAX + 32];
	uint64_t seed = test_seed();
	int i, ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	setenv("INVOCATION_ID", "x", 1);
	open_on(ends[1]);
	for (i = 0; i < 2000; i++) {
		size_t size, cut, most = test_random(&seed) % LPK_TEXT_MAX;

		for (text[0] = '\0'; strlen(text) < most;)
			strcat(text,
			    words[test_random(&seed) %
				(sizeof(words) / sizeof(words[0]))]);
		record.text_bytes = (uint32_t)strlen(text);
		size = expected_lines(&record, text, want);
		assert_int_equal(console.driver->render(
				     &console, &record, text, got, sizeof(got)),
		    size);
		assert_memory_equal(got, want, size);
		/* Too little room: its beginning, and what it would take. */
		cut = test_random(&seed) % size;
		memset(got, '?', size);
		assert_int_equal(
		    console.driver->render(&console, &record, text, got, cut),
		    size);
		assert_memory_equal(got, want, cut);
		assert_int_equal(got[cut], '?');
	}
	/* A facility is not for the journal's streams. */
	record.facility = 3;
	record.text_bytes = 1;
	assert_int_equal(
	    console.driver->render(&console, &record, "x", got, 8), 5);
	assert_memory_equal(got, "<5>x\n", 5);
	close(ends[0]);
	close(ends[1]);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_fd_environment_decides_on_colours),
	    CASE(test_fd_stream_of_the_journal_is_recognized),
	    CASE(test_fd_pipe_of_a_service_gets_prefixes),
	    CASE(test_fd_prefix_stands_before_every_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
