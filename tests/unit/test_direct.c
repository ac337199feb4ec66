/* SPDX-License-Identifier: MIT */
/* Printing by the caller of printk: direct mode, handlers, emergencies. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "device.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <lpk/hosted.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console;
static struct device device;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 4096, 64, 2);
	device_reset(&device);
	device_watch(&device);
	console = (struct lpk_console){.driver = &device_driver,
	    .device = &device,
	    .log = log_,
	    .mode = LPK_MODE_DIRECT};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	device_set_gate(&device, DEVICE_OPEN);
	if (console.printer != NULL)
		lpk_console_unregister(&console, UINT64_MAX);
	lpk_consoles_restart();
	small_log_free(&small);
	assert_int_equal(device.overlaps, 0);
	return 0;
}

static void
start(void)
{
	assert_int_equal(lpk_console_register(&console), LPK_OK);
}

static void
flush(void)
{
	assert_int_equal(
	    lpk_console_flush(&console, lpk_now_ns() + PATIENCE_NS), LPK_OK);
}

static struct lpk_console_stats
stats_now(void)
{
	struct lpk_console_stats stats;

	lpk_console_stats(&console, &stats);
	return stats;
}

/* "number N" for all from 0 on, each once and in order, and nothing else. */
static void
expect_numbers(unsigned int count)
{
	const char *at = device_text(&device);
	unsigned int number;
	char want[32];

	for (number = 0; number < count; number++) {
		at = strchr(at, ']');
		assert_non_null(at);
		snprintf(want, sizeof(want), "] number %u\n", number);
		assert_memory_equal(at, want, strlen(want));
		at += strlen(want);
	}
	assert_string_equal(at, "");
}

static void
log_hundred(void)
{
	struct lpk_console_stats stats;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		pr_info("number %u", i);
		expect_numbers(i + 1);
	}
	stats = stats_now();
	assert_int_equal(stats.printed, 100);
	assert_int_equal(stats.direct, device.watched_records);
	assert_int_equal(stats.handed_over, 0);
	assert_int_equal(stats.lag_records, 0);
}

static void
test_direct_record_is_on_the_device_when_printk_returns(void **state)
{
	(void)state;
	start();
	/* The console's thread looks at first, and may be there before us. */
	log_hundred();
}

static void
test_direct_caller_needs_no_thread(void **state)
{
	(void)state;
	assert_int_equal(lpk_shutdown(0), LPK_OK);
	start();
	log_hundred();
	assert_int_equal(device.watched_records, 100);
}

static void
test_direct_errno_is_preserved(void **state)
{
	(void)state;
	start();
	errno = 4711;
	pr_info("the driver spoils it");
	assert_int_equal(errno, 4711);
	assert_int_equal(device_count(&device, "spoils"), 1);
}

static void
test_direct_driver_without_write_is_enough(void **state)
{
	(void)state;
	console.driver = &device_caller_driver;
	console.mode = LPK_MODE_POLL;
	assert_int_equal(lpk_console_register(&console), -LPK_EINVAL);
	console.mode = LPK_MODE_DIRECT;
	start();
	pr_info("number 0");
	expect_numbers(1);
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_POLL), -LPK_EINVAL);
	pr_info("number 1");
	expect_numbers(2);
}

static void
test_direct_driver_of_last_resort_or_without_callback_is_refused(void **state)
{
	struct lpk_console_driver last = device_driver;

	(void)state;
	last.flags = LPK_DRIVER_LAST_RESORT;
	console.driver = &last;
	assert_int_equal(lpk_console_register(&console), -LPK_EINVAL);
	console.driver = &device_thread_driver;
	assert_int_equal(lpk_console_register(&console), -LPK_EINVAL);
	console.mode = LPK_MODE_POLL;
	start();
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_DIRECT), -LPK_EINVAL);
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_PANIC), -LPK_EINVAL);
}

/* What the handler logs, and whether that was on the device at once. */
static unsigned long handled, handled_at_once;
static char handled_text[32];

