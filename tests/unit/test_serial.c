/* SPDX-License-Identifier: MIT */
/*
 * The console on a serial line, on a pseudo-terminal: words, settings, line
 * ends, a slow reader, one that stops, a line that hangs up.
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
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>

enum { LINES = 400, MOST_BYTES = 1 << 16 };

static struct lpk_console console;
static int far = -1; /* the other end of the line */
static char folder[64], path[96], got[MOST_BYTES];
static struct termios before;

/* A new line under the name of the old one, as an adapter plugged in again. */
static bool
plug_in(void)
{
	char name[64];

	far = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	unlink(path);
	return far >= 0 && grantpt(far) == 0 && unlockpt(far) == 0 &&
	    ptsname_r(far, name, sizeof(name)) == 0 &&
	    symlink(name, path) == 0 && tcgetattr(far, &before) == 0;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/lpk-serial-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/line", folder);
	memset(&console, 0, sizeof(console));
	console.driver = &lpk_serial_driver;
	console.device = calloc(1, lpk_serial_driver.device_bytes);
	return plug_in() && console.device != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	free(console.device);
	if (far >= 0)
		close(far);
	unlink(path);
	return rmdir(folder);
}

static int
option(const char *key, const char *value)
{
	return lpk_serial_driver.option(&console, key, value);
}

static int
start(const char *words)
{
	assert_int_equal(option("", path), LPK_OK);
	if (words[0] != '\0')
		assert_int_equal(option(words, ""), LPK_OK);
	return lpk_serial_driver.setup(&console);
}

static void
stop(void)
{
	lpk_serial_driver.exit(&console);
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
	int count = lpk_serial_driver.write(&console, &batch);

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
	count = lpk_serial_driver.write_on_panic(&console, &batch);
	assert_int_equal(errno, 4711);
	if (error != NULL)
		*error = batch.error;
	return count;
}

/* As lpk does: again, with what is left. */
static void
put_rest(const char *bytes, bool rest)
{
	while (*bytes != '\0') {
		int count = write_once(bytes, rest, NULL);

		assert_true(count > 0 || count == -LPK_EAGAIN);
		bytes += count > 0 ? count : 0;
		rest = rest || count > 0;
	}
}

static void
put(const char *bytes)
{
	put_rest(bytes, false);
}

/* What has come out at the far end. */
static const char *
arrived(void)
{
	struct pollfd wait = {.fd = far, .events = POLLIN};
	size_t length = 0;
	ssize_t count;

	while (length < sizeof(got) - 1 && poll(&wait, 1, 20) == 1 &&
	    (count = read(far, got + length, sizeof(got) - 1 - length)) > 0)
		length += (size_t)count;
	got[length] = '\0';
	return got;
}

static void
test_serial_bad_words_are_refused(void **state)
{
	static const char *const words[] = {"0", "0n8", "115200x", "115200n9",
	    "115200n6", "115200n8x", "115200n8rr", "115200r", "115200n8 ",
	    "99999999", "123456789012345678901234567890", "9600N8", "9600n88"};
	char longer[8192];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(option(words[i], ""), -LPK_EINVAL);
	assert_int_equal(option("115200n8", "1"), -LPK_EINVAL);
	assert_int_equal(option("speed", "115200"), -LPK_ENOENT);
	assert_int_equal(option("n8", ""), -LPK_ENOENT);
	assert_int_equal(option("", ""), -LPK_EINVAL);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(option("", longer), -LPK_EINVAL);
}

static void
test_serial_what_is_no_line_is_refused(void **state)
{
	(void)state;
	/* A name without a slash is one of /dev. */
	assert_int_equal(option("", "null"), LPK_OK);
	assert_int_equal(lpk_serial_driver.setup(&console), -LPK_EINVAL);
	assert_int_equal(option("", "/dev/no-such-line"), LPK_OK);
	assert_int_equal(lpk_serial_driver.setup(&console), -LPK_ENOENT);
}

static void
expect_rate(const char *words, uint32_t bytes_per_second)
{
	assert_int_equal(start(words), LPK_OK);
	assert_int_equal(console.bytes_per_second, bytes_per_second);
	stop();
}

static void
test_serial_rate_is_known_to_the_console(void **state)
{
	(void)state;
	expect_rate("115200n8", 11520);
	expect_rate("115200", 11520);
	expect_rate("9600n", 960);
	expect_rate("300n8r", 30);
	expect_rate("4000000n8", 400000);
	/* No name in <termios.h>, and fine with the kernel. */
	expect_rate("250000n8", 25000);
}

