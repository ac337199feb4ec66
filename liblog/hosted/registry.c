/* SPDX-License-Identifier: MIT */
/*
 * registry.c - consoles come, go, and are changed.
 *
 * A console is used by its thread, by callers of printk that print direct, and
 * by a panic. All of them own it while they do, and look whether it is enabled
 * once they own it. So whoever disables it and then owns it is alone with it,
 * without a lock or a grace period; those are for threads that only look.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lpk/consoles.h>
#include <lpk/port.h>

#include "direct.h"
#include "lpk_atomic.h"
#include "lpk_rcu.h"

#define BATCH_BYTES 65536
/* lpk_port_pause() for callbacks to return, some 100 ms. */
#define LEAVE_ROUNDS 2000

struct lpk__console_slot lpk__slots[LPK_CONSOLES_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
lpk__registry_lock(void)
{
	pthread_mutex_lock(&lock);
}

void
lpk__registry_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void
lpk__registry_forked(void)
{
	pthread_mutex_init(&lock, NULL);
}

struct lpk__console_slot *
lpk__slot_of(const struct lpk_console *console)
{
	if (console == NULL || console->printer == NULL)
		return NULL;
	return (struct lpk__console_slot *)(void *)console->printer;
}

/* May the driver be used so? */
static bool
mode_good(const struct lpk_console_driver *driver, enum lpk_console_mode mode)
{
	switch (mode) {
	case LPK_MODE_POLL:
		return driver->write != NULL;
	case LPK_MODE_DIRECT:
		return driver->write_on_panic != NULL &&
		    (driver->flags & LPK_DRIVER_LAST_RESORT) == 0;
	case LPK_MODE_PANIC:
		return driver->write_on_panic != NULL;
	}
	return false;
}

static bool
console_good(const struct lpk_console *console)
{
	return console != NULL && console->driver != NULL &&
	    console->driver->name != NULL &&
	    (console->driver->write != NULL ||
		console->driver->write_on_panic != NULL) &&
	    console->style <= LPK_STYLE_KMSG &&
	    (unsigned int)console->start <= LPK_SEEK_SEQ &&
	    console->quiet_below <= LPK_DEBUG + 1 &&
	    mode_good(console->driver, console->mode);
}

static struct lpk__console_slot *
claim_slot(void)
{
	struct lpk__console_slot *slot = NULL;
	int i;

	lpk__registry_lock();
	for (i = 0; slot == NULL && i < LPK_CONSOLES_MAX; i++) {
		if (lpk__slots[i].use == LPK__FREE)
			slot = &lpk__slots[i];
	}
	if (slot != NULL)
		slot->use = LPK__CLAIMED;
	lpk__registry_unlock();
	return slot;
}

static void
set_use(struct lpk__console_slot *slot, enum lpk__use use)
{
	lpk__registry_lock();
	slot->use = use;
	lpk__registry_unlock();
}

/* Everything but the owner and the positions, which outlive consoles. */
static void
reset(struct lpk__console_slot *slot, struct lpk_console *console)
{
	struct lpk__printer *printer = &slot->printer;

	printer->console = console;
	printer->log = console->log != NULL ? console->log : lpk_default_log();
	lpk_fetch_add_relaxed(&slot->life, 1);
	/* Relaxed throughout: nobody heeds them before it is enabled. */
	lpk_store_relaxed(&slot->log, (unsigned long)printer->log);
	lpk_store_relaxed(
	    &slot->can_panic, console->driver->write_on_panic != NULL);
	lpk_store_relaxed(&slot->write_only,
	    (console->driver->flags & LPK_DRIVER_WRITE_ONLY) != 0);
	lpk_store_relaxed(&slot->bytes_per_second, console->bytes_per_second);
	lpk_store_relaxed(
	    &slot->can_direct, mode_good(console->driver, LPK_MODE_DIRECT));
	lpk_store_relaxed(&printer->quiet_below, console->quiet_below);
	lpk_store_relaxed(&slot->mode, (unsigned long)console->mode);
	lpk_store_relaxed(&slot->suspended, 0);
	lpk_store_relaxed(&slot->reopen, 0);
	lpk_store_relaxed(&slot->waited_for, 0);
	lpk_store_relaxed(&slot->pending, 0);
	lpk_store_relaxed(&slot->stuck, 0);
	lpk_store_relaxed(&slot->handed_over, 0);
}

/* The buffers are the console's as long as it is registered. */
static int
get_memory(struct lpk__console_slot *slot)
{
	struct lpk_console *console = slot->printer.console;
	struct lpk__feed *feed = &slot->printer.feed;
	struct lpk__info *info;

	feed->room =
	    console->batch_bytes != 0 ? console->batch_bytes : BATCH_BYTES;
	if ((console->driver->flags & LPK_DRIVER_SINGLE) != 0)
		feed->room = 1;
	/*
	 * A notice and a replayed record may come before a record. A panic has
	 * lines of its own, which no other thread touches, and no other console
	 * either: a device may take them in parts, with others in between.
	 */
	slot->memory =
	    malloc(feed->room + 4 * LPK__RECORD_LINES + LPK__TEXT_ROOM);
	info = calloc(1, sizeof(*info));
	if (slot->memory == NULL || info == NULL) {
		free(info);
		return -LPK_ENOMEM;
	}
	feed->text = slot->memory;
	feed->lines = slot->memory + LPK__TEXT_ROOM;
	slot->printer.panic.lines =
	    feed->lines + feed->room + 2 * LPK__RECORD_LINES;
	if (console->name[0] == '\0')
		strncpy(console->name, console->driver->name,
		    sizeof(console->name) - 1);
	memcpy(info->name, console->name, sizeof(console->name));
	info->name[sizeof(console->name) - 1] = '\0';
	info->driver = console->driver;
	lpk_rcu_publish(slot->info, info);
	return LPK_OK;
}

static void
give_memory(struct lpk__console_slot *slot)
{
	struct lpk__info *info = slot->info;

	lpk_rcu_publish(slot->info, NULL);
	/* Threads that look at all consoles may be reading it. */
	lpk_rcu_synchronize();
	free(info);
	free(slot->memory);
	slot->memory = NULL;
}

static int
set_up(struct lpk__console_slot *slot, struct lpk_console *console)
{
	int result = LPK_OK;

	if (console->driver->setup != NULL)
		result = console->driver->setup(console);
	if (result != LPK_OK)
		return result;
	/* The driver may have changed its mind about a few things. */
	if (!console_good(console))
		result = -LPK_EINVAL;
	reset(slot, console);
	if (result == LPK_OK)
		result = lpk__printer_set_rules(&slot->printer,
		    console->filter != NULL ? console->filter : "", NULL);
	if (result == LPK_OK)
		result = get_memory(slot);
	if (result == LPK_OK)
		result = lpk__printer_open(&slot->printer);
	if (result != LPK_OK && console->driver->exit != NULL)
		console->driver->exit(console);
	return result;
}

int
lpk_console_register(struct lpk_console *console)
{
	struct lpk__console_slot *slot;
	int result;

	if (!console_good(console))
		return -LPK_EINVAL;
	if (console->printer != NULL)
		return -LPK_EBUSY;
	lpk__life_begin();
	slot = claim_slot();
	if (slot == NULL)
		return -LPK_ENOSPC;
	result = set_up(slot, console);
	if (result != LPK_OK) {
		give_memory(slot);
		set_use(slot, LPK__FREE);
		return result;
	}
	console->printer = &slot->printer;
	lpk__slot_show(slot, true);
	/*
	 * LMM(register:A)
	 * The printer before it may be used. Pairs with enabled:A and start:A.
	 */
	lpk_store_release(&slot->printer.enabled, 1);
	/*
	 * LMM(register:B)
	 * Enabled before the look whether it is to have a thread. Pairs with
	 * restart:A: one of the two sees the other.
	 */
	lpk_fence_full();
	/* After a shutdown there are no threads, until they are restarted. */
	if (lpk_load_relaxed(&lpk__direct_all) == 0)
		result = lpk__thread_start(slot);
	set_use(slot, LPK__USED);
	lpk__direct_update();
	if (result != LPK_OK)
		lpk_console_unregister(console, 0);
	return result;
}

/* Own the console, so that nobody is in a callback; false when somebody is. */
static bool
own(struct lpk__console_slot *slot, struct lpk__hold *hold)
{
	if (lpk__owner_wait(&slot->printer.owner, hold, LPK__PRIO_NORMAL,
		lpk_port_caller(), LEAVE_ROUNDS) != LPK__GOT)
		return false;
	if (hold->forced)
		lpk__printer_zap(&slot->printer);
	return true;
}

/* Nobody else may begin to use it; false when it was left to its thread. */
static bool
disable(struct lpk__console_slot *slot)
{
	bool left;

	lpk_store_relaxed(&slot->printer.enabled, 0);
	lpk__registry_lock();
	left = slot->use == LPK__LEFT;
	if (!left)
		slot->use = LPK__CLAIMED;
	lpk__registry_unlock();
	lpk__direct_update();
	/* Nobody waits for it any more. */
	lpk__slot_progress(slot);
	return !left;
}

/* After exit() its user may take the console and its log away. */
static void
clear_up(struct lpk__console_slot *slot, struct lpk__hold *hold)
{
	struct lpk_console *console = slot->printer.console;
	const struct lpk_console_driver *driver = console->driver;

	lpk_console_stats(console, &console->last);
	console->last.owner = 0;
	lpk__slot_show(slot, false);
	/* The log may go, too: an emergency is not to look at it. */
	lpk_store_relaxed(&slot->log, 0);
	give_memory(slot);
	console->printer = NULL;
	if (driver->exit != NULL)
		driver->exit(console);
	lpk__owner_release(hold);
	lpk__slot_progress(slot);
	set_use(slot, LPK__FREE);
}

void
lpk__slot_let_go(struct lpk__console_slot *slot)
{
	void *made = slot->printer.console->made;
	struct lpk__hold hold = {0};

	if (!own(slot, &hold))
		return;
	clear_up(slot, &hold);
	free(made);
}

int
lpk_console_unregister(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);
	struct lpk__hold hold = {0};
	int result;

	if (slot == NULL)
		return -LPK_EINVAL;
	result = lpk_console_flush(console, deadline_ns);
	if (result == -LPK_EINVAL)
		result = LPK_OK;
	if (!disable(slot) || !lpk__thread_stop(slot, deadline_ns, true) ||
	    !own(slot, &hold))
		return -LPK_EBUSY;
	clear_up(slot, &hold);
	return result;
}

