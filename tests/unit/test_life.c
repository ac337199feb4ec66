/* SPDX-License-Identifier: MIT */
/*
 * Consoles at the turns of a process's life. What happens at exit is seen by
 * running this program again, with the name of what it is to do.
 */
#define LPK_SHORT_NAMES
#define LPK_DEFAULT_LOG log_
#include "stalled.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>

#include <lpk/init.h>

#include "device.h"

#define STORMERS 3

static struct small_log small;
static struct lpk_log *log_;
static struct lpk_console console;
static struct device device;
static unsigned long storm_ends;

/* In the child of a fork nobody is in the driver any more. */
static void
device_zap(struct lpk_console *self)
{
	struct device *zapped = self->device;

	lpk_store_relaxed(&zapped->inside, 0);
}

static struct lpk_console_driver driver;

static int
setup(void **state)
{
	(void)state;
	log_ = small_log_make(&small, 4096, 16, 2);
	driver = device_driver;
	driver.zap_locks = device_zap;
	device_reset(&device);
	console = (struct lpk_console){
	    .driver = &driver, .device = &device, .log = log_};
	assert_int_equal(lpk_console_register(&console), LPK_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	device_set_gate(&device, DEVICE_OPEN);
	lpk_store_relaxed(&storm_ends, 1);
	if (console.printer != NULL)
		lpk_console_unregister(&console, lpk_now_ns() + SECOND);
	lpk_consoles_restart();
	small_log_free(&small);
	assert_int_equal(device.overlaps, 0);
	return 0;
}

static uint64_t
later(void)
{
	return lpk_now_ns() + PATIENCE_NS;
}

/* In a child; cmocka is its parent's. */
#define NEED(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: child: %s\n", __FILE__,        \
			    __LINE__, #condition);                             \
			_exit(1);                                              \
		}                                                              \
	} while (0)

static void
expect_good_end(pid_t child)
{
	int status = -1;

	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void *
storm(void *unused)
{
	unsigned long count = 0;

	while (lpk_load_relaxed(&storm_ends) == 0) {
		pr_info("parent %lu", count++);
		/* What the device holds is not without an end. */
		usleep(100);
	}
	return unused;
}

/* What was put on the device since, line by line: is it all so? */
static bool
only(const char *text, const char *word)
{
	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		if (strchr(text, '\n') == NULL ||
		    strncmp(strchr(text, ']') + 2, word, strlen(word)) != 0)
			return false;
	}
	return true;
}

/* All that a child can expect. */
static void
be_a_child(void)
{
	size_t before = device.bytes;
	struct lpk_console_stats stats;
	int i;

	for (i = 0; i < 10; i++) {
		pr_info("child %d", i);
		NEED(only(device_text(&device) + before, "child"));
		lpk_console_stats(&console, &stats);
		NEED(stats.printed == (uint64_t)i + 1);
		NEED(stats.direct == stats.printed && stats.lost == 0);
		NEED(stats.owner == 0 && stats.lag_records == 0);
	}
	NEED(lpk_flush(later(), NULL) == LPK_OK);
	NEED(lpk_consoles_restart() == LPK_OK);
	for (i = 0; i < 100; i++)
		pr_info("child %d", i);
	NEED(lpk_flush(later(), NULL) == LPK_OK);
	NEED(only(device_text(&device) + before, "child"));
	lpk_console_stats(&console, &stats);
	NEED(stats.printed == 110 && stats.direct == 10);
	NEED(lpk_console_unregister(&console, later()) == LPK_OK);
	NEED(device.overlaps == 0);
	_exit(0);
}

