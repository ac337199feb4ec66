/* SPDX-License-Identifier: MIT */
/*
 * lpk.c - lpk: a console of its own thread on a file; the same console, printed
 * by the caller; and the ring alone, which a reader or a crash takes from.
 */
#include <stdio.h>

#include <lpk/consoles.h>
#include <lpk/hosted.h>
#include <lpk/printk.h>

#include "lib_peer.h"

#define BLOCK_BYTES 65536
#define BLOCKS 256

LPK_LOG_DEFINE(ring, BLOCK_BYTES, BLOCKS, 4);

/* More than a record of these messages takes. */
#define HALF_OF_RING ((uint64_t)BLOCK_BYTES * BLOCKS / 2 / 104)

/* Of all producers, between two looks at how far the console is. */
#define LOOK 16384

static struct lpk_console *console;
static struct lpk_log_stats before;

PEER_CALL(lpk_numbers,
    lpk_printk_to(
	&ring, LPK_INFO, PEER_NUMBERS_PRINTF, integer, (long long)wide, real))
PEER_CALL(lpk_string,
    lpk_printk_to(
	&ring, LPK_INFO, PEER_STRING_PRINTF, integer, (long long)wide, text))
PEER_CALL(lpk_line,
    lpk_printk_to(
	&ring, LPK_INFO, PEER_LINE_PRINTF, integer, 2 * integer, real))

/* Once round the ring: its pages are there then. */
static void
touch(void)
{
	unsigned long i;

	for (i = 0; i < HALF_OF_RING * 4; i++)
		lpk_string_loop(i, 1);
	lpk_log_stats(&ring, &before);
}

static const char *
begin_in(const struct peer_job *job, enum lpk_console_mode mode)
{
	static char words[512], error[256];

	(void)job;
	touch();
	snprintf(words, sizeof(words), "file:%s,start=next,style=caller",
	    peer_path("lpk.log"));
	if (lpk_console_new(&console, words, error, sizeof(error)) != LPK_OK)
		return error;
	console->log = &ring;
	console->mode = mode;
	if (lpk_console_register(console) != LPK_OK)
		return "lpk_console_register() failed";
	return NULL;
}

static const char *
begin_poll(const struct peer_job *job)
{
	return begin_in(job, LPK_MODE_POLL);
}

static const char *
begin_direct(const struct peer_job *job)
{
	return begin_in(job, LPK_MODE_DIRECT);
}

static const char *
begin_ring(const struct peer_job *job)
{
	(void)job;
	touch();
	return NULL;
}

/* As lib_cases does: a thread on a CPU of its own gets a lane of its own. */
static void
thread(unsigned int index)
{
	lpk_thread_set_lane(index);
}

/* The accounts are no cheap reading: they are asked for now and then. */
static void
pace(uint64_t made)
{
	struct lpk_console_stats stats;

	while (made % LOOK < 256) {
		lpk_console_stats(console, &stats);
		if (made < stats.printed + stats.lost + HALF_OF_RING)
			break;
		peer_nap(200000);
	}
}

static void
flush(uint64_t made)
{
	(void)made;
	lpk_console_flush(console, UINT64_MAX);
}

static void
flush_nothing(uint64_t made)
{
	(void)made;
}

static uint64_t
end(uint64_t made)
{
	(void)made;
	lpk_console_unregister(console, UINT64_MAX);
	lpk_console_free(console);
	return peer_count(peer_path("lpk.log"), 0);
}

/* What is kept is what was stored: no one reads. */
static uint64_t
end_ring(uint64_t made)
{
	struct lpk_log_stats after;

	(void)made;
	lpk_log_stats(&ring, &after);
	return after.stored - before.stored;
}

static const struct peer deferred = {"lpk",
    "file console, its thread prints; 16 MiB ring; in throughput a producer "
    "sleeps while half of the ring is not printed",
    begin_poll, thread, PEER_LOOPS(lpk), PEER_STAMPS(lpk), pace, flush, end};

static const struct peer direct = {"lpk, direct",
    "file console in direct mode: the caller prints", begin_direct, thread,
    PEER_LOOPS(lpk), PEER_STAMPS(lpk), NULL, flush, end};

static const struct peer alone = {"lpk, ring alone",
    "no console; the newest 16 MiB are kept for readers, dmesg and a crash",
    begin_ring, thread, PEER_LOOPS(lpk), PEER_STAMPS(lpk), NULL, flush_nothing,
    end_ring};

const struct peer *const peers[] = {&deferred, &direct, &alone, NULL};
