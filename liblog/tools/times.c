/* SPDX-License-Identifier: MIT */
/*
 * times.c - times as people write them and read them.
 */
#include "times.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SECOND UINT64_C(1000000)
#define DAY (86400 * SECOND)

bool
time_format_parse(const char *text, enum time_format *format)
{
	static const struct {
		const char *name;
		enum time_format format;
	} words[] = {{"raw", TIME_RAW}, {"delta", TIME_DELTA},
	    {"ctime", TIME_CTIME}, {"reltime", TIME_RELTIME}, {"iso", TIME_ISO},
	    {"notime", TIME_NONE}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i].name) == 0) {
			*format = words[i].format;
			return true;
		}
	}
	return false;
}

/* ---- showing ---- */

/* In seconds: the difference of what is shown, which is microseconds. */
static double
delta_of(uint64_t monotonic_ns, const struct time_before *before)
{
	if (before->ns == 0)
		return 0;
	return ((double)(monotonic_ns / 1000) - (double)(before->ns / 1000)) /
	    1e6;
}

static size_t
put(char *text, const char *format, const char *a, const char *b)
{
	int length = snprintf(text, TIME_TEXT, format, a, b);

	return length < 0 ? 0 : (size_t)length;
}

static void
local_time(uint64_t realtime_ns, struct tm *parts)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);

	memset(parts, 0, sizeof(*parts));
	localtime_r(&seconds, parts);
}

static size_t
print_iso(char *text, uint64_t realtime_ns)
{
	char date[32], zone[8] = "";
	struct tm parts;

	local_time(realtime_ns, &parts);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	strftime(zone, sizeof(zone), "%z", &parts);
	return (size_t)snprintf(text, TIME_TEXT, "%s,%06u%.3s:%.2s ", date,
	    (unsigned int)(realtime_ns / 1000 % SECOND), zone,
	    strlen(zone) == 5 ? zone + 3 : "00");
}

static size_t
print_reltime(char *text, uint64_t monotonic_ns, uint64_t realtime_ns,
    const struct time_before *before)
{
	double delta = delta_of(monotonic_ns, before);
	struct tm parts;
	char date[32];

	if (before->minute == realtime_ns / 60000000000)
		return (size_t)snprintf(text, TIME_TEXT,
		    delta < 10 ? "[  %+8.6f] " : "[ %+9.6f] ", delta);
	local_time(realtime_ns, &parts);
	strftime(date, sizeof(date), "%b%e %H:%M", &parts);
	return put(text, "[%s] ", date, "");
}

size_t
time_print(char text[TIME_TEXT], enum time_format format, uint64_t monotonic_ns,
    uint64_t realtime_ns, const struct time_before *before)
{
	char delta[40], date[32], seconds[40];
	uint64_t us = monotonic_ns / 1000;
	struct tm parts;

	text[0] = '\0';
	if (realtime_ns == 0 && format >= TIME_CTIME && format <= TIME_ISO)
		format = TIME_RAW;
	snprintf(seconds, sizeof(seconds), "%5llu.%06llu",
	    (unsigned long long)(us / SECOND),
	    (unsigned long long)(us % SECOND));
	snprintf(
	    delta, sizeof(delta), "<%12.06f>", delta_of(monotonic_ns, before));
	switch (format) {
	case TIME_NONE:
		return 0;
	case TIME_RAW:
		return put(text, "[%s] ", seconds, "");
	case TIME_RAW_DELTA:
		return put(text, "[%s %s] ", seconds, delta);
	case TIME_DELTA:
		return put(text, "[%s] ", delta, "");
	case TIME_RELTIME:
		return print_reltime(text, monotonic_ns, realtime_ns, before);
	case TIME_ISO:
		return print_iso(text, realtime_ns);
	default:
		break;
	}
	local_time(realtime_ns, &parts);
	strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &parts);
	return format == TIME_CTIME ? put(text, "[%s] ", date, "") :
				      put(text, "[%s %s] ", date, delta);
}

void
time_shown(
    struct time_before *before, uint64_t monotonic_ns, uint64_t realtime_ns)
{
	before->ns = monotonic_ns;
	before->minute = realtime_ns / 60000000000;
}

/* ---- reading ---- */

