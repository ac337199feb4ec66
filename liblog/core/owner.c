/* SPDX-License-Identifier: MIT */
/*
 * owner.c - the word that says who may touch a console's device.
 *
 * Every change is one compare-and-swap of the whole word, from a state that was
 * looked at to one that is allowed from there; a context that is interrupted
 * between the look and the exchange either finds the word as it was, or fails
 * and looks again.
 */
#include "owner.h"

#include <lpk/port.h>

#include "lpk_atomic.h"

#define PRIO_MASK 0x3ul
#define WAITS_SHIFT 2
#define WAITS_MASK 0xcul
#define UNSAFE 0x10ul
#define FORCED 0x20ul
#define THREAD_SHIFT 6
#define THREAD_MASK 0x3ffffful
#define GENERATION_ONE (1ul << 28)
/* What tells one owner from another. */
#define OWNER_MASK (~(WAITS_MASK | UNSAFE | FORCED))

#define TRIES 16
/* How often a waiter asks whether the owner still exists, in rounds. */
#define GONE_ROUNDS 8
/*
 * A reservation that is not taken up in so many rounds is nobody's: its waiter
 * has ended, or is a frame below on this very stack. A waiter looks once in a
 * round, and a few of ours are shorter than one of its.
 */
#define RESERVED_ROUNDS 32

static unsigned long
prio_of(unsigned long word)
{
	return word & PRIO_MASK;
}

static unsigned long
waits_of(unsigned long word)
{
	return (word & WAITS_MASK) >> WAITS_SHIFT;
}

static uint32_t
thread_of(unsigned long word)
{
	return (uint32_t)(word >> THREAD_SHIFT & THREAD_MASK);
}

static uint32_t
thread_bits(uint32_t caller)
{
	return (uint32_t)(caller & ~LPK_CALLER_HANDLER & THREAD_MASK);
}

/* The word after one owner more. Who waits for something higher still waits. */
static unsigned long
owned(unsigned long word, enum lpk__prio prio, uint32_t caller)
{
	unsigned long next = (word & ~(GENERATION_ONE - 1)) + GENERATION_ONE;

	next |= (unsigned long)thread_bits(caller) << THREAD_SHIFT;
	next |= (unsigned long)prio | UNSAFE | (word & FORCED);
	if (waits_of(word) > (unsigned long)prio)
		next |= word & WAITS_MASK;
	return next;
}

/* The word after its owner let go: who waits has it reserved. */
static unsigned long
unowned(unsigned long word)
{
	return word & ~(PRIO_MASK | UNSAFE | THREAD_MASK << THREAD_SHIFT);
}

static bool
install(struct lpk__owner *owner, struct lpk__hold *hold, enum lpk__prio prio,
    unsigned long word, unsigned long next)
{
	/*
	 * LMM(install:A)
	 * Pairs with let_go:A and exit:A: what the last owner did to the
	 * device and the buffers is visible.
	 */
	if (!lpk_cas_acquire(&owner->word, word, next))
		return false;
	hold->owner = owner;
	hold->mine = next & OWNER_MASK;
	hold->prio = (uint8_t)prio;
	hold->waiting = false;
	return true;
}

enum lpk__got
lpk__owner_try(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller)
{
	bool reserved = hold->waiting;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		/* Relaxed: the exchange is what orders. */
		unsigned long word = lpk_load_relaxed(&owner->word);
		unsigned long held = prio_of(word);

		if (held == LPK__PRIO_NONE) {
			/* Reserved for who waits, unless that is us. */
			if (waits_of(word) > (unsigned long)prio ||
			    (waits_of(word) == (unsigned long)prio &&
				!reserved))
				return LPK__BUSY;
		} else if (held >= (unsigned long)prio ||
		    (word & UNSAFE) != 0) {
			return thread_of(word) == thread_bits(caller) ?
			    LPK__OURS :
			    LPK__BUSY;
		}
		hold->forced = false;
		if (install(owner, hold, prio, word, owned(word, prio, caller)))
			return LPK__GOT;
	}
	return LPK__BUSY;
}

/* Ask the owner to let go. */
static void
request(struct lpk__owner *owner, struct lpk__hold *hold, enum lpk__prio prio)
{
	/* Relaxed throughout: a wish, and no data goes with it. */
	unsigned long word = lpk_load_relaxed(&owner->word);

	if (prio_of(word) == LPK__PRIO_NONE ||
	    prio_of(word) >= (unsigned long)prio ||
	    waits_of(word) >= (unsigned long)prio)
		return;
	if (lpk_cas_relaxed(&owner->word, word,
		(word & ~WAITS_MASK) | (unsigned long)prio << WAITS_SHIFT))
		hold->waiting = true;
}

/* Wait no longer. */
static void
withdraw(struct lpk__owner *owner, struct lpk__hold *hold, enum lpk__prio prio)
{
	unsigned long word;

	if (!hold->waiting)
		return;
	hold->waiting = false;
	/* Each failure means that another context changed the word. */
	do {
		word = lpk_load_relaxed(&owner->word);
		if (waits_of(word) != (unsigned long)prio)
			return;
	} while (!lpk_cas_relaxed(&owner->word, word, word & ~WAITS_MASK));
}

/* An owner whose thread has ended never lets go. */
static bool
take_from_the_gone(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller)
{
	unsigned long word = lpk_load_relaxed(&owner->word), next;

	if (prio_of(word) == LPK__PRIO_NONE || lpk_port_alive(thread_of(word)))
		return false;
	next = owned(word, prio, caller) | (word & UNSAFE ? FORCED : 0);
	if (!install(owner, hold, prio, word, next))
		return false;
	hold->forced = true;
	return true;
}

