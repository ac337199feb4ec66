/* SPDX-License-Identifier: MIT */
/* kmsg: words, lines as /dev/kmsg wants them, its limits; through a FIFO. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lpk/consoles.h>

static const struct lpk_console_driver *const driver = &lpk_kmsg_driver;
static struct lpk_console console;
static char folder[64];
static char fifo[128];
static int reader = -1;

static char payload[LPK_TEXT_MAX + 2];
static char rendered[65536];
static char got[65536];

static int
setup(void **state)
{
	(void)state;
	memset(&console, 0, sizeof(console));
	console.driver = driver;
	console.device = calloc(1, driver->device_bytes);
	strcpy(folder, "/tmp/lpk-kmsg-XXXXXX");
	if (console.device == NULL || mkdtemp(folder) == NULL)
		return -1;
	snprintf(fifo, sizeof(fifo), "%s/kmsg", folder);
	if (mkfifo(fifo, 0600) != 0)
		return -1;
	reader = open(fifo, O_RDONLY | O_NONBLOCK);
	return reader < 0;
}

static int
teardown(void **state)
{
	(void)state;
	driver->exit(&console);
	free(console.device);
	close(reader);
	unlink(fifo);
	rmdir(folder);
	return 0;
}

static int
option(const char *key, const char *value)
{
	return driver->option(&console, key, value);
}

static void
start(const char *ident)
{
	assert_int_equal(option("", fifo), LPK_OK);
	if (ident != NULL)
		assert_int_equal(option("ident", ident), LPK_OK);
	assert_int_equal(driver->setup(&console), LPK_OK);
}

static struct lpk_record
make_record(const char *text, size_t bytes)
{
	struct lpk_record record = {
	    .seq = 12,
	    .time_ns = 5123456000,
	    .level = LPK_ERR,
	    .caller = 77,
	    .text_bytes = (uint32_t)bytes,
	};

	assert_true(bytes < sizeof(payload));
	memcpy(payload, text, bytes);
	payload[bytes] = '\0';
	return record;
}

static struct lpk_batch
render(const struct lpk_record *record)
{
	struct lpk_batch batch = {
	    .bytes = rendered,
	    .records = 1,
	    .level = record->level,
	    .deadline_ns = lpk_now_ns() + 20000000,
	};

	batch.size_bytes = driver->render(
	    &console, record, payload, rendered, sizeof(rendered));
	assert_true(batch.size_bytes <= sizeof(rendered));
	return batch;
}

static int
write_text(const char *text)
{
	struct lpk_record record = make_record(text, strlen(text));
	struct lpk_batch batch = render(&record);
	int result = driver->write(&console, &batch);

	return result == (int)batch.size_bytes ? LPK_OK : result;
}

/* All that is there. */
static const char *
receive(void)
{
	ssize_t count = read(reader, got, sizeof(got) - 1);

	got[count > 0 ? count : 0] = '\0';
	return got;
}

static void
test_kmsg_words_are_understood_or_refused(void **state)
{
	char longest[300];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(option("", ""), LPK_OK);
	assert_int_equal(option("", "/dev/kmsg"), LPK_OK);
	assert_int_equal(option("", longest), -LPK_EINVAL);
	assert_int_equal(option("ident", ""), LPK_OK);
	assert_int_equal(option("ident", "daemon"), LPK_OK);
	assert_int_equal(option("ident", longest), -LPK_EINVAL);
	assert_int_equal(option("ratelimit", "auto"), LPK_OK);
	assert_int_equal(option("ratelimit", "yes"), LPK_OK);
	assert_int_equal(option("ratelimit", "no"), LPK_OK);
	assert_int_equal(option("ratelimit", ""), -LPK_EINVAL);
	assert_int_equal(option("ratelimit", "yesno"), -LPK_EINVAL);
	assert_int_equal(option("ratelimit", "10"), -LPK_EINVAL);
	assert_int_equal(option("Ident", "x"), -LPK_ENOENT);
	assert_int_equal(option("%s%n", "%s%n"), -LPK_ENOENT);
	assert_int_equal(option(longest, longest), -LPK_ENOENT);
}

static void
test_kmsg_device_that_is_not_there_does_not_start(void **state)
{
	(void)state;
	option("", "/nonexistent/kmsg");
	assert_int_equal(driver->setup(&console), -LPK_EIO);
}

