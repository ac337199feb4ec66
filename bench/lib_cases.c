/* SPDX-License-Identifier: MIT */
/*
 * lib_cases.c - runs the cases. All of them in turn, several rounds, so that
 * what the machine does meanwhile falls on each. In a round a case is warmed
 * up first; nothing is allocated and no page is touched for the first time
 * while it is measured.
 */
#include <pthread.h>
#include <string.h>

#include <lpk/hosted.h>
#include <lpk/log.h>

#include "lib_cases.h"
#include "lpk_atomic.h"

#define THREADS_MAX 2
#define CASES_MAX 64

enum { SINGLES, BATCHES, BURSTS, WAYS };

/* How much of each way in one round. */
struct plan {
	unsigned long warm_up;
	unsigned long count[WAYS]; /* samples */
};

struct worker {
	const struct bench_case *what;
	const struct plan *plan;
	unsigned int index;
	unsigned long calls;  /* all of this case's turn */
	unsigned long number; /* of the next call */
	uint32_t random;
	uint64_t *stamps;
	struct bench_hist *hists[WAYS];
	struct bench_usage usage[WAYS];
};

struct result {
	struct bench_hist hists[WAYS];
	struct bench_usage usage[WAYS];
	double best[WAYS]; /* ticks: the lowest median of a round */
	uint64_t lost;
	uint64_t dropped;
};

__thread uint32_t bench_lane;

static struct worker workers[THREADS_MAX];
static struct result *results[CASES_MAX];
static unsigned long arrived;

/* Both threads of a case begin each way together. */
static void
meet(const struct bench_case *what, unsigned long *generation)
{
	unsigned long threads = what->threads;

	*generation += threads;
	lpk_fence_release();
	lpk_fetch_add_acquire(&arrived, 1);
	while ((long)(lpk_load_acquire(&arrived) - *generation) < 0)
		bench_relax();
}

static void
run_singles(struct worker *worker, unsigned long samples)
{
	const struct bench_case *what = worker->what;
	unsigned long done, i, count;

	for (done = 0; done < samples; done += count) {
		count = samples - done < BENCH_STAMPS ? samples - done :
							BENCH_STAMPS;
		what->stamp(worker->stamps, worker->number, count);
		worker->number += count;
		for (i = 0; i < count; i++)
			bench_hist_add(worker->hists[SINGLES],
			    worker->stamps[i + 1] - worker->stamps[i]);
	}
	worker->calls += samples;
}

static void
run_batches(struct worker *worker, int way, unsigned long samples)
{
	const struct bench_case *what = worker->what;
	unsigned int batch = way == BATCHES ? what->batch : BENCH_BURST;
	unsigned long i;
	uint64_t begin, end;

	for (i = 0; i < samples; i++) {
		if (way == BURSTS) {
			worker->random = worker->random * 1664525 + 1013904223;
			bench_spin_ns((double)what->pause_ns *
			    (1 +
				(double)(worker->random >> 8) / 16777216 / 10));
		}
		begin = bench_ticks();
		what->loop(worker->number, batch);
		end = bench_ticks();
		worker->number += batch;
		bench_hist_add(worker->hists[way], end - begin);
	}
	worker->calls += samples * batch;
}

static void *
worker_main(void *argument)
{
	struct worker *worker = argument;
	const struct bench_case *what = worker->what;
	struct bench_usage before;
	unsigned long generation = 0;
	int way;

	bench_pin(worker->index);
	bench_lane = what->one_lane ? 0 : worker->index;
	lpk_thread_set_lane(bench_lane);
	what->loop(worker->number, worker->plan->warm_up);
	worker->number += worker->plan->warm_up;
	worker->calls = worker->plan->warm_up;
	for (way = 0; way < WAYS; way++) {
		unsigned long samples = worker->plan->count[way];

		if (samples == 0)
			continue;
		meet(what, &generation);
		bench_usage_now(&before);
		if (way == SINGLES)
			run_singles(worker, samples);
		else
			run_batches(worker, way, samples);
		bench_usage_add(&worker->usage[way], &before);
	}
	return NULL;
}

static void
plan_of(struct plan *plan, const struct bench_case *what, unsigned long rounds)
{
	unsigned long bursts = bench_count(what->bursts, what->bursts_quick);

	plan->warm_up = what->warm_up;
	plan->count[SINGLES] =
	    what->no_singles ? 0 : bench_count(1000000, 200000) / rounds;
	plan->count[BATCHES] = what->no_batches ?
	    0 :
	    bench_count(1000000, 200000) / what->batch / rounds;
	plan->count[BURSTS] = what->pause_ns != 0 ? bursts / rounds : 0;
}

static void
add_usage(struct bench_usage *sum, const struct bench_usage *usage)
{
	sum->minor_faults += usage->minor_faults;
	sum->major_faults += usage->major_faults;
	sum->preempted += usage->preempted;
}

static void
collect(struct result *result, const struct worker *worker)
{
	double median;
	int way;

	for (way = 0; way < WAYS; way++) {
		if (worker->plan->count[way] == 0)
			continue;
		median = bench_hist_at(worker->hists[way], 0.5);
		if (result->best[way] == 0 || median < result->best[way])
			result->best[way] = median;
		bench_hist_merge(&result->hists[way], worker->hists[way]);
		add_usage(&result->usage[way], &worker->usage[way]);
	}
}