static void
on_signal(int signal)
{
	unsigned long before = lpk_load_relaxed(&device.bytes);

	(void)signal;
	lpk_handler_enter();
	pr_info("%s", handled_text);
	lpk_handler_exit();
	lpk_fetch_add_relaxed(&handled, 1);
	if (lpk_load_relaxed(&device.bytes) != before)
		lpk_fetch_add_relaxed(&handled_at_once, 1);
}

static void
handle(const char *text)
{
	struct sigaction action = {.sa_handler = on_signal};

	handled = handled_at_once = 0;
	snprintf(handled_text, sizeof(handled_text), "%s", text);
	sigaction(SIGUSR1, &action, NULL);
}

static void
test_direct_record_of_a_handler_is_there_when_it_returns(void **state)
{
	(void)state;
	start();
	pr_info("number 0");
	handle("number 1");
	raise(SIGUSR1);
	assert_int_equal(handled_at_once, 1);
	pr_info("number 2");
	expect_numbers(3);
}

static unsigned long raises_left;

/* In the middle of write_on_panic(), owned by this very thread. */
static void
raise_in_driver(struct device *self)
{
	(void)self;
	if (raises_left != 0) {
		raises_left--;
		raise(SIGUSR1);
	}
}

static void
test_direct_handler_in_the_owner_is_printed_by_the_owner(void **state)
{
	(void)state;
	/* A thread that was faster would have the signal for itself. */
	assert_int_equal(lpk_shutdown(0), LPK_OK);
	start();
	handle("inner");
	device.hook = raise_in_driver;
	raises_left = 1;
	pr_info("outer");
	/* The handler went on; the owner did it before it let go for good. */
	assert_int_equal(handled, 1);
	assert_int_equal(handled_at_once, 0);
	assert_non_null(strstr(device_text(&device), "outer\n"));
	assert_non_null(
	    strstr(strstr(device_text(&device), "outer\n"), "inner\n"));
	assert_int_equal(stats_now().owner, 0);
	/* Again and again, each time while the last one is printed. */
	raises_left = 10;
	pr_info("again");
	assert_int_equal(device_count(&device, "inner\n"), 11);
	assert_int_equal(stats_now().direct, 13);
	assert_int_equal(stats_now().owner, 0);
}

static void
test_direct_backlog_beyond_the_budget_is_left_to_the_thread(void **state)
{
	unsigned long mine;
	unsigned int i;

	(void)state;
	/* As long as there are no threads, callers can be looked at. */
	assert_int_equal(lpk_shutdown(0), LPK_OK);
	for (i = 0; i < 500; i++)
		pr_info("number %u", i);
	start();
	assert_int_equal(device.watched_records, 0);
	pr_info("number %u", i++);
	assert_int_equal(device.watched_records, LPK_DIRECT_BUDGET);
	expect_numbers(LPK_DIRECT_BUDGET);
	assert_int_equal(stats_now().handed_over, 1);
	pr_info("number %u", i++);
	assert_int_equal(device.watched_records, 2 * LPK_DIRECT_BUDGET);
	assert_int_equal(stats_now().handed_over, 2);
	/* The thread needs nobody's next printk. */
	mine = device.watched_records;
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	assert_true(device_wait(&device, "number 501\n"));
	assert_int_equal(device.watched_records, mine);
	flush();
	expect_numbers(502);
	assert_int_equal(stats_now().printed, 502);
	assert_int_equal(stats_now().direct, 2 * LPK_DIRECT_BUDGET);
}

static void
test_direct_backlog_at_the_start_waits_for_no_printk(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 500; i++)
		pr_info("number %u", i);
	start();
	assert_true(device_wait(&device, "number 499\n"));
	assert_true(device.watched_records <= LPK_DIRECT_BUDGET);
	flush();
	expect_numbers(500);
}

