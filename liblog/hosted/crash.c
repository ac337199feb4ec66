/* SPDX-License-Identifier: MIT */
/*
 * crash.c - the signals that a process dies of, and dying of them as if we had
 * not been there.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <lpk/console.h>
#include <lpk/port.h>

#include "lpk_atomic.h"
#include "panic.h"
#include "region.h"
#include "registers.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
#define SIGNALS ((int)(sizeof(signals) / sizeof(signals[0])))

#define FLAGS (LPK_PANIC_BACKTRACE | LPK_PANIC_NO_STACKS | LPK_PANIC_SANDBOX)
/* Of one signal; beyond it the last one makes room. */
#define EARLIER_MAX 4
/* Names of functions are looked up under a lock. */
#define WAITS_IN_LOADER (LPK_PANIC_BACKTRACE | LPK_PANIC_SANDBOX)

static const char *const names[] = {
    "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGSYS", "SIGABRT"};

static struct sigaction ours;
/*
 * What others installed, of each signal: before ours, and over ours, until
 * lpk_panic_rearm() came. The last of them runs first.
 */
static struct sigaction earlier[SIGNALS][EARLIER_MAX];
static int earlier_count[SIGNALS];
static siginfo_t first; /* what the process dies of */
static unsigned long installed_pid;
static unsigned int flags;

static int
index_of(int number)
{
	int i;

	for (i = 0; i < SIGNALS; i++) {
		if (signals[i] == number)
			return i;
	}
	return 0;
}

/* What runs when we have printed; the default action behind the first of all.*/
static struct sigaction
next_of(int i)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	if (earlier_count[i] > 0)
		action = earlier[i][earlier_count[i] - 1];
	return action;
}

static void
add_earlier(int i, const struct sigaction *action)
{
	if (earlier_count[i] == EARLIER_MAX)
		earlier_count[i]--;
	earlier[i][earlier_count[i]++] = *action;
}

/* Did the kernel send it for an instruction that it will find again? */
static bool
is_fault(const siginfo_t *info)
{
	return info->si_code > 0 &&
	    (info->si_signo == SIGSEGV || info->si_signo == SIGBUS ||
		info->si_signo == SIGFPE || info->si_signo == SIGILL);
}

/*
 * Init is not killed by a signal that was sent to it, and be it by itself; what
 * abort() does then is a fault.
 */
static bool
survives(const siginfo_t *info)
{
	return getpid() == 1 && info->si_code <= 0 &&
	    next_of(index_of(info->si_signo)).sa_handler == SIG_DFL;
}

/*
 * Die of it: the handler that was there before is back, and gets the signal
 * when we return, with what the kernel had said about it. If that one calls us,
 * or puts us back, it is the turn of the one before.
 */
static void
die(const siginfo_t *info, bool returns)
{
	int number = info->si_signo, i = index_of(number);
	struct sigaction next = next_of(i);
	bool lives = survives(info);
	sigset_t one;

	sigaction(number, &next, NULL);
	if (earlier_count[i] > 0 && !lives)
		earlier_count[i]--;
	if (returns && (is_fault(info) || lives))
		return;
	/* Who calls us from a handler of his own may have it blocked. */
	if (!returns) {
		sigemptyset(&one);
		sigaddset(&one, number);
		pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	}
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid),
		number, info) != 0 ||
	    !returns)
		_exit(128 + number);
}

/* We have printed: die, or go on as if nobody had sent anything. */
static void
die_or_survive(const siginfo_t *info)
{
	die(info, true);
	if (!survives(info))
		return;
	first.si_signo = 0;
	lpk__panic_survived();
}

/* It was all said before, or cannot be: die of what it was about. */
static void
die_of_first(const siginfo_t *info)
{
	const siginfo_t *why = first.si_signo != 0 ? &first : info;

	if (!survives(why))
		/* Our own fault would only find us again. */
		die(why, false);
	else if (is_fault(info))
		die(info, true);
	else
		die_or_survive(info);
}

/* Who printed dies first: it is its signal that the parent is to see. */
static void
give_way(void)
{
	unsigned int round;

	for (round = 0; round < 2000; round++)
		lpk_port_pause(UINT32_MAX);
}

static bool
is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) != 0 &&
	    action->sa_sigaction == ours.sa_sigaction;
}

/* As the first one, which may have made way for an earlier handler already. */
static void
die_late(const siginfo_t *info)
{
	struct sigaction now;

	if (is_fault(info) && sigaction(info->si_signo, NULL, &now) == 0 &&
	    !is_ours(&now))
		return;
	die(info, true);
}