static void
test_life_child_of_a_busy_process_prints_its_own_direct(void **state)
{
	pthread_t threads[STORMERS];
	struct lpk_console_stats stats;
	struct lpk_log_stats stored;
	pid_t child;
	int i;

	(void)state;
	lpk_store_relaxed(&storm_ends, 0);
	for (i = 0; i < STORMERS; i++)
		pthread_create(&threads[i], NULL, storm, NULL);
	for (i = 0; i < 30; i++) {
		usleep(3000);
		child = fork();
		if (child == 0)
			be_a_child();
		expect_good_end(child);
	}
	lpk_store_relaxed(&storm_ends, 1);
	for (i = 0; i < STORMERS; i++)
		pthread_join(threads[i], NULL);
	/* The parent has not noticed. */
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&device, "child"), 0);
	lpk_console_stats(&console, &stats);
	lpk_log_stats(log_, &stored);
	assert_int_equal(stored.stored, stats.printed + stats.lost);
	assert_int_equal(stats.direct, 0);
}

static void
test_life_child_inherits_no_owner(void **state)
{
	pid_t child;

	(void)state;
	device_set_gate(&device, DEVICE_HUNG);
	pr_info("parent");
	assert_true(device_wait_inside(&device));
	child = fork();
	if (child == 0) {
		device_set_gate(&device, DEVICE_OPEN);
		be_a_child();
	}
	expect_good_end(child);
	device_set_gate(&device, DEVICE_OPEN);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&device, "parent"), 1);
}

static void
test_life_child_waits_for_no_record_of_its_parent(void **state)
{
	struct lpk__store stopped = {0};
	pid_t child;

	(void)state;
	stalled_begin(log_, &stopped, "parent");
	child = fork();
	if (child == 0)
		be_a_child();
	expect_good_end(child);
	stalled_finish(log_, &stopped);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&device, "parent"), 1);
}

static void
test_life_child_prints_nothing_that_its_parent_stored(void **state)
{
	pid_t child;

	(void)state;
	assert_int_equal(lpk_console_suspend(&console, later()), LPK_OK);
	pr_info("parent");
	child = fork();
	if (child == 0) {
		NEED(lpk_console_resume(&console) == LPK_OK);
		be_a_child();
	}
	expect_good_end(child);
	assert_int_equal(lpk_console_resume(&console), LPK_OK);
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&device, "parent"), 1);
}

static void
test_life_child_leaves_the_emergency_to_its_parent(void **state)
{
	struct lpk_console_stats stats;
	pid_t child;

	(void)state;
	lpk_emergency_enter();
	child = fork();
	if (child == 0) {
		NEED(lpk_consoles_restart() == LPK_OK);
		pr_info("child");
		NEED(lpk_flush(later(), NULL) == LPK_OK);
		lpk_console_stats(&console, &stats);
		NEED(stats.printed == 1 && stats.direct == 0);
		_exit(0);
	}
	expect_good_end(child);
	pr_info("parent");
	assert_int_equal(device_count(&device, "parent"), 1);
	lpk_emergency_exit();
}

/* A console that no caller can print on is silent, and waited for by nobody. */
static void
test_life_child_flush_asks_no_console_without_a_thread(void **state)
{
	struct lpk_flush_result result;
	pid_t child;

	(void)state;
	lpk_console_unregister(&console, later());
	driver.write_on_panic = NULL;
	assert_int_equal(lpk_console_register(&console), LPK_OK);
	child = fork();
	if (child == 0) {
		pr_info("child");
		NEED(device_count(&device, "child") == 0);
		NEED(lpk_flush(UINT64_MAX, &result) == LPK_OK);
		NEED(result.consoles == 0);
		NEED(lpk_consoles_restart() == LPK_OK);
		NEED(lpk_flush(UINT64_MAX, &result) == LPK_OK);
		NEED(device_count(&device, "child") == 1);
		_exit(0);
	}
	expect_good_end(child);
}

static void
test_life_grandchild_is_a_child_too(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	pr_info("parent");
	child = fork();
	if (child == 0) {
		pr_info("child");
		NEED(lpk_consoles_restart() == LPK_OK);
		pr_info("child");
		child = fork();
		if (child == 0)
			be_a_child();
		NEED(waitpid(child, &status, 0) == child && status == 0);
		pr_info("child");
		NEED(lpk_flush(later(), NULL) == LPK_OK);
		NEED(device_count(&device, "child") == 3);
		_exit(0);
	}
	expect_good_end(child);
}

