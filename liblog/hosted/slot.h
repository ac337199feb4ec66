/* SPDX-License-Identifier: MIT */
/*
 * slot.h - the places that consoles are registered in. They are never freed:
 * a handler, or a crashed process, may look at all of them at any moment.
 *
 * Who may use what:
 *   printer.owner        any context; it is what gives the right to the rest
 *                        of the printer
 *   use, info            whoever registers and unregisters, under the lock of
 *                        registry.c; info is read by threads under RCU
 *   the other words      any context, relaxed unless labelled
 */
#ifndef LPK_HOSTED_SLOT_H
#define LPK_HOSTED_SLOT_H

#include <pthread.h>

#include <lpk/console.h>

#include "core/printer.h"

enum lpk__use {
	LPK__FREE,
	LPK__CLAIMED, /* being registered or unregistered */
	LPK__USED,
	LPK__LEFT /* unregistered while it hung in its driver */
};

/* What threads may want to know of a console that may be going. */
struct lpk__info {
	char name[LPK_CONSOLE_NAME_BYTES];
	const struct lpk_console_driver *driver;
};

struct lpk__console_slot {
	struct lpk__printer printer; /* first: console->printer points to it */
	unsigned long use;           /* enum lpk__use */
	unsigned long log;           /* printer.log, before it is owned */
	unsigned long can_panic;     /* the driver has write_on_panic() */
	unsigned long write_only;    /* and that can do without other calls */
	unsigned long bytes_per_second;
	unsigned long can_direct; /* the driver can */
	unsigned long mode;       /* enum lpk_console_mode */
	unsigned long suspended;
	unsigned long reopen;      /* asked for */
	unsigned long pending;     /* a record for the owner of this thread */
	unsigned long stuck;       /* the device took nothing the last time */
	unsigned long waited_for;  /* tag of an owner that did not let go */
	unsigned long handed_over; /* how often */
	unsigned long flushers;    /* who wait for the position to change */
	unsigned long progress;    /* futex: it has */
	unsigned long kick;        /* futex: the thread is to look again */
	unsigned long stop;        /* the thread is to end */
	unsigned long in_driver;   /* the thread is in a callback */
	unsigned long ended;       /* it has ended; futex */
	unsigned long managed;     /* somebody starts or stops it; futex */
	unsigned long life;        /* one more with each console */
	bool threaded;             /* thread is there to be joined */
	pthread_t thread;
	struct lpk__info *info;
	char *memory; /* of the feed */
};

extern struct lpk__console_slot lpk__slots[LPK_CONSOLES_MAX];

/* After lpk_shutdown(), and in the child of a fork: printing is direct. */
extern unsigned long lpk__direct_all;

/* Callbacks may be called: registered, and not about to go. Relaxed. */
static inline bool
lpk__slot_enabled(const struct lpk__console_slot *slot)
{
	return lpk_load_relaxed(&slot->printer.enabled) != 0;
}

static inline struct lpk_log *
lpk__slot_log(const struct lpk__console_slot *slot)
{
	return (struct lpk_log *)lpk_load_relaxed(&slot->log);
}

/** lpk__slot_of() - The slot of a registered console, or NULL. */
struct lpk__console_slot *lpk__slot_of(const struct lpk_console *console);

/**
 * lpk__slot_kick() - Have its thread look again, in any mode but panic.
 *
 * Context: any.
 */
void lpk__slot_kick(struct lpk__console_slot *slot);

/** lpk__slot_state() - What it does at the moment. Context: any. */
enum lpk_console_state lpk__slot_state(const struct lpk__console_slot *slot);

/** lpk__slot_enter() - Who prints on it now, for other programs. */
void lpk__slot_enter(const struct lpk__console_slot *slot);

/** lpk__slot_publish() - Its accounts, for other programs. Context: any. */
void lpk__slot_publish(const struct lpk__console_slot *slot);

/** lpk__slot_show() - It is there, or no longer. Context: thread. */
void lpk__slot_show(const struct lpk__console_slot *slot, bool used);

/** lpk__slot_progress() - Tell who waits for it. Context: any. */
void lpk__slot_progress(struct lpk__console_slot *slot);

/**
 * lpk__thread_create() - A thread that no handler of the program runs on.
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_ENOMEM.
 */
int lpk__thread_create(pthread_t *thread, void *(*run)(void *), void *argument);

/**
 * lpk__thread_start() - Give a console its thread, if it has none.
 *
 * Context:  thread.
 * Return:   LPK_OK, also when the console is going; -LPK_ENOMEM.
 */
int lpk__thread_start(struct lpk__console_slot *slot);

/**
 * lpk__thread_stop() - Have it end.
 * @leave: if it hangs in its driver, leave it to itself; it calls
 *         lpk__slot_let_go() when the driver returns
 *
 * Context:  thread; may block until the deadline, and a moment more.
 * Return:   false when it hangs in its driver.
 */
bool lpk__thread_stop(
    struct lpk__console_slot *slot, uint64_t deadline_ns, bool leave);

/** lpk__slot_let_go() - After the last callback of a console that hung. */
void lpk__slot_let_go(struct lpk__console_slot *slot);

/** lpk__consoles_from_environment() - What LPK_CONSOLE says. Context: init. */
void lpk__consoles_from_environment(void);

/**
 * lpk__threads_stop(), _start() - No thread of a console, for a moment.
 *
 * Context:  thread. False: one hangs in its driver, and goes on to exist.
 */
bool lpk__threads_stop(void);
int lpk__threads_start(void);

/** lpk__life_begin() - See to exit and fork from now on. Context: thread. */
void lpk__life_begin(void);

/** lpk__registry_lock(), _unlock() - No console comes or goes. */
void lpk__registry_lock(void);
void lpk__registry_unlock(void);
/** lpk__registry_forked() - The lock, in the child. */
void lpk__registry_forked(void);

/**
 * lpk__futex_wait() - Sleep while a word has a value.
 * @deadline_ns: CLOCK_MONOTONIC; UINT64_MAX: none
 *
 * Context:  thread.
 * Return:   false at the deadline.
 */
bool lpk__futex_wait(
    unsigned long *word, unsigned long value, uint64_t deadline_ns);

/** lpk__futex_wake() - Wake all who sleep on a word. Context: any. */
void lpk__futex_wake(unsigned long *word);

#endif /* LPK_HOSTED_SLOT_H */
