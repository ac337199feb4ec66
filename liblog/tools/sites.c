/* SPDX-License-Identifier: MIT */
/*
 * sites.c - `lpk sites`: the calls that are compiled into a program, those of a
 * living process and which of them are on, or those that a log has met.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf.h"
#include "image.h"
#include "lists.h"
#include "sites.h"
#include "tool.h"

static const struct option names[] = {
    {"file", required_argument, NULL, 'f'},
    {"pid", required_argument, NULL, 'p'},
    {"core", required_argument, NULL, 'c'},
    {"level", required_argument, NULL, 'l'},
    {"grep", required_argument, NULL, 'g'},
    {"json", no_argument, NULL, 'J'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk sites [OPTION...] BINARY...\n"
    "       lpk sites [OPTION...] -p PID | -f IMAGE | --core CORE\n"
    "A line for each call of lpk:\n"
    "  file:line [subsystem]function level \"format\"\n"
    "  BINARY                those compiled into an executable file or shared\n"
    "                        object\n"
    "  -p, --pid PID         those of a living process; in front of the "
    "format\n"
    "                        is on, off, new (decided by its next call), or ?\n"
    "  -f, --file IMAGE      those that a log in a file has met\n"
    "      --core CORE       those that the logs in a core file have met\n"
    "  -l, --level LIST      only these levels; err+: and worse, +err: and "
    "less\n"
    "  -g, --grep REGEX      only lines that match\n"
    "  -J, --json            as JSON\n"
    "Exit status: 0 all of it, 1 a part, 2 nothing could be read.\n";

struct command {
	struct site_options options;
	struct sources logs;
	bool printed;
	bool none;     /* nothing was printed yet */
	bool readable; /* something was */
	bool partial;
};

static void
print(struct command *command, struct site_list *list)
{
	site_list_sort(list);
	command->none = site_list_print(list, &command->options, command->none);
	command->partial |= list->partial;
	site_list_free(list);
}

/* A file by what is in it. */
static void
do_file(struct command *command, const char *path)
{
	struct site_list list = {.count = 0};
	struct source source = {.fd = -1};
	struct stat status;
	int kind = -1;

	source.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (source.fd >= 0 && fstat(source.fd, &status) == 0 &&
	    S_ISREG(status.st_mode)) {
		snprintf(source.name, sizeof(source.name), "%s", path);
		source.bytes = (uint64_t)status.st_size;
		kind = elf_kind(&source);
	}
	if (kind < 0 || kind == ET_CORE)
		command->partial |= !source_add_file(&command->logs, path);
	else if (sites_of_binary(&list, &source))
		command->readable = true;
	else
		command->partial = true;
	if (source.fd >= 0)
		close(source.fd);
	print(command, &list);
}

static void
do_process(struct command *command, const char *text)
{
	struct site_list list = {.count = 0};
	char *end;
	long pid = strtol(text, &end, 10);

	if (*end != '\0' || pid != (pid_t)pid)
		pid = 0;
	if (sites_of_process(&list, (pid_t)pid))
		command->readable = true;
	else
		command->partial = true;
	print(command, &list);
}

/*
 * Entry by entry. Where a process died before it had said how long one is, the
 * next one is looked for.
 */
static void
do_log(struct command *command, const struct image *image)
{
	const unsigned char *dict = lpk__dict(&image->log);
	uint32_t bytes = image->log.geometry.dict_bytes, at = 0, length;
	struct site_list list = {.count = 0};
	struct lpk__place place;

	while (at < bytes) {
		if (lpk__dict_find(&place, dict, bytes, at / 8 + 1)) {
			site_list_add(&list, &place, SITE_UNASKED);
			memcpy(&length, dict + at, sizeof(length));
			at += (length + 7) & ~UINT32_C(7);
		} else {
			at += 8;
		}
	}
	list.partial |= image->cut;
	print(command, &list);
}

static void
do_logs(struct command *command)
{
	struct image *images;
	unsigned int count, i;

	if (command->logs.count == 0)
		return;
	images = calloc(SOURCES_MAX, sizeof(*images));
	count = images != NULL ?
	    images_open(images, &command->logs, &command->partial) :
	    0;
	for (i = 0; i < count; i++) {
		do_log(command, &images[i]);
		image_close(&images[i]);
		command->readable = true;
	}
	command->partial |= command->logs.partial;
	free(images);
}

static bool
set_pattern(struct site_options *options, const char *text)
{
	char wrong[128];
	int result;

	if (options->match)
		regfree(&options->pattern);
	result = regcomp(&options->pattern, text, REG_EXTENDED | REG_NOSUB);
	options->match = result == 0;
	if (result == 0)
		return true;
	regerror(result, &options->pattern, wrong, sizeof(wrong));
	complain("%s: %s", text, wrong);
	return false;
}

/* What to show; the second time through, of what. */
static bool
read_option(struct command *command, int option, bool of_what)
{
	switch (option) {
	case 'f':
	case 'c':
		if (of_what)
			command->partial |= option == 'f' ?
			    !source_add_file(&command->logs, optarg) :
			    !source_add_core(&command->logs, optarg);
		return true;
	case 'p':
		if (of_what)
			do_process(command, optarg);
		return true;
	case 'l':
		if (levels_parse(optarg, &command->options.levels))
			return true;
		complain("%s: not a list of levels", optarg);
		return false;
	case 'g':
		return of_what || set_pattern(&command->options, optarg);
	case 'J':
		command->options.json = true;
		return true;
	default:
		return false;
	}
}

static bool
read_options(struct command *command, int argc, char **argv, bool of_what)
{
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "f:p:l:g:Jh", names, NULL)) !=
	    -1) {
		if (!read_option(command, option, of_what))
			return false;
	}
	return true;
}

int
sites_main(int argc, char **argv)
{
	static struct command command;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return TOOL_COMPLETE;
		}
	}
	if (argc < 2 || !read_options(&command, argc, argv, false)) {
		fputs(help, stderr);
		return TOOL_UNUSABLE;
	}
	command.none = true;
	if (command.options.json)
		fputs("{\n   \"sites\": [", stdout);
	(void)read_options(&command, argc, argv, true);
	for (; optind < argc; optind++)
		do_file(&command, argv[optind]);
	do_logs(&command);
	if (command.options.json)
		puts("\n   ]\n}");
	if (command.options.match)
		regfree(&command.options.pattern);
	if (!command.readable)
		return TOOL_UNUSABLE;
	return command.partial ? TOOL_PARTIAL : TOOL_COMPLETE;
}
