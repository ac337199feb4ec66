/* SPDX-License-Identifier: MIT */
/*
 * image.c - an image, checked and copied. docs/FORMAT.md has its bytes.
 *
 * The copy is a log of this machine: what is wide as a word is made as wide
 * here, what depends on how the library was compiled is put where it is here.
 * The records themselves, and the dictionary, are the same everywhere.
 *
 * A block of a living process is copied in three steps: its head and commit
 * words; its records; the life in its head once more. What was committed in the
 * first step is whole in the second, unless the third finds another life. The
 * dictionary comes after the blocks, so that what they refer to is in it.
 */
#include "image.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "lpk_atomic.h"
#include "tool.h"

#define HEAD_MAX ((uint32_t)1 << 20)
#define DICT_MAX ((uint32_t)1 << 24)
#define BLOCK_MAX ((uint32_t)1 << 20)
#define NAMES_MAX 65536u
/* Whole cache lines. */
#define LINES(bytes)                                                           \
	(((bytes) + LPK_CACHE_LINE - 1) / LPK_CACHE_LINE * LPK_CACHE_LINE)
/* How often a block may be reused while it is being copied. */
#define TRIES 8
/* Words at the beginning of a block: life, order, past, final, lane. */
enum { WORD_LIFE, WORD_ORDER, WORD_PAST, WORD_FINAL, WORD_LANE, WORDS };
/* Of the accounts. */
enum { WORD_DROPPED, WORD_SUPPRESSED, WORD_REPORTED, WORD_USED };

