/* SPDX-License-Identifier: MIT */
/*
 * posix.c - the port for Linux and its C libraries: counter, caller, lane,
 * and waking sleepers by futex and eventfd.
 *
 * Thread-local words are initial-exec, so that touching them allocates
 * nothing, in a handler either.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

#include "core/clock.h"
#include "core/names.h"
#include "hosted/direct.h"
#include "hosted/panic.h"
#include "hosted/sleep.h"
#include "lpk_atomic.h"
#include "port_fast.h"

enum { CLOCK_UNDECIDED, CLOCK_COUNTER, CLOCK_SYSTEM };

/* A tick of a kernel that has few of them. */
#define COARSE_NS 10000000
/* To be measured, how long it takes to be easy on the CPU so often. */
#define RELAX_SAMPLE 1000u
/*
 * A pause of who can only spin. It is longer than one that sleeps, as the
 * thread that is waited for may have to wait for this CPU.
 */
#define SPIN_US 250u

__thread struct lpk__self lpk__self __attribute__((tls_model("initial-exec")));

static unsigned long clock_kind;
static unsigned long clock_hz;
static struct lpk_clock_pair first_pair;
static unsigned long first_pair_state; /* 0 none, 1 being written, 2 there */
static unsigned long threads_seen;
static unsigned int relaxes_in_us = 25;

