/* SPDX-License-Identifier: MIT */
/*
 * template.c - copy this file to port lpk, and fill in what your board has.
 *
 * As it stands it compiles and logs: without a clock, as one caller, on one
 * lane, waking nobody (a polled console needs no waking).
 */
#include <lpk/port.h>

#include "lpk_atomic.h"

/* The default log: here 8 blocks of 1 KiB. Memory is the only limit. */
LPK_LOG_DEFINE(port_log, 1024, 8, 1);

struct lpk_log *
lpk_default_log(void)
{
	return &port_log;
}

/*
 * A free-running counter: DWT->CYCCNT, mtime, a timer. A counter of 32 bits
 * must be widened here. Without one, count the calls: order is kept at least.
 */
uint64_t
lpk_port_clock(void)
{
	static unsigned long calls;

	return lpk_fetch_add_relaxed(&calls, 1);
}

/* Ticks a second of the counter. */
uint64_t
lpk_port_clock_hz(void)
{
	return 1000000;
}

void
lpk_port_clock_pair(struct lpk_clock_pair *pair)
{
	pair->raw = lpk_port_clock();
	pair->monotonic_ns = pair->raw * 1000;
	pair->realtime_ns = 0;
}

/*
 * On Cortex-M: the task's number, or LPK_CALLER_HANDLER | IPSR when IPSR is
 * not 0.
 */
uint32_t
lpk_port_caller(void)
{
	return 1;
}

/* One core: one lane is best. */
uint32_t
lpk_port_lane(void)
{
	return 0;
}

/* pcTaskGetName(), tx_thread_name and the like. */
void
lpk_port_thread_name(char name[LPK_THREAD_NAME_BYTES])
{
	(void)name;
}

/* Pend the interrupt, or give the semaphore, that runs your console. */
void
lpk_port_wake(struct lpk_log *log)
{
	(void)log;
}

bool
lpk_port_idle(struct lpk_reader *reader)
{
	(void)reader;
	return false;
}

/* A context that can be killed while it prints; most systems have none. */
bool
lpk_port_alive(uint32_t caller)
{
	(void)caller;
	return true;
}

/* Yield, or do nothing where the other context is another core. */
void
lpk_port_pause(unsigned int round)
{
	(void)round;
}
