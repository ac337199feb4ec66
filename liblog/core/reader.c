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
#include "dict.h"
#include "message.h"
#include "names.h"
#include "port_fast.h"
#include "reader.h"
#include "record.h"
#include "render.h"
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
	stream->opened = lpk__read64(block->opened);
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
		/* The latest gives way; it is found when another is done. */
		reader->more = true;
		if ((int64_t)(stream->opened - reader->stream[at - 1].opened) >=
		    0)
			return;
		at--;
	} else {
		reader->streams++;
	}
	while (at > 0 &&
	    (int64_t)(stream->opened - reader->stream[at - 1].opened) < 0) {
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
	reader->more = false;
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
slot_load(const struct lpk_reader *reader, struct lpk__block *block,
    unsigned long slot)
{
	if (slot >= reader->log->geometry.slots)
		return 0;
	/*
	 * LMM(peek:B)
	 * Pairs with commit:A: the words of the record are visible, and all
	 * that its writer had seen.
	 */
	return lpk_load32_acquire(&block->slots[slot]);
}

static uint64_t
slot_time(
    const struct lpk_reader *reader, struct lpk__block *block, uint32_t slot)
{
	/* Outside of the block: somebody wrote there, and take() refuses it. */
	if (slot >> 16 >= reader->log->geometry.units)
		return 0;
	return lpk__read64(lpk__block_words(reader->log, block, slot >> 16));
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
		slot = slot_load(reader, block, position);
		if (slot != 0) {
			stream->time = slot_time(reader, block, slot);
			return PEEK_HELD;
		}
	}
	return PEEK_EMPTY;
}

