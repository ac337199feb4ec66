/* SPDX-License-Identifier: MIT */
/*
 * cmocka_stand_in.c - the part of cmocka that the unit tests use, for builds
 * that have no cmocka to link with: a 64-bit system has its header, but rarely
 * its 32-bit library. Assertions and groups of tests; no mocks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static jmp_buf test_end;
static bool in_test;

enum outcome { RUNNING = 0, FAILED = 1, SKIPPED = 2 };

static void
leave(int outcome)
{
	if (!in_test)
		exit(EXIT_FAILURE);
	longjmp(test_end, outcome);
}

void
print_message(const char *const format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
}

void
print_error(const char *const format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
}

void
_fail(const char *const file, const int line)
{
	print_error("%s:%d: error: Failure!\n", file, line);
	leave(FAILED);
}

void
_skip(const char *const file, const int line)
{
	print_message("%s:%d: Skipped!\n", file, line);
	leave(SKIPPED);
}

void
_assert_true(const LargestIntegralType result, const char *const expression,
    const char *const file, const int line)
{
	if (result)
		return;
	print_error("%s\n", expression);
	_fail(file, line);
}

void
_assert_return_code(const LargestIntegralType result, size_t rlen,
    const LargestIntegralType error, const char *const expression,
    const char *const file, const int line)
{
	LargestIntegralType most = ~(LargestIntegralType)0;

	if (rlen < sizeof(most))
		most = ((LargestIntegralType)1 << (rlen * 8)) - 1;
	if (result <= most / 2)
		return;
	print_error(
	    "%s < 0, errno %llu\n", expression, (unsigned long long)error);
	_fail(file, line);
}

static void
expect(bool holds, LargestIntegralType a, LargestIntegralType b,
    const char *relation, const char *file, int line)
{
	if (holds)
		return;
	print_error("%#llx %s %#llx\n", (unsigned long long)a, relation,
	    (unsigned long long)b);
	_fail(file, line);
}

void
_assert_int_equal(const LargestIntegralType a, const LargestIntegralType b,
    const char *const file, const int line)
{
	expect(a == b, a, b, "!=", file, line);
}

void
_assert_int_not_equal(const LargestIntegralType a, const LargestIntegralType b,
    const char *const file, const int line)
{
	expect(a != b, a, b, "==", file, line);
}

void
_assert_string_equal(const char *const a, const char *const b,
    const char *const file, const int line)
{
	if (strcmp(a, b) == 0)
		return;
	print_error("\"%s\" != \"%s\"\n", a, b);
	_fail(file, line);
}

void
_assert_string_not_equal(
    const char *const a, const char *const b, const char *file, const int line)
{
	if (strcmp(a, b) != 0)
		return;
	print_error("\"%s\" == \"%s\"\n", a, b);
	_fail(file, line);
}

void
_assert_memory_equal(const void *const a, const void *const b,
    const size_t size, const char *const file, const int line)
{
	const unsigned char *left = a, *right = b;
	size_t i;

	for (i = 0; i < size; i++) {
		if (left[i] == right[i])
			continue;
		print_error("difference at offset %zu: 0x%02x 0x%02x\n", i,
		    left[i], right[i]);
		_fail(file, line);
	}
}

void
_assert_memory_not_equal(const void *const a, const void *const b,
    const size_t size, const char *const file, const int line)
{
	if (memcmp(a, b, size) != 0)
		return;
	print_error("%zu bytes the same\n", size);
	_fail(file, line);
}

void
_assert_in_range(const LargestIntegralType value,
    const LargestIntegralType minimum, const LargestIntegralType maximum,
    const char *const file, const int line)
{
	expect(value >= minimum, value, minimum, "<", file, line);
	expect(value <= maximum, value, maximum, ">", file, line);
}

void
_assert_not_in_range(const LargestIntegralType value,
    const LargestIntegralType minimum, const LargestIntegralType maximum,
    const char *const file, const int line)
{
	if (value < minimum || value > maximum)
		return;
	expect(false, value, minimum, "in the range from", file, line);
}

static int
run_one(const struct CMUnitTest *test, void *group_state)
{
	void *state = test->initial_state ? test->initial_state : group_state;
	volatile int outcome = FAILED;

	print_message("[ RUN      ] %s\n", test->name);
	if (!test->setup_func || test->setup_func(&state) == 0) {
		in_test = true;
		outcome = setjmp(test_end);
		if (outcome == RUNNING)
			test->test_func(&state);
		in_test = false;
		if (test->teardown_func && test->teardown_func(&state) != 0)
			outcome = FAILED;
	}
	print_message("[ %s ] %s\n",
	    outcome == FAILED      ? " FAILED " :
		outcome == SKIPPED ? " SKIPPED" :
				     "      OK",
	    test->name);
	return outcome;
}

int
_cmocka_run_group_tests(const char *group_name,
    const struct CMUnitTest *const tests, const size_t num_tests,
    CMFixtureFunction group_setup, CMFixtureFunction group_teardown)
{
	void *state = NULL;
	int failed = 0;
	size_t i;

	print_message(
	    "[==========] %s: Running %zu test(s).\n", group_name, num_tests);
	if (group_setup && group_setup(&state) != 0) {
		print_error("group setup failed\n");
		return 1;
	}
	for (i = 0; i < num_tests; i++)
		failed += run_one(&tests[i], state) == FAILED;
	if (group_teardown && group_teardown(&state) != 0)
		failed++;
	print_message("[==========] %d test(s) failed.\n", failed);
	return failed;
}
