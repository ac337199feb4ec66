/* SPDX-License-Identifier: MIT */
/* A record as lines: the console's and /dev/kmsg's, byte for byte. */
#include "fixture.h"

#include <lpk/port.h>

static struct lpk_record record;
static char line[8192];

static int
setup(void **state)
{
	(void)state;
	record = (struct lpk_record){
	    .seq = 12,
	    .time_ns = UINT64_C(5123456789),
	    .caller = 1234,
	    .level = LPK_INFO,
	};
	return 0;
}

static void
expect_bytes(
    const char *text, size_t bytes, enum lpk_style style, const char *want)
{
	size_t length = strlen(want), size, made;

	record.text_bytes = (uint32_t)bytes;
	made = lpk_record_print(&record, text, style, line, sizeof(line));
	assert_string_equal(line, want);
	assert_int_equal(made, length);
	/* Cut anywhere, the length is that of the whole. */
	for (size = 0; size <= length; size++) {
		memset(line, '#', length + 2);
		assert_int_equal(
		    lpk_record_print(&record, text, style, line, size), length);
		if (size == 0) {
			assert_int_equal(line[0], '#');
			continue;
		}
		assert_memory_equal(line, want, size - 1);
		assert_int_equal(line[size - 1], '\0');
		assert_int_equal(line[size], '#');
	}
}

static void
expect(const char *text, enum lpk_style style, const char *want)
{
	expect_bytes(text, strlen(text), style, want);
}

static void
test_print_each_style_is_as_documented(void **state)
{
	(void)state;
	expect("link up", LPK_STYLE_TEXT, "[    5.123456] link up\n");
	expect("link up", LPK_STYLE_CALLER, "[    5.123456][ T1234] link up\n");
	expect("link up", LPK_STYLE_PRIO, "<6>[    5.123456] link up\n");
	expect(
	    "link up", LPK_STYLE_KMSG, "6,12,5123456,-,caller=T1234;link up\n");
}

static void
test_print_caller_says_handler(void **state)
{
	(void)state;
	record.caller = 7 | LPK_CALLER_HANDLER;
	expect("x", LPK_STYLE_CALLER, "[    5.123456][    S7] x\n");
	expect("x", LPK_STYLE_KMSG, "6,12,5123456,-,caller=S7;x\n");
	record.caller = 4194304;
	expect("x", LPK_STYLE_CALLER, "[    5.123456][T4194304] x\n");
	record.caller = 0x7fffffff | LPK_CALLER_HANDLER;
	expect("x", LPK_STYLE_CALLER, "[    5.123456][S2147483647] x\n");
}

static void
test_print_times_keep_their_width(void **state)
{
	(void)state;
	record.time_ns = 0;
	expect("x", LPK_STYLE_TEXT, "[    0.000000] x\n");
	record.time_ns = 999;
	expect("x", LPK_STYLE_KMSG, "6,12,0,-,caller=T1234;x\n");
	record.time_ns = UINT64_C(99999999999999);
	expect("x", LPK_STYLE_TEXT, "[99999.999999] x\n");
	record.time_ns = UINT64_C(100000000000000);
	expect("x", LPK_STYLE_TEXT, "[100000.000000] x\n");
	record.time_ns = UINT64_MAX;
	expect("x", LPK_STYLE_TEXT, "[18446744073.709551] x\n");
	record.seq = UINT64_MAX;
	expect("x", LPK_STYLE_KMSG,
	    "6,18446744073709551615,18446744073709551,-,caller=T1234;x\n");
}

static void
test_print_priority_is_facility_and_level(void **state)
{
	uint32_t facility, level;
	char want[64];

	(void)state;
	for (facility = 0; facility < 24; facility++) {
		for (level = 0; level < 8; level++) {
			record.facility = (uint8_t)facility;
			record.level = (uint8_t)level;
			snprintf(want, sizeof(want), "<%u>[    5.123456] x\n",
			    facility * 8 + level);
			expect("x", LPK_STYLE_PRIO, want);
			snprintf(want, sizeof(want),
			    "%u,12,5123456,-,caller=T1234;x\n",
			    facility * 8 + level);
			expect("x", LPK_STYLE_KMSG, want);
		}
	}
}

static void
test_print_several_lines_each_have_the_prefix(void **state)
{
	(void)state;
	expect("a\nb", LPK_STYLE_PRIO,
	    "<6>[    5.123456] a\n<6>[    5.123456] b\n");
	expect("a\n\nb", LPK_STYLE_TEXT,
	    "[    5.123456] a\n[    5.123456] \n[    5.123456] b\n");
	expect("", LPK_STYLE_TEXT, "[    5.123456] \n");
	expect("a\nb", LPK_STYLE_KMSG, "6,12,5123456,-,caller=T1234;a\\x0ab\n");
	expect("", LPK_STYLE_KMSG, "6,12,5123456,-,caller=T1234;\n");
}