static void
tell(const siginfo_t *info, const ucontext_t *context)
{
	const char *name = names[index_of(info->si_signo)];

	if (info->si_code > 0)
		lpk_emerg("panic: %s (signal %d, code %d) at address %lx, "
			  "instruction %lx",
		    name, info->si_signo, info->si_code,
		    (unsigned long)info->si_addr, lpk__register_pc(context));
	else if (info->si_code == SI_TKILL &&
	    (unsigned long)info->si_pid == installed_pid)
		lpk_emerg("panic: %s (signal %d) raised by the process itself",
		    name, info->si_signo);
	else
		lpk_emerg("panic: %s (signal %d) sent by process %d", name,
		    info->si_signo, (int)info->si_pid);
}

static void
print(const siginfo_t *info, const ucontext_t *context, bool again)
{
	if (!again) {
		lpk__region_state(LPK__STATE_PANIC,
		    (unsigned long)info->si_signo,
		    lpk_port_caller() & ~LPK_CALLER_HANDLER);
		tell(info, context);
	} else {
		lpk_emerg("panic: %s (signal %d) while printing, at address "
			  "%lx, instruction %lx; going on with the rest",
		    names[index_of(info->si_signo)], info->si_signo,
		    (unsigned long)info->si_addr, lpk__register_pc(context));
	}
	lpk__panic_print();
	/* What nobody may wait for comes after the log is out. */
	if (!again) {
		lpk__registers_log(context);
		if ((flags & LPK_PANIC_BACKTRACE) != 0)
			lpk__backtrace_log();
		/* What dumpers call is not known. */
		if (!lpk_panic_write_only())
			lpk__dump(LPK_DUMP_PANIC);
		lpk__panic_print();
	}
}

/*
 * Consoles raise signals of their own, by a pipe without a reader or a file
 * that is too big. They are held off until we return, and would then kill in
 * the place of the one that we were called for.
 */
static void
swallow(const sigset_t *pending)
{
	static const int raised[] = {SIGPIPE, SIGXFSZ};
	const struct timespec at_once = {0, 0};
	sigset_t one;
	size_t i;

	for (i = 0; i < sizeof(raised) / sizeof(raised[0]); i++) {
		if (sigismember(pending, raised[i]))
			continue;
		sigemptyset(&one);
		sigaddset(&one, raised[i]);
		sigtimedwait(&one, NULL, &at_once);
	}
}

/*
 * Somebody had put another handler in our place, and put us back by signal(),
 * which knows of no siginfo: then there is none. Once more, with it: a fault
 * comes again by itself.
 */
static bool
came_without_info(int number)
{
	struct sigaction now;

	if (sigaction(number, NULL, &now) != 0 ||
	    (now.sa_flags & SA_SIGINFO) != 0 ||
	    now.sa_sigaction != ours.sa_sigaction)
		return false;
	sigaction(number, &ours, NULL);
	if (number == SIGABRT)
		syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
	return true;
}

static void
handle(int number, const siginfo_t *info, const ucontext_t *context)
{
	sigset_t pending;

	if (came_without_info(number))
		return;
	sigemptyset(&pending);
	sigpending(&pending);
	/* A child of vfork(2) runs on our memory; it dies for itself. */
	if ((unsigned long)syscall(SYS_getpid) != installed_pid) {
		die(info, true);
		return;
	}
	switch (lpk__panic_claim()) {
	case LPK__CLAIM_OURS:
		first = *info;
		print(info, context, false);
		lpk__panic_end();
		swallow(&pending);
		die_or_survive(info);
		break;
	case LPK__CLAIM_AGAIN:
		print(info, context, true);
		lpk__panic_end();
		die_of_first(info);
		break;
	case LPK__CLAIM_OVER:
		die_of_first(info);
		break;
	case LPK__CLAIM_LATE:
		give_way();
		die_late(info);
		break;
	}
}

/* What consoles raised is pending, and not to be delivered when we return. */
static void
hold_off(sigset_t *blocked)
{
	sigaddset(blocked, SIGPIPE);
	sigaddset(blocked, SIGXFSZ);
	sigaddset(blocked, SIGTTOU);
}

/*
 * In a sandbox: no system call but write(2). The kernel has put back the
 * default action when it called us, and a fault comes again when we return.
 */
