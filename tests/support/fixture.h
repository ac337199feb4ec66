/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - what the tests of the log share: small logs in memory of their
 * own, readers that say what they got, and a random number that can be had
 * again.
 */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lpk/log.h>
#include <lpk/printk.h>
#include <lpk/reader.h>

/* A log whose memory lasts as long as the variable. */
struct small_log {
	struct lpk_log log;
	void *memory;
};

static inline struct lpk_log *
small_log_make(struct small_log *small, uint32_t block_bytes, uint32_t blocks,
    uint32_t lanes)
{
	size_t size = LPK_REGION_BYTES(block_bytes, blocks) + LPK_CACHE_LINE;

	small->memory = malloc(size);
	assert_non_null(small->memory);
	assert_int_equal(lpk_log_init(&small->log, "small", small->memory, size,
			     block_bytes, blocks, lanes),
	    LPK_OK);
	return &small->log;
}

static inline void
small_log_free(struct small_log *small)
{
	free(small->memory);
	small->memory = NULL;
}

/* A record and its text, as one reader got it. */
struct got {
	struct lpk_record record;
	char text[LPK_TEXT_MAX + 2];
};

static inline int
next(struct lpk_reader *reader, struct got *got)
{
	return lpk_reader_next(
	    reader, &got->record, got->text, sizeof(got->text));
}

static inline void
expect_text(struct lpk_reader *reader, struct got *got, const char *text)
{
	assert_int_equal(next(reader, got), LPK_OK);
	assert_string_equal(got->text, text);
	assert_int_equal(got->record.text_bytes, strlen(text));
}

static inline void
expect_end(struct lpk_reader *reader)
{
	struct got got;

	assert_int_equal(next(reader, &got), -LPK_EAGAIN);
}

/* The random numbers of a test: printed, and given back by LPK_SEED. */
static inline uint64_t
test_seed(void)
{
	const char *given = getenv("LPK_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20240601;

	printf("LPK_SEED=%llu\n", (unsigned long long)seed);
	return seed | 1;
}

/* xorshift64*, by Marsaglia and Vigna. */
static inline uint32_t
test_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * UINT64_C(2685821657736338717) >> 32);
}

#endif /* TESTS_FIXTURE_H */
