/* SPDX-License-Identifier: MIT */
/*
 * stat_read.c - accounts, lanes and consoles out of an image. Each number is
 * taken as it is, and none is used to find a place without a check.
 */
#include "stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lpk/port.h>

#include "core/names.h"

/* A console in the head: seq and used, the strings, then these words. */
enum {
	WORD_MODE,
	WORD_STATE,
	WORD_QUIET_BELOW,
	WORD_PRINTED,
	WORD_SUPPRESSED,
	WORD_LOST,
	WORD_REFUSED,
	WORD_BYTES,
	WORD_NEXT_SEQ,
	WORD_OWNER,
	WORD_ERROR,
	WORD_TIME_MS,
	WORDS
};
#define STRINGS (LPK_CONSOLE_NAME_BYTES + 16)
/* At the beginning of a block. */
enum { BLOCK_LIFE, BLOCK_ORDER, BLOCK_PAST, BLOCK_FINAL, BLOCK_LANE };

static uint64_t
word_of(const struct image *image, const unsigned char *from, unsigned int at)
{
	uint32_t narrow;
	uint64_t wide;

	if (image->fixed.word_bytes == 8) {
		memcpy(&wide, from + (size_t)at * 8, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, from + (size_t)at * 4, sizeof(narrow));
	return narrow;
}

/* For terminals. */
static void
copy_string(char *to, const unsigned char *from, size_t bytes)
{
	size_t i;

	memcpy(to, from, bytes);
	to[bytes - 1] = '\0';
	for (i = 0; to[i] != '\0'; i++) {
		if (to[i] < ' ' || to[i] > '~')
			to[i] = '?';
	}
}

static const char *
word_among(const char *const *words, uint64_t count, uint64_t number)
{
	return number < count ? words[number] : "?";
}

static void
take_console(const struct image *image, const unsigned char *from,
    struct console_view *view)
{
	static const char *const modes[] = {"poll", "direct", "panic"};
	static const char *const states[] = {
	    "off", "running", "blocked", "suspended", "paused"};
	const size_t word = image->fixed.word_bytes;
	const unsigned char *words = from + 2 * word + STRINGS;

	copy_string(view->name, from + 2 * word, sizeof(view->name));
	copy_string(view->driver, from + 2 * word + LPK_CONSOLE_NAME_BYTES,
	    sizeof(view->driver));
	view->mode = word_among(modes, 3, word_of(image, words, WORD_MODE));
	view->state = word_among(states, 5, word_of(image, words, WORD_STATE));
	view->quiet_below = word_of(image, words, WORD_QUIET_BELOW);
	view->printed = word_of(image, words, WORD_PRINTED);
	view->suppressed = word_of(image, words, WORD_SUPPRESSED);
	view->lost = word_of(image, words, WORD_LOST);
	view->refused = word_of(image, words, WORD_REFUSED);
	view->bytes = word_of(image, words, WORD_BYTES);
	view->next_seq = word_of(image, words, WORD_NEXT_SEQ);
	view->owner = word_of(image, words, WORD_OWNER);
	view->error = word_of(image, words, WORD_ERROR);
	view->time_ms = word_of(image, words, WORD_TIME_MS);
}

unsigned int
stat_consoles(
    const struct image *image, struct console_view views[CONSOLES_MAX])
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	size_t need = (size_t)(2 + WORDS) * fixed->word_bytes + STRINGS;
	unsigned char *from;
	unsigned int i, count = 0;

	/* Of a log that was made before there were any. */
	if (fixed->consoles < sizeof(*fixed) ||
	    fixed->consoles >= fixed->head_bytes ||
	    fixed->console_bytes < need ||
	    fixed->console_count > CONSOLES_MAX ||
	    (uint64_t)fixed->console_bytes * fixed->console_count >
		fixed->head_bytes - fixed->consoles)
		return 0;
	from = malloc(fixed->console_bytes);
	for (i = 0; from != NULL && i < fixed->console_count; i++) {
		struct console_view *view = &views[count];

		if (source_read(&image->source,
			fixed->consoles + (uint64_t)fixed->console_bytes * i,
			from, fixed->console_bytes) != fixed->console_bytes)
			break;
		if (word_of(image, from, 1) == 0)
			continue;
		memset(view, 0, sizeof(*view));
		view->slot = i;
		view->seq = (uint32_t)word_of(image, from, 0);
		take_console(image, from, view);
		count++;
	}
	free(from);
	return count;
}

/* The lanes are not in the head's description: the blocks know. */
static void
look_at_lane(const struct image *image, uint32_t number, struct log_view *view)
{
	const struct lpk_geometry *geometry = &image->fixed.geometry;
	const struct lpk__block *block = lpk__block(&image->log, number);
	unsigned char from[5 * 8];
	struct lane_view *lane;
	uint64_t order, which;

	if (source_read(&image->source,
		image->fixed.blocks + (uint64_t)geometry->block_bytes * number,
		from, sizeof(from)) != sizeof(from))
		return;
	which = word_of(image, from, BLOCK_LANE);
	order = word_of(image, from, BLOCK_ORDER);
	if (word_of(image, from, BLOCK_FINAL) != 0 ||
	    word_of(image, from, BLOCK_LIFE) == LPK__LIFE_FRESH ||
	    which >= view->lane_count)
		return;
	lane = &view->lanes[which];
	/* Numbers of blocks wrap. */
	if (lane->there && (int64_t)(order - lane->order) < 0)
		return;
	lane->there = true;
	lane->block = number;
	lane->order = order;
	lane->records = block->state >> LPK__OFFSET_BITS;
	lane->units = 0;
	if (lane->records != 0 && lane->records <= geometry->slots) {
		uint32_t last = block->slots[lane->records - 1];

		lane->units = (last >> 16) + (last >> 1 & 0x7fff);
	}
}

