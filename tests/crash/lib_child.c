/* SPDX-License-Identifier: MIT */
/*
 * lib_child.c - a child's life until it dies.
 */
#include "crash.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/init.h>
#include <lpk/panic.h>

struct page *page;

static const struct death *death;
static atomic_uint running;

/* Records of every kind and of many sizes, each with its thread and number. */
void
log_one(unsigned int id, uint32_t seq)
{
	static const char dots[] = "........................................"
				   "........................................";
	int length = (int)((seq * 7 + id) % 60);

	switch (seq % 3) {
	case 0:
		lpk_info("#%u:%u;%.*s<", id, seq, length, dots);
		break;
	case 1:
		lpk_err("#%u:%u;%s<", id, seq, dots + 80 - length);
		break;
	default:
		lpk_write(
		    NULL, LPK_INFO, "#%u:%u;%.*s<", id, seq, length, dots);
		break;
	}
	atomic_store(&page->acked[id], seq + 1);
}

void
log_some(unsigned int id, uint32_t count)
{
	uint32_t seq = atomic_load(&page->acked[id]), end = seq + count;

	for (; seq < end; seq++)
		log_one(id, seq);
}

uint32_t
acked_by_all(void)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < LOGGERS; i++)
		sum += atomic_load(&page->acked[i]);
	return sum;
}

/* What is committed now is to be on the consoles. */
void
snapshot_again(void)
{
	struct timespec now;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &now);
	for (i = 0; i < IDS; i++)
		page->at_death[i] = atomic_load(&page->acked[i]);
	atomic_store(&page->death_ns,
	    (unsigned long long)now.tv_sec * 1000000000 +
		(unsigned long long)now.tv_nsec);
}

void
snapshot(void)
{
	static atomic_int taken;

	if (atomic_exchange(&taken, 1) == 0)
		snapshot_again();
}

/* To be killed, or looked at, from outside. */
void
call_parent(void)
{
	atomic_store(&page->calls_parent, 1);
	for (;;)
		pause();
}

void
wait_for_moment(void)
{
	uint32_t moment = page->random % (LOGGERS * RECORDS);
	volatile unsigned int spin = page->random >> 16 & 0x3ff;

	if (death->flags & QUIET)
		moment = LOGGERS * RECORDS;
	if (death->flags & FLOOD)
		moment = LOGGERS * RECORDS * 10;
	while (acked_by_all() < moment)
		sched_yield();
	while (spin != 0)
		spin--;
}

static void *
logger(void *cookie)
{
	unsigned int id = (unsigned int)(uintptr_t)cookie;
	uint32_t seq, random = page->random + id;

	if (id == 0)
		atomic_store(&page->first, (int)syscall(SYS_gettid));
	atomic_fetch_add(&running, 1);
	while (atomic_load(&running) < LOGGERS)
		sched_yield();
	for (seq = 0; seq < RECORDS || (death->flags & FLOOD); seq++) {
		log_one(id, seq);
		random = random * 1664525 + 1013904223;
		if (random >> 28 == 0)
			sched_yield();
		if (random >> 28 == 1)
			free(malloc(random >> 16 & 0xff));
	}
	for (;;)
		pause();
	return NULL;
}

static void
meet_death(void)
{
	if (death->flags & ALONE) {
		snapshot();
		death->die();
		_exit(99);
	}
	if (!(death->flags & STRANGER))
		log_some(DYING, 5);
	wait_for_moment();
	if (!(death->flags & STRANGER))
		log_some(DYING, 5);
	if (!(death->flags & ELSEWHERE))
		snapshot();
	death->die();
}

static void *
worker(void *cookie)
{
	(void)cookie;
	meet_death();
	for (;;)
		pause();
	return NULL;
}

static void
begin_lpk(void)
{
	struct lpk_panic_options panic = LPK_PANIC_OPTIONS_INIT;
	struct lpk_options options = LPK_OPTIONS_INIT;
	char words[512], region[256];
	int count = 0, want = 1;
	const char *at;

	panic.flags = LPK_PANIC_BACKTRACE;
	if (death->flags & TRACE)
		lpk_panic_install(&panic);
	snprintf(region, sizeof(region), "%s/log", page->folder);
	options.region = death->flags & MEMFD ? NULL : region;
	if (death->flags & SANDBOX)
		options.flags = LPK_INIT_SANDBOX;
	if ((death->flags & NO_REGION ? lpk_panic_install(NULL) :
					lpk_init(&options)) != LPK_OK) {
		fputs("no region\n", stderr);
		_exit(99);
	}
	devices_register();
	snprintf(words, sizeof(words),
	    death->consoles != NULL ? death->consoles :
				      "fd:%d,name=a;file:%s/b,name=b",
	    page->fd_a, page->folder);
	for (at = words; (at = strchr(at, ';')) != NULL; at++)
		want++;
	count = lpk_consoles_add(words);
	if (count != want) {
		fprintf(stderr, "%d consoles of '%s'\n", count, words);
		_exit(99);
	}
}

static void
start(void *(*function)(void *), uintptr_t cookie)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	if (pthread_create(&thread, &attributes, function, (void *)cookie) !=
	    0) {
		fputs("no thread\n", stderr);
		_exit(99);
	}
}

void
child_main(const struct death *of, int page_fd)
{
	uintptr_t i;

	death = of;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    page_fd, 0);
	if (page == MAP_FAILED)
		_exit(99);
	close(page_fd);
	if (death->before != NULL)
		death->before();
	if (!page->bare && !(death->flags & ALONE))
		begin_lpk();
	if (death->after != NULL && !page->bare)
		death->after();
	for (i = 0; i < LOGGERS && !(death->flags & ALONE); i++)
		start(logger, i);
	if (death->flags & (WORKER | STRANGER))
		start(worker, 0);
	else
		meet_death();
	for (;;)
		pause();
}
