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
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/port.h>
#include <lpk/reader.h>

#include "core/reader.h"
#include "lpk_atomic.h"

#define LPK__SLEEP_BLIND_NS 10000000
#define EVENT_FDS 16

/* Descriptors to write to; fd + 1, and the log that each is for. */
static struct {
	unsigned long fd;
	unsigned long log;
} events[EVENT_FDS];

/* What a futex waits on: the low half of a word. */
static uint32_t *
futex_word(unsigned long *word)
{
	const unsigned long one = 1;
	uint32_t *half = (uint32_t *)(void *)word;

	return *(const unsigned char *)&one == 1 ? half :
						   half + sizeof(one) / 4 - 1;
}

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
	lpk_store_relaxed(&log->waiters, 1);
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
	lpk_store_relaxed(&log->waiters, 0);
	lpk_fetch_add_relaxed(&log->wake_seq, 1);
	syscall(SYS_futex, futex_word(&log->wake_seq), FUTEX_WAKE, INT_MAX,
	    NULL, NULL, 0);
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

static uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
futex_wait(unsigned long *word, unsigned long value, uint64_t ns)
{
	struct timespec timeout = {
	    .tv_sec = (time_t)(ns / 1000000000),
	    .tv_nsec = (long)(ns % 1000000000),
	};

	syscall(SYS_futex, futex_word(word), FUTEX_WAIT, (uint32_t)value,
	    ns == UINT64_MAX ? NULL : &timeout, NULL, 0);
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

int
lpk__sleep_once(
    struct lpk_reader *reader, unsigned long ticket, uint64_t deadline_ns)
{
	/* The words to sleep on are the only ones of a log that we write. */
	struct lpk_log *log = (struct lpk_log *)(uintptr_t)reader->log;
	bool sound = announce(log);
	uint64_t now, ns;

	if (lpk__reader_ready(reader, &ns))
		return LPK_OK;
	if (!sound && ns > LPK__SLEEP_BLIND_NS)
		ns = LPK__SLEEP_BLIND_NS;
	if (deadline_ns != UINT64_MAX) {
		now = monotonic_ns();
		if (now >= deadline_ns)
			return -LPK_ETIMEDOUT;
		if (deadline_ns - now < ns)
			ns = deadline_ns - now;
	}
	futex_wait(&log->wake_seq, ticket, ns);
	return -LPK_EAGAIN;
}

int
lpk_reader_wait(struct lpk_reader *reader, uint64_t deadline_ns)
{
	uint64_t ns;
	int result;

	if (reader == NULL || reader->log == NULL)
		return -LPK_EINVAL;
	do {
		unsigned long ticket =
		    lpk__sleep_ticket((struct lpk_log *)(uintptr_t)reader->log);

		if (lpk__reader_ready(reader, &ns))
			return LPK_OK;
		result = lpk__sleep_once(reader, ticket, deadline_ns);
	} while (result == -LPK_EAGAIN);
	return result;
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
