/* SPDX-License-Identifier: MIT */
/*
 * The renderer with formats and arguments that do not belong together: nothing
 * beyond the arguments is read, and each text comes to an end.
 *
 * LPK_SEED gives a run's seed back.
 */
#include "core/record.h"
#include "core/render.h"
#include "fixture.h"

#define COUNT 200000

static uint64_t seed;

/* Copies that end where their memory does. */
static void *
exactly(const void *from, size_t bytes)
{
	void *to = malloc(bytes != 0 ? bytes : 1);

	assert_non_null(to);
	memcpy(to, from, bytes);
	return to;
}

static void
render(char *text, size_t size, const char *format, uint32_t count,
    const void *packed, size_t bytes)
{
	unsigned char *copy = exactly(packed, bytes);
	struct lpk__out out;

	lpk__out_init(&out, text, size);
	lpk__render_packed(&out, format, NULL, count, copy, bytes);
	lpk__out_finish(&out);
	free(copy);
}

static void
expect_packed(const char *format, uint32_t count, const void *packed,
    size_t bytes, const char *want)
{
	char text[256];

	render(text, sizeof(text), format, count, packed, bytes);
	assert_string_equal(text, want);
}

/* Words, and the bytes behind them. */
struct packed {
	uint64_t words[2];
	char bytes[16];
};

static void
test_render_packed_arguments_are_shown(void **state)
{
	static const struct packed numbers = {{7, (uint64_t)-8}, ""};
	static const struct packed texts = {{3, 4}, "abc\0\0\0\0\0defg"};
	static const struct packed null = {{LPK__BYTES_NULL, 1}, "x"};

	(void)state;
	expect_packed("%d %lld", 2, &numbers, 16, "7 -8");
	expect_packed("%*d", 2, &numbers, 16, "     -8");
	expect_packed("<%s> <%s>", 2, &texts, 28, "<abc> <defg>");
	expect_packed("<%s> <%s>", 2, &null, 17, "<(null)> <x>");
}

static void
test_render_missing_arguments_are_marked(void **state)
{
	static const struct packed words = {{7, 300}, "a"};

	(void)state;
	expect_packed("%d %d %s", 1, &words, 8, "7 %!d %!s");
	expect_packed("%d", 0, &words, 0, "%!d");
	expect_packed("%*d", 1, &words, 8, "%!*d");
	expect_packed("%d", 1, &words, 7, "%!d");
	expect_packed("%d %d", UINT32_MAX, &words, 8, "7 %!d");
	expect_packed("%s", 0, &words, 0, "%!s");
	expect_packed("%d %s", 2, &words, 17, "7 %!s");
	expect_packed("a %y %d", 1, &words, 8, "a %!y %!d");
}

static void
test_render_fewer_bytes_than_the_format_wants_is_safe(void **state)
{
	static const struct packed dump = {{64, 2}, "\1\2"};
	char text[512];

	(void)state;
	render(text, sizeof(text), "%*ph|%pU", 2, &dump, 18);
	assert_string_equal(text, "%!*ph|%!pU");
}

static void
test_render_format_ends_where_it_is_told(void **state)
{
	struct lpk__out out;
	char text[64], *format = exactly("ends%d here", 6);

	(void)state;
	lpk__out_init(&out, text, sizeof(text));
	lpk__render_packed(
	    &out, format, format + 6, 0, (const unsigned char *)"", 0);
	lpk__out_finish(&out);
	free(format);
	assert_string_equal(text, "ends%!d");
}

/* Whatever does not fit is left out, to the byte. */
static void
test_render_text_of_any_size_is_the_beginning(void **state)
{
	static const char format[] = "a longer run of text, %d, %s%% and more";
	static const struct packed values = {{(uint64_t)-12, 10}, "0123456789"};
	char whole[128], part[128];
	size_t size, kept, length, i;
	struct lpk__out out;

	(void)state;
	expect_packed(format, 2, &values, 26,
	    "a longer run of text, -12, 0123456789% and more");
	render(whole, sizeof(whole), format, 2, &values, 26);
	length = strlen(whole);
	for (size = 0; size <= length + 10; size++) {
		memset(part, '#', sizeof(part));
		lpk__out_init(&out, part, size);
		lpk__render_packed(&out, format, format + sizeof(format), 2,
		    (const unsigned char *)&values, 26);
		lpk__out_finish(&out);
		assert_int_equal(out.len, length);
		kept = size > length ? length : size != 0 ? size - 1 : 0;
		assert_memory_equal(part, whole, kept);
		if (size != 0)
			assert_int_equal(part[kept], '\0');
		for (i = size; i < sizeof(part); i++)
			assert_int_equal(part[i], '#');
	}
}

static char
random_char(uint64_t *state)
{
	static const char chars[] = "%%%%%%%.*0123456789-+# sdxufegacpnhlLqjzt"
				    "IiMmUeRCDNbB46x ";

	return chars[test_random(state) % (sizeof(chars) - 1)];
}

static void
test_render_random_formats_and_bytes_are_safe(void **state)
{
	char format[65], text[129];
	unsigned char packed[128], plan[LPK__PLAN_ARGUMENTS];
	char *exact_format;
	unsigned char *exact;
	struct lpk__out out;
	size_t i, j, bytes, length;
	bool words;

	(void)state;
	for (i = 0; i < COUNT; i++) {
		length = test_random(&seed) % 64;
		for (j = 0; j < length; j++)
			format[j] = random_char(&seed);
		format[length] = '\0';
		bytes = test_random(&seed) % sizeof(packed);
		for (j = 0; j < bytes; j++)
			packed[j] = (unsigned char)(test_random(&seed) %
			    (test_random(&seed) % 4 != 0 ? 16 : 256));
		exact_format = exactly(format, length + 1);
		exact = exactly(packed, bytes);
		lpk__out_init(&out, text, sizeof(text) - 1);
		text[sizeof(text) - 1] = 'C';
		lpk__render_packed(&out, exact_format,
		    test_random(&seed) % 2 ? exact_format + length : NULL,
		    test_random(&seed) % 20, exact, bytes);
		lpk__out_finish(&out);
		assert_int_equal(text[sizeof(text) - 1], 'C');
		assert_true(strlen(text) < sizeof(text) - 1);
		(void)lpk__plan_make(plan, exact_format,
		    test_random(&seed) % (LPK__PLAN_ARGUMENTS + 1), &words);
		free(exact_format);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_render_packed_arguments_are_shown),
	    cmocka_unit_test(test_render_missing_arguments_are_marked),
	    cmocka_unit_test(
		test_render_fewer_bytes_than_the_format_wants_is_safe),
	    cmocka_unit_test(test_render_text_of_any_size_is_the_beginning),
	    cmocka_unit_test(test_render_format_ends_where_it_is_told),
	    cmocka_unit_test(test_render_random_formats_and_bytes_are_safe),
	};

	seed = test_seed();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
