/* SPDX-License-Identifier: MIT */
/*
 * watch_tail.c - what no console has printed; and the copy of an image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "stat.h"
#include "tool.h"
#include "watch.h"

/* Images that were saved before under the same name. */
#define KEEP 8
#define COPY_BYTES 65536

/* Memory of the process, and nowhere at all, are no places to find a line. */
static bool
is_seen(const struct console_view *view)
{
	return strcmp(view->driver, "ram") != 0 &&
	    strcmp(view->driver, "null") != 0;
}

/* The first record that no console has printed. */
static uint64_t
unprinted(const struct image *image, const struct log_view *log)
{
	static struct console_view views[CONSOLES_MAX];
	unsigned int count = stat_consoles(image, views), i;
	uint64_t lag, least = log->stored;

	for (i = 0; i < count; i++) {
		lag = log->stored - views[i].next_seq;
		if (image->fixed.word_bytes == 4)
			lag = (uint32_t)lag;
		/* Nothing is believed of a console that is ahead. */
		if (is_seen(&views[i]) && lag < least)
			least = lag;
	}
	return log->stored - least;
}

static void
put_entries(struct image *image, uint64_t first)
{
	static char text[LPK_TEXT_MAX + 2];
	struct output output = {.stream = stderr,
	    .kind = OUTPUT_TEXT,
	    .times = {TIME_RAW},
	    .time_count = 1};
	struct entry entry;
	int result;

	image->reader.eager = true;
	lpk_reader_seek(&image->reader, LPK_SEEK_SEQ, first);
	do {
		memset(&entry, 0, sizeof(entry));
		entry.session = &image->session;
		entry.text = text;
		result = lpk_reader_next(
		    &image->reader, &entry.record, text, sizeof(text));
		if (result == -LPK_EPIPE)
			entry.lost = image->reader.lost;
		if (result == LPK_OK || result == -LPK_EPIPE)
			output_entry(&output, &entry);
	} while (result == LPK_OK || result == -LPK_EPIPE);
	output_end(&output);
}

bool
watch_tail(const struct source *source, uint64_t least, bool dead)
{
	struct image *image = calloc(1, sizeof(*image));
	struct log_view log;
	uint64_t first, count;

	if (image == NULL || !image_open(image, source)) {
		free(image);
		return false;
	}
	stat_log(image, &log);
	first = unprinted(image, &log);
	count = log.stored - first;
	if (dead && image->state == LPK__STATE_PANIC)
		complain("%s[%lu]: its last words were about signal %llu (%s)",
		    image->session.program, (unsigned long)image->session.pid,
		    (unsigned long long)image->state_signal,
		    signal_name(image->state_signal));
	if (count != 0)
		complain("%s[%lu]: %llu message%s that no console has printed, "
			 "from number %llu on:",
		    image->session.program, (unsigned long)image->session.pid,
		    (unsigned long long)count, count == 1 ? "" : "s",
		    (unsigned long long)first);
	else if (least != 0 && log.stored != 0)
		complain("%s[%lu]: its last messages:", image->session.program,
		    (unsigned long)image->session.pid);
	if (count < least)
		first = log.stored > least ? log.stored - least : 0;
	if (first != log.stored)
		put_entries(image, first);
	if (dead && log.dropped != 0)
		complain("%s[%lu]: %llu messages found no room in the log",
		    image->session.program, (unsigned long)image->session.pid,
		    (unsigned long long)log.dropped);
	image_close(image);
	free(image);
	return true;
}

static bool
is_empty(const char *bytes, size_t count)
{
	return count == 0 ||
	    (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* All bytes of an image; where it has pages of zeros, so has the copy holes. */
static bool
copy(const struct source *source, int to)
{
	static char bytes[COPY_BYTES];
	uint64_t at = 0;
	size_t part;

	while ((part = source_read(source, at, bytes, sizeof(bytes))) != 0) {
		if (!is_empty(bytes, part) &&
		    pwrite(to, bytes, part, (off_t)at) != (ssize_t)part)
			return false;
		at += part;
	}
	return ftruncate(to, (off_t)at) == 0 && fsync(to) == 0;
}

/* FILE becomes FILE.1, and so on. */
static void
keep_earlier(const char *path)
{
	char from[4200], to[4200];
	int number;

	for (number = KEEP - 1; number >= 0; number--) {
		if (number == 0)
			snprintf(from, sizeof(from), "%s", path);
		else
			snprintf(from, sizeof(from), "%s.%d", path, number);
		snprintf(to, sizeof(to), "%s.%d", path, number + 1);
		(void)rename(from, to);
	}
}

static bool
save(const struct source *source, const char *path)
{
	int fd;
	bool good;

	if (strlen(path) > 4096)
		return false;
	keep_earlier(path);
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	good = fd >= 0 && copy(source, fd);
	if (good)
		complain("the log is in %s; lpk dmesg -f %s", path, path);
	else
		complain("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

/* Is there anybody who may go on with it? */
static bool
goes_on(const struct source *source)
{
	struct image *image = calloc(1, sizeof(*image));
	bool alive;

	alive =
	    image != NULL && image_open(image, source) && image_alive(image);
	if (image != NULL)
		image_close(image);
	free(image);
	return alive;
}

bool
watch_last_words(const struct held *held, const char *save_as)
{
	const struct source *first = held_main(held);
	char path[4200];
	bool good = true;
	unsigned int i;

	for (i = 0; i < held->count; i++) {
		const struct source *source = &held->source[i];

		if (source->pid != held->main && goes_on(source))
			continue;
		good &= watch_tail(source, 0, true);
		if (save_as == NULL)
			continue;
		snprintf(path, sizeof(path), "%s", save_as);
		if (source != first)
			snprintf(path, sizeof(path), "%s.pid%ld", save_as,
			    (long)source->pid);
		good &= save(source, path);
	}
	return good;
}
