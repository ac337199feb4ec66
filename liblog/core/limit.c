/* SPDX-License-Identifier: MIT */
/*
 * limit.c - calls that log once, or at most so often; each one held back is
 * counted as suppressed.
 */
#include <lpk/port.h>
#include <lpk/printk.h>

#include "port_fast.h"
#include "ring.h"

static void
suppress(struct lpk_log *log)
{
	/* Relaxed: a count. */
	lpk_fetch_add_relaxed(&lpk__head(lpk__fast_log(log))->suppressed, 1);
}

bool
lpk__once(struct lpk_log *log, unsigned long *done)
{
	/* Relaxed: only who is first matters, and it publishes nothing. */
	if (lpk_load_relaxed(done) == 0 && lpk_cas_relaxed(done, 0, 1))
		return true;
	suppress(log);
	return false;
}

/* Take what was missed so far, once, whoever else is at it. */
static unsigned long
take_missed(struct lpk_ratelimit *limit)
{
	unsigned long missed = lpk_load_relaxed(&limit->missed);

	/* One try: another context that got in between reports it. */
	if (missed == 0 || !lpk_cas_relaxed(&limit->missed, missed, 0))
		return 0;
	return missed;
}

/*
 * Time in units of 2^16 ticks: one word, and on a 32-bit machine it takes a
 * day to come round, not a second.
 */
#define TIME_SHIFT 16

static unsigned long
now_units(void)
{
	return (unsigned long)(lpk_port_clock() >> TIME_SHIFT);
}

static unsigned long
interval_units(const struct lpk_ratelimit *limit)
{
	uint64_t ticks =
	    lpk_port_clock_hz() / 1000 * (uint64_t)limit->interval_ms;

	ticks >>= TIME_SHIFT;
	return ticks < ~0ul >> 1 ? (unsigned long)ticks : ~0ul >> 1;
}

bool
lpk__ratelimit(
    struct lpk_log *log, struct lpk_site *site, struct lpk_ratelimit *limit)
{
	unsigned long begin = lpk_load_relaxed(&limit->begin);
	unsigned long now = now_units() | 1; /* 0: no interval has begun */
	unsigned long missed;

	/*
	 * Relaxed: the words are counts. A call that a race puts into the
	 * interval after its own is let through or held back all the same,
	 * and the suppressed are exact.
	 */
	if ((begin == 0 || now - begin >= interval_units(limit)) &&
	    lpk_cas_relaxed(&limit->begin, begin, now)) {
		lpk_store_relaxed(&limit->passed, 0);
		missed = take_missed(limit);
		if (missed != 0) {
			lpk_fetch_add_relaxed(
			    &lpk__head(lpk__fast_log(log))->reported, 1);
			lpk_write(log, (enum lpk_level)site->level,
			    "%s: %lu messages suppressed", site->function,
			    missed);
		}
	}
	if (lpk_fetch_add_relaxed(&limit->passed, 1) < limit->burst)
		return true;
	lpk_fetch_add_relaxed(&limit->missed, 1);
	suppress(log);
	return false;
}
