/* SPDX-License-Identifier: MIT */
/* Who may touch a console's device: owners, waiters, and those who are gone. */
#include "fixture.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lpk/port.h>

#include "core/owner.h"
#include "lpk_atomic.h"

#define WAITS(word) ((word) >> 2 & 3)
#define UNSAFE(word) (((word) >> 4 & 1) != 0)

static struct lpk__owner owner;
static uint32_t self;

/* What happens while somebody waits; only tests of one thread set it. */
static void (*meanwhile)(unsigned int round);
static unsigned int pauses;

/* In place of the port's. */
void
lpk_port_pause(unsigned int round)
{
	void (*function)(unsigned int) = meanwhile;

	(void)round;
	if (function == NULL) {
		syscall(SYS_sched_yield);
		return;
	}
	meanwhile = NULL;
	function(pauses++);
	meanwhile = function;
}

static void
nothing(unsigned int round)
{
	(void)round;
}

static int
setup(void **state)
{
	(void)state;
	lpk__owner_reset(&owner);
	self = lpk_port_caller();
	meanwhile = NULL;
	pauses = 0;
	return 0;
}

static void *
end_at_once(void *argument)
{
	*(uint32_t *)argument = lpk_port_caller();
	return NULL;
}

/* The number of a thread that is gone. */
static uint32_t
gone_thread(void)
{
	uint32_t number = 0;
	pthread_t thread;

	assert_int_equal(
	    pthread_create(&thread, NULL, end_at_once, &number), 0);
	pthread_join(thread, NULL);
	while (lpk_port_alive(number))
		usleep(100);
	return number;
}

/* A thread of whose number others own, and that stays. */
static pthread_t stayer;
static pthread_mutex_t stays = PTHREAD_MUTEX_INITIALIZER;
static uint32_t other;

static void *
stay(void *argument)
{
	(void)argument;
	lpk_store32_release(&other, lpk_port_caller());
	pthread_mutex_lock(&stays);
	pthread_mutex_unlock(&stays);
	return NULL;
}

static int
make_other(void **state)
{
	(void)state;
	pthread_mutex_lock(&stays);
	if (pthread_create(&stayer, NULL, stay, NULL) != 0)
		return -1;
	while (lpk_load32_acquire(&other) == 0)
		usleep(100);
	return 0;
}

static int
end_other(void **state)
{
	(void)state;
	pthread_mutex_unlock(&stays);
	pthread_join(stayer, NULL);
	return 0;
}

static void
expect_got(struct lpk__hold *hold, enum lpk__prio prio, uint32_t thread)
{
	*hold = (struct lpk__hold){0};
	assert_int_equal(lpk__owner_try(&owner, hold, prio, thread), LPK__GOT);
	assert_int_equal(lpk__owner_thread(&owner), thread);
}

static void
test_owner_free_console_is_got_unsafe_and_let_go(void **state)
{
	struct lpk__hold hold;

	(void)state;
	assert_int_equal(lpk__owner_thread(&owner), 0);
	expect_got(&hold, LPK__PRIO_NORMAL, self);
	assert_true(UNSAFE(owner.word));
	assert_true(lpk__owner_can_proceed(&hold));
	assert_true(lpk__owner_release(&hold));
	assert_int_equal(lpk__owner_thread(&owner), 0);
	assert_false(lpk__owner_can_proceed(&hold));
	assert_false(lpk__owner_release(&hold));
}

static void
test_owner_frame_below_is_told_from_another_thread(void **state)
{
	struct lpk__hold hold, again = {0};

	(void)state;
	expect_got(&hold, LPK__PRIO_NORMAL, self);
	assert_int_equal(lpk__owner_wait(&owner, &again, LPK__PRIO_EMERGENCY,
			     self | LPK_CALLER_HANDLER, 5),
	    LPK__OURS);
	assert_int_equal(WAITS(owner.word), 0);
	assert_int_equal(
	    lpk__owner_try(&owner, &again, LPK__PRIO_EMERGENCY, other),
	    LPK__BUSY);
}

