/* SPDX-License-Identifier: MIT */
/* Bulk copies into and out of the ring, at every size and alignment. */
#include "fixture.h"

#include <core/words.h>

#define MOST 64

static void
test_words_any_size_and_alignment_comes_back(void **state)
{
	unsigned long words[MOST / sizeof(unsigned long) + 2];
	unsigned char from[MOST + 8], to[MOST + 8];
	size_t bytes, skew, i;

	(void)state;
	for (i = 0; i < sizeof(from); i++)
		from[i] = (unsigned char)(i * 7 + 1);
	for (bytes = 0; bytes <= MOST; bytes++) {
		for (skew = 0; skew < 8; skew++) {
			memset(words, 0xaa, sizeof(words));
			memset(to, 0x55, sizeof(to));
			lpk__words_write(words, from + skew, bytes);
			lpk__words_read(to + skew, words, bytes);
			assert_memory_equal(to + skew, from + skew, bytes);
			/* Not a byte in front of it or behind it. */
			for (i = 0; i < skew; i++)
				assert_int_equal(to[i], 0x55);
			for (i = skew + bytes; i < sizeof(to); i++)
				assert_int_equal(to[i], 0x55);
		}
	}
}

static void
test_words_write_touches_whole_words_only(void **state)
{
	unsigned long words[8];
	size_t bytes, whole, i;

	(void)state;
	for (bytes = 0; bytes <= 4 * sizeof(long); bytes++) {
		memset(words, 0xaa, sizeof(words));
		lpk__words_write(
		    words, "0123456789abcdef0123456789abcdef", bytes);
		whole = (bytes + sizeof(long) - 1) / sizeof(long);
		for (i = bytes; i < whole * sizeof(long); i++)
			assert_int_equal(((unsigned char *)words)[i], 0);
		for (i = whole; i < 8; i++)
			assert_int_equal(words[i], (unsigned long)-1 / 3 * 2);
	}
}

static void
test_words_64_bits_keep_their_bytes(void **state)
{
	static const uint64_t values[] = {0, 1, UINT32_MAX,
	    UINT64_C(0x0123456789abcdef), UINT64_MAX, UINT64_C(1) << 63};
	unsigned long words[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		lpk__write64(words, values[i]);
		assert_true(lpk__read64(words) == values[i]);
		/* Tools read the region's bytes as a uint64_t. */
		assert_memory_equal(words, &values[i], sizeof(values[i]));
	}
}

static void
test_words_pair_lies_in_order(void **state)
{
	const uint32_t first = 0x01020304, second = 0xa5060708;
	unsigned long words[2];

	(void)state;
	lpk__write64(words, lpk__pair(first, second));
	assert_memory_equal(words, &first, 4);
	assert_memory_equal((char *)words + 4, &second, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words_any_size_and_alignment_comes_back),
	    cmocka_unit_test(test_words_write_touches_whole_words_only),
	    cmocka_unit_test(test_words_64_bits_keep_their_bytes),
	    cmocka_unit_test(test_words_pair_lies_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
