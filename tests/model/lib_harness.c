/* SPDX-License-Identifier: MIT */
/*
 * lib_harness.c - the harness of the clients, and what it asserts in every
 * execution:
 *
 *   - a record is read whole, once by each reader, only after its commit began,
 *     and in the order of its writer;
 *   - a record that was committed before another one was begun comes before it,
 *     unless it is flagged as late;
 *   - seq grows by one a record and jumps by what was lost;
 *   - calls = stored + dropped, stored = read + lost;
 *   - a closed block is opened by a store of its claimer alone, and additions
 *     to it are no more than the contexts that could meet there;
 *   - in the end each block is open, or closed with its count; nothing pins
 *     it but the dead; and the next records can be stored, and read at once.
 *
 * What the harness notes about an execution is outside of the modelled memory.
 */
#include "harness.h"

#include <lpk/port.h>
#include <lpk/reader.h>

#include <stdio.h>
#include <string.h>

#include <core/record.h>
#include <core/ring.h>

#define FLAGS 4
#define HEAD_BYTES LPK_HEAD_BYTES
#define FLAG_OFFSET (MODEL_ARENA_BYTES - FLAGS * sizeof(unsigned long))
#define LOG_OFFSET (FLAG_OFFSET - 256)
#define HOUR UINT64_C(3600000000000)

/* A record as record.h describes it; the payload is its id, repeated. */
struct record {
	uint64_t time;
	uint32_t caller;
	uint32_t meta;
	uint32_t id[8]; /* the first is the site */
};

_Static_assert(offsetof(struct record, id) + 4 == LPK__RECORD_HEAD &&
	sizeof(struct record) >= LARGE * 8,
    "the layout of record.h");

struct cursor {
	struct lpk_reader reader;
	bool open;
	bool whole;      /* opened before the first record */
	uint64_t read;   /* records, a bit each */
	uint64_t before; /* committed before any of those was begun */
	uint64_t count;
	uint64_t lost;
	uint64_t first; /* seq it started with */
};

bool harness_time_after;

/* In the arena, for the words of it that are shared. */
static struct lpk_log *const log_ =
    (struct lpk_log *)(void *)(model_arena + LOG_OFFSET);
static struct cursor cursors[CURSORS];
static uint64_t clock_now;
static unsigned int next_number[WRITERS];
static uint64_t begun_before[WRITERS * RECORDS]; /* a mask for each id */
static uint64_t commit_begun, committed;
static uint64_t attempts, refused; /* calls that returned, or not yet */
static uint64_t preset;            /* unfinished records of ring_fill() */
static unsigned int pinned;        /* blocks of ring_pin() */
static bool overflowing;           /* after ring_near_overflow() */
static bool weak;                  /* the memory of this execution */

/* ------------------------------------------------------------------------- */
/* The port: time is counted in calls. */

uint64_t
lpk_port_clock(void)
{
	return ++clock_now;
}

void
lpk_port_clock_pair(struct lpk_clock_pair *pair)
{
	pair->raw = lpk_port_clock();
	pair->monotonic_ns = pair->raw * 3;
	pair->realtime_ns = pair->raw * 5;
}

uint64_t
lpk_port_clock_hz(void)
{
	return 1000000000;
}

uint32_t
lpk_port_caller(void)
{
	return 1;
}

uint32_t
lpk_port_lane(void)
{
	return 0;
}

void
lpk_port_wake(struct lpk_log *log)
{
	(void)log;
}

bool
lpk_port_idle(struct lpk_reader *reader)
{
	(void)reader;
	return false;
}

struct lpk_log *
lpk_default_log(void)
{
	return log_;
}

void
time_pass(void)
{
	clock_now += HOUR;
}

/* ------------------------------------------------------------------------- */
/* The ring. */

void
ring(uint32_t blocks, uint32_t lanes, uint32_t slots)
{
	uint32_t bytes;

	memset(cursors, 0, sizeof(cursors));
	memset(next_number, 0, sizeof(next_number));
	clock_now = 1000;
	commit_begun = committed = 0;
	attempts = refused = preset = 0;
	pinned = 0;
	overflowing = false;
	weak = model_is_weak();
	*log_ = (struct lpk_log){
	    .region = model_arena,
	    .blocks = model_arena + HEAD_BYTES,
	    .name = "model",
	};
	log_->geometry.blocks = blocks;
	log_->geometry.lanes = lanes;
	log_->geometry.slots = slots;
	log_->geometry.units = slots * SMALL;
	log_->geometry.data_offset = LPK__DATA_OFFSET(0, slots);
	bytes = log_->geometry.data_offset + log_->geometry.units * 8;
	bytes = (bytes + LPK_CACHE_LINE - 1) / LPK_CACHE_LINE * LPK_CACHE_LINE;
	log_->geometry.block_bytes = bytes;
	log_->region_bytes = HEAD_BYTES + (size_t)bytes * blocks;
	MODEL_ASSERT(log_->region_bytes <= LOG_OFFSET);
	lpk__head(log_)->ready = 1;
}

