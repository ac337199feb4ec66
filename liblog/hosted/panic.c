/* SPDX-License-Identifier: MIT */
/*
 * panic.c - one thread puts everything on every console, and needs no other.
 *
 * The state is this process's own and never in the log's region: a child that
 * shares the region, or whoever writes to a file, must not be able to make a
 * process believe that it panics.
 */
#include "panic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lpk/port.h>

#include "core/printer.h"
#include "lpk_atomic.h"
#include "region.h"
#include "slot.h"

/* How long a console without a known speed has before it is another's turn. */
#define SLICE_NS 300000000
/* So often may printing crash; each time it has used up some of the stack. */
#define CRASHES_MAX 6
/* How long a thread that crashed too sleeps, before it looks again. */
#define LOOK_NS 100000000
/* What a line takes, where that is not known yet. */
#define LINE_BYTES 80

static unsigned long owner; /* thread that panics, 0: none */
static unsigned long over;  /* it has printed; futex */
static uint64_t timeout_ns = 2000000000, slow_ns = 2000000000;

/* The owner's alone. */
static unsigned int crashes;
static uint64_t deadline_ns;
static uint64_t stored; /* in the default log, with what says why it dies */
static int at = -1;     /* the console that is being printed on */
static bool failed[LPK_CONSOLES_MAX];
static char text[LPK__TEXT_ROOM];

void
lpk__panic_set(const struct lpk_panic_options *options)
{
	timeout_ns = options->timeout_ns;
	slow_ns = options->slow_ns;
}

static unsigned long
this_thread(void)
{
	return lpk_port_caller() & ~LPK_CALLER_HANDLER;
}

bool
lpk_panicking(void)
{
	/* Relaxed: only a reason to keep out of the way. */
	return lpk_load_relaxed(&owner) != 0;
}

bool
lpk__panic_other(void)
{
	unsigned long thread = lpk_load_relaxed(&owner);

	return thread != 0 && thread != this_thread();
}

/*
 * Until the one that panics has printed, or should have. From time to time it
 * is looked whether that was undone, so that no one has to tell us.
 */
static void
wait_for_owner(void)
{
	uint64_t until = lpk_now_ns() + timeout_ns + slow_ns * LPK_CONSOLES_MAX;
	uint64_t now;

	/* Relaxed: there is nothing to see but that it is over. */
	while (lpk_load_relaxed(&over) == 0 && lpk_load_relaxed(&owner) != 0 &&
	    (now = lpk_now_ns()) < until) {
		if (lpk_panic_write_only())
			lpk_port_pause(UINT32_MAX);
		else
			lpk__futex_wait(&over, 0, now + LOOK_NS);
	}
}

/* Its own thread crashed again, or was told so twice. */
static enum lpk__claim
claim_again(void)
{
	/* All was said: this is the abort() of lpk_panic_now(), or worse. */
	if (lpk_load_relaxed(&over) != 0)
		return LPK__CLAIM_OVER;
	/* Whatever was being done crashed, and is not done again. */
	if (at >= 0)
		failed[at] = true;
	return ++crashes <= CRASHES_MAX ? LPK__CLAIM_AGAIN : LPK__CLAIM_OVER;
}

enum lpk__claim
lpk__panic_claim(void)
{
	/*
	 * Each failure means that a panic of another thread was undone.
	 * LMM(panic:A)
	 * Pairs with undone:A: what that one knew is forgotten.
	 */
	while (!lpk_cas_acquire(&owner, 0, this_thread())) {
		if (lpk_load_relaxed(&owner) == this_thread())
			return claim_again();
		wait_for_owner();
		if (lpk_load_relaxed(&owner) != 0)
			return LPK__CLAIM_LATE;
	}
	deadline_ns = lpk_now_ns() + timeout_ns;
	lpk_store_relaxed(&lpk_default_log()->frozen, this_thread());
	return LPK__CLAIM_OURS;
}

void
lpk__panic_forget(void)
{
	int i;

	lpk_store_relaxed(&lpk_default_log()->frozen, 0);
	crashes = 0;
	stored = 0;
	at = -1;
	for (i = 0; i < LPK_CONSOLES_MAX; i++)
		failed[i] = false;
	lpk_store_relaxed(&over, 0);
	/*
	 * LMM(undone:A)
	 * What a panic knew before the next one. Pairs with panic:A.
	 */
	lpk_store_release(&owner, 0);
}

