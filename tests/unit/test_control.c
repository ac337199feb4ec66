/* SPDX-License-Identifier: MIT */
/* Single call sites switched on and off, and listed. */
#define LPK_DEFAULT_LOG log_
#include "fixture.h"

#include <lpk/sites.h>

static struct small_log small;
static struct lpk_log *log_;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 8192, 4, 1);
	return lpk_filter_set("", NULL) + lpk_control("reset", NULL);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return lpk_filter_set("", NULL) + lpk_control("reset", NULL);
}

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "net0"
#define LINE_UP 1000
static void
link_up(void)
{
	/* clang-format off */
#line LINE_UP "/src/drivers/net.c"
	lpk_info("link up, %d", 1);
	lpk_debug("link debug, %d", 2);
#line 48 "tests/unit/test_control.c"
	/* clang-format on */
}
#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM NULL
static void
other(void)
{
	lpk_info("other");
	lpk_debug("other debug; #1");
}

/* Call everything; the first letter and, for debug, a 'd' of what is stored. */
static void
expect_stored(const char *want)
{
	struct lpk_reader reader;
	char got[64] = "", *end = got;
	struct got record;

	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	link_up();
	other();
	while (next(&reader, &record) == LPK_OK) {
		*end++ = record.text[0];
		if (record.record.level == LPK_DEBUG)
			*end++ = 'd';
	}
	*end = '\0';
	assert_string_equal(got, want);
}

/* After one query, from the beginning. */
static void
expect_query(const char *query, const char *want)
{
	assert_int_equal(lpk_control("reset", NULL), LPK_OK);
	assert_int_equal(lpk_control(query, NULL), LPK_OK);
	expect_stored(want);
}

static void
test_control_each_keyword_chooses(void **state)
{
	(void)state;
	expect_stored("lo");
	expect_query("file net.c +p", "lldo");
	expect_query("file /src/drivers/net.c +p", "lldo");
	expect_query("file drivers/net.c +p", "lldo");
	expect_query("file rivers/net.c +p", "lo");
	expect_query("file */net.? -p", "o");
	expect_query("func link_up =_", "o");
	expect_query("func o*r -p", "l");
	expect_query("subsys net* +p", "lldo");
	expect_query("subsys net -p", "lo");
	expect_query("subsys * -p", "");
	expect_query("line 1000 -p", "o");
	expect_query("line 1000-1001 file net.c +p", "lldo");
	expect_query("line -999 -p", "l");
	expect_query("line 1001- =p", "lldo");
	expect_query("format \"link up\" -p", "o");
	expect_query("format up -p", "o");
	expect_query("format ^up -p", "lo");
	expect_query("format ^link -p", "o");
	expect_query("format 'debug; #1' +p", "lood");
	expect_query("+p", "lldood");
	expect_query("=_", "");
}

static void
test_control_later_queries_decide(void **state)
{
	(void)state;
	expect_query("=_; func other +p", "ood");
	expect_query("+p\n# all but one\nline 1001 -p # this one\n", "lood");
	expect_query("func other +p; func other -p", "l");
	expect_query("  ;; \n", "lo");
	assert_int_equal(lpk_control("func link_up +p", NULL), LPK_OK);
	expect_stored("lldo");
	/* The filter changes below it. */
	assert_int_equal(lpk_filter_set("off", NULL), LPK_OK);
	expect_stored("lld");
	assert_int_equal(lpk_filter_set("debug", NULL), LPK_OK);
	assert_int_equal(lpk_control("func link_up -p", NULL), LPK_OK);
	expect_stored("ood");
}

static void
expect_refused(const char *query, int result, const char *at)
{
	size_t bad_at = 4711;

	assert_int_equal(lpk_control(query, &bad_at), result);
	assert_int_equal(lpk_control(query, NULL), result);
	assert_string_equal(query + bad_at, at);
	expect_stored("lo");
}