static void
test_direct_full_device_delays_one_call_and_no_more(void **state)
{
	unsigned int i;

	(void)state;
	start();
	device_set_gate(&device, DEVICE_FULL);
	for (i = 0; i < 50; i++)
		pr_info("number %u", i);
	/* None, if the thread was there first. */
	assert_in_range(device.watched_waits, 0, 1);
	assert_true(device.longest_wait_ns <= LPK_DIRECT_NS);
	assert_int_equal(stats_now().state, LPK_CONSOLE_BLOCKED);
	assert_int_equal(stats_now().lag_records, 50);
	assert_int_equal(stats_now().last_error, EAGAIN);
	assert_true(stats_now().handed_over != 0);
	/* The thread finds out when it takes something again. */
	device_set_gate(&device, DEVICE_OPEN);
	assert_true(device_wait(&device, "number 49\n"));
	flush();
	assert_int_equal(stats_now().state, LPK_CONSOLE_RUNNING);
	pr_info("number 50");
	expect_numbers(51);
}

/* How often this thread has slept, or let others run. */
static long
naps(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void *
log_one(void *text)
{
	pr_info("%s", (const char *)text);
	return NULL;
}

static void
test_direct_hung_owner_delays_one_call_and_no_more(void **state)
{
	pthread_t thread;
	unsigned int i;
	long before;

	(void)state;
	start();
	device_set_gate(&device, DEVICE_HUNG);
	pthread_create(&thread, NULL, log_one, "number 0");
	assert_true(device_wait_inside(&device));
	pr_info("number 1");
	before = naps();
	for (i = 2; i < 100; i++)
		pr_info("number %u", i);
	/* Waiting for the owner each time would be 900 each. */
	assert_in_range(naps() - before, 0, 2000);
	device_set_gate(&device, DEVICE_OPEN);
	pthread_join(thread, NULL);
	assert_true(device_wait(&device, "number 99\n"));
	flush();
	expect_numbers(100);
}

static void
test_direct_mode_may_change_at_any_time(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	assert_int_equal(
	    lpk_console_set_mode(NULL, LPK_MODE_POLL), -LPK_EINVAL);
	assert_int_equal(
	    lpk_console_set_mode(&console, (enum lpk_console_mode)3),
	    -LPK_EINVAL);
	pr_info("number 0");
	flush();
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_DIRECT), LPK_OK);
	pr_info("number 1");
	expect_numbers(2);
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_PANIC), LPK_OK);
	pr_info("number 2");
	assert_int_equal(lpk_console_flush(&console, 0), -LPK_EINVAL);
	expect_numbers(2);
	stats = stats_now();
	assert_int_equal(stats.mode, LPK_MODE_PANIC);
	assert_int_equal(stats.lag_records, 1);
	assert_int_equal(
	    lpk_console_set_mode(&console, LPK_MODE_DIRECT), LPK_OK);
	assert_true(device_wait(&device, "number 2\n"));
	assert_int_equal(lpk_console_set_mode(&console, LPK_MODE_POLL), LPK_OK);
	pr_info("number 3");
	assert_true(device_wait(&device, "number 3\n"));
	flush();
	expect_numbers(4);
	stats = stats_now();
	assert_int_equal(stats.printed, 4);
	/* Of those in between some may have been the thread's. */
	assert_int_equal(stats.direct, device.watched_records);
	assert_in_range(stats.direct, 0, 2);
}

static void
test_direct_suspended_console_is_left_alone(void **state)
{
	(void)state;
	start();
	assert_int_equal(lpk_console_suspend(&console, UINT64_MAX), LPK_OK);
	pr_info("number 0");
	lpk_emergency_enter();
	pr_info("number 1");
	lpk_emergency_exit();
	expect_numbers(0);
	assert_int_equal(lpk_console_resume(&console), LPK_OK);
	assert_true(device_wait(&device, "number 1\n"));
	pr_info("number 2");
	expect_numbers(3);
}

static void
in_thread(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, function, argument), 0);
	pthread_join(thread, NULL);
}

