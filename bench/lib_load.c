/* SPDX-License-Identifier: MIT */
/*
 * lib_load.c - producers.
 *
 * A call is measured from the reading of the clock that goes into its line
 * until after the call. The rate is kept by a schedule: who was held up makes
 * his calls one after the other until he has caught up, as a program with work
 * to do would. The time that a call waited for its turn is not part of the
 * call; how many were made of those offered is told beside.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include <lpk/hosted.h>

#include "lib_load.h"
#include "lpk_atomic.h"

/* Sleeps end late; from here on a producer with a CPU of its own spins. */
#define SPIN_NS 100000

struct producer {
	pthread_t thread;
	unsigned int index;
	unsigned int number; /* of the next call */
	struct bench_hist *hist;
	struct bench_usage usage;
	uint64_t began_ns;
	uint64_t ended_ns;
	uint64_t ended;
};

static const struct bench_load *load;
static struct producer producers[BENCH_PRODUCERS_MAX];
static unsigned long ready, go;

static void
sleep_ns(uint64_t ns)
{
	struct timespec time = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	nanosleep(&time, NULL);
}

/* Until the time for it on the schedule; false when the time is up. */
static bool
wait_for_turn(uint64_t begin, uint64_t due, uint64_t end)
{
	bool spin = load->producers < bench_cpus();
	uint64_t now = bench_ticks(), left;

	if (end - begin < now - begin)
		return false;
	if (end - begin < due - begin)
		due = end;
	while ((int64_t)(due - now) > 0) {
		left = (uint64_t)((double)(due - now) * bench_clock.ns);
		if (!spin)
			sleep_ns(left);
		else if (left > 2 * SPIN_NS)
			sleep_ns(left - SPIN_NS);
		else
			bench_relax();
		now = bench_ticks();
	}
	return end - begin > now - begin;
}

static uint64_t
in_ticks(double ns)
{
	return (uint64_t)(ns / bench_clock.ns);
}

static void
make_calls(struct producer *self)
{
	const uint64_t endless = UINT64_MAX / 2;
	uint64_t begin = bench_ticks(), end = begin, now;
	double period = 0, offset = 0;
	unsigned long i;

	end += load->ns != 0 ? in_ticks((double)load->ns) : endless;
	if (load->rate > 0) {
		period = 1e9 / load->rate * load->producers;
		offset = period / load->producers * self->index;
	}
	for (i = 0; load->most == 0 || i < load->most; i++) {
		if (period > 0 &&
		    !wait_for_turn(begin,
			begin + in_ticks(offset + period * (double)i), end))
			break;
		now = bench_ticks();
		if (period == 0 && now - begin >= end - begin)
			break;
		load->call(self->index, self->number++, now);
		bench_hist_add(self->hist, bench_ticks() - now);
	}
}

static void *
producer_main(void *argument)
{
	struct producer *self = argument;
	struct bench_usage before;
	unsigned int i;

	prctl(PR_SET_TIMERSLACK, 1000);
	bench_pin(self->index);
	lpk_thread_set_lane(self->index);
	for (i = 0; i < BENCH_LOAD_WARM_UP; i++)
		load->call(BENCH_SOURCES - 1, i, bench_ticks());
	for (i = 0; i < 2; i++)
		sleep_ns(1000);
	bench_hist_clear(self->hist);
	lpk_fetch_add_relaxed(&ready, 1);
	while (lpk_load_acquire(&go) == 0)
		sleep_ns(100000);
	bench_usage_now(&before);
	self->began_ns = bench_now_ns();
	make_calls(self);
	self->ended = bench_ticks();
	self->ended_ns = bench_now_ns();
	bench_usage_add(&self->usage, &before);
	return NULL;
}

void
bench_load_prepare(const struct bench_load *what)
{
	unsigned int i;

	load = what;
	lpk_store_relaxed(&ready, 0);
	lpk_store_relaxed(&go, 0);
	for (i = 0; i < load->producers; i++) {
		struct producer *producer = &producers[i];

		if (producer->hist == NULL)
			producer->hist = bench_alloc(sizeof(*producer->hist));
		memset(&producer->usage, 0, sizeof(producer->usage));
		producer->index = i;
		producer->number = 0;
		if (pthread_create(
			&producer->thread, NULL, producer_main, producer) != 0)
			bench_die("pthread_create");
	}
	while (lpk_load_acquire(&ready) != load->producers)
		sleep_ns(100000);
}

void
bench_load_run(struct bench_load_result *result)
{
	unsigned int i;

	memset(result, 0, sizeof(*result));
	bench_hist_clear(&result->call);
	lpk_store_release(&go, 1);
	for (i = 0; i < load->producers; i++) {
		struct producer *from = &producers[i];

		pthread_join(from->thread, NULL);
		bench_hist_merge(&result->call, from->hist);
		result->usage.minor_faults += from->usage.minor_faults;
		result->usage.major_faults += from->usage.major_faults;
		result->usage.preempted += from->usage.preempted;
		result->calls += from->number;
		result->numbers[i] = from->number;
		if (i == 0 || from->began_ns < result->began_ns)
			result->began_ns = from->began_ns;
		if (from->ended_ns > result->ended_ns)
			result->ended_ns = from->ended_ns;
		if ((int64_t)(from->ended - result->ended) > 0) {
			result->ended = from->ended;
			result->last = i;
		}
	}
}
