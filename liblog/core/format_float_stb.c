/* SPDX-License-Identifier: MIT */
/*
 * Floating point: the same digits as glibc, for any value and precision.
 *
 * The digits come from stb_sprintf's conversion, which is fast and right to 18
 * of them, give or take a little in the last; they are rounded here.  Where
 * that cannot be certain (more than 16 digits wanted, or a tie so close that
 * the last digit would decide it), the value is expanded exactly, in a number
 * of base 1e9 on the stack, at most 10 us of work.  stb's own layout is not
 * used: it differs from C in %g, %a, the sign flags, and rounding of ties.
 *
 * No libm, no state; 0.9 KB of stack.
 */
#include "format.h"

#include <float.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wpedantic"
#define STB_SPRINTF_IMPLEMENTATION
#define STB_SPRINTF_STATIC
#define STB_SPRINTF_NOUNALIGNED
#include <stb/stb_sprintf.h>
#pragma GCC diagnostic pop

#define FRACTION_BITS 52
#define FRACTION_MASK ((UINT64_C(1) << FRACTION_BITS) - 1)
#define EXPONENT_MAX 2047 /* as stored: infinity and NaN */
#define EXPONENT_BIAS 1023
#define HEX_DIGITS 13 /* of a fraction */

/* stb: do not round, and write the digits before this offset. */
#define STB_UNROUNDED 0x80000017u
#define STB_BUFFER 72
/* Digits of stb's that are beyond doubt. */
#define STB_CERTAIN 17

/* Numbers of so many digits are put together before they are appended. */
#define BODY_MAX 32

#define BASE 1000000000u
#define BASE_DIGITS 9
/*
 * 2^-1074 has 1074 decimals, that is 120 words of fraction; 53 bits of integer
 * take two, and a carry may take one more in front.
 */
#define WORDS_MAX 124

/*
 * A rounded decimal number, 0.ddd x 10^point; digits beyond @count are zeros.
 * The last of @count is not, except for %f, where nobody asks.
 */
struct decimal {
	int point;
	int count;
	const char *text; /* the digits; NULL: in @words */
	char stb[STB_BUFFER + 1] LPK_ALIGNED(8);
	uint32_t words[WORDS_MAX]; /* base 1e9, most significant first */
	int first, last;           /* the words in use: [first, last) */
	int lead;                  /* zeros before the first digit */
	int words_point;           /* index of the first word of the fraction */
};