static bool
power_of_two(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* Does a part of the head lie within it, at an even place? */
static bool
within(const struct lpk__head_fixed *fixed, uint32_t at, uint64_t bytes)
{
	return at % 4 == 0 && at >= sizeof(*fixed) && at <= fixed->head_bytes &&
	    bytes <= fixed->head_bytes - at;
}

static const char *
check_geometry(const struct lpk__head_fixed *fixed)
{
	const struct lpk_geometry *geometry = &fixed->geometry;

	if (!power_of_two(geometry->block_bytes) ||
	    geometry->block_bytes > BLOCK_MAX ||
	    !power_of_two(geometry->blocks) || geometry->blocks < 2)
		return "its blocks have no shape that a log can have";
	if (geometry->blocks > LPK_BLOCKS_MAX)
		return "it has more blocks than this program can read";
	if (fixed->block_state < WORDS * fixed->word_bytes + 8 ||
	    fixed->block_state % fixed->word_bytes != 0 ||
	    fixed->block_state > geometry->block_bytes ||
	    fixed->block_slots < fixed->block_state + fixed->word_bytes ||
	    fixed->block_slots % 4 != 0 ||
	    fixed->block_slots > geometry->data_offset ||
	    geometry->data_offset % 8 != 0 ||
	    geometry->data_offset > geometry->block_bytes ||
	    geometry->slots == 0 ||
	    geometry->slots >
		(geometry->data_offset - fixed->block_slots) / 4 ||
	    geometry->units == 0 || geometry->units > UINT16_MAX + 1u ||
	    geometry->units >
		(geometry->block_bytes - geometry->data_offset) / 8)
		return "the parts of its blocks do not fit into them";
	if (geometry->dict_bytes > DICT_MAX || geometry->dict_bytes % 8 != 0 ||
	    fixed->dict < fixed->head_bytes || fixed->dict % 8 != 0 ||
	    fixed->blocks < fixed->dict ||
	    geometry->dict_bytes > fixed->blocks - fixed->dict)
		return "its dictionary lies across other parts";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
check(const struct lpk__head_fixed *fixed)
{
	static const char magic[16] = LPK__MAGIC;
	uint32_t word = fixed->word_bytes;

	if (memcmp(fixed->magic, magic, sizeof(magic)) != 0)
		return "not the image of a log";
	if (fixed->endian == __builtin_bswap32(LPK__ENDIAN_MARK))
		return "written by a machine of the other byte order";
	if (fixed->endian != LPK__ENDIAN_MARK)
		return "its head was written over";
	if (fixed->version >> 16 != LPK__FORMAT_VERSION >> 16 ||
	    fixed->needs != 0)
		return "of a format that this program does not know";
	if ((word != 4 && word != 8) || fixed->head_bytes > HEAD_MAX ||
	    !within(fixed, fixed->session, sizeof(struct lpk__session)) ||
	    !within(fixed, fixed->state, 3ull * word) ||
	    !within(fixed, fixed->clear, 8) ||
	    !within(fixed, fixed->clock, 8 + sizeof(struct lpk__clock)) ||
	    !within(fixed, fixed->accounts, 5ull * word) ||
	    fixed->name_count > NAMES_MAX ||
	    fixed->name_bytes < 2 * word + LPK_THREAD_NAME_BYTES ||
	    !within(fixed, fixed->names,
		(uint64_t)fixed->name_bytes * fixed->name_count))
		return "its head makes no sense";
	return check_geometry(fixed);
}

/* A word of the image, wherever it lies. */
static unsigned long
word_at(const struct image *image, const unsigned char *from)
{
	uint32_t narrow;
	uint64_t wide;

	if (image->fixed.word_bytes == 8) {
		memcpy(&wide, from, sizeof(wide));
		return (unsigned long)wide;
	}
	memcpy(&narrow, from, sizeof(narrow));
	return narrow;
}

static unsigned long
block_word(const struct image *image, unsigned int number)
{
	return word_at(
	    image, image->block + (size_t)number * image->fixed.word_bytes);
}

/* Records reserved in a block, and units; failed additions do not count. */
static void
read_state(const struct image *image, unsigned long *count, uint32_t *units)
{
	const struct lpk_geometry *geometry = &image->fixed.geometry;
	const unsigned char *from = image->block + image->fixed.block_state;
	uint64_t records, used;
	uint32_t narrow;

	if (image->fixed.word_bytes == 8) {
		memcpy(&used, from, sizeof(used));
		records = used >> 32;
		used &= UINT32_MAX;
	} else {
		memcpy(&narrow, from, sizeof(narrow));
		records = narrow >> 16;
		used = narrow & UINT16_MAX;
	}
	*count = records < geometry->slots ? (unsigned long)records :
					     geometry->slots;
	*units = used < geometry->units ? (uint32_t)used : geometry->units;
}

/* The block that was read, as a block of this machine. */
static void
put_block(struct image *image, uint32_t number, uint32_t units)
{
	const struct lpk_geometry *geometry = &image->log.geometry;
	struct lpk__block *block = lpk__block(&image->log, number);
	const unsigned char *from = image->block;
	unsigned long count;
	uint32_t used, slot, value;

	if ((block->life | block_word(image, WORD_LIFE)) == LPK__LIFE_FRESH)
		return;
	read_state(image, &count, &used);
	block->life = block_word(image, WORD_LIFE);
	block->past = block_word(image, WORD_PAST);
	block->final = block_word(image, WORD_FINAL);
	memcpy(
	    block->opened, from + (size_t)WORDS * image->fixed.word_bytes, 8);
	block->state = count << LPK__OFFSET_BITS;
	memcpy((unsigned char *)block + geometry->data_offset,
	    from + image->fixed.geometry.data_offset, (size_t)units * 8);
	for (slot = 0; slot < geometry->slots; slot++) {
		memcpy(&value, from + image->fixed.block_slots + 4u * slot, 4);
		/* Where an image was cut, what it promised is not there. */
		if ((value >> 16) + (value >> 1 & 0x7fff) > units)
			value = 0;
		block->slots[slot] = value;
	}
}

/* True when the block was copied as it was at one moment. */
static bool
copy_block_once(struct image *image, uint32_t number)
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	const struct lpk_geometry *geometry = &fixed->geometry;
	uint64_t at = fixed->blocks + (uint64_t)geometry->block_bytes * number;
	unsigned long life, count;
	size_t want, got;
	uint32_t units;

	got = source_read(
	    &image->source, at, image->block, geometry->data_offset);
	memset(image->block + got, 0, geometry->data_offset - got);
	image->cut |= got < geometry->data_offset;
	life = block_word(image, WORD_LIFE);
	read_state(image, &count, &units);
	want = life == LPK__LIFE_FRESH ? 0 : (size_t)units * 8;
	/* The first step before the second, and that before the third. */
	lpk_fence_acquire();
	got = source_read(&image->source, at + geometry->data_offset,
	    image->block + geometry->data_offset, want);
	image->cut |= got < want;
	lpk_fence_acquire();
	if ((life & LPK__LIFE_BUSY) != 0)
		return false;
	put_block(image, number, (uint32_t)(got / 8));
	(void)source_read(&image->source, at, image->block, fixed->word_bytes);
	return block_word(image, WORD_LIFE) == life;
}

static void
copy_block(struct image *image, uint32_t number)
{
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (copy_block_once(image, number))
			return;
		sched_yield();
	}
	/* Being prepared, perhaps for ever: it holds nothing to read. */
	lpk__block(&image->log, number)->life |= LPK__LIFE_BUSY;
}