static void *
log_twenty(void *first)
{
	unsigned int i;

	for (i = 0; i < 20; i++)
		pr_info("number %u", *(unsigned int *)first + i);
	return NULL;
}

static void
test_direct_emergency_pushes_out_the_backlog_in_order(void **state)
{
	unsigned int first = 0;

	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	lpk_emergency_enter();
	/* Another thread's are stored, and wait. */
	in_thread(log_twenty, &first);
	pr_info("number 20");
	expect_numbers(21);
	first = 21;
	in_thread(log_twenty, &first);
	pr_info("number 41");
	expect_numbers(42);
	assert_true(stats_now().direct != 0);
	lpk_emergency_exit();
	pr_info("number 42");
	flush();
	expect_numbers(43);
	assert_int_equal(stats_now().printed, 43);
	assert_int_equal(stats_now().state, LPK_CONSOLE_RUNNING);
}

static void
test_direct_emergencies_nest(void **state)
{
	unsigned int i, direct;

	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	/* Too many exits are no debt. */
	lpk_emergency_exit();
	lpk_emergency_enter();
	lpk_emergency_enter();
	lpk_emergency_exit();
	pr_info("number 0");
	expect_numbers(1);
	lpk_emergency_exit();
	direct = (unsigned int)stats_now().direct;
	for (i = 1; i < 100; i++)
		pr_info("number %u", i);
	flush();
	expect_numbers(100);
	assert_int_equal(stats_now().direct, direct);
	lpk_emergency_enter();
	pr_info("number 100");
	expect_numbers(101);
	lpk_emergency_exit();
}

static void
test_direct_emergency_prints_more_than_the_budget(void **state)
{
	unsigned int first;

	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	lpk_emergency_enter();
	for (first = 0; first < 400; first += 20)
		in_thread(log_twenty, &first);
	pr_info("number 400");
	expect_numbers(401);
	lpk_emergency_exit();
}

static void
test_direct_emergency_in_a_handler_is_on_the_device(void **state)
{
	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	handle("number 0");
	lpk_emergency_enter();
	raise(SIGUSR1);
	lpk_emergency_exit();
	assert_int_equal(handled_at_once, 1);
	expect_numbers(1);
}

static void
test_direct_emergency_pauses_the_thread(void **state)
{
	enum lpk_console_state seen;
	uint64_t began;

	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	began = lpk_now_ns();
	lpk_emergency_enter();
	in_thread(log_one, "number 0");
	seen = stats_now().state;
	/* It holds for a second after its last record. */
	if (lpk_now_ns() - began < SECOND / 2) {
		assert_int_equal(seen, LPK_CONSOLE_PAUSED);
		assert_int_equal(stats_now().direct, 0);
	}
	lpk_emergency_exit();
	/* And then it resumes, without another record. */
	assert_true(device_wait(&device, "number 0\n"));
	assert_int_equal(stats_now().state, LPK_CONSOLE_RUNNING);
}

static void *
die_in_emergency(void *unused)
{
	lpk_emergency_enter();
	pr_info("number 0");
	pthread_exit(unused);
}

static void
test_direct_emergency_of_a_dead_thread_ends(void **state)
{
	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	in_thread(die_in_emergency, NULL);
	expect_numbers(1);
	pr_info("number 1");
	assert_true(device_wait(&device, "number 1\n"));
	flush();
	pr_info("number 2");
	flush();
	expect_numbers(3);
}

static void
test_direct_emergency_leaves_other_consoles_their_thread(void **state)
{
	uint64_t until = lpk_now_ns() + PATIENCE_NS / 2;

	(void)state;
	console.driver = &device_thread_driver;
	console.mode = LPK_MODE_POLL;
	start();
	lpk_emergency_enter();
	/* For as long as the emergency goes on. */
	while (
	    device_count(&device, "important") == 0 && lpk_now_ns() < until) {
		pr_crit("important");
		usleep(1000);
	}
	assert_int_not_equal(device_count(&device, "important"), 0);
	assert_int_not_equal(stats_now().state, LPK_CONSOLE_PAUSED);
	lpk_emergency_exit();
	flush();
}

