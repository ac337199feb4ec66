/* SPDX-License-Identifier: MIT */
/*
 * reader.c - a cursor over all the blocks of a log.
 *
 * For every block the reader knows how many of the records ever stored there
 * it has accounted for (done: read, lost, or stored before its start). The
 * block itself says how many were stored in its earlier lives (past). So
 * done - past is the cursor in the block's present life, and where past has
 * gone beyond done, the difference was lost: exactly, however long the reader
 * slept. No other state is needed to be exact; the streams below only decide
 * in which order the blocks are read.
 *
 * A stream is a block with something to read, or one that is still open. The
 * records of a block come in the order of their reservation; the streams are
 * merged by time.
 */
#include <lpk/reader.h>

#include <lpk/port.h>

#include "clock.h"
#include "reader.h"
#include "record.h"
#include "ring.h"

/* What a look at a stream found. */
enum peek {
	PEEK_EMPTY,   /* nothing yet */
	PEEK_READY,   /* a record */
	PEEK_HELD,    /* an unfinished record, and finished ones behind it */
	PEEK_FINISHED /* no more to come, or the block was recycled */
};

static void
lose(struct lpk_reader *reader, unsigned long count)
{
	reader->lost_new += count;
	reader->lost_total += count;
	reader->seq += count;
}

/* Records of the block's present life that are behind the cursor. */
static unsigned long
cursor(const struct lpk_reader *reader, const struct lpk__stream *stream)
{
	return reader->done[stream->block] - stream->past;
}

/*
 * Look at a block and account for what it lost since the last look. Returns
 * false when there is nothing to read in it, now or ever in this life.
 */
static bool
follow(struct lpk_reader *reader, uint32_t number, struct lpk__stream *stream)
{
	const struct lpk_geometry *geometry = &reader->log->geometry;
	struct lpk__block *block = lpk__block(reader->log, number);
	unsigned long final, position;

	/*
	 * LMM(follow:A)
	 * Pairs with prepare:B: what is read below belongs to this life or to
	 * a later one.
	 */
	stream->life = lpk_load_acquire(&block->life);
	if (stream->life == LPK__LIFE_FRESH)
		return false;
	if ((stream->life & LPK__LIFE_BUSY) != 0) {
		reader->stale = true;
		return false;
	}
	stream->past = lpk_load_relaxed(&block->past);
	stream->order = lpk_load_relaxed(&block->order);
	final = lpk_load_relaxed(&block->final);
	/*
	 * LMM(follow:B)
	 * The words above before the second look. Pairs with claim:D: not to a
	 * later one.
	 */
	lpk_fence_acquire();
	if (!lpk_check(lpk_load_relaxed(&block->life) == stream->life)) {
		reader->stale = true;
		return false;
	}
	stream->block = number;
	stream->time = 0;
	stream->held_since = 0;
	stream->state = PEEK_EMPTY;
	position = cursor(reader, stream);
	if (position > geometry->slots) {
		lose(reader, 0 - position);
		reader->done[number] = stream->past;
		position = 0;
	}
	return final == 0 || position < final - 1;
}

/* Keep the streams in the order in which their blocks were opened. */
static void
insert(struct lpk_reader *reader, const struct lpk__stream *stream)
{
	uint32_t at = reader->streams;

	if (at == LPK_STREAMS_MAX) {
		/* The latest gives way; it is found again by the next look. */
		reader->stale = true;
		if ((long)(stream->order - reader->stream[at - 1].order) > 0)
			return;
		at--;
	} else {
		reader->streams++;
	}
	while (at > 0 &&
	    (long)(stream->order - reader->stream[at - 1].order) < 0) {
		reader->stream[at] = reader->stream[at - 1];
		at--;
	}
	reader->stream[at] = *stream;
}

/* Take up the blocks that have something to read. */
static void
find_streams(struct lpk_reader *reader)
{
	struct lpk__stream stream, before[LPK_STREAMS_MAX];
	uint32_t count = reader->streams, i, j;

	for (i = 0; i < count; i++)
		before[i] = reader->stream[i];
	reader->streams = 0;
	reader->stale = false;
	/*
	 * LMM(find:A)
	 * Pairs with claim:D: a block that this number counts is seen busy or
	 * in its new life, not as it was before.
	 */
	reader->order = lpk_load_acquire(&lpk__head(reader->log)->order);
	for (i = 0; i < reader->log->geometry.blocks; i++) {
		if (!follow(reader, i, &stream))
			continue;
		for (j = 0; j < count; j++) {
			if (before[j].block == i &&
			    before[j].life == stream.life)
				stream.held_since = before[j].held_since;
		}
		insert(reader, &stream);
	}
}