int
lpk_console_suspend(struct lpk_console *console, uint64_t deadline_ns)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);
	struct lpk__hold hold = {0};
	int result;

	if (slot == NULL)
		return -LPK_EINVAL;
	result = lpk_console_flush(console, deadline_ns);
	if (result == -LPK_EINVAL)
		result = LPK_OK;
	lpk_store_relaxed(&slot->suspended, 1);
	lpk__direct_update();
	/* Nobody waits for it any more. */
	lpk__slot_progress(slot);
	if (!own(slot, &hold))
		return -LPK_EBUSY;
	lpk__slot_publish(slot);
	lpk__owner_release(&hold);
	return result;
}

int
lpk_console_resume(struct lpk_console *console)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	if (slot == NULL)
		return -LPK_EINVAL;
	/*
	 * LMM(resume:A)
	 * What was done to the device before it is used again. Pairs with
	 * suspended:A and wanted:C.
	 */
	lpk_store_release(&slot->suspended, 0);
	lpk__direct_update();
	/* What was stored meanwhile waits for nobody's next printk. */
	lpk__slot_kick(slot);
	return LPK_OK;
}

int
lpk_console_set_mode(struct lpk_console *console, enum lpk_console_mode mode)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	if (slot == NULL || !mode_good(console->driver, mode))
		return -LPK_EINVAL;
	lpk_store_relaxed(&slot->mode, (unsigned long)mode);
	lpk__direct_update();
	lpk__slot_kick(slot);
	/* Who waits for it, waits in vain if it is silent now. */
	lpk__slot_progress(slot);
	return LPK_OK;
}

