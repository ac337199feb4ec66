/* SPDX-License-Identifier: MIT */
/*
 * flush.c - how far consoles are: waiting for it, and telling it.
 *
 * The target of a flush is all that is reserved when it begins. Whoever owns a
 * console publishes its position; who waits compares it with the target, and
 * sleeps until it changes.
 */
#include <string.h>

#include "direct.h"
#include "lpk_atomic.h"
#include "lpk_rcu.h"

/* Without a thread there is nobody to wait for: look again so soon. */
#define LOOK_NS 1000000

void
lpk__slot_progress(struct lpk__console_slot *slot)
{
	/*
	 * LMM(progress:A)
	 * The position, and whether the console is there, before the number.
	 * Pairs with flush:A.
	 */
	lpk_fence_release();
	lpk_fetch_add_relaxed(&slot->progress, 1);
	lpk__futex_wake(&slot->progress);
}

/* What a console is to reach. */
struct target {
	struct lpk__mark mark;
	unsigned long life; /* of the slot: which console */
};

/* Is there anything to wait for? */
static bool
answers(const struct lpk__console_slot *slot)
{
	return lpk__slot_enabled(slot) &&
	    lpk_load_relaxed(&slot->suspended) == 0 &&
	    lpk_load_relaxed(&slot->mode) != LPK_MODE_PANIC &&
	    (lpk_load_relaxed(&lpk__direct_all) == 0 ||
		lpk_load_relaxed(&slot->can_direct) != 0);
}

/*
 * May the console's log be looked at? Between lpk_rcu_read_lock() and unlock:
 * when a console has gone, its log may go, too.
 */
static bool
there(const struct lpk__console_slot *slot)
{
	return lpk_rcu_dereference(slot->info) != NULL &&
	    lpk__slot_enabled(slot);
}

/* All that is reserved now; false when there is nothing to wait for. */
static bool
aim(struct lpk__console_slot *slot, struct target *target)
{
	bool good;

	lpk_rcu_read_lock();
	good = there(slot) && answers(slot);
	if (good) {
		/* Relaxed: a console has come before it is there. */
		target->life = lpk_load_relaxed(&slot->life);
		lpk__mark_set(&target->mark, lpk__slot_log(slot));
		lpk__slot_kick(slot);
	}
	lpk_rcu_read_unlock();
	return good;
}

/* -LPK_EAGAIN: not reached yet. */
static int
look(const struct lpk__console_slot *slot, const struct target *target)
{
	int result = -LPK_EAGAIN;

	lpk_rcu_read_lock();
	if (!there(slot) || lpk_load_relaxed(&slot->life) != target->life)
		result = -LPK_EINVAL;
	else if (lpk__position_reached(&slot->printer.positions, &target->mark,
		     lpk__slot_log(slot)))
		result = LPK_OK;
	else if (!answers(slot))
		result = -LPK_EINVAL;
	lpk_rcu_read_unlock();
	return result;
}

static int
wait_for(struct lpk__console_slot *slot, const struct target *target,
    uint64_t deadline_ns)
{
	uint64_t until;
	int result;

	for (;;) {
		/*
		 * LMM(flush:A)
		 * Pairs with progress:A: if the number is the new one, then so
		 * is what is looked at below.
		 */
		unsigned long seen = lpk_load_acquire(&slot->progress);

		result = look(slot, target);
		if (result != -LPK_EAGAIN)
			return result;
		if (deadline_ns != UINT64_MAX && lpk_now_ns() >= deadline_ns)
			return -LPK_ETIMEDOUT;
		until = deadline_ns;
		if (lpk_load_relaxed(&lpk__direct_all) != 0) {
			lpk__direct_drain(slot, deadline_ns);
			until = lpk_now_ns() + LOOK_NS;
		}
		lpk__futex_wait(&slot->progress, seen, until);
	}
}

static int
flush(struct lpk__console_slot *slot, uint64_t deadline_ns)
{
	struct target target;
	int result = -LPK_EINVAL;

	/* Before the kick, after which its thread looks for us. */
	lpk_fetch_add_relaxed(&slot->flushers, 1);
	if (aim(slot, &target))
		result = wait_for(slot, &target, deadline_ns);
	lpk_fetch_add_relaxed(&slot->flushers, 0ul - 1);
	return result;
}

int
lpk_console_flush(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	return slot != NULL ? flush(slot, deadline_ns) : -LPK_EINVAL;
}

static uint64_t
lag_records(const struct lpk__console_slot *slot)
{
	uint64_t seq = lpk__position_seq(&slot->printer.positions);
	uint64_t stored = lpk__printer_stored(&slot->printer);

	return stored > seq ? stored - seq : 0;
}

static void
note_laggard(
    struct lpk_flush_result *result, const struct lpk__console_slot *slot)
{
	const struct lpk__info *info;
	uint64_t lag;

	lpk_rcu_read_lock();
	info = lpk_rcu_dereference(slot->info);
	lag = info != NULL ? lag_records(slot) : 0;
	if (info != NULL &&
	    (lag >= result->lag_records || result->laggard[0] == '\0')) {
		result->lag_records = lag;
		memcpy(result->laggard, info->name, sizeof(info->name));
	}
	lpk_rcu_read_unlock();
}

