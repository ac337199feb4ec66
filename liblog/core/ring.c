/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the slow path of the ring: closing a block, claiming the oldest
 * one, preparing it and installing it in a lane; making a log; its accounts.
 *
 * Any of these functions may be interrupted between any two instructions by a
 * handler that runs all of them. Only one word ever names a winner in each
 * step: state for who closes, life for who claims, current for who installs.
 */
#include "ring.h"
#include "log.h"

#include <lpk/port.h>

/* The state of a block that was closed before it was full. */
static unsigned long
closed_state(const struct lpk_geometry *geometry, unsigned long state)
{
	return (state & ~LPK__OFFSET_MASK) | (geometry->units + 1ul);
}

/*
 * Close a block that still has room: an idle lane's, so that it does not pin
 * memory, or one prepared in vain. One try: if a writer got in between, the
 * block is alive and is left alone.
 */
static bool
close_early(const struct lpk_geometry *geometry, struct lpk__block *block)
{
	unsigned long state = lpk_load_relaxed(&block->state);

	if (!lpk__state_open(geometry, state))
		return false;
	/*
	 * LMM(close:B)
	 * Pairs with prepare:C. The life that is closed here may be a later one
	 * than ours: close:A comes after its final = 0, not before.
	 */
	if (!lpk_cas_acquire(
		&block->state, state, closed_state(geometry, state)))
		return false;
	lpk__ring_close(block, state);
	return true;
}

/* Generation after this one; a wrapped one must not look like fresh memory. */
static unsigned long
next_life(unsigned long life)
{
	if (life == LPK__LIFE_FRESH)
		return LPK__LIFE_FIRST;
	life += LPK__LIFE_STEP;
	return life == LPK__LIFE_FRESH ? LPK__LIFE_STEP : life;
}

/*
 * Make a block ours if all it holds is finished. A block that is still open is
 * closed and passed over this time: it holds its lane's newest records.
 */
static bool
claim_block(const struct lpk_geometry *geometry, struct lpk__block *block,
    unsigned long *stored)
{
	/*
	 * LMM(claim:A)
	 * Pairs with prepare:B. If this life is seen, then its zeroed commit
	 * words and its final = 0 are, not those of the life before.
	 */
	unsigned long life = lpk_load_acquire(&block->life);
	unsigned long final, i;

	*stored = 0;
	if (!lpk_check((life & LPK__LIFE_BUSY) == 0))
		return false;
	if (life != LPK__LIFE_FRESH) {
		/*
		 * LMM(claim:B)
		 * Pairs with close:A. A closed block gets no more records.
		 */
		final = lpk_load_acquire(&block->final);
		if (!lpk_check(final != 0)) {
			close_early(geometry, block);
			return false;
		}
		*stored = final - 1;
	}
	for (i = 0; i < *stored; i++) {
		/*
		 * LMM(claim:C)
		 * Pairs with commit:A. What we write into the block comes
		 * after what its writers wrote.
		 */
		if (!lpk_check(lpk_load32_acquire(&block->slots[i]) != 0))
			return false;
	}
	/* Relaxed: claim:D orders what follows, claim:A what went before. */
	if (!lpk_cas_relaxed(
		&block->life, life, next_life(life) | LPK__LIFE_BUSY))
		return false;
	/*
	 * LMM(claim:D)
	 * The busy mark before the first word that we write. Pairs with
	 * copy:A and follow:B: a reader that sees such a word sees that its
	 * life is over.
	 */
	lpk_fence_release();
	return true;
}

/*
 * In a panic nothing may be overwritten before it was printed: all but the
 * context that prints make do with blocks that were never used.
 */
static bool
spared(const struct lpk_log *log, const struct lpk__block *block)
{
	/* Relaxed: a panic does not wait until all have seen it. */
	unsigned long owner = lpk_load_relaxed(&log->frozen);

	return LPK_UNLIKELY(owner != 0) &&
	    owner != (lpk_port_caller() & ~LPK_CALLER_HANDLER) &&
	    lpk_load_relaxed(&block->life) != LPK__LIFE_FRESH;
}

