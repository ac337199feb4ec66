/* SPDX-License-Identifier: MIT */
/*
 * dmesg_options.c - the command line of `lpk dmesg`. Options mean what they mean
 * to dmesg(1) of util-linux; what is ours has letters that are free there, but
 * for -f, -n and -p, see the manual.
 */
#include "dmesg.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lists.h"
#include "tool.h"

enum {
	OPTION_CORE = 256,
	OPTION_FILE,
	OPTION_FACILITY,
	OPTION_FORCE_PREFIX,
	OPTION_NOESCAPE,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_TIME_FORMAT,
	OPTION_AFTER,
	OPTION_CLEAR
};

static const struct option names[] = {
    {"file", required_argument, NULL, OPTION_FILE},
    {"pid", required_argument, NULL, 'p'},
    {"core", required_argument, NULL, OPTION_CORE},
    {"level", required_argument, NULL, 'l'},
    {"facility", required_argument, NULL, OPTION_FACILITY},
    {"human", no_argument, NULL, 'H'},
    {"ctime", no_argument, NULL, 'T'},
    {"reltime", no_argument, NULL, 'e'},
    {"show-delta", no_argument, NULL, 'd'},
    {"notime", no_argument, NULL, 't'},
    {"time-format", required_argument, NULL, OPTION_TIME_FORMAT},
    {"follow", no_argument, NULL, 'w'},
    {"follow-new", no_argument, NULL, 'W'},
    {"json", no_argument, NULL, 'J'},
    {"raw", no_argument, NULL, 'r'},
    {"decode", no_argument, NULL, 'x'},
    {"kernel", no_argument, NULL, 'k'},
    {"userspace", no_argument, NULL, 'u'},
    {"color", optional_argument, NULL, 'L'},
    {"colour", optional_argument, NULL, 'L'},
    {"nopager", no_argument, NULL, 'P'},
    {"force-prefix", no_argument, NULL, OPTION_FORCE_PREFIX},
    {"noescape", no_argument, NULL, OPTION_NOESCAPE},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"grep", required_argument, NULL, 'g'},
    {"lines", required_argument, NULL, 'n'},
    {"after", required_argument, NULL, OPTION_AFTER},
    {"output", required_argument, NULL, 'o'},
    {"clear", no_argument, NULL, OPTION_CLEAR},
    {"read-clear", no_argument, NULL, OPTION_CLEAR},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "usage: lpk dmesg [OPTION...] [-f FILE | -p PID | --core CORE | FILE]...\n"
    "  -f, --file FILE       the image of a log in a file\n"
    "  -p, --pid PID         the log of a living process\n"
    "      --core CORE       the logs in a core file\n"
    "  -l, --level LIST      only these levels; err+: and worse, +err: and "
    "less\n"
    "  -f, --facility LIST   only these facilities (kern, user, daemon, ...)\n"
    "  -k, --kernel, -u, --userspace   facility kern, or all others\n"
    "  -g, --grep REGEX      only what matches\n"
    "  -n, --lines N         only the last N\n"
    "      --after SEQ       only those beyond a record, as kmsg numbers it\n"
    "      --since, --until TIME\n"
    "  -w, --follow          wait for more; -W, --follow-new: for new ones "
    "only\n"
    "  -o, --output FORMAT   text, kmsg, json (a line each), export\n"
    "  -J, --json            as dmesg --json\n"
    "  -r, --raw             as dmesg --raw\n"
    "  -x, --decode          level and facility in words\n"
    "  -T, --ctime  -e, --reltime  -d, --show-delta  -t, --notime\n"
    "      --time-format FORMAT   raw, ctime, reltime, delta, iso, notime\n"
    "  -H, --human           colours, relative times, a pager\n"
    "  -L, --color[=WHEN]    auto, always, never; -P, --nopager\n"
    "      --force-prefix    each line of a message begins with its time\n"
    "      --noescape        control bytes as they are\n"
    "Exit status: 0 all of it, 1 a part, 2 nothing could be read.\n";

/* The present, for times that are relative. */
static bool
parse_moment(const char *text, uint64_t *us)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (time_parse(text,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
		us))
		return true;
	complain("%s: not a time", text);
	return false;
}