/* "5min", "2 hours": a number and a unit; NULL when it is none. */
static const char *
parse_span(const char *text, uint64_t *us)
{
	static const struct {
		const char *name;
		uint64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", SECOND}, {"sec", SECOND},
	    {"second", SECOND}, {"seconds", SECOND}, {"m", 60 * SECOND},
	    {"min", 60 * SECOND}, {"minute", 60 * SECOND},
	    {"minutes", 60 * SECOND}, {"h", 3600 * SECOND},
	    {"hr", 3600 * SECOND}, {"hour", 3600 * SECOND},
	    {"hours", 3600 * SECOND}, {"d", DAY}, {"day", DAY}, {"days", DAY},
	    {"w", 7 * DAY}, {"week", 7 * DAY}, {"weeks", 7 * DAY}};
	char *end;
	double number = strtod(text, &end);
	size_t length, i;

	if (end == text || number < 0 || number > 1e9)
		return NULL;
	text = end + strspn(end, " ");
	length = strcspn(text, " ");
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) == length &&
		    strncmp(units[i].name, text, length) == 0) {
			*us = (uint64_t)(number * (double)units[i].us);
			return text + length + strspn(text + length, " ");
		}
	}
	/* A bare number is seconds. */
	if (length == 0) {
		*us = (uint64_t)(number * (double)SECOND);
		return text;
	}
	return NULL;
}

static bool
parse_relative(const char *text, uint64_t now_us, uint64_t *us)
{
	char sign = text[0];
	bool signed_ = sign == '+' || sign == '-';
	const char *rest = parse_span(text + signed_, us);

	if (rest == NULL)
		return false;
	if (!signed_) {
		if (strcmp(rest, "ago") != 0)
			return false;
		sign = '-';
	} else if (*rest != '\0') {
		return false;
	}
	if (sign == '-')
		*us = *us < now_us ? now_us - *us : 0;
	else
		*us += now_us;
	return true;
}

static bool
parse_word(const char *text, uint64_t now_us, uint64_t *us)
{
	time_t seconds = (time_t)(now_us / SECOND);
	struct tm parts;
	int days;

	if (strcmp(text, "now") == 0) {
		*us = now_us;
		return true;
	}
	if (strcmp(text, "today") == 0)
		days = 0;
	else if (strcmp(text, "yesterday") == 0)
		days = -1;
	else if (strcmp(text, "tomorrow") == 0)
		days = 1;
	else
		return false;
	localtime_r(&seconds, &parts);
	parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
	parts.tm_mday += days;
	parts.tm_isdst = -1;
	*us = (uint64_t)mktime(&parts) * SECOND;
	return true;
}

/* Up to six digits after a point or a comma; then Z, +hh:mm, or nothing. */
static bool
parse_tail(const char *text, uint64_t *fraction, bool *zoned, long *offset)
{
	uint64_t unit = SECOND / 10;
	int hours, minutes = 0, length = 0;

	*fraction = 0;
	*zoned = false;
	*offset = 0;
	if (*text == '.' || *text == ',') {
		for (text++; isdigit((unsigned char)*text); text++) {
			*fraction += unit * (uint64_t)(*text - '0');
			unit /= 10;
		}
	}
	if (*text == '\0')
		return true;
	*zoned = true;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &length) < 2 &&
	    sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &length) < 2)
		return false;
	if (text[1 + length] != '\0')
		return false;
	*offset = (hours * 60L + minutes) * 60;
	if (*text == '-')
		*offset = -*offset;
	return true;
}

static bool
parse_date(const char *text, uint64_t now_us, uint64_t *us)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S",
	    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d",
	    "%H:%M:%S", "%H:%M", "%Y%m%d%H%M%S"};
	time_t now = (time_t)(now_us / SECOND), seconds;
	uint64_t fraction;
	long offset;
	bool zoned;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm parts;
		const char *end;

		localtime_r(&now, &parts);
		parts.tm_hour = forms[i][1] == 'H' ? parts.tm_hour : 0;
		parts.tm_min = parts.tm_sec = 0;
		end = strptime(text, forms[i], &parts);
		if (end == NULL || !parse_tail(end, &fraction, &zoned, &offset))
			continue;
		parts.tm_isdst = -1;
		seconds = zoned ? timegm(&parts) - offset : mktime(&parts);
		if (seconds < 0)
			return false;
		*us = (uint64_t)seconds * SECOND + fraction;
		return true;
	}
	return false;
}

bool
time_parse(const char *text, uint64_t now_us, uint64_t *us)
{
	char *end;
	double seconds;

	if (text[0] == '@') {
		seconds = strtod(text + 1, &end);
		if (end == text + 1 || *end != '\0' || seconds < 0 ||
		    seconds > 1e12)
			return false;
		*us = (uint64_t)(seconds * (double)SECOND);
		return true;
	}
	return parse_word(text, now_us, us) || parse_date(text, now_us, us) ||
	    parse_relative(text, now_us, us);
}
