/* SPDX-License-Identifier: MIT */
/*
 * stopped.c - two processes write to one ring in shared memory, and one of
 * them is stopped (SIGSTOP) or killed (SIGKILL), wherever it happens to be.
 *
 * Shared is the region alone. Each process has a struct lpk_log of its own, a
 * copy: what it says about the shape must be trusted, and the words by which
 * sleepers are woken are private. So a reader is not woken by the other
 * process's records; it reads when it likes.
 *
 * What a killed writer leaves behind: the record that it had reserved and not
 * committed is counted as stored, and no reader ever gets it: it stays among
 * those passed over, one a kill at most. Killed while it recycled a block, it
 * leaves a block that nobody can use: what a reader had not read there is then
 * neither read nor lost, and the accounts may lack what the block held.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

#include "../hooked/lib_book.h"
#include "core/ring.h"

#define STOPS 120
#define KILLS 60
#define BLOCKS 64
#define BLOCK_BYTES 1024

/* What the processes share. The texts are numbered for each of them. */
struct shared {
	unsigned long begun; /* calls of the child */
	unsigned long ended;
	LPK_ALIGNED(64)
	unsigned char memory[LPK_REGION_BYTES(BLOCK_BYTES, BLOCKS)];
};

static struct shared *shared;
static struct lpk_log ring;
static struct lpk_reader reader;
static uint64_t seed, next_seq;
static unsigned long own_calls, last[2], got, lost, late, child_calls;
static bool seen_late;

static void
write_one(char who, unsigned long number)
{
	lpk_write(&ring, LPK_INFO, "%c%010lu:%0*lu", who, number,
	    (int)(number * 11 % 60), number);
}

static void
check_text(const struct lpk_record *record, const char *text)
{
	unsigned long number = strtoul(text + 1, NULL, 10);
	int who = text[0] == 'C';
	char expected[128];

	if (text[0] != 'C' && text[0] != 'P')
		book_fail("a record that nobody logged: %s", text);
	snprintf(expected, sizeof(expected), "%c%010lu:%0*lu", text[0], number,
	    (int)(number * 11 % 60), number);
	if (strcmp(expected, text) != 0)
		book_fail("torn: \"%s\", logged: \"%s\"", text, expected);
	if (record->seq != next_seq)
		book_fail("seq %llu, not %llu", (unsigned long long)record->seq,
		    (unsigned long long)next_seq);
	next_seq++;
	got++;
	if ((record->flags & LPK_RECORD_LATE) != 0) {
		late++;
		seen_late = true;
		return;
	}
	if (number <= last[who])
		book_fail("out of order: %s after %lu", text, last[who]);
	last[who] = number;
}

/* Read all there is; what is held back is waited for. */
static void
drain(void)
{
	const struct timespec moment = {.tv_nsec = 100000};
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	uint32_t held, i;
	int result;

	do {
		while ((result = lpk_reader_next(&reader, &record, text,
			    sizeof(text))) != -LPK_EAGAIN) {
			if (result == LPK_OK) {
				check_text(&record, text);
			} else {
				book_check(result == -LPK_EPIPE);
				lost += (unsigned long)reader.lost;
				next_seq += reader.lost;
			}
		}
		held = 0;
		for (i = 0; i < reader.streams; i++)
			held += reader.stream[i].held_since != 0;
		if (held != 0)
			nanosleep(&moment, NULL);
	} while (held != 0);
}

static _Noreturn void
child_main(void)
{
	for (;;) {
		shared->begun++;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		write_one('C', child_calls + shared->begun);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		shared->ended++;
	}
}

static pid_t
start_child(void)
{
	pid_t child;

	child_calls += shared->begun;
	shared->begun = 0;
	shared->ended = 0;
	child = fork();
	book_check(child >= 0);
	if (child == 0)
		child_main();
	return child;
}

static void
wait_a_little(void)
{
	struct timespec moment = {
	    .tv_nsec = 20000 + book_random(&seed, 300000)};
	unsigned long begun = shared->begun;

	nanosleep(&moment, NULL);
	/* On a busy machine the child may not have run at all. */
	while (*(volatile unsigned long *)&shared->begun < begun + 10)
		nanosleep(&moment, NULL);
}

/* Until the child has finished the call that it was stopped in. */
static void
wait_for_call(void)
{
	unsigned long ended = shared->ended;

	while (*(volatile unsigned long *)&shared->ended == ended)
		sched_yield();
}

static void
stop(pid_t child, int signal)
{
	int status;

	book_check(kill(child, signal) == 0);
	while (waitpid(child, &status, WUNTRACED) < 0)
		book_check(errno == EINTR);
	if (signal == SIGSTOP)
		book_check(WIFSTOPPED(status));
	else
		book_check(WIFSIGNALED(status));
}

/* The other process is stopped: go on alone, for some laps of the ring. */
static void
go_on(void)
{
	struct lpk_log_stats before, after;
	uint32_t i, laps = 1 + book_random(&seed, 2);

	lpk_log_stats(&ring, &before);
	for (i = 0; i < laps * BLOCKS * ring.geometry.slots; i++) {
		write_one('P', ++own_calls);
		if (i % 64 == 0)
			drain();
	}
	drain();
	lpk_log_stats(&ring, &after);
	book_check(after.dropped == before.dropped);
}

