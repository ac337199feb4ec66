/* SPDX-License-Identifier: MIT */
/*
 * The dictionary of call sites in a log's region: full, shared, moved, and in
 * the hands of somebody who writes over it.
 *
 * LPK_SEED gives a run's seed back, LPK_FUZZ_COUNT sets how many images with
 * changed bytes are read.
 */
#include "core/dict.h"
#include "core/site.h"
#include "fixture.h"

#include "../fuzz/dict_fuzz.h"

#define DEFAULT_COUNT 200000
#define FULL_TEXT "is full"

static uint64_t seed;

static void
make_site(struct lpk_site *site, const char *format)
{
	*site = (struct lpk_site){.format = format,
	    .subsystem = "sub",
	    .file = "dir/file.c",
	    .function = "func",
	    .line = 42,
	    .level = LPK_ERR};
}

static unsigned int
kind_of(const struct lpk_site *site)
{
	return (unsigned int)(site->entry & LPK__SITE_KIND_MASK);
}

static void
log_number(struct lpk_log *log, struct lpk_site *site, int number)
{
	const uint64_t words[] = {LPK__ARG(number)};

	lpk__log(log, site, site->format, words, 1);
}

static void
expect_number(struct lpk_reader *reader, int number)
{
	char want[32];
	struct got got;

	snprintf(want, sizeof(want), "%d", number);
	expect_text(reader, &got, want);
}

static void
test_dict_entry_is_found_with_all_its_strings(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 4096, 2, 1);
	struct lpk__place place;
	struct lpk_site site;
	uint32_t first, second;

	(void)state;
	make_site(&site, "%d of it");
	first = lpk__dict_enter(log, &site, 0);
	site.prefix = "prefix: ";
	site.subsystem = NULL;
	second = lpk__dict_enter(log, &site, 0);
	assert_true(first != 0 && second > first);
	assert_true(lpk__dict_find(
	    &place, lpk__dict(log), log->geometry.dict_bytes, first));
	assert_string_equal(place.format, "%d of it");
	assert_string_equal(place.prefix, "");
	assert_string_equal(place.subsystem, "sub");
	assert_string_equal(place.file, "dir/file.c");
	assert_string_equal(place.function, "func");
	assert_int_equal(place.line, 42);
	assert_int_equal(place.level, LPK_ERR);
	assert_true(lpk__dict_find(
	    &place, lpk__dict(log), log->geometry.dict_bytes, second));
	assert_string_equal(place.prefix, "prefix: ");
	assert_string_equal(place.subsystem, "");
	assert_false(lpk__dict_find(
	    &place, lpk__dict(log), log->geometry.dict_bytes, 0));
	assert_false(lpk__dict_find(
	    &place, lpk__dict(log), log->geometry.dict_bytes, first + 1));
	assert_false(lpk__dict_find(
	    &place, lpk__dict(log), log->geometry.dict_bytes, UINT32_MAX));
	small_log_free(&small);
}

static void
test_dict_long_strings_keep_what_tells_most(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 16384, 2, 1);
	struct lpk__place place;
	struct lpk_site site;
	char path[300], name[300];

	(void)state;
	memset(path, '/', sizeof(path));
	strcpy(path + 250, "end.c");
	memset(name, 'n', sizeof(name));
	name[299] = '\0';
	make_site(&site, "f");
	site.file = path;
	site.function = name;
	assert_true(lpk__dict_find(&place, lpk__dict(log),
	    log->geometry.dict_bytes, lpk__dict_enter(log, &site, 0)));
	assert_int_equal(strlen(place.file), 128);
	assert_string_equal(place.file + 123, "end.c");
	assert_int_equal(strlen(place.function), 102);
	small_log_free(&small);
}

static void
test_dict_full_stores_text_and_says_so_once(void **state)
{
	enum { SITES = 100 };
	static struct lpk_site sites[SITES];
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 16384, 2, 1);
	struct lpk_reader reader;
	uint32_t texts = 0, said = 0;
	struct got got;
	int i, round;

	(void)state;
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < SITES; i++) {
			if (round == 0)
				make_site(&sites[i], "%d");
			log_number(log, &sites[i], i);
			texts += kind_of(&sites[i]) == LPK__SITE_TEXT;
		}
	}
	for (i = 0; i < 3 * SITES;) {
		assert_int_equal(next(&reader, &got), LPK_OK);
		if (strstr(got.text, FULL_TEXT) != NULL) {
			said++;
			assert_non_null(strstr(got.text, "\"small\""));
			assert_int_equal(got.record.level, LPK_NOTICE);
		} else {
			assert_int_equal(atoi(got.text), i++ % SITES);
		}
	}
	expect_end(&reader);
	assert_true(texts > 0 && texts < 3 * SITES);
	assert_int_equal(said, 1);
	small_log_free(&small);
}

static void
test_dict_none_at_all_stores_text(void **state)
{
	struct small_log small;
	struct lpk_log *log;
	struct lpk_reader reader;
	struct lpk_site site;
	struct got got;

	(void)state;
	/* An eighth of so little is less than any entry. */
	log = small_log_make(&small, 2048, 2, 1);
	log->geometry.dict_bytes = 0;
	make_site(&site, "%d");
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	log_number(log, &site, 1);
	log_number(log, &site, 2);
	assert_int_equal(next(&reader, &got), LPK_OK);
	assert_non_null(strstr(got.text, FULL_TEXT));
	expect_number(&reader, 1);
	expect_number(&reader, 2);
	expect_end(&reader);
	small_log_free(&small);
}

