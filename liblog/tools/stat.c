/* SPDX-License-Identifier: MIT */
/*
 * stat.c - `lpk stat`: the accounts of a log, its lanes and its consoles.
 */
#include "stat.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lpk/port.h>

#include "lists.h"
#include "output_data.h"
#include "tool.h"

static const struct option names[] = {
    {"file", required_argument, NULL, 'f'},
    {"pid", required_argument, NULL, 'p'},
    {"core", required_argument, NULL, 'c'},
    {"watch", required_argument, NULL, 'w'},
    {"json", no_argument, NULL, 'J'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk stat [-f FILE | -p PID | --core CORE | FILE]... [OPTION...]\n"
    "The accounts of a log, its lanes, and its consoles.\n"
    "  -p, --pid PID        of a living process\n"
    "  -f, --file FILE      of a region's file, or of a saved image\n"
    "      --core CORE      of a core file\n"
    "  -w, --watch SECONDS  again and again, until the process ends\n"
    "  -J, --json           an object a line\n";

struct stat_options {
	struct sources sources;
	double interval; /* 0: once */
	bool json;
};

typedef unsigned long long ull;

/* All that is shown of an image. */
struct shown {
	const struct image *image;
	struct log_view log;
	struct console_view consoles[CONSOLES_MAX];
	unsigned int count;
	char state[160];
};

static const char *
level_of(const struct console_view *view)
{
	if (view->quiet_below == 0 || view->quiet_below > 8)
		return "all";
	return level_name((unsigned int)view->quiet_below - 1);
}

static void
put_lanes(const struct shown *shown)
{
	const struct lpk_geometry *geometry = &shown->image->fixed.geometry;
	uint32_t i;

	for (i = 0; i < shown->log.lane_count; i++) {
		const struct lane_view *lane = &shown->log.lanes[i];

		printf("  lane %-2lu  ", (unsigned long)i);
		if (!lane->there)
			printf("no block of its own\n");
		else
			printf("block %lu, %llu records, %llu%% full\n",
			    (unsigned long)lane->block, (ull)lane->records,
			    (ull)(lane->units * 100 / geometry->units));
	}
}

static void
put_console(const struct console_view *view)
{
	printf("console %s (%s): %s, %s, level %s\n", view->name, view->driver,
	    view->mode, view->state, level_of(view));
	printf("  printed %llu, suppressed %llu, lost %llu (refused %llu), "
	       "%llu bytes\n",
	    (ull)view->printed, (ull)view->suppressed, (ull)view->lost,
	    (ull)view->refused, (ull)view->bytes);
	printf("  lag %llu records", (ull)view->lag_records);
	if (view->lag_records != 0)
		printf(", %llu.%06llu s", (ull)(view->lag_ns / 1000000000),
		    (ull)(view->lag_ns / 1000 % 1000000));
	if (view->owner != 0)
		printf("; thread %llu prints on it", (ull)view->owner);
	if (view->error != 0)
		printf("; last error %s", error_name(view->error));
	putchar('\n');
}

static void
put_text(const struct shown *shown)
{
	const struct image *image = shown->image;
	const struct log_view *log = &shown->log;
	unsigned int i;

	printf("%s[%lu]: %s\n", image->session.program,
	    (unsigned long)image->session.pid, shown->state);
	printf("log: stored %llu, dropped %llu, suppressed %llu, overwritten "
	       "%llu, unfinished %llu\n",
	    (ull)log->stored, (ull)log->dropped, (ull)log->suppressed,
	    (ull)log->overwritten, (ull)log->unfinished);
	printf("  %lu blocks of %lu bytes: %lu used, %lu pinned\n",
	    (unsigned long)image->fixed.geometry.blocks,
	    (unsigned long)image->fixed.geometry.block_bytes,
	    (unsigned long)log->used, (unsigned long)log->pinned);
	printf("  dictionary %llu of %lu bytes\n", (ull)log->dict_used,
	    (unsigned long)image->fixed.geometry.dict_bytes);
	put_lanes(shown);
	for (i = 0; i < shown->count; i++)
		put_console(&shown->consoles[i]);
}

static void
json_text(const char *key, const char *text)
{
	printf(", \"%s\": ", key);
	json_string(stdout, text, strlen(text));
}

static void
json_number(const char *key, uint64_t number)
{
	printf(", \"%s\": %llu", key, (ull)number);
}

static void
json_console(const struct console_view *view)
{
	printf("{\"slot\": %u", view->slot);
	json_text("name", view->name);
	json_text("driver", view->driver);
	json_text("mode", view->mode);
	json_text("state", view->state);
	json_text("level", level_of(view));
	json_number("printed", view->printed);
	json_number("suppressed", view->suppressed);
	json_number("lost", view->lost);
	json_number("refused", view->refused);
	json_number("bytes", view->bytes);
	json_number("next_seq", view->next_seq);
	json_number("lag_records", view->lag_records);
	json_number("lag_ns", view->lag_ns);
	json_number("owner", view->owner);
	json_text("error", view->error != 0 ? error_name(view->error) : "");
	json_number("time_ms", view->time_ms);
	putchar('}');
}

static void
put_json(const struct shown *shown)
{
	const struct image *image = shown->image;
	const struct log_view *log = &shown->log;
	uint32_t i;

	printf("{\"pid\": %lu", (unsigned long)image->session.pid);
	json_text("program", image->session.program);
	json_text("state", shown->state);
	json_number("signal", image->state_signal);
	json_number("thread", image->state_caller & ~LPK_CALLER_HANDLER);
	json_number("stored", log->stored);
	json_number("dropped", log->dropped);
	json_number("suppressed", log->suppressed);
	json_number("overwritten", log->overwritten);
	json_number("unfinished", log->unfinished);
	json_number("blocks", image->fixed.geometry.blocks);
	json_number("block_bytes", image->fixed.geometry.block_bytes);
	json_number("blocks_used", log->used);
	json_number("blocks_pinned", log->pinned);
	json_number("dictionary_bytes", log->dict_used);
	printf(", \"lanes\": [");
	for (i = 0; i < log->lane_count; i++) {
		const struct lane_view *lane = &log->lanes[i];

		printf(
		    "%s{\"lane\": %lu", i == 0 ? "" : ", ", (unsigned long)i);
		if (lane->there) {
			json_number("block", lane->block);
			json_number("records", lane->records);
			json_number("units", lane->units);
		}
		putchar('}');
	}
	printf("], \"consoles\": [");
	for (i = 0; i < shown->count; i++) {
		fputs(i == 0 ? "" : ", ", stdout);
		json_console(&shown->consoles[i]);
	}
	printf("]}\n");
}

static void
show(struct image *image, bool json)
{
	static struct shown shown;

	memset(&shown, 0, sizeof(shown));
	shown.image = image;
	/* First, or they would seem to be behind what came meanwhile. */
	shown.count = stat_consoles(image, shown.consoles);
	image_refresh(image);
	stat_log(image, &shown.log);
	stat_lags(image, &shown.log, shown.consoles, shown.count);
	stat_state(image, shown.state, sizeof(shown.state));
	if (json)
		put_json(&shown);
	else
		put_text(&shown);
}

static void
pause_for(double seconds)
{
	struct timespec pause;

	pause.tv_sec = (time_t)seconds;
	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	nanosleep(&pause, NULL);
}

static void
show_all(struct image *images, unsigned int count,
    const struct stat_options *options)
{
	bool alive = true;
	unsigned int i;

	do {
		alive = false;
		for (i = 0; i < count; i++) {
			if (i != 0 && !options->json)
				putchar('\n');
			/* Before it is shown, so that its end is. */
			alive |= image_alive(&images[i]);
			show(&images[i], options->json);
		}
		fflush(stdout);
		if (options->interval == 0 || !alive)
			break;
		pause_for(options->interval);
		if (!options->json)
			putchar('\n');
	} while (!ferror(stdout));
}

static bool
read_options(struct stat_options *options, int argc, char **argv)
{
	struct sources *sources = &options->sources;
	bool good = true;
	int option;
	char *end;

	while (
	    (option = getopt_long(argc, argv, "f:p:w:Jh", names, NULL)) != -1) {
		if (option == 'f') {
			good &= source_add_file(sources, optarg);
		} else if (option == 'p') {
			good &= source_add_pid(
			    sources, (pid_t)strtol(optarg, NULL, 10));
		} else if (option == 'c') {
			good &= source_add_core(sources, optarg);
		} else if (option == 'w') {
			options->interval = strtod(optarg, &end);
			if (*end != '\0' || !(options->interval > 0) ||
			    options->interval > 86400)
				return false;
		} else if (option == 'J') {
			options->json = true;
		} else {
			return false;
		}
	}
	for (; optind < argc; optind++)
		good &= source_add_file(sources, argv[optind]);
	sources->partial |= !good;
	return sources->count != 0 || sources->partial;
}

int
stat_main(int argc, char **argv)
{
	static struct stat_options options;
	bool partial = false;
	struct image *images;
	unsigned int count, i;

	signal(SIGPIPE, SIG_DFL);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return TOOL_COMPLETE;
	}
	if (!read_options(&options, argc, argv)) {
		fputs(help, stderr);
		return TOOL_UNUSABLE;
	}
	images = calloc(SOURCES_MAX, sizeof(*images));
	count = images != NULL ?
	    images_open(images, &options.sources, &partial) :
	    0;
	show_all(images, count, &options);
	for (i = 0; i < count; i++) {
		partial |= images[i].cut;
		image_close(&images[i]);
	}
	free(images);
	if (count == 0)
		return TOOL_UNUSABLE;
	return partial || options.sources.partial ? TOOL_PARTIAL :
						    TOOL_COMPLETE;
}
