/* SPDX-License-Identifier: MIT */
/* The formatter: what each conversion reads, and what a bad one cannot do. */
#include <core/format.h>
#include <lpk/format.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_SIZE 512

static const unsigned char ramp[16] = {
    0x00,
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x07,
    0x08,
    0x09,
    0x0a,
    0x0b,
    0x0c,
    0x0d,
    0x0e,
    0x0f,
};

/* Not declared as a printf: the compiler would reject what is tested here. */
static void
expect(const char *want, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = lpk_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
}

static void
expect_len(int want, const char *fmt, ...)
{
	char text[16];
	va_list ap;

	va_start(ap, fmt);
	assert_int_equal(lpk_vsnprintf(text, sizeof(text), fmt, ap), want);
	va_end(ap);
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

/* A format that ends where it ends, with nothing readable behind it. */
static void
expect_cut(const char *want, const char *fmt, size_t fmt_len, ...)
{
	char *copy = malloc(fmt_len + 1);
	char text[TEXT_SIZE];
	struct lpk__out out;
	va_list ap;

	assert_non_null(copy);
	memcpy(copy, fmt, fmt_len);
	copy[fmt_len] = 'd';
	lpk__out_init(&out, text, sizeof(text));
	va_start(ap, fmt_len);
	lpk__out_vformat(&out, copy, copy + fmt_len, ap);
	va_end(ap);
	lpk__out_finish(&out);
	free(copy);
	assert_string_equal(text, want);
}

static void
test_format_plain_text_is_copied(void **state)
{
	(void)state;
	expect("", "");
	expect("hello, world\n", "hello, world\n");
	expect("100% of %d", "100%% of %%d");
	expect("%%%", "%%%%%%");
}

static void
test_format_integers_read_as_in_c(void **state)
{
	(void)state;
	expect("0 42 -42 42 52 2a 2A", "%d %d %i %u %o %x %X", 0, 42, -42, 42,
	    42, 42, 42);
	expect("-2147483648 4294967295", "%d %u", INT_MIN, UINT_MAX);
	expect("-1 255 -1 65535", "%hhd %hhu %hd %hu", -1, -1, -1, -1);
	expect("-9223372036854775808", "%lld", LLONG_MIN);
	expect("18446744073709551615", "%llu", ULLONG_MAX);
	expect("18446744073709551615", "%ju", UINTMAX_MAX);
	expect("7 -7 -7", "%zu %td %ld", (size_t)7, (ptrdiff_t)-7, -7L);
	expect("1777777777777777777777", "%llo", ULLONG_MAX);
	expect("ffffffffffffffff", "%qx", ULLONG_MAX);
}

static void
test_format_flags_read_as_in_c(void **state)
{
	(void)state;
	expect("+5| 5|    5|5    |00005|  +5", "%+d|% d|%5d|%-5d|%05d|%+4d", 5,
	    5, 5, 5, 5, 5);
	expect("0xff|0XFF|010|0|0", "%#x|%#X|%#o|%#x|%#o", 255, 255, 8, 0, 0);
	expect("0x00ff|  0xff|0xff  ", "%#06x|%#6x|%-#6x", 255, 255, 255);
	expect("  007|-007||0", "%5.3d|%.3d|%.0d|%#.0o", 7, -7, 0, 0);
	expect("1234567", "%'d", 1234567);
}

static void
test_format_star_takes_width_and_precision(void **state)
{
	(void)state;
	expect("    7|7    |  007|7", "%*d|%*d|%*.*d|%.*d", 5, 7, -5, 7, 5, 3,
	    7, -3, 7);
	expect("7", "%*d", 0, 7);
}

static void
test_format_strings_read_as_in_c(void **state)
{
	const char unterminated[3] = {'a', 'b', 'c'};

	(void)state;
	expect("x hey  hey|hey  |he", "%c %s %4s|%-5s|%.2s", 'x', "hey", "hey",
	    "hey", "hey");
	expect("abc", "%.3s", unterminated);
	expect("   x|x  ", "%4c|%-3c", 'x', 'x');
}

static void
test_format_null_string_is_named(void **state)
{
	(void)state;
	expect("(null)|  (null)||(null)", "%s|%8s|%.3s|%.6s", NULL, NULL, NULL,
	    NULL);
}

static void
test_format_null_format_is_named(void **state)
{
	(void)state;
	expect("(null format)", NULL);
}

static void
test_format_pointer_reads_as_in_libc(void **state)
{
	(void)state;
	expect("0x1234 (nil)", "%p %p", (void *)0x1234, NULL);
	expect("    0x1234|0x1234    ", "%10p|%-10p", (void *)0x1234,
	    (void *)0x1234);
}

static void
test_format_doubles_read_as_in_c(void **state)
{
	(void)state;
	expect(
	    "3.141590 -1.5 2 4", "%f %.1f %.0f %.0f", 3.14159, -1.5, 2.5, 3.5);
	expect("1.000000e+100 1.E+00 1e-05", "%e %#.0E %.0e", 1e100, 1.0, 1e-5);
	expect("0.0001 1e-05 100000 1e+06 0", "%g %g %g %g %g", 0.0001, 0.00001,
	    1e5, 1e6, 0.0);
	expect("1.00000 1.00000e+06", "%#g %#g", 1.0, 999999.5);
	expect("0x1.8p+0 0x0.0000000000001p-1022 -0X1.999999999999AP-4",
	    "%a %a %A", 1.5, 0x1p-1074, -0.1);
	expect("9.99 10.00", "%.2f %.2f", 9.994, 9.996);
	expect("-0.0 +0 00001.5", "%.1f %+g %07.1f", -0.0, 0.0, 1.5);
	expect("2.5", "%Lg", 2.5L);
}

static void
test_format_infinity_and_nan_are_padded_with_spaces(void **state)
{
	(void)state;
	expect("inf -inf nan INF NAN", "%f %e %g %F %A", (double)INFINITY,
	    -(double)INFINITY, (double)NAN, (double)INFINITY, (double)NAN);
	expect("  inf|+inf |  nan", "%05f|%-+05f|%05g", (double)INFINITY,
	    (double)INFINITY, (double)NAN);
}

static void
test_format_digits_beyond_a_double_are_exact(void **state)
{
	(void)state;
	expect("0.1000000000000000055511151231257827", "%.34f", 0.1);
	expect("99999999999999991611392", "%.0f", 1e23);
	expect("4.940656458412465441765687928682e-324", "%.30e", 5e-324);
}

static void
test_format_largest_double_is_bounded(void **state)
{
	char text[400];

	(void)state;
	assert_int_equal(lpk_snprintf(text, sizeof(text), "%f", 1e308), 316);
	assert_int_equal(lpk_snprintf(text, 8, "%f", -1e308), 317);
	assert_string_equal(text, "-100000");
}

static void
test_format_huge_width_and_precision_are_cut(void **state)
{
	(void)state;
	expect_len(LPK_FORMAT_PAD_MAX, "%2000000000d", 1);
	expect_len(LPK_FORMAT_PAD_MAX, "%*d", INT_MIN, 1);
	expect_len(LPK_FORMAT_PAD_MAX, "%.*d", INT_MAX, 1);
	expect_len(LPK_FORMAT_PAD_MAX, "%*s", INT_MAX, "");
	expect_len(LPK_FORMAT_PAD_MAX + 2, "%.*f", INT_MAX, 1.0);
	expect_len(LPK_FORMAT_PAD_MAX + 7, "%.*a", INT_MAX, 1.0);
	expect("1000000000", "%.99999999999999999999g", 1e9);
	expect("hey", "%.99999999999999999999s", "hey");
}

static void
test_format_short_buffer_is_cut_and_counted(void **state)
{
	char text[8] = "#######";

	(void)state;
	assert_int_equal(lpk_snprintf(text, 4, "%d", 123456), 6);
	assert_memory_equal(text, "123\0###", 8);
	assert_int_equal(lpk_snprintf(text, 1, "%s", "hey"), 3);
	assert_memory_equal(text, "\00023\0###", 8);
	assert_int_equal(lpk_snprintf(text, 0, "hey"), 3);
	assert_memory_equal(text, "\00023\0###", 8);
	assert_int_equal(lpk_snprintf(NULL, 0, "%5d", 1), 5);
	assert_int_equal(lpk_snprintf(NULL, 10, "%5d", 1), 5);
}

static void
test_format_percent_n_stores_nothing(void **state)
{
	int stored = 77;
	long long stored_wide = 77;

	(void)state;
	expect("abc%!n 5", "abc%n %d", &stored, 5);
	expect("%!hhn%!lln 6", "%hhn%lln %d", &stored, &stored_wide, 6);
	assert_int_equal(stored, 77);
	assert_int_equal(stored_wide, 77);
}

static void
test_format_wide_characters_are_skipped(void **state)
{
	(void)state;
	expect("%!ls %!lc %!S %!C 5", "%ls %lc %S %C %d", L"wide", 1, L"wide",
	    1, 5);
}

static void
test_format_after_unknown_conversion_takes_nothing(void **state)
{
	(void)state;
	expect("a %!y b", "a %y b");
	/* Nobody knows what %y would have taken: %s must not guess. */
	expect("%!-5.3y %!s %!d %", "%-5.3y %s %d %%", 1, 2);
	expect("%!k %!*d", "%k %*d", 1, 2);
	expect("%!hs|%!llf", "%hs|%llf", 1, 2);
	expect("%!1$d", "%1$d", 1);
	expect("1 %!\xff", "%d %\xff", 1);
}

static void
test_format_cut_conversion_is_marked(void **state)
{
	static const char *const cut[] = {
	    "%",
	    "%-",
	    "%5",
	    "%*",
	    "%.",
	    "%.*",
	    "%l",
	    "%ll",
	    "%hh",
	    "%#0",
	};
	char want[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cut) / sizeof(*cut); i++) {
		snprintf(want, sizeof(want), "a%%!%s", cut[i] + 1);
		expect_cut(want + 1, cut[i], strlen(cut[i]));
		snprintf(want, sizeof(want), "%%!%s", cut[i] + 1);
		expect(want, cut[i], 1, 1, 1);
	}
}

