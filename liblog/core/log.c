/* SPDX-License-Identifier: MIT */
/*
 * log.c - a log as a whole: making one, describing it in its region, its
 * accounts and its mark for "after the last clear".
 */
#include "log.h"

#include <lpk/port.h>

#include "clock.h"

void
lpk__head_fill(struct lpk_log *log)
{
	struct lpk__head *head = lpk__head(log);
	struct lpk__head_fixed fixed = {
	    .magic = LPK__MAGIC,
	    .version = LPK__FORMAT_VERSION,
	    .endian = LPK__ENDIAN_MARK,
	    .word_bytes = sizeof(unsigned long),
	    .head_bytes = LPK_HEAD_BYTES,
	    .offers = LPK__OFFERS_SYNCED,
	    .session = offsetof(struct lpk__head, session),
	    .state = offsetof(struct lpk__head, state),
	    .clear = offsetof(struct lpk__head, clear_time),
	    .clock = offsetof(struct lpk__head, clock_seq),
	    .accounts = offsetof(struct lpk__head, dropped),
	    .names = offsetof(struct lpk__head, names),
	    .name_bytes = sizeof(struct lpk__name),
	    .name_count = LPK_NAMES_MAX,
	    .dict = LPK_HEAD_BYTES,
	    .blocks = (uint32_t)(log->blocks - log->region),
	    .block_state = offsetof(struct lpk__block, state),
	    .block_slots = offsetof(struct lpk__block, slots),
	    .geometry = log->geometry,
	    .consoles = offsetof(struct lpk__head, consoles),
	    .console_bytes = sizeof(struct lpk__head_console),
	    .console_count = LPK_CONSOLES_MAX,
	};

	lpk__words_write(
	    (unsigned long *)(void *)&head->fixed, &fixed, sizeof(fixed));
	/* Not left to the first record: clock_due is 0 until then. */
	lpk__clock_refresh(log);
	/*
	 * Relaxed: every context that comes here writes the same words, and a
	 * reader in this process has the shape from its log.
	 */
	lpk_store_relaxed(&head->ready, 1);
}

int
lpk_log_init(struct lpk_log *log, const char *name, void *memory,
    size_t size_bytes, uint32_t block_bytes, uint32_t blocks, uint32_t lanes)
{
	size_t need, skip;

	if (log == NULL || memory == NULL ||
	    !LPK__GEOMETRY_OK(block_bytes, blocks, lanes))
		return -LPK_EINVAL;
	need = LPK_REGION_BYTES(block_bytes, blocks);
	skip = (size_t)(-(uintptr_t)memory & (LPK_CACHE_LINE - 1));
	if (size_bytes < skip || size_bytes - skip < need)
		return -LPK_ENOMEM;
	*log = (struct lpk_log){
	    .geometry = LPK__GEOMETRY(block_bytes, blocks, lanes),
	    .blocks = (unsigned char *)memory + skip + LPK_HEAD_BYTES +
		LPK__DICT_BYTES(block_bytes, blocks),
	    .region = (unsigned char *)memory + skip,
	    .region_bytes = need,
	    .name = name,
	};
	__builtin_memset(log->region, 0, need);
	lpk__head_fill(log);
	return LPK_OK;
}

void
lpk_log_stats(const struct lpk_log *log, struct lpk_log_stats *stats)
{
	struct lpk_log_stats sum = {0};
	struct lpk__head *head;
	uint32_t i;

	if (log == NULL || stats == NULL)
		return;
	head = lpk__head(log);
	/* Relaxed throughout: counts, exact when nobody is writing. */
	for (i = 0; i < log->geometry.blocks; i++) {
		struct lpk__block *block = lpk__block(log, i);
		unsigned long past = lpk_load_relaxed(&block->past);
		unsigned long live = lpk__ring_stored(log, block);
		unsigned long slot;

		sum.overwritten += past;
		sum.stored += past + live;
		if (lpk_load_relaxed(&block->final) == 0)
			continue;
		for (slot = 0; slot < live; slot++) {
			if (lpk_load32_relaxed(&block->slots[slot]) == 0) {
				sum.blocks_pinned++;
				break;
			}
		}
	}
	sum.dropped = lpk_load_relaxed(&head->dropped);
	sum.suppressed = lpk_load_relaxed(&head->suppressed);
	sum.reports = lpk_load_relaxed(&head->reported);
	sum.blocks_opened = lpk_load_relaxed(&head->order);
	*stats = sum;
}

void
lpk_log_clear(struct lpk_log *log)
{
	if (log == NULL)
		return;
	/*
	 * Relaxed: a mark that two contexts set at once may be a mix of two
	 * readings on a 32-bit machine; both lie within the same instant.
	 */
	lpk__write64(lpk__head(log)->clear_time, lpk_port_clock());
}
