/* SPDX-License-Identifier: MIT */
/*
 * The formatter without floating point: doubles are marked, and the arguments
 * after them are found.  The file under test is compiled here, and comes before
 * the library's other choice.
 */
#include <core/format_float_none.c>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const char *want, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = lpk_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
}

static void
test_format_nofloat_double_is_marked(void **state)
{
	(void)state;
	expect("%!f(nofloat)", "%f", 1.5);
	expect("<%!+08.2e(nofloat)>", "<%+08.2e>", 1.5);
	expect("%!g(nofloat)%!A(nofloat)", "%g%A", 1.5, 2.5);
}

static void
test_format_nofloat_next_arguments_are_found(void **state)
{
	(void)state;
	expect("1 %!f(nofloat) 2", "%d %f %d", 1, 1.5, 2);
	expect("1 %!Lf(nofloat) 2 x", "%d %Lf %d %s", 1, 1.5L, 2, "x");
	expect("%!*.*f(nofloat) 3", "%*.*f %d", 9, 2, 1.5, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format_nofloat_double_is_marked),
	    cmocka_unit_test(test_format_nofloat_next_arguments_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
