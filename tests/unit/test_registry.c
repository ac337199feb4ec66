/* SPDX-License-Identifier: MIT */
/* Consoles come, go, and are changed. */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "device.h"

#include <pthread.h>

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console, other;
static struct device device, second;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 4096, 8, 2);
	device_reset(&device);
	device_reset(&second);
	console = (struct lpk_console){
	    .driver = &device_driver, .device = &device, .log = log_};
	other = console;
	other.device = &second;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	device_set_gate(&device, DEVICE_OPEN);
	device_set_gate(&second, DEVICE_OPEN);
	if (console.printer != NULL)
		lpk_console_unregister(&console, UINT64_MAX);
	if (other.printer != NULL)
		lpk_console_unregister(&other, UINT64_MAX);
	lpk_consoles_restart();
	small_log_free(&small);
	assert_int_equal(device.overlaps + second.overlaps, 0);
	return 0;
}

static uint64_t
later(void)
{
	return lpk_now_ns() + PATIENCE_NS;
}

static void
start(struct lpk_console *which)
{
	assert_int_equal(lpk_console_register(which), LPK_OK);
}

static void
stop(struct lpk_console *which)
{
	assert_int_equal(lpk_console_unregister(which, later()), LPK_OK);
}

/* Its lines without their times, one after the other with a blank. */
static void
expect_lines(struct device *which, const char *want)
{
	static char plain[DEVICE_BYTES];
	const char *at = device_text(which), *end;
	size_t length = 0;

	for (; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		assert_non_null(end);
		if (*at == '[')
			at = strchr(at, ']') + 2;
		memcpy(plain + length, at, (size_t)(end - at));
		length += (size_t)(end - at);
		plain[length++] = ' ';
	}
	plain[length] = '\0';
	assert_string_equal(plain, want);
}

static void
test_registry_starts_where_it_is_told(void **state)
{
	static const struct {
		enum lpk_seek where;
		uint64_t seq;
		const char *lines;
	} starts[] = {
	    {LPK_SEEK_OLDEST, 0, "zero one two three four "},
	    {LPK_SEEK_CLEAR, 0, "two three four "},
	    {LPK_SEEK_NEXT, 0, "four "},
	    {LPK_SEEK_SEQ, 3, "three four "},
	    {LPK_SEEK_SEQ, 0, "zero one two three four "},
	};
	struct lpk_console_stats stats;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		struct small_log fresh;

		log_ = small_log_make(&fresh, 4096, 4, 1);
		console.log = log_;
		console.start = starts[i].where;
		console.start_seq = starts[i].seq;
		pr_info("zero");
		pr_info("one");
		lpk_log_clear(log_);
		pr_info("two");
		pr_info("three");
		start(&console);
		pr_info("four");
		stop(&console);
		expect_lines(&device, starts[i].lines);
		lpk_console_stats(&console, &stats);
		assert_int_equal(stats.printed, device_count(&device, "\n"));
		assert_int_equal(stats.lost + stats.suppressed, 0);
		assert_int_equal(stats.lag_records, 0);
		device_reset(&device);
		small_log_free(&fresh);
	}
}

static void
test_registry_level_is_of_one_console_from_the_next_record_on(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	console.quiet_below = LPK_WARN;
	start(&console);
	start(&other);
	pr_info("a");
	pr_err("b");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(lpk_console_set_level(&console, 9), -LPK_EINVAL);
	assert_int_equal(lpk_console_set_level(NULL, 1), -LPK_EINVAL);
	assert_int_equal(lpk_console_set_level(&console, 0), LPK_OK);
	pr_info("c");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(lpk_console_set_level(&other, LPK_ERR), LPK_OK);
	pr_warn("d");
	pr_crit("e");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&device, "b c d e ");
	expect_lines(&second, "a b c e ");
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.suppressed, 1);
	assert_int_equal(stats.printed, 4);
	lpk_console_stats(&other, &stats);
	assert_int_equal(stats.quiet_below, LPK_ERR);
	assert_int_equal(stats.suppressed, 1);
}

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "net"

static void
log_net(void)
{
	pr_info("net info");
	pr_err("net err");
}

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM "disk"

static void
log_disk(void)
{
	pr_info("disk info");
	pr_err("disk err");
}

#undef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM NULL

