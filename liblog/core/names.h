/* SPDX-License-Identifier: MIT */
/*
 * names.h - names of the threads that log, kept in the head of the region, so
 * that records need to hold a number only.
 *
 * A table of fixed size, by thread id; when two threads meet in one place the
 * later one gets it. A name is taken at a thread's first call.
 */
#ifndef LPK_CORE_NAMES_H
#define LPK_CORE_NAMES_H

#include <lpk/reader.h>

#include "ring.h"

/**
 * lpk__name_note() - Remember the name of the calling thread.
 * @caller: its id
 *
 * Context:  any; a system call. When another context writes to the same
 *           place, nothing is done.
 */
void lpk__name_note(struct lpk_log *log, uint32_t caller);

/* The same, if the log has no name of it yet. */
static inline void
lpk__name_check(struct lpk_log *log, uint32_t caller)
{
	uint32_t id = caller & ~UINT32_C(0x80000000);

	/* Relaxed: a name too many is harmless. */
	if (LPK_UNLIKELY(
		lpk_load_relaxed(
		    &lpk__head(log)->names[id % LPK_NAMES_MAX].owner) != id))
		lpk__name_note(log, id);
}

/**
 * lpk__name_find() - The name of a caller.
 * @name: receives it; empty where it is not known
 *
 * Context:  any.
 */
void lpk__name_find(const struct lpk_log *log, uint32_t caller,
    char name[LPK_THREAD_NAME_BYTES]);

#endif /* LPK_CORE_NAMES_H */