void
lpk__panic_survived(void)
{
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++)
		lpk__printer_panic_undo(
		    &lpk__slots[i].printer, lpk_port_caller());
	lpk__region_state(LPK__STATE_LIVE, 0, 0);
	lpk__panic_forget();
	/* Their threads have gone to sleep until somebody tells them. */
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		if (lpk__slot_enabled(&lpk__slots[i]))
			lpk__slot_kick(&lpk__slots[i]);
	}
}

static bool
usable(const struct lpk__console_slot *slot)
{
	/* Relaxed: lpk__printer_panic() looks again, as the owner. */
	return lpk__slot_enabled(slot) &&
	    lpk_load_relaxed(&slot->can_panic) != 0 &&
	    (!lpk_panic_write_only() ||
		lpk_load_relaxed(&slot->write_only) != 0);
}

static bool
last_resort(const struct lpk__console_slot *slot)
{
	return lpk_load_relaxed(&slot->can_direct) == 0;
}

static uint64_t
speed_of(const struct lpk__console_slot *slot)
{
	return lpk_load_relaxed(&slot->bytes_per_second);
}

/* What the default log got since then, of threads that go on. */
static uint64_t
came_since(const struct lpk__console_slot *slot)
{
	if (slot->printer.log != lpk_default_log())
		return 0;
	return lpk__printer_stored(&slot->printer) - stored;
}

/*
 * Records that a console of known speed has the time for: so many in front of
 * what says why the process dies, in three quarters of its time, and what comes
 * behind it in the rest.
 */
static uint64_t
most_records(const struct lpk__console_slot *slot)
{
	const unsigned long *counts = slot->printer.counts;
	uint64_t printed = lpk_load_relaxed(&counts[LPK__PRINTED]);
	uint64_t bytes = lpk_load_relaxed(&counts[LPK__BYTES]);
	uint64_t a_line = printed > 16 ? bytes / printed + 1 : LINE_BYTES;

	if (speed_of(slot) == 0)
		return UINT64_MAX;
	return speed_of(slot) * (slow_ns / 1000000) / 1000 * 3 / 4 / a_line +
	    came_since(slot);
}

/* True when there may be more to do for it. */
static bool
print_on(int number, bool force)
{
	struct lpk__console_slot *slot = &lpk__slots[number];
	bool slow = speed_of(slot) != 0;
	uint64_t now = lpk_now_ns();
	uint64_t until = now + (slow ? slow_ns : SLICE_NS);
	enum lpk__step step;

	if (!slow && until > deadline_ns)
		until = deadline_ns;
	at = number;
	step = lpk__printer_panic(&slot->printer, text, lpk_port_caller(),
	    force, most_records(slot), until);
	lpk__slot_publish(slot);
	at = -1;
	/* A slow one has had its time. */
	if (slow && step == LPK__SOME)
		failed[number] = true;
	return step == LPK__SOME || step == LPK__STUCK || step == LPK__TAKEN;
}

/*
 * One turn over the consoles that are ready for it: those whose owner lets go,
 * the fast ones before those that take their time.
 */
static bool
turn(bool force, bool slow, bool resort)
{
	bool more = false;
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		struct lpk__console_slot *slot = &lpk__slots[i];

		if (!failed[i] && usable(slot) && last_resort(slot) == resort &&
		    (speed_of(slot) != 0) == slow)
			more |= print_on(i, force);
	}
	return more;
}

void
lpk__panic_print(void)
{
	struct lpk_log_stats stats;
	bool more;

	if (stored == 0) {
		lpk_log_stats(lpk_default_log(), &stats);
		stored = stats.stored;
	}
	turn(false, false, false);
	turn(false, true, false);
	do {
		more = turn(true, false, false);
		more |= turn(true, true, false);
		more |= turn(true, false, true);
		/* What a device does not take now it may take in a moment. */
		if (more)
			lpk_port_pause(UINT32_MAX);
	} while (more && lpk_now_ns() < deadline_ns);
}

void
lpk__panic_end(void)
{
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++)
		lpk__slots[i].printer.panic_ends = true;
	turn(false, false, false);
	turn(false, true, false);
	/* Relaxed: there is nothing to see but that it is over. */
	lpk_store_relaxed(&over, 1);
	if (!lpk_panic_write_only())
		lpk__futex_wake(&over);
}

void
lpk_panic_now(void)
{
	if (lpk__panic_claim() == LPK__CLAIM_OURS) {
		lpk__region_state(LPK__STATE_PANIC, SIGABRT, this_thread());
		lpk__panic_print();
		lpk__dump(LPK_DUMP_PANIC);
		lpk__panic_print();
		lpk__panic_end();
	}
	/* Our handler, if there is one, finds that all was said. */
	abort();
}
