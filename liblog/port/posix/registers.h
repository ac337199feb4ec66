/* SPDX-License-Identifier: MIT */
/*
 * registers.h - what a crashed thread had in its registers, as records.
 */
#ifndef LPK_REGISTERS_H
#define LPK_REGISTERS_H

#include <ucontext.h>

#include <lpk/printk.h>

#if defined(__x86_64__)

static inline unsigned long
lpk__register(const ucontext_t *context, int number)
{
	return (unsigned long)context->uc_mcontext.gregs[number];
}

static inline unsigned long
lpk__register_pc(const ucontext_t *context)
{
	return lpk__register(context, REG_RIP);
}

static inline void
lpk__registers_log(const ucontext_t *context)
{
	lpk_emerg("panic: rip %016lx rsp %016lx rbp %016lx flags %08lx",
	    lpk__register(context, REG_RIP), lpk__register(context, REG_RSP),
	    lpk__register(context, REG_RBP), lpk__register(context, REG_EFL));
	lpk_emerg("panic: rax %016lx rbx %016lx rcx %016lx rdx %016lx",
	    lpk__register(context, REG_RAX), lpk__register(context, REG_RBX),
	    lpk__register(context, REG_RCX), lpk__register(context, REG_RDX));
	lpk_emerg("panic: rsi %016lx rdi %016lx r8  %016lx r9  %016lx",
	    lpk__register(context, REG_RSI), lpk__register(context, REG_RDI),
	    lpk__register(context, REG_R8), lpk__register(context, REG_R9));
	lpk_emerg("panic: r10 %016lx r11 %016lx r12 %016lx r13 %016lx",
	    lpk__register(context, REG_R10), lpk__register(context, REG_R11),
	    lpk__register(context, REG_R12), lpk__register(context, REG_R13));
	lpk_emerg("panic: r14 %016lx r15 %016lx cr2 %016lx trap %lu err %lx",
	    lpk__register(context, REG_R14), lpk__register(context, REG_R15),
	    lpk__register(context, REG_CR2), lpk__register(context, REG_TRAPNO),
	    lpk__register(context, REG_ERR));
}

#elif defined(__i386__)

static inline unsigned long
lpk__register(const ucontext_t *context, int number)
{
	return (unsigned long)context->uc_mcontext.gregs[number];
}

static inline unsigned long
lpk__register_pc(const ucontext_t *context)
{
	return lpk__register(context, REG_EIP);
}

static inline void
lpk__registers_log(const ucontext_t *context)
{
	lpk_emerg("panic: eip %08lx esp %08lx ebp %08lx flags %08lx",
	    lpk__register(context, REG_EIP), lpk__register(context, REG_ESP),
	    lpk__register(context, REG_EBP), lpk__register(context, REG_EFL));
	lpk_emerg("panic: eax %08lx ebx %08lx ecx %08lx edx %08lx esi %08lx "
		  "edi %08lx",
	    lpk__register(context, REG_EAX), lpk__register(context, REG_EBX),
	    lpk__register(context, REG_ECX), lpk__register(context, REG_EDX),
	    lpk__register(context, REG_ESI), lpk__register(context, REG_EDI));
}

#elif defined(__aarch64__)

static inline unsigned long
lpk__register_pc(const ucontext_t *context)
{
	return (unsigned long)context->uc_mcontext.pc;
}

static inline void
lpk__registers_log(const ucontext_t *context)
{
	int i;

	lpk_emerg("panic: pc %016lx sp %016lx pstate %08lx",
	    lpk__register_pc(context), (unsigned long)context->uc_mcontext.sp,
	    (unsigned long)context->uc_mcontext.pstate);
	for (i = 0; i + 3 < 31; i += 4)
		lpk_emerg("panic: x%-2d %016lx %016lx %016lx %016lx", i,
		    (unsigned long)context->uc_mcontext.regs[i],
		    (unsigned long)context->uc_mcontext.regs[i + 1],
		    (unsigned long)context->uc_mcontext.regs[i + 2],
		    (unsigned long)context->uc_mcontext.regs[i + 3]);
}

#else

static inline unsigned long
lpk__register_pc(const ucontext_t *context)
{
	(void)context;
	return 0;
}

static inline void
lpk__registers_log(const ucontext_t *context)
{
	(void)context;
}

#endif

#endif /* LPK_REGISTERS_H */
