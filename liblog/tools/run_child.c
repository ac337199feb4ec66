/* SPDX-License-Identifier: MIT */
/*
 * run_child.c - start a program and be to others what it is: who signals us
 * means it, and its status is ours.
 */
#include "run_child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

static const int forwarded[] = {
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* What the signals were before. */
static sigset_t mask_before;

bool
child_hold_signals(struct child *child)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++)
		sigaddset(&set, forwarded[i]);
	if (sigprocmask(SIG_BLOCK, &set, &mask_before) != 0)
		return false;
	child->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return child->signals >= 0;
}

bool
child_attach(struct child *child, pid_t pid)
{
	child->pid = pid;
	child->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return child->pidfd >= 0;
}

int
child_start(struct child *child, char **argv,
    const posix_spawn_file_actions_t *actions, char **environment)
{
	posix_spawnattr_t attributes;
	int failed;

	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attributes, &mask_before);
	failed = posix_spawnp(
	    &child->pid, argv[0], actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	if (failed != 0) {
		complain("%s: %s", argv[0], strerror(failed));
		return failed == ENOENT ? CHILD_NOT_FOUND : CHILD_NOT_RUN;
	}
	child->ours = true;
	/* Nobody has waited for it, so the number is still its own. */
	if (child_attach(child, child->pid))
		return 0;
	complain("pidfd_open: %s", strerror(errno));
	kill(child->pid, SIGKILL);
	return CHILD_FAILED;
}

void
child_kill(const struct child *child, int number)
{
	(void)syscall(SYS_pidfd_send_signal, child->pidfd, number, NULL, 0);
}

void
child_forward(const struct child *child)
{
	struct signalfd_siginfo info;

	while (read(child->signals, &info, sizeof(info)) == sizeof(info)) {
		/* A terminal tells all of its foreground, the program too. */
		if (info.ssi_code == SI_KERNEL)
			continue;
		child_kill(child, (int)info.ssi_signo);
	}
}

int
child_end(const struct child *child, char *text, size_t bytes)
{
	const char *name;
	siginfo_t info;

	text[0] = '\0';
	memset(&info, 0, sizeof(info));
	if (!child->ours ||
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED) != 0)
		return 0;
	if (info.si_code == CLD_EXITED) {
		if (info.si_status != 0)
			snprintf(text, bytes, "exited with status %d",
			    info.si_status);
		return info.si_status;
	}
	name = sigabbrev_np(info.si_status);
	snprintf(text, bytes, "was killed by signal %d (%s)%s", info.si_status,
	    name != NULL ? name : "?",
	    info.si_code == CLD_DUMPED ? ", core dumped" : "");
	return 128 + info.si_status;
}
