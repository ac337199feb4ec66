/* SPDX-License-Identifier: MIT */
/* The messages of the console on syslog, to the byte. */
#include "fixture.h"

#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/port.h>

enum { ROOM = 262144, LENGTH = 9 };

static struct lpk_console console;
static char rendered[ROOM];

static int
setup(void **state)
{
	(void)state;
	setenv("TZ", "XXX-05:30", 1); /* east of Greenwich */
	tzset();
	memset(&console, 0, sizeof(console));
	console.driver = &lpk_syslog_driver;
	console.device = calloc(1, lpk_syslog_driver.device_bytes);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	console.driver->exit(&console);
	free(console.device);
	return 0;
}

static int
option(const char *key, const char *value)
{
	return console.driver->option(&console, key, value);
}

/* Set up with some words, "key=value" each, and a target in front. */
static void
start(const char *target, const char *words)
{
	char copy[256], *word, *rest = copy;

	assert_int_equal(option("", target), LPK_OK);
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, ",")) != NULL && *word != '\0') {
		char *value = strchr(word, '=');

		*value++ = '\0';
		assert_int_equal(option(word, value), LPK_OK);
	}
	assert_int_equal(option("tag", "my app"), LPK_OK);
	assert_int_equal(console.driver->setup(&console), LPK_OK);
}

static struct lpk_record
record_of(uint32_t text_bytes, uint32_t kv_bytes)
{
	return (struct lpk_record){
	    .seq = 42,
	    .realtime_ns = UINT64_C(951825600123456789), /* a leap day, noon */
	    .caller = 1234,
	    .text_bytes = text_bytes,
	    .kv_bytes = kv_bytes,
	    .level = LPK_WARN,
	    .subsystem = "net",
	};
}

static size_t
render(const struct lpk_record *record, const char *text)
{
	size_t bytes = console.driver->render(
	    &console, record, text, rendered, sizeof(rendered));

	assert_true(bytes <= sizeof(rendered));
	return bytes;
}

/* The only frame of a record. */
static const char *
frame_of(const struct lpk_record *record, const char *text)
{
	size_t bytes = render(record, text);

	assert_int_equal(strtoul(rendered, NULL, 10), bytes - LENGTH);
	rendered[bytes] = '\0';
	return rendered + LENGTH;
}

static void
test_syslog_local_message_is_that_of_libc(void **state)
{
	static const char text[] = "link up\0IFNAME=eth0";
	struct lpk_record record = record_of(7, 12);
	char want[128];

	(void)state;
	start("", "");
	snprintf(want, sizeof(want), "<12>Feb 29 17:30:00 my_app[%d]: link up",
	    (int)getpid());
	assert_string_equal(frame_of(&record, text), want);
}

static void
test_syslog_names_the_host_where_it_leaves_it(void **state)
{
	struct lpk_record record = record_of(2, 0);
	char want[128];

	(void)state;
	start("udp:127.0.0.1:9", "format=3164,host=here,facility=local7");
	record.realtime_ns = 0;
	record.level = LPK_DEBUG;
	snprintf(want, sizeof(want), "<191>Jan  1 00:00:00 here my_app[%d]: hi",
	    (int)getpid());
	assert_string_equal(frame_of(&record, "hi"), want);
}

static void
test_syslog_structured_data_holds_the_pairs(void **state)
{
	static const char text[] = "link up\0IFNAME=eth0\0NOTE=a \"b\" \\ [c]";
	struct lpk_record record = record_of(7, sizeof(text) - 8);
	char want[256];

	(void)state;
	start("unix:/nowhere", "host=here,facility=daemon");
	snprintf(want, sizeof(want),
	    "<28>1 2000-02-29T17:30:00.123456+05:30 here my_app %d net "
	    "[lpk@32473 seq=\"42\" caller=\"T1234\" IFNAME=\"eth0\" "
	    "NOTE=\"a \\\"b\\\" \\\\ [c\\]\"] link up",
	    (int)getpid());
	assert_string_equal(frame_of(&record, text), want);
}

static void
test_syslog_unknown_facts_are_nil(void **state)
{
	struct lpk_record record = {
	    .caller = LPK_CALLER_HANDLER | 9, .level = 6, .facility = 10};
	char want[256];

	(void)state;
	start("unix:/nowhere", "host=here,pen=99");
	snprintf(want, sizeof(want),
	    "<86>1 - here my_app %d - [lpk@99 seq=\"0\" caller=\"S9\"]",
	    (int)getpid());
	assert_string_equal(frame_of(&record, ""), want);
}

static void
test_syslog_notice_is_no_record(void **state)
{
	struct lpk_record record = record_of(9, 0);

	(void)state;
	start("unix:/nowhere", "");
	record.flags = LPK_RECORD_NOTICE;
	assert_non_null(strstr(frame_of(&record, "9 dropped"),
	    " net [lpk@32473 notice=\"1\"] 9 dropped"));
}

static void
test_syslog_byte_order_mark_is_there_when_wanted(void **state)
{
	struct lpk_record record = record_of(2, 0);

	(void)state;
	start("unix:/nowhere", "bom=yes");
	assert_non_null(strstr(frame_of(&record, "hi"), "\"] \xef\xbb\xbfhi"));
}

