/* SPDX-License-Identifier: MIT */
/*
 * lib_sample.c - random formats with random values; see sample.h.
 */
#include "sample.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sample_seed;

/* splitmix64: Steele, Lea, Flood, OOPSLA 2014. */
uint64_t
sample_random(void)
{
	uint64_t z = sample_seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

int
sample_below(int limit)
{
	return (int)(sample_random() % (uint64_t)limit);
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

int
sample_format(
    sample_format_fn fn, char *buf, size_t size, const struct sample *s)
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

	if (s->fmt_len + len >= SAMPLE_FORMAT_SIZE)
		abort();
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
	uint64_t bits = sample_random();

	switch (sample_below(4)) {
	case 0:
		return edges[(size_t)sample_below(
		    sizeof(edges) / sizeof(*edges))];
	case 1:
		return -edges[(size_t)sample_below(
		    sizeof(edges) / sizeof(*edges))];
	case 2:
		return bits >> sample_below(64);
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
	int64_t integer = (int64_t)(sample_random() >> (10 + sample_below(54)));

	switch (sample_below(9)) {
	case 0:
		return edges[(size_t)sample_below(
		    sizeof(edges) / sizeof(*edges))];
	case 1: /* a power of ten and its neighbours */
		return double_of(
		    bits_of(power_of_ten(sample_below(600) - 300)) +
		    (uint64_t)sample_below(5) - 2);
	case 2: /* a few decimals: near ties of decimal rounding */
		return (double)(integer % 1000000) /
		    power_of_ten(sample_below(8));
	case 3: /* ties: a dyadic fraction */
		return (double)(integer % 100000) / (1 << sample_below(20));
	case 4:
		return (double)integer;
	case 5: /* denormal */
		return double_of(sample_random() >> (12 + sample_below(52)));
	case 6:
		return sample_below(2) ? (double)INFINITY : (double)NAN;
	case 7: /* everyday sizes */
		return (double)sample_random() / 1.8446744073709552e19 *
		    power_of_ten(sample_below(20) - 6);
	default:
		return double_of(sample_random() >> 1);
	}
}

static void
fmt_add_flags(struct sample *s, const char *set)
{
	char flag[2] = "";
	int i, count = sample_below(4);

	for (i = 0; i < count; i++) {
		flag[0] = set[sample_below((int)strlen(set))];
		fmt_add(s, flag);
	}
}

static struct sample_slot *
slot_add(struct sample *s, enum sample_kind kind)
{
	s->slots[s->count].kind = kind;
	return &s->slots[s->count++];
}

/* A width or precision, in the format or as an argument. */
static void
fmt_add_count(struct sample *s, int most, bool may_star)
{
	int n = sample_below(8) ? sample_below(24) : sample_below(most);

	if (may_star && sample_below(4) == 0) {
		fmt_add(s, "*");
		slot_add(s, SLOT_INT)->i = sample_below(3) ? n : -n;
	} else {
		fmt_add_number(s, n);
	}
}

static void
fmt_add_width_precision(struct sample *s, int most)
{
	if (sample_below(2))
		fmt_add_count(s, 400, s->count < SAMPLE_SLOTS - 1);
	if (sample_below(2))
		return;
	fmt_add(s, ".");
	if (sample_below(8))
		fmt_add_count(s, most, s->count < SAMPLE_SLOTS - 1);
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
	int length = sample_below(sizeof(lengths) / sizeof(*lengths));
	char conv[2] = "";
	uint64_t bits = random_integer();

	fmt_add_flags(s, "-+ #0'");
	fmt_add_width_precision(s, 400);
	fmt_add(s, lengths[length].text);
	conv[0] = "diuoxX"[sample_below(6)];
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
	if (sample_below(8) == 0)
		fmt_add(s, "l");
	conv[0] = "fFeEgGgfaA"[sample_below(10)];
	fmt_add(s, conv);
	slot_add(s, SLOT_DOUBLE)->d = sample_below(2) ? number : -number;
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
	int which = sample_below(4);
	struct sample_slot *slot;

	fmt_add_flags(s, "-");
	if (which == 0) {
		if (sample_below(2))
			fmt_add_count(s, 400, s->count < SAMPLE_SLOTS - 1);
		fmt_add(s, "c");
		slot_add(s, SLOT_INT)->i = sample_below(256);
		return;
	}
	fmt_add_width_precision(s, 400);
	fmt_add(s, "s");
	slot = slot_add(s, SLOT_POINTER);
	slot->p = sample_below(16) ? texts[sample_below(7)] : NULL;
	slot->is_text = true;
}

static void
add_pointer(struct sample *s)
{
	uint64_t bits = random_integer();

	fmt_add_flags(s, "-+ #0");
	if (sample_below(2))
		fmt_add_count(s, 400, s->count < SAMPLE_SLOTS - 1);
	fmt_add(s, "p");
	slot_add(s, SLOT_POINTER)->p = (const void *)(uintptr_t)bits;
}

void
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
	int i, wanted = 1 + sample_below(3);

	memset(s, 0, sizeof(*s));
	for (i = 0; i < wanted && s->count < SAMPLE_SLOTS; i++) {
		fmt_add(s, literals[sample_below(7)]);
		fmt_add(s, "%");
		switch (sample_below(16)) {
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
	fmt_add(s, literals[sample_below(7)]);
}

void
sample_print(const struct sample *s)
{
	int i;

	fprintf(stderr, "format \"%s\"\n", s->fmt);
	for (i = 0; i < s->count; i++) {
		const struct sample_slot *slot = &s->slots[i];

		switch (slot->kind) {
		case SLOT_INT:
			fprintf(stderr, "  int %d\n", slot->i);
			break;
		case SLOT_LLONG:
			fprintf(stderr, "  long long %lld\n", slot->ll);
			break;
		case SLOT_DOUBLE:
			fprintf(
			    stderr, "  double %a (%.17g)\n", slot->d, slot->d);
			break;
		default:
			fprintf(stderr, "  pointer %p\n", slot->p);
			break;
		}
	}
}
