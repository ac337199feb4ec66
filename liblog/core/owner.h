/* SPDX-License-Identifier: MIT */
/*
 * owner.h - who may touch a console's device: one word, and no lock.
 *
 * The states and the ways between them are in docs/DESIGN.md, "Ownership". The
 * three ways to get a console (direct, handover, takeover by force) are those
 * of the kernel's nbcon consoles; here the owner is a thread with a generation
 * and not a CPU, so that a handler never mistakes the context that it
 * interrupted for itself.
 */
#ifndef LPK_CORE_OWNER_H
#define LPK_CORE_OWNER_H

#include <lpk/base.h>

/* How much it matters; the higher one gets the console. */
enum lpk__prio {
	LPK__PRIO_NONE,
	LPK__PRIO_NORMAL,
	LPK__PRIO_EMERGENCY,
	LPK__PRIO_PANIC
};

/*
 * bits 0-1   priority of the owner, NONE: nobody owns it
 * bits 2-3   priority of who waits for it
 * bit  4     unsafe: the owner is poking the device, or its own buffer
 * bit  5     it was taken by force while unsafe; for good
 * bits 6-27  thread of the owner (Linux gives out 22 bits)
 * the others a generation, one more with every owner
 */
struct lpk__owner {
	unsigned long word;
};

/* What an owner keeps on its stack. */
struct lpk__hold {
	struct lpk__owner *owner;
	unsigned long mine; /* the word as it was made, without bits 2 to 5 */
	uint8_t prio;       /* enum lpk__prio */
	bool waiting;       /* bits 2-3 are ours */
	bool forced;        /* it was taken from an owner who did not let go */
};

enum lpk__got {
	LPK__GOT,  /* the console, unsafe already */
	LPK__BUSY, /* another thread has it */
	LPK__OURS  /* this thread has it, further down its stack */
};

/**
 * lpk__owner_try() - Take a console that is free, or safe and less important.
 * @hold:   receives what the functions below want
 * @caller: this thread
 *
 * Context:  any.
 * Progress: lock-free; it gives up (LPK__BUSY) after 16 lost races.
 */
enum lpk__got lpk__owner_try(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller);

/**
 * lpk__owner_wait() - Take it, or have it handed over.
 * @rounds: of lpk_port_pause() to wait for
 *
 * The owner is asked, if it is less important, to let go at its next safe
 * point. An owner that is found not to exist any more has it taken away; a
 * reservation that nobody takes up is cancelled.
 *
 * Context:  any.
 * Progress: bounded by @rounds, and some 30 more while it is only reserved.
 */
enum lpk__got lpk__owner_wait(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller, unsigned int rounds);

/**
 * lpk__owner_seize() - Take it by force.
 *
 * The owner may be in the middle of anything. @hold->forced says if there was
 * one: then it is time for zap_locks().
 *
 * Context:  panic, or the owner is known to be gone.
 * Progress: lock-free; each failure means that another owner came or went.
 */
void lpk__owner_seize(struct lpk__owner *owner, struct lpk__hold *hold,
    enum lpk__prio prio, uint32_t caller);

/**
 * lpk__owner_release() - Let go.
 *
 * Context:  any.
 * Return:   false when it had been taken away.
 */
bool lpk__owner_release(struct lpk__hold *hold);

/** lpk__owner_can_proceed() - Is it still ours? Lets go when asked to. */
bool lpk__owner_can_proceed(struct lpk__hold *hold);

/** lpk__owner_exit_unsafe() - It may be taken from here on. False: it was. */
bool lpk__owner_exit_unsafe(struct lpk__hold *hold);

/**
 * lpk__owner_enter_unsafe() - It may not be taken from here on.
 *
 * Return:   false when it was, or is wanted and was let go of.
 */
bool lpk__owner_enter_unsafe(struct lpk__hold *hold);

/**
 * lpk__owner_regain() - A driver came back, safe or not: unsafe again.
 *
 * Return:   false when it was taken away.
 */
bool lpk__owner_regain(struct lpk__hold *hold);

/** lpk__owner_reset() - Nobody owns it, whatever the word says: after fork. */
void lpk__owner_reset(struct lpk__owner *owner);

/** lpk__owner_thread() - Who owns it, 0: nobody. */
uint32_t lpk__owner_thread(const struct lpk__owner *owner);

/** lpk__owner_tag() - A number for each owner; of no one, any. */
unsigned long lpk__owner_tag(const struct lpk__owner *owner);

/** lpk__owner_wanted() - Is somebody more important waiting for it? */
bool lpk__owner_wanted(const struct lpk__hold *hold);

#endif /* LPK_CORE_OWNER_H */
