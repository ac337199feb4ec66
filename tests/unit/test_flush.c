/* SPDX-License-Identifier: MIT */
/* How far consoles are: flushing them, and their accounts. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "device.h"

#include <pthread.h>
#include <time.h>

#define CONSOLES 3

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console consoles[CONSOLES];
static struct device devices[CONSOLES];

static int
setup(void **state)
{
	int i;

	(void)state;
	log_ = small_log_make(&small, 4096, 8, 2);
	for (i = 0; i < CONSOLES; i++) {
		device_reset(&devices[i]);
		consoles[i] = (struct lpk_console){.driver = &device_driver,
		    .device = &devices[i],
		    .log = log_};
		snprintf(consoles[i].name, sizeof(consoles[i].name),
		    "console-%d", i);
		assert_int_equal(lpk_console_register(&consoles[i]), LPK_OK);
	}
	return 0;
}

static int
teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CONSOLES; i++) {
		device_set_gate(&devices[i], DEVICE_OPEN);
		if (consoles[i].printer != NULL)
			lpk_console_unregister(&consoles[i], UINT64_MAX);
		assert_int_equal(devices[i].overlaps, 0);
	}
	small_log_free(&small);
	return 0;
}

/* A moment that is over soon. */
static uint64_t
soon(void)
{
	return lpk_now_ns() + SECOND / 50;
}

static uint64_t
later(void)
{
	return lpk_now_ns() + PATIENCE_NS;
}

static void
test_flush_reaches_all_consoles(void **state)
{
	struct lpk_flush_result result;
	int i;

	(void)state;
	for (i = 0; i < 50; i++)
		pr_info("record %d", i);
	assert_int_equal(lpk_flush(later(), &result), LPK_OK);
	assert_int_equal(result.consoles, CONSOLES);
	assert_int_equal(result.reached, CONSOLES);
	assert_int_equal(result.lag_records, 0);
	assert_string_equal(result.laggard, "");
	for (i = 0; i < CONSOLES; i++)
		assert_int_equal(device_count(&devices[i], "record"), 50);
	assert_int_equal(lpk_flush(0, NULL), LPK_OK);
}

static void
test_flush_names_the_laggard_at_its_deadline(void **state)
{
	struct lpk_flush_result result;
	uint64_t deadline;
	int i;

	(void)state;
	device_set_gate(&devices[1], DEVICE_HUNG);
	for (i = 0; i < 20; i++)
		pr_info("record %d", i);
	deadline = soon();
	assert_int_equal(lpk_flush(deadline, &result), -LPK_ETIMEDOUT);
	assert_true(lpk_now_ns() >= deadline);
	assert_int_equal(result.consoles, CONSOLES);
	assert_int_equal(result.reached, CONSOLES - 1);
	assert_string_equal(result.laggard, "console-1");
	assert_int_equal(result.lag_records, 20);
	assert_int_equal(device_count(&devices[0], "record"), 20);
	assert_int_equal(device_count(&devices[2], "record"), 20);
	device_set_gate(&devices[1], DEVICE_OPEN);
	assert_int_equal(lpk_flush(later(), &result), LPK_OK);
	assert_int_equal(device_count(&devices[1], "record"), 20);
}

static void
test_flush_of_a_deadline_in_the_past_does_not_wait(void **state)
{
	struct lpk_flush_result result;

	(void)state;
	device_set_gate(&devices[0], DEVICE_FULL);
	pr_info("record");
	assert_int_equal(lpk_flush(0, &result), -LPK_ETIMEDOUT);
	assert_int_equal(result.consoles, CONSOLES);
	assert_int_equal(lpk_console_flush(&consoles[0], 1), -LPK_ETIMEDOUT);
}

static void
test_flush_does_not_ask_the_suspended_and_the_silent(void **state)
{
	struct lpk_flush_result result;

	(void)state;
	lpk_console_suspend(&consoles[0], later());
	lpk_console_set_mode(&consoles[1], LPK_MODE_PANIC);
	pr_info("record");
	assert_int_equal(lpk_flush(later(), &result), LPK_OK);
	assert_int_equal(result.consoles, 1);
	assert_int_equal(device_count(&devices[2], "record"), 1);
	assert_int_equal(lpk_console_flush(&consoles[0], later()), -LPK_EINVAL);
	assert_int_equal(lpk_console_flush(&consoles[1], later()), -LPK_EINVAL);
}

