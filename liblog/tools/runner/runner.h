/* SPDX-License-Identifier: MIT */
/*
 * runner.h - the parts of lpk-run, and what it agrees on with the library that
 * it has the program's loader put in front of the C library.
 */
#ifndef LPK_TOOLS_RUNNER_H
#define LPK_TOOLS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Names a socket without a file: SOCK_DGRAM, "lpk-run-" and a number. A datagram
 * is "<PRIORITY>TAG: text", the priority as syslog(3) has it.
 */
#define RUN_VARIABLE "LPK_RUN"
#define RUN_PREFIX "lpk-run-"
#define RUN_LIBRARY "liblpk-syslog.so"
#define RUN_MESSAGE_BYTES 8192

#define LINES_BYTES 65536

/* A stream of lines. */
struct lines {
	int fd;
	int level; /* of lines that do not say */
	size_t used;
	char line[LINES_BYTES];
};

/* Make records of what can be read now; false at the end. */
bool lines_read(struct lines *lines);

/* What has no newline yet. */
void lines_end(struct lines *lines);

/* The socket for syslog(3); its name is put into the environment. */
int syslog_listen(void);

/* Make records of all that came. */
void syslog_read(int from);

/* Have the program's loader take our library, where there is one. */
void syslog_preload(void);

#endif /* LPK_TOOLS_RUNNER_H */
