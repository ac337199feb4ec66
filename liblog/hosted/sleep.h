/* SPDX-License-Identifier: MIT */
/*
 * sleep.h - waiting for records: who sleeps until a log gets its next record,
 * and how a writer wakes them at the price of one load when nobody does.
 */
#ifndef LPK_HOSTED_SLEEP_H
#define LPK_HOSTED_SLEEP_H

#include <lpk/reader.h>

/**
 * lpk__sleepers_wake() - Wake all who wait for records of a log.
 *
 * Context:  any; two system calls at most, and one for each descriptor.
 */
void lpk__sleepers_wake(struct lpk_log *log);

/**
 * lpk__sleep_ticket() - Take a ticket before looking for work.
 *
 * A sleep with the ticket ends at once if anyone was woken since.
 *
 * Context:  any.
 */
unsigned long lpk__sleep_ticket(struct lpk_log *log);

/**
 * lpk__sleep_once() - Sleep until there may be something to read.
 * @ticket:      from before the caller's own look
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 *
 * Context:  thread.
 * Return:   LPK_OK when there is something; -LPK_EAGAIN when the sleep ended
 *           otherwise; -LPK_ETIMEDOUT at the deadline.
 */
int lpk__sleep_once(
    struct lpk_reader *reader, unsigned long ticket, uint64_t deadline_ns);

/**
 * lpk__sleep_end() - Wake the sleepers of a log for another reason.
 *
 * Context:  any.
 */
void lpk__sleep_end(struct lpk_log *log);

#endif /* LPK_HOSTED_SLEEP_H */
