/* SPDX-License-Identifier: MIT */
/*
 * lib_peer.c - the harness around a logger: main() of each program here. What
 * is measured, and how, does not know which logger it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib_proc.h"
#include "../lib_shared.h"
#include "lpk_atomic.h"

#define PAUSE_NS 2000000 /* and up to a tenth more, at random */
#define CHUNK 256
/* Calls that are not measured, of all producers; each makes 50 at least. */
#define WARM_UP 2000

struct producer {
	pthread_t thread;
	unsigned int index;
	unsigned long number; /* of the next call */
	uint32_t random;
	struct bench_hist singles, bursts;
	struct bench_usage usage;
};

char peer_strings[PEER_STRINGS][48];

static struct bench_shared *shared;
static const struct peer_job *job;
static const struct peer *peer;
static struct producer producers[BENCH_PEER_PRODUCERS];
static pthread_barrier_t barrier;
static unsigned long made;
static uint64_t began_ns;

void
peer_nap(uint64_t ns)
{
	struct timespec time = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	nanosleep(&time, NULL);
}

const char *
peer_path(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", job->folder, name);
	return path;
}

/* The messages begin with one of these; what a logger adds does not. */
static uint64_t
count_in(const char *text, size_t size)
{
	static const char *const words[] = {"Logging int: ", "Iteration: "};
	const char *at, *end = text + size;
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		for (at = text; at != NULL && at < end; at++) {
			at = memmem(
			    at, (size_t)(end - at), words[i], strlen(words[i]));
			if (at == NULL)
				break;
			count++;
		}
	}
	return count;
}

uint64_t
peer_count(const char *path, uint64_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t count = 0;
	struct stat about;
	size_t size;
	char *text;

	if (fd < 0)
		return 0;
	if (fstat(fd, &about) == 0 && (uint64_t)about.st_size > offset) {
		size = (size_t)about.st_size;
		text = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
		if (text != MAP_FAILED) {
			count = count_in(text + offset, size - offset);
			munmap(text, size);
			shared->result.file_bytes = size - offset;
		}
	}
	close(fd);
	return count;
}

/* ------------------------------------------------------------------------
 * Producers
 */

static void
wait_between(struct producer *self)
{
	double ns;

	self->random = self->random * 1664525 + 1013904223;
	ns = PAUSE_NS * (1 + (double)(self->random >> 8) / 16777216 / 10);
	/* Busy, as published, where each has a CPU and the logger one, too. */
	if (job->producers < bench_cpus())
		bench_spin_ns(ns);
	else
		peer_nap((uint64_t)ns);
}

static void
make_bursts(struct producer *self)
{
	uint64_t stamps[BENCH_PEER_BURST + 1], begin, i;
	int k;

	for (i = 0; i < job->bursts; i++) {
		wait_between(self);
		begin = bench_ticks();
		peer->loop[job->message](self->number, BENCH_PEER_BURST);
		bench_hist_add(&self->bursts, bench_ticks() - begin);
		self->number += BENCH_PEER_BURST;
		if (i % job->every != 0)
			continue;
		wait_between(self);
		peer->stamp[job->message](
		    stamps, self->number, BENCH_PEER_BURST);
		for (k = 0; k < BENCH_PEER_BURST; k++)
			bench_hist_add(
			    &self->singles, stamps[k + 1] - stamps[k]);
		self->number += BENCH_PEER_BURST;
	}
	lpk_fetch_add_relaxed(&made, (unsigned long)self->number);
}

static void
make_lines(struct producer *self)
{
	uint64_t left = job->lines / job->producers, chunk;
	unsigned long all;

	while (left != 0 && bench_now_ns() - began_ns < job->limit_ns) {
		chunk = left < CHUNK ? left : CHUNK;
		peer->loop[job->message](self->number, chunk);
		self->number += chunk;
		left -= chunk;
		all =
		    lpk_fetch_add_relaxed(&made, (unsigned long)chunk) + chunk;
		if (peer->pace != NULL)
			peer->pace(all);
	}
}

