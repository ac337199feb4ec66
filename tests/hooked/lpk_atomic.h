/* SPDX-License-Identifier: MIT */
/*
 * lpk_atomic.h, backend hooked - each operation calls lpk_hook() before it and
 * after it, where a test may interrupt the thread by a signal, or stop it.
 * See the ao backend for the interface.
 */
#ifndef LPK_ATOMIC_H
#define LPK_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * lpk_hook() - A place between two steps of the library.
 *
 * lib_hook.h says what may happen here.
 */
void lpk_hook(void);

static inline unsigned long
lpk__hooked_load(const unsigned long *word, int order)
{
	unsigned long value;

	lpk_hook();
	value = order == __ATOMIC_RELAXED ?
	    __atomic_load_n(word, __ATOMIC_RELAXED) :
	    __atomic_load_n(word, __ATOMIC_ACQUIRE);
	lpk_hook();
	return value;
}

static inline void
lpk__hooked_store(unsigned long *word, unsigned long value, int order)
{
	lpk_hook();
	if (order == __ATOMIC_RELAXED)
		__atomic_store_n(word, value, __ATOMIC_RELAXED);
	else
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
	lpk_hook();
}

static inline uint32_t
lpk__hooked_load32(const uint32_t *word)
{
	uint32_t value;

	lpk_hook();
	value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	lpk_hook();
	return value;
}

static inline void
lpk__hooked_store32(uint32_t *word, uint32_t value)
{
	lpk_hook();
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	lpk_hook();
}

static inline unsigned long
lpk__hooked_add(unsigned long *word, unsigned long value)
{
	lpk_hook();
	value = __atomic_fetch_add(word, value, __ATOMIC_ACQUIRE);
	lpk_hook();
	return value;
}

static inline bool
lpk__hooked_cas(unsigned long *word, unsigned long from, unsigned long to)
{
	bool done;

	lpk_hook();
	done = __atomic_compare_exchange_n(
	    word, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
	lpk_hook();
	return done;
}

#define lpk_load_relaxed(p) lpk__hooked_load((p), __ATOMIC_RELAXED)
#define lpk_load_acquire(p) lpk__hooked_load((p), __ATOMIC_ACQUIRE)
#define lpk_store_relaxed(p, v) lpk__hooked_store((p), (v), __ATOMIC_RELAXED)
#define lpk_store_release(p, v) lpk__hooked_store((p), (v), __ATOMIC_RELEASE)
#define lpk_fetch_add_relaxed(p, v) lpk__hooked_add((p), (v))
#define lpk_fetch_add_acquire(p, v) lpk__hooked_add((p), (v))
#define lpk_cas_relaxed(p, from, to) lpk__hooked_cas((p), (from), (to))
#define lpk_cas_acquire(p, from, to) lpk__hooked_cas((p), (from), (to))
#define lpk_cas_release(p, from, to) lpk__hooked_cas((p), (from), (to))

#define lpk_load32_relaxed(p) lpk__hooked_load32(p)
#define lpk_load32_acquire(p) lpk__hooked_load32(p)
#define lpk_store32_relaxed(p, v) lpk__hooked_store32((p), (v))
#define lpk_store32_release(p, v) lpk__hooked_store32((p), (v))

/* Nothing happens in a fence that a signal could tell from its neighbours. */
#define lpk_fence_acquire() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define lpk_fence_release() __atomic_thread_fence(__ATOMIC_RELEASE)
#define lpk_fence_light() __asm__ volatile("" ::: "memory")
#define lpk_fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#define lpk_check(condition) (condition)

#endif /* LPK_ATOMIC_H */