static void
test_life_shutdown_prints_all_and_then_direct(void **state)
{
	struct lpk_console_stats stats;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		pr_info("before %d", i);
	assert_int_equal(lpk_shutdown(later()), LPK_OK);
	assert_int_equal(device_count(&device, "before"), 100);
	pr_info("after");
	assert_int_equal(device_count(&device, "after"), 1);
	assert_int_equal(lpk_shutdown(later()), LPK_OK);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.direct, 1);
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	assert_int_equal(lpk_consoles_restart(), LPK_OK);
	pr_info("again");
	assert_int_equal(lpk_flush(later(), NULL), LPK_OK);
	assert_int_equal(device_count(&device, "again"), 1);
	lpk_console_stats(&console, &stats);
	assert_int_equal(stats.direct, 1);
}

/* What follows runs in this program, started again. */

static int
to_stdout(struct lpk_console *self, struct lpk_batch *batch)
{
	(void)self;
	return (int)write(STDOUT_FILENO, batch->bytes, batch->size_bytes);
}

static int
hang(struct lpk_console *self, struct lpk_batch *batch)
{
	(void)self;
	(void)batch;
	for (;;)
		pause();
	return 0;
}

static const struct lpk_console_driver stdout_driver = {
    .name = "out", .write = to_stdout, .write_on_panic = to_stdout};
static const struct lpk_console_driver hung_driver = {
    .name = "hung", .write = hang, .write_on_panic = hang};
static bool has_destructor;

static void
log_at_exit(void)
{
	pr_info("at exit");
}

__attribute__((destructor)) static void
log_in_destructor(void)
{
	if (has_destructor)
		pr_info("destructor");
}

static void *
log_thousand(void *number)
{
	int i;

	for (i = 0; i < 1000; i++)
		pr_info("thread %d: %d", *(int *)number, i);
	return NULL;
}

static void
log_four_thousand(void)
{
	static int numbers[] = {0, 1, 2, 3};
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, log_thousand, &numbers[i]);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* In memory that a child gets anew, whichever was there first. */
static int
run_region(const char *what)
{
	static struct lpk_console out = {.driver = &stdout_driver};
	int i, status;
	bool first = strstr(what, "first") != NULL;

	log_ = lpk_default_log();
	NEED(!first || lpk_init(NULL) == LPK_OK);
	out.mode = LPK_MODE_DIRECT;
	NEED(lpk_console_register(&out) == LPK_OK);
	NEED(first || lpk_init(NULL) == LPK_OK);
	for (i = 0; i < 10000; i++)
		pr_info("parent %d", i);
	NEED(lpk_flush(later(), NULL) == LPK_OK);
	if (fork() == 0) {
		pr_info("child direct");
		NEED(lpk_flush(later(), NULL) == LPK_OK);
		NEED(lpk_consoles_restart() == LPK_OK);
		pr_info("child again");
		return 0;
	}
	NEED(wait(&status) > 0 && status == 0);
	pr_info("parent's last");
	return 0;
}

/* As the name of one of the tests below says; it ends by exit(). */
static int
run_again(const char *what)
{
	static struct lpk_console out = {.driver = &stdout_driver};
	static struct lpk_console hung = {.driver = &hung_driver};
	pthread_t thread;
	int i;

	if (strstr(what, "region") != NULL)
		return run_region(what);
	/* Larger than all that is logged. */
	log_ = small_log_make(&small, 16384, 64, 2);
	out.log = hung.log = log_;
	has_destructor = true;
	atexit(log_at_exit);
	if (strstr(what, "hung") != NULL)
		lpk_console_register(&hung);
	if (strstr(what, "direct") != NULL)
		out.mode = LPK_MODE_DIRECT;
	lpk_console_register(&out);
	log_four_thousand();
	if (strstr(what, "shutdown") != NULL)
		lpk_shutdown(lpk_now_ns() + SECOND);
	if (strstr(what, "child") != NULL && fork() != 0) {
		wait(&i);
		_exit(WIFEXITED(i) ? WEXITSTATUS(i) : 1);
	}
	for (i = 0; strstr(what, "storm") != NULL && i < STORMERS; i++)
		pthread_create(&thread, NULL, storm, NULL);
	return 0;
}

