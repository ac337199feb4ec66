/* SPDX-License-Identifier: MIT */
/*
 * thread.c - the thread of a console: own it, print, let go, sleep.
 *
 * After the last record the thread looks again every LINGER_STEP_NS for
 * LINGER_NS before it sleeps for good: a program that logs in bursts then pays
 * for no wake-up, and an idle one has none at all.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <lpk/port.h>
#include <lpk/printk.h>

#include "control.h"
#include "direct.h"
#include "lpk_atomic.h"
#include "panic.h"
#include "sleep.h"

#define LINGER_STEP_NS 1000000
#define LINGER_NS 20000000
/* How long a driver may wait for its device before it has to look up. */
#define WRITE_NS 100000000
/* After a device took nothing: from, to. */
#define BACK_OFF_MIN_NS 1000000
#define BACK_OFF_MAX_NS 1000000000
/* An emergency whose thread prints nothing more holds up nobody for longer. */
#define PAUSE_NS 100000000
/* lpk_port_pause() for another owner to let go. */
#define OWN_ROUNDS 20
/* How long a stopped thread may still be in its driver. */
#define STOP_NS 100000000

/* Not every C library has it; where not, strerror() is as good. */
const char *strerrordesc_np(int error) __attribute__((weak));

struct lpk__console_thread {
	struct lpk__console_slot *slot;
	unsigned long looked; /* after this kick, and found nothing */
	uint64_t idle_since;
	uint64_t back_off_ns;
	bool said; /* that the device takes nothing */
};

void
lpk__slot_kick(struct lpk__console_slot *slot)
{
	struct lpk_log *log = lpk__slot_log(slot);

	/*
	 * LMM(kick:B)
	 * What the thread is to see before the kick. Pairs with kick:A.
	 */
	lpk_fence_release();
	lpk_fetch_add_relaxed(&slot->kick, 1);
	lpk__futex_wake(&slot->kick);
	/* In poll mode it sleeps until there is a record. */
	if (log != NULL)
		lpk__sleep_end(log);
}

/*
 * Is it for this thread to print? In direct mode it looks once after each kick:
 * somebody left something to it.
 */
static bool
due(const struct lpk__console_thread *self, unsigned long kick, bool paused)
{
	const struct lpk__console_slot *slot = self->slot;

	if (lpk_load_relaxed(&slot->suspended) != 0 || paused ||
	    lpk_panicking())
		return false;
	switch (lpk_load_relaxed(&slot->mode)) {
	case LPK_MODE_POLL:
		return true;
	case LPK_MODE_DIRECT:
		return kick != self->looked;
	default:
		return false;
	}
}

static void
reopen(struct lpk__console_slot *slot, struct lpk__hold *hold)
{
	/* Relaxed: asked for by any context. */
	if (lpk_load_relaxed(&slot->reopen) == 0)
		return;
	lpk_store_relaxed(&slot->reopen, 0);
	lpk__printer_reopen(&slot->printer, hold);
}

/* The device is of use again, or is not; say so once, in the log. */
static void
tell(struct lpk__console_thread *self, enum lpk__step step)
{
	struct lpk__printer *printer = &self->slot->printer;
	int error = (int)lpk_load_relaxed(&printer->error);
	const char *name = printer->console->name;

	if (step == LPK__SOME && self->said) {
		self->said = false;
		lpk_printk_to(printer->log, LPK_NOTICE,
		    "lpk: console %s takes records again", name);
	}
	/* A reader that is slow for a moment is not worth a line. */
	if (step != LPK__STUCK || self->said || error == 0 || error == EAGAIN ||
	    error == EWOULDBLOCK)
		return;
	self->said = true;
	lpk_printk_to(printer->log, LPK_WARN,
	    "lpk: console %s takes nothing (%s); it keeps its place", name,
	    strerrordesc_np != NULL ? strerrordesc_np(error) : strerror(error));
}

/* A step with the device; false when the console was not to be had. */
static bool
print_some(struct lpk__console_thread *self, enum lpk__step *step)
{
	struct lpk__console_slot *slot = self->slot;
	struct lpk__printer *printer = &slot->printer;
	struct lpk__hold hold = {0};
	uint64_t deadline = lpk_now_ns() + WRITE_NS;

	if (lpk__owner_wait(&printer->owner, &hold, LPK__PRIO_NORMAL,
		lpk_port_caller(), OWN_ROUNDS) != LPK__GOT ||
	    !lpk__printer_begin(printer, &hold))
		return false;
	/*
	 * LMM(suspended:A)
	 * As the owner: whoever suspends it waits until we let go. Pairs with
	 * resume:A: what was done to the device meanwhile is visible. And a
	 * panic may have had the console since we looked, and printed it all.
	 */
	if (lpk_load_acquire(&slot->suspended) != 0 || lpk_panicking()) {
		lpk__printer_end(printer, &hold);
		return false;
	}
	lpk_store_relaxed(&slot->in_driver, 1);
	lpk__slot_enter(slot);
	reopen(slot, &hold);
	*step = lpk__printer_step(printer, &hold, LPK__BY_WRITE, deadline);
	if (*step == LPK__NOTHING && lpk_load_relaxed(&slot->flushers) != 0)
		*step = lpk__printer_end_line(
		    printer, &hold, LPK__BY_WRITE, deadline);
	lpk_store_relaxed(&slot->stuck, *step == LPK__STUCK);
	if (*step != LPK__TAKEN) {
		lpk__slot_publish(slot);
		lpk__printer_end(printer, &hold);
	}
	/* Only a reason to wait no longer. */
	lpk_store_relaxed(&slot->in_driver, 0);
	return *step != LPK__TAKEN;
}