int
lpk_console_set_level(struct lpk_console *console, unsigned int quiet_below)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	if (slot == NULL || quiet_below > LPK_DEBUG + 1)
		return -LPK_EINVAL;
	/* Relaxed: from the next record on, or the one after it. */
	lpk_store_relaxed(&slot->printer.quiet_below, quiet_below);
	lpk__slot_publish(slot);
	return LPK_OK;
}

int
lpk_console_set_filter(
    struct lpk_console *console, const char *words, size_t *bad_at)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);

	if (slot == NULL || words == NULL)
		return -LPK_EINVAL;
	return lpk__printer_set_rules(&slot->printer, words, bad_at);
}

int
lpk_console_reopen(struct lpk_console *console)
{
	struct lpk__console_slot *slot = lpk__slot_of(console);
	int saved = errno;

	if (slot == NULL)
		return -LPK_EINVAL;
	lpk_store_relaxed(&slot->reopen, 1);
	lpk__slot_kick(slot);
	errno = saved;
	return LPK_OK;
}

void
lpk_consoles_reopen(void)
{
	int saved = errno, i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		if (!lpk__slot_enabled(&lpk__slots[i]))
			continue;
		lpk_store_relaxed(&lpk__slots[i].reopen, 1);
		lpk__slot_kick(&lpk__slots[i]);
	}
	errno = saved;
}