static const char *program;

/* Its output, until it ends; it must end well. */
static void
run(const char *what, char *output, size_t size)
{
	char command[512];
	size_t length;
	FILE *pipe;

	snprintf(command, sizeof(command), "exec '%s' %s", program, what);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(output, 1, size - 1, pipe);
	output[length] = '\0';
	assert_true(length < size - 1);
	assert_int_equal(pclose(pipe), 0);
}

static void
expect_all(const char *what, unsigned int logged)
{
	static char output[1 << 20];
	unsigned int count = 0;
	const char *at;

	run(what, output, sizeof(output));
	for (at = output; (at = strstr(at, "] thread ")) != NULL; at++)
		count++;
	assert_int_equal(count, logged);
	assert_non_null(strstr(output, "] at exit\n"));
	assert_non_null(strstr(output, "] destructor\n"));
}

static void
test_life_exit_prints_all_and_what_comes_after_main(void **state)
{
	(void)state;
	expect_all("plain", 4000);
	expect_all("direct", 4000);
	expect_all("shutdown", 4000);
}

static void
test_life_exit_is_not_held_up_by_a_hung_console(void **state)
{
	(void)state;
	expect_all("hung", 4000);
	expect_all("hung-shutdown", 4000);
}

static void
test_life_exit_of_a_child_prints_its_own(void **state)
{
	static char output[1 << 20];

	(void)state;
	run("child", output, sizeof(output));
	assert_non_null(strstr(output, "] at exit\n"));
	assert_non_null(strstr(output, "] destructor\n"));
}

/* Once each, and all of the parent's before. */
static void
expect_both(const char *what)
{
	static char output[1 << 20];
	const char *at, *direct;
	unsigned int parents = 0;

	run(what, output, sizeof(output));
	for (at = output; (at = strstr(at, "] parent ")) != NULL; at++)
		parents++;
	assert_int_equal(parents, 10000);
	direct = strstr(output, "] child direct\n");
	assert_non_null(direct);
	assert_null(strstr(direct + 1, "] child direct\n"));
	assert_non_null(strstr(direct, "] child again\n"));
	assert_non_null(strstr(direct, "] parent's last\n"));
}

static void
test_life_child_with_a_region_of_its_own_prints_its_own(void **state)
{
	(void)state;
	expect_both("region-first");
	expect_both("region-later");
}

static void
test_life_exit_waits_for_no_thread_that_goes_on_logging(void **state)
{
	expect_all("storm", 4000);
	(void)state;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_life_child_of_a_busy_process_prints_its_own_direct),
	    CASE(test_life_child_inherits_no_owner),
	    CASE(test_life_child_waits_for_no_record_of_its_parent),
	    CASE(test_life_child_prints_nothing_that_its_parent_stored),
	    CASE(test_life_child_leaves_the_emergency_to_its_parent),
	    CASE(test_life_child_flush_asks_no_console_without_a_thread),
	    CASE(test_life_grandchild_is_a_child_too),
	    CASE(test_life_shutdown_prints_all_and_then_direct),
	    cmocka_unit_test(
		test_life_exit_prints_all_and_what_comes_after_main),
	    cmocka_unit_test(
		test_life_child_with_a_region_of_its_own_prints_its_own),
	    cmocka_unit_test(test_life_exit_is_not_held_up_by_a_hung_console),
	    cmocka_unit_test(test_life_exit_of_a_child_prints_its_own),
	    cmocka_unit_test(
		test_life_exit_waits_for_no_thread_that_goes_on_logging),
	};

	if (argc == 2)
		return run_again(argv[1]);
	program = argv[0];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