static void
test_control_bad_query_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(lpk_control(NULL, NULL), -LPK_EINVAL);
	expect_refused("=_; module x -p", -LPK_EINVAL, "module x -p");
	expect_refused("=_; line 20-10 -p", -LPK_EINVAL, "20-10 -p");
	expect_refused("line - -p", -LPK_EINVAL, "- -p");
	expect_refused("line 1x -p", -LPK_EINVAL, "1x -p");
	expect_refused(
	    "line 99999999999999 -p", -LPK_EINVAL, "99999999999999 -p");
	expect_refused("func a func b -p", -LPK_EINVAL, "func b -p");
	expect_refused("func", -LPK_EINVAL, "");
	expect_refused("func a", -LPK_EINVAL, "");
	expect_refused("-p func a", -LPK_EINVAL, "func a");
	expect_refused("func a -q", -LPK_EINVAL, "-q");
	expect_refused("func a +pf", -LPK_EINVAL, "+pf");
	expect_refused("func reset reset", -LPK_EINVAL, "reset");
	expect_refused("format \"a -p", -LPK_EINVAL, "a -p");
	expect_refused("format '' -p", -LPK_EINVAL, "' -p");
	expect_refused(
	    "func 0123456789012345678901234567890123456789012345678901234567890"
	    "123 -p",
	    -LPK_ENOSPC,
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    " -p");
}

static void
test_control_full_table_is_refused(void **state)
{
	char query[64];
	int i;

	(void)state;
	for (i = 0; i < LPK_CONTROL_QUERIES; i++) {
		snprintf(query, sizeof(query), "line %d -p", 5000 + i);
		assert_int_equal(lpk_control(query, NULL), LPK_OK);
	}
	assert_int_equal(lpk_control("func other -p", NULL), -LPK_ENOSPC);
	expect_stored("lo");
	/* The same conditions take the place of the earlier ones. */
	assert_int_equal(lpk_control("line 5003 +p", NULL), LPK_OK);
	/* And none, that of all. */
	assert_int_equal(lpk_control("+p; func other -p", NULL), LPK_OK);
	expect_stored("lld");
	assert_int_equal(lpk_control("reset; func other -p", NULL), LPK_OK);
	expect_stored("l");
}

static void
test_control_applies_to_sites_used_later(void **state)
{
	struct lpk_reader reader;
	struct got got;

	(void)state;
	assert_int_equal(lpk_control("format never +p", NULL), LPK_OK);
	lpk_reader_open(&reader, log_, LPK_SEEK_NEXT);
	lpk_debug("never reached before");
	expect_text(&reader, &got, "never reached before");
	expect_end(&reader);
}

static void
test_sites_next_lists_what_was_used(void **state)
{
	struct lpk_sites sites = LPK_SITES_INIT;
	struct lpk_site_info info;
	int found = 0, others = 0, result;

	(void)state;
	expect_query("format \"link debug\" +p; format other -p", "lld");
	while ((result = lpk_sites_next(&sites, &info)) == LPK_OK) {
		if (strcmp(info.function, "other") == 0) {
			assert_false(info.enabled);
			assert_string_equal(info.subsystem, "");
			others++;
		}
		if (strcmp(info.format, "link debug, %d") != 0)
			continue;
		found++;
		assert_string_equal(info.file, "/src/drivers/net.c");
		assert_string_equal(info.function, "link_up");
		assert_string_equal(info.subsystem, "net0");
		assert_int_equal(info.line, LINE_UP + 1);
		assert_int_equal(info.level, LPK_DEBUG);
		assert_true(info.enabled);
	}
	assert_int_equal(result, -LPK_EAGAIN);
	assert_int_equal(lpk_sites_next(&sites, &info), -LPK_EAGAIN);
	assert_int_equal(found, 1);
	assert_int_equal(others, 2);
	assert_int_equal(lpk_sites_next(NULL, &info), -LPK_EINVAL);
	assert_int_equal(lpk_sites_next(&sites, NULL), -LPK_EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_control_each_keyword_chooses, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_control_later_queries_decide, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_control_bad_query_changes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_control_full_table_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_control_applies_to_sites_used_later, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_sites_next_lists_what_was_used, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