/* A pseudo-terminal has eight bits and no parity, whatever it is told. */
static void
test_serial_line_that_cannot_do_it_is_refused(void **state)
{
	(void)state;
	assert_int_equal(start("115200e7"), -LPK_EINVAL);
	assert_int_equal(start("115200o8"), -LPK_EINVAL);
}

static void
test_serial_line_is_raw_and_restored(void **state)
{
	struct termios now;

	(void)state;
	assert_int_equal(start("115200n8"), LPK_OK);
	assert_int_equal(tcgetattr(far, &now), 0);
	assert_int_equal(cfgetospeed(&now), B115200);
	assert_int_equal(now.c_cflag & CSIZE, CS8);
	assert_int_equal(now.c_cflag & (PARENB | CSTOPB | CRTSCTS), 0);
	assert_int_equal(now.c_cflag & (CLOCAL | HUPCL), CLOCAL);
	assert_int_equal(now.c_iflag & (IXON | IXOFF | ICRNL), 0);
	assert_int_equal(now.c_oflag & OPOST, 0);
	assert_int_equal(now.c_lflag & (ECHO | ICANON | ISIG | TOSTOP), 0);
	stop();
	assert_int_equal(tcgetattr(far, &now), 0);
	assert_int_equal(cfgetospeed(&now), cfgetospeed(&before));
	assert_int_equal(now.c_cflag, before.c_cflag);
	assert_int_equal(now.c_iflag, before.c_iflag);
	assert_int_equal(now.c_oflag, before.c_oflag);
	assert_int_equal(now.c_lflag, before.c_lflag);
	/* Flow control by wire only when asked for. */
	assert_int_equal(start("9600n8r"), LPK_OK);
	assert_int_equal(tcgetattr(far, &now), 0);
	assert_int_equal(now.c_cflag & CRTSCTS, CRTSCTS);
	stop();
}

static void
test_serial_refused_line_is_restored(void **state)
{
	struct termios now;

	(void)state;
	assert_int_equal(start("115200e7"), -LPK_EINVAL);
	assert_int_equal(tcgetattr(far, &now), 0);
	assert_int_equal(now.c_oflag, before.c_oflag);
	assert_int_equal(cfgetospeed(&now), cfgetospeed(&before));
}

static size_t
render(const char *text, uint32_t flags, uint32_t caller, char *out,
    size_t size_bytes)
{
	struct lpk_record record = {
	    .time_ns = UINT64_C(1500000000),
	    .caller = caller,
	    .flags = flags,
	    .text_bytes = (uint32_t)strlen(text),
	    .level = LPK_ERR,
	};

	return lpk_serial_driver.render(
	    &console, &record, text, out, size_bytes);
}

static void
expect_render(const char *text, uint32_t flags, const char *want)
{
	char out[512];
	size_t bytes = render(text, flags, 1, out, sizeof(out));

	assert_int_equal(bytes, strlen(want));
	assert_memory_equal(out, want, bytes);
}

static void
test_serial_lines_end_as_a_terminal_wants(void **state)
{
	(void)state;
	expect_render("one line", 0, "[    1.500000] one line\r\n");
	expect_render(
	    "two\nlines", 0, "[    1.500000] two\r\n[    1.500000] lines\r\n");
	expect_render("", 0, "[    1.500000] \r\n");
	/* The text itself moves no cursor. */
	expect_render("a\rb", 0, "[    1.500000] a\\x0db\r\n");
	expect_render("** 3 printk messages dropped **", LPK_RECORD_NOTICE,
	    "[    1.500000] ** 3 printk messages dropped **\r\n");
	console.colours = true;
	expect_render("red", 0, "\033[31m[    1.500000] red\033[0m\r\n");
}

static void
test_serial_pieces_of_a_line_are_joined(void **state)
{
	char out[256];
	size_t bytes;

	(void)state;
	expect_render("probing", LPK_RECORD_OPEN, "[    1.500000] probing");
	expect_render("...", LPK_RECORD_CONT | LPK_RECORD_OPEN, "...");
	expect_render(
	    " two\nfound", LPK_RECORD_CONT, " two\r\n[    1.500000] found\r\n");
	expect_render("open", LPK_RECORD_OPEN, "[    1.500000] open");
	/* Somebody else's piece is not this line's. */
	bytes = render("other", LPK_RECORD_CONT, 2, out, sizeof(out));
	out[bytes] = '\0';
	assert_string_equal(out, "\r\n[    1.500000] other\r\n");
}

