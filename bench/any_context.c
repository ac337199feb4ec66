/* SPDX-License-Identifier: MIT */
/*
 * any_context.c - logging in signal handlers that interrupt logging. Each
 * producer logs flat out, and two timers of its own send it signals at almost
 * the same rate, so that the one's handler meets the other's anywhere, the
 * middle of a printk included. Every context numbers its lines: what is missing
 * and what is torn is known.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_check.h"
#include "lpk_atomic.h"

#define PRODUCERS_MAX 4
#define DEPTHS 12 /* the thread, and handlers in handlers */
#define ROWS 4    /* of the table: the last one is of all deeper ones */
#define RUNS_MAX 16
#define SECOND 1000000000

/* As the default log. */
LPK_LOG_DEFINE(ring, 65536, 32, 2);

/* One context of a producer: the thread itself, or a handler at a depth. */
struct context {
	struct bench_hist call;
	unsigned int numbers;
};

struct producer {
	pthread_t thread;
	unsigned int index;
	unsigned int depth; /* changed by the thread and its handlers alone */
	unsigned int too_deep;
	timer_t timers[2];
	struct bench_usage usage;
	struct context contexts[DEPTHS];
};

struct run {
	unsigned int hertz;
	unsigned int producers;
	struct bench_hist call[ROWS];
	struct bench_usage usage;
	struct lpk_console_stats stats;
	uint64_t calls[ROWS], all;
	uint64_t too_deep;
	uint64_t lines, told, torn, behind, dropped;
	double seconds;
	bool agree;
	char group[64];
	char name[32];
	char remarks[ROWS][160];
	char tags[ROWS][400];
};

static struct producer *producers[PRODUCERS_MAX];
static struct run *runs[RUNS_MAX];
static size_t run_count;
static unsigned long ready, go;
static const struct run *running;
static uint64_t run_ns;
static __thread struct producer *self;

static void
log_one(struct producer *producer, unsigned int depth)
{
	struct context *context = &producer->contexts[depth];
	unsigned int number = context->numbers++;
	uint64_t begin = bench_ticks();

	lpk_printk_to(&ring, LPK_INFO, BENCH_LINE,
	    BENCH_LINE_ARGS(producer->index * DEPTHS + depth, number, begin));
	bench_hist_add(&context->call, bench_ticks() - begin);
}

static void
on_timer(int signal_number)
{
	int before = errno;

	(void)signal_number;
	lpk_handler_enter();
	if (++self->depth < DEPTHS)
		log_one(self, self->depth);
	else
		self->too_deep++;
	self->depth--;
	lpk_handler_exit();
	errno = before;
}

static void
start_timers(struct producer *producer, unsigned int hertz)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};
	struct itimerspec every;
	int i;

	event._sigev_un._tid = gettid();
	for (i = 0; i < 2; i++) {
		/* The second is late by 1/512 more each time. */
		long ns = SECOND / (long)hertz;

		ns += i * ns / 512;
		event.sigev_signo = SIGRTMIN + i;
		every.it_interval.tv_sec = ns / SECOND;
		every.it_interval.tv_nsec = ns % SECOND;
		every.it_value = every.it_interval;
		if (timer_create(
			CLOCK_MONOTONIC, &event, &producer->timers[i]) != 0 ||
		    timer_settime(producer->timers[i], 0, &every, NULL) != 0)
			bench_die("timer_create");
	}
}

