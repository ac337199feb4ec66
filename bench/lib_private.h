/* SPDX-License-Identifier: MIT */
/*
 * lib_private.h - daemons of our own: a receiver of syslog(3), LTTng's session
 * daemon. They live in a mount namespace of ours, in which /dev/log and /run
 * are not the system's, and end with this process.
 */
#ifndef BENCH_LIB_PRIVATE_H
#define BENCH_LIB_PRIVATE_H

#include <sys/types.h>

/**
 * bench_private_enter() - Get the namespace; before there are threads, after
 * bench_init().
 * Return: why it cannot be, or NULL.
 */
const char *bench_private_enter(void);

/* A daemon that runs. */
struct bench_daemon {
	pid_t id;       /* 0: none */
	char name[128]; /* "rsyslogd 8.2302.0" */
	char path[384]; /* what it writes to */
};

/**
 * bench_syslog_start() - Have someone listen at /dev/log: rsyslogd where it is
 * installed, else a process that reads and writes a line for each datagram.
 * @folder: for its files
 * Return:  why it cannot be, or NULL.
 */
const char *bench_syslog_start(struct bench_daemon *daemon, const char *folder);

/** bench_lttng_start() - Have a session daemon, with @folder for a home. */
const char *bench_lttng_start(struct bench_daemon *daemon, const char *folder);

/** bench_daemon_stop() - And wait until it has ended. */
void bench_daemon_stop(struct bench_daemon *daemon);

/** bench_folder_make() - A folder on the file system of all sinks. */
const char *bench_folder_make(void);
/** bench_folder_remove() - With all that is in it. */
void bench_folder_remove(const char *folder);

#endif /* BENCH_LIB_PRIVATE_H */
