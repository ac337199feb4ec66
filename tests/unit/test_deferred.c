/* SPDX-License-Identifier: MIT */
/*
 * Deferred records: the text that a reader renders is, byte for byte, the text
 * that the call would have rendered.
 *
 * LPK_SEED gives a run's seed back, LPK_DEFERRED_COUNT sets the number of
 * random calls.
 */
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#include <lpk/format.h>

#include "core/message.h"
#include "core/render.h"
#include "core/site.h"
#include "fixture.h"
#include "sample.h"

#define DEFAULT_COUNT 250000
#define BLOCK 8192
#define TEXTS 512
#define CUT_MARK "<truncated>"

static struct small_log small;
static struct lpk_log *ring;
static struct lpk_reader reader;
static uint32_t deferred, rendered;

static void
log_afresh(void)
{
	assert_int_equal(
	    lpk_log_init(&small.log, "small", small.memory,
		LPK_REGION_BYTES(BLOCK, 4) + LPK_CACHE_LINE, BLOCK, 4, 1),
	    LPK_OK);
	lpk_reader_open(&reader, ring, LPK_SEEK_OLDEST);
}

static int
setup(void **state)
{
	(void)state;
	ring = small_log_make(&small, BLOCK, 4, 1);
	log_afresh();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	small_log_free(&small);
	return 0;
}

/*
 * What a record of this text reads: cut and marked, or without a newline.
 * Returns its length.
 */
static size_t
as_record(char *text, size_t length)
{
	size_t at = LPK_TEXT_MAX - strlen(CUT_MARK);

	if (length > LPK_TEXT_MAX) {
		while (((unsigned char)text[at] & 0xc0) == 0x80 &&
		    at > LPK_TEXT_MAX - strlen(CUT_MARK) - 3)
			at--;
		strcpy(text + at, CUT_MARK);
		return at + strlen(CUT_MARK);
	}
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	return length;
}

static void
count_kind(const struct lpk_site *site)
{
	if ((site->entry & LPK__SITE_KIND_MASK) == LPK__SITE_TEXT)
		rendered++;
	else
		deferred++;
}

/*
 * The arguments as the macros hand them over, texts moved to where they are
 * overwritten after the call. Returns their number.
 */
static uint32_t
words_of(uint64_t *words, struct sample *s, char (*texts)[TEXTS])
{
	int i;

	for (i = 0; i < s->count; i++) {
		struct sample_slot *slot = &s->slots[i];

		switch (slot->kind) {
		case SLOT_INT:
			words[i] = lpk__arg_signed(slot->i);
			break;
		case SLOT_LLONG:
			words[i] = lpk__arg_signed(slot->ll);
			break;
		case SLOT_DOUBLE:
			words[i] = lpk__arg_double(slot->d);
			break;
		default:
			if (slot->is_text && slot->p != NULL)
				slot->p = strcpy(texts[i], slot->p);
			words[i] = lpk__arg_pointer(slot->p);
			break;
		}
	}
	return (uint32_t)s->count;
}

static bool
deferred_agrees(struct sample *s)
{
	static char want[65536], texts[SAMPLE_SLOTS][TEXTS];
	struct lpk_site site = {
	    .format = s->fmt, .file = "f.c", .function = "f", .line = 7};
	uint64_t words[SAMPLE_SLOTS];
	uint32_t count = words_of(words, s, texts);
	struct got got;
	size_t length = as_record(
	    want, (size_t)sample_format(lpk_snprintf, want, sizeof(want), s));

	lpk__log(ring, &site, s->fmt, words, count);
	memset(texts, 'X', sizeof(texts));
	count_kind(&site);
	if (next(&reader, &got) != LPK_OK) {
		print_error("nothing to read\n");
		return false;
	}
	/* A '%c' may have put a NUL into the middle. */
	if (got.record.text_bytes == length && got.record.line == 7 &&
	    memcmp(got.text, want, length + 1) == 0)
		return true;
	print_error("want \"%s\"\ngot  \"%s\"\n", want, got.text);
	return false;
}