static void
test_owner_safe_one_is_taken_over_and_told(void **state)
{
	struct lpk__hold hold, taker;

	(void)state;
	expect_got(&hold, LPK__PRIO_NORMAL, other);
	assert_true(lpk__owner_exit_unsafe(&hold));
	assert_true(lpk__owner_enter_unsafe(&hold));
	assert_true(lpk__owner_exit_unsafe(&hold));
	expect_got(&taker, LPK__PRIO_EMERGENCY, self);
	assert_false(taker.forced);
	assert_false(lpk__owner_enter_unsafe(&hold));
	assert_false(lpk__owner_exit_unsafe(&hold));
	assert_false(lpk__owner_can_proceed(&hold));
	assert_false(lpk__owner_release(&hold));
	assert_true(lpk__owner_can_proceed(&taker));
}

static void
test_owner_seize_says_whether_there_was_one(void **state)
{
	struct lpk__hold hold, panic = {0};

	(void)state;
	lpk__owner_seize(&owner, &panic, LPK__PRIO_PANIC, self);
	assert_false(panic.forced);
	assert_true(lpk__owner_release(&panic));
	expect_got(&hold, LPK__PRIO_NORMAL, other);
	lpk__owner_seize(&owner, &panic, LPK__PRIO_PANIC, self);
	assert_true(panic.forced);
	assert_false(lpk__owner_can_proceed(&hold));
	assert_true(lpk__owner_can_proceed(&panic));
}

static struct lpk__hold held;
static bool proceeded;

/* The owner comes to a safe point, some rounds later. */
static void
come_to_a_safe_point(unsigned int round)
{
	if (round < 3)
		assert_true(lpk__owner_can_proceed(&held));
	if (round == 3) {
		assert_true(lpk__owner_wanted(&held));
		assert_true(lpk__owner_exit_unsafe(&held));
		proceeded = lpk__owner_enter_unsafe(&held);
	}
}

static void
test_owner_that_is_asked_hands_over_at_its_next_safe_point(void **state)
{
	struct lpk__hold waiter;

	(void)state;
	expect_got(&held, LPK__PRIO_NORMAL, other);
	assert_false(lpk__owner_wanted(&held));
	meanwhile = come_to_a_safe_point;
	proceeded = true;
	assert_int_equal(
	    lpk__owner_wait(&owner, &waiter, LPK__PRIO_EMERGENCY, self, 10),
	    LPK__GOT);
	assert_false(proceeded);
	assert_false(waiter.forced);
	assert_int_equal(WAITS(owner.word), 0);
	assert_true(lpk__owner_release(&waiter));
	assert_int_equal(owner.word & 0xf, 0);
}

/* A more important one asks as well, and gives up. */
static void
outbid(unsigned int round)
{
	struct lpk__hold panic;

	if (round == 1)
		assert_int_equal(
		    lpk__owner_wait(&owner, &panic, LPK__PRIO_PANIC, self, 1),
		    LPK__BUSY);
	if (round == 2)
		assert_int_equal(WAITS(owner.word), LPK__PRIO_EMERGENCY);
}

static void
test_owner_waiter_who_was_outbid_asks_again(void **state)
{
	struct lpk__hold waiter;

	(void)state;
	expect_got(&held, LPK__PRIO_NORMAL, other);
	meanwhile = outbid;
	assert_int_equal(
	    lpk__owner_wait(&owner, &waiter, LPK__PRIO_EMERGENCY, self, 4),
	    LPK__BUSY);
	assert_true(pauses >= 3);
	assert_int_equal(WAITS(owner.word), 0);
	assert_true(lpk__owner_can_proceed(&held));
}

