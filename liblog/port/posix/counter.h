/* SPDX-License-Identifier: MIT */
/*
 * counter.h - the cycle counter of the machine, where there is one that all
 * CPUs share and that runs at a constant rate; and how to wait for one of them.
 */
#ifndef LPK_PORT_COUNTER_H
#define LPK_PORT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

static inline uint64_t
lpk__counter_read(void)
{
	return __builtin_ia32_rdtsc();
}

/* "Invariant TSC": constant rate in all power states. */
static inline bool
lpk__counter_usable(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) != 0 &&
	    (d & 1u << 8) != 0;
}

static inline void
lpk__relax(void)
{
	__builtin_ia32_pause();
}

#elif defined(__aarch64__)

static inline uint64_t
lpk__counter_read(void)
{
	uint64_t value;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
	return value;
}

static inline bool
lpk__counter_usable(void)
{
	return true;
}

static inline void
lpk__relax(void)
{
	__asm__ volatile("yield");
}

#else

static inline uint64_t
lpk__counter_read(void)
{
	return 0;
}

static inline bool
lpk__counter_usable(void)
{
	return false;
}

static inline void
lpk__relax(void)
{
}

#endif

#endif /* LPK_PORT_COUNTER_H */