static void
test_registry_filter_is_of_one_console_when_it_prints(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	console.filter = "net=err,disk=off";
	start(&other);
	log_net();
	log_disk();
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	/* What was stored before the filter was there is filtered, too. */
	start(&console);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(
	    lpk_console_set_filter(&console, "disk=info,off", NULL), LPK_OK);
	log_net();
	log_disk();
	pr_crit("no subsystem");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&device, "net err disk info disk err ");
	expect_lines(&second,
	    "net info net err disk info disk err "
	    "net info net err disk info disk err no subsystem ");
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 3);
	assert_int_equal(stats.suppressed, 6);
}

static void
test_registry_bad_filter_changes_nothing(void **state)
{
	size_t bad_at = 99;

	(void)state;
	console.filter = "no=such=word";
	assert_int_equal(lpk_console_register(&console), -LPK_EINVAL);
	assert_int_equal(device.exits, 1);
	assert_null(console.printer);
	console.filter = "info";
	start(&console);
	pr_debug("a");
	pr_info("b");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(
	    lpk_console_set_filter(&console, "err,rubbish=x", &bad_at),
	    -LPK_EINVAL);
	assert_int_equal(bad_at, 4);
	assert_int_equal(
	    lpk_console_set_filter(&console, NULL, NULL), -LPK_EINVAL);
	pr_info("c");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(lpk_console_set_filter(&console, "err", NULL), LPK_OK);
	pr_info("d");
	pr_err("e");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(lpk_console_set_filter(&console, "", NULL), LPK_OK);
	pr_info("f");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&device, "b c e f ");
}

static void
test_registry_suspended_console_keeps_its_place(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	start(&console);
	start(&other);
	pr_info("a");
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	expect_lines(&device, "a ");
	/* Once more is no error. */
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	pr_info("b");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&second, "a b ");
	expect_lines(&device, "a ");
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.state, LPK_CONSOLE_SUSPENDED);
	assert_int_equal(stats.lag_records, 1);
	assert_int_equal(lpk_console_resume(&console), LPK_OK);
	/* Without another record. */
	assert_true(device_wait(&device, "b\n"));
	assert_int_equal(lpk_console_suspend(NULL, 0), -LPK_EINVAL);
	assert_int_equal(lpk_console_resume(NULL), -LPK_EINVAL);
}

static void
test_registry_suspend_of_a_silent_console_is_no_error(void **state)
{
	(void)state;
	console.mode = LPK_MODE_PANIC;
	start(&console);
	pr_info("a");
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	assert_int_equal(lpk_console_resume(&console), LPK_OK);
	assert_int_equal(lpk_console_set_mode(&console, LPK_MODE_POLL), LPK_OK);
	assert_true(device_wait(&device, "a\n"));
}

static void
test_registry_suspend_of_a_hung_console_says_so(void **state)
{
	unsigned long calls;

	(void)state;
	start(&console);
	device_set_gate(&device, DEVICE_HUNG);
	pr_info("a");
	assert_true(device_wait_inside(&device));
	assert_int_equal(
	    lpk_console_suspend(&console, lpk_now_ns() + SECOND / 50),
	    -LPK_EBUSY);
	pr_info("b");
	device_set_gate(&device, DEVICE_OPEN);
	assert_true(device_wait(&device, "a\n"));
	/* It is suspended, and so nothing more. */
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	calls = lpk_load_acquire(&device.calls);
	usleep(20000);
	assert_int_equal(lpk_load_acquire(&device.calls), calls);
	lpk_console_resume(&console);
	assert_true(device_wait(&device, "b\n"));
}

static void
test_registry_lost_while_suspended_is_told(void **state)
{
	struct lpk_console_stats stats;
	int i;

	(void)state;
	start(&console);
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	for (i = 0; i < 5000; i++)
		pr_info("record %d", i);
	lpk_console_resume(&console);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	lpk_console_stats(&console, &stats);
	assert_true(stats.lost > 0);
	assert_int_equal(stats.lost + stats.printed, 5000);
	assert_int_equal(device_count(&device, "messages dropped"), 1);
	assert_int_equal(device_count(&device, "record"), stats.printed);
}

