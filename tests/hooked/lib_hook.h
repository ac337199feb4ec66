/* SPDX-License-Identifier: MIT */
/*
 * lib_hook.h - interrupt the calling thread between two steps of the library.
 *
 * Each atomic operation of the hooked backend has two places, before and
 * after. They are counted from 0, for the thread itself (level 0) and for each
 * handler that runs on top of it (levels 1, 2, ...). At the place that is
 * asked for, a level is interrupted once.
 */
#ifndef TESTS_HOOKED_LIB_HOOK_H
#define TESTS_HOOKED_LIB_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#define HOOK_LEVELS 4
#define HOOK_NEVER UINT32_MAX

/* Where each level is to be interrupted. */
struct hook_plan {
	uint32_t at[HOOK_LEVELS];
};

/**
 * hook_signal() - Interrupt by SIGUSR1, sent to this very thread.
 * @handler: runs in the signal handler; gets the level, 1 or more
 */
void hook_signal(void (*handler)(int level));

/**
 * hook_call() - Call a function at the place in place of raising a signal.
 */
void hook_call(void (*function)(void));

/** hook_begin() - From here on this thread counts, and is interrupted. */
void hook_begin(const struct hook_plan *plan);

/** hook_end() - Until here. Returns the number of places of level 0. */
uint32_t hook_end(void);

/** hook_hit() - Was a level interrupted since hook_begin()? */
bool hook_hit(int level);

#endif /* TESTS_HOOKED_LIB_HOOK_H */
