/* SPDX-License-Identifier: MIT */
/*
 * log.h - a log: one region of memory that holds a ring of blocks.
 *
 * | operation         | context | excludes                                  |
 * |-------------------|---------|-------------------------------------------|
 * | LPK_LOG_DEFINE    | static  | -                                         |
 * | lpk_log_init      | init    | every other use of the same log           |
 * | lpk_log_stats     | any     | -                                         |
 * | lpk_log_clear     | any     | -                                         |
 * | lpk_log_geometry  | any     | -                                         |
 */
#ifndef LPK_LOG_H
#define LPK_LOG_H

#include <lpk/base.h>

LPK_BEGIN_DECLS

/* Shape of a ring; fixed for its life. Filled in by the library. */
struct lpk_geometry {
	uint32_t block_bytes; /* of one block, a power of two */
	uint32_t blocks;      /* a power of two, more than lanes */
	uint32_t lanes;       /* blocks that are open for writers at once */
	uint32_t slots;       /* most records in one block */
	uint32_t data_offset; /* of the first record in a block, bytes */
	uint32_t units;       /* room for records in a block, 8 bytes each */
	uint32_t dict_bytes;  /* of the dictionary, before the first block */
};

/*
 * A log of this process. The words that other processes see are in the
 * region; here is what a process must be able to trust.
 */
struct lpk_log {
	struct lpk_geometry geometry;
	unsigned char *blocks; /* in the region, behind its dictionary */
	unsigned char
	    *region; /* LPK_REGION_BYTES() bytes, cache-line aligned */
	size_t region_bytes;
	unsigned long epoch;     /* names this log among all of the process */
	unsigned long clock_due; /* when to read the clocks again, raw ticks */
	unsigned long waiters;   /* someone sleeps until the next record */
	unsigned long wake_seq;  /* what they sleep on */
	/* In a panic: the one caller that may overwrite records; 0: all may. */
	unsigned long frozen;
	const char *name;
};

/* Bytes of a console's name, with its NUL. */
#define LPK_CONSOLE_NAME_BYTES 48

/* Bytes of a thread's name, with its NUL. */
#define LPK_THREAD_NAME_BYTES 16

/* Bytes of the region before its dictionary. */
#define LPK_HEAD_BYTES                                                         \
	((size_t)(512 + (LPK_LANES_MAX + 4) * LPK_CACHE_LINE +                 \
	     LPK_NAMES_MAX *                                                   \
		 (LPK_THREAD_NAME_BYTES + 2 * sizeof(unsigned long)) +         \
	     LPK_CONSOLES_MAX *                                                \
		 (LPK_CONSOLE_NAME_BYTES + 16 + 14 * sizeof(unsigned long)) +  \
	     LPK_CACHE_LINE - 1) /                                             \
	    LPK_CACHE_LINE * LPK_CACHE_LINE)

/*
 * The dictionary of call sites takes an eighth of what the blocks take, and no
 * more than LPK_DICT_BYTES_MAX.
 */
#define LPK__DICT_BYTES(block_bytes, blocks)                                   \
	((size_t)(block_bytes) * (blocks) / 8 < LPK_DICT_BYTES_MAX ?           \
		(size_t)(block_bytes) * (blocks) / 8 / LPK_CACHE_LINE *        \
		    LPK_CACHE_LINE :                                           \
		LPK_DICT_BYTES_MAX)

/* Memory that a log of this shape takes. */
#define LPK_REGION_BYTES(block_bytes, blocks)                                  \
	(LPK_HEAD_BYTES + LPK__DICT_BYTES(block_bytes, blocks) +               \
	    (size_t)(block_bytes) * (blocks))

/* Bytes in front of the commit words of a block. */
#define LPK__BLOCK_HEAD                                                        \
	((uint32_t)((8 * sizeof(unsigned long) + LPK_CACHE_LINE - 1) /         \
		LPK_CACHE_LINE * LPK_CACHE_LINE +                              \
	    LPK_CACHE_LINE))
/* One commit word (4 bytes) is set aside for every 40 bytes of records. */
#define LPK__SLOTS(block_bytes)                                                \
	(((uint32_t)(block_bytes)-LPK__BLOCK_HEAD) / 44u)
#define LPK__DATA_OFFSET(block_bytes, slots)                                   \
	((LPK__BLOCK_HEAD + 4u * (slots) + 7u) & ~7u)
#define LPK__GEOMETRY(block_bytes_, blocks_, lanes_)                           \
	{                                                                      \
		(block_bytes_), (blocks_), (lanes_), LPK__SLOTS(block_bytes_), \
		    LPK__DATA_OFFSET(block_bytes_, LPK__SLOTS(block_bytes_)),  \
		    ((block_bytes_)-LPK__DATA_OFFSET(                          \
			block_bytes_, LPK__SLOTS(block_bytes_))) /             \
		    8u,                                                        \
		    (uint32_t)LPK__DICT_BYTES(block_bytes_, blocks_)           \
	}

/*
 * Is the shape usable? Powers of two; at least one record of the longest text
 * fits; the word that writers add to cannot wrap back to open (see
 * docs/ORDERING.md, "A closed block stays closed").
 */
