/* SPDX-License-Identifier: MIT */
/*
 * times.h - times as people write them and read them.
 */
#ifndef LPK_TOOLS_TIMES_H
#define LPK_TOOLS_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the time of a record is shown; the words of --time-format. */
enum time_format {
	TIME_RAW,   /* "[    5.123456] ", since boot */
	TIME_DELTA, /* "[<    0.000123>] ", since the record before */
	TIME_RAW_DELTA,
	TIME_CTIME, /* "[Sun Nov 22 10:18:12 2026] " */
	TIME_CTIME_DELTA,
	TIME_RELTIME, /* "[Nov22 10:18] ", then "[  +0.000123] " */
	TIME_ISO,     /* "2026-11-22T10:18:12,123456+00:00 " */
	TIME_NONE
};

/* False for a word that is none of them. */
bool time_format_parse(const char *text, enum time_format *format);

/* What has to be remembered from one record to the next. */
struct time_before {
	uint64_t ns;     /* monotonic; 0: there was none */
	uint64_t minute; /* of the wall clock, of the last one shown */
};

#define TIME_TEXT 64

/*
 * A record's time with the blank that ends it, as a string. Where the wall
 * clock is not known, what needs it shows the time since boot.
 */
size_t time_print(char text[TIME_TEXT], enum time_format format,
    uint64_t monotonic_ns, uint64_t realtime_ns,
    const struct time_before *before);

/* After a record was shown. */
void time_shown(
    struct time_before *before, uint64_t monotonic_ns, uint64_t realtime_ns);

/*
 * A moment of the wall clock: 2026-11-22 10:18:12.5, 2026-11-22T10:18Z,
 * 20261122101812, 10:18, now, today, yesterday, tomorrow, @SECONDS, -5min,
 * "2 hours ago", +1day. @now_us: the present. False when it is none.
 */
bool time_parse(const char *text, uint64_t now_us, uint64_t *us);

#endif /* LPK_TOOLS_TIMES_H */
