/* SPDX-License-Identifier: MIT */
/*
 * lpk_atomic.h, backend irq - the atomics of lpk on a single core without
 * compare-and-swap (Cortex-M0, RISC-V without A): a read-modify-write runs
 * with interrupts masked.
 *
 * The port supplies the two functions below. What cannot be masked (an NMI, a
 * HardFault) may interrupt a read-modify-write half way: on such a core it
 * must print to a log of its own. See docs/ORDERING.md, section 2.
 */
#ifndef LPK_ATOMIC_H
#define LPK_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Mask interrupts; returns what lpk_port_irq_restore() puts back. Nests. */
unsigned long lpk_port_irq_save(void);
void lpk_port_irq_restore(unsigned long flags);

#define LPK__IRQ_FENCE() __asm__ volatile("" ::: "memory")

static inline unsigned long
lpk__irq_load(const unsigned long *word)
{
	unsigned long value = *(const volatile unsigned long *)word;

	LPK__IRQ_FENCE();
	return value;
}

static inline void
lpk__irq_store(unsigned long *word, unsigned long value)
{
	LPK__IRQ_FENCE();
	*(volatile unsigned long *)word = value;
}

static inline uint32_t
lpk__irq_load32(const uint32_t *word)
{
	uint32_t value = *(const volatile uint32_t *)word;

	LPK__IRQ_FENCE();
	return value;
}

static inline void
lpk__irq_store32(uint32_t *word, uint32_t value)
{
	LPK__IRQ_FENCE();
	*(volatile uint32_t *)word = value;
}

static inline unsigned long
lpk__irq_fetch_add(unsigned long *word, unsigned long add)
{
	unsigned long flags = lpk_port_irq_save();
	unsigned long old = lpk__irq_load(word);

	lpk__irq_store(word, old + add);
	lpk_port_irq_restore(flags);
	return old;
}

static inline bool
lpk__irq_cas(unsigned long *word, unsigned long from, unsigned long to)
{
	unsigned long flags = lpk_port_irq_save();
	bool same = lpk__irq_load(word) == from;

	if (same)
		lpk__irq_store(word, to);
	lpk_port_irq_restore(flags);
	return same;
}

#define lpk_load_relaxed(p) lpk__irq_load(p)
#define lpk_load_acquire(p) lpk__irq_load(p)
#define lpk_store_relaxed(p, v) lpk__irq_store((p), (v))
#define lpk_store_release(p, v) lpk__irq_store((p), (v))
#define lpk_fetch_add_relaxed(p, v) lpk__irq_fetch_add((p), (v))
#define lpk_fetch_add_acquire(p, v) lpk__irq_fetch_add((p), (v))
#define lpk_cas_relaxed(p, from, to) lpk__irq_cas((p), (from), (to))
#define lpk_cas_acquire(p, from, to) lpk__irq_cas((p), (from), (to))
#define lpk_cas_release(p, from, to) lpk__irq_cas((p), (from), (to))
#define lpk_load32_relaxed(p) lpk__irq_load32(p)
#define lpk_load32_acquire(p) lpk__irq_load32(p)
#define lpk_store32_relaxed(p, v) lpk__irq_store32((p), (v))
#define lpk_store32_release(p, v) lpk__irq_store32((p), (v))
#define lpk_fence_acquire() LPK__IRQ_FENCE()
#define lpk_fence_release() LPK__IRQ_FENCE()
/*
 * The light side of an asymmetric barrier: the heavy side makes every other
 * CPU execute a full one (membarrier(2)).
 */
#define lpk_fence_light() __asm__ volatile("" ::: "memory")
#define lpk_fence_full() LPK__IRQ_FENCE()
#define lpk_check(condition) (condition)

#endif /* LPK_ATOMIC_H */
