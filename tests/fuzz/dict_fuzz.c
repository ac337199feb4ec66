/* SPDX-License-Identifier: MIT */
/*
 * dict_fuzz.c - a hostile region: the image of a real log, with some of its
 * bytes changed, is read to its end. Whatever is in it, the reader stays
 * inside of it, comes to an end, and gives back proper strings.
 *
 * tests/unit/test_dict.c drives it with changes of its own choice, and
 * `make fuzz` with a million of them; `make fuzz-guided` lets clang's fuzzer
 * choose.
 */
#include "dict_fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lpk/log.h>
#include <lpk/printk.h>
#include <lpk/reader.h>

#include "core/ring.h"

#define BLOCK_BYTES 2048
#define BLOCKS 4
#define EDITS_MAX 16

static struct lpk_log image;
static unsigned char *original, *changed;

size_t
dict_fuzz_bytes(void)
{
	return LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS);
}

/* One call of each kind, so that each kind of record is there. */
static void
log_some(int number)
{
	static const char ip[4] = {10, 1, 2, 3};
	const char *text = number & 1 ? "some text" : NULL;

	lpk_printk_to(&image, LPK_ERR, "a number %d and %08lx", number, 77L);
	lpk_printk_to(
	    &image, LPK_ERR, "text %s %.*s %5.3s", text, 3, "abcdef", text);
	lpk_printk_to(&image, LPK_ERR, "bytes %pI4 %*ph and %f",
	    (const void *)ip, 3, (const void *)ip, 1.25);
	lpk_printk_to(&image, LPK_ERR, "%.200s at the call", "rendered");
	lpk_write(&image, LPK_ERR, "no site %d\nsecond line", number);
	lpk_inject(&image, LPK_ERR, 3, "injected", 8);
}

static void
prepare(void)
{
	size_t bytes = dict_fuzz_bytes();
	int i;

	if (original != NULL)
		return;
	/* Of exactly this size, so that one byte beyond is noticed. */
	original = aligned_alloc(LPK_CACHE_LINE, bytes);
	changed = aligned_alloc(LPK_CACHE_LINE, bytes);
	if (original == NULL || changed == NULL ||
	    lpk_log_init(&image, "image", original, bytes, BLOCK_BYTES, BLOCKS,
		2) != LPK_OK)
		abort();
	for (i = 0; i < 20; i++)
		log_some(i);
	image.blocks = changed + (image.blocks - image.region);
	image.region = changed;
}

static void
demand(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "dict_fuzz: %s\n", what);
	abort();
}

static void
check_string(const char *text)
{
	const char *begin = (const char *)changed;
	size_t bytes = dict_fuzz_bytes();

	if (text == NULL)
		return;
	demand(text >= begin && text < begin + bytes, "a string elsewhere");
	demand(memchr(text, '\0', (size_t)(begin + bytes - text)) != NULL,
	    "a string without an end");
}

static void
check_record(const struct lpk_record *record, const char *text)
{
	static char line[16 * LPK_TEXT_MAX];
	int style;

	demand(record->text_bytes <= LPK_TEXT_MAX, "a text too long");
	demand(record->text_bytes + record->kv_bytes <= LPK_TEXT_MAX,
	    "key/values too long");
	demand(text[record->text_bytes] == '\0', "a text without an end");
	check_string(record->subsystem);
	check_string(record->file);
	check_string(record->function);
	style = LPK_STYLE_TEXT + (int)(record->seq % 4);
	lpk_record_print(
	    record, text, (enum lpk_style)style, line, sizeof(line));
}

/* To the end, and again from somewhere. */
static void
read_all(uint64_t seq)
{
	/* Each record, each gap, and each time to wait, with some to spare. */
	uint32_t most = 8 * (image.geometry.slots + 4) * BLOCKS, waits = 0;
	struct lpk_record record;
	struct lpk_reader reader;
	char *text = malloc(LPK_TEXT_MAX + 1);
	int result;

	demand(text != NULL, "no memory");
	lpk_reader_open(&reader, &image, LPK_SEEK_OLDEST);
	while (waits < 2) {
		demand(most-- != 0, "no end");
		result =
		    lpk_reader_next(&reader, &record, text, LPK_TEXT_MAX + 1);
		if (result == LPK_OK)
			check_record(&record, text);
		else if (result == -LPK_EAGAIN)
			waits++;
		else
			demand(result == -LPK_EPIPE, "an error");
	}
	lpk_reader_open(&reader, &image, LPK_SEEK_CLEAR);
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, seq % 300);
	(void)lpk_reader_next(&reader, &record, text, LPK_TEXT_MAX + 1);
	lpk_reader_open(&reader, &image, LPK_SEEK_NEXT);
	(void)lpk_reader_next(&reader, &record, text, LPK_TEXT_MAX + 1);
	free(text);
}

static void
apply(const struct dict_fuzz_edit *edit)
{
	size_t width = (size_t)1 << (edit->how & 3), i;
	size_t at = (size_t)edit->at_low + ((size_t)edit->at_high << 16);

	at %= dict_fuzz_bytes();
	for (i = 0; i < width && at + i < dict_fuzz_bytes(); i++) {
		unsigned char byte = edit->value[i];

		changed[at + i] = edit->how & 4 ? changed[at + i] ^ byte : byte;
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct dict_fuzz_edit edit;
	uint64_t seq = 0;
	int count;

	prepare();
	memcpy(changed, original, dict_fuzz_bytes());
	for (count = 0; count < EDITS_MAX && size >= sizeof(edit); count++) {
		memcpy(&edit, data, sizeof(edit));
		data += sizeof(edit);
		size -= sizeof(edit);
		apply(&edit);
		seq += edit.value[0];
	}
	read_all(seq);
	return 0;
}