/* Frames of nested handlers lie deeper than anything before. */
static __attribute__((noinline)) void
touch_stack(void)
{
	volatile char stack[65536];
	size_t i;

	for (i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 0;
}

static void *
producer_main(void *argument)
{
	struct producer *producer = argument;
	struct timespec pause = {.tv_nsec = 100000};
	struct bench_usage before;
	uint64_t end;
	int i;

	self = producer;
	touch_stack();
	bench_pin(producer->index);
	lpk_thread_set_lane(producer->index);
	for (i = 0; i < 1000; i++)
		log_one(producer, 0);
	for (i = 0; i < DEPTHS; i++) {
		bench_hist_clear(&producer->contexts[i].call);
		producer->contexts[i].numbers = 0;
	}
	lpk_fetch_add_relaxed(&ready, 1);
	while (lpk_load_acquire(&go) == 0)
		nanosleep(&pause, NULL);
	bench_usage_now(&before);
	end = bench_now_ns() + run_ns;
	start_timers(producer, running->hertz);
	while (bench_now_ns() < end) {
		for (i = 0; i < 20; i++)
			log_one(producer, 0);
	}
	/* A signal that is on its way comes before this returns. */
	timer_delete(producer->timers[0]);
	timer_delete(producer->timers[1]);
	bench_usage_add(&producer->usage, &before);
	return NULL;
}

static void
start_producers(const struct run *run)
{
	struct timespec pause = {.tv_nsec = 100000};
	unsigned int i;

	running = run;
	lpk_store_relaxed(&ready, 0);
	lpk_store_relaxed(&go, 0);
	for (i = 0; i < run->producers; i++) {
		memset(producers[i], 0, sizeof(*producers[i]));
		producers[i]->index = i;
		if (pthread_create(&producers[i]->thread, NULL, producer_main,
			producers[i]) != 0)
			bench_die("pthread_create");
	}
	while (lpk_load_acquire(&ready) != run->producers)
		nanosleep(&pause, NULL);
}

static void
join_producers(struct run *run)
{
	unsigned int i, depth, row;

	for (i = 0; i < run->producers; i++) {
		struct producer *from = producers[i];

		pthread_join(from->thread, NULL);
		for (depth = 0; depth < DEPTHS; depth++) {
			row = depth < ROWS ? depth : ROWS - 1;
			bench_hist_merge(
			    &run->call[row], &from->contexts[depth].call);
			run->calls[row] += from->contexts[depth].numbers;
			run->all += from->contexts[depth].numbers;
		}
		run->usage.minor_faults += from->usage.minor_faults;
		run->usage.major_faults += from->usage.major_faults;
		run->usage.preempted += from->usage.preempted;
		run->too_deep += from->too_deep;
	}
}

static void
measure(struct run *run)
{
	static struct bench_check_console check;
	struct lpk_log_stats before, after;
	uint64_t began;
	int row;

	bench_progress("%s, %s", run->group, run->name);
	bench_speed_probe();
	for (row = 0; row < ROWS; row++)
		bench_hist_clear(&run->call[row]);
	start_producers(run);
	bench_check_start(&check, "check", &ring);
	lpk_log_stats(&ring, &before);
	began = bench_now_ns();
	lpk_store_release(&go, 1);
	join_producers(run);
	run->seconds = (double)(bench_now_ns() - began) / 1e9;
	if (lpk_console_flush(&check.console, UINT64_MAX) != LPK_OK)
		bench_die("lpk_console_flush");
	lpk_log_stats(&ring, &after);
	bench_check_stop(&check, &run->stats);
	run->dropped = after.dropped - before.dropped;
	run->lines = check.tally.lines;
	run->told = check.tally.told;
	run->torn = check.tally.torn;
	run->behind = check.tally.behind;
	run->agree = run->torn == 0 && run->lines + run->told == run->all &&
	    run->told == run->stats.lost + run->dropped;
	if (run->too_deep != 0)
		bench_note("%s, %s: %.0f handlers were nested deeper than %d, "
			   "and logged nothing",
		    run->group, run->name, (double)run->too_deep, DEPTHS - 1);
	if (!run->agree)
		bench_note("* %s, %s: accounts do not agree, or torn: %s",
		    run->group, run->name, check.tally.torn_line);
}

static void
report(struct run *run)
{
	static const char *const kinds[ROWS] = {"the thread, a call",
	    "a handler, a call", "a handler in a handler", "deeper"};
	struct bench_figure figure = {
	    .group = run->group,
	    .name = run->name,
	    .per = 1,
	    .cpus = run->producers == 1 ? "0" : "all",
	    .curve = true,
	    .lost = run->stats.lost,
	    .dropped = run->dropped,
	};
	int row;

	for (row = 0; row < ROWS; row++) {
		if (run->calls[row] == 0)
			continue;
		snprintf(run->remarks[row], sizeof(run->remarks[row]),
		    row == 0 ? "%.0f lines missing, %.0f told, %s; %.0f torn" :
			       "%.0f/s",
		    row == 0 ? (double)(run->all - run->lines) :
			       (double)run->calls[row] / run->seconds,
		    (double)run->told,
		    run->agree ? "the same" : "*NOT THE SAME",
		    (double)run->torn);
		snprintf(run->tags[row], sizeof(run->tags[row]),
		    "\"scenario\": \"any_context\", \"what\": \"call\", "
		    "\"hertz\": %u, \"producers\": %u, \"depth\": %d, "
		    "\"made\": %.1f, \"missing\": %.0f, \"told\": %.0f, "
		    "\"torn\": %.0f, \"agree\": %s",
		    run->hertz, run->producers, row,
		    (double)run->calls[row] / run->seconds,
		    (double)(run->all - run->lines), (double)run->told,
		    (double)run->torn, run->agree ? "true" : "false");
		figure.kind = kinds[row];
		figure.hist = &run->call[row];
		figure.calls = run->calls[row];
		figure.remark = run->remarks[row];
		figure.tags = run->tags[row];
		if (row == 0)
			figure.usage = run->usage;
		else
			memset(&figure.usage, 0, sizeof(figure.usage));
		bench_add(&figure);
	}
}

static void
plan(unsigned int hertz, unsigned int count)
{
	struct run *run = bench_alloc(sizeof(*run));

	run->hertz = hertz;
	run->producers = count;
	snprintf(run->group, sizeof(run->group),
	    "Two timer signals, %u a second each", hertz);
	snprintf(run->name, sizeof(run->name), "%u producer%s", count,
	    count == 1 ? "" : "s");
	runs[run_count++] = run;
}

static void
notes(void)
{
	bench_note("each producer logs \"%s\" flat out; two timers, one of "
		   "them slower by 1/512, send it signals whose handlers log",
	    BENCH_LINE);
	bench_note("a call that is interrupted takes as long as it takes, the "
		   "interruption included");
	bench_note("missing: lines that were logged and did not come out; "
		   "told: by \"** N printk messages dropped **\"; the two must "
		   "be the same. Torn: a line whose check is wrong");
	bench_note("warm-up: the ring has gone round; each producer makes 1000 "
		   "calls. The console thread is on the last CPU");
}

int
main(void)
{
	static const unsigned int rates[] = {1000, 5000, 10000, 20000};
	struct sigaction action = {
	    .sa_handler = on_timer, .sa_flags = SA_NODEFER | SA_RESTART};
	unsigned int i, count;

	bench_init("any_context");
	run_ns = bench_count(1000, 300) * 1000000;
	if (sigaction(SIGRTMIN, &action, NULL) != 0 ||
	    sigaction(SIGRTMIN + 1, &action, NULL) != 0)
		bench_die("sigaction");
	for (i = 0; i < PRODUCERS_MAX; i++)
		producers[i] = bench_alloc(sizeof(*producers[i]));
	for (i = 0; i < 4; i++) {
		if (bench_options.quick && i % 3 != 0)
			continue;
		for (count = 1; count <= PRODUCERS_MAX; count *= 2) {
			if (!bench_options.quick || count != 4)
				plan(rates[i], count);
		}
	}
	lpk_thread_set_lane(0);
	for (i = 0; i < 100000; i++)
		lpk_printk_to(&ring, LPK_INFO, BENCH_LINE,
		    BENCH_LINE_ARGS(BENCH_SOURCES - 1, i, 0));
	for (i = 0; i < run_count; i++)
		measure(runs[i]);
	for (i = 0; i < run_count; i++)
		report(runs[i]);
	notes();
	return bench_report();
}