static void
test_owner_waiter_who_gives_up_leaves_no_reservation(void **state)
{
	struct lpk__hold waiter;

	(void)state;
	expect_got(&held, LPK__PRIO_NORMAL, other);
	meanwhile = nothing;
	assert_int_equal(
	    lpk__owner_wait(&owner, &waiter, LPK__PRIO_PANIC, self, 9),
	    LPK__BUSY);
	assert_true(lpk__owner_release(&held));
	expect_got(&waiter, LPK__PRIO_NORMAL, self);
}

/* As if a thread had been killed in lpk__owner_wait(). */
static void
reserve_for_nobody(enum lpk__prio prio)
{
	struct lpk__hold hold;

	expect_got(&hold, LPK__PRIO_NORMAL, other);
	owner.word |= (unsigned long)prio << 2;
	assert_true(lpk__owner_release(&hold));
}

static void
test_owner_reservation_of_a_dead_waiter_is_cancelled(void **state)
{
	static const unsigned int rounds[] = {0, 1, 20, 200};
	struct lpk__hold hold;
	size_t i;
	int prio;

	(void)state;
	meanwhile = nothing;
	for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		for (prio = LPK__PRIO_NORMAL; prio <= LPK__PRIO_PANIC; prio++) {
			reserve_for_nobody(LPK__PRIO_PANIC);
			pauses = 0;
			assert_int_equal(
			    lpk__owner_wait(&owner, &hold, (enum lpk__prio)prio,
				self, rounds[i]),
			    LPK__GOT);
			assert_true(pauses < 40);
			assert_int_equal(WAITS(owner.word), 0);
			assert_true(lpk__owner_release(&hold));
		}
	}
}

/* It naps: it comes for its console, but only some rounds later. */
static struct lpk__hold napper;

static void
come_late(unsigned int round)
{
	if (round == 12) {
		napper.waiting = true;
		assert_int_equal(
		    lpk__owner_try(&owner, &napper, LPK__PRIO_EMERGENCY, other),
		    LPK__GOT);
	}
}

static void
test_owner_reservation_is_kept_for_a_slow_waiter(void **state)
{
	struct lpk__hold hold;

	(void)state;
	reserve_for_nobody(LPK__PRIO_EMERGENCY);
	meanwhile = come_late;
	assert_int_equal(
	    lpk__owner_wait(&owner, &hold, LPK__PRIO_NORMAL, self, 20),
	    LPK__BUSY);
	assert_true(lpk__owner_can_proceed(&napper));
}

static void
test_owner_that_is_gone_is_recognised(void **state)
{
	static const unsigned int rounds[] = {0, 1, 20};
	uint32_t gone = gone_thread();
	struct lpk__hold hold, taker;
	int prio, safe;
	size_t i;

	(void)state;
	meanwhile = nothing;
	for (i = 0; i < 6; i++) {
		safe = i % 2 != 0;
		for (prio = LPK__PRIO_NORMAL; prio <= LPK__PRIO_PANIC; prio++) {
			expect_got(&hold, (enum lpk__prio)prio, gone);
			if (safe)
				assert_true(lpk__owner_exit_unsafe(&hold));
			assert_int_equal(
			    lpk__owner_wait(&owner, &taker, LPK__PRIO_NORMAL,
				self, rounds[i / 2]),
			    LPK__GOT);
			assert_true(taker.forced);
			assert_true(lpk__owner_can_proceed(&taker));
			assert_false(lpk__owner_can_proceed(&hold));
			assert_true(lpk__owner_release(&taker));
		}
	}
}

static void
test_owner_that_lives_is_never_taken_for_gone(void **state)
{
	struct lpk__hold hold;

	(void)state;
	meanwhile = nothing;
	expect_got(&held, LPK__PRIO_NORMAL, other);
	assert_int_equal(
	    lpk__owner_wait(&owner, &hold, LPK__PRIO_PANIC, self, 100),
	    LPK__BUSY);
	assert_int_equal(pauses, 100);
	assert_true(lpk__owner_can_proceed(&held));
}