uint64_t
lpk__double_fetch(struct lpk__args *args, bool is_long)
{
	double number;
	uint64_t bits;

	if (is_long)
		number = (double)va_arg(args->ap, long double);
	else
		number = va_arg(args->ap, double);
	__builtin_memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static const uint32_t powers_of_ten[BASE_DIGITS + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
};

/* Multiplies the integer by 2^@exponent. */
static void
words_shift_left(struct decimal *dec, int exponent)
{
	uint64_t carry, sum;
	int shift, i;

	for (; exponent > 0; exponent -= shift) {
		shift = exponent < 29 ? exponent : 29;
		carry = 0;
		for (i = dec->last - 1; i >= dec->first; i--) {
			sum = ((uint64_t)dec->words[i] << shift) + carry;
			dec->words[i] = (uint32_t)(sum % BASE);
			carry = sum / BASE;
		}
		if (carry)
			dec->words[--dec->first] = (uint32_t)carry;
	}
}

/* Divides by 2^@exponent: the fraction grows a word each 9 bits. */
static void
words_shift_right(struct decimal *dec, int exponent)
{
	uint32_t rest, word;
	int shift, i;

	for (; exponent > 0; exponent -= shift) {
		shift = exponent < 9 ? exponent : 9;
		rest = 0;
		for (i = dec->first; i < dec->last; i++) {
			word = dec->words[i];
			dec->words[i] = (word >> shift) + rest;
			/* 1e9 is a multiple of 2^9. */
			rest = (BASE >> shift) * (word & ((1u << shift) - 1));
		}
		if (rest)
			dec->words[dec->last++] = rest;
		while (dec->first < dec->last && !dec->words[dec->first])
			dec->first++;
	}
}

/* Sets count, lead and point from the words; drops zero words at both ends. */
static void
words_measure(struct decimal *dec)
{
	uint32_t word;

	while (dec->last > dec->first && !dec->words[dec->last - 1])
		dec->last--;
	while (dec->first < dec->last && !dec->words[dec->first])
		dec->first++;
	dec->lead = 0;
	if (dec->first == dec->last) {
		dec->count = 0;
		dec->point = 1;
		return;
	}
	while (dec->words[dec->first] < powers_of_ten[8 - dec->lead])
		dec->lead++;
	dec->count = (dec->last - dec->first) * BASE_DIGITS - dec->lead;
	for (word = dec->words[dec->last - 1]; word % 10 == 0; word /= 10)
		dec->count--;
	dec->point = (dec->words_point - dec->first) * BASE_DIGITS - dec->lead;
}

/* Makes the words the exact value of @mantissa x 2^@exponent, not zero. */
static void
words_expand(struct decimal *dec, uint64_t mantissa, int exponent)
{
	/* An integer grows to the front, a fraction to the back. */
	dec->words_point = exponent > 0 ? WORDS_MAX : 3;
	dec->last = dec->words_point;
	dec->first = dec->last - 2;
	dec->words[dec->first] = (uint32_t)(mantissa / BASE);
	dec->words[dec->first + 1] = (uint32_t)(mantissa % BASE);
	words_shift_left(dec, exponent);
	words_shift_right(dec, -exponent);
	dec->text = NULL;
	words_measure(dec);
}

/* Rounds to the first @keep digits, ties to even. */
static void
words_round(struct decimal *dec, int keep)
{
	int place = keep + dec->lead;
	int i = dec->first + place / BASE_DIGITS, j;
	uint32_t unit, rest, half, last_kept;
	bool is_above;

	if (keep >= dec->count)
		return;
	unit = powers_of_ten[BASE_DIGITS - place % BASE_DIGITS];
	rest = dec->words[i] % unit;
	half = unit / 2;
	is_above = rest > half;
	for (j = i + 1; rest == half && !is_above && j < dec->last; j++)
		is_above = dec->words[j] != 0;
	if (place % BASE_DIGITS)
		last_kept = dec->words[i] / unit;
	else
		last_kept = i > dec->first ? dec->words[i - 1] : 0;
	dec->words[i] -= rest;
	dec->last = i + 1;
	if (is_above || (rest == half && last_kept & 1)) {
		dec->words[--dec->first] = 0;
		dec->words[i] += unit;
		for (; dec->words[i] >= BASE; i--) {
			dec->words[i] -= BASE;
			dec->words[i - 1]++;
		}
	}
	words_measure(dec);
}

static void
words_put(struct lpk__out *out, const struct decimal *dec, int from, int count)
{
	int place = from + dec->lead, offset, i;
	char digits[BASE_DIGITS];
	uint32_t word;

	for (; count > 0; count -= BASE_DIGITS - offset) {
		word = dec->words[dec->first + place / BASE_DIGITS];
		offset = place % BASE_DIGITS;
		for (i = BASE_DIGITS - 1; i >= 0; i--) {
			digits[i] = (char)('0' + word % 10);
			word /= 10;
		}
		i = BASE_DIGITS - offset;
		lpk__out_put(
		    out, digits + offset, (size_t)(count < i ? count : i));
		place += i;
	}
}

/* Appends @count digits from number @from on; zeros where there are none. */
static void
digits_put(struct lpk__out *out, const struct decimal *dec, int from, int count)
{
	int n = count < -from ? count : -from;

	if (n > 0) {
		lpk__out_fill(out, '0', n);
		count -= n;
		from = 0;
	}
	n = dec->count - from;
	if (n > count)
		n = count;
	if (n > 0) {
		if (dec->text)
			lpk__out_put(out, dec->text + from, (size_t)n);
		else
			words_put(out, dec, from, n);
		count -= n;
	}
	lpk__out_fill(out, '0', count);
}

static void
zero_make(struct decimal *dec)
{
	dec->point = 1;
	dec->count = 0;
	dec->text = dec->stb;
}

/* Rounds stb's digits to @keep; false if that takes better digits. */
static bool
text_round(struct decimal *dec, char *text, int len, int keep)
{
	char digit, undecided;
	int i;

	if (keep >= STB_CERTAIN)
		return false;
	digit = keep < len ? text[keep] : '0';
	if (digit == '4' || digit == '5') {
		undecided = digit == '5' ? '0' : '9';
		for (i = keep + 1; i < STB_CERTAIN; i++) {
			if ((i < len ? text[i] : '0') != undecided)
				break;
		}
		if (i == STB_CERTAIN)
			return false;
	}
	if (len > keep)
		len = keep;
	if (digit >= '5') {
		while (len > 0 && text[len - 1] == '9')
			len--;
		if (len == 0) {
			text[len++] = '1';
			dec->point++;
		} else {
			text[len - 1]++;
		}
	} else {
		while (len > 0 && text[len - 1] == '0')
			len--;
	}
	dec->text = text;
	dec->count = len;
	if (len == 0)
		zero_make(dec);
	return true;
}

/*
 * The common case of %f: the value is integer and fraction of 64 bits, and few
 * decimals are wanted.  They are exact integers then, ties included.
 */
static bool
fixed_split(uint64_t mantissa, int exponent, int digits, uint64_t *integer,
    uint32_t *decimals)
{
	uint64_t fraction, high, low, rest;

	if (exponent >= 0 || exponent < -63 || digits > BASE_DIGITS)
		return false;
	*integer = mantissa >> -exponent;
	fraction = mantissa << (64 + exponent);
	/* fraction x 10^digits, of 96 bits: the upper 32 are the decimals. */
	low = (fraction & UINT32_MAX) * powers_of_ten[digits];
	high = (fraction >> 32) * powers_of_ten[digits] + (low >> 32);
	rest = high << 32 | (low & UINT32_MAX);
	high >>= 32;
	low = digits ? high : *integer; /* whose parity decides a tie */
	if (rest > UINT64_C(1) << 63 || (rest == UINT64_C(1) << 63 && low & 1))
		high++;
	if (high == powers_of_ten[digits]) {
		high = 0;
		++*integer;
	}
	*decimals = (uint32_t)high;
	return true;
}

static bool
fixed_make(struct decimal *dec, uint64_t mantissa, int exponent, int digits)
{
	char *end = dec->stb + STB_BUFFER, *p = end;
	uint64_t integer;
	uint32_t decimals;
	int i;

	if (!fixed_split(mantissa, exponent, digits, &integer, &decimals))
		return false;
	for (i = 0; i < digits; i++) {
		*--p = (char)('0' + decimals % 10);
		decimals /= 10;
	}
	for (; integer; integer /= 10)
		*--p = (char)('0' + integer % 10);
	dec->point = (int)(end - p) - digits;
	for (; p < end && *p == '0'; p++)
		dec->point--;
	if (p == end) {
		zero_make(dec);
		return true;
	}
	dec->text = p;
	dec->count = (int)(end - p);
	return true;
}

/* A %f as most are: nothing goes around it, and the above will do. */
static bool
plain_put(struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits)
{
	char spare[1 + LPK__DECIMAL_MAX + 1 + BASE_DIGITS], *begin, *p;
	int digits = spec->precision < 0 ? 6 : spec->precision;
	int exponent = (int)(bits >> FRACTION_BITS & EXPONENT_MAX);
	uint64_t mantissa = (bits & FRACTION_MASK) | (FRACTION_MASK + 1);
	uint64_t integer = 0;
	uint32_t decimals = 0;

	if (spec->conv != 'f' || spec->width != 0 || spec->flags != 0)
		return false;
	exponent -= EXPONENT_BIAS + FRACTION_BITS;
	if ((bits << 1 != 0 || digits > BASE_DIGITS) &&
	    !fixed_split(mantissa, exponent, digits, &integer, &decimals))
		return false;
	begin = p = lpk__out_room(out, spare, sizeof(spare));
	*p = '-';
	p = lpk__decimal_write(p + (bits >> 63), integer, 0);
	if (digits > 0) {
		*p++ = '.';
		p = lpk__decimals_write(p, decimals, digits);
	}
	lpk__out_wrote(out, spare, begin, p);
	return true;
}

/* By stb; false where its digits would not do. */
static bool
stb_make(struct decimal *dec, uint64_t bits, bool is_fixed, int digits)
{
	const char *start;
	unsigned int len;
	double number;
	int keep;

	/*
	 * stb's pairs of doubles need each step rounded to a double, which an
	 * x87 unit does not do, or not in every dialect.
	 */
	if (FLT_EVAL_METHOD != 0)
		return false;
	__builtin_memcpy(&number, &bits, sizeof(number));
	stbsp__real_to_str(
	    &start, &len, dec->stb, &dec->point, number, STB_UNROUNDED);
	keep = is_fixed ? digits + dec->point : digits;
	if (keep < 0) {
		zero_make(dec);
		return true;
	}
	return text_round(dec, dec->stb + (start - dec->stb), (int)len, keep);
}

/*
 * Converts the magnitude of a finite double to @digits decimals
 * (@is_fixed) or to @digits significant digits.
 */
static void
decimal_make(struct decimal *dec, uint64_t bits, bool is_fixed, int digits)
{
	uint64_t mantissa = bits & FRACTION_MASK;
	int exponent = (int)(bits >> FRACTION_BITS & EXPONENT_MAX);
	int keep;

	if (exponent == 0 && mantissa == 0) {
		zero_make(dec);
		return;
	}
	if (exponent)
		mantissa |= FRACTION_MASK + 1;
	else
		exponent = 1;
	exponent -= EXPONENT_BIAS + FRACTION_BITS;
	if (is_fixed && fixed_make(dec, mantissa, exponent, digits))
		return;
	if (stb_make(dec, bits, is_fixed, digits))
		return;
	words_expand(dec, mantissa, exponent);
	keep = is_fixed ? digits + dec->point : digits;
	if (keep < 0)
		zero_make(dec);
	else
		words_round(dec, keep);
}

/*
 * Appends what comes before a body of @body_len: spaces, prefix, zeros.
 * Returns the number of spaces that come after it.
 */
static int
pad_open(struct lpk__out *out, const struct lpk__spec *spec, const char *prefix,
    int prefix_len, int body_len)
{
	int pad = spec->width - prefix_len - body_len;
	bool is_left = spec->flags & LPK__SPEC_MINUS;
	bool is_zero = !is_left && spec->flags & LPK__SPEC_ZERO;

	if (pad > 0 && !is_left && !is_zero)
		lpk__out_fill(out, ' ', pad);
	if (prefix_len)
		lpk__out_put(out, prefix, (size_t)prefix_len);
	if (pad > 0 && is_zero)
		lpk__out_fill(out, '0', pad);
	return is_left ? pad : 0;
}

/* Writes an exponent: a letter, a sign, and @digits digits at least. */
static int
exponent_write(char *text, char letter, int exponent, int digits)
{
	char *p = text;
	int unit = 1000;

	*p++ = letter;
	*p++ = exponent < 0 ? '-' : '+';
	if (exponent < 0)
		exponent = -exponent;
	for (; unit; unit /= 10) {
		if (exponent >= unit || (digits == 2 && unit == 10) ||
		    unit == 1)
			*p++ = (char)('0' + exponent / unit % 10);
	}
	return (int)(p - text);
}

/* Appends @integer digits from number @from on, the point, @fraction more. */
static void
body_put(struct lpk__out *out, const struct decimal *dec, int from, int integer,
    int fraction, bool has_point)
{
	int i, end = from + integer + fraction;
	char body[BODY_MAX + 1], *p = body;

	if (!dec->text || integer + fraction > BODY_MAX) {
		digits_put(out, dec, from, integer);
		if (has_point)
			lpk__out_put(out, ".", 1);
		digits_put(out, dec, from + integer, fraction);
		return;
	}
	for (i = from; i < end; i++) {
		if (i == from + integer)
			*p++ = '.';
		*p++ = i < 0 || i >= dec->count ? '0' : dec->text[i];
	}
	if (has_point && fraction == 0)
		*p++ = '.';
	lpk__out_put(out, body, (size_t)(p - body));
}

/* Appends a number of which the sign is written, in the form of %f or %e. */
static void
decimal_put(struct lpk__out *out, const struct lpk__spec *spec,
    const struct decimal *dec, int fraction, bool is_scientific,
    const char *sign, int sign_len)
{
	bool has_point = fraction > 0 || spec->flags & LPK__SPEC_ALT;
	int integer = dec->point > 1 && !is_scientific ? dec->point : 1;
	int tail_len = 0, pad;
	char tail[8];

	if (is_scientific)
		tail_len = exponent_write(
		    tail, spec->conv & 0x20 ? 'e' : 'E', dec->point - 1, 2);
	pad = pad_open(out, spec, sign, sign_len,
	    integer + has_point + fraction + tail_len);
	body_put(out, dec, is_scientific ? 0 : dec->point - integer, integer,
	    fraction, has_point);
	if (tail_len)
		lpk__out_put(out, tail, (size_t)tail_len);
	if (pad > 0)
		lpk__out_fill(out, ' ', pad);
}

static void
decimal_render(struct lpk__out *out, const struct lpk__spec *spec,
    uint64_t bits, const char *sign, int sign_len)
{
	int precision = spec->precision;
	bool is_scientific = (spec->conv | 0x20) == 'e';
	struct decimal dec;
	int fraction, most;

	if (spec->precision < 0)
		precision = 6;
	fraction = precision;
	if ((spec->conv | 0x20) == 'f') {
		decimal_make(&dec, bits, true, precision);
	} else if (is_scientific) {
		decimal_make(&dec, bits, false, precision + 1);
	} else {
		if (precision == 0)
			precision = 1;
		decimal_make(&dec, bits, false, precision);
		is_scientific = dec.point < -3 || dec.point > precision;
		fraction = precision - (is_scientific ? 1 : dec.point);
		most = dec.count - (is_scientific ? 1 : dec.point);
		if (most < 0)
			most = 0;
		if (!(spec->flags & LPK__SPEC_ALT) && fraction > most)
			fraction = most;
	}
	decimal_put(out, spec, &dec, fraction, is_scientific, sign, sign_len);
}

/* Rounds the fraction of a %a to @digits hex digits, ties to even. */
static uint64_t
hex_round(uint64_t mantissa, int digits)
{
	int unused = (HEX_DIGITS - digits) * 4;
	uint64_t unit = UINT64_C(1) << unused;
	uint64_t rest = mantissa & (unit - 1);

	mantissa -= rest;
	if (rest > unit / 2 || (rest == unit / 2 && mantissa & unit))
		mantissa += unit;
	return mantissa;
}

static void
hex_render(struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits,
    char *prefix, int prefix_len)
{
	const char *set = "0123456789abcdef0123456789ABCDEF";
	bool is_upper = !(spec->conv & 0x20);
	uint64_t mantissa = bits & FRACTION_MASK;
	int exponent = (int)(bits >> FRACTION_BITS & EXPONENT_MAX);
	int precision = spec->precision;
	char body[2 + HEX_DIGITS], tail[8];
	int len = 0, tail_len, zeros, pad, i;

	if (exponent)
		mantissa |= FRACTION_MASK + 1;
	else if (mantissa)
		exponent = 1;
	else
		exponent = EXPONENT_BIAS;
	if (spec->precision < 0) {
		for (precision = HEX_DIGITS; precision > 0; precision--) {
			if (mantissa >> (HEX_DIGITS - precision) * 4 & 15)
				break;
		}
	} else if (precision < HEX_DIGITS) {
		mantissa = hex_round(mantissa, precision);
	}
	if (is_upper)
		set += 16;
	body[len++] = set[mantissa >> FRACTION_BITS & 15];
	if (precision > 0 || spec->flags & LPK__SPEC_ALT)
		body[len++] = '.';
	for (i = 0; i < precision && i < HEX_DIGITS; i++)
		body[len++] = set[mantissa >> (HEX_DIGITS - 1 - i) * 4 & 15];
	zeros = precision - i;
	tail_len = exponent_write(
	    tail, is_upper ? 'P' : 'p', exponent - EXPONENT_BIAS, 1);
	prefix[prefix_len++] = '0';
	prefix[prefix_len++] = is_upper ? 'X' : 'x';
	pad = pad_open(out, spec, prefix, prefix_len, len + zeros + tail_len);
	lpk__out_put(out, body, (size_t)len);
	lpk__out_fill(out, '0', zeros);
	lpk__out_put(out, tail, (size_t)tail_len);
	lpk__out_fill(out, ' ', pad);
}

void
lpk__double_render(
    struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits)
{
	struct lpk__spec plain;
	char prefix[4];
	int prefix_len = 1, pad;

	if (plain_put(out, spec, bits))
		return;
	if (bits >> 63)
		prefix[0] = '-';
	else if (spec->flags & LPK__SPEC_PLUS)
		prefix[0] = '+';
	else if (spec->flags & LPK__SPEC_SPACE)
		prefix[0] = ' ';
	else
		prefix_len = 0;
	bits &= UINT64_MAX >> 1;
	if (bits >> FRACTION_BITS == EXPONENT_MAX) {
		const char *names = spec->conv & 0x20 ? "infnan" : "INFNAN";

		plain = *spec;
		plain.flags &= (uint8_t)~LPK__SPEC_ZERO;
		pad = pad_open(out, &plain, prefix, prefix_len, 3);
		lpk__out_put(out, bits & FRACTION_MASK ? names + 3 : names, 3);
		lpk__out_fill(out, ' ', pad);
		return;
	}
	if ((spec->conv | 0x20) == 'a')
		hex_render(out, spec, bits, prefix, prefix_len);
	else
		decimal_render(out, spec, bits, prefix, prefix_len);
}
