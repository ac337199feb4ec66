/* SPDX-License-Identifier: MIT */
/*
 * port.c - what the core's reader asks of a platform, for a program that only
 * reads. Of a log that it looks at it has a copy, so nobody is woken.
 */
#include <time.h>

#include <lpk/port.h>
#include <lpk/reader.h>

uint64_t
lpk_port_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t
lpk_port_clock_hz(void)
{
	return 1000000000;
}

bool
lpk_port_idle(struct lpk_reader *reader)
{
	(void)reader;
	return false;
}
