/* SPDX-License-Identifier: MIT */
/*
 * stack.c - alternate stacks, for handlers of threads whose own is used up.
 *
 * A thread gets one at its first call of printk, which may be in a handler: so
 * nothing is allocated but by the system. Stacks are not given back; those of
 * threads that have ended are used again, so there are as many as there were
 * threads at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lpk/port.h>

#include "lpk_atomic.h"
#include "panic.h"

#define STACK_BYTES ((size_t)65536)
#define GUARD_BYTES ((size_t)65536) /* a page on every machine */
#define STACKS_MAX 1024
/* So many are asked for their thread before another one is made. */
#define LOOKS 4

/* What the kernel calls AT_MINSIGSTKSZ; not every C library has the name. */
#define LEAST_STACK 51

unsigned long lpk__stack_wanted;

static struct {
	unsigned long thread; /* 0: never used */
	unsigned long memory;
} stacks[STACKS_MAX];
static unsigned long made;
static unsigned long hand;

static size_t
stack_bytes(void)
{
	size_t least = (size_t)getauxval(LEAST_STACK) * 4;

	return least > STACK_BYTES ? (least + 65535) & ~(size_t)65535 :
				     STACK_BYTES;
}

/* One whose thread has ended, or 0. */
static unsigned long
used_one(unsigned long thread)
{
	unsigned long count = lpk_load_relaxed(&made), last;
	int i;

	if (count > STACKS_MAX)
		count = STACKS_MAX;
	for (i = 0; i < LOOKS && count != 0; i++) {
		unsigned long n = lpk_fetch_add_relaxed(&hand, 1) % count;

		last = lpk_load_relaxed(&stacks[n].thread);
		/* Relaxed: a stack has no contents worth ordering. */
		if (last != 0 && !lpk_port_alive((uint32_t)last) &&
		    lpk_cas_relaxed(&stacks[n].thread, last, thread))
			return lpk_load_relaxed(&stacks[n].memory);
	}
	return 0;
}

static unsigned long
new_one(unsigned long thread)
{
	size_t bytes = stack_bytes() + GUARD_BYTES;
	unsigned long n;
	char *memory;

	if (lpk_load_relaxed(&made) >= STACKS_MAX)
		return 0;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return 0;
	/* What overflows this one, too, is to die and not to write. */
	mprotect(memory, GUARD_BYTES, PROT_NONE);
	n = lpk_fetch_add_relaxed(&made, 1);
	if (n < STACKS_MAX) {
		lpk_store_relaxed(
		    &stacks[n].memory, (unsigned long)memory + GUARD_BYTES);
		lpk_store_release(&stacks[n].thread, thread);
	}
	return (unsigned long)memory + GUARD_BYTES;
}

int
lpk__stack_get(void)
{
	unsigned long thread = lpk_port_caller() & ~LPK_CALLER_HANDLER;
	stack_t now = {0}, wanted = {0};
	int saved = errno;
	int result = LPK_OK;

	if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0 &&
	    now.ss_size >= stack_bytes())
		return LPK_OK;
	wanted.ss_size = stack_bytes();
	wanted.ss_sp = (void *)used_one(thread);
	if (wanted.ss_sp == NULL)
		wanted.ss_sp = (void *)new_one(thread);
	if (wanted.ss_sp == NULL || sigaltstack(&wanted, NULL) != 0)
		result = -LPK_ENOMEM;
	errno = saved;
	return result;
}
