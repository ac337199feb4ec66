/* SPDX-License-Identifier: MIT */
/*
 * lib_tally.c - reads the lines that benchmarks made. Some 30 ns a line, as it
 * may run on a core that the console wants, too.
 */
#include <stdlib.h>
#include <string.h>

#include "lib_tally.h"

void
bench_tally_clear(struct bench_tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	bench_hist_clear(&tally->visible);
}

/* What is no digit makes a wrong number, which the check finds. */
static uint64_t
hex(const char *text, int digits)
{
	uint64_t value = 0;

	while (digits-- > 0) {
		unsigned int c = (unsigned char)*text++;

		value = value << 4 | ((c & 15) + 9 * (c >> 6));
	}
	return value;
}

static void
add_record(struct bench_tally *tally, unsigned int source, uint32_t number,
    uint64_t took)
{
	struct bench_source *from = &tally->sources[source % BENCH_SOURCES];

	bench_hist_add(&tally->visible, took);
	tally->lines++;
	from->lines++;
	if (number < from->next) {
		tally->behind++;
		return;
	}
	from->tail = number == from->next ? from->tail + 1 : 1;
	from->next = number + 1;
}

static bool
is_record(struct bench_tally *tally, const char *line, size_t size_bytes,
    uint64_t ticks)
{
	uint64_t source, number, began;

	if (size_bytes != BENCH_LINE_BYTES || memcmp(line, "p=", 2) != 0 ||
	    memcmp(line + 4, " n=", 3) != 0 ||
	    memcmp(line + 15, " t=", 3) != 0 ||
	    memcmp(line + 34, " c=", 3) != 0)
		return false;
	source = hex(line + 2, 2);
	number = hex(line + 7, 8);
	began = hex(line + 18, 16);
	if (hex(line + 37, 8) !=
	    bench_check((unsigned int)source, (unsigned int)number, began))
		return false;
	add_record(tally, (unsigned int)source, (uint32_t)number,
	    ticks > began ? ticks - began : 0);
	return true;
}

/* The library's own lines; false when it is none. */
static bool
is_notice(struct bench_tally *tally, const char *line, size_t size_bytes)
{
	static const char dropped[] = " printk messages dropped **";
	char text[128], *end;
	unsigned long count;

	if (size_bytes >= sizeof(text))
		return false;
	memcpy(text, line, size_bytes);
	text[size_bytes] = '\0';
	if (strncmp(text, "lpk: ", 5) == 0) {
		tally->words++;
		return true;
	}
	if (strcmp(text, "** replaying previous printk message **") == 0) {
		tally->replayed++;
		return true;
	}
	if (strncmp(text, "** ", 3) != 0)
		return false;
	count = strtoul(text + 3, &end, 10);
	if (end == text + 3 || strcmp(end, dropped) != 0)
		return false;
	tally->told += count;
	return true;
}

static void
add_line(struct bench_tally *tally, const char *line, size_t size_bytes,
    uint64_t ticks)
{
	const char *at = line;
	size_t left;

	if (size_bytes != 0 && line[size_bytes - 1] == '\r')
		size_bytes--;
	if (size_bytes == 0)
		return;
	left = size_bytes;
	if (line[0] == '[') {
		at = memchr(line, ']', size_bytes < 32 ? size_bytes : 32);
		at = at != NULL && at + 2 <= line + size_bytes ? at + 2 : line;
		left = size_bytes - (size_t)(at - line);
	}
	if (is_record(tally, at, left, ticks) || is_notice(tally, at, left))
		return;
	if (tally->torn++ == 0) {
		left = size_bytes < sizeof(tally->torn_line) ?
		    size_bytes :
		    sizeof(tally->torn_line) - 1;
		memcpy(tally->torn_line, line, left);
	}
}

void
bench_tally_add(struct bench_tally *tally, const char *bytes, size_t size_bytes,
    uint64_t ticks)
{
	const char *end = bytes + size_bytes, *newline;
	size_t room, part;

	while (bytes < end) {
		newline = memchr(bytes, '\n', (size_t)(end - bytes));
		part = (size_t)((newline != NULL ? newline : end) - bytes);
		if (newline != NULL && tally->carry_bytes == 0) {
			add_line(tally, bytes, part, ticks);
			bytes = newline + 1;
			continue;
		}
		room = sizeof(tally->carry) - tally->carry_bytes;
		memcpy(tally->carry + tally->carry_bytes, bytes,
		    part < room ? part : room);
		tally->carry_bytes += part < room ? part : room;
		bytes += part + (newline != NULL);
		if (newline == NULL)
			break;
		add_line(tally, tally->carry, tally->carry_bytes, ticks);
		tally->carry_bytes = 0;
	}
	tally->last = ticks;
}
