/* SPDX-License-Identifier: MIT */
/*
 * publish.c - what the head of a region says about consoles, to other programs.
 *
 * Words are stored one by one while another process reads them: each is right,
 * and together they are as of about now.
 */
#include <string.h>

#include "core/ring.h"
#include "core/words.h"
#include "direct.h"
#include "lpk_atomic.h"

static struct lpk__head_console *
place_of(const struct lpk__console_slot *slot)
{
	struct lpk_log *log = lpk__slot_log(slot);

	return &lpk__head(log)->consoles[slot - lpk__slots];
}

/* A panic has a cursor of its own. */
static uint64_t
next_seq(const struct lpk__printer *printer)
{
	return printer->panicked ? printer->panic.reader.seq :
				   lpk__position_seq(&printer->positions);
}

void
lpk__slot_enter(const struct lpk__console_slot *slot)
{
	lpk_store_relaxed(
	    &place_of(slot)->owner, lpk__owner_thread(&slot->printer.owner));
}

void
lpk__slot_publish(const struct lpk__console_slot *slot)
{
	struct lpk__head_console *place = place_of(slot);
	const unsigned long *counts = slot->printer.counts;

	/* Relaxed throughout: recent values. */
	lpk_store_relaxed(&place->mode, lpk_load_relaxed(&slot->mode));
	lpk_store_relaxed(&place->state, (unsigned long)lpk__slot_state(slot));
	lpk_store_relaxed(
	    &place->quiet_below, lpk_load_relaxed(&slot->printer.quiet_below));
	lpk_store_relaxed(
	    &place->printed, lpk_load_relaxed(&counts[LPK__PRINTED]));
	lpk_store_relaxed(
	    &place->suppressed, lpk_load_relaxed(&counts[LPK__SUPPRESSED]));
	lpk_store_relaxed(&place->lost, lpk_load_relaxed(&counts[LPK__LOST]));
	lpk_store_relaxed(
	    &place->refused, lpk_load_relaxed(&counts[LPK__REFUSED]));
	lpk_store_relaxed(&place->bytes, lpk_load_relaxed(&counts[LPK__BYTES]));
	lpk_store_relaxed(
	    &place->next_seq, (unsigned long)next_seq(&slot->printer));
	/* Who publishes is about to let go. */
	lpk_store_relaxed(&place->owner, 0);
	lpk_store_relaxed(
	    &place->error, lpk_load_relaxed(&slot->printer.error));
	lpk_store_relaxed(
	    &place->time_ms, (unsigned long)(lpk_now_ns() / 1000000));
}

void
lpk__slot_show(const struct lpk__console_slot *slot, bool used)
{
	struct lpk__head_console *place = place_of(slot);
	unsigned long seq = lpk_load_relaxed(&place->seq);
	char driver[sizeof(place->driver)] = "";

	if (used) {
		strncpy(driver, slot->info->driver->name, sizeof(driver) - 1);
		lpk_store_relaxed(&place->seq, seq | 1);
		/* For programs that read the region; see docs/FORMAT.md. */
		lpk_fence_release();
		lpk__words_write(
		    place->name, slot->info->name, sizeof(place->name));
		lpk__words_write(place->driver, driver, sizeof(driver));
		lpk_store_release(&place->seq, (seq | 1) + 1);
		lpk__slot_publish(slot);
	}
	lpk_store_relaxed(&place->used, used);
}
