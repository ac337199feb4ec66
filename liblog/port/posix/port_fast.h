/* SPDX-License-Identifier: MIT */
/*
 * port_fast.h, hosted - what the hot path asks of the port, without a call:
 * each of these is one or two instructions where the function of port.h is
 * called, which costs as much as the rest of a printk.
 */
#ifndef LPK_PORT_FAST_H
#define LPK_PORT_FAST_H

#include <lpk/port.h>

#include "counter.h"
#include "lpk_atomic.h"

/*
 * This thread; initial-exec, so that touching it allocates nothing. lane is set
 * last, once the caller is known, and only where the counter can be trusted: so
 * it alone says whether the fast way is open.
 */
struct lpk__self {
	uint32_t caller; /* 0: not asked yet; LPK_CALLER_HANDLER in a handler */
	uint32_t lane;   /* + 1; 0: the slow way knows */
	uint32_t chosen; /* lane + 1; 0: none yet */
	uint32_t handlers;
	uint32_t write_only; /* no other system call: see lpk/console.h */
};

extern __thread struct lpk__self lpk__self
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern struct lpk_log lpk__default_log __attribute__((visibility("hidden")));
/* Of the C library, which is not asked for its extensions here. */
size_t strnlen(const char *text, size_t most);

/* The clock, once lpk__fast_self() was true. */
static inline uint64_t
lpk__fast_clock(void)
{
	return lpk__counter_read();
}

/*
 * Who is calling, on which lane. False at a thread's first call, and where the
 * log has fewer lanes than the default one: the functions of port.h know then.
 */
static inline bool
lpk__fast_self(uint32_t lanes, uint32_t *caller, uint32_t *lane)
{
	*lane = lpk__self.lane - 1;
	*caller = lpk__self.caller;
	return *lane < lanes;
}

static inline struct lpk_log *
lpk__fast_log(struct lpk_log *log)
{
	return log != NULL ? log : &lpk__default_log;
}

/*
 * Get a cache line, to write to it soon. prefetchw does nothing where a
 * processor lacks it; compilers emit it only when told that there is none such,
 * and otherwise fetch the line to read it, which is of no use here.
 */
static inline void
lpk__fast_warm(const void *line)
{
#if defined(__x86_64__)
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
#else
	__builtin_prefetch(line, 1);
#endif
}

/* Bytes of a text, most at most. */
static inline size_t
lpk__fast_length(const char *text, size_t most)
{
	return strnlen(text, most);
}

#endif /* LPK_PORT_FAST_H */