static void *
producer_main(void *argument)
{
	struct producer *self = argument;
	unsigned long warm_up = WARM_UP / job->producers;
	struct bench_usage before;

	prctl(PR_SET_TIMERSLACK, 1000);
	bench_pin(self->index);
	if (peer->thread != NULL)
		peer->thread(self->index);
	self->random = self->index + 1;
	bench_hist_clear(&self->singles);
	bench_hist_clear(&self->bursts);
	self->number = warm_up < 50 ? 50 : warm_up;
	peer->loop[job->message](0, self->number);
	if (job->lines != 0)
		lpk_fetch_add_relaxed(&made, (unsigned long)self->number);
	pthread_barrier_wait(&barrier);
	/* The logger gets rid of the warm-up. */
	pthread_barrier_wait(&barrier);
	bench_usage_now(&before);
	if (job->lines != 0)
		make_lines(self);
	else
		make_bursts(self);
	bench_usage_add(&self->usage, &before);
	return NULL;
}

/* ------------------------------------------------------------------------
 * A measurement
 */

static uint64_t
cpu_ns(void)
{
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return ns + (job->receiver != 0 ? bench_proc_cpu_ns(job->receiver) : 0);
}

static uint64_t
switches(void)
{
	return bench_proc_switches(getpid(), gettid()) +
	    (job->receiver != 0 ? bench_proc_switches(job->receiver, 0) : 0);
}

static void
collect(const struct producer *from)
{
	struct peer_result *result = &shared->result;

	bench_hist_merge(&result->singles, &from->singles);
	bench_hist_merge(&result->bursts, &from->bursts);
	result->usage.minor_faults += from->usage.minor_faults;
	result->usage.major_faults += from->usage.major_faults;
	result->usage.preempted += from->usage.preempted;
}

static void
look_at_idleness(void)
{
	uint64_t before;

	if (job->idle_ns == 0)
		return;
	peer_nap(job->idle_ns / 2); /* it has gone to sleep */
	before = switches();
	peer_nap(job->idle_ns);
	shared->result.wakeups = switches() - before;
}

static void
run(void)
{
	struct peer_result *result = &shared->result;
	uint64_t warm, cpu;
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, job->producers + 1);
	for (i = 0; i < job->producers; i++) {
		producers[i].index = i;
		if (pthread_create(&producers[i].thread, NULL, producer_main,
			&producers[i]) != 0)
			bench_die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
	peer_nap(20000000);
	warm = lpk_load_relaxed(&made);
	cpu = cpu_ns();
	began_ns = bench_now_ns();
	pthread_barrier_wait(&barrier);
	for (i = 0; i < job->producers; i++) {
		pthread_join(producers[i].thread, NULL);
		collect(&producers[i]);
	}
	look_at_idleness();
	result->calls = lpk_load_relaxed(&made);
	peer->flush(result->calls);
	result->ns = bench_now_ns() - began_ns;
	result->cpu_ns = cpu_ns() - cpu;
	result->kept = peer->end(result->calls);
	/* Those of the warm-up are kept, or lost, like any other. */
	if (job->lines != 0)
		result->calls -= warm, result->kept -= warm;
}

int
main(int argc, char **argv)
{
	struct peer_result *result;
	const char *why_not;
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	    BENCH_SHARED_FD, 0);
	if (shared == MAP_FAILED) {
		fprintf(stderr, "%s: started by compare\n", argv[argc - argc]);
		return 2;
	}
	close(BENCH_SHARED_FD);
	bench_clock = shared->clock;
	job = &shared->job;
	result = &shared->result;
	for (i = 0; peers[i] != NULL; i++) {
		if (strcmp(peers[i]->name, job->peer) == 0)
			peer = peers[i];
	}
	if (peer == NULL) {
		snprintf(result->why_not, sizeof(result->why_not), "no such");
		return 1;
	}
	snprintf(result->about, sizeof(result->about), "%s", peer->about);
	for (i = 0; i < PEER_STRINGS; i++)
		snprintf(peer_strings[i], sizeof(peer_strings[0]),
		    "Lorem ipsum dolor sit amet, consectetur %u", i);
	bench_hist_clear(&result->singles);
	bench_hist_clear(&result->bursts);
	bench_pin(bench_cpus() - 1);
	why_not = peer->begin(job);
	if (why_not != NULL) {
		snprintf(
		    result->why_not, sizeof(result->why_not), "%s", why_not);
		return 1;
	}
	run();
	result->done = 1;
	return 0;
}
