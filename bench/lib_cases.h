/* SPDX-License-Identifier: MIT */
/*
 * lib_cases.h - cases: one call, timed in several ways by one thread or by
 * two, in turn with all other cases.
 *
 *   singles  a reading of the clock between every two calls
 *   batches  20 calls between two readings, one batch after the other
 *   bursts   20 calls between two readings, then a pause: the published
 *            harness, call_site_latency of logger_benchmarks
 */
#ifndef BENCH_LIB_CASES_H
#define BENCH_LIB_CASES_H

#include <lpk/log.h>

#include "lib_bench.h"

#define BENCH_BURST 20
#define BENCH_STAMPS 1000
#define BENCH_WARM_UP 100000

/* What a burst of a case costs its pause. */
#define BENCH_PAUSE_NS 2000000 /* and up to a tenth more, at random */

struct bench_case {
	const char *group;
	const char *name;
	const char *note;
	/* Make calls number @from and on. */
	void (*loop)(unsigned long from, unsigned long count);
	/* The same, and read the clock before each and after the last. */
	void (*stamp)(
	    uint64_t *stamps, unsigned long from, unsigned long count);
	unsigned int threads;  /* 0: one */
	bool one_lane;         /* for both */
	struct lpk_log *log;   /* whose accounts must agree; NULL: none */
	void (*begin)(void);   /* before the case's turn, on the first CPU */
	uint64_t (*end)(void); /* after it; returns what was lost */
	unsigned int batch;    /* calls in a batch; 0: BENCH_BURST */
	bool no_singles;
	bool no_batches;
	unsigned long warm_up;              /* calls; 0: BENCH_WARM_UP */
	unsigned long pause_ns;             /* 0: no bursts */
	unsigned long bursts, bursts_quick; /* 0: 5000 and 250 */
	struct bench_target singles_target[BENCH_TARGETS];
	struct bench_target batches_target;
	struct bench_target bursts_target;
};

/**
 * BENCH_CALL() - Define name_loop() and name_stamp() around a statement.
 *
 * The statement may use i, the number of the call, and integer, wide and
 * real, which differ in each call.
 */
#define BENCH_CALL(name, ...)                                                  \
	static void name##_once(unsigned long i, int integer, int64_t wide,    \
	    double real) __attribute__((always_inline));                       \
	static inline void name##_once(                                        \
	    unsigned long i, int integer, int64_t wide, double real)           \
	{                                                                      \
		(void)i;                                                       \
		(void)integer;                                                 \
		(void)wide;                                                    \
		(void)real;                                                    \
		__VA_ARGS__;                                                   \
		bench_keep();                                                  \
	}                                                                      \
	static void name##_loop(unsigned long from, unsigned long count)       \
	{                                                                      \
		unsigned long i;                                               \
                                                                               \
		for (i = from; i < from + count; i++)                          \
			name##_once(i, (int)i, (int64_t)i * 3, (double)i / 2); \
	}                                                                      \
	static void name##_stamp(                                              \
	    uint64_t *stamps, unsigned long from, unsigned long count)         \
	{                                                                      \
		unsigned long i;                                               \
                                                                               \
		for (i = from; i < from + count; i++) {                        \
			*stamps++ = bench_ticks();                             \
			name##_once(i, (int)i, (int64_t)i * 3, (double)i / 2); \
		}                                                              \
		*stamps = bench_ticks();                                       \
	}

#define BENCH_USES(name) .loop = name##_loop, .stamp = name##_stamp

/* The lane that the running case gave to this thread. */
extern __thread uint32_t bench_lane;

/** bench_cases() - Measure all of them in turn, in rounds; add the figures. */
void bench_cases(const struct bench_case *cases, size_t count);

#endif /* BENCH_LIB_CASES_H */