/* The block at the hand, or the next one that can be had. */
static struct lpk__block *
claim(struct lpk_log *log, unsigned long *number, unsigned long *stored)
{
	const struct lpk_geometry *geometry = &log->geometry;
	struct lpk__head *head = lpk__head(log);
	uint32_t tries = 2 * geometry->blocks;

	while (tries-- != 0) {
		/* Relaxed: the hand is a hint, claim_block() decides. */
		unsigned long at = lpk_fetch_add_relaxed(&head->hand, 1);
		struct lpk__block *block = lpk__block(log, at);

		if (!spared(log, block) &&
		    claim_block(geometry, block, stored)) {
			*number = at & (geometry->blocks - 1);
			return block;
		}
	}
	return NULL;
}

/*
 * Open a claimed block. The order matters to every other context: until
 * prepare:B the block is nobody's, until prepare:C it takes no reservation.
 * A writer that slept since an earlier life may reserve right after
 * prepare:C, before the block is in any lane; its record is as good as any.
 * Returns the life.
 */
static unsigned long
prepare(struct lpk_log *log, struct lpk__block *block, uint32_t lane,
    unsigned long stored)
{
	/* Relaxed stores: prepare:B publishes them, claim:D goes before. */
	unsigned long life = lpk_load_relaxed(&block->life) & ~LPK__LIFE_BUSY;
	unsigned long i;

	/*
	 * Fresh memory reads as open. Between prepare:B and prepare:C another
	 * claimer would close it and set final, and prepare:C would then open
	 * a block that counts as finished.
	 */
	lpk_store_relaxed(&block->state, closed_state(&log->geometry, 0));

	for (i = 0; i < stored; i++)
		lpk_store32_relaxed(&block->slots[i], 0);
	lpk_store_relaxed(&block->final, 0);
	lpk_store_relaxed(
	    &block->past, lpk_load_relaxed(&block->past) + stored);
	lpk_store_relaxed(&block->lane, lane);
	lpk_store_relaxed(&block->order,
	    LPK__ORDER_FIRST +
		lpk_fetch_add_relaxed(&lpk__head(log)->order, 1));
	lpk__write64(block->opened, lpk_port_clock());
	/*
	 * LMM(prepare:B)
	 * All of the above before the new life. Pairs with claim:A and
	 * follow:A.
	 */
	lpk_store_release(&block->life, life);
	/*
	 * LMM(prepare:C)
	 * The new life before the first reservation in it. Pairs with
	 * reserve:A. A plain store: whatever failed additions piled up here is
	 * forgotten, and a reservation granted before it cannot exist.
	 */
	lpk_store_release(&block->state, 0);
	return life;
}

bool
lpk__ring_advance(struct lpk_log *log, uint32_t lane, unsigned long current)
{
	struct lpk__head *head = lpk__head(log);
	unsigned long *word = &head->lanes[lane].current;
	unsigned long number, stored, life;
	struct lpk__block *block;

	if (LPK_UNLIKELY(lpk_load_relaxed(&head->ready) == 0))
		lpk__head_fill(log);
	/* Someone else may have done it since the caller looked. */
	if (lpk_load_relaxed(word) != current)
		return true;
	block = claim(log, &number, &stored);
	if (block == NULL)
		return lpk_load_relaxed(word) != current;
	life = prepare(log, block, lane, stored);
	/*
	 * LMM(advance:A)
	 * The opened block before its name. Pairs with reserve:C.
	 */
	lpk_fence_release();
	/*
	 * When a name comes round again while we slept, an open block is
	 * replaced; it is then in no lane, and the hand closes it when it
	 * passes.
	 */
	if (!lpk_cas_relaxed(word, current,
		(life << (LPK__NAME_BITS - 1)) |
		    (number * log->geometry.block_bytes + 1)))
		close_early(&log->geometry, block);
	return true;
}

void
lpk__ring_drop(struct lpk_log *log)
{
	/* Relaxed: a count. */
	lpk_fetch_add_relaxed(&lpk__head(log)->dropped, 1);
}

unsigned long
lpk__ring_stored(const struct lpk_log *log, struct lpk__block *block)
{
	unsigned long final = lpk_load_relaxed(&block->final);
	unsigned long state = lpk_load_relaxed(&block->state);

	if (lpk_load_relaxed(&block->life) == LPK__LIFE_FRESH)
		return 0;
	/* Either may be larger: failed additions, or an image written over. */
	state = final != 0 ? final - 1 : state >> LPK__OFFSET_BITS;
	return state < log->geometry.slots ? state : log->geometry.slots;
}