static void
copy_names(struct image *image, const unsigned char *head)
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	struct lpk__head *to = lpk__head(&image->log);
	const unsigned char *from = head + fixed->names;
	uint32_t i;

	for (i = 0; i < fixed->name_count; i++, from += fixed->name_bytes) {
		unsigned long owner = word_at(image, from + fixed->word_bytes);
		struct lpk__name *name = &to->names[owner % LPK_NAMES_MAX];

		if (owner == 0 || (word_at(image, from) & 1) != 0)
			continue;
		name->seq = 2;
		name->owner = owner;
		memcpy(name->name, from + 2 * (size_t)fixed->word_bytes,
		    LPK_THREAD_NAME_BYTES);
	}
}

/* What is not in the blocks. */
static void
copy_head(struct image *image, const unsigned char *head)
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	struct lpk__head *to = lpk__head(&image->log);
	uint32_t word = fixed->word_bytes;
	unsigned long seq = word_at(image, head + fixed->clock);
	char *at;

	memcpy(&image->session, head + fixed->session, sizeof(image->session));
	image->session.program[sizeof(image->session.program) - 1] = '\0';
	for (at = image->session.program; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	image->state = word_at(image, head + fixed->state);
	image->state_signal = word_at(image, head + fixed->state + word);
	image->state_caller = word_at(image, head + fixed->state + 2 * word);
	image->dropped = word_at(image, head + fixed->accounts);
	memcpy(to->clear_time, head + fixed->clear, 8);
	/*
	 * Whoever died while it was writing to the clock left it odd. Its words
	 * are the old ones or the new, all of one process: of use all the same.
	 */
	memcpy(to->clock, head + fixed->clock + 8, sizeof(struct lpk__clock));
	to->clock_seq = seq == 0 ? 0 : (seq | 1) + 1;
	if (seq != 0 && to->clock_seq == 0)
		to->clock_seq = 2;
	copy_names(image, head);
}

void
image_refresh(struct image *image)
{
	const struct lpk__head_fixed *fixed = &image->fixed;
	unsigned char *head = calloc(1, fixed->head_bytes);
	size_t got;
	uint32_t i;

	for (i = 0; i < fixed->geometry.blocks; i++)
		copy_block(image, i);
	got = source_read(&image->source, fixed->dict,
	    image->memory + LPK_HEAD_BYTES, fixed->geometry.dict_bytes);
	image->cut |= got < fixed->geometry.dict_bytes;
	if (head != NULL) {
		got = source_read(&image->source, 0, head, fixed->head_bytes);
		image->cut |= got < fixed->head_bytes;
		copy_head(image, head);
	}
	free(head);
	image->reader.stale = true;
}