#define LPK__RECORD_UNITS_MAX ((uint32_t)((20 + LPK_TEXT_MAX + 7) / 8))
#define LPK__OFFSET_BITS (sizeof(unsigned long) >= 8 ? 32 : 16)
#define LPK__GEOMETRY_OK(bb, n, lanes)                                         \
	((bb) >= 256u && (bb) <= 524288u && ((bb) & ((bb)-1)) == 0 &&          \
	    (n) >= 2 && (n) <= LPK_BLOCKS_MAX && ((n) & ((n)-1)) == 0 &&       \
	    (lanes) >= 1 && (lanes) <= LPK_LANES_MAX && (lanes) < (n) &&       \
	    LPK__CLOSED_STAYS(bb))
#define LPK__CLOSED_STAYS(bb)                                                  \
	(((UINT64_C(1) << LPK__OFFSET_BITS) - (bb) / 8u) /                     \
		LPK__RECORD_UNITS_MAX >                                        \
	    LPK__SLOTS(bb) + 2u)

/**
 * LPK_LOG_DEFINE() - Define a log in static memory, usable before main().
 * @name:        of the variable, struct lpk_log
 * @block_bytes_: size of a block; 256 to 524288 (16384 on 32-bit machines), a
 *               power of two. The oldest records go a block at a time, and a
 *               writer that stops in the middle of a call keeps one block.
 * @blocks_:     how many; 2 to LPK_BLOCKS_MAX, a power of two
 * @lanes_:      1 (strict order of reservation, least memory) to
 *               LPK_LANES_MAX, less than @blocks_; more lanes, less
 *               contention
 *
 * Wrong values fail to compile. The region is zero-filled memory and costs
 * nothing in the executable.
 */
#define LPK_LOG_DEFINE(name, block_bytes_, blocks_, lanes_)                    \
	typedef char lpk__bad_geometry_of_##name                               \
	    [LPK__GEOMETRY_OK(block_bytes_, blocks_, lanes_) ? 1 :             \
							       -1] LPK_UNUSED; \
	static unsigned char lpk__region_of_##name[LPK_REGION_BYTES(           \
	    block_bytes_, blocks_)] LPK_ALIGNED(LPK_CACHE_LINE);               \
	struct lpk_log name = {LPK__GEOMETRY(block_bytes_, blocks_, lanes_),   \
	    lpk__region_of_##name + LPK_HEAD_BYTES +                           \
		LPK__DICT_BYTES(block_bytes_, blocks_),                        \
	    lpk__region_of_##name, sizeof(lpk__region_of_##name), 0, 0, 0, 0,  \
	    0, #name}

/*
 * What a log has done since it was made.
 *   calls + reports = stored + suppressed + dropped
 *   for a reader: stored = its start + read + lost
 */
struct lpk_log_stats {
	uint64_t stored;      /* records reserved, the unfinished included */
	uint64_t suppressed;  /* calls held back by once and rate limits */
	uint64_t dropped;     /* calls that found every block pinned */
	uint64_t reports;     /* records that the library made: "suppressed" */
	uint64_t overwritten; /* stored records that are no longer kept */
	uint64_t blocks_opened; /* how often a lane took a fresh block */
	uint32_t blocks_pinned; /* full blocks kept by unfinished records */
};

/**
 * lpk_log_init() - Make a log in memory that the caller hands over.
 * @log:         receives the log
 * @name:        for tools and messages; kept, not copied; may be NULL
 * @memory:      any alignment; must outlive the log
 * @size_bytes:  at least LPK_REGION_BYTES(@block_bytes, @blocks) plus
 *               LPK_CACHE_LINE - 1 for the alignment
 * @block_bytes: as for LPK_LOG_DEFINE()
 * @blocks:      as for LPK_LOG_DEFINE()
 * @lanes:       as for LPK_LOG_DEFINE()
 *
 * The memory is cleared.
 *
 * Context:  init.
 * Progress: wait-free.
 * Return:   LPK_OK; -LPK_EINVAL for a NULL or a shape that LPK_LOG_DEFINE()
 *           would refuse; -LPK_ENOMEM when @size_bytes is too small. On error
 *           nothing was changed.
 */
LPK_API int lpk_log_init(struct lpk_log *log, const char *name, void *memory,
    size_t size_bytes, uint32_t block_bytes, uint32_t blocks, uint32_t lanes);

/**
 * lpk_log_stats() - Read the accounts of a log.
 * @log:   any log; NULL: nothing is done
 * @stats: receives the counts; each is exact once the writers are quiet
 *
 * Context:  any.
 * Progress: wait-free, one step a block.
 */
LPK_API void lpk_log_stats(
    const struct lpk_log *log, struct lpk_log_stats *stats);

/**
 * lpk_log_clear() - Move the mark that LPK_SEEK_CLEAR starts from.
 * @log: any log; NULL: nothing is done
 *
 * Nothing is erased; a reader that asks for the oldest record still gets it.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_log_clear(struct lpk_log *log);

/**
 * lpk_default_log() - The log that lpk_info() and its kin write to.
 *
 * Static memory, usable before main() and after exit().
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API struct lpk_log *lpk_default_log(void);

LPK_END_DECLS

#endif /* LPK_LOG_H */
