/* SPDX-License-Identifier: MIT */
/*
 * ring.h - the ring of blocks and lanes: its words, and the fast path of a
 * writer. docs/DESIGN.md, "The ring", is the essay to read first; every
 * ordered access is labelled LMM(function:letter) and is a row of
 * docs/ORDERING.md.
 *
 * Who writes what:
 *   lane->current   whoever installs a block there, by compare-and-swap
 *   block->life     the one context that claimed the block (compare-and-swap)
 *   block->state    every writer, by fetch-and-add; opened by the claimer
 *   block->final    the one context whose addition closed the block
 *   block->slots[i] the writer that reserved record i; zeroed by the claimer
 *   records         the writer that reserved them
 * Readers write nothing.
 */
#ifndef LPK_CORE_RING_H
#define LPK_CORE_RING_H

#include <lpk/log.h>

#include "lpk_atomic.h"

#include "port_fast.h"
#include "words.h"

/* block->state: records reserved in the high bits, units in the low ones. */
#define LPK__COUNT_ONE (1UL << LPK__OFFSET_BITS)
#define LPK__OFFSET_MASK (LPK__COUNT_ONE - 1)

/* block->life: the generation, and whether a claimer is at work. */
#define LPK__LIFE_BUSY 1UL
#define LPK__LIFE_STEP 2UL
#define LPK__LIFE_FRESH 0UL /* never used since the region was cleared */

/*
 * Counters start just below their overflow, so that every run crosses it.
 * (The idea is that of the kernel's printk_ringbuffer.)
 */
#define LPK__LIFE_FIRST (0UL - 3 * LPK__LIFE_STEP)
#define LPK__ORDER_FIRST (0UL - 20)

/*
 * lane->current names a block: where it lies among the blocks, + 1, and its
 * generation above that. 0: none.
 */
#define LPK__NAME_BITS (sizeof(unsigned long) >= 8 ? 32 : 24)
#define LPK__NAME_MASK ((1UL << LPK__NAME_BITS) - 1)

/* A block as it lies in the region. */
struct lpk__block {
	unsigned long life;
	unsigned long order; /* blocks opened in the log before this one */
	unsigned long past;  /* records stored here in earlier lives */
	unsigned long final; /* 0 while open, then records stored + 1 */
	unsigned long lane;  /* for which it was opened */
	unsigned long opened[sizeof(uint64_t) / sizeof(unsigned long)];
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long state;
	LPK_ALIGNED(LPK_CACHE_LINE) uint32_t slots[];
};

_Static_assert(offsetof(struct lpk__block, slots) == LPK__BLOCK_HEAD,
    "log.h knows where the commit words begin");

struct lpk__lane {
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long current;
};

/* The name of a thread; names.c. */
struct lpk__name {
	unsigned long seq;   /* odd while being written */
	unsigned long owner; /* caller, 0: none */
	unsigned long name[LPK_THREAD_NAME_BYTES / sizeof(unsigned long)];
};

/* Who wrote a region; zeros where a port has nothing to say. */
struct lpk__session {
	unsigned char id[16];   /* at random, another one for each region */
	unsigned char boot[16]; /* of the machine */
	uint64_t started;       /* the process, in clock ticks since boot */
	uint32_t pid;
	uint32_t build_bytes; /* of build that are used */
	unsigned char build[24];
	char program[16]; /* its name, with a NUL */
};

/* How it ended. */
enum { LPK__STATE_LIVE, LPK__STATE_CLEAN, LPK__STATE_PANIC };

/* What the head offers. */
#define LPK__OFFERS_SYNCED 0x1u /* synced follows the three words of state */

/* A console, as other programs see it. All but its name may be changing. */
struct lpk__head_console {
	unsigned long seq;  /* odd while the name is written */
	unsigned long used; /* 0: there is none */
	unsigned long name[LPK_CONSOLE_NAME_BYTES / sizeof(unsigned long)];
	unsigned long driver[16 / sizeof(unsigned long)];
	unsigned long mode;  /* enum lpk_console_mode */
	unsigned long state; /* enum lpk_console_state */
	unsigned long quiet_below;
	unsigned long printed;
	unsigned long suppressed;
	unsigned long lost;
	unsigned long refused;
	unsigned long bytes;
	unsigned long next_seq; /* of the record that it has not printed yet */
	unsigned long owner;    /* thread that is printing, 0: none */
	unsigned long error;    /* errno of the last failure */
	unsigned long time_ms;  /* CLOCK_MONOTONIC, of the last change */
};