static struct lpk__block *
stream_block(const struct lpk_reader *reader, const struct lpk__stream *stream)
{
	return lpk__block(reader->log, stream->block);
}

/* Is the block still in the life that the stream was made for? */
static bool
stream_alive(const struct lpk_reader *reader, const struct lpk__stream *stream)
{
	/*
	 * LMM(copy:A)
	 * Whatever was read from the block before the second look at its life.
	 * Pairs with claim:D and reserve:B: if any of it was written in a later
	 * life, that life is seen here.
	 */
	lpk_fence_acquire();
	return lpk_check(
	    lpk_load_relaxed(&stream_block(reader, stream)->life) ==
	    stream->life);
}

/* The commit word of a record, 0 while it is unfinished. */
static uint32_t
slot_load(const struct lpk_reader *reader, uint32_t number, unsigned long slot)
{
	if (slot >= reader->log->geometry.slots)
		return 0;
	/*
	 * LMM(peek:B)
	 * Pairs with commit:A: the words of the record are visible, and all
	 * that its writer had seen.
	 */
	return lpk_load32_acquire(
	    &lpk__block(reader->log, number)->slots[slot]);
}

static uint64_t
slot_time(const struct lpk_reader *reader, uint32_t number, uint32_t slot)
{
	return lpk__read64(lpk__block_words(
	    reader->log, lpk__block(reader->log, number), slot >> 16));
}

/*
 * The cursor stands at an unfinished record, or behind the last one. Find the
 * first finished record beyond it.
 */
static enum peek
look_ahead(struct lpk_reader *reader, struct lpk__stream *stream)
{
	const struct lpk_geometry *geometry = &reader->log->geometry;
	struct lpk__block *block = stream_block(reader, stream);
	unsigned long position = cursor(reader, stream), end;
	uint32_t slot;
	/*
	 * LMM(look:A)
	 * Pairs with close:A.
	 */
	unsigned long final = lpk_load_acquire(&block->final);

	if (final != 0 && position >= final - 1)
		return PEEK_FINISHED;
	/* Relaxed: a bound for the search; failed additions may exceed it. */
	end = lpk_load_relaxed(&block->state) >> LPK__OFFSET_BITS;
	if (end > geometry->slots)
		end = geometry->slots;
	for (position++; position < end; position++) {
		slot = slot_load(reader, stream->block, position);
		if (slot != 0) {
			stream->time =
			    slot_time(reader, stream->block, slot);
			return PEEK_HELD;
		}
	}
	return PEEK_EMPTY;
}

static void
peek(struct lpk_reader *reader, struct lpk__stream *stream)
{
	uint32_t slot =
	    slot_load(reader, stream->block, cursor(reader, stream));

	if (slot != 0) {
		stream->time = slot_time(reader, stream->block, slot);
		stream->held_since = 0;
		stream->state = PEEK_READY;
		return;
	}
	stream->state = (uint8_t)look_ahead(reader, stream);
	if (!stream_alive(reader, stream)) {
		reader->stale = true;
		stream->state = PEEK_FINISHED;
	}
}

/* Remember an unfinished record and go on behind it. */
static void
pass_over(struct lpk_reader *reader, struct lpk__stream *stream)
{
	struct lpk__late late = {
	    .life = stream->life,
	    .block = stream->block,
	    .slot = (uint32_t)cursor(reader, stream),
	};
	uint32_t i;

	if (reader->lates == LPK_LATE_MAX) {
		/* Its writer has been away the longest: give it up. */
		lose(reader, 1);
		reader->lates--;
		for (i = 0; i < reader->lates; i++)
			reader->late[i] = reader->late[i + 1];
	}
	reader->late[reader->lates++] = late;
	reader->done[stream->block]++;
	stream->held_since = 0;
}

