/* SPDX-License-Identifier: MIT */
/*
 * parked.c - a thread is stopped at each atomic operation of its printk, as a
 * debugger would stop it. Another one logs on meanwhile, up to several laps of
 * the ring, no slower than ever; then the first one goes on, and its record
 * turns up.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

#include "core/ring.h"
#include "lib_book.h"
#include "lib_hook.h"

/* Most atomic operations of one printk of the others. */
#define STEPS_MAX 200

static unsigned char memory[LPK_REGION_BYTES(512, 4) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct book book;
static struct book_reader early, last;
static sem_t go, event, release;
static bool parked;
static struct hook_plan plan;
static uint32_t runs, steps_max;
static uint64_t all_late, all_lost;

static void
take(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		book_check(errno == EINTR);
}

static void
park(void)
{
	parked = true;
	sem_post(&event);
	take(&release);
	parked = false;
}

static void *
victim(void *unused)
{
	for (;;) {
		take(&go);
		lpk_thread_set_lane(0);
		hook_begin(&plan);
		book_log(&book, 'A');
		hook_end();
		sem_post(&event);
	}
	return unused;
}

/* What the others do meanwhile; each call takes a bounded number of steps. */
static void
log_on(uint32_t count)
{
	const struct hook_plan none = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	unsigned long dropped = book_dropped(&book);
	uint32_t i, steps;

	for (i = 0; i < count; i++) {
		hook_begin(&none);
		book_log(&book, 'B');
		steps = hook_end() / 2;
		if (steps > steps_max)
			steps_max = steps;
	}
	book_check(steps_max < STEPS_MAX);
	/* One stopped thread keeps one block; there are others. */
	book_check(book_dropped(&book) == dropped);
}

static void
check_after(uint32_t lates)
{
	uint32_t i;

	/* What was passed over turns up, unless the ring laps it now. */
	book_settle(&early);
	if (early.late != lates)
		book_fail("%u late, %u passed over", early.late, lates);
	for (i = 0; i < 3; i++)
		book_log(&book, 'z');
	book_settle(&early);
	book_settle(&last);
	book_close(&early, 0);
	book_close(&last, 0);
	book_check(book_dropped(&book) == 0);
	all_late += early.late;
	all_lost += last.lost;
}

/* Returns whether the thread was stopped, and did not end first. */
static bool
run(uint32_t blocks, uint32_t filled, uint32_t others, bool all_at_once)
{
	uint32_t i, lates;
	bool stopped;

	runs++;
	book_ring(&ring, 256, blocks, 1, memory, sizeof(memory));
	book_start(&book, &ring);
	for (i = 0; i < filled; i++)
		book_log(&book, 'f');
	book_open(&early, &book, 0, LPK_SEEK_OLDEST);
	book_open(&last, &book, 1, LPK_SEEK_OLDEST);
	sem_post(&go);
	take(&event);
	stopped = parked;
	for (i = 0; i < others; i++) {
		log_on(1);
		if (!all_at_once)
			book_settle(&early);
	}
	book_settle(&early);
	lates = early.reader.lates;
	book_check(lates <= 1);
	if (stopped) {
		sem_post(&release);
		take(&event);
	}
	check_after(lates);
	return stopped;
}

int
main(void)
{
	static const uint32_t counts[] = {0, 1, 2, 3, 7, 14, 60};
	uint32_t blocks, filled, i, places = 0;
	pthread_t thread;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sem_init(&go, 0, 0);
	sem_init(&event, 0, 0);
	sem_init(&release, 0, 0);
	hook_call(park);
	plan = (struct hook_plan){
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	lpk_thread_set_lane(0);
	book_check(pthread_create(&thread, NULL, victim, NULL) == 0);
	for (blocks = 2; blocks <= 4; blocks += 2) {
		for (filled = 0; filled < 8; filled++) {
			for (i = 0; i < 2 * sizeof(counts) / sizeof(counts[0]);
			     i++) {
				uint32_t at = 0;
				bool stopped;

				do {
					book_at("%u blocks, %u before, place "
						"%u, %u others %s",
					    blocks, filled, at, counts[i / 2],
					    i % 2 ? "at once" : "in turn");
					plan.at[0] = at++;
					stopped = run(blocks, filled,
					    counts[i / 2], i % 2 != 0);
					places += stopped;
				} while (stopped);
			}
		}
	}
	printf("%u places, %u runs, %llu records late, %llu lost, at most %u "
	       "steps a call of the others\n",
	    places, runs, (unsigned long long)all_late,
	    (unsigned long long)all_lost, steps_max);
	book_check(all_late != 0 && all_lost != 0);
	return 0;
}
