/* SPDX-License-Identifier: MIT */
/*
 * First use of a call site: what is planned and entered, and a handler that
 * uses the same site first while its first use is under way.
 */
#include "core/dict.h"
#include "core/message.h"
#include "core/site.h"
#include "fixture.h"

static struct small_log small;
static struct lpk_log *ring;
static struct lpk_reader reader;

static int
setup(void **state)
{
	(void)state;
	ring = small_log_make(&small, 4096, 4, 1);
	return lpk_reader_open(&reader, ring, LPK_SEEK_OLDEST);
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

static struct lpk_site
new_site(const char *format)
{
	return (struct lpk_site){.format = format,
	    .subsystem = "sub",
	    .file = "file.c",
	    .function = "func",
	    .line = 7,
	    .level = LPK_ERR};
}

static unsigned long
kind(unsigned long entry)
{
	return entry & LPK__SITE_KIND_MASK;
}

static void
log_two(struct lpk_site *site, int number, const char *text)
{
	const uint64_t words[] = {LPK__ARG(number), LPK__ARG(text)};

	lpk__log(ring, site, site->format, words, 2);
}

static void
test_site_kind_follows_from_the_format(void **state)
{
	static const struct {
		const char *format;
		int count;
		unsigned long kind;
	} cases[] = {
	    {"none", 0, LPK__SITE_WORDS},
	    {"%d %f %p %c", 4, LPK__SITE_WORDS},
	    {"%*d", 2, LPK__SITE_WORDS},
	    {"%d %s", 2, LPK__SITE_PACKED},
	    {"%pI6c", 1, LPK__SITE_PACKED},
	    {"%pe", 1, LPK__SITE_WORDS},
	    {"%d", 2, LPK__SITE_TEXT},
	    {"%d %d", 1, LPK__SITE_TEXT},
	    {"%n", 1, LPK__SITE_TEXT},
	    {"%ls", 1, LPK__SITE_TEXT},
	    {"%y", 0, LPK__SITE_TEXT},
	    {"%.128s", 1, LPK__SITE_TEXT},
	    {"%.*ph", 2, LPK__SITE_TEXT},
	    {"%*.*ph", 3, LPK__SITE_TEXT},
	    {"%d", -1, LPK__SITE_TEXT},
	    {NULL, 1, LPK__SITE_TEXT},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lpk_site site = new_site(cases[i].format);
		unsigned long entry =
		    lpk__site_enter(ring, &site, cases[i].count);

		assert_int_equal(kind(entry), cases[i].kind);
		assert_int_equal(site.entry, entry);
		assert_int_not_equal(lpk__entry_number(entry), 0);
	}
}

static void
test_site_entered_again_keeps_its_entry(void **state)
{
	struct lpk_site site = new_site("%d");
	unsigned long entry = lpk__site_enter(ring, &site, 1);
	unsigned long used = lpk__head(ring)->dict_used;

	(void)state;
	assert_int_equal(lpk__site_enter(ring, &site, 1), entry);
	assert_int_equal(lpk__head(ring)->dict_used, used);
}

/*
 * Steps of a first use, with a whole first use of the same site between them:
 * the one that was interrupted has read the site when it was new, and goes on
 * as if it still were.
 */
static void
test_site_first_use_within_a_first_use_renders_both(void **state)
{
	struct lpk_site site = new_site("%d %s"), before = site;
	struct lpk__place place;
	unsigned long outer, inner;
	struct got got;

	(void)state;
	/* The handler. */
	log_two(&site, 1, "inner");
	inner = site.entry;
	/* The call that it interrupted, of which the exchange fails. */
	before.entry = 0;
	outer = lpk__site_enter(ring, &before, 2);
	assert_int_not_equal(
	    lpk__entry_number(outer), lpk__entry_number(inner));
	assert_int_equal(kind(outer), kind(inner));
	assert_memory_equal(site.plan, before.plan, sizeof(site.plan));
	/* Its record may have either number. */
	site.entry = outer;
	log_two(&site, 2, "outer");
	site.entry = inner;
	log_two(&site, 3, "later");
	expect_text(&reader, &got, "1 inner");
	expect_text(&reader, &got, "2 outer");
	assert_string_equal(got.record.file, "file.c");
	expect_text(&reader, &got, "3 later");
	assert_true(lpk__dict_find(&place, lpk__dict(ring),
	    ring->geometry.dict_bytes, lpk__entry_number(outer)));
	assert_string_equal(place.format, "%d %s");
}

/* A handler between the reservation in the dictionary and the mark. */
static void
test_site_entry_without_its_mark_is_not_found(void **state)
{
	struct lpk_site first = new_site("%d %s"), second = first;
	struct lpk__place place;
	struct lpk__entry *entry;
	uint32_t number;
	struct got got;

	(void)state;
	number = lpk__dict_enter(ring, &first, 0);
	entry = (struct lpk__entry *)(void *)(ring->region + LPK_HEAD_BYTES +
	    (number - 1) * 8);
	entry->commit = 0;
	assert_false(lpk__dict_find(
	    &place, lpk__dict(ring), ring->geometry.dict_bytes, number));
	log_two(&second, 1, "handler");
	expect_text(&reader, &got, "1 handler");
	entry->commit = LPK__ENTRY_MARK;
	assert_true(lpk__dict_find(
	    &place, lpk__dict(ring), ring->geometry.dict_bytes, number));
}

static void
test_site_moves_three_times_and_then_stays(void **state)
{
	struct lpk_site site = new_site("%d %s");
	struct small_log others[6];
	unsigned long entry;
	int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		small_log_make(&others[i], 4096, 2, 1);
		entry = lpk__site_enter(&others[i].log, &site, 2);
		if (i <= (int)LPK__SITE_MOVES_MAX)
			assert_int_not_equal(entry, 0);
		else
			assert_int_equal(entry, 0);
	}
	for (i = 0; i < 6; i++) {
		struct lpk_reader other;
		struct got got;

		ring = &others[i].log;
		lpk_reader_open(&other, ring, LPK_SEEK_OLDEST);
		log_two(&site, i, "at home or not");
		assert_int_equal(next(&other, &got), LPK_OK);
		assert_int_equal(atoi(got.text), i);
		small_log_free(&others[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_site_kind_follows_from_the_format, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_site_entered_again_keeps_its_entry, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_site_first_use_within_a_first_use_renders_both, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(
		test_site_entry_without_its_mark_is_not_found, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_site_moves_three_times_and_then_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
