/* SPDX-License-Identifier: MIT */
/*
 * direct.c - printing by the caller of printk: consoles in direct mode, and
 * all of them in an emergency, after a shutdown, and in the child of a fork.
 *
 * Any context comes here, so nothing is locked or allocated, and every wait is
 * bounded. A caller that cannot print within its budget leaves it to the
 * console's thread.
 */
#include "direct.h"

#include <lpk/port.h>

#include "control.h"
#include "core/reader.h"
#include "lpk_atomic.h"
#include "panic.h"

/*
 * lpk_port_pause() for another owner, as long as for a device: it may only have
 * lost its processor for a while. None if it hung before.
 */
#define OWN_ROUNDS 900
/* lpk_port_pause() for an unfinished record of a thread that runs. */
#define HELD_ROUNDS 16
/* An emergency whose thread prints nothing more holds up nobody for longer. */
#define EMERGENCY_NS 1000000000

unsigned long lpk__direct_all;

static unsigned long emergencies;  /* threads that are in one */
static unsigned long emergency_ms; /* when one of them printed last */
static __thread unsigned int nesting __attribute__((tls_model("initial-exec")));

void
lpk__waits_set(struct lpk_log *log, unsigned long bit)
{
	unsigned long word;

	/* Relaxed: see announce:A. Each failure: another bit was changed. */
	do {
		word = lpk_load_relaxed(&log->waiters);
	} while ((word & bit) == 0 &&
	    !lpk_cas_relaxed(&log->waiters, word, word | bit));
}

void
lpk__waits_clear(struct lpk_log *log, unsigned long bit)
{
	unsigned long word;

	do {
		word = lpk_load_relaxed(&log->waiters);
	} while ((word & bit) != 0 &&
	    !lpk_cas_relaxed(&log->waiters, word, word & ~bit));
}

static unsigned long
now_ms(void)
{
	return (unsigned long)(lpk_now_ns() / 1000000);
}

bool
lpk__emergency_now(void)
{
	/* Relaxed: it only makes threads pause. */
	return lpk_load_relaxed(&emergencies) != 0 &&
	    now_ms() - lpk_load_relaxed(&emergency_ms) < EMERGENCY_NS / 1000000;
}

/* Is it for the caller of printk to print here? */
static bool
wanted(const struct lpk__console_slot *slot, const struct lpk_log *log)
{
	unsigned long mode = lpk_load_relaxed(&slot->mode);
	/*
	 * LMM(wanted:C)
	 * Pairs with resume:A.
	 */
	bool suspended = lpk_load_acquire(&slot->suspended) != 0;

	return !suspended && lpk__slot_enabled(slot) &&
	    lpk__slot_log(slot) == log &&
	    lpk_load_relaxed(&slot->can_direct) != 0 &&
	    mode != LPK_MODE_PANIC && !lpk_panicking() &&
	    (mode == LPK_MODE_DIRECT || nesting != 0 ||
		lpk_load_relaxed(&lpk__direct_all) != 0);
}

/* Leave what there is to the thread. */
static void
hand_over(struct lpk__console_slot *slot)
{
	/* Relaxed: a count. */
	lpk_fetch_add_relaxed(&slot->handed_over, 1);
	lpk__slot_kick(slot);
}

/* Is an unfinished record of another context in the way? */
static bool
held(struct lpk_reader *reader)
{
	uint64_t ns;

	return !lpk__reader_ready(reader, &ns) && ns != UINT64_MAX;
}

/*
 * Is it for somebody else to go on? For who is more important, or for the
 * thread, when more comes as fast as we print.
 */
static bool
enough(const struct lpk__hold *hold, uint64_t until_ns)
{
	return lpk__owner_wanted(hold) || lpk_now_ns() >= until_ns;
}

/*
 * Print until there is nothing more. What an unfinished record holds back is
 * waited for a moment; its writer may be the context that we interrupted.
 */
static enum lpk__step
print_all(struct lpk__console_slot *slot, struct lpk__hold *hold,
    unsigned int *budget, uint64_t until_ns)
{
	/* A device that took nothing the last time is not waited for. */
	uint64_t deadline_ns =
	    lpk_load_relaxed(&slot->stuck) != 0 ? 0 : until_ns;
	struct lpk__printer *printer = &slot->printer;
	struct lpk_reader *reader = &printer->feed.reader;
	enum lpk__step step = LPK__SOME;
	unsigned int rounds = 0;

	while (*budget != 0) {
		step = lpk__printer_step(
		    printer, hold, LPK__BY_CALLER, deadline_ns);
		if (step == LPK__TAKEN)
			return step;
		if (step == LPK__SOME)
			(*budget)--;
		if (step == LPK__STUCK ||
		    (step == LPK__NOTHING && (reader->eager || !held(reader))))
			break;
		if (step == LPK__SOME && enough(hold, until_ns))
			break;
		if (step != LPK__NOTHING)
			continue;
		if (rounds == HELD_ROUNDS)
			reader->eager = true;
		else
			lpk_port_pause(rounds++);
	}
	reader->eager = false;
	return step;
}