void
ring_pin(uint32_t block)
{
	lpk__block(log_, block)->life = LPK__LIFE_FIRST | LPK__LIFE_BUSY;
	lpk__block(log_, block)->state = log_->geometry.units + 1ul;
	pinned++;
}

void
ring_fill(uint32_t block)
{
	struct lpk__block *at = lpk__block(log_, block);
	uint32_t slots = log_->geometry.slots;

	at->life = LPK__LIFE_FIRST;
	at->final = slots + 1ul;
	at->state = slots * LPK__COUNT_ONE | (log_->geometry.units + 1ul);
	preset += slots;
	lpk__head(log_)->lanes[0].current =
	    block * log_->geometry.block_bytes + 1ul;
}

void
ring_untouched(void)
{
	lpk__head(log_)->ready = 0;
}

static unsigned long
past_at_start(uint32_t block)
{
	return overflowing ? 0ul - 1 - block : 0;
}

void
ring_near_overflow(void)
{
	uint32_t i;

	overflowing = true;
	for (i = 0; i < log_->geometry.blocks; i++)
		lpk__block(log_, i)->past = past_at_start(i);
	lpk__head(log_)->hand = 0ul - 1;
	lpk__head(log_)->order = 0ul - 2 - LPK__ORDER_FIRST;
}

void
harness_watch(const void *word, unsigned long old, unsigned long new_)
{
	size_t at = (size_t)((const unsigned char *)word - model_arena);
	size_t block_bytes = log_->geometry.block_bytes;

	if (at < HEAD_BYTES || at >= log_->region_bytes ||
	    (at - HEAD_BYTES) % block_bytes !=
		offsetof(struct lpk__block, state))
		return;
	MODEL_ASSERT(lpk__state_open(&log_->geometry, old) ||
	    !lpk__state_open(&log_->geometry, new_));
	/* Each context, and a handler in each, may have looked before. */
	MODEL_ASSERT((new_ >> LPK__OFFSET_BITS) <=
	    log_->geometry.slots + 2ul * MODEL_CONTEXTS);
}

static void
name_head(char *to, size_t size_bytes, size_t offset)
{
	if (offset >= offsetof(struct lpk__head, lanes))
		snprintf(to, size_bytes, "lane %zu",
		    (offset - offsetof(struct lpk__head, lanes)) /
			sizeof(struct lpk__lane));
	else if (offset == offsetof(struct lpk__head, hand))
		snprintf(to, size_bytes, "hand");
	else if (offset == offsetof(struct lpk__head, order))
		snprintf(to, size_bytes, "order");
	else
		snprintf(to, size_bytes, "head+%zu", offset);
}

void
harness_name(char *to, size_t size_bytes, size_t arena_offset)
{
	static const char *const words[] = {
	    "life", "order", "past", "final", "lane", "opened"};
	size_t offset, block, slots;

	if (arena_offset >= FLAG_OFFSET) {
		snprintf(to, size_bytes, "flag %zu",
		    (arena_offset - FLAG_OFFSET) / sizeof(unsigned long));
		return;
	}
	if (arena_offset >= LOG_OFFSET) {
		snprintf(to, size_bytes, "log+%zu", arena_offset - LOG_OFFSET);
		return;
	}
	if (arena_offset < HEAD_BYTES) {
		name_head(to, size_bytes, arena_offset);
		return;
	}
	offset = (arena_offset - HEAD_BYTES) % log_->geometry.block_bytes;
	block = (arena_offset - HEAD_BYTES) / log_->geometry.block_bytes;
	slots = offsetof(struct lpk__block, slots);
	if (offset >= log_->geometry.data_offset)
		snprintf(to, size_bytes, "block %zu text+%zu", block,
		    offset - log_->geometry.data_offset);
	else if (offset >= slots)
		snprintf(to, size_bytes, "block %zu slot %zu", block,
		    (offset - slots) / 4);
	else if (offset == offsetof(struct lpk__block, state))
		snprintf(to, size_bytes, "block %zu state", block);
	else if (offset / sizeof(unsigned long) < 6)
		snprintf(to, size_bytes, "block %zu %s", block,
		    words[offset / sizeof(unsigned long)]);
	else
		snprintf(to, size_bytes, "block %zu+%zu", block, offset);
}

