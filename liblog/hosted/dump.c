/* SPDX-License-Identifier: MIT */
/*
 * dump.c - dumpers: who wants the log when the process dies.
 *
 * Their places are never freed, as those of consoles, because a panic may look
 * at them at any moment. One dump at a time; who unregisters waits for it.
 */
#include <string.h>

#include <lpk/port.h>

#include "lpk_atomic.h"
#include "panic.h"

#define DUMPERS_MAX 8

static unsigned long dumpers[DUMPERS_MAX]; /* struct lpk_dumper * */
static unsigned long busy;                 /* a dump is being made */
static struct lpk_dump_iter the_iter;

int
lpk_dumper_register(struct lpk_dumper *dumper)
{
	int i;

	if (dumper == NULL || dumper->dump == NULL)
		return -LPK_EINVAL;
	for (i = 0; i < DUMPERS_MAX; i++) {
		if (lpk_load_relaxed(&dumpers[i]) == (unsigned long)dumper)
			return -LPK_EBUSY;
	}
	for (i = 0; i < DUMPERS_MAX; i++) {
		/*
		 * LMM(dumper:A)
		 * What the dumper is before it may be called. Pairs with
		 * dump:A.
		 */
		if (lpk_load_relaxed(&dumpers[i]) == 0 &&
		    lpk_cas_release(&dumpers[i], 0, (unsigned long)dumper))
			return LPK_OK;
	}
	return -LPK_ENOSPC;
}

int
lpk_dumper_unregister(struct lpk_dumper *dumper)
{
	int result = -LPK_ENOENT, i;
	unsigned int round = 0;

	for (i = 0; i < DUMPERS_MAX; i++) {
		if (dumper != NULL &&
		    lpk_cas_relaxed(&dumpers[i], (unsigned long)dumper, 0))
			result = LPK_OK;
	}
	/*
	 * LMM(undumper:A)
	 * The empty place before the look whether a dump is being made. Pairs
	 * with dump:B: either it finds the place empty, or we wait for it.
	 */
	lpk_fence_full();
	while (result == LPK_OK && lpk_load_acquire(&busy) != 0)
		lpk_port_pause(round++);
	return result;
}

static void
begin(struct lpk_dump_iter *iter)
{
	iter->log = lpk_default_log();
	iter->begun = false;
	iter->end_seq = UINT64_MAX;
}

void
lpk__dump(enum lpk_dump_reason reason)
{
	struct lpk_dumper *dumper;
	int i;

	if (!lpk_cas_acquire(&busy, 0, 1))
		return;
	/*
	 * LMM(dump:B)
	 * The mark before the look at the places. Pairs with undumper:A.
	 */
	lpk_fence_full();
	for (i = 0; i < DUMPERS_MAX; i++) {
		/*
		 * LMM(dump:A)
		 * Pairs with dumper:A.
		 */
		dumper = (struct lpk_dumper *)lpk_load_acquire(&dumpers[i]);
		if (dumper == NULL || reason > dumper->most)
			continue;
		begin(&the_iter);
		dumper->dump(dumper, reason, &the_iter);
	}
	/*
	 * LMM(dump:C)
	 * What the dumpers did before it may be taken apart. Pairs with
	 * undumper:A.
	 */
	lpk_store_release(&busy, 0);
}

void
lpk_dump(enum lpk_dump_reason reason)
{
	lpk__dump(reason);
}

/* The next record; lost ones are for the reader of the dump to see by seq. */
static bool
next(struct lpk_dump_iter *iter, struct lpk_reader *reader,
    struct lpk_record *record)
{
	int result = -LPK_EPIPE;

	while (result == -LPK_EPIPE)
		result = lpk_reader_next(
		    reader, record, iter->text, sizeof(iter->text));
	return result == LPK_OK;
}

static void
start_reader(struct lpk_dump_iter *iter, struct lpk_reader *reader)
{
	lpk_reader_open(reader, iter->log, LPK_SEEK_OLDEST);
	reader->eager = true;
}

bool
lpk_dump_get_line(struct lpk_dump_iter *iter, enum lpk_style style, char *line,
    size_t size_bytes, size_t *length)
{
	struct lpk_record record;
	size_t bytes;

	if (iter == NULL || line == NULL || size_bytes == 0)
		return false;
	if (!iter->begun)
		start_reader(iter, &iter->reader);
	iter->begun = true;
	if (!next(iter, &iter->reader, &record))
		return false;
	bytes = lpk_record_print(&record, iter->text, style, line, size_bytes);
	if (bytes >= size_bytes) {
		bytes = size_bytes - 1;
		if (bytes != 0)
			line[bytes - 1] = '\n';
	}
	if (length != NULL)
		*length = bytes;
	return true;
}

/*
 * Where the newest records begin that fit: one reader goes ahead to the end,
 * another follows it so closely that what is between them fits.
 */
static uint64_t
first_that_fits(
    struct lpk_dump_iter *iter, enum lpk_style style, size_t size_bytes)
{
	struct lpk_reader *behind = &iter->reader, *ahead = &iter->ahead;
	struct lpk_record record;
	uint64_t begin = UINT64_MAX;
	size_t total = 0;

	start_reader(iter, ahead);
	start_reader(iter, behind);
	while (next(iter, ahead, &record) && record.seq < iter->end_seq) {
		total += lpk_record_print(&record, iter->text, style, NULL, 0);
		if (begin == UINT64_MAX)
			begin = record.seq;
		while (total >= size_bytes && next(iter, behind, &record)) {
			total -= lpk_record_print(
			    &record, iter->text, style, NULL, 0);
			begin = record.seq + 1;
		}
	}
	return begin;
}

bool
lpk_dump_get_buffer(struct lpk_dump_iter *iter, enum lpk_style style,
    char *buffer, size_t size_bytes, size_t *length)
{
	struct lpk_record record;
	size_t used = 0;
	uint64_t begin;

	if (iter == NULL || buffer == NULL || size_bytes == 0)
		return false;
	begin = first_that_fits(iter, style, size_bytes);
	if (begin >= iter->end_seq)
		return false;
	start_reader(iter, &iter->reader);
	while (
	    next(iter, &iter->reader, &record) && record.seq < iter->end_seq) {
		size_t bytes;

		if (record.seq < begin)
			continue;
		bytes = lpk_record_print(&record, iter->text, style,
		    buffer + used, size_bytes - used);
		if (bytes >= size_bytes - used)
			break;
		used += bytes;
	}
	iter->end_seq = begin;
	if (length != NULL)
		*length = used;
	return used != 0;
}
