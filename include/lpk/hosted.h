/* SPDX-License-Identifier: MIT */
/*
 * hosted.h - what a process with threads and signals can say about itself.
 *
 * | operation           | context | excludes |
 * |---------------------|---------|----------|
 * | lpk_handler_enter   | any     | -        |
 * | lpk_handler_exit    | any     | -        |
 * | lpk_thread_set_lane | any     | -        |
 * | lpk_thread_set_name | any     | -        |
 */
#ifndef LPK_HOSTED_H
#define LPK_HOSTED_H

#include <lpk/base.h>

LPK_BEGIN_DECLS

/**
 * lpk_handler_enter() - From here on this thread runs a signal handler.
 *
 * Records made until the matching lpk_handler_exit() carry the bit
 * LPK_CALLER_HANDLER. Logging in a handler is safe without it; nothing in a
 * process tells a library that it was called from a handler, so the handler
 * must say. Nests.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_handler_enter(void);

/** lpk_handler_exit() - Undo the last lpk_handler_enter(). */
LPK_API void lpk_handler_exit(void);

/**
 * lpk_thread_set_lane() - Choose the lane of the calling thread.
 * @lane: taken modulo the number of lanes of each log
 *
 * Threads get lanes in turn at their first call; a thread that is pinned to a
 * CPU may know better.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_thread_set_lane(uint32_t lane);

/**
 * lpk_thread_set_name() - Name the calling thread, for the system and the log.
 * @name: up to 15 bytes count
 *
 * A log takes a thread's name at the thread's first call; a thread that is
 * renamed later is renamed in the default log by this.
 *
 * Context:  any.
 */
LPK_API void lpk_thread_set_name(const char *name);

LPK_END_DECLS

#endif /* LPK_HOSTED_H */
