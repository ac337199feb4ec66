/* SPDX-License-Identifier: MIT */
/*
 * lib_hist.c - the recorder. Values below 256 are kept exactly, larger ones to
 * 0.4 %. (The idea is that of Gil Tene's HdrHistogram, which Debian 12 has no
 * package of for C.)
 */
#include <string.h>

#include "lib_bench.h"

static unsigned int
bucket_of(uint64_t value)
{
	unsigned int shift = 0, at;

	if (value >= BENCH_EXACT)
		shift = 63u - (unsigned int)__builtin_clzll(value) -
		    (BENCH_EXACT_BITS - 1);
	at = shift * (BENCH_EXACT / 2) + (unsigned int)(value >> shift);
	return at < BENCH_BUCKETS ? at : BENCH_BUCKETS - 1;
}

/* The middle of what a bucket holds. */
static double
value_of(unsigned int at)
{
	unsigned int shift = 0;

	if (at < BENCH_EXACT)
		return at;
	shift = at / (BENCH_EXACT / 2) - 1;
	at -= shift * (BENCH_EXACT / 2);
	return ((double)at + 0.5) * (double)(UINT64_C(1) << shift);
}

void
bench_hist_clear(struct bench_hist *hist)
{
	memset(hist, 0, sizeof(*hist));
	hist->min = UINT64_MAX;
}

void
bench_hist_add(struct bench_hist *hist, uint64_t value)
{
	hist->buckets[bucket_of(value)]++;
	hist->count++;
	hist->sum += value;
	if (value < hist->min)
		hist->min = value;
	if (value > hist->max)
		hist->max = value;
}

void
bench_hist_merge(struct bench_hist *hist, const struct bench_hist *from)
{
	unsigned int i;

	for (i = 0; i < BENCH_BUCKETS; i++)
		hist->buckets[i] += from->buckets[i];
	hist->count += from->count;
	hist->sum += from->sum;
	if (from->min < hist->min)
		hist->min = from->min;
	if (from->max > hist->max)
		hist->max = from->max;
}

double
bench_hist_at(const struct bench_hist *hist, double share)
{
	double wanted = share * (double)hist->count;
	uint64_t seen = 0;
	unsigned int i;

	if (share >= 1)
		return (double)hist->max;
	for (i = 0; i < BENCH_BUCKETS; i++) {
		seen += hist->buckets[i];
		if (seen != 0 && (double)seen >= wanted)
			break;
	}
	return value_of(i < BENCH_BUCKETS ? i : BENCH_BUCKETS - 1);
}

double
bench_hist_mean(const struct bench_hist *hist)
{
	return hist->count == 0 ? 0 : (double)hist->sum / (double)hist->count;
}
