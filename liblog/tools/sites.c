/* SPDX-License-Identifier: MIT */
/*
 * sites.c - `lpk sites`: the calls that a log has met, from its dictionary.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dict.h"
#include "core/message.h"
#include "image.h"
#include "lists.h"
#include "output_data.h"
#include "tool.h"

static const struct option names[] = {
    {"file", required_argument, NULL, 'f'},
    {"pid", required_argument, NULL, 'p'},
    {"core", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk sites [-f FILE | -p PID | --core CORE | FILE]...\n"
    "A line for each call that has been reached:\n"
    "  file:line [subsystem]function level \"format\"\n";

/* Strings of an image, of which a terminal must not see all. */
static void
put_string(const char *text)
{
	for (; *text != '\0'; text++)
		putchar(*text < ' ' || *text > '~' ? '?' : *text);
}

static void
put_site(const struct lpk__place *place)
{
	const char *format = place->flags & LPK_SITE_KERN ?
	    lpk__kern_skip(place->format) :
	    place->format;

	put_string(place->file);
	printf(":%lu [", (unsigned long)place->line);
	put_string(place->subsystem);
	putchar(']');
	put_string(place->function);
	printf(" %s ", level_name(place->level & 7));
	json_string(stdout, format, strlen(format));
	putchar('\n');
}

/*
 * Entry by entry. Where a process died before it had said how long one is, the
 * next one is looked for.
 */
static void
put_sites(const struct image *image)
{
	const unsigned char *dict = lpk__dict(&image->log);
	uint32_t bytes = image->log.geometry.dict_bytes, at = 0, length;
	struct lpk__place place;

	while (at < bytes) {
		if (lpk__dict_find(&place, dict, bytes, at / 8 + 1)) {
			put_site(&place);
			memcpy(&length, dict + at, sizeof(length));
			at += (length + 7) & ~UINT32_C(7);
		} else {
			at += 8;
		}
	}
}

static bool
read_options(struct sources *sources, int argc, char **argv)
{
	bool good = true;
	int option;

	while ((option = getopt_long(argc, argv, "f:p:h", names, NULL)) != -1) {
		if (option == 'f')
			good &= source_add_file(sources, optarg);
		else if (option == 'p')
			good &= source_add_pid(
			    sources, (pid_t)strtol(optarg, NULL, 10));
		else if (option == 'c')
			good &= source_add_core(sources, optarg);
		else
			return false;
	}
	for (; optind < argc; optind++)
		good &= source_add_file(sources, argv[optind]);
	sources->partial |= !good;
	return sources->count != 0 || sources->partial;
}

int
sites_main(int argc, char **argv)
{
	static struct sources sources;
	bool partial = false;
	struct image *images;
	unsigned int count, i;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return TOOL_COMPLETE;
	}
	if (!read_options(&sources, argc, argv)) {
		fputs(help, stderr);
		return TOOL_UNUSABLE;
	}
	images = calloc(SOURCES_MAX, sizeof(*images));
	count = images != NULL ? images_open(images, &sources, &partial) : 0;
	for (i = 0; i < count; i++) {
		put_sites(&images[i]);
		partial |= images[i].cut;
		image_close(&images[i]);
	}
	free(images);
	if (count == 0)
		return TOOL_UNUSABLE;
	return partial || sources.partial ? TOOL_PARTIAL : TOOL_COMPLETE;
}
