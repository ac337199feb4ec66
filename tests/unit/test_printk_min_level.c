/* SPDX-License-Identifier: MIT */
/* What LPK_MIN_LEVEL strips is not in the executable. */
#define LPK_MIN_LEVEL 4
#define LPK_SHORT_NAMES
#include "fixture.h"

static unsigned int evaluated;

static int
evaluate(void)
{
	return (int)++evaluated;
}

/* Is a text in this executable? @rest is spelled apart from its beginning. */
static bool
executable_holds(const char *first, const char *rest)
{
	char needle[64], *image = malloc(1 << 24);
	FILE *file = fopen("/proc/self/exe", "rb");
	size_t bytes;
	bool found;

	assert_non_null(image);
	assert_non_null(file);
	bytes = fread(image, 1, 1 << 24, file);
	fclose(file);
	assert_true(bytes > 1000);
	snprintf(needle, sizeof(needle), "%s%s", first, rest);
	found = memmem(image, bytes, needle, strlen(needle)) != NULL;
	free(image);
	return found;
}

static void
log_all(void)
{
	lpk_warn("kept-string-of-a-warning %d", evaluate());
	lpk_notice("stripped-string-of-a-notice %d", evaluate());
	lpk_info("stripped-string-of-info %d", evaluate());
	pr_debug("stripped-string-of-debug %d", evaluate());
	lpk_info_once("stripped-string-of-once %d", evaluate());
	lpk_info_ratelimited("stripped-string-of-limit %d", evaluate());
	lpk_printk_kv(LPK_INFO, LPK_KV("STRIPPED_KEY_OF_KV", "1"),
	    "stripped-string-of-kv %d", evaluate());
}

static void
test_min_level_strips_calls_below_it(void **state)
{
	struct lpk_reader reader;
	struct got got;

	(void)state;
	lpk_filter_set("debug", NULL);
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_NEXT);
	log_all();
	expect_text(&reader, &got, "kept-string-of-a-warning 1");
	expect_end(&reader);
	assert_int_equal(evaluated, 1);
}

static void
test_min_level_strips_their_strings(void **state)
{
	(void)state;
	assert_true(executable_holds("kept-string", "-of-a-warning"));
	assert_false(executable_holds("stripped-string", "-of-"));
	assert_false(executable_holds("STRIPPED_KEY", "_OF_KV"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_min_level_strips_calls_below_it),
	    cmocka_unit_test(test_min_level_strips_their_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
