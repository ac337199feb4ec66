/* SPDX-License-Identifier: MIT */
/*
 * lpk_atomic.h, backend c11 - the atomics of lpk by <stdatomic.h>, which
 * ThreadSanitizer and model checkers understand. See the ao backend for the
 * interface and docs/ORDERING.md, section 2, for the rules.
 */
#ifndef LPK_ATOMIC_H
#define LPK_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if ATOMIC_LONG_LOCK_FREE != 2
#error "no lock-free compare-and-swap on this core: use liblog/atomic/irq"
#endif

#define LPK__WORD(p) ((_Atomic unsigned long *)(p))
#define LPK__WORD_CONST(p) ((const _Atomic unsigned long *)(p))
#define LPK__SLOT(p) ((_Atomic uint32_t *)(p))
#define LPK__SLOT_CONST(p) ((const _Atomic uint32_t *)(p))

#define lpk_load_relaxed(p)                                                    \
	atomic_load_explicit(LPK__WORD_CONST(p), memory_order_relaxed)
#define lpk_load_acquire(p)                                                    \
	atomic_load_explicit(LPK__WORD_CONST(p), memory_order_acquire)
#define lpk_store_relaxed(p, v)                                                \
	atomic_store_explicit(LPK__WORD(p), (v), memory_order_relaxed)
#define lpk_store_release(p, v)                                                \
	atomic_store_explicit(LPK__WORD(p), (v), memory_order_release)
#define lpk_fetch_add_relaxed(p, v)                                            \
	atomic_fetch_add_explicit(LPK__WORD(p), (v), memory_order_relaxed)
#define lpk_fetch_add_acquire(p, v)                                            \
	atomic_fetch_add_explicit(LPK__WORD(p), (v), memory_order_acquire)

static inline bool
lpk__cas(unsigned long *word, unsigned long from, unsigned long to,
    memory_order order)
{
	return atomic_compare_exchange_strong_explicit(
	    LPK__WORD(word), &from, to, order, memory_order_relaxed);
}
#define lpk_cas_relaxed(p, from, to)                                           \
	lpk__cas((p), (from), (to), memory_order_relaxed)
#define lpk_cas_acquire(p, from, to)                                           \
	lpk__cas((p), (from), (to), memory_order_acquire)
#define lpk_cas_release(p, from, to)                                           \
	lpk__cas((p), (from), (to), memory_order_release)

#define lpk_load32_relaxed(p)                                                  \
	atomic_load_explicit(LPK__SLOT_CONST(p), memory_order_relaxed)
#define lpk_load32_acquire(p)                                                  \
	atomic_load_explicit(LPK__SLOT_CONST(p), memory_order_acquire)
#define lpk_store32_relaxed(p, v)                                              \
	atomic_store_explicit(LPK__SLOT(p), (v), memory_order_relaxed)
#define lpk_store32_release(p, v)                                              \
	atomic_store_explicit(LPK__SLOT(p), (v), memory_order_release)

/*
 * ThreadSanitizer does not see fences. Nothing here depends on its seeing
 * them: what they order is read and written by relaxed atomics alone.
 */
#define lpk_fence_acquire() atomic_thread_fence(memory_order_acquire)
#define lpk_fence_release() atomic_thread_fence(memory_order_release)
/*
 * The light side of an asymmetric barrier: the heavy side makes every other
 * CPU execute a full one (membarrier(2)).
 */
#define lpk_fence_light() __asm__ volatile("" ::: "memory")
#define lpk_fence_full() atomic_thread_fence(memory_order_seq_cst)

#define lpk_check(condition) (condition)

#endif /* LPK_ATOMIC_H */
