/* SPDX-License-Identifier: MIT */
/*
 * The formatter against the libc's snprintf: random formats with random
 * values, cut to random sizes; text, length and the bytes beyond the text have
 * to agree.
 *
 * LPK_SEED gives a run's seed back, LPK_DIFF_COUNT sets the number of pairs.
 */
#include <lpk/format.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DEFAULT_COUNT 1000000
#define SLOTS 4
#define FMT_SIZE 160
#define BUF_SIZE 8192
#define CANARY 0x5a

typedef int (*format_fn)(char *, size_t, const char *, ...);

/* How an argument is passed. */
enum slot_kind { SLOT_INT, SLOT_LLONG, SLOT_DOUBLE, SLOT_POINTER, SLOT_KINDS };

struct slot {
	enum slot_kind kind;
	int i;
	long long ll;
	double d;
	const void *p;
};

struct sample {
	char fmt[FMT_SIZE];
	size_t fmt_len;
	struct slot slots[SLOTS];
	int count;
};

static uint64_t random_state;

/* splitmix64: Steele, Lea, Flood, OOPSLA 2014. */
static uint64_t
random_next(void)
{
	uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int
random_below(int limit)
{
	return (int)(random_next() % (uint64_t)limit);
}

/* One call with the slots' types, whatever they are. */
#define PASS_0(s) ((s).i)
#define PASS_1(s) ((s).ll)
#define PASS_2(s) ((s).d)
#define PASS_3(s) ((s).p)
#define CALL(a, b, c, e)                                                       \
	case (a)*64 + (b)*16 + (c)*4 + (e):                                    \
		return fn(buf, size, s->fmt, PASS_##a(s->slots[0]),            \
		    PASS_##b(s->slots[1]), PASS_##c(s->slots[2]),              \
		    PASS_##e(s->slots[3]));
#define CALL_E(a, b, c)                                                        \
	CALL(a, b, c, 0) CALL(a, b, c, 1) CALL(a, b, c, 2) CALL(a, b, c, 3)
#define CALL_C(a, b)                                                           \
	CALL_E(a, b, 0) CALL_E(a, b, 1) CALL_E(a, b, 2) CALL_E(a, b, 3)
#define CALL_B(a) CALL_C(a, 0) CALL_C(a, 1) CALL_C(a, 2) CALL_C(a, 3)

static int
sample_format(format_fn fn, char *buf, size_t size, const struct sample *s)
{
	switch (s->slots[0].kind * 64 + s->slots[1].kind * 16 +
	    s->slots[2].kind * 4 + s->slots[3].kind) {
		CALL_B(0)
		CALL_B(1)
		CALL_B(2)
		CALL_B(3)
	default:
		return -1;
	}
}

static void
fmt_add(struct sample *s, const char *text)
{
	size_t len = strlen(text);

	assert_true(s->fmt_len + len < FMT_SIZE);
	memcpy(s->fmt + s->fmt_len, text, len + 1);
	s->fmt_len += len;
}

static void
fmt_add_number(struct sample *s, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	fmt_add(s, text);
}

static uint64_t
random_integer(void)
{
	static const uint64_t edges[] = {
	    0,
	    1,
	    9,
	    10,
	    99,
	    100,
	    127,
	    128,
	    255,
	    256,
	    999,
	    1000,
	    32767,
	    32768,
	    65535,
	    65536,
	    99999999,
	    100000000,
	    999999999,
	    1000000000,
	    INT32_MAX,
	    0x80000000u,
	    UINT32_MAX,
	    0x100000000,
	    9999999999,
	    INT64_MAX,
	    UINT64_C(1) << 63,
	    UINT64_MAX,
	    UINT64_C(9999999999999999999),
	    UINT64_C(10000000000000000000),
	};
	uint64_t bits = random_next();

	switch (random_below(4)) {
	case 0:
		return edges[(size_t)random_below(
		    sizeof(edges) / sizeof(*edges))];
	case 1:
		return -edges[(size_t)random_below(
		    sizeof(edges) / sizeof(*edges))];
	case 2:
		return bits >> random_below(64);
	default:
		return bits;
	}
}

static double
double_of(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static uint64_t
bits_of(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

/* A power of ten, as the compiler would read it. */
static double
power_of_ten(int exponent)
{
	char text[16];

	snprintf(text, sizeof(text), "1e%d", exponent);
	return strtod(text, NULL);
}

static double
random_magnitude(void)
{
	static const double edges[] = {
	    0.0,
	    0.5,
	    1.5,
	    2.5,
	    0.25,
	    0.125,
	    0.375,
	    9.995,
	    0.995,
	    99.5,
	    1.005,
	    0.05,
	    0.15,
	    0.45,
	    1e23,
	    5e-324,
	    2.2250738585072014e-308,
	    2.2250738585072009e-308,
	    1.7976931348623157e308,
	    999999.5,
	    9.9999995,
	    0.0001,
	    0.00001,
	    0.000099999995,
	    123456.5,
	    1e15,
	    1e16,
	    1e17,
	    9007199254740993.0,
	    1e22,
	    4503599627370497.5,
	};
	int64_t integer = (int64_t)(random_next() >> (10 + random_below(54)));

	switch (random_below(9)) {
	case 0:
		return edges[(size_t)random_below(
		    sizeof(edges) / sizeof(*edges))];
	case 1: /* a power of ten and its neighbours */
		return double_of(
		    bits_of(power_of_ten(random_below(600) - 300)) +
		    (uint64_t)random_below(5) - 2);
	case 2: /* a few decimals: near ties of decimal rounding */
		return (double)(integer % 1000000) /
		    power_of_ten(random_below(8));
	case 3: /* ties: a dyadic fraction */
		return (double)(integer % 100000) / (1 << random_below(20));
	case 4:
		return (double)integer;
	case 5: /* denormal */
		return double_of(random_next() >> (12 + random_below(52)));
	case 6:
		return random_below(2) ? (double)INFINITY : (double)NAN;
	case 7: /* everyday sizes */
		return (double)random_next() / 1.8446744073709552e19 *
		    power_of_ten(random_below(20) - 6);
	default:
		return double_of(random_next() >> 1);
	}
}

static void
fmt_add_flags(struct sample *s, const char *set)
{
	char flag[2] = "";
	int i, count = random_below(4);

	for (i = 0; i < count; i++) {
		flag[0] = set[random_below((int)strlen(set))];
		fmt_add(s, flag);
	}
}

static struct slot *
slot_add(struct sample *s, enum slot_kind kind)
{
	s->slots[s->count].kind = kind;
	return &s->slots[s->count++];
}

/* A width or precision: none, in the format, or an argument; @left: negative. */
static void
fmt_add_count(struct sample *s, int most, bool may_star)
{
	int n = random_below(8) ? random_below(24) : random_below(most);

	if (may_star && random_below(4) == 0) {
		fmt_add(s, "*");
		slot_add(s, SLOT_INT)->i = random_below(3) ? n : -n;
	} else {
		fmt_add_number(s, n);
	}
}

static void
fmt_add_width_precision(struct sample *s, int most)
{
	if (random_below(2))
		fmt_add_count(s, 400, s->count < SLOTS - 1);
	if (random_below(2))
		return;
	fmt_add(s, ".");
	if (random_below(8))
		fmt_add_count(s, most, s->count < SLOTS - 1);
}

static void
add_integer(struct sample *s)
{
	static const struct {
		const char *text;
		size_t size;
	} lengths[] = {
	    {"hh", sizeof(int)},
	    {"h", sizeof(int)},
	    {"", sizeof(int)},
	    {"l", sizeof(long)},
	    {"ll", sizeof(long long)},
	    {"q", sizeof(long long)},
	    {"j", sizeof(intmax_t)},
	    {"z", sizeof(size_t)},
	    {"t", sizeof(ptrdiff_t)},
	};
	int length = random_below(sizeof(lengths) / sizeof(*lengths));
	char conv[2] = "";
	uint64_t bits = random_integer();

	fmt_add_flags(s, "-+ #0'");
	fmt_add_width_precision(s, 400);
	fmt_add(s, lengths[length].text);
	conv[0] = "diuoxX"[random_below(6)];
	fmt_add(s, conv);
	if (lengths[length].size == sizeof(int))
		slot_add(s, SLOT_INT)->i = (int)(uint32_t)bits;
	else
		slot_add(s, SLOT_LLONG)->ll = (long long)bits;
}

/*
 * glibc drops the zeros that '#' asks for when rounding carries %g over to the
 * next exponent: "%#g" of 999999.5 is "1.e+06" there, "1.00000e+06" in C11.
 */
static double
number_without_carry(double number)
{
	char text[32];

	snprintf(text, sizeof(text), "%.16e", number);
	return text[0] == '9' ? number / 2 : number;
}

static void
add_double(struct sample *s)
{
	size_t start = s->fmt_len;
	char conv[2] = "";
	double number = random_magnitude();

	fmt_add_flags(s, "-+ #0");
	if (strchr(s->fmt + start, '#'))
		number = number_without_carry(number);
	fmt_add_width_precision(s, 1200);
	if (random_below(8) == 0)
		fmt_add(s, "l");
	conv[0] = "fFeEgGgfaA"[random_below(10)];
	fmt_add(s, conv);
	slot_add(s, SLOT_DOUBLE)->d = random_below(2) ? number : -number;
}

static void
add_text(struct sample *s)
{
	static const char *const texts[] = {
	    "",
	    "x",
	    "hello",
	    "%d",
	    "a line\n",
	    "0123456789abcdef",
	    "a somewhat longer text, longer than a word of the machine",
	};
	int which = random_below(4);

	fmt_add_flags(s, "-");
	if (which == 0) {
		if (random_below(2))
			fmt_add_count(s, 400, s->count < SLOTS - 1);
		fmt_add(s, "c");
		slot_add(s, SLOT_INT)->i = random_below(256);
		return;
	}
	fmt_add_width_precision(s, 400);
	fmt_add(s, "s");
	slot_add(s, SLOT_POINTER)->p =
	    random_below(16) ? texts[random_below(7)] : NULL;
}

static void
add_pointer(struct sample *s)
{
	uint64_t bits = random_integer();

	fmt_add_flags(s, "-+ #0");
	if (random_below(2))
		fmt_add_count(s, 400, s->count < SLOTS - 1);
	fmt_add(s, "p");
	slot_add(s, SLOT_POINTER)->p = (const void *)(uintptr_t)bits;
}

static void
sample_make(struct sample *s)
{
	static const char *const literals[] = {
	    "",
	    " ",
	    ", ",
	    "%%",
	    "x=",
	    "100%% of ",
	    "a longer run of text: ",
	};
	int i, wanted = 1 + random_below(3);

	memset(s, 0, sizeof(*s));
	for (i = 0; i < wanted && s->count < SLOTS; i++) {
		fmt_add(s, literals[random_below(7)]);
		fmt_add(s, "%");
		switch (random_below(16)) {
		case 0:
		case 1:
			add_text(s);
			break;
		case 2:
			add_pointer(s);
			break;
		case 3:
		case 4:
		case 5:
		case 6:
		case 7:
			add_integer(s);
			break;
		default:
			add_double(s);
			break;
		}
	}
	fmt_add(s, literals[random_below(7)]);
}

static void
sample_print(const struct sample *s)
{
	int i;

	print_error("format \"%s\"\n", s->fmt);
	for (i = 0; i < s->count; i++) {
		const struct slot *slot = &s->slots[i];

		switch (slot->kind) {
		case SLOT_INT:
			print_error("  int %d\n", slot->i);
			break;
		case SLOT_LLONG:
			print_error("  long long %lld\n", slot->ll);
			break;
		case SLOT_DOUBLE:
			print_error("  double %a (%.17g)\n", slot->d, slot->d);
			break;
		default:
			print_error("  pointer %p\n", slot->p);
			break;
		}
	}
}

/* Compares one call, cut to @size; the first @size bytes and the canary. */
static bool
sample_agrees(const struct sample *s, size_t size)
{
	static char want[BUF_SIZE], got[BUF_SIZE];
	int want_len, got_len;
	size_t len, i;

	want_len = sample_format(snprintf, want, size, s);
	memset(got, CANARY, size + 64);
	got_len = sample_format(lpk_snprintf, got, size, s);
	for (i = size; i < size + 64; i++) {
		if (got[i] != CANARY) {
			print_error("wrote past the end, size %zu\n", size);
			return false;
		}
	}
	len = (size_t)want_len < size ? (size_t)want_len + 1 : size;
	if (want_len == got_len && !memcmp(want, got, len))
		return true;
	print_error("size %zu\n  want %d \"%s\"\n  got  %d \"%s\"\n", size,
	    want_len, size ? want : "", got_len, size ? got : "");
	return false;
}

static uint64_t
number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void
test_format_random_samples_agree_with_libc(void **state)
{
	uint64_t count = number_from_env("LPK_DIFF_COUNT", DEFAULT_COUNT);
	uint64_t i, wrong = 0;
	struct sample s;
	size_t size;

	(void)state;
	for (i = 0; i < count && wrong < 10; i++) {
		sample_make(&s);
		size = BUF_SIZE - 64;
		if (random_below(4) == 0)
			size = (size_t)random_below(80);
		if (!sample_agrees(&s, size)) {
			sample_print(&s);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_format_random_samples_agree_with_libc),
	};

	random_state = number_from_env("LPK_SEED", (uint64_t)time(NULL));
	print_message("LPK_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