static void
test_direct_emergency_takes_it_from_no_one_who_pokes_the_device(void **state)
{
	pthread_t thread;
	unsigned int i;

	(void)state;
	start();
	device_set_gate(&device, DEVICE_HUNG);
	pthread_create(&thread, NULL, log_one, "number 0");
	assert_true(device_wait_inside(&device));
	lpk_emergency_enter();
	for (i = 1; i < 20; i++)
		pr_info("number %u", i);
	lpk_emergency_exit();
	assert_int_equal(device_count(&device, "number"), 0);
	device_set_gate(&device, DEVICE_OPEN);
	pthread_join(thread, NULL);
	assert_true(device_wait(&device, "number 19\n"));
	flush();
	expect_numbers(20);
}

/* Whoever prints on the device logs about it, twice. */
static void
log_in_driver(struct device *self)
{
	(void)self;
	pr_info("more");
	pr_info("and more");
}

static void
test_direct_emergency_ends_though_more_keeps_coming(void **state)
{
	(void)state;
	console.mode = LPK_MODE_POLL;
	start();
	device.hook = log_in_driver;
	lpk_emergency_enter();
	pr_info("first");
	assert_int_equal(device_count(&device, "first"), 1);
	device.hook = NULL;
	assert_true(stats_now().lag_records != 0);
	lpk_emergency_exit();
	flush();
}

/* A log of which no console is left may be freed at once. */
static void
test_direct_emergency_after_unregister_leaves_the_log_alone(void **state)
{
	struct small_log gone;
	struct lpk_console other = console;

	(void)state;
	other.log = small_log_make(&gone, 4096, 2, 1);
	assert_int_equal(lpk_console_register(&other), LPK_OK);
	lpk_write(other.log, LPK_INFO, "number 0");
	assert_int_equal(lpk_console_unregister(&other, UINT64_MAX), LPK_OK);
	small_log_free(&gone);
	lpk_emergency_enter();
	lpk_emergency_exit();
	lpk_consoles_reopen();
	lpk_flush(0, NULL);
	expect_numbers(1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_direct_record_is_on_the_device_when_printk_returns),
	    CASE(test_direct_caller_needs_no_thread),
	    CASE(test_direct_errno_is_preserved),
	    CASE(test_direct_driver_without_write_is_enough),
	    CASE(
		test_direct_driver_of_last_resort_or_without_callback_is_refused),
	    CASE(test_direct_record_of_a_handler_is_there_when_it_returns),
	    CASE(test_direct_handler_in_the_owner_is_printed_by_the_owner),
	    CASE(test_direct_backlog_beyond_the_budget_is_left_to_the_thread),
	    CASE(test_direct_backlog_at_the_start_waits_for_no_printk),
	    CASE(test_direct_full_device_delays_one_call_and_no_more),
	    CASE(test_direct_hung_owner_delays_one_call_and_no_more),
	    CASE(test_direct_mode_may_change_at_any_time),
	    CASE(test_direct_suspended_console_is_left_alone),
	    CASE(test_direct_emergency_pushes_out_the_backlog_in_order),
	    CASE(test_direct_emergencies_nest),
	    CASE(test_direct_emergency_prints_more_than_the_budget),
	    CASE(test_direct_emergency_in_a_handler_is_on_the_device),
	    CASE(test_direct_emergency_pauses_the_thread),
	    CASE(test_direct_emergency_of_a_dead_thread_ends),
	    CASE(test_direct_emergency_leaves_other_consoles_their_thread),
	    CASE(
		test_direct_emergency_takes_it_from_no_one_who_pokes_the_device),
	    CASE(test_direct_emergency_ends_though_more_keeps_coming),
	    CASE(test_direct_emergency_after_unregister_leaves_the_log_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