static void
test_kmsg_shows_errors_unless_a_level_was_asked_for(void **state)
{
	(void)state;
	start(NULL);
	assert_int_equal(console.quiet_below, LPK_ERR + 1);
	driver->exit(&console);
	console.quiet_below = 8;
	assert_int_equal(driver->setup(&console), LPK_OK);
	assert_int_equal(console.quiet_below, 8);
}

static void
test_kmsg_line_has_priority_and_name(void **state)
{
	char want[128];

	(void)state;
	start(NULL);
	assert_int_equal(write_text("disk on fire"), LPK_OK);
	snprintf(want, sizeof(want), "<11>%s: disk on fire\n",
	    program_invocation_short_name);
	assert_string_equal(receive(), want);
}

static void
test_kmsg_name_may_be_left_out(void **state)
{
	(void)state;
	start("");
	assert_int_equal(write_text("disk on fire"), LPK_OK);
	assert_string_equal(receive(), "<11>disk on fire\n");
}

static void
test_kmsg_hostile_name_is_made_harmless(void **state)
{
	(void)state;
	start("a\n<0>b c\x80");
	assert_int_equal(write_text("x"), LPK_OK);
	assert_string_equal(receive(), "<11>a_<0>b_c_: x\n");
}

static void
test_kmsg_facility_of_injected_text_is_kept(void **state)
{
	struct lpk_record record = make_record("x", 1);
	struct lpk_batch batch;

	(void)state;
	start("me");
	record.facility = 23;
	record.level = LPK_DEBUG;
	batch = render(&record);
	assert_true(driver->write(&console, &batch) > 0);
	assert_string_equal(receive(), "<191>me: x\n");
}

static void
test_kmsg_each_line_is_a_record_of_its_own(void **state)
{
	(void)state;
	start("me");
	assert_int_equal(write_text("one\n<0>two\n\nfour"), LPK_OK);
	assert_string_equal(
	    receive(), "<11>me: one\n<11>me: <0>two\n<11>me: \n<11>me: four\n");
}

static void
test_kmsg_control_bytes_are_escaped(void **state)
{
	struct lpk_record record =
	    make_record("\tred \033[31m \r\0 \xff \xc2\x9b \xe2\x82\xac", 22);
	struct lpk_batch batch;

	(void)state;
	start("me");
	batch = render(&record);
	assert_true(driver->write(&console, &batch) > 0);
	assert_string_equal(receive(),
	    "<11>me: \tred \\x1b[31m \\x0d\\x00 \\xff \\xc2\\x9b "
	    "\xe2\x82\xac\n");
}

static void
expect_cut(const char *unit, size_t count, size_t shortest)
{
	char text[LPK_TEXT_MAX];
	size_t i, unit_bytes = strlen(unit), length;

	for (i = 0; i < count; i++)
		memcpy(text + i * unit_bytes, unit, unit_bytes);
	text[i * unit_bytes] = '\0';
	assert_int_equal(write_text(text), LPK_OK);
	receive();
	length = strlen(got);
	assert_true(length <= 976 && length >= shortest);
	assert_string_equal(got + length - 12, "<truncated>\n");
	got[length - 12] = '\0';
	assert_memory_equal(got + 8, text, length - 12 - 8);
}

static void
test_kmsg_long_line_is_cut_and_marked(void **state)
{
	char text[LPK_TEXT_MAX];

	(void)state;
	start("me");
	/* The longest that is not. */
	memset(text, 'x', sizeof(text));
	text[976 - 8 - 1] = '\0';
	assert_int_equal(write_text(text), LPK_OK);
	assert_int_equal(strlen(receive()), 976);
	assert_null(strstr(got, "truncated"));
	expect_cut("x", 968, 976);
	expect_cut("x", LPK_TEXT_MAX - 1, 976);
	/* Never inside of a character. */
	expect_cut("\xe2\x82\xac", 330, 973);
}