static bool
parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0 && text[0] != '-')
		return true;
	complain("%s: not a number", text);
	return false;
}

/* "SEQ", or "SESSION:SEQ" as a cursor that outlives a restart. */
static bool
parse_after(struct dmesg_options *options, const char *text)
{
	const char *colon = strchr(text, ':');

	options->has_after = true;
	if (colon == NULL)
		return parse_number(text, &options->after);
	if (colon - text != 32) {
		complain("%s: a session has 32 digits", text);
		return false;
	}
	memcpy(options->session, text, 32);
	options->session[32] = '\0';
	return parse_number(colon + 1, &options->after);
}

static bool
parse_output(struct output *output, const char *text)
{
	static const struct {
		const char *name;
		enum output_kind kind;
	} words[] = {{"text", OUTPUT_TEXT}, {"kmsg", OUTPUT_KMSG},
	    {"json", OUTPUT_JSON}, {"export", OUTPUT_EXPORT},
	    {"raw", OUTPUT_RAW}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i].name) == 0) {
			output->kind = words[i].kind;
			return true;
		}
	}
	complain("%s: no such format; text, kmsg, json, export", text);
	return false;
}

static bool
parse_pattern(struct dmesg_options *options, const char *text)
{
	char wrong[128];
	int flags = REG_EXTENDED | REG_NOSUB, result;
	const char *at;

	/* As journalctl: small letters stand for both. */
	for (at = text; *at != '\0' && !(*at >= 'A' && *at <= 'Z'); at++)
		;
	if (*at == '\0')
		flags |= REG_ICASE;
	if (options->match)
		regfree(&options->pattern);
	result = regcomp(&options->pattern, text, flags);
	options->match = result == 0;
	if (result == 0)
		return true;
	regerror(result, &options->pattern, wrong, sizeof(wrong));
	complain("%s: %s", text, wrong);
	return false;
}

static bool
add_time(struct output *output, enum time_format format)
{
	if (output->time_count == OUTPUT_TIMES) {
		complain("more than %d time formats", OUTPUT_TIMES);
		return false;
	}
	output->times[output->time_count++] = format;
	return true;
}

/* The options that say where to read. */
static bool
source_option(struct dmesg_options *options, int option, const char *text)
{
	uint64_t number;

	switch (option) {
	case 'f':
		/* dmesg's list of facilities, or our file. */
		if (facilities_parse(text, &options->facilities))
			return true;
		return source_add_file(&options->sources, text);
	case OPTION_FILE:
		return source_add_file(&options->sources, text);
	case OPTION_CORE:
		return source_add_core(&options->sources, text);
	default:
		return parse_number(text, &number) &&
		    source_add_pid(&options->sources, (pid_t)number);
	}
}

/* Those that say which records. */
static bool
choice_option(struct dmesg_options *options, int option, const char *text)
{
	uint64_t number;

	switch (option) {
	case 'l':
		if (levels_parse(text, &options->levels))
			return true;
		complain("%s: not a list of levels", text);
		return false;
	case OPTION_FACILITY:
		if (facilities_parse(text, &options->facilities))
			return true;
		complain("%s: not a list of facilities", text);
		return false;
	case 'k':
		options->facilities = 1;
		return true;
	case 'u':
		options->facilities = ~UINT32_C(1);
		return true;
	case 'g':
		return parse_pattern(options, text);
	case 'n':
		options->has_last = parse_number(text, &number);
		options->last = (unsigned long)number;
		return options->has_last;
	case OPTION_AFTER:
		return parse_after(options, text);
	case OPTION_SINCE:
		return parse_moment(text, &options->since_us);
	default:
		return parse_moment(text, &options->until_us);
	}
}

