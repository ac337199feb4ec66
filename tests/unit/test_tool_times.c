/* SPDX-License-Identifier: MIT */
/* Times as people write them and read them; in UTC, and once elsewhere. */
#include "fixture.h"

#include <time.h>

#include "tools/times.h"

/* 2026-11-22 10:18:12.345678 UTC, a Sunday. */
#define NOW UINT64_C(1795342692345678)
#define DAY_US UINT64_C(86400000000)
/* The day began. */
#define TODAY (UINT64_C(1795305600) * 1000000)
#define BOOT_NS UINT64_C(45123456789)

static struct time_before before;

static const char *
print(enum time_format format)
{
	static char text[TIME_TEXT];
	size_t length =
	    time_print(text, format, BOOT_NS, NOW * 1000 + 9, &before);

	assert_int_equal(length, strlen(text));
	return text;
}

static void
expect(const char *text, uint64_t want)
{
	uint64_t us = 0;

	if (!time_parse(text, NOW, &us))
		fail_msg("\"%s\" is refused", text);
	if (us != want)
		fail_msg("\"%s\" is %llu, not %llu", text,
		    (unsigned long long)us, (unsigned long long)want);
}

static void
test_tool_times_are_shown_as_dmesg_shows_them(void **state)
{
	(void)state;
	memset(&before, 0, sizeof(before));
	assert_string_equal(print(TIME_RAW), "[   45.123456] ");
	assert_string_equal(
	    print(TIME_RAW_DELTA), "[   45.123456 <    0.000000>] ");
	assert_string_equal(print(TIME_CTIME), "[Sun Nov 22 10:18:12 2026] ");
	assert_string_equal(
	    print(TIME_ISO), "2026-11-22T10:18:12,345678+00:00 ");
	assert_string_equal(print(TIME_RELTIME), "[Nov22 10:18] ");
	assert_string_equal(print(TIME_NONE), "");
	time_shown(&before, BOOT_NS - 1500000, NOW * 1000 - 1500000);
	assert_string_equal(print(TIME_DELTA), "[<    0.001500>] ");
	assert_string_equal(
	    print(TIME_RAW_DELTA), "[   45.123456 <    0.001500>] ");
	assert_string_equal(print(TIME_CTIME_DELTA),
	    "[Sun Nov 22 10:18:12 2026 <    0.001500>] ");
	assert_string_equal(print(TIME_RELTIME), "[  +0.001500] ");
	time_shown(
	    &before, BOOT_NS - UINT64_C(12000000000), NOW * 1000 - 12000000000);
	assert_string_equal(print(TIME_RELTIME), "[ +12.000000] ");
	time_shown(&before, BOOT_NS - 1, NOW * 1000 - UINT64_C(60000000000));
	assert_string_equal(print(TIME_RELTIME), "[Nov22 10:18] ");
}

static void
test_tool_times_without_a_wall_clock_are_since_boot(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	memset(&before, 0, sizeof(before));
	time_print(text, TIME_CTIME, BOOT_NS, 0, &before);
	assert_string_equal(text, "[   45.123456] ");
	time_print(text, TIME_ISO, BOOT_NS, 0, &before);
	assert_string_equal(text, "[   45.123456] ");
	time_print(text, TIME_RAW, UINT64_MAX, 0, &before);
	assert_string_equal(text, "[18446744073.709551] ");
}

static void
test_tool_times_formats_have_dmesgs_names(void **state)
{
	enum time_format format;

	(void)state;
	assert_true(time_format_parse("iso", &format));
	assert_int_equal(format, TIME_ISO);
	assert_true(time_format_parse("reltime", &format));
	assert_int_equal(format, TIME_RELTIME);
	assert_false(time_format_parse("", &format));
	assert_false(time_format_parse("ISO", &format));
}

static void
test_tool_times_dates_are_read(void **state)
{
	(void)state;
	expect("2026-11-22 10:18:12", NOW - 345678);
	expect("2026-11-22T10:18:12.345678", NOW);
	expect("2026-11-22T10:18:12,345678+00:00", NOW);
	expect("2026-11-22T10:18:12Z", NOW - 345678);
	expect("2026-11-22T12:18:12+02:00", NOW - 345678);
	expect("2026-11-22T08:48:12-0130", NOW - 345678);
	expect("2026-11-22 10:18", NOW - 12345678);
	expect("2026-11-22", TODAY);
	expect("20261122101812", NOW - 345678);
	expect("10:18:12", NOW - 345678);
	expect("10:18", NOW - 12345678);
	expect("@1795342692", NOW - 345678);
	expect("@1795342692.5", NOW - 345678 + 500000);
}

static void
test_tool_times_relative_ones_are_read(void **state)
{
	(void)state;
	expect("now", NOW);
	expect("today", TODAY);
	expect("yesterday", TODAY - DAY_US);
	expect("tomorrow", TODAY + DAY_US);
	expect("-5min", NOW - 300000000);
	expect("-5 min", NOW - 300000000);
	expect("+1day", NOW + DAY_US);
	expect("5 minutes ago", NOW - 300000000);
	expect("1.5h ago", NOW - UINT64_C(5400000000));
	expect("-90", NOW - 90000000);
	expect("2w ago", NOW - 14 * DAY_US);
	expect("-9999weeks",
	    NOW - 9999 * 7 * DAY_US > NOW ? 0 : NOW - 9999 * 7 * DAY_US);
}

static void
test_tool_times_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {"", "soon", "5", "5min", "-", "+",
	    "-5 lightyears", "2026-13-01", "2026-11-22 25:00", "10:18pm", "@",
	    "@x", "@-1", "5 min agoo", "2026-11-22T10:18:12+25", "-1e300s",
	    "2026-11-22 10:18:12 and more"};
	uint64_t us;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (time_parse(wrong[i], NOW, &us))
			fail_msg("\"%s\" is taken", wrong[i]);
	}
}

static void
test_tool_times_are_local(void **state)
{
	(void)state;
	setenv("TZ", "LPK-02:30", 1);
	tzset();
	memset(&before, 0, sizeof(before));
	expect("12:48", NOW - 12345678);
	expect("2026-11-22 12:48:12", NOW - 345678);
	assert_string_equal(print(TIME_CTIME), "[Sun Nov 22 12:48:12 2026] ");
	assert_string_equal(
	    print(TIME_ISO), "2026-11-22T12:48:12,345678+02:30 ");
	setenv("TZ", "UTC", 1);
	tzset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tool_times_are_shown_as_dmesg_shows_them),
	    cmocka_unit_test(
		test_tool_times_without_a_wall_clock_are_since_boot),
	    cmocka_unit_test(test_tool_times_formats_have_dmesgs_names),
	    cmocka_unit_test(test_tool_times_dates_are_read),
	    cmocka_unit_test(test_tool_times_relative_ones_are_read),
	    cmocka_unit_test(test_tool_times_that_are_none_are_refused),
	    cmocka_unit_test(test_tool_times_are_local),
	};

	setenv("TZ", "UTC", 1);
	setenv("LC_ALL", "C", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
