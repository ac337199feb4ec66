/* SPDX-License-Identifier: MIT */
/*
 * safe.c - what drivers ask about their device while they use it.
 */
#include <time.h>

#include <lpk/console.h>

#include "core/owner.h"
#include "port_fast.h"

/* A driver that is called by its own tests has no owner to lose it to. */
bool
lpk_console_can_proceed(const struct lpk_batch *batch)
{
	return batch->hold == NULL || lpk__owner_can_proceed(batch->hold);
}

bool
lpk_console_exit_unsafe(const struct lpk_batch *batch)
{
	return batch->hold == NULL || lpk__owner_exit_unsafe(batch->hold);
}

bool
lpk_console_enter_unsafe(const struct lpk_batch *batch)
{
	return batch->hold == NULL || lpk__owner_enter_unsafe(batch->hold);
}

bool
lpk_panic_write_only(void)
{
	return lpk__self.write_only != 0;
}

uint64_t
lpk_now_ns(void)
{
	struct timespec now;

	/* The coarse one takes no counter, which strict threads must not read.*/
	clock_gettime(
	    lpk_panic_write_only() ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC,
	    &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