/* Memory for the copy. */
static bool
make_log(struct image *image)
{
	const struct lpk_geometry *from = &image->fixed.geometry;
	struct lpk_geometry *geometry = &image->log.geometry;

	*geometry = *from;
	geometry->data_offset = LPK__DATA_OFFSET(0, from->slots);
	geometry->block_bytes = LINES(geometry->data_offset + from->units * 8);
	image->log.region_bytes = LPK_HEAD_BYTES + LINES(from->dict_bytes) +
	    (size_t)geometry->block_bytes * geometry->blocks;
	/* Pages that an image does not fill are never touched. */
	image->allocated =
	    calloc(1, image->log.region_bytes + LPK_CACHE_LINE - 1);
	image->block = malloc(from->block_bytes);
	if (image->allocated == NULL || image->block == NULL)
		return false;
	image->memory = (unsigned char *)image->allocated +
	    (-(uintptr_t)image->allocated & (LPK_CACHE_LINE - 1));
	image->log.region = image->memory;
	image->log.blocks =
	    image->memory + LPK_HEAD_BYTES + LINES(from->dict_bytes);
	image->log.name = "image";
	return true;
}

/* All of an image. */
static uint64_t
whole_bytes(const struct lpk__head_fixed *fixed)
{
	return fixed->blocks +
	    (uint64_t)fixed->geometry.block_bytes * fixed->geometry.blocks;
}

bool
image_open(struct image *image, const struct source *source)
{
	const char *wrong = NULL;

	memset(image, 0, sizeof(*image));
	image->source = *source;
	if (source_read(source, 0, &image->fixed, sizeof(image->fixed)) !=
	    sizeof(image->fixed))
		wrong = "shorter than the head of an image";
	else
		wrong = check(&image->fixed);
	if (wrong == NULL && !make_log(image))
		wrong = "no memory for a copy of it";
	if (wrong != NULL) {
		if (!source->dead)
			complain("%s: %s", source->name, wrong);
		image_close(image);
		return false;
	}
	image->cut = whole_bytes(&image->fixed) > source->bytes;
	image_refresh(image);
	lpk_reader_open(&image->reader, &image->log, LPK_SEEK_OLDEST);
	image->reader.eager = !image_alive(image);
	return true;
}

unsigned int
images_open(struct image *images, const struct sources *sources, bool *partial)
{
	unsigned int count = 0, whole = 0, i, kept = 0;

	for (i = 0; i < sources->count; i++) {
		if (image_open(&images[count], &sources->source[i]))
			whole += !images[count++].cut;
		else if (!sources->source[i].dead)
			*partial = true;
	}
	/* A core file may hold the beginning of a head that was on a stack. */
	for (i = 0; i < count; i++) {
		if (images[i].source.dead && images[i].cut && whole != 0) {
			image_close(&images[i]);
			continue;
		}
		if (kept != i) {
			images[kept] = images[i];
			images[kept].reader.log = &images[kept].log;
		}
		kept++;
	}
	for (i = 0; kept == 0 && i < sources->count; i++) {
		if (sources->source[i].dead)
			complain("%s: no log that can be read",
			    sources->source[i].name);
		break;
	}
	return kept;
}

/* Field 22 of /proc/PID/stat; 0: there is no such process. */
static uint64_t
start_of(long pid)
{
	char path[64], text[1024], *at;
	size_t length;
	FILE *file;
	int field;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	at = strrchr(text, ')');
	/* A zombie is dead. */
	if (at == NULL || strncmp(at, ") Z", 3) == 0)
		return 0;
	for (field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

bool
image_alive(const struct image *image)
{
	long pid = image->source.pid != 0 ? (long)image->source.pid :
					    (long)image->session.pid;

	if (image->source.dead || image->session.started == 0)
		return false;
	return start_of(pid) == image->session.started;
}

void
image_close(struct image *image)
{
	free(image->allocated);
	free(image->block);
	image->allocated = NULL;
	image->block = NULL;
}
