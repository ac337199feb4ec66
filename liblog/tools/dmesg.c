/* SPDX-License-Identifier: MIT */
/*
 * dmesg.c - `lpk dmesg`: the records of one or more images, merged by time,
 * chosen, and shown.
 */
#include "dmesg.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "image.h"
#include "tool.h"

/* How often the log of a living process is looked at. */
#define FOLLOW_NS 50000000
#define TEXT_BYTES (LPK_TEXT_MAX + 2)

/* An image, and what comes next in it. */
struct feed {
	struct image *image;
	struct entry entry;
	bool there; /* the entry holds something */
	bool given; /* a record that was lost has been spoken of */
	char text[TEXT_BYTES];
};

/* Records that wait to be shown, when only the last ones are. */
struct kept {
	struct entry entry;
	char text[TEXT_BYTES];
};

struct dmesg {
	struct dmesg_options options;
	struct image *images;
	struct feed *feeds; /* one of each image */
	unsigned int count;
	bool one_clock; /* all of one boot: compared by CLOCK_MONOTONIC */
	bool partial;
	struct kept *kept; /* the last ones, in a circle */
	unsigned long kept_count, kept_room;
	bool keeping; /* until the first look is done */
};

/* Fill in the next entry of a feed, if there is one. */
static void
fetch(struct dmesg *dmesg, struct feed *feed)
{
	struct entry *entry = &feed->entry;
	struct lpk_reader *reader = &feed->image->reader;
	int result;

	if (feed->there)
		return;
	memset(entry, 0, sizeof(*entry));
	entry->session = &feed->image->session;
	entry->text = feed->text;
	result = lpk_reader_next(
	    reader, &entry->record, feed->text, sizeof(feed->text));
	if (result == -LPK_EPIPE) {
		entry->lost = reader->lost;
		entry->record.seq = reader->seq - reader->lost;
		/* Of a dead image: records that make no sense. */
		if (!image_alive(feed->image))
			dmesg->partial = true;
	}
	feed->there = result == LPK_OK || result == -LPK_EPIPE;
}

/* A gap has no time: it goes with the record behind it, so it comes first. */
static uint64_t
key(const struct dmesg *dmesg, const struct feed *feed)
{
	const struct lpk_record *record = &feed->entry.record;

	if (feed->entry.lost != 0)
		return 0;
	return dmesg->one_clock || record->realtime_ns == 0 ?
	    record->time_ns :
	    record->realtime_ns;
}

static struct feed *
earliest(struct dmesg *dmesg)
{
	struct feed *best = NULL;
	unsigned int i;

	for (i = 0; i < dmesg->count; i++) {
		struct feed *feed = &dmesg->feeds[i];

		fetch(dmesg, feed);
		if (feed->there &&
		    (best == NULL || key(dmesg, feed) < key(dmesg, best)))
			best = feed;
	}
	return best;
}

static bool
is_session(const struct lpk__session *session, const char *name)
{
	char text[33];
	int i;

	if (name[0] == '\0')
		return true;
	for (i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", session->id[i]);
	return strcmp(text, name) == 0;
}

static bool
wanted(const struct dmesg_options *options, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;
	uint64_t us = record->realtime_ns / 1000;

	if (options->has_after && record->seq <= options->after &&
	    is_session(entry->session, options->session))
		return false;
	if (entry->lost != 0)
		return true;
	if (options->levels != 0 &&
	    (options->levels & 1u << record->level) == 0)
		return false;
	if (options->facilities != 0 &&
	    (options->facilities & 1u << record->facility) == 0)
		return false;
	if (us != 0 && options->since_us != 0 && us < options->since_us)
		return false;
	if (us != 0 && options->until_us != 0 && us > options->until_us)
		return false;
	return !options->match ||
	    regexec(&options->pattern, entry->text, 0, NULL, 0) == 0;
}

/* Room for one more, as long as there are fewer than are wished for. */
static bool
grow(struct dmesg *dmesg)
{
	unsigned long room = dmesg->kept_room * 2 + 64;
	struct kept *kept;

	if (dmesg->kept_count < dmesg->kept_room ||
	    dmesg->kept_room == dmesg->options.last)
		return true;
	if (room > dmesg->options.last)
		room = dmesg->options.last;
	kept = reallocarray(dmesg->kept, room, sizeof(*kept));
	if (kept == NULL)
		return false;
	dmesg->kept = kept;
	dmesg->kept_room = room;
	return true;
}

static void
keep(struct dmesg *dmesg, const struct entry *entry)
{
	struct kept *kept;

	if (!grow(dmesg)) {
		complain("no memory for so many lines");
		dmesg->options.last = dmesg->kept_room;
		dmesg->partial = true;
	}
	if (dmesg->options.last == 0)
		return;
	kept = &dmesg->kept[dmesg->kept_count++ % dmesg->options.last];
	kept->entry = *entry;
	memcpy(kept->text, entry->text, TEXT_BYTES);
}

static void
show_kept(struct dmesg *dmesg)
{
	unsigned long last = dmesg->options.last, at = 0;

	if (dmesg->kept_count > last)
		at = dmesg->kept_count - last;
	for (; at < dmesg->kept_count; at++) {
		struct kept *kept = &dmesg->kept[at % last];

		kept->entry.text = kept->text;
		output_entry(&dmesg->options.output, &kept->entry);
	}
	free(dmesg->kept);
	dmesg->kept = NULL;
}

/* All that is there now. */
static void
drain(struct dmesg *dmesg)
{
	struct feed *feed;

	while ((feed = earliest(dmesg)) != NULL) {
		feed->there = false;
		if (!wanted(&dmesg->options, &feed->entry))
			continue;
		if (dmesg->keeping)
			keep(dmesg, &feed->entry);
		else
			output_entry(&dmesg->options.output, &feed->entry);
	}
}

/* Is there anything left that may still write? */
static bool
any_alive(const struct dmesg *dmesg)
{
	unsigned int i;

	for (i = 0; i < dmesg->count; i++) {
		if (image_alive(dmesg->feeds[i].image))
			return true;
	}
	return false;
}

static void
follow(struct dmesg *dmesg)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_NS};
	FILE *stream = dmesg->options.output.stream;
	bool alive = true;
	unsigned int i;

	while (alive && !ferror(stream)) {
		fflush(stream);
		nanosleep(&pause, NULL);
		/* First, so that what the last of them wrote is read. */
		alive = any_alive(dmesg);
		for (i = 0; i < dmesg->count; i++) {
			image_refresh(dmesg->feeds[i].image);
			dmesg->feeds[i].image->reader.eager = !alive;
		}
		drain(dmesg);
	}
}