/* ------------------------------------------------------------------------- */
/* Writers. */

static bool
put_units(unsigned int writer, uint32_t lane, uint32_t units)
{
	uint32_t id = writer * RECORDS + next_number[writer]++;
	uint32_t bytes = units * 8 - LPK__RECORD_HEAD, i;
	struct record record;
	struct lpk__slot slot;

	MODEL_ASSERT(id < (writer + 1) * RECORDS);
	record.caller = id;
	record.meta = lpk__meta(bytes, id & 7, 0, 0);
	for (i = 0; i < sizeof(record.id) / sizeof(record.id[0]); i++)
		record.id[i] = id;
	attempts++;
	begun_before[id] = model_known() & committed;
	/*
	 * Before the reservation. Readers merge blocks by the time of their
	 * next record; one that slept between its reservation and its clock
	 * would let later blocks overtake what stands behind it in its own.
	 */
	record.time = lpk_port_clock();
	if (!lpk__ring_reserve(log_, lane, units, &slot)) {
		refused++;
		return false;
	}
	if (harness_time_after)
		record.time = lpk_port_clock();
	lpk__words_write(slot.words, &record, units * 8);
	model_learn(UINT64_C(1) << id);
	commit_begun |= UINT64_C(1) << id;
	lpk__ring_commit(&slot);
	committed |= UINT64_C(1) << id;
	return true;
}

bool
put(unsigned int writer, uint32_t lane)
{
	return put_units(writer, lane, SMALL);
}

bool
put_large(unsigned int writer, uint32_t lane)
{
	return put_units(writer, lane, LARGE);
}

void
flag_raise(unsigned int flag)
{
	lpk_store_release(
	    (unsigned long *)(void *)(model_arena + FLAG_OFFSET) + flag, 1);
}

bool
flag_seen(unsigned int flag)
{
	return lpk_load_acquire(
		   (unsigned long *)(void *)(model_arena + FLAG_OFFSET) +
		   flag) != 0;
}

/* ------------------------------------------------------------------------- */
/* Readers. */

void
reader_open(unsigned int cursor)
{
	struct cursor *at = &cursors[cursor];

	*at = (struct cursor){.open = true, .whole = attempts == 0};
	MODEL_ASSERT(
	    lpk_reader_open(&at->reader, log_, LPK_SEEK_OLDEST) == LPK_OK);
	at->first = at->reader.seq;
}

static void
check_record(
    struct cursor *at, const struct lpk_record *record, const char *text)
{
	uint32_t id = record->caller, i, word;
	uint64_t bit, later;

	MODEL_ASSERT(id < WRITERS * RECORDS);
	bit = UINT64_C(1) << id;
	/* Of this writer, with a higher number. */
	later = (UINT64_C(0xff) << (id / RECORDS * RECORDS)) & ~(bit - 1);
	MODEL_ASSERT(record->level == (id & 7));
	MODEL_ASSERT(record->text_bytes == SMALL * 8 - LPK__RECORD_HEAD ||
	    record->text_bytes == LARGE * 8 - LPK__RECORD_HEAD);
	for (i = 0; i < record->text_bytes; i += 4) {
		memcpy(&word, text + i, sizeof(word));
		MODEL_ASSERT(word == id && "a torn record");
	}
	MODEL_ASSERT((commit_begun & bit) != 0);
	MODEL_ASSERT((at->read & bit) == 0 && "a duplicate");
	if ((record->flags & LPK_RECORD_LATE) == 0) {
		MODEL_ASSERT((at->read & later) == 0 && "out of order");
		MODEL_ASSERT((at->before & bit) == 0 && "effect before cause");
	}
	MODEL_ASSERT(record->seq == at->first + at->count + at->lost);
	at->read |= bit;
	at->before |= begun_before[id];
	at->count++;
}

bool
reader_step(unsigned int cursor)
{
	struct cursor *at = &cursors[cursor];
	struct lpk_record record;
	char text[64];
	int result = lpk_reader_next(&at->reader, &record, text, sizeof(text));

	if (result == -LPK_EAGAIN)
		return false;
	if (result == -LPK_EPIPE) {
		MODEL_ASSERT(at->reader.lost != 0);
		at->lost += at->reader.lost;
		MODEL_ASSERT(at->lost == at->reader.lost_total);
		return true;
	}
	MODEL_ASSERT(result == LPK_OK);
	check_record(at, &record, text);
	return true;
}

