/* SPDX-License-Identifier: MIT */
/* Lists of levels and facilities, as `lpk dmesg` is given them. */
#include "fixture.h"

#include "tools/lists.h"

static uint32_t
levels(const char *text)
{
	uint32_t bits = 0;

	assert_true(levels_parse(text, &bits));
	return bits;
}

static uint32_t
facilities(const char *text)
{
	uint32_t bits = 0;

	assert_true(facilities_parse(text, &bits));
	return bits;
}

static void
test_tool_lists_levels_are_bits(void **state)
{
	(void)state;
	assert_int_equal(levels("emerg"), 1);
	assert_int_equal(levels("debug"), 0x80);
	assert_int_equal(levels("err,warn"), 0x18);
	assert_int_equal(levels("err+"), 0x0f);
	assert_int_equal(levels("+err"), 0xf8);
	assert_int_equal(levels("emerg+"), 0x01);
	assert_int_equal(levels("+emerg"), 0xff);
	assert_int_equal(levels("alert,+info"), 0xc2);
}

static void
test_tool_lists_facilities_are_bits(void **state)
{
	(void)state;
	assert_int_equal(facilities("kern"), 1);
	assert_int_equal(facilities("user,daemon"), 0x0a);
	assert_int_equal(facilities("local7"), 1u << 23);
}

static void
test_tool_lists_words_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {"", ",", "err,", ",err", "error",
	    "ERR", "err ", "+", "+err+", "kern"};
	uint32_t bits;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(levels_parse(wrong[i], &bits));
	assert_false(facilities_parse("err", &bits));
	assert_false(facilities_parse("kern,", &bits));
	assert_false(facilities_parse("./kern", &bits));
}

static void
test_tool_lists_names_are_those_of_syslog(void **state)
{
	(void)state;
	assert_string_equal(level_name(0), "emerg");
	assert_string_equal(level_name(7), "debug");
	assert_null(level_name(8));
	assert_string_equal(facility_name(3), "daemon");
	assert_string_equal(facility_name(23), "local7");
	assert_null(facility_name(24));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tool_lists_levels_are_bits),
	    cmocka_unit_test(test_tool_lists_facilities_are_bits),
	    cmocka_unit_test(test_tool_lists_words_that_are_none_are_refused),
	    cmocka_unit_test(test_tool_lists_names_are_those_of_syslog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
