/* SPDX-License-Identifier: MIT */
/*
 * control.h - what other programs of the same user may ask of the consoles of
 * this one: `lpk level`.
 *
 * The region cannot be written to from outside, so there is a page for that
 * beside it: a memfd that its user alone may open, found among the descriptors
 * of the process. Each slot has two words in it. The tool stores a request in
 * the first and wakes its futex; whoever prints on the console takes it and
 * stores the answer in the second. Both are numbers complete in themselves, so
 * nothing is ordered by them, and neither side trusts the other.
 */
#ifndef LPK_HOSTED_CONTROL_H
#define LPK_HOSTED_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <lpk/config.h>

/* The same on every machine, but not known to every C library. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

#define LPK__CONTROL_MAGIC "lpk control\x1a\r\n\0"
#define LPK__CONTROL_VERSION 1u
#define LPK__CONTROL_BYTES 4096

/* A request: which one, for which console of the slot, mode, level. */
#define LPK__ASK_NUMBER(word) ((word) >> 24)
#define LPK__ASK_SEQ(word) ((word) >> 16 & 0xffu)
#define LPK__ASK_MODE(word) ((word) >> 8 & 0xffu) /* + 1; 0: as it is */
#define LPK__ASK_LEVEL(word) ((word)&0xffu)       /* quiet_below + 1; or 0 */
#define LPK__ASK(number, seq, mode, level)                                     \
	((uint32_t)(number) << 24 | ((uint32_t)(seq)&0xffu) << 16 |            \
	    (uint32_t)(mode) << 8 | (uint32_t)(level))

/* An answer: the number of the request, and one of these. */
enum { LPK__ANSWER_NONE, LPK__ANSWER_DONE, LPK__ANSWER_REFUSED };
#define LPK__ANSWER(asked, answer) (LPK__ASK_NUMBER(asked) << 24 | (answer))

struct lpk__control {
	char magic[16];
	uint32_t version;
	uint32_t endian; /* 0x01020304 as the writer sees it */
	uint32_t count;  /* of slots, in the order of the region's head */
	uint32_t unused;
	struct {
		uint32_t asked;
		uint32_t answer;
	} slot[LPK_CONSOLES_MAX];
};

_Static_assert(sizeof(struct lpk__control) <= LPK__CONTROL_BYTES,
    "a request has its place");

struct lpk__console_slot;

/**
 * lpk__control_begin() - From now on there may be requests.
 *
 * Where the page is not to be had there are none.
 *
 * Context:  init; no console has a thread.
 */
void lpk__control_begin(void);

/** lpk__control_forked() - A page of our own. Context: the child of a fork. */
void lpk__control_forked(void);

/**
 * lpk__control_look() - Take a request for a console, if there is one.
 *
 * Context:  any that may not lose the console meanwhile: its thread, its owner.
 * Progress: wait-free; one load when there is none.
 */
void lpk__control_look(struct lpk__console_slot *slot);

/**
 * lpk__control_wait() - lpk__futex_wait(), which a request ends, too.
 *
 * Where the kernel has no futex_waitv(2) it does not: the request waits then
 * until the thread is woken for a record.
 *
 * Context:  thread.
 */
void lpk__control_wait(struct lpk__console_slot *slot, unsigned long *word,
    unsigned long value, uint64_t deadline_ns);

#endif /* LPK_HOSTED_CONTROL_H */
