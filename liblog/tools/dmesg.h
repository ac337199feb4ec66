/* SPDX-License-Identifier: MIT */
/*
 * dmesg.h - what `lpk dmesg` is asked for.
 */
#ifndef LPK_TOOLS_DMESG_H
#define LPK_TOOLS_DMESG_H

#include <regex.h>

#include "output.h"
#include "source.h"
#include "terminal.h"

struct dmesg_options {
	struct sources sources;
	struct output output;
	enum colour_when colours;
	uint32_t levels;             /* bits; 0: all */
	uint32_t facilities;         /* likewise */
	uint64_t since_us, until_us; /* wall clock; 0: no bound */
	regex_t pattern;
	bool match;     /* there is one */
	uint64_t after; /* seq: those beyond it */
	bool has_after;
	char session[33];   /* of which it is; "": of any */
	unsigned long last; /* only so many */
	bool has_last;
	bool follow;
	bool only_new;
	bool pager;
};

/*
 * Read the command line. Returns -1 to go on, or the status to exit with, when
 * all is said.
 */
int dmesg_options_read(struct dmesg_options *options, int argc, char **argv);

void dmesg_options_free(struct dmesg_options *options);

#endif /* LPK_TOOLS_DMESG_H */