int
lpk_flush(uint64_t deadline_ns, struct lpk_flush_result *result)
{
	struct lpk_flush_result sum = {0};
	struct target target;
	int i, one;

	/* Each at once, and not only when its turn comes. */
	for (i = 0; i < LPK_CONSOLES_MAX; i++)
		aim(&lpk__slots[i], &target);
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		one = flush(&lpk__slots[i], deadline_ns);
		/* Not there, or not any more, or not asked. */
		if (one == -LPK_EINVAL)
			continue;
		sum.consoles++;
		if (one == LPK_OK)
			sum.reached++;
		else
			note_laggard(&sum, &lpk__slots[i]);
	}
	if (result != NULL)
		*result = sum;
	return sum.reached == sum.consoles ? LPK_OK : -LPK_ETIMEDOUT;
}

enum lpk_console_state
lpk__slot_state(const struct lpk__console_slot *slot)
{
	if (!lpk__slot_enabled(slot))
		return LPK_CONSOLE_OFF;
	if (lpk_load_relaxed(&slot->suspended) != 0)
		return LPK_CONSOLE_SUSPENDED;
	if (lpk_load_relaxed(&slot->can_direct) != 0 && lpk__emergency_now())
		return LPK_CONSOLE_PAUSED;
	return lpk_load_relaxed(&slot->stuck) != 0 ? LPK_CONSOLE_BLOCKED :
						     LPK_CONSOLE_RUNNING;
}

/* How long has the oldest record waited that the console has not printed? */
static uint64_t
lag_ns(const struct lpk__console_slot *slot)
{
	struct lpk_reader reader;
	struct lpk_record record;
	char text[LPK__TEXT_ROOM];
	int result = -LPK_EPIPE;
	uint64_t now;

	if (lpk_reader_open(&reader, lpk__slot_log(slot), LPK_SEEK_OLDEST) !=
		LPK_OK ||
	    !lpk__position_restore(&slot->printer.positions, &reader, NULL))
		return 0;
	while (result == -LPK_EPIPE)
		result = lpk_reader_next(&reader, &record, text, sizeof(text));
	now = lpk_now_ns();
	return result == LPK_OK && now > record.time_ns ? now - record.time_ns :
							  0;
}

/* What can be told without looking at the console itself. */
static void
slot_stats(
    const struct lpk__console_slot *slot, struct lpk_console_stats *stats)
{
	const struct lpk__printer *printer = &slot->printer;
	const unsigned long *counts = printer->counts;

	/* Relaxed throughout: recent values. */
	stats->mode = (enum lpk_console_mode)lpk_load_relaxed(&slot->mode);
	stats->state = lpk__slot_state(slot);
	stats->quiet_below = (uint8_t)lpk_load_relaxed(&printer->quiet_below);
	stats->printed = lpk_load_relaxed(&counts[LPK__PRINTED]);
	stats->suppressed = lpk_load_relaxed(&counts[LPK__SUPPRESSED]);
	stats->lost = lpk_load_relaxed(&counts[LPK__LOST]);
	stats->refused = lpk_load_relaxed(&counts[LPK__REFUSED]);
	stats->replayed = lpk_load_relaxed(&counts[LPK__REPLAYED]);
	stats->direct = lpk_load_relaxed(&counts[LPK__DIRECT]);
	stats->bytes = lpk_load_relaxed(&counts[LPK__BYTES]);
	stats->handed_over = lpk_load_relaxed(&slot->handed_over);
	stats->lag_records = lag_records(slot);
	stats->lag_ns = stats->lag_records != 0 ? lag_ns(slot) : 0;
	stats->owner = lpk__owner_thread(&printer->owner);
	stats->last_error = (int)lpk_load_relaxed(&printer->error);
}

void
lpk_console_stats(
    const struct lpk_console *console, struct lpk_console_stats *stats)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	if (console == NULL || stats == NULL)
		return;
	if (slot == NULL) {
		*stats = console->last;
		return;
	}
	memset(stats, 0, sizeof(*stats));
	memcpy(stats->name, console->name, sizeof(console->name));
	stats->driver = console->driver->name;
	slot_stats(slot, stats);
}

unsigned int
lpk_consoles_stats(struct lpk_console_stats *stats, unsigned int most)
{
	unsigned int count = 0;
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		const struct lpk__console_slot *slot = &lpk__slots[i];
		const struct lpk__info *info;

		lpk_rcu_read_lock();
		info = lpk_rcu_dereference(slot->info);
		if (info != NULL && lpk__slot_enabled(slot)) {
			if (count < most && stats != NULL) {
				memset(&stats[count], 0, sizeof(*stats));
				memcpy(stats[count].name, info->name,
				    sizeof(info->name));
				stats[count].driver = info->driver->name;
				slot_stats(slot, &stats[count]);
			}
			count++;
		}
		lpk_rcu_read_unlock();
	}
	return count;
}