static void
run_threads(const struct bench_case *what, const struct plan *plan)
{
	pthread_t second;
	unsigned int i;
	int way;

	lpk_store_release(&arrived, 0);
	for (i = 0; i < what->threads; i++) {
		for (way = 0; way < WAYS; way++)
			bench_hist_clear(workers[i].hists[way]);
		workers[i].what = what;
		workers[i].plan = plan;
		workers[i].index = i;
		memset(workers[i].usage, 0, sizeof(workers[i].usage));
	}
	if (what->threads > 1 &&
	    pthread_create(&second, NULL, worker_main, &workers[1]) != 0)
		bench_die("pthread_create");
	worker_main(&workers[0]);
	if (what->threads > 1)
		pthread_join(second, NULL);
}

static void
run_case(
    const struct bench_case *what, struct result *result, unsigned long rounds)
{
	struct lpk_log_stats before = {0}, after = {0};
	uint64_t calls = 0;
	struct plan plan;
	unsigned int i;

	plan_of(&plan, what, rounds);
	if (what->begin != NULL)
		what->begin();
	if (what->log != NULL)
		lpk_log_stats(what->log, &before);
	run_threads(what, &plan);
	if (what->log != NULL) {
		for (i = 0; i < what->threads; i++)
			calls += workers[i].calls;
		lpk_log_stats(what->log, &after);
		result->dropped += after.dropped - before.dropped;
		result->lost += calls - (after.stored - before.stored) -
		    (after.dropped - before.dropped);
	}
	if (what->end != NULL)
		result->lost += what->end();
	for (i = 0; i < what->threads; i++)
		collect(result, &workers[i]);
}

static void
report_case(const struct bench_case *what, const struct result *result)
{
	static const char *const kinds[] = {
	    "single calls", "batches of 20", "bursts of 20"};
	static char names[CASES_MAX * 2][48];
	static size_t used;
	struct bench_figure figure;
	int way;

	for (way = 0; way < WAYS; way++) {
		if (result->hists[way].count == 0)
			continue;
		figure = (struct bench_figure){
		    .group = what->group,
		    .name = what->name,
		    .kind = kinds[way],
		    .hist = &result->hists[way],
		    .per = way == SINGLES ? 1 :
			way == BATCHES    ? what->batch :
					    BENCH_BURST,
		    .cpus = what->threads > 1 ? "0+1" : "0",
		    .note = what->note,
		    .lost = result->lost,
		    .dropped = result->dropped,
		    .usage = result->usage[way],
		    .best = result->best[way],
		};
		figure.calls = result->hists[way].count * figure.per;
		if (way == BATCHES && what->batch != BENCH_BURST) {
			snprintf(names[used], sizeof(names[0]), "batches of %u",
			    what->batch);
			figure.kind = names[used++];
		} else if (way == BURSTS) {
			snprintf(names[used], sizeof(names[0]),
			    "bursts of 20, pause %lu ms",
			    what->pause_ns / 1000000);
			figure.kind = names[used++];
		}
		if (way == SINGLES)
			memcpy(figure.targets, what->singles_target,
			    sizeof(figure.targets));
		else
			figure.targets[0] = way == BATCHES ?
			    what->batches_target :
			    what->bursts_target;
		bench_add(&figure);
	}
}

static struct bench_case
with_defaults(const struct bench_case *what)
{
	struct bench_case full = *what;

	if (full.threads == 0)
		full.threads = 1;
	if (full.warm_up == 0)
		full.warm_up = BENCH_WARM_UP;
	if (full.batch == 0)
		full.batch = BENCH_BURST;
	if (full.bursts == 0) {
		full.bursts = 5000;
		full.bursts_quick = 250;
	}
	return full;
}

void
bench_cases(const struct bench_case *cases, size_t count)
{
	unsigned long rounds = bench_count(5, 2), round;
	struct bench_case what;
	size_t i;
	int way;

	for (i = 0; i < THREADS_MAX; i++) {
		workers[i].stamps =
		    bench_alloc((BENCH_STAMPS + 1) * sizeof(uint64_t));
		workers[i].random = (uint32_t)i + 1;
		for (way = 0; way < WAYS; way++)
			workers[i].hists[way] =
			    bench_alloc(sizeof(struct bench_hist));
	}
	for (i = 0; i < count; i++) {
		results[i] = bench_alloc(sizeof(struct result));
		for (way = 0; way < WAYS; way++)
			bench_hist_clear(&results[i]->hists[way]);
	}
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < count; i++) {
			bench_progress("round %lu of %lu: %s", round + 1,
			    rounds, cases[i].name);
			bench_speed_probe();
			what = with_defaults(&cases[i]);
			if (what.threads <= bench_cpus())
				run_case(&what, results[i], rounds);
		}
	}
	for (i = 0; i < count; i++) {
		what = with_defaults(&cases[i]);
		report_case(&what, results[i]);
	}
}