static void
look_at_block(const struct image *image, uint32_t number, struct log_view *view)
{
	const struct lpk__block *block = lpk__block(&image->log, number);
	unsigned long live = block->state >> LPK__OFFSET_BITS, slot, open = 0;

	if (block->life == LPK__LIFE_FRESH)
		return;
	if (block->final != 0 && block->final - 1 < live)
		live = block->final - 1;
	if (live > image->fixed.geometry.slots)
		live = image->fixed.geometry.slots;
	for (slot = 0; slot < live; slot++)
		open += block->slots[slot] == 0;
	view->used++;
	view->pinned += block->final != 0 && open != 0;
	view->unfinished += open;
	view->overwritten += block->past;
	view->stored += block->past + live;
}

void
stat_log(const struct image *image, struct log_view *view)
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	unsigned char accounts[4 * 8] = {0};
	uint32_t i;

	memset(view, 0, sizeof(*view));
	(void)source_read(
	    &image->source, fixed->accounts, accounts, 4u * fixed->word_bytes);
	view->dropped = word_of(image, accounts, 0);
	view->suppressed = word_of(image, accounts, 1);
	view->dict_used = word_of(image, accounts, 3);
	view->lane_count = fixed->geometry.lanes < LPK_LANES_MAX ?
	    fixed->geometry.lanes :
	    LPK_LANES_MAX;
	for (i = 0; i < fixed->geometry.blocks; i++) {
		look_at_block(image, i, view);
		look_at_lane(image, i, view);
	}
}

/* The time of a record, or of the first one that is left after it; or 0. */
static uint64_t
time_of(const struct image *image, uint64_t seq)
{
	static struct lpk_reader reader;
	static char text[LPK_TEXT_MAX + 2];
	struct lpk_record record = {0};
	int result;

	lpk_reader_open(&reader, &image->log, LPK_SEEK_OLDEST);
	reader.eager = true;
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, seq);
	result = lpk_reader_next(&reader, &record, text, sizeof(text));
	if (result == -LPK_EPIPE)
		result = lpk_reader_next(&reader, &record, text, sizeof(text));
	return result == LPK_OK ? record.time_ns : 0;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
stat_lags(const struct image *image, const struct log_view *log,
    struct console_view *views, unsigned int count)
{
	/* For the dead, time stands still with their last record. */
	uint64_t now = image_alive(image) || log->stored == 0 ?
	    now_ns() :
	    time_of(image, log->stored - 1);
	uint64_t then;
	unsigned int i;

	for (i = 0; i < count; i++) {
		uint64_t lag = log->stored - views[i].next_seq;

		if (image->fixed.word_bytes == 4)
			lag = (uint32_t)lag;
		/* It was looked at before the log was, and may be ahead. */
		if (lag == 0 || lag > log->stored)
			continue;
		views[i].lag_records = lag;
		then = time_of(image, log->stored - lag);
		if (then != 0 && then < now)
			views[i].lag_ns = now - then;
	}
}

const char *
signal_name(uint64_t number)
{
	static char text[32];
	const char *name = number < 128 ? sigabbrev_np((int)number) : NULL;

	if (name != NULL)
		return name;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return text;
}

const char *
error_name(uint64_t number)
{
	static char text[32];
	const char *name = number < 4096 ? strerrorname_np((int)number) : NULL;

	if (name != NULL)
		return name;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return text;
}

void
stat_state(const struct image *image, char *text, size_t bytes)
{
	char name[LPK_THREAD_NAME_BYTES] = "";
	uint32_t caller = (uint32_t)image->state_caller;
	size_t i;

	if (image->state == LPK__STATE_PANIC) {
		lpk__name_find(&image->log, caller, name);
		for (i = 0; name[i] != '\0'; i++) {
			if (name[i] < ' ' || name[i] > '~')
				name[i] = '?';
		}
		snprintf(text, bytes,
		    "panic by signal %llu (%s) in thread %lu%s%s",
		    (unsigned long long)image->state_signal,
		    signal_name(image->state_signal),
		    (unsigned long)(caller & ~LPK_CALLER_HANDLER),
		    name[0] != '\0' ? " " : "", name);
	} else if (image->state == LPK__STATE_CLEAN) {
		snprintf(text, bytes, "clean: it ended by exit");
	} else if (image->state != LPK__STATE_LIVE) {
		snprintf(text, bytes, "not known");
	} else if (image->source.dead) {
		snprintf(text, bytes, "live when it was saved");
	} else if (image_alive(image)) {
		snprintf(text, bytes, "live");
	} else {
		snprintf(text, bytes, "gone without a word");
	}
}