/* Nothing is written behind the buffer, and the size is told. */
static void
test_serial_rendering_is_cut_to_its_room(void **state)
{
	static const char *const want =
	    "\033[31m[    1.500000] two\r\n[    1.500000] lines\033[0m\r\n";
	size_t size, bytes, i;
	char out[128];

	(void)state;
	console.colours = true;
	for (size = 0; size <= strlen(want); size++) {
		memset(out, '#', sizeof(out));
		bytes = render("two\nlines", 0, 1, out, size);
		assert_true(bytes > size || bytes == strlen(want));
		for (i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], '#');
	}
	assert_memory_equal(out, want, strlen(want));
}

static void
test_serial_bytes_arrive_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(start("115200n8"), LPK_OK);
	put("one\r\n");
	put("\ttwo\r\n");
	assert_int_equal(panic_once("three\r\n", NULL), 7);
	assert_string_equal(arrived(), "one\r\n\ttwo\r\nthree\r\n");
	stop();
}

/* What is in the kernel's queue is what a panic would have to wait for. */
static void
test_serial_writer_does_not_run_ahead_of_the_line(void **state)
{
	static char line[2002];
	uint64_t began, elapsed_ns;
	int count, total = 0;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	assert_int_equal(start("115200n8"), LPK_OK);
	began = lpk_now_ns();
	while (total < 4000) {
		count = write_once(line, false, NULL);
		assert_true(count > 0);
		total += count;
		elapsed_ns = lpk_now_ns() - began;
		assert_true((uint64_t)total <=
		    512 + elapsed_ns * 11520 / UINT64_C(1000000000));
		arrived();
	}
	stop();
}

struct slow_reader {
	pthread_t thread;
	size_t length;
	char text[MOST_BYTES];
};

/* 115 bytes in 10 ms, until a line says "end". */
static void *
read_slowly(void *argument)
{
	struct slow_reader *reader = argument;
	const struct timespec bite = {0, 10000000};
	ssize_t count;

	while (reader->length < sizeof(reader->text) - 116 &&
	    strstr(reader->text, "end\r\n") == NULL &&
	    (count = read(far, reader->text + reader->length, 115)) > 0) {
		reader->length += (size_t)count;
		nanosleep(&bite, NULL);
	}
	return NULL;
}

static void
test_serial_slow_reader_sees_every_byte_in_order(void **state)
{
	static struct slow_reader reader;
	static char want[MOST_BYTES];
	char line[256];
	size_t bytes, length = 0;
	int i;

	(void)state;
	memset(&reader, 0, sizeof(reader));
	/* The line is told a higher rate than the reader has. */
	assert_int_equal(start("230400n8"), LPK_OK);
	assert_int_equal(
	    pthread_create(&reader.thread, NULL, read_slowly, &reader), 0);
	for (i = 0; i <= LINES; i++) {
		if (i < LINES)
			snprintf(line, sizeof(line), "line %d\nof many", i);
		else
			strcpy(line, "end");
		bytes = render(line, 0, 1, want + length, 256);
		want[length + bytes] = '\0';
		/* Sometimes by a thread, sometimes direct. */
		if (i % 8 != 7)
			put(want + length);
		else if (panic_once(want + length, NULL) != (int)bytes)
			want[length] = '\0';
		length = strlen(want);
	}
	pthread_join(reader.thread, NULL);
	assert_string_equal(reader.text, want);
	stop();
}

static void
test_serial_reader_that_stops_is_waited_for_until_the_deadline(void **state)
{
	static char sent[MOST_BYTES];
	char line[64];
	int i = 0, count, took;
	size_t length = 0;

	(void)state;
	assert_int_equal(start("4000000n8"), LPK_OK);
	/* The system moves bytes on in its own time, so full is full twice. */
	do {
		snprintf(line, sizeof(line), "line %d of many\r\n", i++);
		count = 0;
		do {
			took = write_once(line + count, count != 0, NULL);
			if (took <= 0)
				break;
			memcpy(sent + length, line + count, (size_t)took);
			length += (size_t)took;
			count += took;
		} while (line[count] != '\0');
	} while (took > 0 && length < MOST_BYTES - 100);
	assert_int_equal(took, -LPK_EAGAIN);
	if (count == 0)
		assert_int_equal(panic_once("panic\r\n", NULL), -LPK_EAGAIN);
	assert_string_equal(arrived(), sent);
	put_rest(line + count, count != 0);
	put("end\r\n");
	snprintf(sent, sizeof(sent), "%send\r\n", line + count);
	stop();
	assert_string_equal(arrived(), sent);
}