/* A word that nobody owns, and for how long it is reserved as it is. */
struct reservation {
	unsigned long word;
	unsigned int rounds;
};

/* Worth another round: who has it reserved takes it, or it is cancelled. */
static bool
outlasts(struct lpk__owner *owner, struct reservation *seen)
{
	unsigned long word = lpk_load_relaxed(&owner->word);
	bool reserved = prio_of(word) == LPK__PRIO_NONE && waits_of(word) != 0;

	if (!reserved || word != seen->word) {
		seen->word = word;
		seen->rounds = 0;
		return reserved;
	}
	/* Relaxed: nobody's wish. */
	if (++seen->rounds == RESERVED_ROUNDS)
		(void)lpk_cas_relaxed(&owner->word, word, word & ~WAITS_MASK);
	return true;
}

enum lpk__got
lpk__owner_wait(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller, unsigned int rounds)
{
	struct reservation seen = {0};
	unsigned int round, more = RESERVED_ROUNDS + 2;
	enum lpk__got got;

	hold->waiting = false;
	for (round = 0;; round++) {
		got = lpk__owner_try(owner, hold, prio, caller);
		if (got != LPK__BUSY)
			break;
		if ((round % GONE_ROUNDS == GONE_ROUNDS / 2 ||
			round >= rounds) &&
		    take_from_the_gone(owner, hold, prio, caller))
			return LPK__GOT;
		if (!outlasts(owner, &seen) && round >= rounds)
			break;
		if (round >= rounds && --more == 0)
			break;
		/* In each round: others who wait and give up may undo it. */
		request(owner, hold, prio);
		lpk_port_pause(round);
	}
	if (got != LPK__GOT)
		withdraw(owner, hold, prio);
	return got;
}

void
lpk__owner_seize(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller)
{
	unsigned long word, next;

	do {
		word = lpk_load_relaxed(&owner->word);
		hold->forced = prio_of(word) != LPK__PRIO_NONE;
		next = owned(word, prio, caller) & ~WAITS_MASK;
		if ((word & UNSAFE) != 0)
			next |= FORCED;
	} while (!install(owner, hold, prio, word, next));
}

static bool
ours(const struct lpk__hold *hold, unsigned long word)
{
	return (word & OWNER_MASK) == hold->mine;
}

bool
lpk__owner_release(struct lpk__hold *hold)
{
	unsigned long word;

	/* Each failure means that a waiter came or went, or took it. */
	do {
		word = lpk_load_relaxed(&hold->owner->word);
		if (!ours(hold, word))
			return false;
		/*
		 * LMM(let_go:A)
		 * What the owner did to device and buffers before the next one
		 * may have them. Pairs with install:A and reenter:A.
		 */
	} while (!lpk_cas_release(&hold->owner->word, word, unowned(word)));
	return true;
}

bool
lpk__owner_wanted(const struct lpk__hold *hold)
{
	/* Relaxed: a wish. */
	return waits_of(lpk_load_relaxed(&hold->owner->word)) > hold->prio;
}

bool
lpk__owner_can_proceed(struct lpk__hold *hold)
{
	/* Relaxed: it tells us to stop, or nothing. */
	unsigned long word = lpk_load_relaxed(&hold->owner->word);

	if (!ours(hold, word))
		return false;
	if ((word & UNSAFE) == 0 && waits_of(word) > hold->prio) {
		lpk__owner_release(hold);
		return false;
	}
	return true;
}

bool
lpk__owner_exit_unsafe(struct lpk__hold *hold)
{
	unsigned long word;

	/* Each failure means that a waiter came or went, or took it. */
	do {
		word = lpk_load_relaxed(&hold->owner->word);
		if (!ours(hold, word))
			return false;
		/*
		 * LMM(exit:A)
		 * What the owner did to device and buffers before somebody may
		 * take them. Pairs with install:A and reenter:A.
		 */
	} while (!lpk_cas_release(&hold->owner->word, word, word & ~UNSAFE));
	return true;
}

bool
lpk__owner_enter_unsafe(struct lpk__hold *hold)
{
	unsigned long word;

	/* Each failure means that a waiter came or went, or took it. */
	do {
		word = lpk_load_relaxed(&hold->owner->word);
		if (!ours(hold, word))
			return false;
		if (waits_of(word) > hold->prio) {
			lpk__owner_release(hold);
			return false;
		}
		/*
		 * LMM(reenter:A)
		 * Pairs with exit:A and let_go:A: nobody else was here since.
		 */
	} while (!lpk_cas_acquire(&hold->owner->word, word, word | UNSAFE));
	return true;
}

bool
lpk__owner_regain(struct lpk__hold *hold)
{
	unsigned long word;

	/* Each failure means that a waiter came or went, or took it. */
	do {
		word = lpk_load_relaxed(&hold->owner->word);
		if (!ours(hold, word))
			return false;
		if ((word & UNSAFE) != 0)
			return true;
		/*
		 * LMM(regain:A)
		 * Pairs with exit:A: nobody else was here since.
		 */
	} while (!lpk_cas_acquire(&hold->owner->word, word, word | UNSAFE));
	return true;
}

void
lpk__owner_reset(struct lpk__owner *owner)
{
	unsigned long word = lpk_load_relaxed(&owner->word);

	/* Relaxed: there is no other thread. */
	lpk_store_relaxed(&owner->word, unowned(word) & ~WAITS_MASK);
}

uint32_t
lpk__owner_thread(const struct lpk__owner *owner)
{
	return thread_of(lpk_load_relaxed(&owner->word));
}

unsigned long
lpk__owner_tag(const struct lpk__owner *owner)
{
	/* Relaxed: to be compared with one from before. */
	return lpk_load_relaxed(&owner->word) >> THREAD_SHIFT;
}