static void
test_owner_is_a_new_one_each_time(void **state)
{
	struct lpk__hold before, now;
	int i;

	(void)state;
	expect_got(&before, LPK__PRIO_NORMAL, self);
	/* The counter is four bits wide where a word has 32. */
	for (i = 0; i < 40; i++) {
		lpk__owner_release(&before);
		expect_got(&now, LPK__PRIO_NORMAL, self);
		assert_false(lpk__owner_can_proceed(&before));
		assert_false(lpk__owner_release(&before));
		assert_true(lpk__owner_can_proceed(&now));
		before = now;
	}
}

static void
test_owner_after_a_fork_is_nobody(void **state)
{
	struct lpk__hold hold, child;

	(void)state;
	expect_got(&hold, LPK__PRIO_EMERGENCY, other);
	owner.word |= (unsigned long)LPK__PRIO_PANIC << 2;
	lpk__owner_reset(&owner);
	assert_int_equal(lpk__owner_thread(&owner), 0);
	assert_false(lpk__owner_can_proceed(&hold));
	expect_got(&child, LPK__PRIO_NORMAL, self);
}

/* ------------------------------------------------------------------------
 * Threads at it together. What the owner alone touches is plain memory.
 */

#define THREADS 4
#define TURNS 3000

static unsigned long device;
static unsigned long used[THREADS], turns[THREADS]; /* of it, by each */
static unsigned long ready;

/* False when it was lost in between. */
static bool
use_device(struct lpk__hold *hold, unsigned long *times)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (!lpk__owner_can_proceed(hold))
			return false;
		device++;
		(*times)++;
		if (!lpk__owner_exit_unsafe(hold) ||
		    !lpk__owner_enter_unsafe(hold))
			return false;
	}
	return lpk__owner_release(hold);
}

static void *
contend(void *argument)
{
	int number = *(int *)argument, i;
	enum lpk__prio prio =
	    number == 0 ? LPK__PRIO_EMERGENCY : LPK__PRIO_NORMAL;
	uint32_t caller = lpk_port_caller();
	struct lpk__hold hold;

	lpk_fetch_add_relaxed(&ready, 1);
	while (lpk_load_acquire(&ready) < THREADS)
		syscall(SYS_sched_yield);
	for (i = 0; i < TURNS; i++) {
		if (lpk__owner_wait(&owner, &hold, prio, caller, 50) ==
		    LPK__GOT)
			turns[number] += use_device(&hold, &used[number]);
	}
	return NULL;
}

static void
test_owner_threads_never_own_together(void **state)
{
	static int numbers[THREADS] = {0, 1, 2, 3};
	pthread_t threads[THREADS];
	struct lpk__hold hold;
	unsigned long all = 0;
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, contend, &numbers[i]), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Free, and reserved for nobody. */
	assert_int_equal(owner.word & 0x1f, 0);
	expect_got(&hold, LPK__PRIO_NORMAL, self);
	for (i = 0; i < THREADS; i++) {
		assert_true(turns[i] > 0);
		all += used[i];
	}
	assert_int_equal(device, all);
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_owner_free_console_is_got_unsafe_and_let_go),
	    CASE(test_owner_frame_below_is_told_from_another_thread),
	    CASE(test_owner_safe_one_is_taken_over_and_told),
	    CASE(test_owner_seize_says_whether_there_was_one),
	    CASE(test_owner_that_is_asked_hands_over_at_its_next_safe_point),
	    CASE(test_owner_waiter_who_was_outbid_asks_again),
	    CASE(test_owner_waiter_who_gives_up_leaves_no_reservation),
	    CASE(test_owner_reservation_of_a_dead_waiter_is_cancelled),
	    CASE(test_owner_reservation_is_kept_for_a_slow_waiter),
	    CASE(test_owner_that_is_gone_is_recognised),
	    CASE(test_owner_that_lives_is_never_taken_for_gone),
	    CASE(test_owner_is_a_new_one_each_time),
	    CASE(test_owner_after_a_fork_is_nobody),
	    CASE(test_owner_threads_never_own_together),
	};

	return cmocka_run_group_tests(tests, make_other, end_other);
}