static void
test_syslog_text_is_utf8_and_one_line(void **state)
{
	static const char text[] =
	    "\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \\ \"]\n<0>\x1b[31m"
	    "\x7f\xc2\x85\xe2\x80\xae\xff\xc0\xaf\xed\xa0\x80\xe2\x82"
	    "\0K=\n\\x\xff";
	static const char want[] =
	    "\"] \t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \\ \"]\\x0a<0>\\x1b[31m"
	    "\\x7f\\xc2\\x85\\xe2\\x80\\xae\\xff\\xc0\\xaf\\xed\\xa0\\x80"
	    "\\xe2\\x82";
	struct lpk_record record = record_of(
	    (uint32_t)strlen(text), sizeof(text) - 1 - (uint32_t)strlen(text));
	const char *frame;

	(void)state;
	start("unix:/nowhere", "");
	frame = frame_of(&record, text);
	assert_non_null(strstr(frame, "K=\"\\\\x0a\\\\x\\\\xff\""));
	assert_string_equal(strstr(frame, "\"] "), want);
}

/* Put together what the parts of a record hold; returns how many. */
static unsigned int
join(size_t bytes, size_t cap, char *text, char *value)
{
	unsigned int part = 0, number, parts = 1;
	size_t at = 0;

	*text = *value = '\0';
	while (at < bytes) {
		size_t length = strtoul(rendered + at, NULL, 10);
		char frame[ROOM / 8], *mark, *begin;

		assert_true(length <= cap);
		assert_true(at + LENGTH + length <= bytes);
		memcpy(frame, rendered + at + LENGTH, length);
		frame[length] = '\0';
		mark = strstr(frame, " part=\"");
		assert_non_null(mark);
		assert_int_equal(
		    sscanf(mark, " part=\"%u/%u\"", &number, &parts), 2);
		assert_int_equal(number, ++part);
		assert_non_null(strstr(frame, "seq=\"42\""));
		begin = strstr(frame, " LONG=\"");
		if (begin != NULL) {
			begin += 7;
			strncat(value, begin, strcspn(begin, "\""));
		}
		begin = strstr(frame, "\"] ");
		if (begin != NULL)
			strcat(text, begin + 3);
		at += LENGTH + length;
	}
	assert_int_equal(part, parts);
	return parts;
}

static void
test_syslog_long_record_is_split_and_nothing_is_lost(void **state)
{
	static char text[3000], got[ROOM], value[ROOM];
	size_t i, kv = 1300, bytes;
	struct lpk_record record = record_of(1200, 1301);

	(void)state;
	start("unix:/nowhere", "cap=480");
	for (i = 0; i < 1200; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3); /* cut between them only */
	memcpy(text + 1201, "LONG=", 5);
	for (i = 5; i < kv; i++)
		text[1201 + i] = (char)('a' + i % 26);
	bytes = render(&record, text);
	assert_true(join(bytes, 480, got, value) >= 6);
	assert_string_equal(value, text + 1201 + 5);
	assert_string_equal(got, text);
}

static void
test_syslog_parts_beyond_nine_are_counted(void **state)
{
	static char text[20001], got[ROOM], value[ROOM];
	struct lpk_record record = record_of(20000, 0);

	(void)state;
	start("unix:/nowhere", "cap=480");
	memset(text, 'x', 20000);
	assert_true(join(render(&record, text), 480, got, value) > 40);
	assert_string_equal(got, text);
}

static void
test_syslog_local_parts_say_so_in_the_text(void **state)
{
	static char text[1001];
	struct lpk_record record = record_of(1000, 0);

	(void)state;
	start("", "cap=480");
	memset(text, 'x', 1000);
	render(&record, text);
	assert_non_null(strstr(rendered, "]: [part 1/3] xxx"));
}

static void
test_syslog_whatever_the_bytes_a_frame_is_one_valid_line(void **state)
{
	unsigned int seed = 7;
	char text[201];
	int round, i;

	(void)state;
	start("unix:/nowhere", "cap=480");
	for (round = 0; round < 2000; round++) {
		uint32_t text_bytes = (uint32_t)rand_r(&seed) % 100;
		struct lpk_record record =
		    record_of(text_bytes, 200 - text_bytes - 1);
		size_t at = 0, bytes;

		for (i = 0; i < 200; i++)
			text[i] = (char)(rand_r(&seed) & 0xff);
		text[text_bytes] = text[200] = '\0';
		bytes = render(&record, text);
		while (at < bytes) {
			size_t end = strtoul(rendered + at, NULL, 10);

			assert_true(end <= 480);
			for (at += LENGTH, end += at; at < end; at++)
				assert_true(
				    (unsigned char)rendered[at] >= ' ' ||
				    rendered[at] == '\t');
		}
		assert_int_equal(at, bytes);
	}
}

static void
test_syslog_small_buffer_gets_the_beginning(void **state)
{
	struct lpk_record record = record_of(9, 0);
	char small[64];
	size_t bytes, i;

	(void)state;
	start("unix:/nowhere", "");
	bytes = render(&record, "some text");
	for (i = 0; i < sizeof(small); i++) {
		memset(small, '#', sizeof(small));
		assert_int_equal(console.driver->render(
				     &console, &record, "some text", small, i),
		    bytes);
		assert_memory_equal(small + i, "####",
		    sizeof(small) - i < 4 ? sizeof(small) - i : 4);
	}
	assert_memory_equal(small, rendered, sizeof(small) - 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_syslog_local_message_is_that_of_libc),
	    CASE(test_syslog_names_the_host_where_it_leaves_it),
	    CASE(test_syslog_structured_data_holds_the_pairs),
	    CASE(test_syslog_unknown_facts_are_nil),
	    CASE(test_syslog_notice_is_no_record),
	    CASE(test_syslog_byte_order_mark_is_there_when_wanted),
	    CASE(test_syslog_text_is_utf8_and_one_line),
	    CASE(test_syslog_long_record_is_split_and_nothing_is_lost),
	    CASE(test_syslog_parts_beyond_nine_are_counted),
	    CASE(test_syslog_local_parts_say_so_in_the_text),
	    CASE(test_syslog_whatever_the_bytes_a_frame_is_one_valid_line),
	    CASE(test_syslog_small_buffer_gets_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
