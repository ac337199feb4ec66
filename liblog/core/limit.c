/* SPDX-License-Identifier: MIT */
/*
 * limit.c - calls that log once, or at most so often; each one held back is
 * counted as suppressed.
 */
#include <lpk/port.h>
#include <lpk/printk.h>

#include "ring.h"

static void
suppress(struct lpk_log *log)
{
	if (log == NULL)
		log = lpk_default_log();
	/* Relaxed: a count. */
	lpk_fetch_add_relaxed(&lpk__head(log)->suppressed, 1);
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

bool
lpk__ratelimit(struct lpk_log *log, struct lpk_site *site,
    struct lpk_ratelimit *limit)
{
	uint64_t ticks =
	    lpk_port_clock_hz() / 1000 * (uint64_t)limit->interval_ms;
	unsigned long now = (unsigned long)(lpk_port_clock() /
				(ticks != 0 ? ticks : 1)) + 1;
	unsigned long window = lpk_load_relaxed(&limit->window);
	unsigned long missed;

	/*
	 * Relaxed: the words are counts. A call that is counted in the window
	 * after its own by a race is let through or held back all the same,
	 * and the suppressed are exact.
	 */
	if (window != now && lpk_cas_relaxed(&limit->window, window, now)) {
		lpk_store_relaxed(&limit->passed, 0);
		missed = take_missed(limit);
		if (missed != 0)
			lpk_write(log, (enum lpk_level)site->level,
			    "%s: %lu messages suppressed", site->function,
			    missed);
	}
	if (lpk_fetch_add_relaxed(&limit->passed, 1) < limit->burst)
		return true;
	lpk_fetch_add_relaxed(&limit->missed, 1);
	suppress(log);
	return false;
}
