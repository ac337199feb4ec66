/* SPDX-License-Identifier: MIT */
/*
 * output.c - records as lines of a terminal, and of /dev/kmsg. What a terminal
 * would obey is escaped; the formats for programs are in output_data.c.
 */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include <lpk/port.h>

#include "lists.h"
#include "output_data.h"

/* Escaped, each byte may become four, each newline a prefix. */
#define LINES_BYTES ((size_t)LPK_TEXT_MAX * 20 + 64)
/* What lpk_record_print() begins each line with at time 0. */
#define BARE_PREFIX "[    0.000000] "

#define GREEN "\033[32m"
#define BROWN "\033[33m"
#define PLAIN "\033[0m"

static const char *
colour_of(unsigned int level)
{
	static const char *const colours[] = {"\033[7m\033[31m",
	    "\033[7m\033[31m", "\033[1m\033[31m", "\033[31m", "\033[1m", "", "",
	    "\033[2m"};

	return level < 8 ? colours[level] : "";
}

/* The text as lines, without what a terminal would obey. */
static void
escape(const struct entry *entry, char *lines)
{
	const size_t skip = sizeof(BARE_PREFIX) - 1;
	struct lpk_record bare = entry->record;
	char *from = lines, *to = lines, *end;

	bare.time_ns = 0;
	lpk_record_print(
	    &bare, entry->text, LPK_STYLE_TEXT, lines, LINES_BYTES);
	while ((end = strchr(from, '\n')) != NULL) {
		size_t length;

		from += skip;
		length = (size_t)(end - from) + 1;
		memmove(to, from, length);
		to += length;
		from = end + 1;
	}
	*to = '\0';
}

/* Whose it is, where there are several. */
static size_t
put_program(struct output *output, const struct entry *entry)
{
	if (!output->show_program)
		return 0;
	return (size_t)fprintf(output->stream,
	    "%s[%lu]: ", entry->session->program,
	    (unsigned long)entry->session->pid);
}

/* All that goes before a text; returns how many columns it takes. */
static size_t
put_prefix(struct output *output, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;
	const char *facility = facility_name(record->facility);
	char text[TIME_TEXT];
	size_t columns = 0, length;
	unsigned int i;

	if (output->decode)
		columns += (size_t)fprintf(output->stream,
		    "%-6s:%-6s: ", facility != NULL ? facility : "?",
		    level_name(record->level));
	for (i = 0; i < output->time_count; i++) {
		length = time_print(text, output->times[i], record->time_ns,
		    record->realtime_ns, &output->before);
		if (output->colours && length != 0)
			fprintf(output->stream, GREEN "%.*s" PLAIN " ",
			    (int)length - 1, text);
		else
			fputs(text, output->stream);
		columns += length;
	}
	if (output->show_program)
		columns += (size_t)fprintf(output->stream,
		    "%s[%lu]: ", entry->session->program,
		    (unsigned long)entry->session->pid);
	return columns;
}

/* One line of a text: what goes before its ": " in brown, as dmesg has it. */
static void
put_line(struct output *output, unsigned int level, const char *line,
    size_t bytes, bool first)
{
	const char *colour = colour_of(level);
	size_t name = 0;

	if (!output->colours) {
		fwrite(line, 1, bytes, output->stream);
		return;
	}
	if (first) {
		const char *colon = memchr(line, ':', bytes);

		if (colon != NULL && colon + 1 < line + bytes &&
		    colon[1] == ' ')
			name = (size_t)(colon - line) + 1;
	}
	if (name != 0)
		fprintf(output->stream, BROWN "%.*s" PLAIN, (int)name, line);
	fprintf(output->stream, "%s%.*s%s", colour, (int)(bytes - name),
	    line + name, colour[0] != '\0' ? PLAIN : "");
}

static void
put_text(struct output *output, const struct entry *entry)
{
	size_t columns = put_prefix(output, entry);
	char *lines = malloc(LINES_BYTES);
	const char *at = lines, *end;

	if (lines == NULL)
		return;
	if (output->no_escape)
		snprintf(lines, LINES_BYTES, "%s\n", entry->text);
	else
		escape(entry, lines);
	while ((end = strchr(at, '\n')) != NULL) {
		if (at != lines && output->force_prefix)
			put_prefix(output, entry);
		else if (at != lines)
			fprintf(output->stream, "%*s", (int)columns, "");
		put_line(output, entry->record.level, at, (size_t)(end - at),
		    at == lines);
		fputc('\n', output->stream);
		at = end + 1;
	}
	free(lines);
}

static void
put_styled(
    struct output *output, const struct entry *entry, enum lpk_style style)
{
	char *lines = malloc(LINES_BYTES);

	if (lines == NULL)
		return;
	lpk_record_print(
	    &entry->record, entry->text, style, lines, LINES_BYTES);
	fputs(lines, output->stream);
	free(lines);
}

/* Said in the words of the consoles, as a record where that is what is read. */
static void
put_lost(struct output *output, const struct entry *entry)
{
	struct entry notice = *entry;
	char text[64];

	snprintf(text, sizeof(text), "** %llu printk messages dropped **",
	    (unsigned long long)entry->lost);
	if (output->kind == OUTPUT_TEXT) {
		put_program(output, entry);
		fprintf(output->stream, "%s\n", text);
		return;
	}
	notice.lost = 0;
	notice.text = text;
	notice.record.text_bytes = (uint32_t)strlen(text);
	notice.record.level = LPK_WARN;
	if (output->kind == OUTPUT_RAW)
		put_styled(output, &notice, LPK_STYLE_PRIO);
	else
		put_styled(output, &notice, LPK_STYLE_KMSG);
}

void
output_entry(struct output *output, const struct entry *entry)
{
	switch (output->kind) {
	case OUTPUT_JSON:
	case OUTPUT_JSON_LIST:
		output_json(output, entry);
		break;
	case OUTPUT_EXPORT:
		output_export(output, entry);
		break;
	case OUTPUT_TEXT:
	case OUTPUT_RAW:
	case OUTPUT_KMSG:
		if (entry->lost != 0)
			put_lost(output, entry);
		else if (output->kind == OUTPUT_TEXT)
			put_text(output, entry);
		else
			put_styled(output, entry,
			    output->kind == OUTPUT_RAW ? LPK_STYLE_PRIO :
							 LPK_STYLE_KMSG);
		break;
	}
	output->begun = true;
	if (entry->lost == 0)
		time_shown(&output->before, entry->record.time_ns,
		    entry->record.realtime_ns);
}

void
output_end(struct output *output)
{
	if (output->kind == OUTPUT_JSON_LIST)
		fputs(output->begun ? "\n   ]\n}\n" :
				      "{\n   \"dmesg\": [\n   ]\n}\n",
		    output->stream);
	fflush(output->stream);
}