static void
test_kmsg_escapes_count_into_the_length(void **state)
{
	char text[LPK_TEXT_MAX];

	(void)state;
	start("me");
	memset(text, '\001', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(write_text(text), LPK_OK);
	receive();
	assert_int_equal(strlen(got), 976);
	assert_non_null(strstr(got, "<truncated>\n"));
}

static void
test_kmsg_room_that_is_too_small_says_so(void **state)
{
	struct lpk_record record = make_record("one\ntwo and a half", 18);
	struct lpk_batch batch;
	size_t whole, room, said;
	bool fitted = false;

	(void)state;
	start("me");
	batch = render(&record);
	whole = batch.size_bytes;
	memcpy(got, rendered, whole);
	for (room = 0; room < whole + 64; room++) {
		memset(rendered, '#', sizeof(rendered));
		said =
		    driver->render(&console, &record, payload, rendered, room);
		assert_int_equal(rendered[room], '#');
		if (said > room) {
			assert_false(fitted);
			continue;
		}
		fitted = true;
		assert_int_equal(said, whole);
		assert_memory_equal(rendered, got, whole);
	}
	assert_true(fitted);
}

static void
test_kmsg_what_the_kernel_would_throw_away_is_kept(void **state)
{
	struct lpk_record record;
	struct lpk_batch batch;
	size_t i, lines;

	(void)state;
	option("ratelimit", "yes");
	start("me");
	for (i = 0; i < 8; i++)
		assert_int_equal(write_text("x"), LPK_OK);
	/* Two of these three still go through, and say how far that is. */
	record = make_record("a\nb\nc", 5);
	batch = render(&record);
	assert_int_equal(driver->write(&console, &batch), 2 * 10);
	batch.bytes += 20;
	batch.size_bytes -= 20;
	batch.rest = true;
	assert_int_equal(driver->write(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(batch.error, EAGAIN);
	receive();
	for (i = lines = 0; got[i] != '\0'; i++)
		lines += got[i] == '\n';
	assert_int_equal(lines, 10);
}

static void
test_kmsg_panic_has_lines_of_its_own(void **state)
{
	struct lpk_record record;
	struct lpk_batch batch;
	int i;

	(void)state;
	option("ratelimit", "yes");
	start("me");
	for (i = 0; i < 10; i++)
		assert_int_equal(write_text("x"), LPK_OK);
	assert_int_equal(write_text("x"), -LPK_EAGAIN);
	receive();
	record = make_record("last words", 10);
	batch = render(&record);
	errno = 4711;
	assert_int_equal(
	    driver->write_on_panic(&console, &batch), (int)batch.size_bytes);
	assert_int_equal(errno, 4711);
	assert_string_equal(receive(), "<11>me: last words\n");
}

static void
test_kmsg_without_a_limit_nothing_is_held_back(void **state)
{
	int i;

	(void)state;
	start("me");
	for (i = 0; i < 1000; i++)
		assert_int_equal(write_text("x"), LPK_OK);
	driver->reopen(&console);
	assert_int_equal(write_text("x"), LPK_OK);
	assert_int_equal(strlen(receive()), 1001 * 10);
}

static void
test_kmsg_full_device_keeps_the_rest(void **state)
{
	int result = LPK_OK, lines = 0;
	struct lpk_batch batch;
	struct lpk_record record;

	(void)state;
	start("me");
	while (result == LPK_OK && lines++ < 1000000)
		result = write_text("x");
	assert_int_equal(result, -LPK_EAGAIN);
	record = make_record("panic", 5);
	batch = render(&record);
	errno = 4711;
	assert_int_equal(driver->write_on_panic(&console, &batch), -LPK_EAGAIN);
	assert_int_equal(errno, 4711);
	receive();
	assert_int_equal(write_text("y"), LPK_OK);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_kmsg_words_are_understood_or_refused),
	    CASE(test_kmsg_device_that_is_not_there_does_not_start),
	    CASE(test_kmsg_shows_errors_unless_a_level_was_asked_for),
	    CASE(test_kmsg_line_has_priority_and_name),
	    CASE(test_kmsg_name_may_be_left_out),
	    CASE(test_kmsg_hostile_name_is_made_harmless),
	    CASE(test_kmsg_facility_of_injected_text_is_kept),
	    CASE(test_kmsg_each_line_is_a_record_of_its_own),
	    CASE(test_kmsg_control_bytes_are_escaped),
	    CASE(test_kmsg_long_line_is_cut_and_marked),
	    CASE(test_kmsg_escapes_count_into_the_length),
	    CASE(test_kmsg_room_that_is_too_small_says_so),
	    CASE(test_kmsg_what_the_kernel_would_throw_away_is_kept),
	    CASE(test_kmsg_panic_has_lines_of_its_own),
	    CASE(test_kmsg_without_a_limit_nothing_is_held_back),
	    CASE(test_kmsg_full_device_keeps_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