static void
test_print_kmsg_continuation_is_flagged(void **state)
{
	(void)state;
	record.flags = LPK_RECORD_CONT;
	expect("x", LPK_STYLE_KMSG, "6,12,5123456,c,caller=T1234;x\n");
	record.flags = LPK_RECORD_OPEN;
	expect("x", LPK_STYLE_KMSG, "6,12,5123456,-,caller=T1234;x\n");
}

static void
test_print_kmsg_key_values_follow_indented(void **state)
{
	(void)state;
	record.flags = LPK_RECORD_KV;
	record.kv_bytes = 8 + 14;
	expect_bytes("text\0SPEED=1\0DEVICE=+a\nb\\c", 4, LPK_STYLE_KMSG,
	    "6,12,5123456,-,caller=T1234;text\n SPEED=1\n"
	    " DEVICE=+a\\x0ab\\x5cc\n");
	expect_bytes("text\0SPEED=1\0DEVICE=+a\nb\\c", 4, LPK_STYLE_TEXT,
	    "[    5.123456] text\n");
}

static void
test_print_kmsg_escapes_all_but_printable_ascii(void **state)
{
	char text[2] = "", want[64];
	int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		bool plain = byte >= 32 && byte < 127 && byte != '\\';

		text[0] = (char)byte;
		snprintf(want, sizeof(want),
		    plain ? "6,12,5123456,-,caller=T1234;%c\n" :
			    "6,12,5123456,-,caller=T1234;\\x%02x\n",
		    byte);
		expect_bytes(text, 1, LPK_STYLE_KMSG, want);
	}
}

static void
test_print_terminal_never_sees_a_single_control_byte(void **state)
{
	char text[2] = "", want[64];
	int byte;

	(void)state;
	for (byte = 0; byte < 256; byte++) {
		bool plain = (byte >= 32 && byte < 127) || byte == '\t';

		if (byte == '\n')
			continue;
		text[0] = (char)byte;
		snprintf(want, sizeof(want),
		    plain ? "[    5.123456] %c\n" : "[    5.123456] \\x%02x\n",
		    byte);
		expect_bytes(text, 1, LPK_STYLE_TEXT, want);
	}
}

/* Shown as it is. */
static void
expect_shown(const char *text)
{
	char want[128];

	snprintf(want, sizeof(want), "[    5.123456] a%sb\n", text);
	snprintf(line, sizeof(line), "a%sb", text);
	memmove(line + 4096, line, strlen(line) + 1);
	record.text_bytes = (uint32_t)strlen(line);
	lpk_record_print(&record, line + 4096, LPK_STYLE_TEXT, line, 4096);
	assert_string_equal(line, want);
}

/* Escaped, every byte of it. */
static void
expect_escaped(const char *bytes, size_t count)
{
	char text[32], want[128] = "[    5.123456] a";
	size_t i;

	text[0] = 'a';
	memcpy(text + 1, bytes, count);
	text[count + 1] = 'b';
	for (i = 0; i < count; i++)
		snprintf(want + strlen(want), 5, "\\x%02x",
		    (unsigned int)(unsigned char)bytes[i]);
	strcat(want, "b\n");
	expect_bytes(text, count + 2, LPK_STYLE_TEXT, want);
}

static void
test_print_text_in_any_language_is_shown(void **state)
{
	(void)state;
	expect_shown("\xc3\xa4");         /* a umlaut */
	expect_shown("\xc2\xa0");         /* the first after C1 */
	expect_shown("\xe6\xbc\xa2");     /* han */
	expect_shown("\xe2\x82\xac");     /* euro */
	expect_shown("\xf0\x9f\x98\x80"); /* emoji */
	expect_shown("\xd7\xa9");         /* hebrew */
	expect_shown("\xf4\x8f\xbf\xbd"); /* nearly the last */
	expect_shown("\xed\x9f\xbf");     /* the last before surrogates */
	expect_shown("\xee\x80\x80");     /* the first after them */
}

static void
test_print_bad_utf8_is_escaped(void **state)
{
	(void)state;
	expect_escaped("\xff", 1);
	expect_escaped("\x80", 1);
	expect_escaped("\xc3", 1);
	expect_escaped("\xe2\x82", 2);
	expect_escaped("\xf0\x9f\x98", 3);
	expect_escaped("\xc0\xaf", 2);         /* overlong slash */
	expect_escaped("\xc1\xbf", 2);         /* overlong */
	expect_escaped("\xe0\x80\xaf", 3);     /* overlong */
	expect_escaped("\xf0\x80\x80\xaf", 4); /* overlong */
	expect_escaped("\xed\xa0\x80", 3);     /* surrogate */
	expect_escaped("\xed\xbf\xbf", 3);     /* surrogate */
	expect_escaped("\xf4\x90\x80\x80", 4); /* beyond Unicode */
	expect_escaped("\xf8\x88\x80\x80\x80", 5);
}

