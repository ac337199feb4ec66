/* SPDX-License-Identifier: MIT */
/*
 * clock.c - the conversion data of the counter: kept fresh by whoever logs,
 * once a second, and read by whoever prints.
 *
 * The rate is the one measured between the first and the latest pair, so a
 * time between the two is right to the width of a pair (some hundred ns), and
 * one after the latest drifts by the error of the rate over one second.
 */
#include "clock.h"

_Static_assert(
    sizeof(struct lpk__clock) <= sizeof(((struct lpk__head *)0)->clock),
    "the head has room for the clock");

void
lpk__clock_refresh(struct lpk_log *log)
{
	struct lpk__head *head = lpk__head(log);
	/*
	 * A sequence lock whose writers never wait: who finds it odd leaves.
	 * A context that dies inside leaves the clock unreadable, and readers
	 * then use the nominal rate.
	 *
	 * LMM(clock:A)
	 * Pairs with clock:C of the writer before.
	 */
	unsigned long seq = lpk_load_acquire(&head->clock_seq);
	struct lpk__clock clock;
	uint64_t age;

	if ((seq & 1) != 0 || !lpk_cas_acquire(&head->clock_seq, seq, seq + 1))
		return;
	/*
	 * LMM(clock:B)
	 * The odd mark before the first word. Pairs with clock:E.
	 */
	lpk_fence_release();
	lpk__words_read(&clock, head->clock, sizeof(clock));
	lpk_port_clock_pair(&clock.last);
	clock.hz = lpk_port_clock_hz();
	if (seq == 0)
		clock.base = clock.last;
	lpk__words_write(head->clock, &clock, sizeof(clock));
	/*
	 * Often at first, so that the rate is soon known well, then once a
	 * second. Relaxed: a hint of the hot path.
	 */
	age = clock.last.raw - clock.base.raw;
	if (age < clock.hz / 1000)
		age = clock.hz / 1000;
	if (age > clock.hz)
		age = clock.hz;
	/* lpk__clock_check() compares words: half of one would look past. */
	if (age > (0ul - 1) / 4)
		age = (0ul - 1) / 4;
	lpk_store_relaxed(
	    &log->clock_due, (unsigned long)(clock.last.raw + age));
	/*
	 * LMM(clock:C)
	 * The words before the even mark. Pairs with clock:A and clock:D.
	 */
	lpk_store_release(&head->clock_seq, seq + 2);
}

bool
lpk__clock_read(const struct lpk_log *log, struct lpk__clock *clock)
{
	struct lpk__head *head = lpk__head(log);
	/*
	 * LMM(clock:D)
	 * Pairs with clock:C.
	 */
	unsigned long seq = lpk_load_acquire(&head->clock_seq);

	if (seq == 0 || (seq & 1) != 0)
		return false;
	lpk__words_read(clock, head->clock, sizeof(*clock));
	/*
	 * LMM(clock:E)
	 * The words before the second look. Pairs with clock:B.
	 */
	lpk_fence_acquire();
	return lpk_check(lpk_load_relaxed(&head->clock_seq) == seq);
}

void
lpk__clock_scale(struct lpk__scale *scale, const struct lpk__clock *clock)
{
	uint64_t ns = clock->last.monotonic_ns - clock->base.monotonic_ns;
	uint64_t ticks = clock->last.raw - clock->base.raw;
	uint32_t shift = 32;

	/* Too short to tell the rate: 100 us against a pair's some 100 ns. */
	if (ns < 100000 || ticks == 0) {
		ns = 1000000000;
		ticks = clock->hz != 0 ? clock->hz : 1000000000;
	}
	while (ns >= UINT64_C(1) << 31 || ticks >= UINT64_C(1) << 31) {
		ns >>= 1;
		ticks >>= 1;
	}
	/* Only in a region that somebody wrote over. */
	if (ticks == 0)
		ticks = 1;
	/* The largest shift with which the multiplier fits 32 bits. */
	while (shift != 0 && (ns << shift) / ticks >= UINT64_C(1) << 32)
		shift--;
	scale->mult = (uint32_t)((ns << shift) / ticks);
	scale->shift = shift;
	scale->base_raw = clock->last.raw;
	scale->base_ns = clock->last.monotonic_ns;
	scale->realtime_offset_ns = clock->last.realtime_ns == 0 ?
	    0 :
	    clock->last.realtime_ns - clock->last.monotonic_ns;
}

static uint64_t
scaled(const struct lpk__scale *scale, uint64_t ticks)
{
	uint64_t high = (ticks >> 32) * scale->mult;
	uint64_t low = (ticks & UINT32_MAX) * scale->mult;

	return (high << (32 - scale->shift)) + (low >> scale->shift);
}

uint64_t
lpk__clock_ns(const struct lpk__scale *scale, uint64_t raw)
{
	uint64_t before = scale->base_raw - raw;

	if ((int64_t)before <= 0)
		return scale->base_ns + scaled(scale, 0 - before);
	before = scaled(scale, before);
	return before < scale->base_ns ? scale->base_ns - before : 0;
}