static void
test_registry_has_so_many_places_and_no_more(void **state)
{
	static struct lpk_console many[LPK_CONSOLES_MAX];
	unsigned int i, used = lpk_consoles_stats(NULL, 0);

	(void)state;
	for (i = 0; i < LPK_CONSOLES_MAX - used; i++) {
		many[i] = console;
		start(&many[i]);
	}
	device_set_gate(&device, DEVICE_OPEN);
	assert_int_equal(lpk_console_register(&other), -LPK_ENOSPC);
	assert_null(other.printer);
	assert_int_equal(lpk_consoles_stats(NULL, 0), LPK_CONSOLES_MAX);
	while (i-- > 0)
		stop(&many[i]);
	/* They all print to one device, at once. */
	device.overlaps = 0;
	start(&other);
	pr_info("a");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&second, "a ");
}

static void
test_registry_name_is_the_drivers_or_its_own(void **state)
{
	struct lpk_console_stats stats[2];

	(void)state;
	strcpy(other.name, "my own");
	start(&console);
	start(&other);
	assert_int_equal(lpk_consoles_stats(stats, 2), 2);
	assert_string_equal(stats[0].name, "device");
	assert_string_equal(stats[1].name, "my own");
	assert_string_equal(stats[1].driver, "device");
}

static void
test_registry_stats_stay_after_unregister(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	console.quiet_below = LPK_INFO;
	start(&console);
	pr_info("a");
	pr_err("b");
	stop(&console);
	pr_err("c");
	lpk_console_stats(&console, &stats);
	assert_string_equal(stats.name, "device");
	assert_int_equal(stats.state, LPK_CONSOLE_OFF);
	assert_int_equal(stats.printed, 1);
	assert_int_equal(stats.suppressed, 1);
	assert_int_equal(stats.lag_records, 0);
	assert_int_equal(stats.owner, 0);
	assert_int_equal(stats.quiet_below, LPK_INFO);
	/* From the beginning, when it comes back. */
	console.quiet_below = 0;
	console.start = LPK_SEEK_NEXT;
	start(&console);
	pr_err("d");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.printed, 1);
	assert_int_equal(stats.suppressed, 0);
	stop(&console);
	expect_lines(&device, "b d ");
	assert_int_equal(device.exits, 2);
}

static int setup_result;

static int
failing_setup(struct lpk_console *self)
{
	(void)self;
	return setup_result;
}

static void
test_registry_setup_that_fails_is_the_result(void **state)
{
	struct lpk_console_driver driver = device_driver;

	(void)state;
	driver.setup = failing_setup;
	console.driver = &driver;
	setup_result = -LPK_EIO;
	assert_int_equal(lpk_console_register(&console), -LPK_EIO);
	assert_null(console.printer);
	assert_int_equal(device.exits, 0);
	setup_result = LPK_OK;
	start(&console);
	stop(&console);
	assert_int_equal(device.exits, 1);
}

static void
wait_for_exits(struct device *which, unsigned long exits)
{
	uint64_t until = later();

	while (lpk_load_acquire(&which->exits) != exits && lpk_now_ns() < until)
		usleep(1000);
	assert_int_equal(lpk_load_acquire(&which->exits), exits);
}

static void
test_registry_hung_console_leaves_by_itself(void **state)
{
	struct lpk_console_stats stats;

	(void)state;
	start(&console);
	start(&other);
	device_set_gate(&device, DEVICE_HUNG);
	pr_info("a");
	assert_true(device_wait_inside(&device));
	assert_int_equal(lpk_console_unregister(&console, 0), -LPK_EBUSY);
	assert_int_equal(lpk_consoles_stats(&stats, 1), 1);
	/* It changes nothing to try again. */
	assert_int_equal(lpk_console_unregister(&console, 0), -LPK_EBUSY);
	assert_int_equal(lpk_console_register(&console), -LPK_EBUSY);
	pr_info("b");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	expect_lines(&second, "a b ");
	assert_int_equal(device.exits, 0);
	device_set_gate(&device, DEVICE_OPEN);
	wait_for_exits(&device, 1);
	/* Its last record was on its way; the other one was not. */
	expect_lines(&device, "a ");
}

static void *
log_hung(void *unused)
{
	pr_info("a");
	return unused;
}

