/* SPDX-License-Identifier: MIT */
/*
 * durable.c - a thread that writes the region to its disk: some time after a
 * record was stored, and soon after one of a certain level. Nobody else waits
 * for the disk, not even a panic.
 *
 * While nothing is stored the thread sleeps, as those of consoles do: no writer
 * pays for it but the one that wakes it. While something waits to be written,
 * and levels do not matter, it sleeps on a word that no writer touches.
 */
#include "durable.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <lpk/port.h>
#include <lpk/printk.h>

#include "core/log.h"
#include "core/reader.h"
#include "lpk_atomic.h"
#include "page.h"
#include "port_fast.h"
#include "region.h"
#include "sleep.h"
#include "slot.h"

/* Between two looks for records of a level, when there is one after another. */
#define LOOK_NS 1000000
/* So many records at most, before the time is looked at. */
#define LOOK_RECORDS 4096
/* After the disk refused. */
#define RETRY_NS 1000000000
/* How long the end of the process waits for the disk. */
#define EXIT_NS 2000000000

static struct {
	bool there;
	pthread_t thread;
	unsigned long stop;  /* futex */
	unsigned long ended; /* futex */
	struct lpk__durable_wish wish;
	/* From here on the thread's own. */
	struct lpk_reader reader;
	uint64_t due;    /* UINT64_MAX: nothing is to be written by time */
	uint64_t looked; /* when */
	bool urgent;     /* a record of the level was stored */
	bool failed;     /* the disk refused, and that was said */
} durable;

static uint64_t
interval_ns(void)
{
	return (uint64_t)durable.wish.sync_ms * 1000000;
}

/* What is stored from now on is on the disk at that time, and not much later. */
static void
set_due(uint64_t now)
{
	if (durable.due == UINT64_MAX && durable.wish.sync_ms != 0)
		durable.due = now + interval_ns();
}

/* Are there records, and is one of them important? */
static void
look(uint64_t now)
{
	struct lpk_record record;
	char text[LPK_TEXT_MAX + 1];
	uint64_t ns;
	int left, result;

	durable.looked = now;
	if (!lpk__reader_ready(&durable.reader, &ns))
		return;
	set_due(now);
	if (durable.wish.sync_level < 0) {
		lpk_reader_seek(&durable.reader, LPK_SEEK_NEXT, 0);
		return;
	}
	for (left = LOOK_RECORDS; left > 0; left--) {
		result = lpk_reader_next(
		    &durable.reader, &record, text, sizeof(text));
		if (result == -LPK_EAGAIN)
			break;
		/* What was lost may have been important. */
		if (result != LPK_OK || record.level <= durable.wish.sync_level)
			durable.urgent = true;
	}
}

/*
 * The kernel forgets pages that it could not write: a second attempt would
 * leave them out, and succeed. So have them all written once more.
 */
static void
touch_pages(void)
{
	unsigned char *at = lpk__default_log.region;
	size_t i;

	for (i = 0; i < lpk__default_log.region_bytes; i += 4096)
		lpk_fetch_add_relaxed((unsigned long *)(void *)(at + i), 0);
}

/* Once for each time that it begins or ends; both are records, too. */
static void
tell(int error)
{
	if (error != 0 && !durable.failed)
		lpk_err("lpk: the region cannot be written to its disk (error "
			"%d); it stays in memory",
		    error);
	else if (error == 0 && durable.failed)
		lpk_notice("lpk: the region is written to its disk again");
	durable.failed = error != 0;
}

static void
sync_now(void)
{
	struct lpk_log *log = &lpk__default_log;
	uint64_t begun = lpk_port_clock(), until;
	int error = 0;

	if (durable.failed)
		touch_pages();
	durable.urgent = false;
	durable.due = UINT64_MAX;
	if (durable.wish.sync_level < 0)
		lpk_reader_seek(&durable.reader, LPK_SEEK_NEXT, 0);
	/*
	 * From here on writers wake us: also one that the reader has passed
	 * over because it was half way, and that would miss this write.
	 */
	(void)lpk__sleep_ready(&durable.reader, &until);
	/* By address: the program may have closed the descriptor. */
	if (msync(log->region, LPK__PAGES(log->region_bytes), MS_SYNC) != 0)
		error = errno;
	/* So it goes to the disk with the next one: what it says there is so.
	 */
	if (error == 0)
		lpk__write64(lpk__head(log)->synced, begun);
	else
		durable.due = lpk_now_ns() +
		    (interval_ns() > RETRY_NS ? interval_ns() : RETRY_NS);
	tell(error);
}

/* A refusal is not answered by more attempts, however important the records. */
static bool
is_due(uint64_t now)
{
	return now >= durable.due || (durable.urgent && !durable.failed);
}

static void
wait_for_work(unsigned long ticket, uint64_t now)
{
	struct lpk_log *log = &lpk__default_log;
	uint64_t until, next = durable.looked + LOOK_NS;
	bool by_level = durable.wish.sync_level >= 0 && !durable.failed;

	if (durable.due != UINT64_MAX && !by_level) {
		lpk__futex_wait(&durable.stop, 0, durable.due);
		return;
	}
	/* It was woken a moment ago: let there be more than one record. */
	if (now < next)
		lpk__futex_wait(&durable.stop, 0, next);
	if (lpk__sleep_ready(&durable.reader, &until))
		return;
	if (until > durable.due)
		until = durable.due;
	lpk__futex_wait(&log->wake_seq, ticket, until);
}

static void *
thread_main(void *argument)
{
	struct lpk_log *log = &lpk__default_log;
	unsigned long ticket, known = lpk__sleep_ticket(log);
	uint64_t now;

	/* What was stored until the region was made is on the disk. */
	for (;;) {
		ticket = lpk__sleep_ticket(log);
		if (lpk_load_relaxed(&durable.stop) != 0)
			break;
		now = lpk_now_ns();
		/*
		 * Whoever wakes us has stored something; it may be one that
		 * the reader has passed over when it was not finished.
		 */
		if (ticket != known)
			set_due(now);
		known = ticket;
		look(now);
		if (is_due(now))
			sync_now();
		else
			wait_for_work(ticket, now);
	}
	sync_now();
	lpk_store_release(&durable.ended, 1);
	lpk__futex_wake(&durable.ended);
	return argument;
}

int
lpk__durable_begin(const struct lpk__durable_wish *wish)
{
	if (durable.there || !lpk__durable_wanted(wish))
		return LPK_OK;
	durable.wish = *wish;
	durable.due = UINT64_MAX;
	durable.looked = 0;
	durable.urgent = false;
	durable.failed = false;
	lpk_store_relaxed(&durable.stop, 0);
	lpk_store_relaxed(&durable.ended, 0);
	lpk_reader_open(&durable.reader, &lpk__default_log, LPK_SEEK_NEXT);
	durable.there =
	    lpk__thread_create(&durable.thread, thread_main, NULL) == LPK_OK;
	return durable.there ? LPK_OK : -LPK_ENOMEM;
}

void
lpk__durable_end(void)
{
	uint64_t deadline = lpk_now_ns() + EXIT_NS;

	if (!durable.there)
		return;
	lpk_store_relaxed(&durable.stop, 1);
	lpk__futex_wake(&durable.stop);
	lpk__sleep_end(&lpk__default_log);
	while (lpk_load_acquire(&durable.ended) == 0) {
		/* A dead disk is not a reason to hang. */
		if (!lpk__futex_wait(&durable.ended, 0, deadline))
			return;
	}
	pthread_join(durable.thread, NULL);
	durable.there = false;
}

void
lpk__durable_forked(void)
{
	durable.there = false;
}