static void
sleep_until(struct lpk__console_slot *slot, unsigned long kick, uint64_t when)
{
	lpk__control_wait(slot, &slot->kick, kick, when);
}

/* The device takes nothing. Some drivers have waited for it already. */
static void
back_off(struct lpk__console_thread *self, unsigned long kick, uint64_t began)
{
	uint64_t now = lpk_now_ns();

	if (self->back_off_ns < BACK_OFF_MIN_NS)
		self->back_off_ns = BACK_OFF_MIN_NS;
	else if (self->back_off_ns < BACK_OFF_MAX_NS)
		self->back_off_ns *= 2;
	if (now - began < WRITE_NS / 2)
		sleep_until(self->slot, kick, now + self->back_off_ns);
}

/* Until there is a record; the cursor is for its owner only to look at. */
static void
sleep_for_good(struct lpk__console_slot *slot, unsigned long ticket)
{
	struct lpk__printer *printer = &slot->printer;
	struct lpk__hold hold = {0};
	uint64_t until;
	bool ready;

	if (lpk__owner_wait(&printer->owner, &hold, LPK__PRIO_NORMAL,
		lpk_port_caller(), OWN_ROUNDS) != LPK__GOT ||
	    !lpk__printer_begin(printer, &hold))
		return;
	ready = lpk__sleep_ready(&printer->feed.reader, &until);
	lpk__printer_end(printer, &hold);
	if (!ready)
		lpk__control_wait(slot, &printer->log->wake_seq, ticket, until);
}

/* There is nothing to print. */
static void
rest(struct lpk__console_thread *self, unsigned long ticket, unsigned long kick)
{
	struct lpk__console_slot *slot = self->slot;
	uint64_t now = lpk_now_ns();

	if (lpk_load_relaxed(&slot->mode) != LPK_MODE_POLL) {
		self->looked = kick;
		sleep_until(slot, kick, UINT64_MAX);
		return;
	}
	if (self->idle_since == 0)
		self->idle_since = now;
	if (now - self->idle_since < LINGER_NS)
		sleep_until(slot, kick, now + LINGER_STEP_NS);
	else
		sleep_for_good(slot, ticket);
}

static void
one_round(struct lpk__console_thread *self)
{
	struct lpk__console_slot *slot = self->slot;
	/*
	 * Before the looks below: what changes after them wakes us.
	 * LMM(kick:A)
	 * Pairs with kick:B.
	 */
	unsigned long kick = lpk_load_acquire(&slot->kick);
	unsigned long ticket = lpk__sleep_ticket(slot->printer.log);
	uint64_t began = lpk_now_ns();
	/* Where the caller of printk cannot print, this thread goes on. */
	bool paused =
	    lpk_load_relaxed(&slot->can_direct) != 0 && lpk__emergency_now();
	enum lpk__step step;

	if (lpk_load_relaxed(&slot->stop) != 0)
		return;
	lpk__control_look(slot);
	if (!due(self, kick, paused)) {
		/* An emergency may end without a word. */
		sleep_until(slot, kick, paused ? began + PAUSE_NS : UINT64_MAX);
		return;
	}
	if (!print_some(self, &step)) {
		sleep_until(slot, kick, began + LINGER_STEP_NS);
		return;
	}
	tell(self, step);
	if (step == LPK__STUCK) {
		back_off(self, kick, began);
		return;
	}
	self->back_off_ns = 0;
	if (lpk_load_relaxed(&slot->flushers) != 0)
		lpk__slot_progress(slot);
	if (step == LPK__NOTHING)
		rest(self, ticket, kick);
	else
		self->idle_since = 0;
}

