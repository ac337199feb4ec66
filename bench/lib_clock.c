/* SPDX-License-Identifier: MIT */
/*
 * lib_clock.c - how long a tick is, what reading the clock costs, and how
 * coarse it is. Some virtual machines advance the counter in steps of many
 * ticks: the single reading is then no better than the step, and only a mean
 * of many is exact.
 */
#include "lib_bench.h"

#define READINGS 200000
#define PROBES 200
#define PROBE_STEPS 1000

struct bench_clock bench_clock = {1, 0, 1};

static struct bench_hist speed;

uint64_t
bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
bench_spin_ns(double ns)
{
	uint64_t ticks = (uint64_t)(ns / bench_clock.ns);
	uint64_t begin = bench_ticks();

	while (bench_ticks() - begin < ticks)
		bench_relax();
}

static void
measure_rate(void)
{
	uint64_t ns = bench_now_ns(), ticks = bench_ticks();
	uint64_t ns_end, ticks_end;

	do {
		ns_end = bench_now_ns();
		ticks_end = bench_ticks();
	} while (ns_end - ns < 50000000);
	bench_clock.ns = (double)(ns_end - ns) / (double)(ticks_end - ticks);
}

/* The mean of the usual ones: an interrupt between two is not their cost. */
static void
measure_overhead(void)
{
	static uint64_t stamps[READINGS];
	uint64_t sum = 0, count = 0, step = UINT64_MAX, usual;
	size_t i;

	for (i = 0; i < READINGS; i++)
		stamps[i] = bench_ticks();
	for (i = 0; i < READINGS; i++)
		stamps[i] = bench_ticks();
	usual = (stamps[READINGS - 1] - stamps[0]) / READINGS * 4;
	for (i = 1; i < READINGS; i++) {
		uint64_t ticks = stamps[i] - stamps[i - 1];

		if (ticks > usual)
			continue;
		sum += ticks;
		count++;
	}
	bench_clock.overhead = (double)sum / (double)(count != 0 ? count : 1);
	/* Differences are multiples of the step, but for one tick. */
	for (i = 2; i < READINGS; i++) {
		uint64_t a = stamps[i] - stamps[i - 1];
		uint64_t b = stamps[i - 1] - stamps[i - 2];
		uint64_t apart = a > b ? a - b : b - a;

		if (apart > 1 && apart < step)
			step = apart;
	}
	bench_clock.step = step == UINT64_MAX ? 1 : (double)step;
}

/* Multiplications that wait for each other: the core's speed, no memory. */
static uint64_t
probe(uint64_t value)
{
	int i;

	for (i = 0; i < PROBE_STEPS; i++) {
		value = value * 3 + 1;
		__asm__ volatile("" : "+r"(value));
	}
	return value;
}

/* And ones that do not: they share a core with what else runs on it. */
static void
probe_wide(uint64_t value)
{
	uint64_t a = value, b = value, c = value, d = value;
	int i;

	for (i = 0; i < PROBE_STEPS; i++) {
		a += 3;
		b ^= 5;
		c += 7;
		d ^= 9;
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
	}
}

void
bench_speed_probe(void)
{
	uint64_t begin, value = 1;
	int i;

	if (speed.count == 0)
		bench_hist_clear(&speed);
	for (i = 0; i < PROBES; i++) {
		begin = bench_ticks();
		value = probe(value);
		probe_wide(value);
		bench_hist_add(&speed, bench_ticks() - begin);
	}
}

double
bench_speed_at(double share)
{
	double fastest = bench_hist_at(&speed, 0.001);

	return fastest > 0 ? bench_hist_at(&speed, share) / fastest : 0;
}

void
bench_clock_init(void)
{
	bench_speed_probe();
	measure_rate();
	measure_overhead();
}