void
reader_drain(unsigned int cursor)
{
	while (reader_step(cursor))
		continue;
}

bool
reader_has(unsigned int cursor, unsigned int writer, unsigned int number)
{
	return (cursors[cursor].read >> (writer * RECORDS + number) & 1) != 0;
}

/* ------------------------------------------------------------------------- */
/* The end of an execution. */

struct totals {
	uint64_t stored; /* since the start of the execution */
	uint64_t kept;   /* committed and not overwritten */
	uint64_t unfinished;
	unsigned int busy; /* blocks whose claimer died */
};

static void
look_at_block(uint32_t number, struct totals *totals)
{
	struct lpk__block *block = lpk__block(log_, number);
	unsigned long live = lpk__ring_stored(log_, block), i;
	bool lives = model_deaths() == 0 && preset == 0;

	totals->stored += block->past - past_at_start(number) + live;
	if ((block->life & LPK__LIFE_BUSY) != 0) {
		totals->busy++;
		return;
	}
	if (lives && block->life != LPK__LIFE_FRESH)
		MODEL_ASSERT((block->final == 0) ==
			lpk__state_open(&log_->geometry, block->state) &&
		    "closed for ever");
	for (i = 0; i < log_->geometry.slots; i++) {
		if (i >= live) {
			MODEL_ASSERT(block->slots[i] == 0);
		} else if (block->slots[i] == 0) {
			MODEL_ASSERT(!lives && "committed, yet unfinished");
			totals->unfinished++;
		} else {
			totals->kept++;
		}
	}
}

static void
check_cursor(const struct cursor *at, const struct totals *totals)
{
	/* What was given up in favour of later ones is lost, though kept. */
	uint64_t most = totals->stored;
	uint64_t least = totals->stored - totals->unfinished;
	uint64_t sum = at->count + at->lost;

	MODEL_ASSERT(at->reader.lost_total == at->lost);
	if (at->whole)
		MODEL_ASSERT(sum >= least && sum <= most && "not accounted");
}

static void
check_accounts(void)
{
	struct totals totals = {0};
	unsigned long dropped = lpk__head(log_)->dropped;
	uint64_t calls = attempts + preset;
	uint32_t i;

	for (i = 0; i < log_->geometry.blocks; i++)
		look_at_block(i, &totals);
	MODEL_ASSERT(dropped >= refused && dropped <= refused + model_deaths());
	MODEL_ASSERT(totals.busy <= pinned + model_deaths());
	if (totals.busy > pinned)
		return; /* what died there is counted by nobody */
	MODEL_ASSERT(totals.stored + dropped <= calls);
	MODEL_ASSERT(totals.stored + dropped + model_deaths() >= calls);
	if (model_deaths() == 0 && preset == 0)
		MODEL_ASSERT(totals.unfinished == 0);
	for (i = 0; i < CURSORS; i++) {
		if (cursors[i].open)
			check_cursor(&cursors[i], &totals);
	}
}

static void
drain_all(void)
{
	unsigned int i;

	for (i = 0; i < CURSORS; i++) {
		if (!cursors[i].open)
			continue;
		reader_drain(i);
		time_pass();
		reader_drain(i);
	}
}

/* Somebody who was not there before logs, and somebody else reads it. */
static void
check_progress(void)
{
	unsigned int writer = WRITERS - 1, i;

	for (i = 0; i < 3; i++) {
		MODEL_ASSERT(put(writer, 0) && "no block to be had");
		reader_open(1);
		reader_drain(1);
		time_pass();
		reader_drain(1);
		MODEL_ASSERT(
		    reader_has(1, writer, i) && "not readable at once");
		MODEL_ASSERT(cursors[1].lost == 0);
		if (cursors[0].open) {
			reader_drain(0);
			time_pass();
			reader_drain(0);
			MODEL_ASSERT(reader_has(0, writer, i));
		}
	}
	cursors[1].open = false;
}

void
settle(void)
{
	drain_all();
	check_accounts();
	check_progress();
	drain_all();
	check_accounts();
}

void
expect_no_drops(void)
{
	/* Who keeps reading the past may find every block pinned. */
	MODEL_ASSERT((refused == 0 || weak) && "dropped");
}

void
expect_drops(unsigned int count)
{
	MODEL_ASSERT(refused == count);
}

const struct model_client *
client_named(const char *name)
{
	size_t i;

	for (i = 0; i < client_count; i++) {
		if (strcmp(clients[i]->name, name) == 0)
			return clients[i];
	}
	fprintf(stderr, "no client %s\n", name);
	return clients[0];
}
