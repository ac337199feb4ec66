/* SPDX-License-Identifier: MIT */
/* The port for POSIX: clock, callers, lanes. */
#include "fixture.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

static void
test_port_clock_does_not_go_back(void **state)
{
	uint64_t before = lpk_port_clock(), now;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		now = lpk_port_clock();
		assert_true(now >= before);
		before = now;
	}
}

static void
test_port_clock_pair_lies_between_readings(void **state)
{
	struct lpk_clock_pair pair, next_pair;
	uint64_t before = lpk_port_clock();

	(void)state;
	lpk_port_clock_pair(&pair);
	assert_true(pair.raw >= before && pair.raw <= lpk_port_clock());
	lpk_port_clock_pair(&next_pair);
	assert_true(next_pair.raw >= pair.raw);
	assert_true(next_pair.monotonic_ns >= pair.monotonic_ns);
	/* After 2020. */
	assert_true(pair.realtime_ns / 1000000000 > 1577836800);
}

static void
test_port_clock_rate_is_that_of_the_clock(void **state)
{
	struct lpk_clock_pair first, last;
	uint64_t hz, ticks, ns;

	(void)state;
	lpk_port_clock_pair(&first);
	do {
		lpk_port_clock_pair(&last);
		ns = last.monotonic_ns - first.monotonic_ns;
	} while (ns < 20000000);
	ticks = last.raw - first.raw;
	hz = lpk_port_clock_hz();
	/* One percent: the rate is a first measurement. */
	assert_in_range(ticks * 1000 / (ns / 1000), hz / 1000 - hz / 100000,
	    hz / 1000 + hz / 100000);
}

static void *
tell_caller(void *arg)
{
	uint32_t *told = arg;

	told[0] = lpk_port_caller();
	told[1] = (uint32_t)syscall(SYS_gettid);
	told[2] = lpk_port_lane();
	told[3] = lpk_port_lane();
	return NULL;
}

static void
test_port_caller_is_the_thread_id(void **state)
{
	uint32_t self[4], other[4];
	pthread_t thread;

	(void)state;
	tell_caller(self);
	assert_int_equal(pthread_create(&thread, NULL, tell_caller, other), 0);
	pthread_join(thread, NULL);
	assert_int_equal(self[0], self[1]);
	assert_int_equal(other[0], other[1]);
	assert_int_not_equal(self[0], other[0]);
}

static void
test_port_caller_of_a_child_is_its_own(void **state)
{
	int status;
	pid_t child;

	(void)state;
	lpk_port_caller();
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(lpk_port_caller() != (uint32_t)getpid());
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void
test_port_handler_bit_nests(void **state)
{
	uint32_t self = lpk_port_caller();

	(void)state;
	lpk_handler_enter();
	assert_int_equal(lpk_port_caller(), self | LPK_CALLER_HANDLER);
	lpk_handler_enter();
	lpk_handler_exit();
	assert_int_equal(lpk_port_caller(), self | LPK_CALLER_HANDLER);
	lpk_handler_exit();
	assert_int_equal(lpk_port_caller(), self);
}

static void
test_port_handler_exit_too_many_does_no_harm(void **state)
{
	uint32_t self = lpk_port_caller();

	(void)state;
	lpk_handler_exit();
	assert_int_equal(lpk_port_caller(), self);
	lpk_handler_enter();
	assert_int_equal(lpk_port_caller(), self | LPK_CALLER_HANDLER);
	lpk_handler_exit();
	assert_int_equal(lpk_port_caller(), self);
}

static void
test_port_lane_stays_and_can_be_chosen(void **state)
{
	uint32_t told[4];
	pthread_t thread;
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		assert_int_equal(
		    pthread_create(&thread, NULL, tell_caller, told), 0);
		pthread_join(thread, NULL);
		assert_int_equal(told[2], told[3]);
	}
	for (i = 0; i < LPK_LANES_MAX; i++) {
		lpk_thread_set_lane((uint32_t)i);
		assert_int_equal(lpk_port_lane(), i);
	}
	/* Any number will do. */
	lpk_thread_set_lane(UINT32_MAX);
	assert_true(lpk_port_lane() < LPK_LANES_MAX);
	lpk_write(NULL, LPK_INFO, "on whatever lane");
	lpk_thread_set_lane(0);
}

static void
test_port_functions_leave_errno_alone(void **state)
{
	struct lpk_clock_pair pair;

	(void)state;
	errno = 4711;
	lpk_port_clock();
	lpk_port_clock_pair(&pair);
	lpk_port_clock_hz();
	lpk_port_caller();
	lpk_port_lane();
	lpk_port_wake(lpk_default_log());
	assert_int_equal(errno, 4711);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_port_clock_does_not_go_back),
	    cmocka_unit_test(test_port_clock_pair_lies_between_readings),
	    cmocka_unit_test(test_port_clock_rate_is_that_of_the_clock),
	    cmocka_unit_test(test_port_caller_is_the_thread_id),
	    cmocka_unit_test(test_port_caller_of_a_child_is_its_own),
	    cmocka_unit_test(test_port_handler_bit_nests),
	    cmocka_unit_test(test_port_handler_exit_too_many_does_no_harm),
	    cmocka_unit_test(test_port_lane_stays_and_can_be_chosen),
	    cmocka_unit_test(test_port_functions_leave_errno_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
