/* SPDX-License-Identifier: MIT */
/* Readers that sleep: deadlines, wake-ups that are never lost, descriptors. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <lpk/console.h>

#include "idle.h"
#include "lpk_atomic.h"

#define SECOND UINT64_C(1000000000)

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_reader reader;
static struct got got;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 512, 4, 2);
	return lpk_reader_open(&reader, log_, LPK_SEEK_OLDEST);
}

static int
teardown(void **state)
{
	(void)state;
	lpk_reader_close(&reader);
	small_log_free(&small);
	return 0;
}

static bool
readable(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1 && (wait.revents & POLLIN) != 0;
}

static void
test_sleep_deadline_ends_the_wait(void **state)
{
	uint64_t deadline = lpk_now_ns() + 30000000;

	(void)state;
	assert_int_equal(lpk_reader_wait(&reader, 0), -LPK_ETIMEDOUT);
	assert_int_equal(
	    lpk_reader_wait(&reader, lpk_now_ns()), -LPK_ETIMEDOUT);
	assert_int_equal(lpk_reader_wait(&reader, deadline), -LPK_ETIMEDOUT);
	assert_true(lpk_now_ns() >= deadline);
}

static void
test_sleep_record_that_is_there_needs_no_wait(void **state)
{
	(void)state;
	lpk_write(log_, LPK_INFO, "there");
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	assert_int_equal(lpk_reader_wait(&reader, 0), LPK_OK);
	expect_text(&reader, &got, "there");
	assert_int_equal(lpk_reader_wait(&reader, 0), -LPK_ETIMEDOUT);
}

static void
test_sleep_gap_ends_the_wait(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		lpk_write(log_, LPK_INFO, "x");
	while (next(&reader, &got) != -LPK_EAGAIN)
		;
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, 0);
	assert_int_equal(lpk_reader_wait(&reader, 0), LPK_OK);
	assert_int_equal(next(&reader, &got), -LPK_EPIPE);
}

static void *
write_one(void *text)
{
	usleep(20000);
	lpk_write(log_, LPK_INFO, "%s", (const char *)text);
	return NULL;
}

static void
test_sleep_record_of_another_thread_wakes(void **state)
{
	char text[] = "good morning";
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, write_one, text), 0);
	assert_int_equal(lpk_reader_wait(&reader, UINT64_MAX), LPK_OK);
	expect_text(&reader, &got, text);
	pthread_join(thread, NULL);
}

enum { ROUNDS = 20000 };

static struct lpk_log *there, *back;

static void *
echo(void *arg)
{
	struct lpk_reader from;
	struct got ball;
	int i;

	(void)arg;
	lpk_reader_open(&from, there, LPK_SEEK_OLDEST);
	for (i = 0; i < ROUNDS; i++) {
		if (lpk_reader_wait(&from, lpk_now_ns() + 60 * SECOND) !=
			LPK_OK ||
		    next(&from, &ball) != LPK_OK)
			return NULL;
		lpk_write(back, LPK_INFO, "%s", ball.text);
	}
	return &there;
}

static void
test_sleep_no_wakeup_is_lost(void **state)
{
	struct small_log second;
	pthread_t thread;
	void *result;
	int i;

	(void)state;
	there = log_;
	back = small_log_make(&second, 512, 4, 1);
	lpk_reader_open(&reader, back, LPK_SEEK_OLDEST);
	assert_int_equal(pthread_create(&thread, NULL, echo, NULL), 0);
	for (i = 0; i < ROUNDS; i++) {
		lpk_write(there, LPK_INFO, "%d", i);
		assert_int_equal(
		    lpk_reader_wait(&reader, lpk_now_ns() + 60 * SECOND),
		    LPK_OK);
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_int_equal(strtol(got.text, NULL, 10), i);
	}
	pthread_join(thread, &result);
	assert_non_null(result);
	small_log_free(&second);
}

static void *
wait_for_ever(void *arg)
{
	struct lpk_reader mine;

	(void)arg;
	lpk_reader_open(&mine, log_, LPK_SEEK_NEXT);
	lpk_reader_wait(&mine, UINT64_MAX);
	return NULL;
}

static void
test_sleep_idle_reader_never_wakes(void **state)
{
	pthread_t thread;
	long wakeups;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, NULL), 0);
	wakeups = idle_wakeups_a_second(idle_newest_thread());
	lpk_write(log_, LPK_INFO, "go");
	pthread_join(thread, NULL);
	assert_int_equal(wakeups, 0);
}

static void
test_sleep_descriptor_follows_the_records(void **state)
{
	int fd = lpk_reader_eventfd(&reader), i;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(lpk_reader_eventfd(&reader), fd);
	/* Not looked yet: it may be readable, and is after the look if so. */
	expect_end(&reader);
	assert_false(readable(fd));
	for (i = 0; i < 100; i++) {
		lpk_write(log_, LPK_INFO, "%d", i);
		assert_true(readable(fd));
		lpk_write(log_, LPK_INFO, "%d", i);
		assert_int_equal(next(&reader, &got), LPK_OK);
		assert_true(readable(fd));
		assert_int_equal(next(&reader, &got), LPK_OK);
		expect_end(&reader);
		assert_false(readable(fd));
	}
}

