/* SPDX-License-Identifier: MIT */
/*
 * output.h - records as lines of a terminal, of /dev/kmsg, as JSON, and in the
 * export format of the journal.
 */
#ifndef LPK_TOOLS_OUTPUT_H
#define LPK_TOOLS_OUTPUT_H

#include <stdio.h>

#include <lpk/reader.h>

#include "core/ring.h"
#include "times.h"

enum output_kind {
	OUTPUT_TEXT,
	OUTPUT_RAW,       /* "<6>[    5.123456] text" */
	OUTPUT_KMSG,      /* "6,12,5123456,-,caller=T1;text" */
	OUTPUT_JSON,      /* an object a line */
	OUTPUT_JSON_LIST, /* one object, as dmesg --json prints it */
	OUTPUT_EXPORT     /* journalctl -o export */
};

#define OUTPUT_TIMES 4

struct output {
	FILE *stream;
	enum output_kind kind;
	enum time_format times[OUTPUT_TIMES];
	unsigned int time_count;
	bool decode; /* facility and level in words */
	bool colours;
	bool no_escape;
	bool force_prefix; /* on each line of a record, not on the first */
	bool show_program; /* there are several images */
	/* The rest is output.c's. */
	struct time_before before;
	bool begun;
};

/* A record, or so many that were lost before the next one. */
struct entry {
	const struct lpk__session *session; /* of whose image it is */
	uint64_t lost;                      /* 0: it is a record */
	struct lpk_record record;
	const char *text;
};

void output_entry(struct output *output, const struct entry *entry);
void output_end(struct output *output);

#endif /* LPK_TOOLS_OUTPUT_H */
