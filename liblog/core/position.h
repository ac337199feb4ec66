/* SPDX-License-Identifier: MIT */
/*
 * position.h - how far a console is, in a form that another context can go on
 * from: the one that takes the console over cannot trust the cursor of the one
 * that was interrupted in the middle of moving it.
 */
#ifndef LPK_CORE_POSITION_H
#define LPK_CORE_POSITION_H

#include "reader.h"

/* The accounts of a console: see struct lpk_console_stats. */
enum lpk__count {
	LPK__PRINTED,
	LPK__SUPPRESSED,
	LPK__LOST,
	LPK__REFUSED,
	LPK__REPLAYED,
	LPK__DIRECT,
	LPK__BYTES,
	LPK__COUNTS
};

/* What the device was told, besides the records themselves. */
struct lpk__told {
	unsigned long counts[LPK__COUNTS]; /* of the records until here */
	unsigned long dropped;             /* by the log */
	uint32_t open; /* the line is this caller's still; 0: it ended */
};

/* What a reader has accounted for. */
struct lpk__position {
	unsigned long done[LPK_BLOCKS_MAX];
	struct lpk__late late[LPK_LATE_MAX];
	uint32_t lates;
	uint32_t seq_low; /* of the next record */
	uint32_t seq_high;
	uint32_t lost_low; /* of its lost_new */
	uint32_t lost_high;
	struct lpk__told told;
};

/*
 * Two positions in turn: one is published, the other is being written by the
 * owner of the console, the one context that may.
 */
struct lpk__positions {
	unsigned long published; /* how often; the lowest bit says which */
	struct lpk__position turn[2];
};

/**
 * lpk__position_publish() - This is how far we are.
 *
 * Context:  any; the owner of the console.
 */
void lpk__position_publish(struct lpk__positions *positions,
    const struct lpk_reader *reader, const struct lpk__told *told);

/**
 * lpk__position_restore() - Go on from what was published last.
 * @told: receives what was told; may be NULL
 *
 * Context:  any, the owner or not.
 * Return:   false when it was published anew too often meanwhile; the reader
 *           is as it was.
 */
bool lpk__position_restore(const struct lpk__positions *positions,
    struct lpk_reader *reader, struct lpk__told *told);

/** lpk__position_seq() - The seq of the next record. Context: any. */
uint64_t lpk__position_seq(const struct lpk__positions *positions);

/**
 * lpk__position_reached() - Was all before a mark accounted for?
 *
 * Context:  any.
 */
bool lpk__position_reached(const struct lpk__positions *positions,
    const struct lpk__mark *mark, const struct lpk_log *log);

#endif /* LPK_CORE_POSITION_H */