static void
test_deferred_random_samples_agree_with_direct(void **state)
{
	const char *given = getenv("LPK_DEFERRED_COUNT");
	uint64_t count = given ? strtoull(given, NULL, 0) : DEFAULT_COUNT;
	uint64_t i, wrong = 0;
	struct sample s;

	(void)state;
	for (i = 0; i < count && wrong < 10; i++) {
		if (i % 24 == 0)
			log_afresh();
		sample_make(&s);
		if (!deferred_agrees(&s)) {
			sample_print(&s);
			wrong++;
		}
	}
	printf("%u deferred, %u rendered at the call\n", deferred, rendered);
	assert_int_equal(wrong, 0);
	if (given == NULL)
		assert_true(deferred >= 200000);
	/* The dictionary holds some twenty sites, so some are not. */
	assert_true(rendered > 0);
}

/* Conversions whose bytes are copied, in any order and number. */
struct copied {
	char format[256];
	uint64_t words[2 * LPK__PLAN_ARGUMENTS];
	uint32_t count;
	char bytes[LPK__PLAN_ARGUMENTS][80];
	uint32_t used;
	char want[4096];
	size_t length;
};

static const char *const bytes_formats[] = {"%pI4", "%pi4", "%pI4h", "%pI4l",
    "%pI6", "%pi6", "%pI6c", "%pM", "%pMF", "%pMR", "%pm", "%pmR", "%pU",
    "%pUb", "%pUB", "%pUl", "%pUL", "%20pI4", "%-20pMx", "%40pI6c"};

static void
copied_add(struct copied *c, const char *format, const char *text)
{
	strcat(c->format, format);
	strcat(c->format, ";");
	c->length += (size_t)snprintf(
	    c->want + c->length, sizeof(c->want) - c->length, "%s;", text);
}

static void
add_bytes(struct copied *c)
{
	const char *format = bytes_formats[sample_below(
	    (int)(sizeof(bytes_formats) / sizeof(*bytes_formats)))];
	char *bytes = sample_below(12) ? c->bytes[c->used++] : NULL;
	char text[256];

	lpk_snprintf(text, sizeof(text), format, bytes);
	copied_add(c, format, text);
	c->words[c->count++] = LPK__ARG(bytes);
}

static void
add_dump(struct copied *c)
{
	static const char *const formats[] = {
	    "%*ph", "%*phC", "%*phD", "%*phN", "%.*s", "%*.*s"};
	const char *format = formats[sample_below(6)];
	int count = sample_below(70) - 3, width = sample_below(80) - 40;
	char *bytes = sample_below(12) ? c->bytes[c->used++] : NULL;
	char text[256];

	if (format[2] == '.') {
		lpk_snprintf(text, sizeof(text), format, width, count, bytes);
		c->words[c->count++] = LPK__ARG(width);
	} else {
		lpk_snprintf(text, sizeof(text), format, count, bytes);
	}
	copied_add(c, format, text);
	c->words[c->count++] = LPK__ARG(count);
	c->words[c->count++] = LPK__ARG(bytes);
}

static void
add_word(struct copied *c)
{
	long value = (long)sample_random();
	char text[256];

	lpk_snprintf(text, sizeof(text), "%+ld", value);
	copied_add(c, "%+ld", text);
	c->words[c->count++] = LPK__ARG(value);
}

static void
copied_make(struct copied *c)
{
	size_t i, j;

	c->format[0] = c->want[0] = '\0';
	c->length = c->count = c->used = 0;
	for (i = 0; i < LPK__PLAN_ARGUMENTS; i++) {
		for (j = 0; j < sizeof(c->bytes[i]); j++)
			c->bytes[i][j] = (char)(1 + sample_below(255));
		c->bytes[i][sizeof(c->bytes[i]) - 1] = '\0';
	}
	for (i = (size_t)sample_below(8); i != 0 && c->count < 12; i--) {
		switch (sample_below(3)) {
		case 0:
			add_bytes(c);
			break;
		case 1:
			add_dump(c);
			break;
		default:
			add_word(c);
			break;
		}
	}
}

static void
test_deferred_bytes_are_those_of_the_call(void **state)
{
	static struct copied c;
	struct got got;
	int i;

	(void)state;
	deferred = rendered = 0;
	for (i = 0; i < 50000; i++) {
		struct lpk_site site = {
		    .format = c.format, .file = "f.c", .function = "f"};

		if (i % 16 == 0)
			log_afresh();
		copied_make(&c);
		as_record(c.want, c.length);
		lpk__log(ring, &site, c.format, c.words, c.count);
		memset(c.bytes, 'X', sizeof(c.bytes));
		count_kind(&site);
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_string_equal(got.text, c.want);
	}
	assert_true(deferred > rendered);
}

