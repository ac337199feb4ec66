/* SPDX-License-Identifier: MIT */
/*
 * site.h - a call site and its entry in the dictionary of a log.
 *
 * site->entry is one word, so that a handler that interrupts the first call
 * finds all of it or nothing:
 *
 *   epoch of the log | number in its dictionary | moves so far | kind
 */
#ifndef LPK_CORE_SITE_H
#define LPK_CORE_SITE_H

#include <lpk/printk.h>

#include "words.h"

enum lpk__site_kind {
	LPK__SITE_UNKNOWN, /* no entry */
	LPK__SITE_WORDS,   /* arguments are stored as they are */
	LPK__SITE_PACKED,  /* some are text or bytes, which are copied */
	LPK__SITE_TEXT     /* the text is rendered at the call */
};

#define LPK__SITE_KIND_MASK 3ul
#define LPK__SITE_MOVES_SHIFT 2
#define LPK__SITE_MOVES_MAX 3ul
#define LPK__SITE_NUMBER_SHIFT 4
#define LPK__SITE_EPOCH_SHIFT (sizeof(unsigned long) >= 8 ? 32 : 22)
#define LPK__SITE_NUMBER_MASK                                                  \
	((1ul << (LPK__SITE_EPOCH_SHIFT - LPK__SITE_NUMBER_SHIFT)) - 1)
#define LPK__EPOCH_MASK (~0ul >> LPK__SITE_EPOCH_SHIFT)

static inline uint32_t
lpk__entry_number(unsigned long entry)
{
	return (
	    uint32_t)(entry >> LPK__SITE_NUMBER_SHIFT & LPK__SITE_NUMBER_MASK);
}

/**
 * lpk__site_enter() - The entry of a site in a log; made if there is none.
 * @count: arguments of the call, negative where they are not known
 *
 * A site belongs to one log at a time. It may move three times, so that a log
 * that takes another's place gets it; after that its calls into other logs
 * are rendered as text, with no number.
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   the entry word; 0 when the site belongs elsewhere.
 */
unsigned long lpk__site_enter(
    struct lpk_log *log, struct lpk_site *site, int count);

/**
 * lpk__site_number() - The number of a site in a log, 0: none.
 * @log: NULL: the default log
 *
 * Context:  any.
 */
uint32_t lpk__site_number(struct lpk_log *log, struct lpk_site *site);

#endif /* LPK_CORE_SITE_H */
