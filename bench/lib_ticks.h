/* SPDX-License-Identifier: MIT */
/*
 * lib_ticks.h - the clock that calls are timed with.
 *
 * On x86 it is the time stamp counter, read by rdtscp: what came before has
 * been executed when it is read, what follows may already have begun. Between
 * two readings in a row lies their own cost, which bench_clock_init() measures
 * and the report takes off.
 */
#ifndef BENCH_LIB_TICKS_H
#define BENCH_LIB_TICKS_H

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__) || defined(__i386__)
#define BENCH_TICKS_NAME "rdtscp"

static inline uint64_t
bench_ticks(void)
{
	uint32_t low, high, cpu;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(cpu)::"memory");
	return (uint64_t)high << 32 | low;
}

static inline void
bench_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}
#else
#define BENCH_TICKS_NAME "clock_gettime(CLOCK_MONOTONIC)"

static inline uint64_t
bench_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void
bench_relax(void)
{
	__asm__ volatile("" ::: "memory");
}
#endif

/* What comes before is not thrown away, and not moved behind. */
static inline void
bench_keep(void)
{
	__asm__ volatile("" ::: "memory");
}

#endif /* BENCH_LIB_TICKS_H */