/* A call and the text that it should read as. */
#define EXPECT(want, ...)                                                      \
	do {                                                                   \
		lpk_printk_to(ring, LPK_ERR, __VA_ARGS__);                     \
		expect_text(&reader, &got, want);                              \
	} while (0)

/* Also compared with the same call of lpk_snprintf(). */
#define SAME(...)                                                              \
	do {                                                                   \
		char want[2048];                                               \
                                                                               \
		lpk_snprintf(want, sizeof(want), __VA_ARGS__);                 \
		EXPECT(want, __VA_ARGS__);                                     \
	} while (0)

enum colour { RED = 3, GREEN };

static void
test_deferred_integers_of_all_widths_agree(void **state)
{
	struct {
		unsigned int three : 3;
		int four : 4;
		uint64_t wide : 40;
	} bits = {5, -3, 7};
	signed char sc = -128;
	unsigned char uc = 255;
	short s = -32768;
	unsigned short us = 65535;
	struct got got;
	char c = 'c';

	(void)state;
	log_afresh();
	SAME("%hhd %hhu %hd %hu %c", sc, uc, s, us, c);
	SAME("%d %u %x %o", INT32_MIN, UINT32_MAX, 0xdeadbeefu, 0777u);
	SAME("%ld %lu", -1L, ~0UL);
	SAME("%lld %llu", INT64_MIN + 0LL, ~0ULL);
	SAME("%zu %zd %td %jd", sizeof(bits), (size_t)-1 / 2, &c - &c,
	    INTMAX_MIN);
	SAME("%d %d %u", bits.three, bits.four, (unsigned int)bits.wide);
	SAME("%d %u", RED, (enum colour)GREEN);
	SAME("%d %d", true, (bool)false);
	SAME("%d", 'x');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
	SAME("%hhx %hx", 0x1234, 0x12345678);
#pragma GCC diagnostic pop
	SAME("%lc|%d", (wint_t)L'x', 1);
}

static void
test_deferred_floats_and_pointers_agree(void **state)
{
	const void *const pc = &state;
	volatile int vi = 4;
	struct got got;
	int *null = NULL;
	float f = 1.5f;

	(void)state;
	log_afresh();
	SAME("%f %g %e %a", f, 0.1, -1e300, 3.0);
	SAME("%Lf %.3Lg", 1.25L, 2.5L);
	SAME("%f %f", 1.0 / 0.0, -0.0);
	SAME("%p %p %p", pc, (const void *)null, (void *)state);
	SAME("%d", vi);
	SAME("%pe %pe", (void *)-2L, (void *)-4095L);
}

static void
test_deferred_texts_are_those_of_the_call(void **state)
{
	char array[8] = "array", raw[4] = {'r', 'a', 'w', '!'};
	unsigned char ip[4] = {10, 0, 0, 1}, mac[6] = {0, 1, 2, 3, 4, 5};
	const char *text = array, *null = NULL;
	struct got got;

	(void)state;
	log_afresh();
	lpk_printk_to(ring, LPK_ERR, "%s %s %.*s %.3s %s", array, text, 4, raw,
	    raw, "literal");
	lpk_printk_to(ring, LPK_ERR, "%pI4 %pM %*ph", (void *)ip, (void *)mac,
	    3, (void *)raw);
	lpk_printk_to(ring, LPK_ERR, "%s %.2s %.*s %pI4 %*ph", null, null, 3,
	    null, (void *)NULL, 4, (void *)NULL);
	memset(array, 'X', sizeof(array) - 1);
	memset(raw, 'X', sizeof(raw));
	memset(ip, 0xff, sizeof(ip));
	memset(mac, 0xff, sizeof(mac));
	expect_text(&reader, &got, "array array raw! raw literal");
	expect_text(&reader, &got, "10.0.0.1 00:01:02:03:04:05 72 61 77");
	expect_text(&reader, &got, "(null)   (null) (null)");
	EXPECT("a", "%.*s", -1, "a");
	EXPECT("[     a]", "[%*s]", 6, "a");
	EXPECT("[a     ]", "[%*s]", -6, "a");
	EXPECT("[   abc]", "[%*.*s]", 6, 3, "abcdef");
	EXPECT("", "%.0s", raw);
	EXPECT("|", "%.*s|", 0, (char *)(uintptr_t)1);
}

