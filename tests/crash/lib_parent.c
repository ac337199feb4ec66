/* SPDX-License-Identifier: MIT */
/*
 * lib_parent.c - start a child, drain its pipe, wait for its end.
 */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 60000000000ull
#define CORE_BYTES ((rlim_t)1 << 30)

void
run_wrong(struct run *run, const char *format, ...)
{
	size_t used = strlen(run->wrong);
	va_list arguments;

	if (used > sizeof(run->wrong) - 100)
		return;
	if (used != 0)
		used += (size_t)snprintf(
		    run->wrong + used, sizeof(run->wrong) - used, "; ");
	va_start(arguments, format);
	vsnprintf(
	    run->wrong + used, sizeof(run->wrong) - used, format, arguments);
	va_end(arguments);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* In the new process: what it may do, and where its words go. */
static void
become(const struct run *run)
{
	const struct rlimit core = {
	    run->core ? CORE_BYTES : 0, run->core ? CORE_BYTES : 0};
	char number[16];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* ThreadSanitizer wants its shadow where something else may be. */
	if (run->death->build != NULL)
		personality(ADDR_NO_RANDOMIZE);
	if (chdir(run->page->folder) != 0)
		_exit(99);
	fd = open("err", O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	if (run->death->flags & FULL)
		dup2(open("/dev/full", O_WRONLY), 30);
	setrlimit(RLIMIT_CORE, &core);
	if (run->death->flags & CGROUP)
		cgroup_enter();
	signal(SIGPIPE, SIG_DFL);
	close(run->pipe_read);
	snprintf(number, sizeof(number), "%d", run->page_fd);
	execl(run->program, "child", "--child", run->death->number, number,
	    (char *)NULL);
	_exit(99);
}

/* The one process that a namespace of its own begins with. */
static void
become_first(const struct run *run)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID) != 0)
		_exit(99);
	pid = fork();
	if (pid == 0)
		become(run);
	close(run->pipe_write);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(99);
	/* As a status, where there is no other way to hand it on. */
	atomic_store(&run->page->inner, status + 1);
	_exit(0);
}

void
run_start(struct run *run)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
	run->pipe_read = ends[0];
	run->pipe_write = fcntl(ends[1], F_DUPFD, 20);
	close(ends[1]);
	if (run->death->flags & STALLED)
		fcntl(run->pipe_write, F_SETPIPE_SZ, 4096);
	run->page->fd_a = run->pipe_write;
	run->drained = NULL;
	run->drained_bytes = 0;
	run->wrong[0] = '\0';
	run->pid = fork();
	if (run->pid < 0)
		abort();
	if (run->pid == 0) {
		if (run->death->flags & NAMESPACE)
			become_first(run);
		become(run);
	}
	close(run->pipe_write);
}

static bool
drain(struct run *run, int wait_ms)
{
	struct pollfd end = {.fd = run->pipe_read, .events = POLLIN};
	ssize_t got;

	if (run->pipe_read < 0 || poll(&end, 1, wait_ms) <= 0) {
		if (run->pipe_read < 0)
			poll(NULL, 0, wait_ms);
		return false;
	}
	run->drained = realloc(run->drained, run->drained_bytes + 65536);
	if (run->drained == NULL)
		abort();
	got = read(run->pipe_read, run->drained + run->drained_bytes, 65536);
	if (got > 0)
		run->drained_bytes += (size_t)got;
	if (got > 0 && (run->death->flags & HANGS_UP)) {
		close(run->pipe_read);
		run->pipe_read = -1;
	}
	if (got <= 0)
		usleep(200);
	return got > 0;
}

void
run_end(struct run *run)
{
	uint64_t began = now_ns(), died;
	bool called = false, waits = (run->death->flags & STALLED) != 0;

	while (waitpid(run->pid, &run->status, WNOHANG) == 0) {
		if (waits)
			usleep(1000);
		else
			drain(run, 5);
		if (!called && atomic_load(&run->page->calls_parent) != 0 &&
		    run->death->during != NULL) {
			called = true;
			run->death->during(run);
		}
		if (now_ns() - began > PATIENCE_NS) {
			run_wrong(run, "it does not die");
			kill(run->pid, SIGKILL);
		}
	}
	died = atomic_load(&run->page->death_ns);
	run->took_ns = died != 0 ? now_ns() - died : 0;
	while (drain(run, 0))
		;
	if (run->pipe_read >= 0)
		close(run->pipe_read);
	if (run->death->flags & NAMESPACE)
		run->status = atomic_load(&run->page->inner) - 1;
}