static void
test_format_end_bounds_the_extension_letters(void **state)
{
	(void)state;
	expect_cut("0x10", "%pI4", 2, (void *)0x10);
	expect_cut("0x10I", "%pI4", 3, (void *)0x10);
	expect_cut("0.1.2.3", "%pI4h", 4, ramp);
	expect_cut("ab", "ab%d", 2);
}

static void
test_format_random_bytes_as_format_are_safe(void **state)
{
	static const char alphabet[] = "%%%%-+ #0'123456789*..hlqjztLdiuoxXcspn"
				       "aAeEfFgGIiMmUeh46bBRFCDNyk$";
	unsigned int seed = (unsigned int)(getenv("LPK_SEED") ?
		strtoul(getenv("LPK_SEED"), NULL, 0) :
		1);
	struct lpk__value value = {0};
	struct lpk__spec spec;
	struct lpk__out out;
	char text[64];
	size_t i, len;
	int round;

	(void)state;
	print_message("LPK_SEED=%u\n", seed);
	for (round = 0; round < 200000; round++) {
		char *fmt;
		const char *cursor;

		len = seed % 24;
		fmt = malloc(len + 1);
		assert_non_null(fmt);
		for (i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			fmt[i] = alphabet[(seed >> 8) % (sizeof(alphabet) - 1)];
		}
		seed = seed * 1664525 + 1013904223;
		cursor = fmt;
		lpk__out_init(&out, text, 1 + seed % sizeof(text));
		/* The values are as bad: three bytes, and any number. */
		while (lpk__spec_next(&spec, &cursor, fmt + len)) {
			value.bits = (uint64_t)seed << (seed & 31);
			value.ptr = seed & 32 ? "abc" : NULL;
			value.size_bytes = 3;
			if (spec.flags & LPK__SPEC_STAR_WIDTH)
				lpk__spec_width_set(&spec, (int)seed);
			if (spec.flags & LPK__SPEC_STAR_PRECISION)
				lpk__spec_precision_set(&spec, -(int)seed / 2);
			lpk__spec_render(&out, &spec, &value);
		}
		assert_true(lpk__out_finish(&out) >= 0);
		assert_true(cursor == fmt + len);
		free(fmt);
	}
}