static void
peek(struct lpk_reader *reader, struct lpk__stream *stream)
{
	struct lpk__block *block = stream_block(reader, stream);
	uint32_t slot = slot_load(reader, block, cursor(reader, stream));

	if (slot != 0) {
		stream->time = slot_time(reader, block, slot);
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
	/* Odd, so that it is never 0, which stands for "not held". */
	uint64_t now = lpk_port_clock() | 1;
	uint64_t grace = reader->eager ?
	    0 :
	    (uint64_t)LPK_GRACE_NS * (lpk_port_clock_hz() / 1000) / 1000000;

	while (stream->state == PEEK_HELD) {
		if (stream->held_since == 0)
			stream->held_since = now;
		if (now - stream->held_since < grace)
			return;
		pass_over(reader, stream);
		peek(reader, stream);
		if (stream->state == PEEK_HELD)
			stream->held_since = now - grace;
	}
}

static void
remove_stream(struct lpk_reader *reader, uint32_t at)
{
	reader->streams--;
	if (reader->more)
		reader->stale = true;
	for (; at < reader->streams; at++)
		reader->stream[at] = reader->stream[at + 1];
}

/*
 * Look at the streams that had nothing when last looked at. Returns the one
 * whose next record is the earliest; it may be held. Streams whose block was
 * opened after that record need no look.
 */
static struct lpk__stream *
earliest(struct lpk_reader *reader, bool *unsure)
{
	struct lpk__stream *best = NULL;
	uint32_t i;

	*unsure = false;
	for (i = 0; i < reader->streams; i++) {
		struct lpk__stream *stream = &reader->stream[i];

		if (best != NULL && (int64_t)(stream->opened - best->time) > 0)
			break;
		if (stream->state != PEEK_READY)
			peek(reader, stream);
		if (stream->state == PEEK_HELD)
			hold(reader, stream);
		if (stream->state == PEEK_FINISHED) {
			remove_stream(reader, i--);
			continue;
		}
		if (stream->state != PEEK_READY)
			*unsure = true;
		if (stream->state != PEEK_EMPTY &&
		    (best == NULL || (int64_t)(stream->time - best->time) < 0))
			best = stream;
	}
	return best;
}

/*
 * The usual case of choose(), decided without its rounds: the stream that was
 * opened first has a record that is older than every other block.
 */
static bool
first_is_next(struct lpk_reader *reader, struct lpk__stream *stream)
{
	if (reader->streams == 0 || reader->stale)
		return false;
	if (stream->state != PEEK_READY)
		peek(reader, stream);
	return stream->state == PEEK_READY &&
	    (reader->streams == 1 ||
		(int64_t)(stream[1].opened - stream->time) > 0) &&
	    /* After the look. Relaxed: find:A is the load that orders. */
	    lpk_load_relaxed(&lpk__head(reader->log)->order) == reader->order;
}

/*
 * The stream to read from, NULL if there is nothing. What was committed before
 * the chosen record was begun is visible once that record is: so a second look
 * at the streams that had nothing, and for new blocks, until neither has
 * anything earlier, keeps cause before effect. Each further round means that
 * an earlier record turned up, which needs another stream or a new block; the
 * bound is for a log that is stormed.
 */
static struct lpk__stream *
choose(struct lpk_reader *reader)
{
	unsigned long *order = &lpk__head(reader->log)->order;
	struct lpk__stream *best = NULL;
	uint64_t time = 0;
	uint32_t round, block = 0;
	bool unsure;

	if (LPK_LIKELY(first_is_next(reader, reader->stream)))
		return reader->stream;
	for (round = 0; round <= 2 * LPK_STREAMS_MAX; round++) {
		/* Relaxed: find:A is the load that orders. */
		if (reader->stale || lpk_load_relaxed(order) != reader->order)
			find_streams(reader);
		else if (best != NULL && best->time == time)
			break;
		best = earliest(reader, &unsure);
		if (best == NULL)
			return NULL;
		/*
		 * Found again by a look that came after it was seen. Not "and
		 * nothing is stale": a claimer that sleeps or died leaves its
		 * block busy, and the reader stale, for as long.
		 */
		if (round != 0 && best->block == block && best->time == time)
			break;
		block = best->block;
		time = best->time;
		if (unsure)
			best = earliest(reader, &unsure);
	}
	return best != NULL && best->state == PEEK_READY ? best : NULL;
}

/* Cut a payload into text and key/values. */
static void
split_payload(struct lpk_record *record, char *text, uint32_t bytes)
{
	uint16_t text_bytes = (uint16_t)bytes;

	if ((record->flags & LPK_RECORD_KV) != 0 &&
	    bytes < sizeof(text_bytes)) {
		text_bytes = 0;
		bytes = 0;
	} else if (record->flags & LPK_RECORD_KV) {
		__builtin_memcpy(&text_bytes, text, sizeof(text_bytes));
		bytes -= (uint32_t)sizeof(text_bytes);
		if (text_bytes > bytes)
			text_bytes = 0;
		__builtin_memmove(text, text + sizeof(text_bytes), text_bytes);
		__builtin_memmove(text + text_bytes + 1,
		    text + text_bytes + sizeof(text_bytes), bytes - text_bytes);
		text[bytes + 1] = '\0';
	}
	text[text_bytes] = '\0';
	record->text_bytes = text_bytes;
	record->kv_bytes = bytes - text_bytes;
}

static const char *
known(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
fill_record(struct lpk_reader *reader, struct lpk_record *record,
    const struct lpk__head_words *head, const struct lpk__place *place)
{
	unsigned long seq =
	    lpk_load_relaxed(&lpk__head(reader->log)->clock_seq);
	struct lpk__clock clock;

	if (seq != reader->scale_seq && lpk__clock_read(reader->log, &clock)) {
		lpk__clock_scale(&reader->scale, &clock);
		reader->scale_seq = seq;
	}
	record->seq = reader->seq;
	record->time_ns = lpk__clock_ns(&reader->scale, head->time);
	record->realtime_ns = reader->scale.realtime_offset_ns == 0 ?
	    0 :
	    record->time_ns + reader->scale.realtime_offset_ns;
	record->caller = head->caller;
	lpk__name_find(reader->log, head->caller, record->thread);
	record->line = place->line;
	record->subsystem = known(place->subsystem);
	record->file = known(place->file);
	record->function = known(place->function);
}

/* Render the text of a deferred record; -LPK_ENOSPC when it does not fit. */
static int
render_payload(struct lpk_record *record, const struct lpk__place *place,
    const unsigned char *payload, uint32_t bytes, char *text, size_t size_bytes)
{
	uint32_t room =
	    size_bytes > LPK_TEXT_MAX ? LPK_TEXT_MAX : (uint32_t)size_bytes - 1;
	const char *format = place->format;
	struct lpk__out out;

	lpk__out_init(&out, text, (size_t)room + 1);
	if (place->prefix[0] != '\0')
		lpk__out_put(&out, place->prefix,
		    lpk__fast_length(place->prefix, LPK_TEXT_MAX));
	if (place->flags & LPK_SITE_KERN)
		format = lpk__kern_skip(format);
	lpk__render_packed(
	    &out, format, place->end, place->count, payload, bytes);
	lpk__out_finish(&out);
	if (out.len > room && room < LPK_TEXT_MAX)
		return -LPK_ENOSPC;
	record->text_bytes = lpk__text_end(text, room, out.len, &record->flags);
	record->kv_bytes = 0;
	text[record->text_bytes] = '\0';
	return LPK_OK;
}

/* What is said of a record that the dictionary does not know. */
static const struct lpk__place nowhere = {
    .format = "(message of an unknown call site)",
    .prefix = "",
    .subsystem = "",
    .file = "",
    .function = "",
    .level = LPK_INFO,
};

/* A record that was begun to be read. */
struct copy {
	const unsigned long *words;
	uint32_t bytes; /* that were reserved for it */
	struct lpk__head_words head;
};

/* The rest of a text record. */
static int
take_text(struct lpk_reader *reader, const struct lpk__stream *stream,
    struct copy *copy, struct lpk_record *record, char *text, size_t size_bytes)
{
	uint32_t bytes = lpk__meta_bytes(copy->head.meta);
	struct lpk__place place;

	if (copy->bytes < LPK__RECORD_HEAD ||
	    bytes > copy->bytes - LPK__RECORD_HEAD || bytes > LPK_TEXT_MAX)
		return -LPK_EPIPE;
	if (size_bytes <= bytes)
		return stream_alive(reader, stream) ? -LPK_ENOSPC : -LPK_EPIPE;
	lpk__words_read(&copy->head, copy->words, sizeof(copy->head));
	lpk__payload_read(text, &copy->head, copy->words, bytes);
	if (!stream_alive(reader, stream))
		return -LPK_EPIPE;
	if (!lpk__dict_find(&place, lpk__dict(reader->log),
		reader->log->geometry.dict_bytes, copy->head.site))
		place = nowhere;
	fill_record(reader, record, &copy->head, &place);
	record->level = (uint8_t)lpk__meta_level(copy->head.meta);
	record->facility = (uint8_t)lpk__meta_facility(copy->head.meta);
	record->flags = lpk__meta_flags(copy->head.meta);
	split_payload(record, text, bytes);
	return LPK_OK;
}

/* The rest of a deferred record. */
static int
take_deferred(struct lpk_reader *reader, const struct lpk__stream *stream,
    const struct copy *copy, struct lpk_record *record, char *text,
    size_t size_bytes)
{
	uint32_t bytes = copy->bytes - LPK__DEFERRED_HEAD;
	unsigned char payload[LPK_TEXT_MAX + 8];
	struct lpk__place place;

	if (bytes > sizeof(payload))
		return -LPK_EPIPE;
	lpk__words_read(payload,
	    copy->words + LPK__DEFERRED_HEAD / sizeof(*copy->words), bytes);
	if (!stream_alive(reader, stream))
		return -LPK_EPIPE;
	if (!lpk__dict_find(&place, lpk__dict(reader->log),
		reader->log->geometry.dict_bytes,
		copy->head.meta & ~LPK__DEFERRED))
		place = nowhere;
	fill_record(reader, record, &copy->head, &place);
	record->level = place.level & 7;
	record->facility = 0;
	record->flags = place.record_flags;
	return render_payload(record, &place, payload, bytes, text, size_bytes);
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
	struct lpk__block *block = stream_block(reader, stream);
	uint32_t slot = slot_load(reader, block, position);
	uint32_t units = slot >> 1 & 0x7fff;
	struct copy copy;
	int result;

	copy.bytes = units * 8;
	if ((slot >> 16) + units > reader->log->geometry.units ||
	    copy.bytes < LPK__DEFERRED_HEAD)
		return -LPK_EPIPE;
	copy.words = lpk__block_words(reader->log, block, slot >> 16);
	lpk__words_read(&copy.head, copy.words, LPK__DEFERRED_HEAD);
	result = copy.head.meta & LPK__DEFERRED ?
	    take_deferred(reader, stream, &copy, record, text, size_bytes) :
	    take_text(reader, stream, &copy, record, text, size_bytes);
	if (result != LPK_OK)
		return result;
	record->flags |= flags;
	reader->seq++;
	return LPK_OK;
}

static void
forget_late(struct lpk_reader *reader, uint32_t at)
{
	reader->lates--;
	for (; at < reader->lates; at++)
		reader->late[at] = reader->late[at + 1];
}

/* Account for unfinished records passed over whose block was recycled. */
static void
lose_lates(struct lpk_reader *reader)
{
	uint32_t i;

	for (i = 0; i < reader->lates; i++) {
		struct lpk__stream stream = {.life = reader->late[i].life,
		    .block = reader->late[i].block};

		if (stream_alive(reader, &stream))
			continue;
		lose(reader, 1);
		forget_late(reader, i--);
	}
}

/*
 * The first of the unfinished records passed over that is finished now;
 * -LPK_EAGAIN if there is none, -LPK_EPIPE if it was lost meanwhile.
 */
static int
take_late(struct lpk_reader *reader, struct lpk_record *record, char *text,
    size_t size_bytes)
{
	uint32_t i;
	int result;

	for (i = 0; i < reader->lates; i++) {
		struct lpk__late *late = &reader->late[i];
		struct lpk__stream stream = {
		    .life = late->life, .block = late->block};

		if (slot_load(
			reader, stream_block(reader, &stream), late->slot) == 0)
			continue;
		result = take(reader, &stream, late->slot, record, text,
		    size_bytes, LPK_RECORD_LATE);
		if (result == -LPK_ENOSPC)
			return result;
		if (result == -LPK_EPIPE)
			lose(reader, 1);
		forget_late(reader, i);
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
	    reader->log == NULL || size_bytes == 0)
		return -LPK_EINVAL;
	for (;;) {
		stream = choose(reader);
		if (reader->lates != 0)
			lose_lates(reader);
		if (reader->lost_new != 0) {
			reader->lost = reader->lost_new;
			reader->lost_new = 0;
			return -LPK_EPIPE;
		}
		/*
		 * After the choice: what the writer of the chosen record had
		 * finished before it is visible now, and must come first.
		 */
		result = reader->lates != 0 ?
		    take_late(reader, record, text, size_bytes) :
		    -LPK_EAGAIN;
		if (result == LPK_OK || result == -LPK_ENOSPC)
			return result;
		if (result == -LPK_EPIPE)
			continue;
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
		if (stream_alive(reader, stream)) {
			/* Not ours: someone wrote over the region. */
			lose(reader, 1);
			reader->done[stream->block]++;
		}
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

		if (slot_load(reader, stream_block(reader, &stream),
			late->slot) != 0 ||
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
	struct lpk__block *block = lpk__block(reader->log, number);
	unsigned long position = 0;
	uint32_t slot;

	while ((slot = slot_load(reader, block, position)) != 0 &&
	    (int64_t)(slot_time(reader, block, slot) - mark) <= 0)
		position++;
	return position;
}

/*
 * Records of a block up to the last finished one. Where a block is just being
 * closed, its state counts failed additions too: a cursor beyond its records
 * would pass over as many of the block's next life.
 */
static unsigned long
count_finished(const struct lpk_reader *reader, uint32_t number)
{
	struct lpk__block *block = lpk__block(reader->log, number);
	unsigned long count = lpk__ring_stored(reader->log, block);

	while (count != 0 && slot_load(reader, block, count - 1) == 0)
		count--;
	return count;
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
	reader->more = false;
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);

		/*
		 * Relaxed: whatever happens to the block from here on is
		 * noticed by follow(); a count that is behind shows as lost.
		 */
		reader->done[i] = lpk_load_relaxed(&block->past);
		if (where == LPK_SEEK_NEXT)
			reader->done[i] += count_finished(reader, i);
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
	reader->eager = false;
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
lpk__mark_passed(const struct lpk__mark *mark, const struct lpk_log *log,
    uint32_t number, unsigned long done)
{
	struct lpk__block *block = lpk__block(log, number);

	/*
	 * A mark may count additions that failed; a block that is closed and
	 * read to its end is reached all the same.
	 */
	return (long)(done - mark->records[number]) >= 0 ||
	    (lpk_load_relaxed(&block->final) != 0 &&
		done ==
		    lpk_load_relaxed(&block->past) +
			lpk__ring_stored(log, block));
}
