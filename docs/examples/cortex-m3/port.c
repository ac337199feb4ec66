/* SPDX-License-Identifier: MIT */
/*
 * port.c - lpk on a Cortex-M3: liblog/port/template.c with the board filled in.
 */
#include <lpk/port.h>

#include "board.h"

/* 8 blocks of 512 bytes. */
LPK_LOG_DEFINE(board_log, 512, 8, 1);

struct lpk_log *
lpk_default_log(void)
{
	return &board_log;
}

#define TICKS_A_MS (BOARD_HZ / 1000)

/*
 * SysTick counts down through each millisecond. A caller of a higher priority
 * than SysTick may find a millisecond that is over but not counted yet; the
 * pending bit says so.
 */
uint64_t
lpk_port_clock(void)
{
	uint32_t ms = board_ms;
	uint32_t left = SYSTICK_VAL;

	if (board_ms != ms || (SCB_ICSR & ICSR_PENDSTSET) != 0) {
		left = SYSTICK_VAL;
		ms = board_ms + ((SCB_ICSR & ICSR_PENDSTSET) != 0);
	}
	return (uint64_t)ms * TICKS_A_MS + (TICKS_A_MS - 1 - left);
}

uint64_t
lpk_port_clock_hz(void)
{
	return BOARD_HZ;
}

void
lpk_port_clock_pair(struct lpk_clock_pair *pair)
{
	pair->raw = lpk_port_clock();
	pair->monotonic_ns = pair->raw * (1000000000 / BOARD_HZ);
	pair->realtime_ns = 0;
}

/* IPSR: the number of the exception, 0 in the main loop. */
uint32_t
lpk_port_caller(void)
{
	uint32_t number;

	__asm__ volatile("mrs %0, ipsr" : "=r"(number));
	return number != 0 ? LPK_CALLER_HANDLER | number : 1;
}

uint32_t
lpk_port_lane(void)
{
	return 0;
}

/* The main loop polls the log. */
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

/* Without an operating system there are no names. */
void
lpk_port_thread_name(char name[LPK_THREAD_NAME_BYTES])
{
	(void)name;
}