/* Nobody reads, and exit() comes back all the same. */
static void
test_serial_exit_does_not_wait_for_a_stopped_reader(void **state)
{
	(void)state;
	assert_int_equal(start("4000000n8"), LPK_OK);
	while (write_once("a line that nobody reads\r\n", false, NULL) > 0)
		;
	stop();
}

/* The system moves bytes to the reader in its own time. */
static void
test_serial_exit_throws_nothing_away_that_was_written(void **state)
{
	int i, last;

	(void)state;
	for (i = 0; i < 400; i++) {
		assert_int_equal(start(i == 0 ? "4000000n8" : ""), LPK_OK);
		put("last\r\n");
		stop();
	}
	last = (int)strlen(arrived()) / 6;
	assert_int_equal(last, 400);
}

static void
test_serial_record_after_a_torn_one_has_its_own_line(void **state)
{
	static char line[4002];
	int count;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	assert_int_equal(start("9600n8"), LPK_OK);
	count = write_once(line, false, NULL);
	assert_true(count > 0 && count < 4000);
	/* The panic does not wait for the rest. */
	assert_int_equal(panic_once("panic\r\n", NULL), 7);
	assert_string_equal(arrived() + count, "\r\npanic\r\n");
	stop();
}

static void
test_serial_line_that_hangs_up_is_opened_again(void **state)
{
	int error;

	(void)state;
	assert_int_equal(start("115200n8"), LPK_OK);
	put("one\r\n");
	assert_string_equal(arrived(), "one\r\n");
	close(far);
	assert_int_equal(write_once("two\r\n", false, &error), -LPK_EAGAIN);
	assert_int_equal(error, EIO);
	assert_int_equal(write_once("two\r\n", false, &error), -LPK_EAGAIN);
	assert_int_not_equal(error, 0);
	assert_int_equal(panic_once("panic\r\n", NULL), -LPK_EAGAIN);
	assert_true(plug_in());
	put("two\r\n");
	assert_string_equal(arrived(), "two\r\n");
	stop();
}

static void
test_serial_reopen_finds_another_line(void **state)
{
	int old = far;

	(void)state;
	assert_int_equal(start("115200n8"), LPK_OK);
	put("one\r\n");
	assert_string_equal(arrived(), "one\r\n");
	assert_true(plug_in());
	lpk_serial_driver.reopen(&console);
	put("two\r\n");
	assert_string_equal(arrived(), "two\r\n");
	stop();
	close(old);
}

static void
test_serial_closed_by_somebody_else_is_opened_anew(void **state)
{
	int fd, taken[32];

	(void)state;
	assert_int_equal(start("115200n8"), LPK_OK);
	for (fd = 3; fd < 32; fd++)
		if (fd != far)
			close(fd);
	for (fd = 0; fd < 28; fd++)
		taken[fd] = open("/dev/null", O_WRONLY);
	put("one\r\n");
	assert_string_equal(arrived(), "one\r\n");
	while (fd > 0)
		close(taken[--fd]);
	stop();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_serial_bad_words_are_refused),
	    CASE(test_serial_what_is_no_line_is_refused),
	    CASE(test_serial_rate_is_known_to_the_console),
	    CASE(test_serial_line_that_cannot_do_it_is_refused),
	    CASE(test_serial_line_is_raw_and_restored),
	    CASE(test_serial_refused_line_is_restored),
	    CASE(test_serial_lines_end_as_a_terminal_wants),
	    CASE(test_serial_pieces_of_a_line_are_joined),
	    CASE(test_serial_rendering_is_cut_to_its_room),
	    CASE(test_serial_bytes_arrive_as_they_are),
	    CASE(test_serial_writer_does_not_run_ahead_of_the_line),
	    CASE(test_serial_slow_reader_sees_every_byte_in_order),
	    CASE(
		test_serial_reader_that_stops_is_waited_for_until_the_deadline),
	    CASE(test_serial_exit_does_not_wait_for_a_stopped_reader),
	    CASE(test_serial_exit_throws_nothing_away_that_was_written),
	    CASE(test_serial_record_after_a_torn_one_has_its_own_line),
	    CASE(test_serial_line_that_hangs_up_is_opened_again),
	    CASE(test_serial_reopen_finds_another_line),
	    CASE(test_serial_closed_by_somebody_else_is_opened_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
