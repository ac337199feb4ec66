/* SPDX-License-Identifier: MIT */
/*
 * futex.c - sleeping on a word of this process.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "slot.h"

/* What a futex waits on: the low half of a word. */
static uint32_t *
futex_word(unsigned long *word)
{
	const unsigned long one = 1;
	uint32_t *half = (uint32_t *)(void *)word;

	return *(const unsigned char *)&one == 1 ? half :
						   half + sizeof(one) / 4 - 1;
}

bool
lpk__futex_wait(unsigned long *word, unsigned long value, uint64_t deadline_ns)
{
	struct timespec until = {
	    .tv_sec = (time_t)(deadline_ns / 1000000000),
	    .tv_nsec = (long)(deadline_ns % 1000000000),
	};
	/* With a bitset the time is a point, not a span. */
	long result = syscall(SYS_futex, futex_word(word), FUTEX_WAIT_BITSET,
	    (uint32_t)value, deadline_ns == UINT64_MAX ? NULL : &until, NULL,
	    FUTEX_BITSET_MATCH_ANY);

	return result == 0 || errno != ETIMEDOUT;
}

void
lpk__futex_wake(unsigned long *word)
{
	syscall(
	    SYS_futex, futex_word(word), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
