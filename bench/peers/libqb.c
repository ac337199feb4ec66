/* SPDX-License-Identifier: MIT */
/*
 * libqb.c - libqb's blackbox: records in a ring in shared memory, written to a
 * file when asked for, as a crash handler would.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <qb/qbdefs.h>
#include <qb/qblog.h>

#include "lib_peer.h"

#define RING_BYTES (16 * 1024 * 1024)

PEER_CALL(qb_numbers,
    qb_log(LOG_INFO, PEER_NUMBERS_PRINTF, integer, (long long)wide, real))
PEER_CALL(qb_string,
    qb_log(LOG_INFO, PEER_STRING_PRINTF, integer, (long long)wide, text))
PEER_CALL(
    qb_line, qb_log(LOG_INFO, PEER_LINE_PRINTF, integer, 2 * integer, real))

static const char *
begin(const struct peer_job *job)
{
	(void)job;
	qb_log_init("bench", LOG_USER, LOG_EMERG);
	qb_log_ctl(QB_LOG_SYSLOG, QB_LOG_CONF_ENABLED, QB_FALSE);
	if (qb_log_filter_ctl(QB_LOG_BLACKBOX, QB_LOG_FILTER_ADD,
		QB_LOG_FILTER_FILE, "*", LOG_DEBUG) < 0 ||
	    qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_SIZE, RING_BYTES) < 0 ||
	    qb_log_ctl(QB_LOG_BLACKBOX, QB_LOG_CONF_ENABLED, QB_TRUE) < 0)
		return "no blackbox";
	return NULL;
}

static void
flush(uint64_t made)
{
	(void)made;
}

/* The newest are kept: the dump is printed, and they are counted. */
static uint64_t
end(uint64_t made)
{
	char dump[512];
	int fd, saved;

	(void)made;
	snprintf(dump, sizeof(dump), "%s", peer_path("dump"));
	qb_log_blackbox_write_to_file(dump);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	fd = open(peer_path("printed"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, STDOUT_FILENO);
	qb_log_blackbox_print_from_file(dump);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(fd);
	close(saved);
	qb_log_fini();
	return peer_count(peer_path("printed"), 0);
}

static const struct peer blackbox = {"libqb blackbox",
    "a ring of 16 MiB in shared memory that keeps the newest records; no "
    "sink until it is dumped",
    begin, NULL, PEER_LOOPS(qb), PEER_STAMPS(qb), NULL, flush, end};

const struct peer *const peers[] = {&blackbox, NULL};