static void
test_format_ip4_reads_in_the_order_asked(void **state)
{
	static const unsigned char address[4] = {127, 0, 0, 1};
	uint32_t host = 0x7f000001;

	(void)state;
	expect("127.0.0.1 127.000.000.001", "%pI4 %pi4", address, address);
	expect("127.0.0.1 127.0.0.1 1.0.0.127 001.000.000.127",
	    "%pI4n %pI4b %pI4l %pi4l", address, address, address, address);
	expect("127.0.0.1", "%pI4h", &host);
	expect("  127.0.0.1|127.0.0.1  |", "%11pI4|%-11pI4|", address, address);
	expect("127.0.0.1x", "%pI4x", address);
}

static void
test_format_ip6_reads_in_full(void **state)
{
	(void)state;
	expect("0001:0203:0405:0607:0809:0a0b:0c0d:0e0f", "%pI6",
	    (const unsigned char *)"\0\1\2\3\4\5\6\7\10\11\12\13"
				   "\14\15\16\17");
	expect("000102030405060708090a0b0c0d0e0f", "%pi6", ramp);
}

static void
test_format_ip6_is_compressed_as_rfc_5952(void **state)
{
	static const struct {
		const char *want;
		unsigned char address[16];
	} cases[] = {
	    {"::", {0}},
	    {"::1", {[15] = 1}},
	    {"1::", {[1] = 1}},
	    {"2001:db8::1", {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
	    /* one group of zeros stays (4.2.2) */
	    {"1:0:1:1:1:1:1:1",
		{0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}},
	    /* the longest run, the first of equals (4.2.3) */
	    {"1:0:0:1::1", {0, 1, 0, 0, 0, 0, 0, 1, [15] = 1}},
	    {"1::1:0:0:1:1", {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1}},
	    {"abcd:123:12:1:f000:f00:f0:f",
		{0xab, 0xcd, 0x01, 0x23, 0, 0x12, 0, 1, 0xf0, 0, 0x0f, 0, 0,
		    0xf0, 0, 0x0f}},
	    {"::ffff:192.0.2.1", {[10] = 0xff, 0xff, 192, 0, 2, 1}},
	    {"1:2:3:4:5:6::", {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect(cases[i].want, "%pI6c", cases[i].address);
}

static void
test_format_mac_reads_with_any_separator(void **state)
{
	(void)state;
	expect("00:01:02:03:04:05 00-01-02-03-04-05", "%pM %pMF", ramp, ramp);
	expect("05:04:03:02:01:00 000102030405 050403020100", "%pMR %pm %pmR",
	    ramp, ramp, ramp);
}

static void
test_format_uuid_reads_in_both_orders(void **state)
{
	(void)state;
	expect("00010203-0405-0607-0809-0a0b0c0d0e0f", "%pU", ramp);
	expect("00010203-0405-0607-0809-0a0b0c0d0e0f", "%pUb", ramp);
	expect("00010203-0405-0607-0809-0A0B0C0D0E0F", "%pUB", ramp);
	expect("03020100-0504-0706-0809-0a0b0c0d0e0f", "%pUl", ramp);
	expect("03020100-0504-0706-0809-0A0B0C0D0E0F", "%pUL", ramp);
}

static void
test_format_error_pointer_is_named(void **state)
{
	static const struct {
		int number;
		const char *want;
	} cases[] = {
	    {EPERM, "-EPERM"},
	    {ENOENT, "-ENOENT"},
	    {EAGAIN, "-EAGAIN"},
	    {ERANGE, "-ERANGE"},
	    {EDEADLK, "-EDEADLK"},
	    {ELOOP, "-ELOOP"},
	    {ENODATA, "-ENODATA"},
	    {EPROTO, "-EPROTO"},
	    {EBADMSG, "-EBADMSG"},
	    {EOVERFLOW, "-EOVERFLOW"},
	    {EILSEQ, "-EILSEQ"},
	    {ENOTSOCK, "-ENOTSOCK"},
	    {EOPNOTSUPP, "-EOPNOTSUPP"},
	    {EADDRINUSE, "-EADDRINUSE"},
	    {ETIMEDOUT, "-ETIMEDOUT"},
	    {ECONNREFUSED, "-ECONNREFUSED"},
	    {EINPROGRESS, "-EINPROGRESS"},
	    {ESTALE, "-ESTALE"},
	    {EDQUOT, "-EDQUOT"},
	    {ECANCELED, "-ECANCELED"},
	    {EOWNERDEAD, "-EOWNERDEAD"},
	    {ENOTRECOVERABLE, "-ENOTRECOVERABLE"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect(
		    cases[i].want, "%pe", (void *)-(intptr_t)cases[i].number);
	expect(
	    "-1234 0x1234", "%pe %pe", (void *)(intptr_t)-1234, (void *)0x1234);
	expect("-4095", "%pe", (void *)(intptr_t)-4095);
	expect("-41", "%pe", (void *)(intptr_t)-41);
	expect("   -EIO|-EIO   |", "%7pe|%-7pe|", (void *)(intptr_t)-EIO,
	    (void *)(intptr_t)-EIO);
}

static void
test_format_error_names_match_the_system(void **state)
{
	char text[32], want[32];
	int number, named = 0;

	(void)state;
	for (number = 1; number < 140; number++) {
		const char *name = strerrorname_np(number);

		lpk_snprintf(
		    text, sizeof(text), "%pe", (void *)-(intptr_t)number);
		if (!strncmp(text, "-E", 2)) {
			assert_non_null(name);
			snprintf(want, sizeof(want), "-%s", name);
			assert_string_equal(text, want);
			named++;
		}
	}
	assert_true(named >= 70);
}

static void
test_format_hex_dump_reads_with_any_separator(void **state)
{
	(void)state;
	expect("00 01 02|00:01:02|00-01-02|000102", "%*ph|%*phC|%*phD|%*phN", 3,
	    ramp, 3, ramp, 3, ramp, 3, ramp);
	expect("00 01|00|", "%2ph|%ph|%*ph", ramp, ramp, 0, ramp);
	/* A length that went wrong reads nothing. */
	expect("<>", "<%*ph>", -5, ramp);
}

static void
test_format_hex_dump_stops_at_64_bytes(void **state)
{
	unsigned char bytes[64] = {0};

	(void)state;
	expect_len(64 * 3 - 1, "%*ph", 1000, bytes);
}

static void
test_format_null_with_extension_is_named(void **state)
{
	static const char *const fmts[] = {
	    "%pI4",
	    "%pi4",
	    "%pI6",
	    "%pI6c",
	    "%pM",
	    "%pm",
	    "%pU",
	    "%pe",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fmts) / sizeof(*fmts); i++)
		expect("(null)", fmts[i], NULL);
	expect("(null)", "%*ph", 12, NULL);
	expect("  (null)", "%8pM", NULL);
}

static void
test_format_other_letters_after_p_are_text(void **state)
{
	(void)state;
	expect("0x10x 0x10I5 0x10id", "%px %pI5 %pid", (void *)0x10,
	    (void *)0x10, (void *)0x10);
}

static void
test_format_spec_tells_kind_and_bytes(void **state)
{
	static const struct {
		const char *fmt;
		enum lpk__kind kind;
		size_t ptr_bytes;
	} cases[] = {
	    {"text", LPK__KIND_NONE, 0},
	    {"%%", LPK__KIND_NONE, 0},
	    {"%d", LPK__KIND_INT, 0},
	    {"%hhu", LPK__KIND_INT, 0},
	    {"%lx", LPK__KIND_LONG, 0},
	    {"%lld", LPK__KIND_LLONG, 0},
	    {"%zu", LPK__KIND_SIZE, 0},
	    {"%td", LPK__KIND_PTRDIFF, 0},
	    {"%jd", LPK__KIND_INTMAX, 0},
	    {"%c", LPK__KIND_CHAR, 0},
	    {"%f", LPK__KIND_DOUBLE, 0},
	    {"%lg", LPK__KIND_DOUBLE, 0},
	    {"%La", LPK__KIND_LDOUBLE, 0},
	    {"%s", LPK__KIND_STRING, 0},
	    {"%p", LPK__KIND_POINTER, 0},
	    {"%n", LPK__KIND_SKIP_POINTER, 0},
	    {"%lc", LPK__KIND_SKIP_INT, 0},
	    {"%y", LPK__KIND_BAD, 0},
	    {"%", LPK__KIND_BAD, 0},
	    {"%pe", LPK__KIND_POINTER_EXT, 0},
	    {"%pI4", LPK__KIND_POINTER_EXT, 4},
	    {"%pi4", LPK__KIND_POINTER_EXT, 4},
	    {"%pI4h", LPK__KIND_POINTER_EXT, 4},
	    {"%pI6", LPK__KIND_POINTER_EXT, 16},
	    {"%pI6c", LPK__KIND_POINTER_EXT, 16},
	    {"%pM", LPK__KIND_POINTER_EXT, 6},
	    {"%pmR", LPK__KIND_POINTER_EXT, 6},
	    {"%pUL", LPK__KIND_POINTER_EXT, 16},
	    {"%ph", LPK__KIND_POINTER_EXT, 1},
	    {"%-ph", LPK__KIND_POINTER_EXT, 1},
	    {"%12ph", LPK__KIND_POINTER_EXT, 12},
	    {"%999ph", LPK__KIND_POINTER_EXT, 64},
	};
	struct lpk__spec spec;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *cursor = cases[i].fmt;

		assert_true(lpk__spec_next(&spec, &cursor, NULL));
		assert_int_equal(spec.kind, cases[i].kind);
		assert_int_equal(
		    lpk__spec_ptr_bytes(&spec), cases[i].ptr_bytes);
		assert_false(lpk__spec_next(&spec, &cursor, NULL));
	}
}

static void
test_format_value_is_not_read_beyond_its_size(void **state)
{
	const char *string = "%s|", *dump = "%4ph", *cursor = string;
	struct lpk__value value = {0};
	struct lpk__spec spec;
	struct lpk__out out;
	char text[64];
	char *three = malloc(3);

	(void)state;
	assert_non_null(three);
	memcpy(three, "abc", 3);
	value.ptr = three;
	value.size_bytes = 3;
	lpk__out_init(&out, text, sizeof(text));
	assert_true(lpk__spec_next(&spec, &cursor, NULL));
	lpk__spec_render(&out, &spec, &value);
	cursor = dump;
	assert_true(lpk__spec_next(&spec, &cursor, NULL));
	lpk__spec_render(&out, &spec, &value);
	lpk__out_finish(&out);
	free(three);
	assert_string_equal(text, "abc%!4ph");
}

static void
test_format_errno_is_left_alone(void **state)
{
	(void)state;
	errno = 77;
	expect("1 1e+300 x %!y", "%d %g %s %y", 1, 1e300, "x");
	assert_int_equal(errno, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format_plain_text_is_copied),
	    cmocka_unit_test(test_format_integers_read_as_in_c),
	    cmocka_unit_test(test_format_flags_read_as_in_c),
	    cmocka_unit_test(test_format_star_takes_width_and_precision),
	    cmocka_unit_test(test_format_strings_read_as_in_c),
	    cmocka_unit_test(test_format_null_string_is_named),
	    cmocka_unit_test(test_format_null_format_is_named),
	    cmocka_unit_test(test_format_pointer_reads_as_in_libc),
	    cmocka_unit_test(test_format_doubles_read_as_in_c),
	    cmocka_unit_test(
		test_format_infinity_and_nan_are_padded_with_spaces),
	    cmocka_unit_test(test_format_digits_beyond_a_double_are_exact),
	    cmocka_unit_test(test_format_largest_double_is_bounded),
	    cmocka_unit_test(test_format_huge_width_and_precision_are_cut),
	    cmocka_unit_test(test_format_short_buffer_is_cut_and_counted),
	    cmocka_unit_test(test_format_percent_n_stores_nothing),
	    cmocka_unit_test(test_format_wide_characters_are_skipped),
	    cmocka_unit_test(
		test_format_after_unknown_conversion_takes_nothing),
	    cmocka_unit_test(test_format_cut_conversion_is_marked),
	    cmocka_unit_test(test_format_end_bounds_the_extension_letters),
	    cmocka_unit_test(test_format_random_bytes_as_format_are_safe),
	    cmocka_unit_test(test_format_ip4_reads_in_the_order_asked),
	    cmocka_unit_test(test_format_ip6_reads_in_full),
	    cmocka_unit_test(test_format_ip6_is_compressed_as_rfc_5952),
	    cmocka_unit_test(test_format_mac_reads_with_any_separator),
	    cmocka_unit_test(test_format_uuid_reads_in_both_orders),
	    cmocka_unit_test(test_format_error_pointer_is_named),
	    cmocka_unit_test(test_format_error_names_match_the_system),
	    cmocka_unit_test(test_format_hex_dump_reads_with_any_separator),
	    cmocka_unit_test(test_format_hex_dump_stops_at_64_bytes),
	    cmocka_unit_test(test_format_null_with_extension_is_named),
	    cmocka_unit_test(test_format_other_letters_after_p_are_text),
	    cmocka_unit_test(test_format_spec_tells_kind_and_bytes),
	    cmocka_unit_test(test_format_value_is_not_read_beyond_its_size),
	    cmocka_unit_test(test_format_errno_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