/* A flush in a thread of its own. */
static unsigned long flush_ended;
static int flush_result;

static void *
flush_for_ever(void *console)
{
	flush_result = lpk_console_flush(console, UINT64_MAX);
	lpk_store_release(&flush_ended, 1);
	return NULL;
}

static pthread_t
begin_flush(struct lpk_console *console)
{
	pthread_t thread;

	lpk_store_relaxed(&flush_ended, 0);
	assert_int_equal(
	    pthread_create(&thread, NULL, flush_for_ever, console), 0);
	/* It is asleep, with luck. */
	usleep(50000);
	assert_int_equal(lpk_load_acquire(&flush_ended), 0);
	return thread;
}

/* It came back, though the device took nothing. */
static void
expect_flush_end(pthread_t thread, int result)
{
	uint64_t until = later() / 2 + lpk_now_ns() / 2;

	while (lpk_load_acquire(&flush_ended) == 0 && lpk_now_ns() < until)
		usleep(1000);
	assert_int_equal(lpk_load_acquire(&flush_ended), 1);
	pthread_join(thread, NULL);
	assert_int_equal(flush_result, result);
}

static void
test_flush_ends_when_the_console_is_suspended(void **state)
{
	pthread_t thread;

	(void)state;
	device_set_gate(&devices[0], DEVICE_FULL);
	pr_info("record");
	thread = begin_flush(&consoles[0]);
	lpk_console_suspend(&consoles[0], 0);
	expect_flush_end(thread, -LPK_EINVAL);
}

static void
test_flush_ends_when_the_console_falls_silent(void **state)
{
	pthread_t thread;

	(void)state;
	device_set_gate(&devices[0], DEVICE_FULL);
	pr_info("record");
	thread = begin_flush(&consoles[0]);
	lpk_console_set_mode(&consoles[0], LPK_MODE_PANIC);
	expect_flush_end(thread, -LPK_EINVAL);
}

static void *
flush_all_for_ever(void *unused)
{
	flush_result = lpk_flush(UINT64_MAX, NULL);
	lpk_store_release(&flush_ended, 1);
	return unused;
}

static void
test_flush_ends_when_the_laggard_is_pulled_out(void **state)
{
	pthread_t thread;

	(void)state;
	device_set_gate(&devices[0], DEVICE_HUNG);
	pr_info("record");
	lpk_store_relaxed(&flush_ended, 0);
	assert_int_equal(
	    pthread_create(&thread, NULL, flush_all_for_ever, NULL), 0);
	usleep(50000);
	assert_int_equal(lpk_console_unregister(&consoles[0], 0), -LPK_EBUSY);
	expect_flush_end(thread, LPK_OK);
	device_set_gate(&devices[0], DEVICE_OPEN);
	while (lpk_load_acquire(&devices[0].exits) == 0)
		usleep(1000);
}

static void
test_flush_of_one_console_does_not_wait_for_another(void **state)
{
	(void)state;
	device_set_gate(&devices[1], DEVICE_HUNG);
	pr_info("record");
	assert_int_equal(lpk_console_flush(&consoles[0], later()), LPK_OK);
	assert_int_equal(
	    lpk_console_flush(&consoles[1], soon()), -LPK_ETIMEDOUT);
	assert_int_equal(device_count(&devices[0], "record"), 1);
}

static unsigned long storm_ends;

static void *
storm(void *unused)
{
	while (lpk_load_relaxed(&storm_ends) == 0)
		pr_info("storm");
	return unused;
}

static void
test_flush_does_not_wait_for_what_comes_later(void **state)
{
	pthread_t thread;
	int i;

	(void)state;
	lpk_store_relaxed(&storm_ends, 0);
	assert_int_equal(pthread_create(&thread, NULL, storm, NULL), 0);
	for (i = 0; i < 20; i++) {
		pr_info("record %d", i);
		assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	}
	lpk_store_relaxed(&storm_ends, 1);
	pthread_join(thread, NULL);
}

static void
test_flush_of_direct_consoles_reaches_the_backlog(void **state)
{
	(void)state;
	lpk_console_set_mode(&consoles[0], LPK_MODE_PANIC);
	pr_info("record");
	lpk_console_set_mode(&consoles[0], LPK_MODE_DIRECT);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&devices[0], "record"), 1);
}

