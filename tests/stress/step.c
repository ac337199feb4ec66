/* SPDX-License-Identifier: MIT */
/*
 * step.c - a printk is interrupted after every single instruction.
 *
 * The call runs with the processor's trap flag set. At each position the
 * handler forks, once for each mode: the child, which has all of the process
 * as it is at that instruction, is the one that is interrupted there; the
 * parent takes the next step. So each position is tried in each mode at the
 * cost of one pass.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>
#include <lpk/printk.h>

#include "../hooked/lib_book.h"
#include "core/ring.h"
#include "trap_flag.h"

enum mode {
	NEST, /* the handler logs a record */
	LAP,  /* the handler laps the ring */
	DEEP, /* the handler is stepped as well, and interrupted once */
	DIE,  /* the handler jumps away from the call for good */
	FORK, /* the handler forks; the child logs on without the call */
	MODES
};

static const char *const mode_names[] = {"nest", "lap", "deep", "die", "fork"};

static unsigned char memory[LPK_REGION_BYTES(512, 4) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct book book;
static struct book_reader ahead, behind; /* read all before; read nothing */
static const char *scene;
static volatile sig_atomic_t mode = MODES; /* MODES: this is the parent */
static volatile uint32_t position, deep_position, deep_target;
static volatile bool deep;
static uint32_t runs[MODES];
static uint64_t seed;
static sigjmp_buf away;

static void
log_many(char context, uint32_t count)
{
	while (count-- != 0)
		book_log(&book, context);
}

/* The interrupted call has ended: all is there, in order. */
static void
check_ended(void)
{
	book_drain(&ahead);
	book_check(mode == LAP || ahead.lost == 0);
	log_many('z', 2);
	book_settle(&ahead);
	book_settle(&behind);
	book_close(&ahead, 0);
	book_close(&behind, 0);
	book_check(ahead.late == 0 && book_dropped(&book) == 0);
}

/*
 * Blocks that the call was recycling when it ended for good. Nobody can use
 * them any more, and how many records they hold is not to be known; what an
 * idle reader had not read there is neither read nor lost.
 */
static uint32_t
blocks_lost(void)
{
	uint32_t i, busy = 0;

	for (i = 0; i < ring.geometry.blocks; i++)
		busy += (lpk__block(&ring, i)->life & LPK__LIFE_BUSY) != 0;
	return busy;
}

/*
 * The interrupted call never ends. It keeps one block at most, and the only
 * record that a reader at work never gets is its own.
 */
static void
check_abandoned(void)
{
	struct lpk_log_stats now;
	unsigned long missing, gap;
	uint32_t i;

	for (i = 0; i < 40; i++) {
		book_log(&book, 'z');
		book_settle(&ahead);
	}
	book_settle(&behind);
	book_check(ahead.lost == 0 && book_dropped(&book) == 0);
	for (i = 0; i < book.calls; i++) {
		const struct book_call *call = &book.call[i];

		if (call->begin > ahead.opened && call->context != 'A' &&
		    !call->read[ahead.number])
			book_fail("abandoned: call %u was not read", i);
	}
	book_check(blocks_lost() <= 1);
	if (blocks_lost() != 0)
		return;
	lpk_log_stats(&ring, &now);
	missing = book.calls + lpk__head(&ring)->dict_full -
	    (unsigned long)(now.stored - book.start.stored);
	gap = (unsigned long)now.stored - (unsigned long)ahead.next_seq;
	if (missing > 1 || missing + gap > 1)
		book_fail(
		    "abandoned: %lu not stored, %lu not read", missing, gap);
	gap = (unsigned long)now.stored - (unsigned long)behind.next_seq;
	if (missing + gap > 1)
		book_fail("abandoned, read at the end: %lu not stored, %lu "
			  "not read",
		    missing, gap);
}

static void
wait_for(pid_t child)
{
	int status;

	if (child < 0)
		book_fail("fork: %s", strerror(errno));
	while (waitpid(child, &status, 0) < 0)
		book_check(errno == EINTR);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		book_fail("the child ended with %x", (unsigned int)status);
}

/* What happens at the instruction, in the child. */
static void
interrupt(void)
{
	uint32_t number;
	pid_t child;

	switch (mode) {
	case NEST:
		book_log(&book, 'B');
		break;
	case LAP:
		log_many('B', 60);
		break;
	case DEEP:
		number = book_begin(&book, 'B');
		deep = true;
		deep_position = 0;
		trap_flag_set();
		book_write(&book, number);
		trap_flag_clear();
		deep = false;
		book_finish(&book, number);
		break;
	case DIE:
		siglongjmp(away, 1);
	case FORK:
		child = fork();
		if (child == 0) {
			check_abandoned();
			_exit(0);
		}
		wait_for(child);
		break;
	default:
		break;
	}
}

static void
on_trap(int number, siginfo_t *info, void *context)
{
	int saved = errno, i;

	(void)number;
	(void)info;
	if (deep) {
		if (deep_position++ == deep_target) {
			trap_flag_end(context);
			deep = false;
			book_log(&book, 'C');
		}
		return;
	}
	if (mode != MODES)
		return; /* the last step of a deep one */
	/*
	 * The kernel's clock page is read again whenever it changed meanwhile:
	 * for ever, were each step to take as long as a fork.
	 */
	if (trap_flag_in_vdso(context))
		return;
	deep_target = book_random(&seed, 900);
	for (i = 0; i < MODES; i++) {
		pid_t child;

		/* The two slow ones by samples. */
		if ((i == FORK || i == DEEP) && position % 16 != 0)
			continue;
		runs[i]++;
		child = trap_flag_fork();
		if (child == 0) {
			mode = i;
			book_at("%s, position %u, %s (%u)", scene, position,
			    mode_names[i], deep_target);
			trap_flag_end(context);
			interrupt();
			break;
		}
		wait_for(child);
	}
	if (mode == MODES)
		position++;
	errno = saved;
}

static void
step_call(const char *name, uint32_t filled)
{
	static uint32_t number;

	scene = name;
	position = 0;
	book_ring(&ring, 512, 4, 1, memory, sizeof(memory));
	book_start(&book, &ring);
	book_open(&behind, &book, 1, LPK_SEEK_OLDEST);
	log_many('f', filled);
	book_open(&ahead, &book, 0, LPK_SEEK_NEXT);
	number = book_begin(&book, 'A');
	if (sigsetjmp(away, 1) == 0) {
		trap_flag_set();
		book_write(&book, number);
		trap_flag_clear();
		book_finish(&book, number);
		check_ended();
	} else {
		check_abandoned();
	}
	if (mode != MODES)
		_exit(0);
	printf("%-28s %u positions\n", name, position);
	book_check(position > 100);
}

/* How many records make the next one, of the same kind, change the block. */
static uint32_t
filled_to_change(uint32_t filled)
{
	struct lpk_log_stats before, after;

	for (;; filled += 3) {
		book_ring(&ring, 512, 4, 1, memory, sizeof(memory));
		book_start(&book, &ring);
		log_many('f', filled);
		lpk_log_stats(&ring, &before);
		log_many('f', 1);
		lpk_log_stats(&ring, &after);
		if (after.blocks_opened != before.blocks_opened)
			return filled;
	}
}

int
main(void)
{
	struct sigaction action;
	uint32_t kind;

	if (!TRAP_FLAG_WORKS) {
		puts("single steps by the trap flag: x86 only");
		return 77;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = book_seed();
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_trap;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGTRAP, &action, NULL);
	lpk_thread_set_lane(0);
	lpk_port_caller();
	step_call("first record", 0);
	step_call("inside a block", 1);
	/* Each kind of call (lib_book.c has three), used and not used before. */
	step_call("inside a block, words", 2);
	for (kind = 0; kind < 3; kind++)
		step_call(
		    "block change, used blocks", filled_to_change(60 + kind));
	step_call("block change, fresh block", filled_to_change(7));
	printf("nest %u, lap %u, deep %u, die %u, fork %u runs\n", runs[NEST],
	    runs[LAP], runs[DEEP], runs[DIE], runs[FORK]);
	return 0;
}
