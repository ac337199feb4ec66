/* SPDX-License-Identifier: MIT */
/*
 * lib_hook.c - what lpk_hook() does in a test.
 */
#include "lib_hook.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lpk_atomic.h"

static struct {
	void (*handler)(int level);
	void (*function)(void);
} interruption;

static __thread struct {
	bool on;
	int level;
	long thread;
	struct hook_plan plan;
	uint32_t count[HOOK_LEVELS];
	bool hit[HOOK_LEVELS];
} self __attribute__((tls_model("initial-exec")));

static void
on_signal(int number)
{
	int saved = errno;

	(void)number;
	self.level++;
	if (self.level < HOOK_LEVELS)
		self.count[self.level] = 0;
	interruption.handler(self.level);
	self.level--;
	errno = saved;
}

void
lpk_hook(void)
{
	int level = self.level;

	if (!self.on || level >= HOOK_LEVELS ||
	    self.count[level]++ != self.plan.at[level] || self.hit[level])
		return;
	self.hit[level] = true;
	if (interruption.function != NULL)
		interruption.function();
	else
		syscall(SYS_tgkill, getpid(), self.thread, SIGUSR1);
}

void
hook_signal(void (*handler)(int level))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = SA_NODEFER;
	sigemptyset(&action.sa_mask);
	interruption.handler = handler;
	interruption.function = NULL;
	if (sigaction(SIGUSR1, &action, NULL) != 0)
		abort();
}

void
hook_call(void (*function)(void))
{
	interruption.function = function;
}

void
hook_begin(const struct hook_plan *plan)
{
	memset(&self, 0, sizeof(self));
	self.plan = *plan;
	self.thread = syscall(SYS_gettid);
	self.on = true;
}

uint32_t
hook_end(void)
{
	self.on = false;
	return self.count[0];
}

bool
hook_hit(int level)
{
	return self.hit[level];
}
