/* SPDX-License-Identifier: MIT */
/*
 * lpk_atomic.h, backend ao - the atomics of lpk by libatomic_ops.
 *
 * The ordering is the suffix of the name. Three backends have this same
 * interface (ao, c11, irq) and the tests add more; -I picks one. Rules that
 * every backend keeps, and the reasons, are in docs/ORDERING.md, section 2.
 */
#ifndef LPK_ATOMIC_H
#define LPK_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * libatomic_ops defines fetch_and_add on cores that have none and leaves the
 * call to a library which the toolchain lacks; ask the compiler instead.
 */
#if !defined(__GCC_ATOMIC_LONG_LOCK_FREE) || __GCC_ATOMIC_LONG_LOCK_FREE != 2
#error "no lock-free compare-and-swap on this core: use liblog/atomic/irq"
#endif

#include <atomic_ops.h>

#if !defined(AO_HAVE_compare_and_swap_full) ||                                 \
    !defined(AO_HAVE_fetch_and_add_acquire) || !defined(AO_HAVE_int_load) ||   \
    !defined(AO_HAVE_int_store_release)
#error "libatomic_ops lacks an operation here: use liblog/atomic/c11 or irq"
#endif

_Static_assert(sizeof(AO_t) == sizeof(unsigned long), "AO_t is one word");
_Static_assert(sizeof(unsigned int) == 4, "slots are 32 bits");

#define LPK__AO(p) ((volatile AO_t *)(void *)(p))
#define LPK__AO_CONST(p) ((const volatile AO_t *)(const void *)(p))

#define lpk_load_relaxed(p) ((unsigned long)AO_load(LPK__AO_CONST(p)))
#define lpk_load_acquire(p) ((unsigned long)AO_load_acquire(LPK__AO_CONST(p)))
#define lpk_store_relaxed(p, v) AO_store(LPK__AO(p), (AO_t)(v))
#define lpk_store_release(p, v) AO_store_release(LPK__AO(p), (AO_t)(v))
#define lpk_fetch_add_relaxed(p, v)                                            \
	((unsigned long)AO_fetch_and_add(LPK__AO(p), (AO_t)(v)))
#define lpk_fetch_add_acquire(p, v)                                            \
	((unsigned long)AO_fetch_and_add_acquire(LPK__AO(p), (AO_t)(v)))
#define lpk_cas_relaxed(p, from, to)                                           \
	(AO_compare_and_swap(LPK__AO(p), (AO_t)(from), (AO_t)(to)) != 0)
#define lpk_cas_acquire(p, from, to)                                           \
	(AO_compare_and_swap_acquire(LPK__AO(p), (AO_t)(from), (AO_t)(to)) != 0)
/* The fence: riscv64's AO_compare_and_swap_release() loses the release. */
#define lpk_cas_release(p, from, to)                                           \
	(lpk_fence_release(), lpk_cas_relaxed((p), (from), (to)))

/* uint32_t is unsigned long on bare 32-bit machines, unsigned int elsewhere. */
#define LPK__AO32(p) ((volatile unsigned int *)(void *)(p))
#define LPK__AO32_CONST(p) ((const volatile unsigned int *)(const void *)(p))

#define lpk_load32_relaxed(p) ((uint32_t)AO_int_load(LPK__AO32_CONST(p)))
#define lpk_load32_acquire(p)                                                  \
	((uint32_t)AO_int_load_acquire(LPK__AO32_CONST(p)))
#define lpk_store32_relaxed(p, v) AO_int_store(LPK__AO32(p), (unsigned int)(v))
#define lpk_store32_release(p, v)                                              \
	AO_int_store_release(LPK__AO32(p), (unsigned int)(v))

/*
 * On x86 loads and stores are ordered as acquire and release by the machine;
 * only the compiler must be held. Elsewhere the narrower AO_nop_read and
 * AO_nop_write lack the load-store half of the fence that C11 defines.
 */
#if defined(__x86_64__) || defined(__i386__)
#define lpk_fence_acquire() AO_compiler_barrier()
#define lpk_fence_release() AO_compiler_barrier()
#else
#define lpk_fence_acquire() AO_nop_full()
#define lpk_fence_release() AO_nop_full()
#endif
/*
 * The light side of an asymmetric barrier: the heavy side makes every other
 * CPU execute a full one (membarrier(2)).
 */
#define lpk_fence_light() __asm__ volatile("" ::: "memory")
#define lpk_fence_full() AO_nop_full()

/* A check of the ring; a test backend takes one away at a time. */
#define lpk_check(condition) (condition)

#endif /* LPK_ATOMIC_H */