/* Wait for an unfinished record, but not for ever. */
static void
hold(struct lpk_reader *reader, struct lpk__stream *stream)
{
	uint64_t now = lpk_port_clock();
	uint64_t grace = (uint64_t)LPK_GRACE_NS *
	    (lpk_port_clock_hz() / 1000) / 1000000;

	while (stream->state == PEEK_HELD) {
		if (stream->held_since == 0)
			stream->held_since = now | 1;
		if (now - stream->held_since < grace)
			return;
		pass_over(reader, stream);
		peek(reader, stream);
		if (stream->state == PEEK_HELD)
			stream->held_since = (now | 1) - grace;
	}
}

static void
remove_stream(struct lpk_reader *reader, uint32_t at)
{
	reader->streams--;
	for (; at < reader->streams; at++)
		reader->stream[at] = reader->stream[at + 1];
}

/*
 * Look at the streams that had nothing when last looked at. Returns the one
 * whose next record is the earliest; it may be held.
 */
static struct lpk__stream *
earliest(struct lpk_reader *reader)
{
	struct lpk__stream *best = NULL;
	uint32_t i;

	for (i = 0; i < reader->streams; i++) {
		struct lpk__stream *stream = &reader->stream[i];

		if (stream->state != PEEK_READY)
			peek(reader, stream);
		if (stream->state == PEEK_HELD)
			hold(reader, stream);
		if (stream->state == PEEK_FINISHED) {
			remove_stream(reader, i--);
			continue;
		}
		if (stream->state == PEEK_EMPTY)
			continue;
		if (best == NULL || (int64_t)(stream->time - best->time) < 0)
			best = stream;
	}
	return best;
}

/*
 * The stream to read from, NULL if there is nothing. What was committed before
 * the chosen record was begun is visible once that record is: so a second look
 * at the others, until none has anything earlier, keeps cause before effect.
 * Each further round means that an earlier record turned up, which needs
 * another stream or a new block; the bound is for a log that is stormed.
 */
static struct lpk__stream *
choose(struct lpk_reader *reader)
{
	struct lpk__stream *best = NULL;
	uint64_t time = 0;
	uint32_t round;

	for (round = 0; round <= 2 * LPK_STREAMS_MAX; round++) {
		if (reader->stale ||
		    /* Relaxed: find:A is the load that orders. */
		    lpk_load_relaxed(&lpk__head(reader->log)->order) !=
			reader->order)
			find_streams(reader);
		else if (round != 0 && best != NULL && best->time == time)
			break;
		best = earliest(reader);
		if (best == NULL)
			return NULL;
		time = best->time;
		best = earliest(reader);
	}
	return best != NULL && best->state == PEEK_READY ? best : NULL;
}

/* Cut a payload into text and key/values. */
static void
split_payload(struct lpk_record *record, char *text, uint32_t bytes)
{
	uint16_t text_bytes = (uint16_t)bytes;

	if (record->flags & LPK_RECORD_KV) {
		if (bytes >= sizeof(text_bytes))
			__builtin_memcpy(&text_bytes, text, sizeof(text_bytes));
		if (bytes < sizeof(text_bytes) ||
		    text_bytes > bytes - sizeof(text_bytes))
			text_bytes = 0;
		bytes -= (uint32_t)sizeof(text_bytes);
		__builtin_memmove(text, text + sizeof(text_bytes), text_bytes);
		__builtin_memmove(text + text_bytes + 1,
		    text + text_bytes + sizeof(text_bytes), bytes - text_bytes);
		text[bytes + 1] = '\0';
	}
	text[text_bytes] = '\0';
	record->text_bytes = text_bytes;
	record->kv_bytes = bytes - text_bytes;
}

static void
fill_record(struct lpk_reader *reader, struct lpk_record *record,
    const struct lpk__header *header, uint32_t flags)
{
	unsigned long seq =
	    lpk_load_relaxed(&lpk__head(reader->log)->clock_seq);
	struct lpk__clock clock;

	if (seq != reader->scale_seq && lpk__clock_read(reader->log, &clock)) {
		lpk__clock_scale(&reader->scale, &clock);
		reader->scale_seq = seq;
	}
	record->seq = reader->seq;
	record->time_ns = lpk__clock_ns(&reader->scale, header->time);
	record->realtime_ns = reader->scale.realtime_offset_ns == 0 ? 0 :
	    record->time_ns + reader->scale.realtime_offset_ns;
	record->caller = header->caller;
	record->flags = lpk__meta_flags(header->meta) | flags;
	record->level = (uint8_t)lpk__meta_level(header->meta);
	record->facility = (uint8_t)lpk__meta_facility(header->meta);
}