static void
test_print_cut_utf8_at_the_end_is_escaped(void **state)
{
	(void)state;
	expect_bytes(
	    "\xe2\x82\xac", 2, LPK_STYLE_TEXT, "[    5.123456] \\xe2\\x82\n");
	expect_bytes("\xf0\x9f\x98\x80", 3, LPK_STYLE_TEXT,
	    "[    5.123456] \\xf0\\x9f\\x98\n");
	expect_bytes("\xc3\xa4", 1, LPK_STYLE_TEXT, "[    5.123456] \\xc3\n");
}

static void
test_print_what_turns_a_line_is_escaped(void **state)
{
	(void)state;
	expect_escaped("\xc2\x80", 2);     /* C1: padding */
	expect_escaped("\xc2\x9b", 2);     /* C1: control sequence */
	expect_escaped("\xc2\x9f", 2);     /* C1: the last */
	expect_escaped("\xd8\x9c", 2);     /* arabic letter mark */
	expect_escaped("\xe2\x80\x8e", 3); /* left-to-right mark */
	expect_escaped("\xe2\x80\x8f", 3); /* right-to-left mark */
	expect_escaped("\xe2\x80\xa8", 3); /* line separator */
	expect_escaped("\xe2\x80\xa9", 3); /* paragraph separator */
	expect_escaped("\xe2\x80\xaa", 3); /* embedding */
	expect_escaped("\xe2\x80\xae", 3); /* right-to-left override */
	expect_escaped("\xe2\x81\xa6", 3); /* isolate */
	expect_escaped("\xe2\x81\xa9", 3); /* pop isolate */
	expect_escaped("\033", 1);
}

static void
test_print_any_two_bytes_stay_within_the_line(void **state)
{
	char text[2];
	int a, b;
	size_t i, length;

	(void)state;
	record.text_bytes = 2;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			if (a == '\n' || b == '\n')
				continue;
			text[0] = (char)a;
			text[1] = (char)b;
			length = lpk_record_print(
			    &record, text, LPK_STYLE_PRIO, line, sizeof(line));
			assert_int_equal(line[length - 1], '\n');
			for (i = 0; i < length - 1; i++)
				assert_true((unsigned char)line[i] >= 32 ||
				    line[i] == '\t');
		}
	}
}

/* Whatever does not fit is left out, to the byte. */
static void
test_print_line_of_any_size_is_the_beginning(void **state)
{
	static const char text[] =
	    "plain text, a longer run of it, \xc3\xa4\xe2"
	    "\x82\xac\tand\x01 then\nanother line";
	char whole[256], part[256];
	size_t length, size, kept, i;

	(void)state;
	record.text_bytes = sizeof(text) - 1;
	length = lpk_record_print(
	    &record, text, LPK_STYLE_TEXT, whole, sizeof(whole));
	assert_true(length < sizeof(whole));
	for (size = 0; size <= length + 10; size++) {
		memset(part, '#', sizeof(part));
		assert_int_equal(
		    lpk_record_print(&record, text, LPK_STYLE_TEXT, part, size),
		    length);
		kept = size > length ? length : size != 0 ? size - 1 : 0;
		assert_memory_equal(part, whole, kept);
		if (size != 0)
			assert_int_equal(part[kept], '\0');
		for (i = size; i < sizeof(part); i++)
			assert_int_equal(part[i], '#');
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, NULL)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_print_each_style_is_as_documented),
	    CASE(test_print_caller_says_handler),
	    CASE(test_print_times_keep_their_width),
	    CASE(test_print_priority_is_facility_and_level),
	    CASE(test_print_several_lines_each_have_the_prefix),
	    CASE(test_print_kmsg_continuation_is_flagged),
	    CASE(test_print_kmsg_key_values_follow_indented),
	    CASE(test_print_kmsg_escapes_all_but_printable_ascii),
	    CASE(test_print_terminal_never_sees_a_single_control_byte),
	    CASE(test_print_text_in_any_language_is_shown),
	    CASE(test_print_bad_utf8_is_escaped),
	    CASE(test_print_cut_utf8_at_the_end_is_escaped),
	    CASE(test_print_what_turns_a_line_is_escaped),
	    CASE(test_print_any_two_bytes_stay_within_the_line),
	    CASE(test_print_line_of_any_size_is_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
