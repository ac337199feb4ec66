/* SPDX-License-Identifier: MIT */
/*
 * site.c - the first use of a call site: how its arguments are stored is
 * planned, and its description is entered in the dictionary.
 *
 * Any number of contexts may be here for the same site at once, a handler that
 * interrupted the first call among them. All of them plan the same; each
 * enters a description; the exchange of site->entry picks one.
 */
#include "site.h"

#include "dict.h"
#include "message.h"
#include "names.h"
#include "port_fast.h"
#include "render.h"
#include "store.h"

static unsigned long logs_seen;

/* The name of a log, given at its first use. */
static unsigned long
epoch_of(struct lpk_log *log)
{
	unsigned long epoch = lpk_load_relaxed(&log->epoch), fresh;

	if (epoch != 0)
		return epoch;
	do {
		/* Relaxed: a name, unique until 2^10 logs on 32-bit. */
		fresh = (lpk_fetch_add_relaxed(&logs_seen, 1) + 1) &
		    LPK__EPOCH_MASK;
	} while (fresh == 0);
	/* Whoever is first names it. */
	(void)lpk_cas_relaxed(&log->epoch, 0, fresh);
	return lpk_load_relaxed(&log->epoch);
}

static enum lpk__site_kind
plan(struct lpk_site *site, int count)
{
	unsigned char bytes[LPK__PLAN_ARGUMENTS];
	bool words;

	if (count < 0 || site->format == NULL ||
	    lpk__fast_length(site->format, LPK__ENTRY_BYTES_MAX / 2) >=
		LPK__ENTRY_BYTES_MAX / 2 ||
	    !lpk__plan_make(bytes, site->format, (uint32_t)count, &words))
		return LPK__SITE_TEXT;
	/* Relaxed: enter:B publishes; others write the same bytes. */
	lpk__words_write(site->plan, bytes, sizeof(bytes));
	return words ? LPK__SITE_WORDS : LPK__SITE_PACKED;
}

/* Said once a log, by whoever finds the dictionary full first. */
static void
say_full(struct lpk_log *log)
{
	unsigned long *said = &lpk__head(log)->dict_full;

	if (lpk_load_relaxed(said) != 0 || !lpk_cas_relaxed(said, 0, 1))
		return;
	lpk_fetch_add_relaxed(&lpk__head(log)->reported, 1);
	lpk_write(log, LPK_NOTICE,
	    "lpk: the dictionary of log \"%s\" is full: messages of "
	    "further call sites are stored as text",
	    log->name != NULL ? log->name : "");
}

unsigned long
lpk__site_enter(struct lpk_log *log, struct lpk_site *site, int count)
{
	/*
	 * LMM(enter:C)
	 * Pairs with enter:B: the plan and the dictionary's entry are there.
	 */
	unsigned long old = lpk_load_acquire(&site->entry), made, moves = 0;
	unsigned long epoch = epoch_of(log);
	enum lpk__site_kind kind;
	uint32_t number;

	if (old >> LPK__SITE_EPOCH_SHIFT == epoch)
		return old;
	if (old != 0) {
		moves = old >> LPK__SITE_MOVES_SHIFT & LPK__SITE_MOVES_MAX;
		if (moves++ == LPK__SITE_MOVES_MAX)
			return 0;
	}
	lpk__name_check(log, lpk_port_caller());
	kind = plan(site, count);
	number = lpk__dict_enter(
	    log, site, kind == LPK__SITE_TEXT ? 0 : (uint32_t)count);
	if (number == 0 || number > LPK__SITE_NUMBER_MASK) {
		number = 0;
		kind = LPK__SITE_TEXT;
	}
	/* A text can be cut to fit a small block, words cannot. */
	if (kind == LPK__SITE_WORDS &&
	    (uint32_t)count * 8 > lpk__store_room(log))
		kind = LPK__SITE_TEXT;
	made = epoch << LPK__SITE_EPOCH_SHIFT |
	    (unsigned long)number << LPK__SITE_NUMBER_SHIFT |
	    moves << LPK__SITE_MOVES_SHIFT | (unsigned long)kind;
	/*
	 * LMM(enter:B)
	 * The plan and the dictionary's entry before the word that names them.
	 * Pairs with log:A and enter:C.
	 */
	lpk_fence_release();
	/* Ours is right for this call also if it is not the one that is kept. */
	(void)lpk_cas_relaxed(&site->entry, old, made);
	if (number == 0)
		say_full(log);
	return made;
}

uint32_t
lpk__site_number(struct lpk_log *log, struct lpk_site *site)
{
	return lpk__entry_number(lpk__site_enter(lpk__fast_log(log), site, -1));
}