/* Blocks that the stopped process is recycling: the accounts are in flux. */
static uint32_t
recycling(void)
{
	uint32_t i, busy = 0;

	for (i = 0; i < ring.geometry.blocks; i++)
		busy += (lpk__block(&ring, i)->life & LPK__LIFE_BUSY) != 0;
	return busy;
}

/* Records stored, and neither read nor lost. */
static long
unaccounted(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(&ring, &stats);
	return (long)(unsigned long)(stats.stored - next_seq);
}

static void
open_ring(void)
{
	own_calls = last[0] = last[1] = got = lost = late = child_calls = 0;
	shared->begun = 0;
	lpk_log_init(&ring, "shared", shared->memory, sizeof(shared->memory),
	    BLOCK_BYTES, BLOCKS, 2);
	lpk_reader_open(&reader, &ring, LPK_SEEK_OLDEST);
	next_seq = reader.seq;
}

static void
check_calls(const char *what, unsigned long unfinished)
{
	struct lpk_log_stats stats;
	unsigned long calls = own_calls + child_calls + shared->begun;
	unsigned long stored;

	lpk_log_stats(&ring, &stats);
	stored = (unsigned long)(stats.stored + stats.dropped);
	/* A call that was killed may not have come to its reservation. */
	unfinished += recycling() * ring.geometry.slots;
	if (calls < stored || calls - stored > unfinished)
		book_fail("%s: %lu calls, %lu stored or dropped", what, calls,
		    stored);
}

static void
stop_and_continue(void)
{
	unsigned long before;
	uint32_t i, inside = 0;
	pid_t child;

	open_ring();
	child = start_child();
	for (i = 0; i < STOPS; i++) {
		uint32_t lates;

		book_at("stop %u", i);
		wait_a_little();
		stop(child, SIGSTOP);
		drain();
		go_on();
		lates = reader.lates;
		book_check(lates <= 1);
		/* One at the end of its block holds nothing back. */
		book_check(recycling() != 0 || unaccounted() == (long)lates ||
		    unaccounted() == 1);
		inside += lates;
		seen_late = false;
		book_check(kill(child, SIGCONT) == 0);
		wait_for_call();
		stop(child, SIGSTOP);
		before = lost;
		drain();
		/* Late, or lapped since it was committed. */
		book_check(lates == 0 || seen_late || lost != before);
		book_check(kill(child, SIGCONT) == 0);
	}
	stop(child, SIGSTOP);
	stop(child, SIGKILL);
	drain();
	check_calls("stopped", 1);
	book_check(recycling() != 0 || (unsigned long)unaccounted() <= 1);
	printf("%u stops, %u of them inside a record, %lu late; %lu calls, "
	       "%lu read, %lu lost\n",
	    i, inside, late, own_calls + shared->begun, got, lost);
}

/* For certain: the child stops itself between reservation and commit. */
static void
stop_inside(void)
{
	unsigned long before;
	pid_t child;
	int status;

	book_at("stop inside a record");
	open_ring();
	child = fork();
	book_check(child >= 0);
	if (child == 0) {
		uint64_t time = lpk_port_clock();
		struct lpk__slot slot;
		uint32_t head[3] = {1, 23u | 6u << 16, 0};

		book_check(lpk__ring_reserve(&ring, 0, 6, &slot));
		raise(SIGSTOP);
		lpk__write64(slot.words, time);
		lpk__words_write(slot.words + 8 / sizeof(long), head, 12);
		lpk__words_write(slot.words + 16 / sizeof(long),
		    "\0\0\0\0C0000000001:00000000001", 27);
		lpk__ring_commit(&slot);
		_exit(0);
	}
	while (waitpid(child, &status, WUNTRACED) < 0)
		book_check(errno == EINTR);
	book_check(WIFSTOPPED(status));
	go_on();
	book_check(reader.lates == 1 && unaccounted() == 1 && late == 0);
	before = got;
	book_check(kill(child, SIGCONT) == 0);
	while (waitpid(child, &status, 0) < 0)
		book_check(errno == EINTR);
	book_check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	drain();
	book_check(late == 1 && got == before + 1 && unaccounted() == 0);
}

static void
kill_and_go_on(void)
{
	uint32_t i, inside = 0;
	long before = 0;

	open_ring();
	/* Each kill may keep a block for good. */
	for (i = 0; i < KILLS && inside + recycling() < BLOCKS / 2; i++) {
		uint32_t busy = recycling();
		pid_t child = start_child();

		book_at("kill %u", i);
		wait_a_little();
		stop(child, SIGSTOP);
		drain();
		stop(child, SIGKILL);
		go_on();
		if (recycling() == busy &&
		    (unsigned long)(unaccounted() - before) > 1)
			book_fail("%ld unaccounted, %ld before the kill",
			    unaccounted(), before);
		inside += unaccounted() > before;
		before = unaccounted();
		check_calls("killed", i + 1);
	}
	printf("%u kills, %u of them inside a record, %u recycling a block; "
	       "%lu calls, %lu read, %lu lost\n",
	    i, inside, recycling(), own_calls + child_calls + shared->begun,
	    got, lost);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = book_seed();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	book_check(shared != MAP_FAILED);
	lpk_thread_set_lane(0);
	stop_inside();
	stop_and_continue();
	kill_and_go_on();
	return 0;
}
