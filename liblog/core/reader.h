/* SPDX-License-Identifier: MIT */
/*
 * reader.h (core) - what a sleeping reader must know before it sleeps.
 */
#ifndef LPK_CORE_READER_H
#define LPK_CORE_READER_H

#include <lpk/reader.h>

/**
 * lpk__reader_ready() - Would lpk_reader_next() return something?
 * @retry_ns: receives how long to sleep at most; UINT64_MAX: until woken
 *
 * Context:  any.
 */
bool lpk__reader_ready(struct lpk_reader *reader, uint64_t *retry_ns);

/* A point in the log: so many records of each block. */
struct lpk__mark {
	unsigned long records[LPK_BLOCKS_MAX];
};

/**
 * lpk__mark_set() - All that is reserved now.
 *
 * Context:  any.
 */
void lpk__mark_set(struct lpk__mark *mark, const struct lpk_log *log);

/**
 * lpk__mark_passed() - Do so many records of a block reach a mark?
 *
 * Context:  any.
 */
bool lpk__mark_passed(const struct lpk__mark *mark, const struct lpk_log *log,
    uint32_t number, unsigned long done);

#endif /* LPK_CORE_READER_H */
