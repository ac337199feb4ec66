/* SPDX-License-Identifier: MIT */
/*
 * run_child.h - a program that was started, its signals, and its end.
 */
#ifndef LPK_TOOLS_RUN_CHILD_H
#define LPK_TOOLS_RUN_CHILD_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Exit statuses of who starts programs; as env(1) and timeout(1) have them. */
enum { CHILD_FAILED = 125, CHILD_NOT_RUN = 126, CHILD_NOT_FOUND = 127 };

struct child {
	pid_t pid;
	int pidfd;   /* readable when it is dead */
	int signals; /* signalfd(2); readable when there is one to pass on */
	bool ours;   /* to be waited for */
};

/*
 * Hold back what is to be passed on, before anything else is done. False when
 * the system does not let us.
 */
bool child_hold_signals(struct child *child);

/*
 * Start a program. @actions: for its descriptors; may be NULL. Returns 0, or
 * the status to exit with, when all is said.
 */
int child_start(struct child *child, char **argv,
    const posix_spawn_file_actions_t *actions, char **environment);

/* One that runs already. */
bool child_attach(struct child *child, pid_t pid);

void child_kill(const struct child *child, int number);

/* Pass on the signals that came. */
void child_forward(const struct child *child);

/*
 * After its end: the status to exit with, and how it ended as a sentence ("" for
 * an exit with 0, or when it is not known).
 */
int child_end(const struct child *child, char *text, size_t bytes);

#endif /* LPK_TOOLS_RUN_CHILD_H */