/* One text of a call, at each place among the words, two, and a bounded one. */
static void
log_places(const char *text, int length)
{
	char expected[256];
	struct got got;

	lpk_printk_to(ring, LPK_ERR, "%s %d %d", text, 1, 2);
	lpk_printk_to(ring, LPK_ERR, "%d %s %d", 1, text, 2);
	lpk_printk_to(ring, LPK_ERR, "%d %d %s", 1, 2, text);
	lpk_printk_to(ring, LPK_ERR, "%s%s", text, text);
	lpk_printk_to(ring, LPK_ERR, "%d %d %d %d %d %d %d %d %s", 1, 2, 3, 4,
	    5, 6, 7, 8, text);
	lpk_printk_to(ring, LPK_ERR, "%.*s|", length / 2, text);
	snprintf(expected, sizeof(expected), "%s 1 2", text);
	expect_text(&reader, &got, expected);
	snprintf(expected, sizeof(expected), "1 %s 2", text);
	expect_text(&reader, &got, expected);
	snprintf(expected, sizeof(expected), "1 2 %s", text);
	expect_text(&reader, &got, expected);
	snprintf(expected, sizeof(expected), "%s%s", text, text);
	expect_text(&reader, &got, expected);
	snprintf(expected, sizeof(expected), "1 2 3 4 5 6 7 8 %s", text);
	expect_text(&reader, &got, expected);
	snprintf(expected, sizeof(expected), "%.*s|", length / 2, text);
	expect_text(&reader, &got, expected);
}

/* Nothing in front of a text is read, and nothing behind its NUL. */
static void
test_deferred_text_of_any_length_is_copied_alone(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *from = pages + page, *end = from + page;
	int length, i;

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages, page, PROT_NONE), 0);
	assert_int_equal(mprotect(end, page, PROT_NONE), 0);
	log_afresh();
	for (length = 0; length < 80; length++) {
		for (i = 0; i < length; i++)
			from[i] = end[i - length - 1] = (char)('!' + i);
		from[length] = end[-1] = '\0';
		log_places(from, length);
		log_places(end - length - 1, length);
	}
	munmap(pages, 3 * page);
}