/*
 * Print on one console. When this thread has it already, in a frame below, the
 * record is left to that frame, which looks for such a record after it let go.
 */
static void
print_on(struct lpk__console_slot *slot, struct lpk_log *log,
    enum lpk__prio prio, unsigned int budget, uint64_t deadline_ns)
{
	bool stuck = lpk_load_relaxed(&slot->stuck) != 0;
	struct lpk__hold hold = {0};
	enum lpk__step step;
	enum lpk__got got;
	unsigned long tag;
	unsigned int rounds;

	do {
		tag = lpk__owner_tag(&slot->printer.owner);
		/* Relaxed: once for each owner that hangs, or twice. */
		rounds = stuck || tag == lpk_load_relaxed(&slot->waited_for) ?
		    0 :
		    OWN_ROUNDS;
		got = lpk__owner_wait(&slot->printer.owner, &hold, prio,
		    lpk_port_caller(), rounds);
		if (got == LPK__OURS)
			lpk_store_relaxed(&slot->pending, 1);
		if (got == LPK__BUSY) {
			lpk_store_relaxed(&slot->waited_for, tag);
			hand_over(slot);
		}
		if (got != LPK__GOT ||
		    !lpk__printer_begin(&slot->printer, &hold))
			return;
		lpk__slot_enter(slot);
		lpk_store_relaxed(&slot->pending, 0);
		lpk__control_look(slot);
		/* Another console may have this slot by now. */
		step = wanted(slot, log) ?
		    print_all(slot, &hold, &budget, deadline_ns) :
		    LPK__NOTHING;
		if (step == LPK__TAKEN)
			return;
		lpk_store_relaxed(&slot->stuck, step == LPK__STUCK);
		lpk__slot_publish(slot);
		lpk__printer_end(&slot->printer, &hold);
		/* The look after letting go; only a handler here sets it. */
		lpk_fence_light();
	} while (step == LPK__NOTHING &&
	    lpk_load_relaxed(&slot->pending) != 0 && budget != 0);
	if (lpk_load_relaxed(&slot->flushers) != 0)
		lpk__slot_progress(slot);
	if (step != LPK__NOTHING || lpk_load_relaxed(&slot->pending) != 0)
		hand_over(slot);
}

void
lpk__direct(struct lpk_log *log)
{
	bool emergency = nesting != 0;
	int i;

	if (emergency)
		lpk_store_relaxed(&emergency_ms, now_ms());
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		if (wanted(&lpk__slots[i], log))
			print_on(&lpk__slots[i], log,
			    emergency ? LPK__PRIO_EMERGENCY : LPK__PRIO_NORMAL,
			    emergency ? UINT32_MAX : LPK_DIRECT_BUDGET,
			    lpk_now_ns() + LPK_DIRECT_NS);
	}
}

void
lpk__direct_drain(struct lpk__console_slot *slot, uint64_t deadline_ns)
{
	struct lpk_log *log = lpk__slot_log(slot);

	if (wanted(slot, log))
		print_on(slot, log, LPK__PRIO_NORMAL, UINT32_MAX, deadline_ns);
}

/* Must printk call us for this log? */
static bool
needed(const struct lpk_log *log)
{
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		const struct lpk__console_slot *slot = &lpk__slots[i];

		if (lpk__slot_enabled(slot) && lpk__slot_log(slot) == log &&
		    (lpk_load_relaxed(&slot->mode) == LPK_MODE_DIRECT ||
			lpk_load_relaxed(&emergencies) != 0 ||
			lpk_load_relaxed(&lpk__direct_all) != 0))
			return true;
	}
	return false;
}

void
lpk__direct_update(void)
{
	int i;

	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		struct lpk_log *log = lpk__slot_log(&lpk__slots[i]);

		if (log == NULL)
			continue;
		lpk__waits_clear(log, LPK__WAITS_DIRECT);
		/*
		 * LMM(update:A)
		 * The bit off before the look whether it is needed. Pairs with
		 * update:A, in a context that came to need it: one of the two
		 * sets the bit last.
		 */
		lpk_fence_full();
		if (needed(log))
			lpk__waits_set(log, LPK__WAITS_DIRECT);
	}
}

void
lpk_emergency_enter(void)
{
	if (nesting++ != 0)
		return;
	lpk_store_relaxed(&emergency_ms, now_ms());
	lpk_fetch_add_relaxed(&emergencies, 1);
	lpk__direct_update();
}

void
lpk_emergency_exit(void)
{
	int i;

	if (nesting == 0 || --nesting != 0)
		return;
	lpk_fetch_add_relaxed(&emergencies, 0ul - 1);
	lpk__direct_update();
	for (i = 0; i < LPK_CONSOLES_MAX; i++) {
		if (lpk__slot_enabled(&lpk__slots[i]))
			lpk__slot_kick(&lpk__slots[i]);
	}
}

void
lpk__direct_forked(void)
{
	nesting = 0;
	lpk_store_relaxed(&emergencies, 0);
}
