/* SPDX-License-Identifier: MIT */
/*
 * sites_list.c - keeping, sorting and printing what `lpk sites` found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/message.h"
#include "lists.h"
#include "output_data.h"
#include "sites.h"
#include "tool.h"

static const char *const states[] = {NULL, "?", "new", "off", "on"};

/* ---- keeping ---- */

static void
no_memory(struct site_list *list)
{
	if (!list->partial)
		complain("out of memory");
	list->partial = true;
}

void
site_list_module(struct site_list *list, const char *name)
{
	char *copy;

	/* Of more files than any process has, the last name is for the rest. */
	if (list->modules_count == SITE_MODULES_MAX)
		return;
	copy = strdup(name);
	if (copy == NULL)
		no_memory(list);
	else
		list->modules[list->modules_count++] = copy;
}

/* The strings of a place into one piece of memory. */
static bool
copy_strings(struct lpk__place *copy, const struct lpk__place *place)
{
	const char **to[] = {&copy->format, &copy->prefix, &copy->subsystem,
	    &copy->file, &copy->function};
	size_t bytes = 0, length, i;
	char *memory;

	*copy = *place;
	for (i = 0; i < sizeof(to) / sizeof(*to); i++) {
		if (*to[i] == NULL)
			*to[i] = "";
		bytes += strlen(*to[i]) + 1;
	}
	memory = malloc(bytes);
	/* The format is the first: it is freed by its name. */
	for (i = 0; memory != NULL && i < sizeof(to) / sizeof(*to); i++) {
		length = strlen(*to[i]) + 1;
		memcpy(memory, *to[i], length);
		*to[i] = memory;
		memory += length;
	}
	return memory != NULL;
}

void
site_list_add(struct site_list *list, const struct lpk__place *place,
    enum site_state state)
{
	struct listed *site;

	if (list->count == list->room) {
		size_t room = list->room != 0 ? 2 * list->room : 64;

		site = realloc(list->sites, room * sizeof(*site));
		if (site == NULL) {
			no_memory(list);
			return;
		}
		list->sites = site;
		list->room = room;
	}
	site = &list->sites[list->count];
	site->state = state;
	site->module = list->modules_count - (list->modules_count != 0);
	if (copy_strings(&site->place, place))
		list->count++;
	else
		no_memory(list);
}

static void
forget(const struct listed *site)
{
	free((void *)(uintptr_t)site->place.format);
}

void
site_list_free(struct site_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		forget(&list->sites[i]);
	for (i = 0; i < list->modules_count; i++)
		free(list->modules[i]);
	free(list->sites);
	memset(list, 0, sizeof(*list));
}

/* ---- sorting ---- */

static int
compare_places(const struct lpk__place *a, const struct lpk__place *b)
{
	int order = strcmp(a->file, b->file);

	if (order == 0)
		order = (a->line > b->line) - (a->line < b->line);
	if (order == 0)
		order = strcmp(a->function, b->function);
	if (order == 0)
		order = strcmp(a->format, b->format);
	if (order == 0)
		order = strcmp(a->subsystem, b->subsystem);
	if (order == 0)
		order = strcmp(a->prefix, b->prefix);
	if (order == 0)
		order = (int)a->level - (int)b->level;
	return order != 0 ? order : (int)a->flags - (int)b->flags;
}

static int
compare(const void *a, const void *b)
{
	const struct listed *one = a, *other = b;
	int order = compare_places(&one->place, &other->place);

	/* Of the same, the one that comes first is kept. */
	return order != 0 ? order : (int)other->state - (int)one->state;
}

void
site_list_sort(struct site_list *list)
{
	size_t i, kept = 0;

	if (list->count == 0)
		return;
	qsort(list->sites, list->count, sizeof(*list->sites), compare);
	for (i = 1; i < list->count; i++) {
		if (compare_places(
			&list->sites[kept].place, &list->sites[i].place) == 0)
			forget(&list->sites[i]);
		else
			list->sites[++kept] = list->sites[i];
	}
	list->count = kept + 1;
}

/* ---- printing ---- */

/* Strings of a file, of which a terminal must not see all. */
static void
put_string(FILE *stream, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(*text < ' ' || *text > '~' ? '?' : *text, stream);
}

static const char *
format_of(const struct lpk__place *place)
{
	return place->flags & LPK_SITE_KERN ? lpk__kern_skip(place->format) :
					      place->format;
}

static void
put_line(FILE *stream, const struct listed *site)
{
	const struct lpk__place *place = &site->place;
	const char *format = format_of(place);

	put_string(stream, place->file);
	fprintf(stream, ":%lu [", (unsigned long)place->line);
	put_string(stream, place->subsystem);
	fputc(']', stream);
	put_string(stream, place->function);
	fprintf(stream, " %s ", level_name(place->level & 7));
	if (site->state != SITE_UNASKED)
		fprintf(stream, "%s ", states[site->state]);
	json_string(stream, format, strlen(format));
}

static void
put_member(const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	printf(", \"%s\": ", name);
	json_string(stdout, text, strlen(text));
}

static void
put_json(const struct site_list *list, const struct listed *site)
{
	const struct lpk__place *place = &site->place;

	fputs("{\"file\": ", stdout);
	json_string(stdout, place->file, strlen(place->file));
	printf(", \"line\": %lu", (unsigned long)place->line);
	put_member("function", place->function);
	put_member("subsystem", place->subsystem);
	printf(", \"level\": \"%s\"", level_name(place->level & 7));
	if (site->state != SITE_UNASKED)
		printf(", \"state\": \"%s\"",
		    site->state == SITE_UNKNOWN ? "unknown" :
						  states[site->state]);
	put_member("prefix", place->prefix);
	put_member("format", format_of(place));
	if (list->modules_count != 0)
		put_member("module", list->modules[site->module]);
	fputc('}', stdout);
}

bool
site_list_print(const struct site_list *list,
    const struct site_options *options, bool first)
{
	const struct listed *site;
	size_t i, bytes;
	char *line;
	FILE *stream;

	for (i = 0; i < list->count; i++) {
		site = &list->sites[i];
		if (options->levels != 0 &&
		    (options->levels & 1u << (site->place.level & 7)) == 0)
			continue;
		line = NULL;
		stream = open_memstream(&line, &bytes);
		if (stream == NULL)
			break;
		put_line(stream, site);
		fclose(stream);
		if (!options->match ||
		    (line != NULL &&
			regexec(&options->pattern, line, 0, NULL, 0) == 0)) {
			if (options->json) {
				fputs(first ? "\n   " : ",\n   ", stdout);
				put_json(list, site);
			} else {
				puts(line != NULL ? line : "");
			}
			first = false;
		}
		free(line);
	}
	return first;
}
