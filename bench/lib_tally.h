/* SPDX-License-Identifier: MIT */
/*
 * lib_tally.h - the lines that benchmarks make, and what became of them.
 *
 * A line says who made it, its number, when the call began (ticks), and has a
 * check over these: whoever reads it can tell how long it took, what is
 * missing, and whether it is torn.
 */
#ifndef BENCH_LIB_TALLY_H
#define BENCH_LIB_TALLY_H

#include "lib_bench.h"

#define BENCH_LINE "p=%02x n=%08x t=%016llx c=%08x"
#define BENCH_LINE_BYTES 45 /* without prefix and end of line */
#define BENCH_LINE_ARGS(source, number, ticks)                                 \
	(unsigned int)(source), (unsigned int)(number),                        \
	    (unsigned long long)(ticks),                                       \
	    bench_check((source), (number), (ticks))

/* As the text console has it: "[    5.123456] ", the line, "\n". */
#define BENCH_PREFIX "[%5llu.%06llu] "
#define BENCH_PREFIX_BYTES 15

#define BENCH_SOURCES 128

static inline uint32_t
bench_check(unsigned int source, unsigned int number, uint64_t ticks)
{
	uint64_t mix =
	    ticks ^ (uint64_t)number << 24 ^ source * UINT64_C(40503);

	return (uint32_t)(mix * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* What one source's lines came to. */
struct bench_source {
	uint32_t next;  /* one more than the highest number seen */
	uint32_t lines; /* in all */
	uint32_t tail;  /* in a row without a gap, up to the last */
};

struct bench_tally {
	struct bench_hist visible; /* ticks, from the call until it was seen */
	uint64_t lines;            /* whole ones */
	uint64_t told;     /* losses, by "** N printk messages dropped **" */
	uint64_t behind;   /* lines whose number was passed already */
	uint64_t torn;     /* lines that are none */
	uint64_t replayed; /* by "** replaying previous printk message **" */
	uint64_t words;    /* lines of the library: "lpk: ..." */
	uint64_t last;     /* ticks: when the last line was seen */
	struct bench_source sources[BENCH_SOURCES];
	char carry[256]; /* the beginning of a line */
	size_t carry_bytes;
	char torn_line[128]; /* the first one */
};

void bench_tally_clear(struct bench_tally *tally);

/** bench_tally_add() - Bytes that came out at @ticks. */
void bench_tally_add(struct bench_tally *tally, const char *bytes,
    size_t size_bytes, uint64_t ticks);

#endif /* BENCH_LIB_TALLY_H */