/*
 * Copy a record and check that it was still there afterwards. -LPK_EPIPE: it
 * was not, and nothing was accounted.
 */
static int
take(struct lpk_reader *reader, const struct lpk__stream *stream,
    unsigned long position, struct lpk_record *record, char *text,
    size_t size_bytes, uint32_t flags)
{
	const struct lpk_geometry *geometry = &reader->log->geometry;
	uint32_t slot = slot_load(reader, stream->block, position);
	uint32_t units = slot >> 1 & 0x7fff, bytes;
	struct lpk__header header;
	const unsigned long *words;

	if ((slot >> 16) + units > geometry->units ||
	    units * 8 < LPK__RECORD_HEAD)
		return -LPK_EPIPE;
	words = lpk__block_words(
	    reader->log, stream_block(reader, stream), slot >> 16);
	lpk__words_read(&header, words, LPK__RECORD_HEAD);
	bytes = lpk__meta_bytes(header.meta);
	if (bytes > units * 8 - LPK__RECORD_HEAD)
		return -LPK_EPIPE;
	if (size_bytes <= bytes)
		return stream_alive(reader, stream) ? -LPK_ENOSPC : -LPK_EPIPE;
	lpk__payload_read(text, words, bytes);
	if (!stream_alive(reader, stream))
		return -LPK_EPIPE;
	fill_record(reader, record, &header, flags);
	split_payload(record, text, bytes);
	reader->seq++;
	return LPK_OK;
}

/*
 * The first of the unfinished records passed over that is finished now, or
 * whose block was recycled; -LPK_EAGAIN if there is none.
 */
static int
take_late(struct lpk_reader *reader, struct lpk_record *record, char *text,
    size_t size_bytes)
{
	uint32_t i, j;
	int result;

	for (i = 0; i < reader->lates; i++) {
		struct lpk__late *late = &reader->late[i];
		struct lpk__stream stream = {
		    .life = late->life, .block = late->block};

		result = stream_alive(reader, &stream) ? LPK_OK : -LPK_EPIPE;
		if (result == LPK_OK) {
			if (slot_load(reader, late->block, late->slot) == 0)
				continue;
			result = take(reader, &stream, late->slot, record,
			    text, size_bytes, LPK_RECORD_LATE);
		}
		if (result == -LPK_ENOSPC)
			return result;
		if (result == -LPK_EPIPE)
			lose(reader, 1);
		reader->lates--;
		for (j = i; j < reader->lates; j++)
			reader->late[j] = reader->late[j + 1];
		return result;
	}
	return -LPK_EAGAIN;
}

int
lpk_reader_next(struct lpk_reader *reader, struct lpk_record *record,
    char *text, size_t size_bytes)
{
	struct lpk__stream *stream;
	int result;

	if (reader == NULL || record == NULL || text == NULL ||
	    reader->log == NULL)
		return -LPK_EINVAL;
	for (;;) {
		result = reader->lates != 0 ?
		    take_late(reader, record, text, size_bytes) :
		    -LPK_EAGAIN;
		if (result == LPK_OK || result == -LPK_ENOSPC)
			return result;
		stream = choose(reader);
		if (reader->lost_new != 0) {
			reader->lost = reader->lost_new;
			reader->lost_new = 0;
			return -LPK_EPIPE;
		}
		if (stream == NULL) {
			if (reader->event_fd >= 0 && lpk_port_idle(reader))
				continue;
			return -LPK_EAGAIN;
		}
		result = take(reader, stream, cursor(reader, stream), record,
		    text, size_bytes, 0);
		if (result == LPK_OK) {
			reader->done[stream->block]++;
			stream->state = PEEK_EMPTY;
		}
		if (result != -LPK_EPIPE)
			return result;
		/*
		 * Lapped in the middle of the copy. The next look at the block
		 * tells how much was lost; each further round needs another
		 * lap of the writers.
		 */
		stream->state = PEEK_EMPTY;
		reader->stale = true;
	}
}

