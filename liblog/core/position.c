/* SPDX-License-Identifier: MIT */
/*
 * position.c - publishing how far a console is, and going on from there.
 *
 * A position is 2 to 3 KiB, once for each write to a device. Words that are
 * read while they may be written are read as words of the ring are.
 */
#include "position.h"

#include <lpk/reader.h>

#include "lpk_atomic.h"

#include "ring.h"
#include "words.h"

/* Each failure means that the console printed something meanwhile. */
#define TRIES 64

static void
copy_in(struct lpk__position *to, const struct lpk_reader *reader,
    const struct lpk__told *told)
{
	uint32_t blocks = reader->log->geometry.blocks, i;

	/* Relaxed throughout: publish:A is behind it, or publish:B before. */
	for (i = 0; i < blocks; i++)
		lpk_store_relaxed(&to->done[i], reader->done[i]);
	for (i = 0; i < reader->lates; i++) {
		lpk_store_relaxed(&to->late[i].life, reader->late[i].life);
		lpk_store32_relaxed(&to->late[i].block, reader->late[i].block);
		lpk_store32_relaxed(&to->late[i].slot, reader->late[i].slot);
	}
	lpk_store32_relaxed(&to->lates, reader->lates);
	lpk_store32_relaxed(&to->seq_low, (uint32_t)reader->seq);
	lpk_store32_relaxed(&to->seq_high, (uint32_t)(reader->seq >> 32));
	lpk_store32_relaxed(&to->lost_low, (uint32_t)reader->lost_new);
	lpk_store32_relaxed(&to->lost_high, (uint32_t)(reader->lost_new >> 32));
	for (i = 0; i < LPK__COUNTS; i++)
		lpk_store_relaxed(&to->told.counts[i], told->counts[i]);
	lpk_store_relaxed(&to->told.dropped, told->dropped);
	lpk_store32_relaxed(&to->told.open, told->open);
}

void
lpk__position_publish(struct lpk__positions *positions,
    const struct lpk_reader *reader, const struct lpk__told *told)
{
	/* Relaxed: the owner alone writes it. */
	unsigned long next = lpk_load_relaxed(&positions->published) + 1;

	/*
	 * LMM(publish:B)
	 * The number of the last publication before the words that it told
	 * readers not to trust any more. Pairs with restore:B.
	 */
	lpk_fence_release();
	copy_in(&positions->turn[next & 1], reader, told);
	/*
	 * LMM(publish:A)
	 * The position before its number. Pairs with restore:A.
	 */
	lpk_store_release(&positions->published, next);
}

static uint32_t
late_count(const struct lpk__position *from)
{
	uint32_t lates = lpk_load32_relaxed(&from->lates);

	return lates < LPK_LATE_MAX ? lates : LPK_LATE_MAX;
}

static void
copy_out(struct lpk_reader *reader, struct lpk__told *told,
    const struct lpk__position *from)
{
	uint32_t blocks = reader->log->geometry.blocks, i;

	/* Relaxed throughout: restore:A is before it, and restore:B behind. */
	for (i = 0; i < blocks; i++)
		reader->done[i] = lpk_load_relaxed(&from->done[i]);
	reader->lates = late_count(from);
	for (i = 0; i < reader->lates; i++) {
		struct lpk__late *late = &reader->late[i];

		late->life = lpk_load_relaxed(&from->late[i].life);
		late->block = lpk_load32_relaxed(&from->late[i].block);
		late->slot = lpk_load32_relaxed(&from->late[i].slot);
		if (late->block >= blocks)
			late->block = 0;
	}
	reader->seq = (uint64_t)lpk_load32_relaxed(&from->seq_high) << 32 |
	    lpk_load32_relaxed(&from->seq_low);
	reader->lost_new = (uint64_t)lpk_load32_relaxed(&from->lost_high)
		<< 32 |
	    lpk_load32_relaxed(&from->lost_low);
	for (i = 0; i < LPK__COUNTS; i++)
		told->counts[i] = lpk_load_relaxed(&from->told.counts[i]);
	told->dropped = lpk_load_relaxed(&from->told.dropped);
	told->open = lpk_load32_relaxed(&from->told.open);
}

/* True when nothing was published since the number was read. */
static bool
still(const struct lpk__positions *positions, unsigned long number)
{
	/*
	 * LMM(restore:B)
	 * The words before the second look at the number. Pairs with
	 * publish:B: words of a later position show a later number.
	 */
	lpk_fence_acquire();
	return lpk_load_relaxed(&positions->published) == number;
}

static unsigned long
number_of(const struct lpk__positions *positions)
{
	/*
	 * LMM(restore:A)
	 * Pairs with publish:A.
	 */
	return lpk_load_acquire(&positions->published);
}

bool
lpk__position_restore(const struct lpk__positions *positions,
    struct lpk_reader *reader, struct lpk__told *told)
{
	struct lpk__told unasked;
	unsigned long number;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		number = number_of(positions);
		copy_out(reader, told != NULL ? told : &unasked,
		    &positions->turn[number & 1]);
		if (!still(positions, number))
			continue;
		reader->streams = 0;
		reader->stale = true;
		reader->more = false;
		return true;
	}
	return false;
}

uint64_t
lpk__position_seq(const struct lpk__positions *positions)
{
	const struct lpk__position *from;
	unsigned long number;
	uint64_t seq = 0;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		number = number_of(positions);
		from = &positions->turn[number & 1];
		seq = (uint64_t)lpk_load32_relaxed(&from->seq_high) << 32 |
		    lpk_load32_relaxed(&from->seq_low);
		if (still(positions, number))
			break;
	}
	return seq;
}

bool
lpk__position_reached(const struct lpk__positions *positions,
    const struct lpk__mark *mark, const struct lpk_log *log)
{
	unsigned long number = number_of(positions);
	const struct lpk__position *from = &positions->turn[number & 1];
	bool reached = late_count(from) == 0;
	uint32_t i;

	for (i = 0; reached && i < log->geometry.blocks; i++)
		reached = lpk__mark_passed(
		    mark, log, i, lpk_load_relaxed(&from->done[i]));
	return reached && still(positions, number);
}
