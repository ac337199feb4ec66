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
 * lpk__sleep_ready() - Say that we are about to sleep, and look once more.
 * @until_ns: receives until when to sleep at most, when there is nothing;
 *            UINT64_MAX: until the ticket from before is out of date
 *
 * Context:  thread.
 * Return:   true when there is something to read.
 */
bool lpk__sleep_ready(struct lpk_reader *reader, uint64_t *until_ns);

/**
 * lpk__sleep_end() - Wake the sleepers of a log for another reason.
 *
 * Context:  any.
 */
void lpk__sleep_end(struct lpk_log *log);

#endif /* LPK_HOSTED_SLEEP_H */
