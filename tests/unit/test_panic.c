/* SPDX-License-Identifier: MIT */
/*
 * Panics, in children that die of them. What each way to die leaves is for
 * tests/crash to see.
 */
#include "fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/panic.h>

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
	size_t used = 0;
	ssize_t got;
	int status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_panic_console_that_waited_prints_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
