/* SPDX-License-Identifier: MIT */
/*
 * lib_client_clock.c - the clock in the head of a log: two contexts refresh it,
 * a third reads it whole or not at all.
 */
#include "harness.h"

#include <core/clock.h>

static unsigned int read_whole;
static uint64_t base;

/* The harness's clocks run at three and five times the counter. */
static void
check_pair(const struct lpk_clock_pair *pair)
{
	MODEL_ASSERT(pair->monotonic_ns == pair->raw * 3 && "a torn pair");
	MODEL_ASSERT(pair->realtime_ns == pair->raw * 5 && "a torn pair");
}

static void
read_once(void)
{
	struct lpk__clock clock;

	if (!lpk__clock_read(lpk_default_log(), &clock))
		return;
	read_whole++;
	MODEL_ASSERT(clock.base.raw != 0 && "read before it was written");
	check_pair(&clock.base);
	check_pair(&clock.last);
	MODEL_ASSERT(clock.hz == lpk_port_clock_hz());
	MODEL_ASSERT(base == 0 || base == clock.base.raw);
	base = clock.base.raw;
	MODEL_ASSERT((int64_t)(clock.last.raw - base) >= 0);
}

static void
refresh_twice(void)
{
	lpk__clock_refresh(lpk_default_log());
	lpk__clock_refresh(lpk_default_log());
}

static void
read_twice(void)
{
	read_once();
	read_once();
}

static void
setup(void)
{
	ring(2, 1, 1);
	read_whole = 0;
	base = 0;
}

static void
finish(void)
{
	unsigned int before = read_whole;

	read_once();
	MODEL_ASSERT(read_whole == before + 1);
}

const struct model_client clock_client = {
    .name = "clock",
    .setup = setup,
    .context = {refresh_twice, refresh_twice, read_twice},
    .finish = finish,
};
