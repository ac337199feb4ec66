/* SPDX-License-Identifier: MIT */
/*
 * port_fast.h, bare - what the hot path asks of the port: the functions of
 * port.h. A port may have a file of its own in place of this one.
 */
#ifndef LPK_PORT_FAST_H
#define LPK_PORT_FAST_H

#include <lpk/port.h>

static inline uint64_t
lpk__fast_clock(void)
{
	return lpk_port_clock();
}

/* Who is calling, on which lane. */
static inline bool
lpk__fast_self(uint32_t lanes, uint32_t *caller, uint32_t *lane)
{
	*caller = lpk_port_caller();
	*lane = lpk_port_lane();
	return *lane < lanes;
}

static inline struct lpk_log *
lpk__fast_log(struct lpk_log *log)
{
	return log != NULL ? log : lpk_default_log();
}

/* Get a cache line, to write to it soon. Small machines have none. */
static inline void
lpk__fast_warm(const void *line)
{
	(void)line;
}

/* Bytes of a text, most at most. The volatile keeps it from being strnlen(). */
static inline size_t
lpk__fast_length(const char *text, size_t most)
{
	size_t bytes = 0;

	while (bytes < most && ((const volatile char *)text)[bytes] != '\0')
		bytes++;
	return bytes;
}

#endif /* LPK_PORT_FAST_H */