/* The head of the region; docs/FORMAT.md describes it to other programs. */
struct lpk__head {
	struct lpk__head_fixed {
		char magic[16];
		uint32_t version;
		uint32_t endian; /* 0x01020304 as the writer sees it */
		uint32_t word_bytes;
		uint32_t head_bytes;
		uint32_t needs;  /* features that a reader must know */
		uint32_t offers; /* features that it may know */
		/* Where things lie in the region, in bytes from its start. */
		uint32_t session;
		uint32_t state; /* live, clean or panic; signal; caller */
		uint32_t clear;
		uint32_t clock;    /* a sequence word, then seven of 64 bits */
		uint32_t accounts; /* dropped to dict_full below */
		uint32_t names;
		uint32_t name_bytes; /* of each */
		uint32_t name_count;
		uint32_t dict;
		uint32_t blocks;
		/* In a block; its other words come first, without gaps. */
		uint32_t block_state;
		uint32_t block_slots;
		struct lpk_geometry geometry;
		uint32_t consoles;      /* struct lpk__head_console */
		uint32_t console_bytes; /* of each */
		uint32_t console_count;
	} fixed;
	LPK_ALIGNED(8) struct lpk__session session;
	unsigned long ready; /* the first fields are filled in */
	unsigned long state;
	unsigned long state_signal;
	unsigned long state_caller;
	/* When the last sync to a disk began; a counter reading. */
	LPK_ALIGNED(8) unsigned long synced[sizeof(uint64_t) / sizeof(long)];
	LPK_ALIGNED(8)
	unsigned long clear_time[sizeof(uint64_t) / sizeof(unsigned long)];
	LPK_ALIGNED(8) unsigned long clock_seq; /* odd while being written */
	LPK_ALIGNED(8)
	unsigned long clock[9 * sizeof(uint64_t) / sizeof(unsigned long)];
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long hand;
	unsigned long order;
	LPK_ALIGNED(LPK_CACHE_LINE) unsigned long dropped;
	unsigned long suppressed;
	unsigned long reported;
	unsigned long dict_used; /* bytes reserved; may exceed what there is */
	unsigned long dict_full; /* and it was said */
	struct lpk__lane lanes[LPK_LANES_MAX];
	struct lpk__name names[LPK_NAMES_MAX];
	struct lpk__head_console consoles[LPK_CONSOLES_MAX];
};

_Static_assert(sizeof(struct lpk__head) <= LPK_HEAD_BYTES,
    "log.h sets aside enough for the head");
_Static_assert(offsetof(struct lpk__head, synced) ==
	offsetof(struct lpk__head, state) + 3 * sizeof(long),
    "a reader finds it behind the state");

/* A reservation: where a record goes, and the word that commits it. */
struct lpk__slot {
	unsigned long *words; /* of the record */
	uint32_t *commit;
	uint32_t value; /* what to store there */
};

static inline struct lpk__head *
lpk__head(const struct lpk_log *log)
{
	return (struct lpk__head *)(void *)log->region;
}

static inline struct lpk__block *
lpk__block(const struct lpk_log *log, unsigned long number)
{
	return (struct lpk__block *)(void *)(log->blocks +
	    (size_t)log->geometry.block_bytes *
		(number & (log->geometry.blocks - 1)));
}

/* Record words start at a multiple of 8 bytes. */
static inline unsigned long *
lpk__block_words(
    const struct lpk_log *log, struct lpk__block *block, uint32_t unit)
{
	return (unsigned long *)(void *)((unsigned char *)block +
	    log->geometry.data_offset + (size_t)unit * 8);
}

/* Does the block still take reservations? (Perhaps not this one.) */
static inline bool
lpk__state_open(const struct lpk_geometry *geometry, unsigned long state)
{
	return (state >> LPK__OFFSET_BITS) <= geometry->slots &&
	    (state & LPK__OFFSET_MASK) <= geometry->units;
}

/* Was a reservation that found this state granted? */
static inline bool
lpk__state_fits(
    const struct lpk_geometry *geometry, unsigned long state, uint32_t units)
{
	return (state >> LPK__OFFSET_BITS) < geometry->slots &&
	    (state & LPK__OFFSET_MASK) + units <= geometry->units;
}

static inline uint32_t
lpk__slot_value(uint32_t offset_units, uint32_t units)
{
	return offset_units << 16 | units << 1 | 1;
}

/**
 * lpk__ring_advance() - Give a lane a fresh block.
 * @lane:    of the ring
 * @current: what the caller found in the lane, a full block or none
 *
 * Context:  any.
 * Progress: wait-free; two rounds over the blocks at most.
 * Return:   false when every block is pinned by unfinished records.
 */
bool lpk__ring_advance(
    struct lpk_log *log, uint32_t lane, unsigned long current);

/**
 * lpk__ring_drop() - Count a record that found no block.
 */
void lpk__ring_drop(struct lpk_log *log);

/**
 * lpk__ring_stored() - Records stored in the life that a block is in.
 *
 * Exact once the block is closed or its writers are quiet.
 */
unsigned long lpk__ring_stored(
    const struct lpk_log *log, struct lpk__block *block);

/*
 * Each round that fails means that other contexts filled a whole block
 * meanwhile. After this many the record is dropped and counted, so that no
 * call waits for ever on the luck of others.
 */
#define LPK__RESERVE_ROUNDS 64

