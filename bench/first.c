/* SPDX-License-Identifier: MIT */
/*
 * first.c - what is paid once: the first call of a site, which plans its
 * arguments and enters it in the dictionary, and the first pass over a ring
 * whose pages are not there yet.
 *
 * 512 sites, each in a function of its own that never ran before; each is
 * called twice, one site after the other. The default log's ring has gone
 * round before; its dictionary and the sites themselves are untouched memory,
 * so that some of the calls meet a page fault, as in a program.
 */
#include <stdlib.h>

#include <lpk/printk.h>

#include "core/ring.h"
#include "lib_bench.h"
#include "lpk_atomic.h"

#define MESSAGE "Logging int: %d, int: %lld, double: %f"
#define SITES 512
#define PASS 24000

LPK_LOG_DEFINE(fresh_log, 65536, 32, 1);

#define SITE(n)                                                                \
	static __attribute__((noinline)) void site_##n(                        \
	    int integer, long long wide, double real)                          \
	{                                                                      \
		lpk_info(MESSAGE, integer, wide, real);                        \
	}
#define NAME(n) site_##n,
#define EIGHT(DO, n)                                                           \
	DO(n##0)                                                               \
	DO(n##1) DO(n##2) DO(n##3) DO(n##4) DO(n##5) DO(n##6) DO(n##7)
#define EACH_64(DO, n)                                                         \
	EIGHT(DO, n##0)                                                        \
	EIGHT(DO, n##1)                                                        \
	EIGHT(DO, n##2)                                                        \
	EIGHT(DO, n##3)                                                        \
	EIGHT(DO, n##4)                                                        \
	EIGHT(DO, n##5)                                                        \
	EIGHT(DO, n##6)                                                        \
	EIGHT(DO, n##7)
#define EACH(DO)                                                               \
	EACH_64(DO, 0)                                                         \
	EACH_64(DO, 1)                                                         \
	EACH_64(DO, 2)                                                         \
	EACH_64(DO, 3)                                                         \
	EACH_64(DO, 4) EACH_64(DO, 5) EACH_64(DO, 6) EACH_64(DO, 7)

EACH(SITE)

typedef void site_function(int integer, long long wide, double real);

static site_function *const sites[SITES] = {EACH(NAME)};

static void
warm_up(void)
{
	int i;

	for (i = 0; i < 100000; i++)
		lpk_info(MESSAGE, i, i * 3ll, i / 2.0);
}

/* Add the times between readings, and a figure of them. */
static void
add(struct bench_figure *figure, const uint64_t *stamps, size_t count)
{
	struct bench_hist *hist = bench_alloc(sizeof(*hist));
	size_t i;

	bench_hist_clear(hist);
	for (i = 0; i < count; i++)
		bench_hist_add(hist, stamps[i + 1] - stamps[i]);
	figure->hist = hist;
	figure->per = 1;
	figure->kind = "single calls";
	figure->cpus = "0";
	figure->calls = count;
	bench_add(figure);
}

static void
measure_sites(uint64_t *stamps, const char *name, double limit)
{
	struct bench_figure figure = {
	    .group = "5. Deferred: lpk_info(), int, int64, double",
	    .name = name,
	    .targets = {{.stat = BENCH_P50, .limit = limit}},
	};
	struct lpk_log_stats before, after;
	struct bench_usage usage;
	int i;

	lpk_log_stats(lpk_default_log(), &before);
	bench_usage_now(&usage);
	for (i = 0; i < SITES; i++) {
		stamps[i] = bench_ticks();
		sites[i](i, i * 3ll, i / 2.0);
	}
	stamps[i] = bench_ticks();
	bench_usage_add(&figure.usage, &usage);
	lpk_log_stats(lpk_default_log(), &after);
	figure.dropped = after.dropped - before.dropped;
	figure.lost = SITES - (after.stored - before.stored) - figure.dropped;
	add(&figure, stamps, SITES);
}

/* Stays within the ring, so that each page is met for the first time. */
static void
measure_pass(uint64_t *stamps, const char *name)
{
	struct bench_figure figure = {
	    .group = "5. Deferred: lpk_info(), int, int64, double",
	    .name = name,
	    .note = "24000 calls in a row, no call before",
	};
	struct lpk_log_stats before, after;
	struct bench_usage usage;
	int i;

	lpk_log_stats(&fresh_log, &before);
	bench_usage_now(&usage);
	for (i = 0; i < PASS; i++) {
		stamps[i] = bench_ticks();
		lpk_printk_to(
		    &fresh_log, LPK_INFO, MESSAGE, i, i * 3ll, i / 2.0);
	}
	stamps[i] = bench_ticks();
	bench_usage_add(&figure.usage, &usage);
	lpk_log_stats(&fresh_log, &after);
	figure.dropped = after.dropped - before.dropped;
	figure.lost = PASS - (after.stored - before.stored) - figure.dropped;
	add(&figure, stamps, PASS);
}

int
main(void)
{
	uint64_t *stamps;

	bench_init("first");
	stamps = bench_alloc((PASS + 1) * sizeof(*stamps));
	bench_note("warm-up: 100000 calls of another site; none of those "
		   "measured");
	bench_progress("first calls");
	warm_up();
	measure_sites(stamps, "first call of a site", 2000);
	measure_sites(stamps, "second call of it", 0);
	if (lpk_load_relaxed(&lpk__head(lpk_default_log())->dict_full) != 0)
		bench_note("the dictionary was full: not all of this is what "
			   "it says");
	measure_pass(stamps, "first pass over a fresh ring");
	return bench_report();
}