static void
test_registry_console_hung_in_a_caller_can_go_later(void **state)
{
	pthread_t thread;

	(void)state;
	console.mode = LPK_MODE_DIRECT;
	start(&console);
	device_set_gate(&device, DEVICE_HUNG);
	pthread_create(&thread, NULL, log_hung, NULL);
	assert_true(device_wait_inside(&device));
	assert_int_equal(lpk_console_unregister(&console, 0), -LPK_EBUSY);
	assert_int_equal(device.exits, 0);
	device_set_gate(&device, DEVICE_OPEN);
	pthread_join(thread, NULL);
	assert_int_equal(lpk_console_unregister(&console, 0), LPK_OK);
	assert_int_equal(device.exits, 1);
}

static unsigned long reopened;

static void
count_reopen(struct lpk_console *self)
{
	(void)self;
	lpk_fetch_add_relaxed(&reopened, 1);
}

static void
test_registry_reopen_comes_before_the_next_write(void **state)
{
	static const enum lpk_console_mode modes[] = {
	    LPK_MODE_POLL, LPK_MODE_DIRECT};
	struct lpk_console_driver driver = device_driver;
	uint64_t until;
	size_t i;

	(void)state;
	driver.reopen = count_reopen;
	for (i = 0; i < 2; i++) {
		console.driver = &driver;
		console.mode = modes[i];
		lpk_store_relaxed(&reopened, 0);
		start(&console);
		pr_info("a");
		assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
		assert_int_equal(lpk_load_acquire(&reopened), 0);
		errno = 4711;
		if (i == 0)
			lpk_consoles_reopen();
		else
			assert_int_equal(lpk_console_reopen(&console), LPK_OK);
		assert_int_equal(errno, 4711);
		until = later() / 2 + lpk_now_ns() / 2;
		while (lpk_load_acquire(&reopened) == 0 && lpk_now_ns() < until)
			usleep(1000);
		assert_int_equal(lpk_load_acquire(&reopened), 1);
		stop(&console);
	}
	assert_int_equal(lpk_console_reopen(&console), -LPK_EINVAL);
}

static void
test_registry_console_may_come_after_a_shutdown(void **state)
{
	(void)state;
	assert_int_equal(lpk_shutdown(later()), LPK_OK);
	console.start = LPK_SEEK_NEXT;
	start(&console);
	pr_info("a");
	expect_lines(&device, "a ");
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	pr_info("b");
	assert_true(device_wait(&device, "b\n"));
	stop(&console);
}

static void
test_registry_restart_revives_a_console_that_hung(void **state)
{
	(void)state;
	start(&console);
	device_set_gate(&device, DEVICE_HUNG);
	pr_info("a");
	assert_true(device_wait_inside(&device));
	assert_int_equal(lpk_shutdown(0), -LPK_ETIMEDOUT);
	/* While it hangs, and after it has come back. */
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	device_set_gate(&device, DEVICE_OPEN);
	pr_info("b");
	assert_true(device_wait(&device, "b\n"));
	device_set_gate(&device, DEVICE_HUNG);
	pr_info("c");
	assert_true(device_wait_inside(&device));
	assert_int_equal(lpk_shutdown(0), -LPK_ETIMEDOUT);
	device_set_gate(&device, DEVICE_OPEN);
	assert_true(device_wait(&device, "c\n"));
	usleep(50000);
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	pr_info("d");
	assert_true(device_wait(&device, "d\n"));
	stop(&console);
	expect_lines(&device, "a b c d ");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_registry_starts_where_it_is_told),
	    CASE(test_registry_level_is_of_one_console_from_the_next_record_on),
	    CASE(test_registry_filter_is_of_one_console_when_it_prints),
	    CASE(test_registry_bad_filter_changes_nothing),
	    CASE(test_registry_suspended_console_keeps_its_place),
	    CASE(test_registry_suspend_of_a_silent_console_is_no_error),
	    CASE(test_registry_suspend_of_a_hung_console_says_so),
	    CASE(test_registry_lost_while_suspended_is_told),
	    CASE(test_registry_has_so_many_places_and_no_more),
	    CASE(test_registry_name_is_the_drivers_or_its_own),
	    CASE(test_registry_stats_stay_after_unregister),
	    CASE(test_registry_setup_that_fails_is_the_result),
	    CASE(test_registry_hung_console_leaves_by_itself),
	    CASE(test_registry_console_hung_in_a_caller_can_go_later),
	    CASE(test_registry_reopen_comes_before_the_next_write),
	    CASE(test_registry_console_may_come_after_a_shutdown),
	    CASE(test_registry_restart_revives_a_console_that_hung),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
