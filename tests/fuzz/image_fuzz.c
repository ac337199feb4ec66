/* SPDX-License-Identifier: MIT */
/*
 * image_fuzz.c - a hostile image: that of a real log, with some of it changed,
 * is opened, read to its end, and printed in every format. Whatever is in it,
 * the tool comes to an end, and no control byte gets out.
 *
 * tests/unit/test_tool_image.c drives it with changes of its own choice, and
 * `make fuzz` does so a million times under sanitizers; `make fuzz-guided` lets
 * clang's fuzzer choose.
 */
#include "image_fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lpk/log.h>
#include <lpk/printk.h>

#include "tools/image.h"
#include "tools/output.h"
#include "tools/tool.h"

#define BLOCK_BYTES 2048u
#define BLOCKS 4u
#define EDITS_MAX 16

unsigned long image_fuzz_shown, image_fuzz_refused;

static unsigned char *original, *changed;
static size_t bytes, cut_at;
static struct lpk_log ring;
static int fd = -1;
static char *printed;
static size_t printed_bytes;
static FILE *stream;

/* What the tool would say of an image. */
void
complain(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
}

static void
demand(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "image_fuzz: %s\n", what);
	abort();
}

/* One call of each kind, so that each kind of record is there. */
static void
log_some(int number)
{
	static const char ip[4] = {10, 1, 2, 3};
	const char *text = number & 1 ? "some text" : NULL;

	lpk_printk_to(&ring, LPK_ERR, "a number %d and %08lx", number, 77L);
	lpk_printk_to(
	    &ring, LPK_ERR, "text %s %.*s %5.3s", text, 3, "abcdef", text);
	lpk_printk_to(&ring, LPK_ERR, "bytes %pI4 %*ph and %f",
	    (const void *)ip, 3, (const void *)ip, 1.25);
	lpk_write(&ring, LPK_ERR, "no site %d\nsecond line", number);
	lpk_inject(&ring, LPK_ERR, 3, "injected \033[2J", 13);
}

static void
prepare(void)
{
	int i;

	if (original != NULL)
		return;
	bytes = LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS);
	original = aligned_alloc(LPK_CACHE_LINE, bytes);
	changed = malloc(bytes);
	fd = memfd_create("image", MFD_CLOEXEC);
	stream = open_memstream(&printed, &printed_bytes);
	demand(original != NULL && changed != NULL && fd >= 0 &&
		stream != NULL &&
		lpk_log_init(&ring, "image", original, bytes, BLOCK_BYTES,
		    BLOCKS, 2) == LPK_OK,
	    "no image");
	for (i = 0; i < 25; i++)
		log_some(i);
}

/* Where an edit goes, by what it changes. */
static size_t
place(const struct image_fuzz_edit *edit)
{
	const struct lpk__head_fixed *fixed = &lpk__head(&ring)->fixed;
	size_t block = fixed->blocks +
	    (size_t)(edit->where % BLOCKS) * fixed->geometry.block_bytes;
	size_t within = edit->where / BLOCKS;

	switch (edit->what % 8) {
	case 0:
		return within * 4 % sizeof(*fixed);
	case 1:
		return within * 4 % fixed->head_bytes;
	case 2:
		return block + within * 4 % fixed->block_slots;
	case 3:
		return block + fixed->block_slots +
		    within % fixed->geometry.slots * 4;
	case 4:
	case 5:
		return block + fixed->geometry.data_offset +
		    within % (fixed->geometry.units * 2) * 4;
	case 6:
		return fixed->dict +
		    edit->where * 4u % fixed->geometry.dict_bytes;
	default:
		return edit->where * 31u % bytes;
	}
}

static void
apply(const struct image_fuzz_edit *edit)
{
	static const uint32_t odd[] = {0, 1, 2, 7, 8, 0x7f, 0xff, 0x7fff,
	    0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff8,
	    0xfffffffe, 0xffffffff};
	size_t at = place(edit), width = sizeof(uint32_t);
	uint32_t value;

	if (edit->how % 32 == 31) {
		cut_at = edit->value % (bytes + 1);
		return;
	}
	if (at + width > bytes)
		width = bytes - at;
	memcpy(&value, changed + at, width);
	switch (edit->how % 4) {
	case 0:
		value = edit->value;
		break;
	case 1:
		value ^= UINT32_C(1) << edit->value % 32;
		break;
	case 2:
		value = odd[edit->value % 16];
		break;
	default:
		value += edit->value % 64 - 32;
		break;
	}
	memcpy(changed + at, &value, width);
}

static void
check_printed(enum output_kind kind)
{
	size_t i;

	for (i = 0; i < printed_bytes; i++) {
		unsigned char c = (unsigned char)printed[i];

		if (c == '\n' || (c == '\t' && kind <= OUTPUT_RAW))
			continue;
		demand(c >= ' ' && c != 0x7f, "a control byte got out");
		if (kind == OUTPUT_KMSG)
			demand(c < 0x80, "a byte that is not ASCII got out");
	}
}

/* Into memory, and back to its beginning. */
static void
show(struct output *output, const struct entry *entry)
{
	output_entry(output, entry);
	fflush(stream);
	/* The journal's format has bytes as they are. */
	if (output->kind != OUTPUT_EXPORT)
		check_printed(output->kind);
	rewind(stream);
}

static void
read_all(struct image *image)
{
	/* Each record, each gap, and some to spare. */
	uint32_t most =
	    8 * (image->log.geometry.slots + 4) * image->log.geometry.blocks;
	struct output output = {.stream = stream, .times = {TIME_RAW_DELTA}};
	struct entry entry = {.session = &image->session};
	char text[LPK_TEXT_MAX + 2];
	int result;

	output.time_count = 1;
	entry.text = text;
	while ((result = lpk_reader_next(&image->reader, &entry.record, text,
		    sizeof(text))) != -LPK_EAGAIN) {
		demand(most-- != 0, "no end");
		demand(result == LPK_OK || result == -LPK_EPIPE, "an error");
		entry.lost = result == LPK_OK ? 0 : image->reader.lost;
		output.kind = (enum output_kind)(
		    image_fuzz_shown++ % (OUTPUT_EXPORT + 1));
		output.colours = false;
		output.decode = true;
		show(&output, &entry);
	}
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct image_fuzz_edit edit;
	struct source source = {.name = "image"};
	static struct image image;
	int count;

	prepare();
	memcpy(changed, original, bytes);
	cut_at = bytes;
	for (count = 0; count < EDITS_MAX && size >= sizeof(edit); count++) {
		memcpy(&edit, data, sizeof(edit));
		data += sizeof(edit);
		size -= sizeof(edit);
		apply(&edit);
	}
	demand(pwrite(fd, changed, bytes, 0) == (ssize_t)bytes, "no memfd");
	source.fd = fd;
	source.bytes = cut_at;
	if (!image_open(&image, &source)) {
		image_fuzz_refused++;
		return 0;
	}
	read_all(&image);
	/* As if it were alive: the copy is made again, over the old one. */
	image_refresh(&image);
	read_all(&image);
	image_close(&image);
	return 0;
}