/*
 * So far ahead of its records a block is fetched into the cache, for the calls
 * to come: the next addition waits for all stores before it, and so for their
 * lines. A fetch beyond the end of the block, or of the region, harms nobody.
 */
#define LPK__WARM_BYTES 320

/* Close a block; state is what the addition found that overran it. */
static inline void
lpk__ring_close(struct lpk__block *block, unsigned long state)
{
	/*
	 * LMM(close:A)
	 * Pairs with claim:B. Exactly one addition in each life finds the
	 * block open and overruns it, so there is one writer of this word.
	 * Release only so that the count is not seen before the addition; no
	 * record is published by it.
	 */
	lpk_store_release(&block->final, (state >> LPK__OFFSET_BITS) + 1);
}

/**
 * lpk__ring_try() - Reserve room for a record in the lane's block.
 * @lane:  of the ring, below its number of lanes
 * @units: of 8 bytes; at least 1, at most LPK__RECORD_UNITS_MAX
 * @slot:  receives the place
 * @name:  receives the lane's word, for lpk__ring_advance()
 *
 * Context:  any.
 * Progress: wait-free; one fetch-and-add at most.
 * Return:   false: the lane needs a fresh block.
 */
static inline bool
lpk__ring_try(const struct lpk_log *log, uint32_t lane, uint32_t units,
    struct lpk__slot *slot, unsigned long *name)
{
	const struct lpk_geometry *geometry = &log->geometry;
	struct lpk__block *block;
	unsigned long state, offset;

	/*
	 * LMM(reserve:C)
	 * The name before the state of what it names. Pairs with advance:A: a
	 * block in its first life is never seen as the fresh memory that it
	 * was, which reads as open. A name that is out of date is right too:
	 * the reservation lands in whatever life the block is in.
	 */
	*name = lpk_load_acquire(&lpk__head(log)->lanes[lane].current);
	if (LPK_UNLIKELY(*name == 0))
		return false;
	block = (struct lpk__block *)(void *)(log->blocks +
	    ((*name & LPK__NAME_MASK) - 1));
	/*
	 * Look before adding: a closed block must not be hammered, or its
	 * counter would wrap back to open. Relaxed: the addition below is what
	 * decides.
	 */
	if (LPK_UNLIKELY(!lpk_check(
		lpk__state_open(geometry, lpk_load_relaxed(&block->state)))))
		return false;
	/*
	 * LMM(reserve:A)
	 * The addition before the record's first word. Pairs with prepare:C.
	 * If it finds the state that opened the block, or a later one, then
	 * the zeroed commit words and the new life are visible.
	 */
	state = lpk_fetch_add_acquire(&block->state, LPK__COUNT_ONE | units);
	if (LPK_UNLIKELY(!lpk__state_fits(geometry, state, units))) {
		if (lpk__state_open(geometry, state))
			lpk__ring_close(block, state);
		return false;
	}
	offset = state & LPK__OFFSET_MASK;
	slot->words = lpk__block_words(log, block, (uint32_t)offset);
	slot->commit = &block->slots[state >> LPK__OFFSET_BITS];
	slot->value = lpk__slot_value((uint32_t)offset, units);
	lpk__fast_warm((const char *)slot->words + LPK__WARM_BYTES);
	lpk__fast_warm((const char *)slot->commit + LPK_CACHE_LINE);
	/*
	 * LMM(reserve:B)
	 * The new life before the record's first word. Pairs with copy:A. A
	 * reader that sees any word of this record then sees that the old life
	 * is over.
	 */
	lpk_fence_release();
	return true;
}

/**
 * lpk__ring_reserve() - Reserve room for a record.
 * @lane:  of the ring, below its number of lanes
 * @units: of 8 bytes; at least 1, at most LPK__RECORD_UNITS_MAX
 * @slot:  receives the place
 *
 * Context:  any.
 * Progress: wait-free; one fetch-and-add while the block has room.
 * Return:   false: nothing reserved, and the drop is counted.
 */
static inline bool
lpk__ring_reserve(
    struct lpk_log *log, uint32_t lane, uint32_t units, struct lpk__slot *slot)
{
	unsigned long name;
	int round;

	for (round = 0; round < LPK__RESERVE_ROUNDS; round++) {
		if (LPK_LIKELY(lpk__ring_try(log, lane, units, slot, &name)))
			return true;
		if (!lpk__ring_advance(log, lane, name))
			break;
	}
	lpk__ring_drop(log);
	return false;
}

/**
 * lpk__ring_commit() - Make a reserved record readable.
 *
 * Context:  any.
 * Progress: wait-free; one store.
 */
static inline void
lpk__ring_commit(const struct lpk__slot *slot)
{
	/*
	 * LMM(commit:A)
	 * The record's words before its commit word. Pairs with peek:B: a
	 * reader that sees the commit word sees the record. Pairs with
	 * claim:C: whoever recycles the block writes after the record.
	 */
	lpk_store32_release(slot->commit, slot->value);
}

#endif /* LPK_CORE_RING_H */
