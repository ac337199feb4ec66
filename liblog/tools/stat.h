/* SPDX-License-Identifier: MIT */
/*
 * stat.h - what an image says of the log as a whole, and of its consoles.
 */
#ifndef LPK_TOOLS_STAT_H
#define LPK_TOOLS_STAT_H

#include "image.h"

/* No image says that it has more. */
#define CONSOLES_MAX 256

/* A console. Only the strings, mode and state are known to make sense. */
struct console_view {
	unsigned int slot;
	uint32_t seq; /* of the slot: which console it was */
	char name[LPK_CONSOLE_NAME_BYTES];
	char driver[16];
	const char *mode; /* in words */
	const char *state;
	uint64_t quiet_below;
	uint64_t printed;
	uint64_t suppressed;
	uint64_t lost;
	uint64_t refused;
	uint64_t bytes;
	uint64_t next_seq;
	uint64_t owner;
	uint64_t error;
	uint64_t time_ms;
	/* Of what is stored and not printed. */
	uint64_t lag_records;
	uint64_t lag_ns;
};

/* Its consoles as they are now; how many. */
unsigned int stat_consoles(
    const struct image *image, struct console_view views[CONSOLES_MAX]);

/* The block that a lane is filling. */
struct lane_view {
	bool there;
	uint32_t block;
	uint64_t order;
	uint64_t records;
	uint64_t units;
};

struct log_view {
	uint64_t stored;
	uint64_t overwritten;
	uint64_t unfinished; /* records that are reserved, and not there */
	uint64_t dropped;
	uint64_t suppressed;
	uint32_t used; /* blocks that were ever used */
	uint32_t pinned;
	uint64_t dict_used;
	uint32_t lane_count;
	struct lane_view lanes[LPK_LANES_MAX];
};

void stat_log(const struct image *image, struct log_view *view);

/* How long ago the oldest record was stored that a console has not printed. */
void stat_lags(const struct image *image, const struct log_view *log,
    struct console_view *views, unsigned int count);

/* How the process is or ended, as a sentence. */
void stat_state(const struct image *image, char *text, size_t bytes);

/* The name of a signal without SIG, of an error; or a number. */
const char *signal_name(uint64_t number);
const char *error_name(uint64_t number);

#endif /* LPK_TOOLS_STAT_H */
