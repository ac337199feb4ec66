/* SPDX-License-Identifier: MIT */
/*
 * sleep.c - sleeping readers.
 *
 * A writer commits, then looks whether anyone waits; a reader says that it
 * waits, then looks for records. Without a full barrier on both sides each
 * could miss the other. A barrier in every printk would cost half of it, so
 * the reader pays for both: membarrier(2) runs one on every CPU that runs a
 * thread of this process. Where the kernel has no membarrier, readers sleep
 * LPK__SLEEP_BLIND_NS at a time.
 */
#include "sleep.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/port.h>

#include "core/reader.h"
#include "direct.h"
#include "lpk_atomic.h"

#define LPK__SLEEP_BLIND_NS 10000000
#define EVENT_FDS 16

/* Descriptors to write to; fd + 1, and the log that each is for. */
static struct {
	unsigned long fd;
	unsigned long log;
} events[EVENT_FDS];

/* membarrier(2) needs one registration; its result never changes. */
static bool
heavy_fence(void)
{
	static unsigned long state; /* 0 unknown, 1 there, 2 not to be had */
	unsigned long known = lpk_load_relaxed(&state);

	if (known == 0) {
		known =
		    syscall(SYS_membarrier,
			MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 ?
		    1 :
		    2;
		lpk_store_relaxed(&state, known);
	}
	return known == 1 &&
	    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) ==
	    0;
}

/*
 * Say that we wait. Afterwards either we see every record whose writer did not
 * see us, or (false) we must not sleep for long.
 */
static bool
announce(struct lpk_log *log)
{
	lpk__waits_set(log, LPK__WAITS_ASLEEP);
	/*
	 * LMM(announce:A)
	 * The announcement before the look for records. Pairs with store:A.
	 */
	lpk_fence_full();
	return heavy_fence();
}

void
lpk__sleepers_wake(struct lpk_log *log)
{
	const uint64_t one = 1;
	int saved = errno;
	int i;

	/*
	 * Relaxed: one waker is enough, and whoever announces itself after
	 * this has yet to look for records.
	 */
	lpk__waits_clear(log, LPK__WAITS_ASLEEP);
	lpk_fetch_add_relaxed(&log->wake_seq, 1);
	lpk__futex_wake(&log->wake_seq);
	for (i = 0; i < EVENT_FDS; i++) {
		/*
		 * LMM(events:B)
		 * Pairs with events:A: the descriptor is open.
		 */
		unsigned long fd = lpk_load_acquire(&events[i].fd);

		if (fd != 0 &&
		    lpk_load_relaxed(&events[i].log) == (unsigned long)log)
			(void)!write((int)(fd - 1), &one, sizeof(one));
	}
	errno = saved;
}

unsigned long
lpk__sleep_ticket(struct lpk_log *log)
{
	/*
	 * LMM(ticket:A)
	 * Pairs with end:A: if we have the new number, then we see what was
	 * done before it.
	 */
	return lpk_load_acquire(&log->wake_seq);
}

void
lpk__sleep_end(struct lpk_log *log)
{
	/*
	 * LMM(end:A)
	 * What the caller did before the new number. Pairs with ticket:A.
	 */
	lpk_fence_release();
	lpk__sleepers_wake(log);
}

bool
lpk__sleep_ready(struct lpk_reader *reader, uint64_t *until_ns)
{
	/* The words to sleep on are the only ones of a log that we write. */
	struct lpk_log *log = (struct lpk_log *)(uintptr_t)reader->log;
	bool sound = announce(log);
	uint64_t ns;

	if (lpk__reader_ready(reader, &ns))
		return true;
	if (!sound && ns > LPK__SLEEP_BLIND_NS)
		ns = LPK__SLEEP_BLIND_NS;
	*until_ns = ns == UINT64_MAX ? UINT64_MAX : lpk_now_ns() + ns;
	return false;
}

int
lpk_reader_wait(struct lpk_reader *reader, uint64_t deadline_ns)
{
	struct lpk_log *log;
	uint64_t until, ns;
	unsigned long ticket;

	if (reader == NULL || reader->log == NULL)
		return -LPK_EINVAL;
	log = (struct lpk_log *)(uintptr_t)reader->log;
	for (;;) {
		ticket = lpk__sleep_ticket(log);
		if (lpk__reader_ready(reader, &ns) ||
		    lpk__sleep_ready(reader, &until))
			return LPK_OK;
		if (deadline_ns != UINT64_MAX && lpk_now_ns() >= deadline_ns)
			return -LPK_ETIMEDOUT;
		if (until > deadline_ns)
			until = deadline_ns;
		lpk__futex_wait(&log->wake_seq, ticket, until);
	}
}

bool
lpk_port_idle(struct lpk_reader *reader)
{
	struct lpk_log *log = (struct lpk_log *)(uintptr_t)reader->log;
	uint64_t ns, count;

	(void)!read(reader->event_fd, &count, sizeof(count));
	announce(log);
	return lpk__reader_ready(reader, &ns);
}

int
lpk_reader_eventfd(struct lpk_reader *reader)
{
	int fd, i;

	if (reader == NULL || reader->log == NULL)
		return -LPK_EINVAL;
	if (reader->event_fd >= 0)
		return reader->event_fd;
	if (!heavy_fence())
		return -LPK_ENOSYS;
	fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -LPK_EIO;
	for (i = 0; i < EVENT_FDS; i++) {
		if (lpk_load_relaxed(&events[i].log) == 0 &&
		    lpk_cas_relaxed(
			&events[i].log, 0, (unsigned long)reader->log)) {
			/*
			 * LMM(events:A)
			 * The open descriptor and its log before its number.
			 * Pairs with events:B.
			 */
			lpk_store_release(&events[i].fd, (unsigned long)fd + 1);
			reader->event_fd = fd;
			return fd;
		}
	}
	close(fd);
	return -LPK_EBUSY;
}

void
lpk_reader_close(struct lpk_reader *reader)
{
	int i;

	if (reader == NULL || reader->event_fd < 0)
		return;
	for (i = 0; i < EVENT_FDS; i++) {
		if (lpk_load_relaxed(&events[i].fd) ==
		    (unsigned long)reader->event_fd + 1) {
			/* The log last: it is what says that a place is free. */
			lpk_store_relaxed(&events[i].fd, 0);
			lpk_store_relaxed(&events[i].log, 0);
		}
	}
	/* A writer may still hold the number: it wakes one reader in vain. */
	close(reader->event_fd);
	reader->event_fd = -1;
}