static bool
same_boot(const struct dmesg *dmesg)
{
	unsigned int i;

	for (i = 1; i < dmesg->count; i++) {
		if (memcmp(dmesg->feeds[i].image->session.boot,
			dmesg->feeds[0].image->session.boot, 16) != 0)
			return false;
	}
	return true;
}

static bool
open_images(struct dmesg *dmesg)
{
	const struct sources *sources = &dmesg->options.sources;
	unsigned int i;

	dmesg->images = calloc(sources->count, sizeof(*dmesg->images));
	dmesg->feeds = calloc(sources->count, sizeof(*dmesg->feeds));
	if (dmesg->images == NULL || dmesg->feeds == NULL)
		return false;
	dmesg->count = images_open(dmesg->images, sources, &dmesg->partial);
	for (i = 0; i < dmesg->count; i++) {
		struct feed *feed = &dmesg->feeds[i];

		feed->image = &dmesg->images[i];
		/* To show what is there is not to wait for what is not. */
		if (!dmesg->options.follow)
			feed->image->reader.eager = true;
		if (dmesg->options.only_new)
			lpk_reader_seek(&feed->image->reader, LPK_SEEK_NEXT, 0);
	}
	dmesg->one_clock = same_boot(dmesg);
	dmesg->options.output.show_program = dmesg->count > 1;
	return dmesg->count != 0;
}

/* What the image says of its own state, where it matters. */
static void
remarks(struct dmesg *dmesg)
{
	unsigned int i;

	for (i = 0; i < dmesg->count; i++) {
		const struct image *image = dmesg->feeds[i].image;
		const char *name = image->source.name;

		if (image->cut) {
			complain("%s: the image ends too early", name);
			dmesg->partial = true;
		}
		if (image->dropped != 0)
			complain("%s: %llu messages found no room in the log",
			    name, (unsigned long long)image->dropped);
		if (image->state == LPK__STATE_PANIC)
			complain("%s: %s[%lu] was ended by signal %lu", name,
			    image->session.program,
			    (unsigned long)image->session.pid,
			    (unsigned long)image->state_signal);
	}
}

static int
run(struct dmesg *dmesg)
{
	struct dmesg_options *options = &dmesg->options;
	FILE *pages = NULL;
	unsigned int i;

	if (!open_images(dmesg))
		return TOOL_UNUSABLE;
	dmesg->keeping = options->has_last;
	if (options->pager && !options->follow)
		pages = pager_open();
	if (pages != NULL)
		options->output.stream = pages;
	drain(dmesg);
	dmesg->keeping = false;
	show_kept(dmesg);
	if (options->follow)
		follow(dmesg);
	output_end(&options->output);
	if (pages != NULL)
		pager_close(pages);
	remarks(dmesg);
	for (i = 0; i < dmesg->count; i++)
		image_close(dmesg->feeds[i].image);
	return dmesg->partial || options->sources.partial ? TOOL_PARTIAL :
							    TOOL_COMPLETE;
}

int
dmesg_main(int argc, char **argv)
{
	static struct dmesg dmesg;
	int result;

	signal(SIGPIPE, SIG_DFL);
	result = dmesg_options_read(&dmesg.options, argc, argv);
	if (result < 0)
		result = run(&dmesg);
	dmesg_options_free(&dmesg.options);
	free(dmesg.feeds);
	free(dmesg.images);
	return result;
}
