/* SPDX-License-Identifier: MIT */
/*
 * life.c - consoles at the turns of a process's life: exit, and fork.
 */
#include <lpk/console.h>

#include "core/ring.h"
#include "direct.h"
#include "lpk_atomic.h"
#include "lpk_rcu.h"
#include "panic.h"
#include "region.h"

#define EXIT_NS 2000000000

bool
lpk__threads_stop(void)
{
	bool all = true;
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		if (lpk__slot_enabled(&lpk__slots[i]))
			all &= lpk__thread_stop(&lpk__slots[i], 0, false);
	}
	return all;
}

int
lpk__threads_start(void)
{
	int result = LPK_OK, i;

	if (lpk_load_relaxed(&lpk__direct_all) != 0)
		return LPK_OK;
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		struct lpk__console_slot *slot = &lpk__slots[i];

		if (!lpk__slot_enabled(slot))
			continue;
		if (lpk__thread_start(slot) != LPK_OK)
			result = -LPK_ENOMEM;
		/* What came meanwhile waits for nobody's next printk. */
		lpk__slot_kick(slot);
	}
	return result;
}

int
lpk_shutdown(uint64_t deadline_ns)
{
	int result = lpk_flush(deadline_ns, NULL), i;

	lpk__dump(LPK_DUMP_SHUTDOWN);
	/* From here on callers print; the flush was for the bulk of it. */
	lpk_store_relaxed(&lpk__direct_all, 1);
	lpk__direct_update();
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		struct lpk__console_slot *slot = &lpk__slots[i];

		if (!lpk__slot_enabled(slot))
			continue;
		if (!lpk__thread_stop(slot, 0, false))
			result = -LPK_ETIMEDOUT;
		else
			lpk__direct_drain(slot, deadline_ns);
	}
	return result;
}

int
lpk_consoles_restart(void)
{
	lpk_store_relaxed(&lpk__direct_all, 0);
	/*
	 * LMM(restart:A)
	 * Threads are wanted, before the look who is there. Pairs with
	 * register:B.
	 */
	lpk_fence_full();
	lpk__direct_update();
	return lpk__threads_start();
}

/* The last of the destructors of the program: they may log, and so may we. */
__attribute__((destructor(101))) static void
at_exit(void)
{
	if (lpk_consoles_stats(NULL, 0) != 0)
		lpk_shutdown(lpk_now_ns() + EXIT_NS);
}

static void
before_fork(void)
{
	/* No console is half registered in the child. */
	lpk__registry_lock();
	lpk_rcu_before_fork();
}

static void
in_parent(void)
{
	lpk_rcu_after_fork_parent();
	lpk__registry_unlock();
}

/*
 * What threads of the parent had begun to store, nobody will finish here. It
 * counts as read, or the child would wait for it.
 */
static void
pass_unfinished(struct lpk__printer *printer)
{
	struct lpk__told told = {.dropped = printer->feed.dropped};
	struct lpk_reader *reader = &printer->feed.reader;
	struct lpk__mark mark;
	uint32_t i;

	lpk__mark_set(&mark, printer->log);
	reader->seq = 0;
	for (i = 0; i < printer->log->geometry.blocks; i++) {
		reader->done[i] = mark.records[i];
		reader->seq += mark.records[i];
	}
	lpk__position_publish(&printer->positions, reader, &told);
}

/*
 * Of all threads only this one is left: no owner, no thread of a console. What
 * the parent stored is for the parent's consoles to print.
 */
static void
begin_again(struct lpk__console_slot *slot)
{
	struct lpk__printer *printer = &slot->printer;
	enum lpk_seek start = printer->console->start;

	slot->threaded = false;
	lpk_store_relaxed(&slot->managed, 0);
	lpk_store_relaxed(&slot->flushers, 0);
	lpk_store_relaxed(&slot->pending, 0);
	lpk_store_relaxed(&slot->waited_for, 0);
	lpk_store_relaxed(&slot->handed_over, 0);
	lpk_store_relaxed(&slot->stuck, 0);
	lpk_store_relaxed(&slot->in_driver, 0);
	printer->console->start = LPK_SEEK_NEXT;
	lpk__printer_open(printer);
	printer->console->start = start;
	pass_unfinished(printer);
	if (lpk_load_relaxed(&printer->enabled) != 0)
		lpk__printer_zap(printer);
}

static void
in_child(void)
{
	int i;

	lpk_rcu_after_fork_child();
	lpk__registry_forked();
	lpk__direct_forked();
	lpk__panic_forget();
	lpk__crash_forked();
	lpk_store_relaxed(&lpk__direct_all, 1);
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		lpk__owner_reset(&lpk__slots[i].printer.owner);
		if (lpk__slots[i].use == LPK__USED)
			begin_again(&lpk__slots[i]);
		else if (lpk__slots[i].use != LPK__FREE)
			lpk_store_relaxed(&lpk__slots[i].printer.enabled, 0);
	}
	lpk__direct_update();
}

static void
begin(void)
{
	lpk__region_see_to_forks();
	pthread_atfork(before_fork, in_parent, in_child);
}

/* Called, and no constructor: what nobody calls is not linked statically. */
void
lpk__life_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, begin);
}
