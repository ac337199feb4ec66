/* SPDX-License-Identifier: MIT */
/*
 * Panics, in children that die of them. What each way to die leaves is for
 * tests/crash to see.
 */
#include "fixture.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/init.h>
#include <lpk/panic.h>
#include <lpk/port.h>

#include "core/printer.h"

static volatile uintptr_t near_null = 16;
static int ends[2];

/* In a child; cmocka is its parent's. */
#define NEED(condition)                                                        \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: child: %s\n", __FILE__,        \
			    __LINE__, #condition);                             \
			_exit(99);                                             \
		}                                                              \
	} while (0)

/* Its wait status; what it put into the pipe is in text. */
static int
in_child(void (*part)(void), char *text, size_t size)
{
	static const int deadly[] = {
	    SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
	size_t used = 0, i;
	ssize_t got;
	int status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* A thread that is killed alone leaves the others waiting. */
		alarm(60);
		close(ends[0]);
		/* Those of cmocka do not die. */
		for (i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
			signal(deadly[i], SIG_DFL);
		part();
		_exit(0);
	}
	close(ends[1]);
	while (used < size - 1 &&
	    (got = read(ends[0], text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- consoles ---- */

static int refusals;

static int
reluctant_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	if (refusals > 0) {
		refusals--;
		/* Part of it the first time. */
		return refusals == 3 ? 5 : -LPK_EAGAIN;
	}
	return (int)write(ends[1], batch->bytes, batch->size_bytes);
}

static int
quiet_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	return (int)batch->size_bytes;
}

static int
plain_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	return (int)write(ends[1], batch->bytes, batch->size_bytes);
}

static const struct lpk_console_driver reluctant_driver = {
    .name = "reluctant", .write_on_panic = reluctant_write};
static const struct lpk_console_driver quiet_driver = {
    .name = "quiet", .write_on_panic = quiet_write};
static struct lpk_console reluctant = {
    .driver = &reluctant_driver, .mode = LPK_MODE_PANIC};
static struct lpk_console quiet = {
    .driver = &quiet_driver, .mode = LPK_MODE_PANIC};

static void
part_reluctant(void)
{
	refusals = 4;
	NEED(lpk_console_register(&reluctant) == LPK_OK);
	NEED(lpk_console_register(&quiet) == LPK_OK);
	lpk_info("one");
	lpk_info("two");
	lpk_info("three");
	lpk_panic_now();
}

/* Others print between two of its attempts. */
static void
test_panic_console_that_waited_prints_its_own(void **state)
{
	char text[4096], *one, *two, *three;
	int status;

	(void)state;
	status = in_child(part_reluctant, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	one = strstr(text, "] one\n");
	two = strstr(text, "] two\n");
	three = strstr(text, "] three\n");
	assert_non_null(one);
	assert_true(two > one && three > two);
	assert_null(strstr(three + 2, "] three"));
}

static const struct lpk_console_driver plain_driver = {
    .name = "plain", .write = plain_write, .write_on_panic = plain_write};
static struct lpk_console plain = {.driver = &plain_driver};

static void
nap(struct lpk_dumper *dumper, enum lpk_dump_reason reason,
    struct lpk_dump_iter *iter)
{
	(void)dumper;
	(void)reason;
	(void)iter;
	usleep(30000);
}

static struct lpk_dumper napping = {.dump = nap, .most = LPK_DUMP_PANIC};

/* Its thread waits for the console when the panic takes it, and lets go. */
static void
part_waiting_thread(void)
{
	struct lpk__hold hold = {0};

	NEED(lpk_console_register(&plain) == LPK_OK);
	NEED(lpk_dumper_register(&napping) == LPK_OK);
	NEED(lpk_console_flush(&plain, UINT64_MAX) == LPK_OK);
	while (lpk__owner_try(&plain.printer->owner, &hold, LPK__PRIO_NORMAL,
		   lpk_port_caller()) != LPK__GOT)
		usleep(100);
	lpk_info("only once");
	usleep(5000);
	lpk_panic_now();
}

static void
test_panic_thread_that_waited_prints_nothing_again(void **state)
{
	char text[4096], *once;
	int status, i;

	(void)state;
	for (i = 0; i < 20; i++) {
		status = in_child(part_waiting_thread, text, sizeof(text));
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		once = strstr(text, "only once\n");
		assert_non_null(once);
		assert_null(strstr(once + 1, "only once"));
	}
}

/* ---- sandboxes ---- */

/* Of 32-bit x86 programs the kernel forbids strict threads rt_sigreturn(2). */
#define NEEDS_A_WAY_BACK()                                                     \
	do {                                                                   \
		if (sizeof(void *) == 4) {                                     \
			print_message("strict threads of 32 bits may not "     \
				      "return from a handler\n");              \
			skip();                                                \
		}                                                              \
	} while (0)

static int
frugal_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	if (!lpk_panic_write_only())
		(void)!write(ends[1], "[as ever] ", 10);
	return (int)write(ends[1], batch->bytes, batch->size_bytes);
}

static int
wasteful_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	(void)!write(ends[1], "[wasteful]\n", 11);
	getppid();
	return (int)batch->size_bytes;
}

static const struct lpk_console_driver frugal_driver = {.name = "frugal",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .write_on_panic = frugal_write};
static const struct lpk_console_driver wasteful_driver = {
    .name = "wasteful", .write_on_panic = wasteful_write};
static struct lpk_console frugal = {
    .driver = &frugal_driver, .mode = LPK_MODE_PANIC};
static struct lpk_console wasteful = {
    .driver = &wasteful_driver, .mode = LPK_MODE_PANIC};

static void
dump(struct lpk_dumper *dumper, enum lpk_dump_reason reason,
    struct lpk_dump_iter *iter)
{
	(void)dumper;
	(void)reason;
	(void)iter;
	(void)!write(ends[1], "[dumped]\n", 9);
}

static struct lpk_dumper dumper = {.dump = dump, .most = LPK_DUMP_PANIC};

static void
begin_sandbox(void)
{
	struct lpk_panic_options options = LPK_PANIC_OPTIONS_INIT;

	options.flags = LPK_PANIC_SANDBOX;
	NEED(lpk_panic_install(&options) == LPK_OK);
	NEED(lpk_console_register(&frugal) == LPK_OK);
	NEED(lpk_console_register(&wasteful) == LPK_OK);
	NEED(lpk_dumper_register(&dumper) == LPK_OK);
	NEED(!lpk_panic_write_only());
	lpk_info("a record");
}

static void
part_strict(void)
{
	begin_sandbox();
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	*(volatile int *)near_null = 1;
}

static void
test_panic_in_strict_seccomp_prints_and_dies_of_the_fault(void **state)
{
	char text[8192];
	int status;

	(void)state;
	NEEDS_A_WAY_BACK();
	status = in_child(part_strict, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_non_null(strstr(text, "] a record\n"));
	assert_non_null(strstr(text, "] panic: SIGSEGV"));
	assert_null(strstr(text, "[wasteful]"));
	assert_null(strstr(text, "[as ever]"));
	assert_null(strstr(text, "[dumped]"));
}

/* Nobody reads what we write; a pipe says that with a signal. */
static int pipe_without_reader[2];

static int
vain_write(struct lpk_console *console, struct lpk_batch *batch)
{
	(void)console;
	(void)!write(pipe_without_reader[1], batch->bytes, batch->size_bytes);
	return -LPK_EIO;
}

static const struct lpk_console_driver vain_driver = {.name = "vain",
    .flags = LPK_DRIVER_WRITE_ONLY,
    .write_on_panic = vain_write};
static struct lpk_console vain = {
    .driver = &vain_driver, .mode = LPK_MODE_PANIC};

static void
part_pipe(void)
{
	begin_sandbox();
	signal(SIGPIPE, SIG_DFL);
	NEED(pipe(pipe_without_reader) == 0);
	close(pipe_without_reader[0]);
	NEED(lpk_console_register(&vain) == LPK_OK);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	*(volatile int *)near_null = 1;
}

static void
test_panic_in_a_sandbox_is_not_of_a_consoles_signal(void **state)
{
	char text[8192];
	int status;

	(void)state;
	NEEDS_A_WAY_BACK();
	status = in_child(part_pipe, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_non_null(strstr(text, "] a record\n"));
}

static void
part_abort(void)
{
	begin_sandbox();
	abort();
}

static void
part_sent(void)
{
	begin_sandbox();
	kill(getpid(), SIGSEGV);
	for (;;)
		pause();
}

/* Those need no strict thread to die as ever. */
static void
test_panic_in_a_sandbox_by_a_sent_signal_dies_of_it(void **state)
{
	char text[8192];
	int status;

	(void)state;
	status = in_child(part_abort, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "] a record\n"));
	status = in_child(part_sent, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_non_null(strstr(text, "] a record\n"));
}

static void
test_panic_options_that_make_no_sense_are_refused(void **state)
{
	struct lpk_panic_options options = LPK_PANIC_OPTIONS_INIT;
	struct lpk_options init = LPK_OPTIONS_INIT;

	(void)state;
	options.flags = LPK_PANIC_SANDBOX | LPK_PANIC_BACKTRACE;
	assert_int_equal(lpk_panic_install(&options), -LPK_EINVAL);
	options.flags = 0x80;
	assert_int_equal(lpk_panic_install(&options), -LPK_EINVAL);
	init.flags = LPK_INIT_SANDBOX | LPK_INIT_NO_PANIC;
	assert_int_equal(lpk_init(&init), -LPK_EINVAL);
}

/* ---- handlers ---- */

static void
others(int number)
{
	(void)number;
}

static bool
is_handled_by(int number, void (*function)(int))
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == function;
}

static void
part_rearm(void)
{
	NEED(lpk_panic_rearm() == -LPK_EINVAL);
	NEED(lpk_panic_install(NULL) == LPK_OK);
	NEED(lpk_panic_rearm() == 0);
	signal(SIGSEGV, others);
	signal(SIGFPE, others);
	NEED(lpk_panic_rearm() == 2);
	NEED(!is_handled_by(SIGSEGV, others));
	NEED(lpk_panic_rearm() == 0);
	/* Ours without siginfo is ours, and not an earlier handler. */
	signal(SIGABRT, signal(SIGABRT, others));
	NEED(lpk_panic_rearm() == 1);
	lpk_panic_uninstall();
	NEED(is_handled_by(SIGSEGV, others) && is_handled_by(SIGFPE, others));
	NEED(is_handled_by(SIGABRT, SIG_DFL) && is_handled_by(SIGBUS, SIG_DFL));
	NEED(lpk_panic_rearm() == -LPK_EINVAL);
}

static void
test_panic_rearm_takes_back_what_others_took(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(in_child(part_rearm, text, sizeof(text)), 0);
}

/* However often, and by however many. */
static void
part_rearm_often(void)
{
	int i;

	NEED(lpk_panic_install(NULL) == LPK_OK);
	for (i = 0; i < 20; i++) {
		signal(SIGSEGV, others);
		NEED(lpk_panic_rearm() == 1);
	}
	signal(SIGSEGV, SIG_DFL);
	NEED(lpk_panic_rearm() == 1);
	NEED(lpk_console_register(&frugal) == LPK_OK);
	lpk_info("a record");
	*(volatile int *)near_null = 1;
}

static void
test_panic_rearm_often_dies_of_the_last_ones_action(void **state)
{
	char text[8192];
	int status;

	(void)state;
	status = in_child(part_rearm_often, text, sizeof(text));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	assert_non_null(strstr(text, "] a record\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_panic_console_that_waited_prints_its_own),
	    cmocka_unit_test(
		test_panic_thread_that_waited_prints_nothing_again),
	    cmocka_unit_test(
		test_panic_in_strict_seccomp_prints_and_dies_of_the_fault),
	    cmocka_unit_test(
		test_panic_in_a_sandbox_is_not_of_a_consoles_signal),
	    cmocka_unit_test(
		test_panic_in_a_sandbox_by_a_sent_signal_dies_of_it),
	    cmocka_unit_test(test_panic_rearm_takes_back_what_others_took),
	    cmocka_unit_test(
		test_panic_rearm_often_dies_of_the_last_ones_action),
	    cmocka_unit_test(test_panic_options_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
