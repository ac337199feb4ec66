/* SPDX-License-Identifier: MIT */
/*
 * watch.c - `lpk watch`: be there when a program dies, or hangs.
 */
#include "watch.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosted/announce.h"
#include "run_child.h"
#include "tool.h"

/* Records that are shown of a process that hangs, even if they were printed. */
#define TAIL 10
/* From SIGABRT, after which a process may have a last word, to SIGKILL. */
#define ABORT_NS UINT64_C(5000000000)
#define TICK_MIN_NS UINT64_C(50000000)

static const struct option names[] = {
    {"pid", required_argument, NULL, 'p'},
    {"save", required_argument, NULL, 's'},
    {"hang", required_argument, NULL, 'H'},
    {"abort", no_argument, NULL, 'A'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk watch [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "       lpk watch [OPTION...] -p PID\n"
    "Hold the log of a program, and print at its death what no console had.\n"
    "  -p, --pid PID       of a process that runs already\n"
    "      --save FILE     the log, at its end; earlier ones become FILE.1, "
    "...\n"
    "      --hang SECONDS  tell when it stores and prints nothing for so long\n"
    "      --abort         and end it then: SIGABRT, later SIGKILL\n"
    "Exits with the program's status, 128 + N after signal N.\n";

struct watch {
	struct held held;
	struct child child;
	const char *save;
	uint64_t hang_ns; /* 0: nobody cares */
	bool abort;
	/* Of the heartbeat. */
	uint64_t pulse;
	uint64_t beat_ns; /* when it changed */
	bool hangs;       /* and it was said */
	uint64_t kill_ns; /* when patience ends; 0: never */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
tell_hang(struct watch *watch, const struct source *source, uint64_t now)
{
	complain("process %ld: no sign of life for %.1f s",
	    (long)watch->child.pid, (double)(now - watch->beat_ns) / 1e9);
	watch_tail(source, TAIL, false);
	complain("process %ld: its threads:", (long)watch->child.pid);
	watch_threads(watch->child.pid);
	watch->hangs = true;
	if (!watch->abort)
		return;
	complain("process %ld: is ended by SIGABRT", (long)watch->child.pid);
	child_kill(&watch->child, SIGABRT);
	watch->kill_ns = now + ABORT_NS;
}

static void
feel_pulse(struct watch *watch)
{
	const struct source *source = held_main(&watch->held);
	uint64_t now = now_ns(), pulse;

	if (watch->kill_ns != 0) {
		if (now >= watch->kill_ns) {
			complain("process %ld: is ended by SIGKILL",
			    (long)watch->child.pid);
			child_kill(&watch->child, SIGKILL);
			watch->kill_ns = UINT64_MAX;
		}
		return;
	}
	if (source == NULL || !watch_pulse(source, &pulse))
		return;
	if (watch->beat_ns == 0 || pulse != watch->pulse ||
	    watch_excused(watch->child.pid)) {
		if (watch->hangs)
			complain(
			    "process %ld: goes on", (long)watch->child.pid);
		watch->hangs = false;
		watch->pulse = pulse;
		watch->beat_ns = now;
	} else if (!watch->hangs && now - watch->beat_ns >= watch->hang_ns) {
		tell_hang(watch, source, now);
	}
}

/* Until the process is dead. */
static void
stay(struct watch *watch)
{
	struct pollfd fds[] = {
	    {.fd = watch->child.pidfd, .events = POLLIN},
	    {.fd = watch->child.signals, .events = POLLIN},
	    {.fd = watch->held.listening, .events = POLLIN},
	};
	uint64_t tick = watch->hang_ns / 8;
	int timeout = -1;

	if (tick < TICK_MIN_NS)
		tick = TICK_MIN_NS;
	if (watch->hang_ns != 0)
		timeout = (int)(tick / 1000000);
	do {
		if (poll(fds, 3, timeout) < 0 && errno != EINTR)
			break;
		child_forward(&watch->child);
		held_take(&watch->held);
		if (watch->hang_ns != 0 && (fds[0].revents & POLLIN) == 0)
			feel_pulse(watch);
	} while ((fds[0].revents & POLLIN) == 0);
}

static int
finish(struct watch *watch)
{
	char text[128];
	int status;

	held_take(&watch->held);
	status = child_end(&watch->child, text, sizeof(text));
	if (watch->held.count == 0)
		complain("process %ld: had no log that outlives it",
		    (long)watch->child.pid);
	if (!watch_last_words(&watch->held, watch->save) && !watch->child.ours)
		status = TOOL_PARTIAL;
	if (text[0] != '\0')
		complain("process %ld %s", (long)watch->child.pid, text);
	else if (!watch->child.ours)
		complain("process %ld has ended", (long)watch->child.pid);
	return status;
}

static int
watch_program(struct watch *watch, char **argv)
{
	int failed;

	if (!held_listen(&watch->held) ||
	    setenv(LPK__WATCH_VARIABLE, watch->held.name, 1) != 0 ||
	    setenv("LPK_REGION", "memfd", 0) != 0) {
		complain("%s", strerror(errno));
		return CHILD_FAILED;
	}
	failed = child_start(&watch->child, argv, NULL, environ);
	if (failed != 0)
		return failed;
	watch->held.main = watch->child.pid;
	stay(watch);
	return finish(watch);
}

static int
watch_process(struct watch *watch, pid_t pid)
{
	static struct sources sources;

	watch->held.listening = -1;
	/* First, so that the log is of the process that we see die. */
	if (!child_attach(&watch->child, pid)) {
		complain("process %ld: %s", (long)pid, strerror(errno));
		return TOOL_UNUSABLE;
	}
	if (!source_add_pid(&sources, pid))
		return TOOL_UNUSABLE;
	if (sources.source[0].base != 0) {
		complain("process %ld: its log has no region: it would end "
			 "with the process",
		    (long)pid);
		return TOOL_UNUSABLE;
	}
	watch->held.source[0] = sources.source[0];
	watch->held.count = 1;
	watch->held.main = pid;
	stay(watch);
	return finish(watch);
}

static bool
read_options(struct watch *watch, pid_t *pid, int argc, char **argv)
{
	double seconds;
	int option;
	char *end;

	while ((option = getopt_long(argc, argv, "+p:h", names, NULL)) != -1) {
		switch (option) {
		case 'p':
			*pid = (pid_t)strtol(optarg, &end, 10);
			if (*end != '\0' || *pid <= 0)
				return false;
			break;
		case 's':
			watch->save = optarg;
			break;
		case 'H':
			seconds = strtod(optarg, &end);
			if (*end != '\0' || !(seconds >= 0.1) ||
			    seconds > 86400)
				return false;
			watch->hang_ns = (uint64_t)(seconds * 1e9);
			break;
		case 'A':
			watch->abort = true;
			break;
		default:
			return false;
		}
	}
	return (*pid != 0) != (optind < argc) &&
	    (!watch->abort || watch->hang_ns != 0);
}

int
watch_main(int argc, char **argv)
{
	static struct watch watch;
	pid_t pid = 0;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return TOOL_COMPLETE;
	}
	if (!read_options(&watch, &pid, argc, argv)) {
		fputs(help, stderr);
		return CHILD_FAILED;
	}
	if (pid != 0) {
		watch.child.signals = -1;
		return watch_process(&watch, pid);
	}
	if (!child_hold_signals(&watch.child)) {
		complain("%s", strerror(errno));
		return CHILD_FAILED;
	}
	return watch_program(&watch, argv + optind);
}