static void
handle_sandboxed(const siginfo_t *info, ucontext_t *context)
{
	enum lpk__claim claim;

	lpk__write_only_enter();
	claim = lpk__panic_claim();
	if (claim == LPK__CLAIM_OURS)
		first = *info;
	if (claim == LPK__CLAIM_OURS || claim == LPK__CLAIM_AGAIN) {
		print(info, context, claim == LPK__CLAIM_AGAIN);
		lpk__panic_end();
	}
	if (claim == LPK__CLAIM_LATE)
		give_way();
	lpk__write_only_exit();
	if (is_fault(info))
		hold_off(&context->uc_sigmask);
	else if (claim == LPK__CLAIM_OURS)
		die_or_survive(info);
	else if (claim == LPK__CLAIM_LATE)
		die_late(info);
	else
		die_of_first(info);
}

static void
handler(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	/* Without siginfo, what is in its place is not of this signal. */
	if ((flags & LPK_PANIC_SANDBOX) != 0 && info->si_signo == number)
		handle_sandboxed(info, context);
	else
		handle(number, info, context);
	errno = saved;
}

/*
 * Everything is held off while we print but what says that printing crashes:
 * those would kill at once if they were blocked.
 */
static void
fill_mask(sigset_t *mask)
{
	int i;

	sigfillset(mask);
	for (i = 0; i < SIGNALS; i++)
		sigdelset(mask, signals[i]);
	sigdelset(mask, SIGTRAP);
}

int
lpk_panic_install(const struct lpk_panic_options *options)
{
	const struct lpk_panic_options defaults = LPK_PANIC_OPTIONS_INIT;
	int i;

	if (options == NULL)
		options = &defaults;
	if (options->size_bytes != sizeof(*options) ||
	    (options->flags & ~FLAGS) != 0 ||
	    (options->flags & WAITS_IN_LOADER) == WAITS_IN_LOADER)
		return -LPK_EINVAL;
	if (installed_pid != 0)
		return -LPK_EBUSY;
	flags = options->flags;
	lpk__panic_set(options);
	if ((flags & LPK_PANIC_BACKTRACE) != 0)
		lpk__backtrace_warm();
	if ((flags & LPK_PANIC_NO_STACKS) == 0) {
		lpk_store_relaxed(&lpk__stack_wanted, 1);
		lpk__stack_get();
	}
	installed_pid = (unsigned long)getpid();
	ours.sa_sigaction = handler;
	ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	if ((flags & LPK_PANIC_SANDBOX) != 0) {
		lpk__write_only_prepare();
		ours.sa_flags |= (int)SA_RESETHAND;
	}
	fill_mask(&ours.sa_mask);
	for (i = 0; i < SIGNALS; i++) {
		struct sigaction before;

		if (sigaction(signals[i], &ours, &before) != 0)
			return -LPK_EIO;
		earlier_count[i] = 0;
		add_earlier(i, &before);
	}
	return LPK_OK;
}

/*
 * First it is known what runs behind ours, then ours is there. Ours without
 * siginfo, as signal() puts it back, is not somebody else's.
 */
int
lpk_panic_rearm(void)
{
	struct sigaction now;
	int taken = 0, i;

	if (installed_pid == 0)
		return -LPK_EINVAL;
	for (i = 0; i < SIGNALS; i++) {
		if (sigaction(signals[i], NULL, &now) != 0)
			return -LPK_EIO;
		if (is_ours(&now))
			continue;
		if (now.sa_sigaction != ours.sa_sigaction)
			add_earlier(i, &now);
		if (sigaction(signals[i], &ours, NULL) != 0)
			return -LPK_EIO;
		taken++;
	}
	return taken;
}

void
lpk_panic_uninstall(void)
{
	struct sigaction now;
	int i;

	if (installed_pid == 0)
		return;
	for (i = 0; i < SIGNALS; i++) {
		struct sigaction before = next_of(i);

		sigaction(signals[i], NULL, &now);
		if (is_ours(&now))
			sigaction(signals[i], &before, NULL);
	}
	installed_pid = 0;
	lpk_store_relaxed(&lpk__stack_wanted, 0);
}

int
lpk_thread_init(void)
{
	return installed_pid != 0 ? lpk__stack_get() : -LPK_EINVAL;
}

/* The child's crashes are its own; see life.c. */
void
lpk__crash_forked(void)
{
	if (installed_pid != 0)
		installed_pid = (unsigned long)getpid();
}
