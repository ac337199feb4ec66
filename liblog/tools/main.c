/* SPDX-License-Identifier: MIT */
/*
 * main.c - lpk, the tool: which command is meant.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
    {"dmesg", dmesg_main, "show the records of a log, of the living and dead"},
    {"sites", sites_main, "list the calls of a program, a process or a log"},
    {"stat", stat_main, "show the accounts of a log and of its consoles"},
    {"level", level_main, "change a console of a living process"},
    {"watch", watch_main, "start a program, and tell its last words"},
    {"run", run_main, "take what a program prints into a log"},
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

void
complain(const char *format, ...)
{
	va_list arguments;

	/* The order of the two streams is that of what they say. */
	fflush(stdout);
	fputs("lpk: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

static void
usage(FILE *stream)
{
	size_t i;

	fputs("usage: lpk COMMAND [OPTION...]\n", stream);
	for (i = 0; i < COMMANDS; i++)
		fprintf(
		    stream, "  %-8s %s\n", commands[i].name, commands[i].what);
	fputs("Each takes --help. The manual is lpk(1).\n", stream);
}

int
main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return TOOL_UNUSABLE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return TOOL_COMPLETE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		printf("lpk %s\n", lpk_version());
		return TOOL_COMPLETE;
	}
	for (i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	complain("%s: no such command", argv[1]);
	usage(stderr);
	return TOOL_UNUSABLE;
}