static void
test_dict_two_logs_in_turn_at_one_site_are_both_right(void **state)
{
	struct small_log small[2];
	struct lpk_reader readers[2];
	struct lpk_site site;
	int i;

	(void)state;
	make_site(&site, "%d");
	for (i = 0; i < 2; i++) {
		small_log_make(&small[i], 4096, 2, 1);
		lpk_reader_open(&readers[i], &small[i].log, LPK_SEEK_OLDEST);
	}
	for (i = 0; i < 100; i++) {
		log_number(&small[i & 1].log, &site, i);
		expect_number(&readers[i & 1], i);
	}
	/* Of which not each has left an entry. */
	for (i = 0; i < 2; i++) {
		assert_true(lpk__head(&small[i].log)->dict_used < 400);
		small_log_free(&small[i]);
	}
}

static void
test_dict_log_made_anew_in_the_same_memory_has_its_own(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 4096, 2, 1);
	struct lpk_reader reader;
	struct lpk_site first, second;
	int i;

	(void)state;
	make_site(&first, "%d");
	for (i = 0; i < 10; i++) {
		/* Another entry where the first site's was. */
		make_site(&second, "other %d");
		lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
		if (i & 1) {
			struct got got;

			log_number(log, &second, 1);
			expect_text(&reader, &got, "other 1");
		}
		log_number(log, &first, i);
		expect_number(&reader, i);
		assert_int_equal(
		    lpk_log_init(log, "again", small.memory,
			LPK_REGION_BYTES(4096, 2) + LPK_CACHE_LINE, 4096, 2, 1),
		    LPK_OK);
	}
	small_log_free(&small);
}

static void
test_dict_unknown_number_is_said(void **state)
{
	struct small_log small;
	struct lpk_log *log = small_log_make(&small, 4096, 2, 1);
	struct lpk_reader reader;
	struct lpk_site site;
	struct got got;

	(void)state;
	make_site(&site, "%d");
	log_number(log, &site, 1);
	memset(log->region + LPK_HEAD_BYTES, 0, 64);
	lpk_reader_open(&reader, log, LPK_SEEK_OLDEST);
	expect_text(&reader, &got, "(message of an unknown call site)");
	assert_null(got.record.file);
	small_log_free(&small);
}

/* A place that somebody who wants to do harm would choose. */
static size_t
choose_place(uint64_t *state)
{
	size_t bytes = dict_fuzz_bytes();
	size_t dict = LPK__DICT_BYTES(2048, 4), block;

	switch (test_random(state) % 4) {
	case 0: /* the dictionary: its first entries */
		return LPK_HEAD_BYTES + test_random(state) % (dict / 2);
	case 1: /* a block's words and its first commit words */
		block = test_random(state) % 4;
		return LPK_HEAD_BYTES + dict + block * 2048 +
		    test_random(state) % 256;
	case 2: /* the head, its clock above all */
		return test_random(state) % 512;
	default:
		return test_random(state) % bytes;
	}
}

static void
choose_edit(struct dict_fuzz_edit *edit, uint64_t *state)
{
	static const uint64_t values[] = {0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff,
	    0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
	    0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	    0x7964616f, '%', 0x7325, 0x6625, 0x68702a25, 0x3439393925,
	    0x732a2e2a25};
	size_t at = choose_place(state);
	uint64_t value;

	value = values[test_random(state) % (sizeof(values) / sizeof(*values))];
	if (test_random(state) % 4 == 0)
		value = test_random(state);
	/* Half of them where numbers are. */
	if (test_random(state) % 2 != 0)
		at &= ~(size_t)3;
	edit->at_low = (uint16_t)at;
	edit->at_high = (uint8_t)(at >> 16);
	edit->how = (uint8_t)(test_random(state) % 8);
	memcpy(edit->value, &value, sizeof(value));
}

static void
test_dict_hostile_image_is_read_to_its_end(void **state)
{
	const char *given = getenv("LPK_FUZZ_COUNT");
	unsigned long count = given ? strtoul(given, NULL, 0) : DEFAULT_COUNT;
	struct dict_fuzz_edit edits[8];
	unsigned long i;
	uint32_t j, used;

	(void)state;
	for (i = 0; i < count; i++) {
		/* From here on, so that one can be had again by its number. */
		uint64_t random = seed + i * UINT64_C(0x9e3779b97f4a7c15);

		used = 1 + test_random(&random) % 8;
		for (j = 0; j < used; j++)
			choose_edit(&edits[j], &random);
		LLVMFuzzerTestOneInput(
		    (const unsigned char *)edits, used * sizeof(edits[0]));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dict_entry_is_found_with_all_its_strings),
	    cmocka_unit_test(test_dict_long_strings_keep_what_tells_most),
	    cmocka_unit_test(test_dict_full_stores_text_and_says_so_once),
	    cmocka_unit_test(test_dict_none_at_all_stores_text),
	    cmocka_unit_test(
		test_dict_two_logs_in_turn_at_one_site_are_both_right),
	    cmocka_unit_test(
		test_dict_log_made_anew_in_the_same_memory_has_its_own),
	    cmocka_unit_test(test_dict_unknown_number_is_said),
	    cmocka_unit_test(test_dict_hostile_image_is_read_to_its_end),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
