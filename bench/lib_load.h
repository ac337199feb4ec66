/* SPDX-License-Identifier: MIT */
/*
 * lib_load.h - producers: threads that log lines at a rate, or as fast as they
 * can, and measure each call.
 */
#ifndef BENCH_LIB_LOAD_H
#define BENCH_LIB_LOAD_H

#include "lib_tally.h"

#define BENCH_PRODUCERS_MAX 16
/* Calls of each producer before it is measured; nothing prints them. */
#define BENCH_LOAD_WARM_UP 1000

struct bench_load {
	/* Log BENCH_LINE with these. */
	void (*call)(unsigned int source, unsigned int number, uint64_t ticks);
	unsigned int producers;
	double rate;        /* lines a second of all together; 0: flat out */
	uint64_t ns;        /* how long; 0: until the calls are made */
	unsigned long most; /* calls of each; 0: no bound */
};

struct bench_load_result {
	struct bench_hist call; /* ticks */
	struct bench_usage usage;
	uint64_t calls;
	uint64_t began_ns, ended_ns;
	uint64_t ended;    /* ticks */
	unsigned int last; /* who ended then */
	unsigned int numbers[BENCH_PRODUCERS_MAX];
};

/**
 * bench_load_prepare() - Start the threads and warm them up.
 *
 * Thread i runs on the CPU i modulo their number.
 */
void bench_load_prepare(const struct bench_load *load);

/** bench_load_run() - Let them go, and wait for them. */
void bench_load_run(struct bench_load_result *result);

#endif /* BENCH_LIB_LOAD_H */