/* Those that say how they are shown. */
static bool
show_option(struct dmesg_options *options, int option, const char *text)
{
	struct output *output = &options->output;
	enum time_format format;

	switch (option) {
	case 'H':
		options->pager = true;
		return add_time(output, TIME_RELTIME);
	case 'T':
		return add_time(output, TIME_CTIME);
	case 'e':
		return add_time(output, TIME_RELTIME);
	case 'd':
		return add_time(output, TIME_RAW_DELTA);
	case 't':
		return add_time(output, TIME_NONE);
	case OPTION_TIME_FORMAT:
		if (time_format_parse(text, &format))
			return add_time(output, format);
		complain("%s: no such time format", text);
		return false;
	case 'o':
		return parse_output(output, text);
	case 'L':
		/* -L=never is as good as -Lnever to util-linux. */
		if (text != NULL && text[0] == '=')
			text++;
		if (colour_parse(text, &options->colours))
			return true;
		complain("%s: auto, always or never", text);
		return false;
	case 'J':
		output->kind = OUTPUT_JSON_LIST;
		return true;
	case 'r':
		output->kind = OUTPUT_RAW;
		return true;
	case 'x':
		output->decode = true;
		return true;
	case OPTION_FORCE_PREFIX:
		output->force_prefix = true;
		return true;
	default:
		output->no_escape = true;
		return true;
	}
}

/* -1: go on. */
static int
one_option(struct dmesg_options *options, int option, const char *text)
{
	bool good = true;

	switch (option) {
	case 'h':
		fputs(help, stdout);
		return TOOL_COMPLETE;
	case 'V':
		printf("lpk %s\n", lpk_version());
		return TOOL_COMPLETE;
	case '?':
		fputs(help, stderr);
		return TOOL_UNUSABLE;
	case OPTION_CLEAR:
		complain("a viewer does not clear; see --after, and "
			 "lpk_log_clear(3)");
		return TOOL_UNUSABLE;
	case 'w':
	case 'W':
		options->follow = true;
		options->only_new = option == 'W';
		break;
	case 'P':
		options->pager = false;
		break;
	case 'f':
	case 'p':
	case OPTION_FILE:
	case OPTION_CORE:
		if (!source_option(options, option, text))
			options->sources.partial = true;
		break;
	case 'l':
	case 'k':
	case 'u':
	case 'g':
	case 'n':
	case OPTION_FACILITY:
	case OPTION_AFTER:
	case OPTION_SINCE:
	case OPTION_UNTIL:
		good = choice_option(options, option, text);
		break;
	default:
		good = show_option(options, option, text);
		break;
	}
	return good ? -1 : TOOL_UNUSABLE;
}

/* -d adds to another time format, as it does for dmesg. */
static void
settle_times(struct output *output)
{
	bool delta = false;
	unsigned int i, kept = 0;

	for (i = 0; i < output->time_count; i++) {
		if (output->times[i] == TIME_RAW_DELTA)
			delta = true;
		else
			output->times[kept++] = output->times[i];
	}
	if (kept == 0)
		output->times[kept++] = delta ? TIME_RAW_DELTA : TIME_RAW;
	else if (delta && output->times[0] == TIME_CTIME)
		output->times[0] = TIME_CTIME_DELTA;
	else if (delta && output->times[0] == TIME_NONE)
		output->times[0] = TIME_DELTA;
	else if (delta && output->times[0] == TIME_RAW)
		output->times[0] = TIME_RAW_DELTA;
	output->time_count = kept;
}

int
dmesg_options_read(struct dmesg_options *options, int argc, char **argv)
{
	bool asked;
	int option, result;

	memset(options, 0, sizeof(*options));
	options->output.stream = stdout;
	while ((option = getopt_long(argc, argv,
		    "f:p:l:HTedtwWJrxkuL::Pg:n:o:hV"
		    "Cc",
		    names, NULL)) != -1) {
		if (option == 'C' || option == 'c')
			option = OPTION_CLEAR;
		result = one_option(options, option, optarg);
		if (result >= 0)
			return result;
	}
	for (; optind < argc; optind++) {
		if (!source_add_file(&options->sources, argv[optind]))
			options->sources.partial = true;
	}
	asked = options->sources.partial || options->sources.count != 0;
	if (!asked) {
		complain("whose log? -p PID, -f FILE or --core CORE");
		fputs(help, stderr);
	}
	if (options->sources.count == 0)
		return TOOL_UNUSABLE;
	settle_times(&options->output);
	options->output.colours = colour_wanted(options->colours);
	return -1;
}

void
dmesg_options_free(struct dmesg_options *options)
{
	if (options->match)
		regfree(&options->pattern);
}
