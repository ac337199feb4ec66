/* SPDX-License-Identifier: MIT */
/*
 * kill_deferred.c - a process is killed at a random moment, while its threads
 * use call sites for the first time. The log is in shared memory: each record
 * there renders to the text that its call says, and each call that returned
 * has left one.
 *
 * LPK_SEED gives a run's seed back.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

#include "fixture.h"

#define RUNS 400
#define THREADS 3
#define SITES 256
#define KILL_WITHIN_NS 250000
#define BLOCK_BYTES 16384
#define BLOCKS 16
#define REGION_BYTES (LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS) + LPK_CACHE_LINE)

/* What outlives the process besides its log. */
struct shared {
	atomic_uint running;
	atomic_uint returned[THREADS];
};

static struct lpk_log ring;
static struct shared *shared;
static uint32_t permutation;
static unsigned int killed_within, records;

static void
demand(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "kill_deferred: %s\n", what);
	exit(1);
}

#define SITE(n)                                                                \
	case n:                                                                \
		if ((n) % 2)                                                   \
			lpk_printk_to(&ring, LPK_ERR,                          \
			    "site %d of thread %d call %d", n, thread, call);  \
		else                                                           \
			lpk_printk_to(&ring, LPK_ERR,                          \
			    "site %d of %s %d call %d", n, text, thread,       \
			    call);                                             \
		break;
#define SITES_4(n) SITE(n) SITE((n) + 1) SITE((n) + 2) SITE((n) + 3)
#define SITES_16(n)                                                            \
	SITES_4(n) SITES_4((n) + 4) SITES_4((n) + 8) SITES_4((n) + 12)
#define SITES_64(n)                                                            \
	SITES_16(n) SITES_16((n) + 16) SITES_16((n) + 32) SITES_16((n) + 48)

static void
use_site(int site, int thread, int call)
{
	char text[] = "thread";

	switch (site) {
		SITES_64(0)
		SITES_64(64)
		SITES_64(128)
		SITES_64(192)
	default:
		break;
	}
	memset(text, 'X', sizeof(text) - 1);
}

/* The sites in an order of the run; threads follow each other closely. */
static int
site_of(int call)
{
	return (int)(((uint32_t)call * 167 + permutation) % SITES);
}

/*
 * By a timer, which interrupts whatever instruction is being executed. To be
 * scheduled takes another process longer than all of the calls.
 */
static void
kill_soon(void)
{
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec when = {
	    .it_value.tv_nsec = 1 + (long)(permutation >> 8) % KILL_WITHIN_NS};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &when, NULL) != 0)
		kill(getpid(), SIGKILL);
}

static void *
user(void *cookie)
{
	int thread = (int)(intptr_t)cookie, call;

	atomic_fetch_add(&shared->running, 1);
	while (atomic_load(&shared->running) < THREADS)
		sched_yield();
	if (thread == 0)
		kill_soon();
	for (call = 0; call < SITES; call++) {
		use_site(site_of(call), thread, call);
		atomic_store(&shared->returned[thread], (unsigned int)call + 1);
	}
	return NULL;
}

static void
child(void)
{
	pthread_t threads[THREADS];
	intptr_t i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, user, (void *)i);
	for (;;)
		pause();
}

static void
check_text(const char *text, bool (*found)[SITES])
{
	int site, thread, call, length = 0;

	if (sscanf(text, "site %d of thread %d call %d%n", &site, &thread,
		&call, &length) != 3 ||
	    text[length] != '\0' || thread < 0 || thread >= THREADS ||
	    call < 0 || call >= SITES || site != site_of(call)) {
		fprintf(stderr, "\"%s\"\n", text);
		demand(false, "a text that no call has");
	}
	demand(!found[thread][call], "a record that is there twice");
	found[thread][call] = true;
	records++;
}

static void
check_image(void)
{
	bool found[THREADS][SITES] = {0};
	struct lpk_reader reader;
	unsigned int returned, i;
	int thread, waits = 0, result;
	struct got got;

	lpk_reader_open(&reader, &ring, LPK_SEEK_OLDEST);
	while (waits < 4) {
		result = next(&reader, &got);
		demand(result == LPK_OK || result == -LPK_EAGAIN,
		    "something was lost");
		if (result == LPK_OK && got.record.level == LPK_ERR)
			check_text(got.text, found);
		if (result == -LPK_EAGAIN) {
			waits++;
			usleep(10);
		}
	}
	for (thread = 0; thread < THREADS; thread++) {
		returned = atomic_load(&shared->returned[thread]);
		for (i = 0; i < returned; i++)
			demand(found[thread][i], "a call's record is missing");
		killed_within += returned != 0 && returned < SITES;
	}
}

static void
run(uint32_t random, void *memory)
{
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	permutation = random;
	demand(lpk_log_init(&ring, "shared", memory, REGION_BYTES, BLOCK_BYTES,
		   BLOCKS, random % 2 + 1) == LPK_OK,
	    "no log");
	pid = fork();
	demand(pid >= 0, "no child");
	if (pid == 0)
		child();
	demand(waitpid(pid, NULL, 0) == pid, "no end of the child");
	check_image();
}

int
main(void)
{
	uint64_t state = test_seed();
	void *memory = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	demand(memory != MAP_FAILED && shared != MAP_FAILED, "no memory");
	for (i = 0; i < RUNS; i++)
		run(test_random(&state), memory);
	printf("%d runs, %u threads killed within, %u records\n", RUNS,
	    killed_within, records);
	demand(killed_within >= RUNS / 10, "too few were killed within");
	return 0;
}
