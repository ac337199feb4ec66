/* SPDX-License-Identifier: MIT */
/*
 * trap_flag.h - single steps of the own thread: with the trap flag set, the
 * processor raises SIGTRAP after every instruction. x86 only.
 */
#ifndef TESTS_STRESS_TRAP_FLAG_H
#define TESTS_STRESS_TRAP_FLAG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)

#include <x86intrin.h>

#define TRAP_FLAG_WORKS 1
#define TRAP_FLAG 0x100u

#define trap_flag_set() __writeeflags(__readeflags() | TRAP_FLAG)
#define trap_flag_clear() __writeeflags(__readeflags() & ~TRAP_FLAG)

/* The interrupted code runs on without stops. */
static inline void
trap_flag_end(void *context)
{
	ucontext_t *interrupted = context;

	interrupted->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

#ifdef __x86_64__
#define TRAP_FLAG_IP REG_RIP
#else
#define TRAP_FLAG_IP REG_EIP
#endif

/* Was the code that the kernel maps into each process interrupted? */
static inline bool
trap_flag_in_vdso(const void *context)
{
	const ucontext_t *interrupted = context;
	uintptr_t at = (uintptr_t)interrupted->uc_mcontext.gregs[TRAP_FLAG_IP];

	/* Two pages on the kernels of today. */
	return at - getauxval(AT_SYSINFO_EHDR) < 16384;
}

/* fork() without the handlers of pthread_atfork(). */
static inline pid_t
trap_flag_fork(void)
{
	return (pid_t)syscall(SYS_fork);
}

#else

#define TRAP_FLAG_WORKS 0
#define trap_flag_set() ((void)0)
#define trap_flag_clear() ((void)0)
#define trap_flag_end(context) ((void)(context))
#define trap_flag_in_vdso(context) ((void)(context), false)
#define trap_flag_fork() fork()

#endif

#endif /* TESTS_STRESS_TRAP_FLAG_H */
