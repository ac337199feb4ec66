/* SPDX-License-Identifier: MIT */
/*
 * lines.c - the bytes that a console's device gets for a record.
 */
#include "lines.h"

#include <lpk/format.h>
#include <lpk/port.h>

#include "port_fast.h"

static void
put(struct lpk__feed *feed, const char *text, size_t bytes)
{
	__builtin_memcpy(feed->lines + feed->bytes, text, bytes);
	feed->bytes += bytes;
}

void
lpk__lines_end(struct lpk__feed *feed)
{
	if (feed->line_open)
		put(feed, "\n", 1);
	feed->line_open = false;
}

static const char *
colour_of(unsigned int level)
{
	static const char *const colours[] = {"\033[1;37;41m", "\033[1;31m",
	    "\033[1;31m", "\033[31m", "\033[33m", "\033[1m", "", "\033[2m"};

	return colours[level & 7];
}

/* Bytes of a prefix, which ends at "] ". */
static size_t
prefix_of(const char *line, size_t length)
{
	size_t at = 0;

	while (at + 1 < length && (line[at] != ']' || line[at + 1] != ' '))
		at++;
	return at + 2 <= length ? at + 2 : 0;
}

/* Bytes for a record, behind a notice or not, with something to spare. */
static size_t
room_for(const struct lpk__feed *feed, size_t spare)
{
	size_t left = feed->room - 1 + LPK__RECORD_LINES - feed->bytes - spare;

	return left < LPK__RECORD_LINES ? left : LPK__RECORD_LINES;
}

/*
 * A line left open gets its newline when something else is printed; what
 * continues it goes on behind it, without a prefix.
 */
static void
put_text(struct lpk_console *console, struct lpk__feed *feed,
    const struct lpk_record *record)
{
	const char *colour = console->colours ? colour_of(record->level) : "";
	/* A line of /dev/kmsg is a whole record; nothing goes on with it. */
	uint32_t flags = console->style == LPK_STYLE_KMSG ? 0 : record->flags;
	size_t length, prefix, room;
	char *line;

	if ((flags & LPK_RECORD_CONT) == 0 || record->caller != feed->caller)
		lpk__lines_end(feed);
	if (colour[0] != '\0')
		put(feed, colour, lpk__fast_length(colour, 16));
	line = feed->lines + feed->bytes;
	room = room_for(feed, sizeof("\033[0m\n"));
	length =
	    lpk_record_print(record, feed->text, console->style, line, room);
	if (length >= room)
		length = room - 1;
	if (feed->line_open) {
		prefix = prefix_of(line, length);
		length -= prefix;
		__builtin_memmove(line, line + prefix, length);
	}
	feed->bytes += length - 1;
	if (colour[0] != '\0')
		put(feed, "\033[0m", 4);
	feed->line_open = (flags & LPK_RECORD_OPEN) != 0;
	feed->caller = record->caller;
	if (!feed->line_open)
		put(feed, "\n", 1);
}

/* By the driver's own function; what is too long for us is cut. */
static void
put_rendered(struct lpk_console *console, struct lpk__feed *feed,
    const struct lpk_record *record, const char *text)
{
	size_t room = room_for(feed, 0);
	size_t length = console->driver->render(
	    console, record, text, feed->lines + feed->bytes, room);

	feed->bytes += length < room ? length : room;
}

void
lpk__lines_record(struct lpk_console *console, struct lpk__feed *feed,
    const struct lpk_record *record)
{
	if (console->driver->render != NULL)
		put_rendered(console, feed, record, feed->text);
	else
		put_text(console, feed, record);
}

/* What lpk itself has to say is not a record of the log. */
static void
put_notice(
    struct lpk_console *console, struct lpk__feed *feed, const char *text)
{
	struct lpk_record record = {
	    .seq = feed->reader.seq,
	    .caller = lpk_port_caller(),
	    .flags = LPK_RECORD_NOTICE,
	    .text_bytes = (uint32_t)lpk__fast_length(text, 128),
	    .level = LPK_WARN,
	    .subsystem = "lpk",
	};
	struct lpk_clock_pair now;

	/* In that format the gap in the numbers says it. */
	if (console->driver->render == NULL && console->style == LPK_STYLE_KMSG)
		return;
	if (console->driver->render == NULL) {
		lpk__lines_end(feed);
		put(feed, text, record.text_bytes);
		put(feed, "\n", 1);
		return;
	}
	lpk_port_clock_pair(&now);
	record.time_ns = now.monotonic_ns;
	record.realtime_ns = now.realtime_ns;
	put_rendered(console, feed, &record, text);
}

void
lpk__lines_dropped(
    struct lpk_console *console, struct lpk__feed *feed, uint64_t dropped)
{
	char text[64];

	lpk_snprintf(text, sizeof(text), "** %llu printk messages dropped **",
	    (unsigned long long)dropped);
	put_notice(console, feed, text);
}

void
lpk__lines_skipped(
    struct lpk_console *console, struct lpk__feed *feed, uint64_t skipped)
{
	char text[80];

	lpk_snprintf(text, sizeof(text),
	    "** skipped %llu printk messages, the newest follow **",
	    (unsigned long long)skipped);
	put_notice(console, feed, text);
}

void
lpk__lines_replay(struct lpk_console *console, struct lpk__feed *feed)
{
	/* How much of the line is on the device, nobody knows. */
	if ((console->driver->flags & LPK_DRIVER_SINGLE) == 0 ||
	    console->driver->render == NULL)
		put(feed, "\n", 1);
	feed->line_open = false;
	put_notice(console, feed, "** replaying previous printk message **");
}
