/* SPDX-License-Identifier: MIT */
/*
 * stdio.c - what a program without a logger does: fprintf(3) with its lock and
 * a buffer, or snprintf(3) and write(2). Either has the time and the thread in
 * front, as the loggers have.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib_peer.h"

#define PREFIX "[%5llu.%06lu][T%6d] "
#define PREFIX_ARGS                                                            \
	(unsigned long long)now.tv_sec, (unsigned long)now.tv_nsec / 1000, id

static FILE *stream;
static char buffer[65536];
static int fd;
static __thread int id;

#define BY_FPRINTF(format, ...)                                                \
	do {                                                                   \
		struct timespec now;                                           \
                                                                               \
		clock_gettime(CLOCK_MONOTONIC, &now);                          \
		fprintf(stream, PREFIX format "\n", PREFIX_ARGS, __VA_ARGS__); \
	} while (0)

#define BY_WRITE(format, ...)                                                  \
	do {                                                                   \
		struct timespec now;                                           \
		char line[256];                                                \
		int length;                                                    \
                                                                               \
		clock_gettime(CLOCK_MONOTONIC, &now);                          \
		length = snprintf(line, sizeof(line), PREFIX format "\n",      \
		    PREFIX_ARGS, __VA_ARGS__);                                 \
		(void)!write(fd, line, (size_t)length);                        \
	} while (0)

PEER_CALL(stdio_numbers,
    BY_FPRINTF(PEER_NUMBERS_PRINTF, integer, (long long)wide, real))
PEER_CALL(stdio_string,
    BY_FPRINTF(PEER_STRING_PRINTF, integer, (long long)wide, text))
PEER_CALL(stdio_line, BY_FPRINTF(PEER_LINE_PRINTF, integer, 2 * integer, real))
PEER_CALL(write_numbers,
    BY_WRITE(PEER_NUMBERS_PRINTF, integer, (long long)wide, real))
PEER_CALL(
    write_string, BY_WRITE(PEER_STRING_PRINTF, integer, (long long)wide, text))
PEER_CALL(write_line, BY_WRITE(PEER_LINE_PRINTF, integer, 2 * integer, real))

static const char *
begin_stdio(const struct peer_job *job)
{
	(void)job;
	stream = fopen(peer_path("log"), "we");
	if (stream == NULL)
		return "no file";
	setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
	return NULL;
}

static const char *
begin_write(const struct peer_job *job)
{
	(void)job;
	/* Lines of several threads do not overwrite each other. */
	fd = open(peer_path("log"),
	    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	return fd < 0 ? "no file" : NULL;
}

static void
thread(unsigned int index)
{
	(void)index;
	id = gettid();
}

static void
flush_stdio(uint64_t made)
{
	(void)made;
	fflush(stream);
}

static void
flush_write(uint64_t made)
{
	(void)made;
}

static uint64_t
end_stdio(uint64_t made)
{
	(void)made;
	fclose(stream);
	return peer_count(peer_path("log"), 0);
}

static uint64_t
end_write(uint64_t made)
{
	(void)made;
	close(fd);
	return peer_count(peer_path("log"), 0);
}

static const struct peer by_stdio = {"stdio",
    "fprintf(3): its lock, 64 KiB buffer; what is in the buffer dies with the "
    "process",
    begin_stdio, thread, PEER_LOOPS(stdio), PEER_STAMPS(stdio), NULL,
    flush_stdio, end_stdio};

static const struct peer by_write = {"write(2)",
    "snprintf(3) and write(2) by the caller, O_APPEND", begin_write, thread,
    PEER_LOOPS(write), PEER_STAMPS(write), NULL, flush_write, end_write};

const struct peer *const peers[] = {&by_stdio, &by_write, NULL};
