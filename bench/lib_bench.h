/* SPDX-License-Identifier: MIT */
/*
 * lib_bench.h - what the benchmarks share: a clock, a recorder that allocates
 * nothing while measuring, threads on CPUs, and the report.
 *
 * A program fills in struct bench_figure, one for each line of its table, and
 * ends with bench_report(). How to read the table is said in bench/README.md.
 */
#ifndef BENCH_LIB_BENCH_H
#define BENCH_LIB_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib_ticks.h"

/* ------------------------------------------------------------------------
 * The clock
 */

struct bench_clock {
	double ns;       /* of a tick */
	double overhead; /* ticks between two readings in a row, mean */
	double step;     /* ticks by which the counter moves on at least */
};

extern struct bench_clock bench_clock;

/** bench_clock_init() - Measure the clock; call it on the CPU to be used. */
void bench_clock_init(void);

/** bench_now_ns() - CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/** bench_spin_ns() - Busy-wait. */
void bench_spin_ns(double ns);

/* ------------------------------------------------------------------------
 * The recorder, in the manner of HdrHistogram: buckets of equal width up to
 * 2^BENCH_EXACT_BITS, then as many again in each power of two.
 */

#define BENCH_EXACT_BITS 8
#define BENCH_EXACT (1u << BENCH_EXACT_BITS)
#define BENCH_BUCKETS (BENCH_EXACT * 20u)

struct bench_hist {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint32_t buckets[BENCH_BUCKETS];
};

/** bench_hist_clear() - Empty it; every page of it is then there. */
void bench_hist_clear(struct bench_hist *hist);
void bench_hist_add(struct bench_hist *hist, uint64_t value);
void bench_hist_merge(struct bench_hist *hist, const struct bench_hist *from);
/** bench_hist_at() - The value that the part @share of all does not exceed. */
double bench_hist_at(const struct bench_hist *hist, double share);
double bench_hist_mean(const struct bench_hist *hist);

/**
 * bench_speed_probe() - See how fast this core is just now.
 *
 * A loop that touches no memory is timed; when the core is shared with another
 * thread of the processor, or is clocked down, it takes longer.
 */
void bench_speed_probe(void);
/** bench_speed_at() - Its time at a share of all probes, by its fastest. */
double bench_speed_at(double share);

/* ------------------------------------------------------------------------
 * The machine
 */

/** bench_pin() - Run the calling thread on one CPU: the @index-th it may use. */
void bench_pin(unsigned int index);
/** bench_cpus() - How many CPUs this process may use. */
unsigned int bench_cpus(void);
/** bench_cpu() - The number of the @index-th of them. */
int bench_cpu(unsigned int index);

/* What the kernel did to the calling thread. */
struct bench_usage {
	uint64_t minor_faults;
	uint64_t major_faults;
	uint64_t preempted; /* involuntary context switches */
};

void bench_usage_now(struct bench_usage *usage);
/** bench_usage_add() - @sum += now - @since. */
void bench_usage_add(struct bench_usage *sum, const struct bench_usage *since);

/** bench_tmpfs() - A folder in memory for output files, or bench/out. */
const char *bench_tmpfs(void);

/* ------------------------------------------------------------------------
 * The report
 */

enum bench_stat { BENCH_MEAN, BENCH_P50, BENCH_P999, BENCH_VALUE };

struct bench_target {
	enum bench_stat stat;
	double limit; /* 0: no target */
	bool at_least;
};

#define BENCH_TARGETS 2

/* A line of the table. Zero is "does not apply". */
struct bench_figure {
	const char *group; /* lines of one group stand together */
	const char *name;
	const char *kind;              /* what one sample is */
	const char *unit;              /* of values; NULL: ns */
	const struct bench_hist *hist; /* ticks for @per calls each, or NULL */
	unsigned int per;              /* calls in a sample */
	double best;      /* ticks: the lowest median of a round; 0: unknown */
	double values[3]; /* where there is no histogram: median, min, max */
	const char *cpus;
	const char *note;   /* behind the name; of a name's first line only */
	const char *remark; /* behind the figures */
	const char *tags;   /* for programs: "key": value, ... as in JSON */
	bool curve;         /* the JSON has the whole distribution, too */
	uint64_t calls;
	uint64_t lost; /* calls - records stored, or not printed */
	uint64_t dropped;
	struct bench_usage usage;
	struct bench_target targets[BENCH_TARGETS];
};

struct bench_options {
	bool quick;
	const char *out; /* folder for results */
	const char *program;
};

extern struct bench_options bench_options;

/** bench_init() - Read QUICK and BENCH_OUT, pin to the first CPU, measure. */
void bench_init(const char *program);
/** bench_count() - How much to do: @full, or @quick in a quick run. */
unsigned long bench_count(unsigned long full, unsigned long quick);
/** bench_note() - A sentence for the head of the report. */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** bench_progress() - Say on the error output what is being done. */
void bench_progress(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
/** bench_add() - A figure for the report; copied. */
void bench_add(const struct bench_figure *figure);
/** bench_ratio() - A line of the report: medians of batches, or values. */
void bench_ratio(const char *name, const char *by);
/** bench_report() - Print the table, write OUT/PROGRAM.json and .txt. */
int bench_report(void);

/** bench_die() - An error of the machine that makes figures impossible. */
void bench_die(const char *what) __attribute__((noreturn));
/** bench_alloc() - Memory whose pages are there, or the end. */
void *bench_alloc(size_t bytes);

/** bench_environment() - Describe machine and build: one "key", value a call. */
void bench_environment(
    void (*say)(void *to, const char *key, const char *value), void *to);

#endif /* BENCH_LIB_BENCH_H */
