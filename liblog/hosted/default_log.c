/* SPDX-License-Identifier: MIT */
/*
 * default_log.c - the log that lpk_info() and its kin write to, and what the
 * environment says about it.
 *
 * Static memory: usable before main() and after exit(). Of its pages only
 * those that were written to are there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/format.h>
#include <lpk/log.h>
#include <lpk/printk.h>

#include "anchor.h"
#include "lpk_atomic.h"
#include "page.h"
#include "port_fast.h"
#include "region.h"
#include "slot.h"

/* 2 MiB; a 32-bit machine has smaller blocks and more of them. */
#define BLOCK_BYTES (sizeof(long) >= 8 ? 65536 : 16384)
#define BLOCKS (sizeof(long) >= 8 ? 32 : 128)

#define DICT_BYTES LPK__DICT_BYTES(BLOCK_BYTES, BLOCKS)

_Static_assert(LPK__GEOMETRY_OK(BLOCK_BYTES, BLOCKS, LPK_LANES_MAX),
    "the shape is one that LPK_LOG_DEFINE() would take");

/* Whole pages, in whose place region.c may put others. */
static unsigned char
    memory[LPK__PAGES(LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS))] LPK_ALIGNED(
	LPK__PAGE_BYTES);

struct lpk_log lpk__default_log = {
    LPK__GEOMETRY(BLOCK_BYTES, BLOCKS, LPK_LANES_MAX),
    memory + LPK_HEAD_BYTES + DICT_BYTES, memory,
    LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS), 0, 0, 0, 0, 0, "lpk__default_log"};

/*
 * For a program that has our memory only, in a core file: a note that the first
 * page of the executable or library has, and core files with it, says how far
 * from it this is. The assembler alone can compute that.
 */
__attribute__((used)) struct lpk__anchor lpk__here = {
    LPK__ANCHOR_MAGIC, memory, LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS)};

__asm__(".pushsection .note.lpk,\"a\",%note\n"
	".balign 4\n"
	".long 4, 4, 0x6b70\n" /* bytes of name and number, type */
	".asciz \"lpk\"\n"
	".long lpk__here - .\n"
	".popsection\n");

struct lpk_log *
lpk_default_log(void)
{
	return &lpk__default_log;
}

static void
complain(const char *words, size_t bad_at, int result)
{
	char text[256];
	int length = (int)strcspn(words + bad_at, ",");

	lpk_snprintf(text, sizeof(text),
	    "lpk: LPK_LOG: \"%.*s\": %s; use NAME=LEVEL or LEVEL, with a level "
	    "of off, emerg, alert, crit, err, warn, notice, info, debug\n",
	    length > 64 ? 64 : length, words + bad_at,
	    result == -LPK_ENOSPC ? "too many words, or too long" :
				    "not understood");
	(void)!write(STDERR_FILENO, text, strlen(text));
}

/* What is wrong is named and left out; the other words count. */
static void
filter_from(const char *words)
{
	char good[1024];
	size_t bad_at;
	int result;

	if (strlen(words) >= sizeof(good)) {
		complain(words, 0, -LPK_ENOSPC);
		return;
	}
	strcpy(good, words);
	while ((result = lpk_filter_set(good, &bad_at)) == -LPK_EINVAL ||
	    result == -LPK_ENOSPC) {
		complain(good, bad_at, result);
		memset(good + bad_at, ' ', strcspn(good + bad_at, ","));
	}
}

void
lpk__anchor_set(unsigned char *region)
{
	*(unsigned char *volatile *)&lpk__here.region = region;
}

__attribute__((constructor(102))) static void
default_log_init(void)
{
	const char *words = secure_getenv("LPK_LOG");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus >= 1 && cpus < LPK_LANES_MAX)
		lpk__default_log.geometry.lanes = (uint32_t)cpus;
	/* A page that nobody wrote to may be left out of a core file. */
	lpk__anchor_set(memory);
	if (words != NULL)
		filter_from(words);
	/*
	 * Called from here, and no constructors of their own: of a static
	 * library only what is called is linked.
	 */
	lpk__init_from_environment();
	lpk__consoles_from_environment();
}