static void *
thread_main(void *argument)
{
	struct lpk__console_slot *slot = argument;
	/* Whatever the mode, there may be something from before. */
	struct lpk__console_thread self = {
	    .slot = slot, .looked = lpk_load_relaxed(&slot->kick) - 1};
	bool left, ended;

	/*
	 * Relaxed: what it should know comes with the end of the thread, or
	 * with the lock below.
	 */
	do {
		while (lpk_load_relaxed(&slot->stop) == 0)
			one_round(&self);
		lpk__registry_lock();
		left = slot->use == LPK__LEFT;
		/* If not, it is wanted again. */
		ended = lpk_load_relaxed(&slot->stop) != 0;
		if (ended)
			lpk_store_release(&slot->ended, 1);
		lpk__registry_unlock();
	} while (!ended);
	lpk__futex_wake(&slot->ended);
	if (left)
		lpk__slot_let_go(slot);
	return NULL;
}

/* One at a time starts or stops a thread; false at the deadline. */
static bool
manage(struct lpk__console_slot *slot, uint64_t deadline_ns)
{
	/*
	 * LMM(manage:A)
	 * Pairs with manage:B: the thread is as the last one left it.
	 */
	while (!lpk_cas_acquire(&slot->managed, 0, 1)) {
		if (!lpk__futex_wait(&slot->managed, 1, deadline_ns))
			return false;
	}
	return true;
}

static void
manage_end(struct lpk__console_slot *slot)
{
	/*
	 * LMM(manage:B)
	 * What was done to the thread before the next one may. Pairs with
	 * manage:A.
	 */
	lpk_store_release(&slot->managed, 0);
	lpk__futex_wake(&slot->managed);
}

/* One that hung when it was to end may go on; false when there is none. */
static bool
go_on(struct lpk__console_slot *slot)
{
	bool ended;

	if (!slot->threaded)
		return false;
	lpk__registry_lock();
	ended = lpk_load_relaxed(&slot->ended) != 0;
	if (!ended)
		lpk_store_relaxed(&slot->stop, 0);
	lpk__registry_unlock();
	if (ended)
		pthread_join(slot->thread, NULL);
	return !ended;
}

int
lpk__thread_create(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	int failed;

	/*
	 * No handler of the program runs on our thread; faults are not
	 * blocked, or the kernel would kill without a word.
	 */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGSYS);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(thread, NULL, run, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed ? -LPK_ENOMEM : LPK_OK;
}

static int
create(struct lpk__console_slot *slot)
{
	int result;

	lpk_store_relaxed(&slot->stop, 0);
	lpk_store_relaxed(&slot->ended, 0);
	result = lpk__thread_create(&slot->thread, thread_main, slot);
	slot->threaded = result == LPK_OK;
	return result;
}

int
lpk__thread_start(struct lpk__console_slot *slot)
{
	int result = LPK_OK;

	/* Whoever stops it for longer than that is about to unregister it. */
	if (!manage(slot, lpk_now_ns() + STOP_NS))
		return LPK_OK;
	/*
	 * LMM(start:A)
	 * Pairs with register:A: who restarts all threads may be here before
	 * who has registered it, and the thread sees what we see.
	 */
	if (lpk_load_acquire(&slot->printer.enabled) != 0 && !go_on(slot))
		result = create(slot);
	manage_end(slot);
	return result;
}

/* A thread that is only slow to run is waited for. */
static bool
wait_for_end(struct lpk__console_slot *slot, uint64_t deadline_ns)
{
	uint64_t until = lpk_now_ns() + STOP_NS;

	if (until < deadline_ns)
		until = deadline_ns;
	while (lpk_load_acquire(&slot->ended) == 0) {
		if (lpk__futex_wait(&slot->ended, 0, until))
			continue;
		if (lpk_load_relaxed(&slot->in_driver) != 0)
			return false;
		until = lpk_now_ns() + STOP_NS;
	}
	return true;
}

static bool
stop(struct lpk__console_slot *slot, uint64_t deadline_ns, bool leave)
{
	bool ended;

	if (!slot->threaded)
		return true;
	lpk_store_relaxed(&slot->stop, 1);
	lpk__slot_kick(slot);
	wait_for_end(slot, deadline_ns);
	lpk__registry_lock();
	ended = lpk_load_relaxed(&slot->ended) != 0;
	if (!ended && leave)
		slot->use = LPK__LEFT;
	lpk__registry_unlock();
	if (ended)
		pthread_join(slot->thread, NULL);
	else if (leave)
		pthread_detach(slot->thread);
	slot->threaded = !ended && !leave;
	return ended;
}

bool
lpk__thread_stop(
    struct lpk__console_slot *slot, uint64_t deadline_ns, bool leave)
{
	uint64_t until = lpk_now_ns() + 2 * STOP_NS;
	bool ended;

	/* Somebody else may be at it, with a deadline of his own. */
	if (!manage(slot, deadline_ns > until ? deadline_ns : until))
		return false;
	ended = stop(slot, deadline_ns, leave);
	manage_end(slot);
	return ended;
}
