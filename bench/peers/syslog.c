/* SPDX-License-Identifier: MIT */
/*
 * syslog.c - glibc's syslog(3), and a receiver that compare.c has started. The
 * socket is a datagram socket: a caller waits while its queue is full.
 */
#include <sys/stat.h>
#include <syslog.h>

#include "lib_peer.h"

/* A receiver that says nothing more for so long has got all it ever will. */
#define PATIENCE_NS UINT64_C(500000000)

static const struct peer_job *job;
static uint64_t offset;

PEER_CALL(syslog_numbers,
    syslog(LOG_INFO, PEER_NUMBERS_PRINTF, integer, (long long)wide, real))
PEER_CALL(syslog_string,
    syslog(LOG_INFO, PEER_STRING_PRINTF, integer, (long long)wide, text))
PEER_CALL(
    syslog_line, syslog(LOG_INFO, PEER_LINE_PRINTF, integer, 2 * integer, real))

static uint64_t
written(void)
{
	struct stat about;

	return stat(job->syslog, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static const char *
begin(const struct peer_job *what)
{
	job = what;
	if (job->syslog[0] == '\0')
		return "no receiver";
	offset = written();
	openlog("bench", LOG_NDELAY | LOG_PID, LOG_USER);
	return NULL;
}

static void
flush(uint64_t made)
{
	uint64_t last = 0, now, quiet = 0;

	(void)made;
	while (quiet < PATIENCE_NS) {
		now = written();
		quiet = now == last ? quiet + 10000000 : 0;
		last = now;
		/* The size of a line is not known before there are some. */
		if (quiet != 0 && peer_count(job->syslog, offset) >= made)
			break;
		peer_nap(10000000);
	}
}

static uint64_t
end(uint64_t made)
{
	(void)made;
	closelog();
	return peer_count(job->syslog, offset);
}

static const struct peer by_syslog = {"syslog(3)",
    "glibc's, LOG_PID, to a receiver of its own", begin, NULL,
    PEER_LOOPS(syslog), PEER_STAMPS(syslog), NULL, flush, end};

const struct peer *const peers[] = {&by_syslog, NULL};
