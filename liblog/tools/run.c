/* SPDX-License-Identifier: MIT */
/*
 * run.c - `lpk run`. That stores records, which this program cannot: it is done
 * by lpk-run, a program of its own beside this one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run_child.h"
#include "tool.h"

#define RUNNER "lpk-run"

int
run_main(int argc, char **argv)
{
	char path[PATH_MAX + sizeof(RUNNER)];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;

	(void)argc;
	path[length > 0 ? length : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash != NULL) {
		strcpy(slash + 1, RUNNER);
		execv(path, argv);
	}
	/* It may have been installed elsewhere. */
	execvp(RUNNER, argv);
	complain("%s: %s", RUNNER, strerror(errno));
	return CHILD_FAILED;
}
