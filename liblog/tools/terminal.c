/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - colours and the pager, by the usual rules.
 */
#include "terminal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pager = -1;

bool
colour_parse(const char *text, enum colour_when *when)
{
	if (text == NULL || strcmp(text, "auto") == 0)
		*when = COLOUR_AUTO;
	else if (strcmp(text, "always") == 0)
		*when = COLOUR_ALWAYS;
	else if (strcmp(text, "never") == 0)
		*when = COLOUR_NEVER;
	else
		return false;
	return true;
}

static bool
is_set(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

bool
colour_wanted(enum colour_when when)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (when != COLOUR_AUTO)
		return when == COLOUR_ALWAYS;
	if (no != NULL && no[0] != '\0')
		return false;
	if (is_set("CLICOLOR_FORCE") || is_set("FORCE_COLOR"))
		return true;
	return isatty(STDOUT_FILENO) && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

FILE *
pager_open(void)
{
	const char *command = getenv("PAGER");
	int ends[2];

	if (!isatty(STDOUT_FILENO))
		return NULL;
	if (command == NULL || command[0] == '\0')
		command = "less";
	if (strcmp(command, "cat") == 0 || pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	pager = fork();
	if (pager == 0) {
		dup2(ends[0], STDIN_FILENO);
		setenv("LESS", "FRSX", 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[0]);
	if (pager > 0)
		return fdopen(ends[1], "w");
	close(ends[1]);
	return NULL;
}

void
pager_close(FILE *stream)
{
	fclose(stream);
	if (pager > 0)
		waitpid(pager, NULL, 0);
	pager = -1;
}
