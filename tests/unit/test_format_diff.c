/* SPDX-License-Identifier: MIT */
/*
 * The formatter against the libc's snprintf: random formats with random
 * values, cut to random sizes; text, length and the bytes beyond the text have
 * to agree.
 *
 * LPK_SEED gives a run's seed back, LPK_DIFF_COUNT sets the number of pairs.
 */
#include <lpk/format.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sample.h"

#define DEFAULT_COUNT 1000000
#define BUF_SIZE 8192
#define CANARY 0x5a

/* Compares one call, cut to @size; the first @size bytes and the canary. */
static bool
sample_agrees(const struct sample *s, size_t size)
{
	static char want[BUF_SIZE], got[BUF_SIZE];
	int want_len, got_len;
	size_t len, i;

	want_len = sample_format(snprintf, want, size, s);
	memset(got, CANARY, size + 64);
	got_len = sample_format(lpk_snprintf, got, size, s);
	for (i = size; i < size + 64; i++) {
		if (got[i] != CANARY) {
			print_error("wrote past the end, size %zu\n", size);
			return false;
		}
	}
	len = (size_t)want_len < size ? (size_t)want_len + 1 : size;
	if (want_len == got_len && !memcmp(want, got, len))
		return true;
	print_error("size %zu\n  want %d \"%s\"\n  got  %d \"%s\"\n", size,
	    want_len, size ? want : "", got_len, size ? got : "");
	return false;
}

static uint64_t
number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void
test_format_random_samples_agree_with_libc(void **state)
{
	uint64_t count = number_from_env("LPK_DIFF_COUNT", DEFAULT_COUNT);
	uint64_t i, wrong = 0;
	struct sample s;
	size_t size;

	(void)state;
	for (i = 0; i < count && wrong < 10; i++) {
		sample_make(&s);
		size = BUF_SIZE - 64;
		if (sample_below(4) == 0)
			size = (size_t)sample_below(80);
		if (!sample_agrees(&s, size)) {
			sample_print(&s);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format_random_samples_agree_with_libc),
	};

	sample_seed = number_from_env("LPK_SEED", (uint64_t)time(NULL));
	print_message("LPK_SEED=%llu\n", (unsigned long long)sample_seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