static uint64_t
read_ns(clockid_t id)
{
	struct timespec now;
	int saved = errno;

	clock_gettime(id, &now);
	errno = saved;
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * A thread in strict seccomp may not read the counter: on x86 that faults, in
 * the system's own functions, too. What the kernel noted at its last tick is
 * there for everybody. It is some milliseconds old; made younger by as much,
 * last words do not come before what was logged until then.
 */
static uint64_t
coarse_ns(clockid_t id)
{
	return read_ns(id == CLOCK_REALTIME ? CLOCK_REALTIME_COARSE :
					      CLOCK_MONOTONIC_COARSE) +
	    COARSE_NS;
}

static uint64_t
system_ns(clockid_t id)
{
	return lpk__self.write_only != 0 ? coarse_ns(id) : read_ns(id);
}

/* Every context that decides comes to the same result. */
static unsigned long
decide_clock(void)
{
	unsigned long kind =
	    lpk__counter_usable() ? CLOCK_COUNTER : CLOCK_SYSTEM;

	/* Relaxed: a number that never changes again. */
	lpk_store_relaxed(&clock_kind, kind);
	return kind;
}

static unsigned long
kind_of_clock(void)
{
	unsigned long kind = lpk_load_relaxed(&clock_kind);

	return LPK_LIKELY(kind != CLOCK_UNDECIDED) ? kind : decide_clock();
}

/* What the counter should be at now, by what is known of it. */
static uint64_t
guess_counter(void)
{
	struct lpk__scale scale;
	struct lpk__clock clock;
	uint64_t ns;

	if (!lpk__clock_read(&lpk__default_log, &clock)) {
		clock.base = clock.last = first_pair;
		/* Relaxed: no writer but at the start. */
		clock.hz = (uint64_t)lpk_load_relaxed(&clock_hz) * 1000;
	}
	lpk__clock_scale(&scale, &clock);
	ns = coarse_ns(CLOCK_MONOTONIC) - scale.base_ns;
	if ((int64_t)ns <= 0 || scale.mult == 0)
		return scale.base_raw;
	return scale.base_raw + (ns / scale.mult << scale.shift) +
	    (ns % scale.mult << scale.shift) / scale.mult;
}

uint64_t
lpk_port_clock(void)
{
	if (LPK_UNLIKELY(lpk__self.write_only != 0) &&
	    kind_of_clock() == CLOCK_COUNTER)
		return guess_counter();
	if (LPK_LIKELY(kind_of_clock() == CLOCK_COUNTER))
		return lpk__counter_read();
	return system_ns(CLOCK_MONOTONIC);
}

void
lpk_port_clock_pair(struct lpk_clock_pair *pair)
{
	uint64_t before, after, best = UINT64_MAX, ns;
	int try;

	/* An interrupt may come between the readings: take the closest. */
	for (try = 0; try < 3; try++) {
		before = lpk_port_clock();
		ns = system_ns(CLOCK_MONOTONIC);
		after = lpk_port_clock();
		if (after - before < best) {
			best = after - before;
			pair->raw = before + best / 2;
			pair->monotonic_ns = ns;
		}
	}
	ns = system_ns(CLOCK_REALTIME);
	pair->realtime_ns =
	    ns - (system_ns(CLOCK_MONOTONIC) - pair->monotonic_ns);
}

/* The rate since the first time anyone asked; 0 before that means anything. */
static uint64_t
measure_hz(void)
{
	struct lpk_clock_pair now;
	uint64_t ns, ticks;

	/*
	 * LMM(hz:A)
	 * Pairs with hz:B.
	 */
	if (lpk_load_acquire(&first_pair_state) != 2) {
		if (lpk_cas_acquire(&first_pair_state, 0, 1)) {
			lpk_port_clock_pair(&first_pair);
			/*
			 * LMM(hz:B)
			 * The pair before the mark. Pairs with hz:A.
			 */
			lpk_store_release(&first_pair_state, 2);
		}
		return 0;
	}
	lpk_port_clock_pair(&now);
	ns = now.monotonic_ns - first_pair.monotonic_ns;
	ticks = now.raw - first_pair.raw;
	if (ns < 50000)
		return 0;
	while (ticks >= UINT64_C(1) << 34) {
		ticks >>= 1;
		ns >>= 1;
	}
	ticks = ticks * 1000000000 / ns;
	/* Good to 1e-4 from a millisecond on: keep it. */
	if (ns >= 1000000)
		lpk_store_relaxed(&clock_hz, (unsigned long)(ticks / 1000));
	return ticks;
}

uint64_t
lpk_port_clock_hz(void)
{
	uint64_t hz;

	if (kind_of_clock() == CLOCK_SYSTEM)
		return 1000000000;
	/* Relaxed: kHz, one word also on 32-bit machines. */
	hz = (uint64_t)lpk_load_relaxed(&clock_hz) * 1000;
	if (hz == 0)
		hz = measure_hz();
	return hz != 0 ? hz : 2000000000;
}

uint32_t
lpk_port_caller(void)
{
	if (LPK_UNLIKELY(lpk__self.caller == 0))
		lpk__self.caller = (uint32_t)syscall(SYS_gettid) |
		    (lpk__self.handlers != 0 ? LPK_CALLER_HANDLER : 0);
	return lpk__self.caller;
}

/* Open the fast way for this thread, if there is one. */
static void
choose_lane(uint32_t lane)
{
	lpk__self.chosen = lane + 1;
	lpk_port_caller();
	/* Relaxed: set before there are threads, or too late for some. */
	if (lpk_load_relaxed(&lpk__stack_wanted) != 0 &&
	    lpk__self.write_only == 0)
		lpk__stack_get();
	/* Only a handler on this thread may look, and it sees our stores. */
	lpk_fence_light();
	lpk__self.lane =
	    kind_of_clock() == CLOCK_COUNTER && lpk__self.write_only == 0 ?
	    lpk__self.chosen :
	    0;
}

uint32_t
lpk_port_lane(void)
{
	if (LPK_UNLIKELY(lpk__self.chosen == 0))
		/* Relaxed: any spread will do. */
		choose_lane((uint32_t)lpk_fetch_add_relaxed(&threads_seen, 1) %
		    lpk__default_log.geometry.lanes);
	else if (LPK_UNLIKELY(lpk__self.lane == 0))
		choose_lane(lpk__self.chosen - 1);
	return lpk__self.chosen - 1;
}

void
lpk_thread_set_lane(uint32_t lane)
{
	choose_lane(lane % LPK_LANES_MAX);
}

void
lpk_handler_enter(void)
{
	lpk__self.handlers++;
	lpk__self.caller = lpk_port_caller() | LPK_CALLER_HANDLER;
}

void
lpk_handler_exit(void)
{
	if (lpk__self.handlers == 0 || --lpk__self.handlers != 0)
		return;
	lpk__self.caller &= ~LPK_CALLER_HANDLER;
}

void
lpk_port_thread_name(char name[LPK_THREAD_NAME_BYTES])
{
	int saved = errno;

	if (lpk__self.write_only == 0)
		prctl(PR_GET_NAME, name);
	errno = saved;
}

void
lpk_thread_set_name(const char *name)
{
	int saved = errno;

	prctl(PR_SET_NAME, name);
	errno = saved;
	lpk__name_note(&lpk__default_log, lpk_port_caller());
}

bool
lpk_port_alive(uint32_t caller)
{
	int saved = errno;
	bool gone;

	/* A panic takes things in any case; a sandbox may kill who asks. */
	if (lpk_panicking())
		return true;
	gone = syscall(SYS_tgkill, getpid(), caller, 0) != 0 && errno == ESRCH;
	errno = saved;
	return !gone;
}

void
lpk__write_only_enter(void)
{
	lpk__self.write_only++;
	/* The fast way reads the counter. */
	lpk__self.lane = 0;
}

void
lpk__write_only_exit(void)
{
	lpk__self.write_only--;
}

static void
relax(unsigned int times)
{
	while (times-- != 0)
		lpk__relax();
}

/* With a clock, while there is one; the best of some that were interrupted. */
void
lpk__write_only_prepare(void)
{
	uint64_t before, ns, best = UINT64_MAX;
	int try;

	for (try = 0; try < 8; try++) {
		before = read_ns(CLOCK_MONOTONIC);
		relax(RELAX_SAMPLE);
		ns = read_ns(CLOCK_MONOTONIC) - before;
		if (ns < best)
			best = ns;
	}
	relaxes_in_us = (unsigned int)(RELAX_SAMPLE * 1000 / (best + 1)) + 1;
}

void
lpk_port_pause(unsigned int round)
{
	/* Most waits are for a thread that runs, on another CPU. */
	struct timespec moment = {.tv_nsec = 50000};
	int saved = errno;

	if (lpk__self.write_only != 0) {
		relax(relaxes_in_us * (round < 16 ? 1 : SPIN_US));
		return;
	}
	/* No function of the C library: those are points of cancellation. */
	if (round < 16)
		syscall(SYS_sched_yield);
	else
		syscall(SYS_nanosleep, &moment, NULL);
	errno = saved;
}

void
lpk_port_wake(struct lpk_log *log)
{
	/* Relaxed: whoever sets a bit afterwards has yet to look for records.*/
	unsigned long who = lpk_load_relaxed(&log->waiters);
	int saved = errno;

	if (lpk__self.write_only != 0)
		return;
	if ((who & LPK__WAITS_ASLEEP) != 0)
		lpk__sleepers_wake(log);
	if ((who & LPK__WAITS_DIRECT) != 0)
		lpk__direct(log);
	errno = saved;
}

/* The child is another thread, and none of its callers is a handler's. */
static void
after_fork(void)
{
	lpk__self.lane = 0;
	lpk_fence_light();
	lpk__self.caller = 0;
}

__attribute__((constructor(101))) static void
port_init(void)
{
	lpk_port_clock_hz();
	pthread_atfork(NULL, NULL, after_fork);
}
