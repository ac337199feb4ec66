/* SPDX-License-Identifier: MIT */
/*
 * clock.h - from counter readings, which records hold, to nanoseconds, which
 * readers want. The region keeps two clock pairs: the first reading and the
 * latest one.
 */
#ifndef LPK_CORE_CLOCK_H
#define LPK_CORE_CLOCK_H

#include <lpk/port.h>
#include <lpk/reader.h>

#include "ring.h"

struct lpk__clock {
	struct lpk_clock_pair base;
	struct lpk_clock_pair last;
	uint64_t hz; /* nominal, for as long as base and last are one */
};

/**
 * lpk__clock_refresh() - Note the present moment in the head of the region.
 *
 * Context:  any. When another context is at it, nothing is done.
 */
void lpk__clock_refresh(struct lpk_log *log);

/* The hot path's test: has a second passed since the clocks were read? */
static inline void
lpk__clock_check(struct lpk_log *log, uint64_t raw)
{
	/* Relaxed: being late or early by one record is harmless. */
	if (LPK_UNLIKELY((long)((unsigned long)raw -
			     lpk_load_relaxed(&log->clock_due)) >= 0))
		lpk__clock_refresh(log);
}

/**
 * lpk__clock_read() - Copy the clock out of the region.
 *
 * Context:  any.
 * Return:   false while it is being written, or when it never was.
 */
bool lpk__clock_read(const struct lpk_log *log, struct lpk__clock *clock);

/**
 * lpk__clock_scale() - Prepare the conversion.
 */
void lpk__clock_scale(struct lpk__scale *scale, const struct lpk__clock *clock);

/**
 * lpk__clock_ns() - Monotonic time of a counter reading, in ns.
 */
uint64_t lpk__clock_ns(const struct lpk__scale *scale, uint64_t raw);

#endif /* LPK_CORE_CLOCK_H */