static void
test_deferred_zero_to_many_arguments_agree(void **state)
{
	struct got got;

	(void)state;
	log_afresh();
	EXPECT("none", "none");
	EXPECT("100%", "100%%");
	EXPECT("", "%s", "");
	EXPECT("1", "%d", 1);
	EXPECT("1 2", "%d %d", 1, 2);
	EXPECT("1 2 3", "%d %d %d", 1, 2, 3);
	EXPECT("1 2 3 4", "%d %d %d %d", 1, 2, 3, 4);
	EXPECT("12345", "%d%d%d%d%d", 1, 2, 3, 4, 5);
	EXPECT("123456", "%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6);
	EXPECT("1234567", "%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7);
	EXPECT("12345678", "%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8);
	EXPECT("123456789", "%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9);
	EXPECT(
	    "1234567890", "%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 0);
	EXPECT("12345678901", "%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8,
	    9, 0, 1);
	EXPECT("123456789012", "%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7,
	    8, 9, 0, 1, 2);
	EXPECT("1234567890123", "%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6,
	    7, 8, 9, 0, 1, 2, 3);
	EXPECT("12345678901234", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5,
	    6, 7, 8, 9, 0, 1, 2, 3, 4);
	EXPECT("123456789012345", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4,
	    5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5);
	EXPECT("1234567890123456", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3,
	    4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6);
	EXPECT("12345678901234567", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2,
	    3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7);
	EXPECT("12345678901234567a18", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%s%d",
	    1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, "a", 18);
}

static void
test_deferred_format_of_run_time_is_rendered_at_the_call(void **state)
{
	const char *volatile chosen = "chosen %s %d";
	char name[] = "late";
	struct got got;

	(void)state;
	log_afresh();
	/* One site; the second call has another format than the first. */
	for (int i = 0; i < 2; i++) {
		const char *format = chosen;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		lpk_printk_to(ring, LPK_ERR, format, name, 4);
#pragma GCC diagnostic pop
		chosen = "other %s %d";
	}
	memset(name, 'X', sizeof(name) - 1);
	expect_text(&reader, &got, "chosen late 4");
	expect_text(&reader, &got, "other late 4");
}

static void
test_deferred_what_cannot_be_copied_is_rendered_at_the_call(void **state)
{
	char text[200];
	uint64_t words[4];
	struct got got;
	static const char *const formats[] = {
	    "%n%d", "%ls %d", "%S %d", "%lc %d", "%y %d", "%d %", "%.200s %d"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct lpk_site site = {
		    .format = formats[i], .file = "", .function = ""};
		char want[1024];

		log_afresh();
		strcpy(text, "text");
		words[0] = LPK__ARG(text);
		words[1] = LPK__ARG(7);
		if (formats[i][1] == 'd')
			words[0] = LPK__ARG(7);
		lpk__log(ring, &site, site.format, words, 2);
		if (formats[i][1] == 'd')
			lpk_snprintf(want, sizeof(want), formats[i], 7);
		else
			lpk_snprintf(want, sizeof(want), formats[i], text, 7);
		strcpy(text, "XXXX");
		expect_text(&reader, &got, want);
		assert_string_equal(text, "XXXX");
		assert_int_equal(
		    site.entry & LPK__SITE_KIND_MASK, LPK__SITE_TEXT);
	}
}

static void
test_deferred_count_that_differs_from_the_format_is_shown(void **state)
{
	struct lpk_site site = {
	    .format = "%d %d|%s", .file = "", .function = ""};
	const uint64_t words[] = {1, 2};
	struct got got;

	(void)state;
	log_afresh();
	lpk__log(ring, &site, site.format, words, 2);
	expect_text(&reader, &got, "1 2|%!s");
	lpk__log(ring, &site, NULL, words, 0);
	expect_text(&reader, &got, "(null format)");
}

static void
test_deferred_long_text_is_cut_and_marked_at_either_place(void **state)
{
	static char text[LPK_TEXT_MAX * 2], want[LPK_TEXT_MAX * 4];
	struct got got;
	size_t length;

	(void)state;
	log_afresh();
	for (length = LPK_TEXT_MAX - 12; length < LPK_TEXT_MAX + 12; length++) {
		memset(text, 'a', length);
		text[length] = '\0';
		/* The argument fits the record, or does not. */
		lpk_printk_to(ring, LPK_ERR, "%s", text);
		as_record(
		    want, (size_t)lpk_snprintf(want, sizeof(want), "%s", text));
		expect_text(&reader, &got, want);
		assert_int_equal((got.record.flags & LPK_RECORD_TRUNCATED) != 0,
		    length > LPK_TEXT_MAX);
		/* Only the text does not. */
		lpk_printk_to(
		    ring, LPK_ERR, "%*s\n", (int)length, "\xc3\xa9\xc3\xa9");
		as_record(want,
		    (size_t)lpk_snprintf(want, sizeof(want), "%*s\n",
			(int)length, "\xc3\xa9\xc3\xa9"));
		expect_text(&reader, &got, want);
	}
}

static void
test_deferred_small_buffer_does_not_consume(void **state)
{
	struct lpk_record record;
	struct got got;
	char text[8];

	(void)state;
	log_afresh();
	lpk_printk_to(ring, LPK_ERR, "%08d", 7);
	assert_int_equal(
	    lpk_reader_next(&reader, &record, text, sizeof(text)), -LPK_ENOSPC);
	assert_int_equal(
	    lpk_reader_next(&reader, &record, text, 1), -LPK_ENOSPC);
	expect_text(&reader, &got, "00000007");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_deferred_random_samples_agree_with_direct),
	    cmocka_unit_test(test_deferred_bytes_are_those_of_the_call),
	    cmocka_unit_test(test_deferred_integers_of_all_widths_agree),
	    cmocka_unit_test(test_deferred_floats_and_pointers_agree),
	    cmocka_unit_test(test_deferred_texts_are_those_of_the_call),
	    cmocka_unit_test(test_deferred_text_of_any_length_is_copied_alone),
	    cmocka_unit_test(test_deferred_zero_to_many_arguments_agree),
	    cmocka_unit_test(
		test_deferred_format_of_run_time_is_rendered_at_the_call),
	    cmocka_unit_test(
		test_deferred_what_cannot_be_copied_is_rendered_at_the_call),
	    cmocka_unit_test(
		test_deferred_count_that_differs_from_the_format_is_shown),
	    cmocka_unit_test(
		test_deferred_long_text_is_cut_and_marked_at_either_place),
	    cmocka_unit_test(test_deferred_small_buffer_does_not_consume),
	};

	sample_seed = test_seed();
	return cmocka_run_group_tests(tests, setup, teardown);
}