static void
test_sleep_descriptor_is_readable_when_a_record_waits(void **state)
{
	int fd;

	(void)state;
	lpk_write(log_, LPK_INFO, "waiting");
	fd = lpk_reader_eventfd(&reader);
	assert_true(readable(fd));
	expect_text(&reader, &got, "waiting");
}

static void
test_sleep_descriptor_is_for_its_log_alone(void **state)
{
	int fd = lpk_reader_eventfd(&reader);

	(void)state;
	expect_end(&reader);
	lpk_write(NULL, LPK_INFO, "elsewhere");
	assert_false(readable(fd));
}

static void
test_sleep_descriptors_are_few_and_come_back(void **state)
{
	static struct lpk_reader more[16];
	int first, i;

	(void)state;
	first = lpk_reader_eventfd(&reader);
	for (i = 0; i < 16; i++) {
		lpk_reader_open(&more[i], log_, LPK_SEEK_NEXT);
		if (i < 15)
			assert_true(lpk_reader_eventfd(&more[i]) >= 0);
	}
	assert_int_equal(lpk_reader_eventfd(&more[15]), -LPK_EBUSY);
	lpk_reader_close(&reader);
	assert_int_equal(fcntl(first, F_GETFD), -1);
	assert_true(lpk_reader_eventfd(&more[15]) >= 0);
	for (i = 0; i < 16; i++)
		lpk_reader_close(&more[i]);
	/* Closing twice does no harm, and nobody is written to. */
	lpk_reader_close(&more[0]);
	lpk_write(log_, LPK_INFO, "nobody polls");
}

static unsigned long seen;

static void *
poll_and_count(void *arg)
{
	static struct lpk_reader mine;
	struct got ball;
	struct pollfd wait;
	unsigned long count = 0;

	(void)arg;
	lpk_reader_open(&mine, log_, LPK_SEEK_OLDEST);
	wait.fd = lpk_reader_eventfd(&mine);
	wait.events = POLLIN;
	while (count < ROUNDS) {
		while (next(&mine, &ball) == LPK_OK)
			lpk_store_release(&seen, ++count);
		if (count < ROUNDS && poll(&wait, 1, 60000) != 1)
			break;
	}
	lpk_reader_close(&mine);
	return count == ROUNDS ? &seen : NULL;
}

static void
test_sleep_descriptor_loses_no_wakeup(void **state)
{
	pthread_t thread;
	unsigned long i;
	void *result;

	(void)state;
	assert_int_equal(
	    pthread_create(&thread, NULL, poll_and_count, NULL), 0);
	for (i = 1; i <= ROUNDS; i++) {
		uint64_t deadline = lpk_now_ns() + 60 * SECOND;

		lpk_write(log_, LPK_INFO, "x");
		while (lpk_load_acquire(&seen) < i && lpk_now_ns() < deadline)
			sched_yield();
		if (lpk_load_acquire(&seen) < i)
			break;
	}
	pthread_join(thread, &result);
	assert_non_null(result);
}

static void
test_sleep_wake_leaves_errno_alone(void **state)
{
	(void)state;
	assert_true(lpk_reader_eventfd(&reader) >= 0);
	expect_end(&reader);
	errno = 4711;
	lpk_write(log_, LPK_INFO, "wakes");
	assert_int_equal(errno, 4711);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_sleep_deadline_ends_the_wait),
	    CASE(test_sleep_record_that_is_there_needs_no_wait),
	    CASE(test_sleep_gap_ends_the_wait),
	    CASE(test_sleep_record_of_another_thread_wakes),
	    CASE(test_sleep_no_wakeup_is_lost),
	    CASE(test_sleep_idle_reader_never_wakes),
	    CASE(test_sleep_descriptor_follows_the_records),
	    CASE(test_sleep_descriptor_is_readable_when_a_record_waits),
	    CASE(test_sleep_descriptor_is_for_its_log_alone),
	    CASE(test_sleep_descriptors_are_few_and_come_back),
	    CASE(test_sleep_descriptor_loses_no_wakeup),
	    CASE(test_sleep_wake_leaves_errno_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