static void
test_flush_after_a_shutdown_prints_by_itself(void **state)
{
	(void)state;
	assert_int_equal(lpk_shutdown(later()), LPK_OK);
	lpk_console_suspend(&consoles[0], 0);
	pr_info("record");
	lpk_console_resume(&consoles[0]);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&devices[0], "record"), 1);
	assert_int_equal(device_count(&devices[1], "record"), 1);
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
}

static void
test_flush_without_consoles_is_reached(void **state)
{
	struct lpk_flush_result result;
	int i;

	(void)state;
	for (i = 0; i < CONSOLES; i++)
		lpk_console_unregister(&consoles[i], later());
	pr_info("record");
	assert_int_equal(lpk_flush(later(), &result), LPK_OK);
	assert_int_equal(result.consoles, 0);
	assert_int_equal(lpk_consoles_stats(NULL, 0), 0);
}

static void
test_flush_stats_tell_lag_and_state(void **state)
{
	struct lpk_console_stats stats;
	int i;

	(void)state;
	pr_info("first");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	lpk_console_stats(&consoles[1], &stats);
	assert_string_equal(stats.name, "console-1");
	assert_string_equal(stats.driver, "device");
	assert_int_equal(stats.state, LPK_CONSOLE_RUNNING);
	assert_int_equal(stats.mode, LPK_MODE_POLL);
	assert_int_equal(stats.lag_records, 0);
	assert_int_equal(stats.lag_ns, 0);
	assert_int_equal(stats.bytes, strlen(device_text(&devices[1])));
	/* Its thread looks for more, for some moments at a time. */
	while (stats.owner != 0) {
		usleep(1000);
		lpk_console_stats(&consoles[1], &stats);
	}
	device_set_gate(&devices[1], DEVICE_HUNG);
	for (i = 0; i < 7; i++)
		pr_info("record %d", i);
	assert_true(device_wait_inside(&devices[1]));
	usleep(2000);
	lpk_console_stats(&consoles[1], &stats);
	assert_int_equal(stats.lag_records, 7);
	assert_true(stats.lag_ns >= 1000000);
	assert_int_not_equal(stats.owner, 0);
	assert_int_not_equal(stats.owner, lpk_port_caller());
	device_set_gate(&devices[1], DEVICE_FULL);
	while (stats.state != LPK_CONSOLE_BLOCKED) {
		usleep(1000);
		lpk_console_stats(&consoles[1], &stats);
	}
	assert_int_equal(stats.last_error, EAGAIN);
	assert_int_equal(stats.lag_records, 7);
	lpk_console_suspend(&consoles[1], 0);
	lpk_console_stats(&consoles[1], &stats);
	assert_int_equal(stats.state, LPK_CONSOLE_SUSPENDED);
}

static void
test_flush_stats_of_all_are_in_one_list(void **state)
{
	struct lpk_console_stats stats[CONSOLES + 1];
	int i;

	(void)state;
	pr_info("record");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(lpk_consoles_stats(stats, CONSOLES + 1), CONSOLES);
	for (i = 0; i < CONSOLES; i++) {
		assert_string_equal(stats[i].name, consoles[i].name);
		assert_int_equal(stats[i].printed, 1);
	}
	/* More than there is room for are counted, and not written. */
	memset(stats, 0, sizeof(stats));
	assert_int_equal(lpk_consoles_stats(stats, 1), CONSOLES);
	assert_string_equal(stats[1].name, "");
	lpk_console_unregister(&consoles[0], later());
	assert_int_equal(lpk_consoles_stats(stats, CONSOLES), CONSOLES - 1);
	assert_string_equal(stats[0].name, "console-1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_flush_reaches_all_consoles),
	    CASE(test_flush_names_the_laggard_at_its_deadline),
	    CASE(test_flush_of_a_deadline_in_the_past_does_not_wait),
	    CASE(test_flush_does_not_ask_the_suspended_and_the_silent),
	    CASE(test_flush_ends_when_the_console_is_suspended),
	    CASE(test_flush_ends_when_the_console_falls_silent),
	    CASE(test_flush_ends_when_the_laggard_is_pulled_out),
	    CASE(test_flush_of_one_console_does_not_wait_for_another),
	    CASE(test_flush_does_not_wait_for_what_comes_later),
	    CASE(test_flush_of_direct_consoles_reaches_the_backlog),
	    CASE(test_flush_after_a_shutdown_prints_by_itself),
	    CASE(test_flush_without_consoles_is_reached),
	    CASE(test_flush_stats_tell_lag_and_state),
	    CASE(test_flush_stats_of_all_are_in_one_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
