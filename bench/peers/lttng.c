/* SPDX-License-Identifier: MIT */
/*
 * lttng.c - LTTng-UST: a session that compare.c's daemon records to a folder on
 * the same file system, per-CPU buffers, events discarded when these are full
 * (the defaults). The text is made by whoever reads the trace.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE

#include "lttng_tp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lttng/lttng.h>
#include <lttng/ust-thread.h>

#include "lib_peer.h"

PEER_CALL(lttng_numbers,
    lttng_ust_tracepoint(lpk_bench, numbers, integer, wide, real))
PEER_CALL(
    lttng_string, lttng_ust_tracepoint(lpk_bench, string, integer, wide, text))
PEER_CALL(lttng_line,
    lttng_ust_tracepoint(lpk_bench, line, integer, 2 * integer, real))

static char folder[400];

/* Say something to the daemon, by its tool. */
static int
tell(const char *format, const char *text)
{
	char command[1800], words[1200];

	snprintf(words, sizeof(words), format, text);
	snprintf(
	    command, sizeof(command), "lttng %s >>%s/said 2>&1", words, folder);
	return system(command);
}

static const char *
begin(const struct peer_job *job)
{
	int tries;

	if (job->receiver == 0)
		return "no session daemon";
	snprintf(folder, sizeof(folder), "%s", job->folder);
	if (tell("--no-sessiond create bench --output=%s/trace", folder) != 0 ||
	    tell("enable-channel --userspace --session=bench "
		 "--subbuf-size=%s --num-subbuf=8 bench",
		job->lines != 0 ? "4M" : "1M") != 0 ||
	    tell("enable-event --userspace --session=bench --channel=bench "
		 "'lpk_bench:%s'",
		"*") != 0 ||
	    tell("add-context --userspace --session=bench --channel=bench "
		 "--type=%s",
		"vtid") != 0 ||
	    tell("start %s", "bench") != 0)
		return "no session; lttng(1) said why";
	for (tries = 0; tries < 500; tries++) {
		if (lttng_ust_tracepoint_enabled(lpk_bench, numbers))
			return NULL;
		peer_nap(10000000);
	}
	return "the daemon did not switch the events on";
}

static void
thread(unsigned int index)
{
	(void)index;
	lttng_ust_init_thread();
}

/* As lttng(1) stops a session, but that asks five times a second. */
static void
flush(uint64_t made)
{
	(void)made;
	lttng_stop_tracing_no_wait("bench");
	while (lttng_data_pending("bench") == 1)
		peer_nap(1000000);
}

/* What it has discarded, by its own count. */
static uint64_t
end(uint64_t made)
{
	unsigned long long discarded = 0, count;
	char command[500], line[256], *at;
	FILE *list;

	snprintf(command, sizeof(command), "lttng list bench 2>/dev/null");
	list = popen(command, "r");
	while (list != NULL && fgets(line, sizeof(line), list) != NULL) {
		at = strstr(line, "Discarded events: ");
		if (at != NULL && sscanf(at + 18, "%llu", &count) == 1)
			discarded += count;
	}
	if (list != NULL)
		pclose(list);
	tell("destroy %s", "bench");
	return made - discarded;
}

static const struct peer by_lttng = {"LTTng-UST",
    "typed events into per-CPU buffers, a daemon writes CTF; full buffers "
    "discard; text is made when it is read",
    begin, thread, PEER_LOOPS(lttng), PEER_STAMPS(lttng), NULL, flush, end};

const struct peer *const peers[] = {&by_lttng, NULL};
