/* SPDX-License-Identifier: MIT */
/*
 * direct.h - printing by the caller of printk.
 */
#ifndef LPK_HOSTED_DIRECT_H
#define LPK_HOSTED_DIRECT_H

#include "slot.h"

/* log->waiters: why printk does more than store. */
#define LPK__WAITS_ASLEEP 1ul
#define LPK__WAITS_DIRECT 2ul

/**
 * lpk__direct() - A record was stored: print it where that is wanted now.
 *
 * Context:  any.
 * Progress: bounded by LPK_DIRECT_BUDGET records and LPK_DIRECT_NS for each
 *           console.
 */
void lpk__direct(struct lpk_log *log);

/**
 * lpk__direct_drain() - Print what is stored, whoever's it is.
 *
 * Context:  thread.
 */
void lpk__direct_drain(struct lpk__console_slot *slot, uint64_t deadline_ns);

/**
 * lpk__direct_update() - Whether printk has to call us may have changed.
 *
 * Context:  any.
 */
void lpk__direct_update(void);

/** lpk__emergency_now() - Does a thread print an emergency? Context: any. */
bool lpk__emergency_now(void);

/** lpk__direct_forked() - In the child of a fork. */
void lpk__direct_forked(void);

/** lpk__waits_set(), _clear() - Bits of log->waiters. Context: any. */
void lpk__waits_set(struct lpk_log *log, unsigned long bit);
void lpk__waits_clear(struct lpk_log *log, unsigned long bit);

#endif /* LPK_HOSTED_DIRECT_H */