bool
lpk__reader_ready(struct lpk_reader *reader, uint64_t *retry_ns)
{
	uint32_t i;

	*retry_ns = UINT64_MAX;
	for (i = 0; i < reader->lates; i++) {
		struct lpk__late *late = &reader->late[i];
		struct lpk__stream stream = {
		    .life = late->life, .block = late->block};

		if (slot_load(reader, late->block, late->slot) != 0 ||
		    !stream_alive(reader, &stream))
			return true;
	}
	if (choose(reader) != NULL || reader->lost_new != 0)
		return true;
	for (i = 0; i < reader->streams; i++) {
		if (reader->stream[i].state == PEEK_HELD)
			*retry_ns = LPK_GRACE_NS;
	}
	/* A claimer is at work on a block; it wakes nobody when it is done. */
	if (reader->stale)
		*retry_ns = LPK_GRACE_NS;
	return false;
}

/* Records at the beginning of a block that are no younger than a mark. */
static unsigned long
count_until(const struct lpk_reader *reader, uint32_t number, uint64_t mark)
{
	unsigned long position = 0;
	uint32_t slot;

	while ((slot = slot_load(reader, number, position)) != 0 &&
	    (int64_t)(slot_time(reader, number, slot) - mark) <= 0)
		position++;
	return position;
}

static void
rewind_to(struct lpk_reader *reader, enum lpk_seek where)
{
	const struct lpk_log *log = reader->log;
	uint64_t mark = lpk__read64(lpk__head(log)->clear_time);
	uint32_t i;

	reader->seq = 0;
	reader->streams = 0;
	reader->lates = 0;
	reader->lost_new = 0;
	reader->stale = true;
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		/*
		 * Relaxed: whatever happens to the block from here on is
		 * noticed by follow(); a count that is behind shows as lost.
		 */
		reader->done[i] = lpk_load_relaxed(&block->past);
		if (where == LPK_SEEK_NEXT)
			reader->done[i] += lpk__ring_stored(log, block);
		else if (where == LPK_SEEK_CLEAR && mark != 0)
			reader->done[i] += count_until(reader, i, mark);
		reader->seq += reader->done[i];
	}
}

int
lpk_reader_open(
    struct lpk_reader *reader, const struct lpk_log *log, enum lpk_seek where)
{
	if (reader == NULL || log == NULL || log->region == NULL ||
	    (unsigned int)where > LPK_SEEK_CLEAR)
		return -LPK_EINVAL;
	reader->log = log;
	reader->lost = 0;
	reader->lost_total = 0;
	reader->event_fd = -1;
	reader->scale_seq = 0;
	reader->scale = (struct lpk__scale){0};
	rewind_to(reader, where);
	return LPK_OK;
}

int
lpk_reader_seek(struct lpk_reader *reader, enum lpk_seek where, uint64_t seq)
{
	struct lpk_record record;
	char text[LPK_TEXT_MAX + 1];
	uint64_t missing;
	int result = LPK_OK;

	if (reader == NULL || reader->log == NULL ||
	    (unsigned int)where > LPK_SEEK_SEQ)
		return -LPK_EINVAL;
	rewind_to(reader, where);
	if (where != LPK_SEEK_SEQ)
		return LPK_OK;
	if (seq < reader->seq) {
		missing = reader->seq - seq;
		reader->lost_new = missing;
		reader->lost_total += missing;
	}
	while (reader->seq < seq && result != -LPK_EAGAIN)
		result = lpk_reader_next(reader, &record, text, sizeof(text));
	return LPK_OK;
}

void
lpk__mark_set(struct lpk__mark *mark, const struct lpk_log *log)
{
	uint32_t i;

	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		mark->records[i] = lpk_load_relaxed(&block->past) +
		    lpk__ring_stored(log, block);
	}
}

bool
lpk__mark_reached(
    const struct lpk__mark *mark, const struct lpk_reader *reader)
{
	const struct lpk_log *log = reader->log;
	uint32_t i;

	if (reader->lates != 0)
		return false;
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		/*
		 * A mark may count additions that failed; a block that is
		 * closed and read to its end is reached all the same.
		 */
		if ((long)(reader->done[i] - mark->records[i]) < 0 &&
		    (lpk_load_relaxed(&block->final) == 0 ||
			reader->done[i] !=
			    lpk_load_relaxed(&block->past) +
				lpk__ring_stored(log, block)))
			return false;
	}
	return true;
}
