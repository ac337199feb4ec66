/* SPDX-License-Identifier: MIT */
/*
 * panic.h (hosted) - the parts of a panic. All of it is reached from a signal
 * handler on an alternate stack of a process that is broken: see
 * tests/lint/panic-symbols.txt for what may be called.
 */
#ifndef LPK_HOSTED_PANIC_H
#define LPK_HOSTED_PANIC_H

#include <signal.h>

#include <lpk/panic.h>

/* How a claim of the panic ended. */
enum lpk__claim {
	LPK__CLAIM_OURS,  /* print */
	LPK__CLAIM_AGAIN, /* printing crashed: print the rest */
	LPK__CLAIM_OVER,  /* it crashed too often: die */
	LPK__CLAIM_LATE   /* another thread is at it, or was: die */
};

/**
 * lpk__panic_claim() - One thread prints; others wait until it has.
 *
 * Context:  any.
 */
enum lpk__claim lpk__panic_claim(void);

/** lpk__panic_print() - All consoles, until quiet or out of time. */
void lpk__panic_print(void);

/** lpk__panic_end() - The last lines; let those who wait for us die. */
void lpk__panic_end(void);

/** lpk__panic_set() - Times and flags, from lpk_panic_install(). */
void lpk__panic_set(const struct lpk_panic_options *options);

/** lpk__panic_forget() - Nobody panics: in the child, or after all. */
void lpk__panic_forget(void);

/** lpk__panic_survived() - It is printed, and the process goes on. */
void lpk__panic_survived(void);

/** lpk__crash_forked() - The same, of the handlers. */
void lpk__crash_forked(void);

/** lpk__write_only_prepare() - There will be threads that do. Context: init. */
void lpk__write_only_prepare(void);

/**
 * lpk__write_only_enter(), _exit() - This thread calls write(2) and nothing
 * else; nests.
 *
 * Context:  panic.
 */
void lpk__write_only_enter(void);
void lpk__write_only_exit(void);

/** lpk__panic_other() - Does another thread panic? Context: any. */
bool lpk__panic_other(void);

/** lpk__stack_wanted() - Do threads that log get an alternate stack? */
extern unsigned long lpk__stack_wanted;

/** lpk__stack_get() - An alternate stack for this thread. Context: any. */
int lpk__stack_get(void);

/** lpk__dump() - Call the dumpers. Context: any. */
void lpk__dump(enum lpk_dump_reason reason);

/** lpk__backtrace_warm() - What it allocates, it allocates now. */
void lpk__backtrace_warm(void);

/** lpk__backtrace_log() - Log one of this thread. Context: panic. */
void lpk__backtrace_log(void);

#endif /* LPK_HOSTED_PANIC_H */
