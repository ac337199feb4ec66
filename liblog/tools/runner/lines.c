/* SPDX-License-Identifier: MIT */
/*
 * lines.c - lines of a program's output become records.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <lpk/printk.h>

#include "runner.h"

#define FACILITY_USER 1
#define ROUNDS 64

/*
 * One line; if it is longer than a record, several. Its level may stand in front,
 * as "<3>", where a service manager looks for it, too.
 */
static void
put_line(const struct lines *lines, const char *line, size_t bytes)
{
	int level = lines->level;

	if (bytes >= 3 && line[0] == '<' && line[1] >= '0' && line[1] <= '7' &&
	    line[2] == '>') {
		level = line[1] - '0';
		line += 3;
		bytes -= 3;
	}
	if (bytes != 0 && line[bytes - 1] == '\r')
		bytes--;
	for (; bytes > LPK_TEXT_MAX;
	     line += LPK_TEXT_MAX, bytes -= LPK_TEXT_MAX)
		lpk_inject(NULL, (enum lpk_level)level, FACILITY_USER, line,
		    LPK_TEXT_MAX);
	lpk_inject(NULL, (enum lpk_level)level, FACILITY_USER, line, bytes);
}

/* Whole lines, and pieces of one that does not fit here. */
static void
put_lines(struct lines *lines)
{
	size_t begin = 0, length;
	const char *end;

	while ((end = memchr(lines->line + begin, '\n', lines->used - begin)) !=
	    NULL) {
		length = (size_t)(end - lines->line) - begin;
		put_line(lines, lines->line + begin, length);
		begin += length + 1;
	}
	if (begin == 0 && lines->used == sizeof(lines->line)) {
		put_line(lines, lines->line, lines->used);
		begin = lines->used;
	}
	lines->used -= begin;
	memmove(lines->line, lines->line + begin, lines->used);
}

bool
lines_read(struct lines *lines)
{
	ssize_t got;
	int rounds;

	/* Not for ever, whoever writes on and on. */
	for (rounds = 0; rounds < ROUNDS; rounds++) {
		got = read(lines->fd, lines->line + lines->used,
		    sizeof(lines->line) - lines->used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		lines->used += (size_t)got;
		put_lines(lines);
	}
	return true;
}

void
lines_end(struct lines *lines)
{
	if (lines->used != 0)
		put_line(lines, lines->line, lines->used);
	lines->used = 0;
}
