/* SPDX-License-Identifier: MIT */
/*
 * The formatter: sink, parser, integers, strings, and the loop over a va_list.
 *
 * The sink counts beyond its end, so that nothing here asks whether there is
 * room.  Where speed and size part, sizeof(size_t) decides: firmware has no
 * words of 64 bits.
 */
#include "format.h"

#include <limits.h>

#include "port_fast.h"

/* 64 bits in octal are 22 digits, 16 in hex with sign and prefix are 19. */
#define DIGITS_MAX 24

void
lpk__out_init(struct lpk__out *out, char *buf, size_t size_bytes)
{
	out->buf = buf;
	out->size = buf ? size_bytes : 0;
	out->len = 0;
}

/*
 * Copies few bytes, as most pieces of a message are.  A call of memcpy() costs
 * more than what it does then; where a word is small it is the smaller code.
 */
static inline void
copy(char *dst, const char *src, size_t len)
{
	if (sizeof(size_t) < 8 || len > 16) {
		__builtin_memcpy(dst, src, len);
	} else if (len >= 8) {
		uint64_t head, tail;

		__builtin_memcpy(&head, src, 8);
		__builtin_memcpy(&tail, src + len - 8, 8);
		__builtin_memcpy(dst, &head, 8);
		__builtin_memcpy(dst + len - 8, &tail, 8);
	} else if (len >= 4) {
		uint32_t head, tail;

		__builtin_memcpy(&head, src, 4);
		__builtin_memcpy(&tail, src + len - 4, 4);
		__builtin_memcpy(dst, &head, 4);
		__builtin_memcpy(dst + len - 4, &tail, 4);
	} else if (len) {
		dst[0] = src[0];
		dst[len / 2] = src[len / 2];
		dst[len - 1] = src[len - 1];
	}
}

/*
 * Counts @len more bytes, and returns how many of them fit at @dst; never the
 * byte kept for the NUL.  The count may wrap, on a 32-bit machine after 4 GB of
 * text, and is still no more than a count then.
 */
static inline size_t
out_claim(struct lpk__out *out, size_t len, char **dst)
{
	size_t at = out->len, room;

	out->len = at + len;
	if (at >= out->size)
		return 0;
	*dst = out->buf + at;
	room = out->size - at - 1;
	return len < room ? len : room;
}

static inline void
out_put(struct lpk__out *out, const char *src, size_t len)
{
	char *dst;

	len = out_claim(out, len, &dst);
	if (len)
		copy(dst, src, len);
}

void
lpk__out_put(struct lpk__out *out, const char *src, size_t len)
{
	out_put(out, src, len);
}

void
lpk__out_fill(struct lpk__out *out, char c, int count)
{
	size_t len;
	char *dst;

	if (count <= 0)
		return;
	len = out_claim(out, (size_t)count, &dst);
	if (len)
		__builtin_memset(dst, c, len);
}

int
lpk__out_finish(struct lpk__out *out)
{
	if (out->size)
		out->buf[out->len < out->size ? out->len : out->size - 1] = 0;
	return out->len < INT_MAX ? (int)out->len : INT_MAX;
}

static int
clamp(int count)
{
	return count < LPK_FORMAT_PAD_MAX ? count : LPK_FORMAT_PAD_MAX;
}

/* Reads a number that stops at INT_MAX instead of overflowing. */
static const char *
number_parse(int *number, const char *p, const char *end)
{
	unsigned int digit;
	int n = 0;

	while ((digit = (unsigned int)lpk__format_peek(p, end) - '0') <= 9) {
		if (n > (INT_MAX - 9) / 10)
			n = (INT_MAX - 9) / 10;
		n = n * 10 + (int)digit;
		p++;
	}
	*number = n;
	return p;
}

static const char *
flags_parse(struct lpk__spec *spec, const char *p, const char *end)
{
	/* In the order of their bits; the last has none. */
	static const char set[] = "-+ #0'";
	unsigned int i = 0, flags = 0;

	while (i < sizeof(set) - 1) {
		if (lpk__format_peek(p, end) != set[i++])
			continue;
		flags |= 1u << (i - 1);
		i = 0;
		p++;
	}
	spec->flags = flags & (LPK__SPEC_STAR_WIDTH - 1);
	return p;
}

static const char *
width_parse(struct lpk__spec *spec, const char *p, const char *end)
{
	char c = lpk__format_peek(p, end);

	if (c == '*') {
		spec->flags |= LPK__SPEC_STAR_WIDTH;
		p++;
	} else if (c >= '1' && c <= '9') {
		p = number_parse(&spec->width, p, end);
		spec->width = clamp(spec->width);
	}
	if (lpk__format_peek(p, end) != '.')
		return p;
	p++;
	if (lpk__format_peek(p, end) == '*') {
		spec->flags |= LPK__SPEC_STAR_PRECISION;
		return p + 1;
	}
	return number_parse(&spec->precision, p, end);
}

/*
 * What the letters mean: a kind, plain, or that it is a length.  Those not
 * listed are LPK__KIND_NONE.
 */
#define LENGTH 255
static const uint8_t letters['z' - 'A' + 1] = {
    ['A' - 'A'] = LPK__KIND_DOUBLE,
    ['C' - 'A'] = LPK__KIND_SKIP_INT,
    ['E' - 'A'] = LPK__KIND_DOUBLE,
    ['F' - 'A'] = LPK__KIND_DOUBLE,
    ['G' - 'A'] = LPK__KIND_DOUBLE,
    ['L' - 'A'] = LENGTH,
    ['S' - 'A'] = LPK__KIND_SKIP_POINTER,
    ['X' - 'A'] = LPK__KIND_INT,
    ['a' - 'A'] = LPK__KIND_DOUBLE,
    ['c' - 'A'] = LPK__KIND_CHAR,
    ['d' - 'A'] = LPK__KIND_INT,
    ['e' - 'A'] = LPK__KIND_DOUBLE,
    ['f' - 'A'] = LPK__KIND_DOUBLE,
    ['g' - 'A'] = LPK__KIND_DOUBLE,
    ['h' - 'A'] = LENGTH,
    ['i' - 'A'] = LPK__KIND_INT,
    ['j' - 'A'] = LENGTH,
    ['l' - 'A'] = LENGTH,
    ['n' - 'A'] = LPK__KIND_SKIP_POINTER,
    ['o' - 'A'] = LPK__KIND_INT,
    ['p' - 'A'] = LPK__KIND_POINTER,
    ['q' - 'A'] = LENGTH,
    ['s' - 'A'] = LPK__KIND_STRING,
    ['t' - 'A'] = LENGTH,
    ['u' - 'A'] = LPK__KIND_INT,
    ['x' - 'A'] = LPK__KIND_INT,
    ['z' - 'A'] = LENGTH,
};

static unsigned int
letter_meaning(char c)
{
	unsigned int i = (unsigned int)c - 'A';

	return i < sizeof(letters) ? letters[i] : LPK__KIND_NONE;
}

/* What an integer conversion takes with this length. */
static enum lpk__kind
integer_kind(struct lpk__spec *spec)
{
	switch (spec->length) {
	case 'H':
		spec->bytes = 1;
		return LPK__KIND_INT;
	case 'h':
		spec->bytes = 2;
		return LPK__KIND_INT;
	case 'l':
		spec->bytes = sizeof(long);
		return LPK__KIND_LONG;
	case 'z':
		spec->bytes = sizeof(size_t);
		return LPK__KIND_SIZE;
	case 't':
		spec->bytes = sizeof(ptrdiff_t);
		return LPK__KIND_PTRDIFF;
	case 'j':
		spec->bytes = sizeof(intmax_t);
		return LPK__KIND_INTMAX;
	default:
		spec->bytes = sizeof(long long);
		return LPK__KIND_LLONG;
	}
}

/* What another conversion takes with this length, if it may have it. */
static enum lpk__kind
sized_kind(const struct lpk__spec *spec, unsigned int plain)
{
	if (spec->conv == 'n')
		return LPK__KIND_SKIP_POINTER;
	if (plain == LPK__KIND_DOUBLE && spec->length == 'L')
		return LPK__KIND_LDOUBLE;
	if (spec->length != 'l')
		return LPK__KIND_BAD;
	if (plain == LPK__KIND_DOUBLE)
		return LPK__KIND_DOUBLE;
	if (plain == LPK__KIND_CHAR)
		return LPK__KIND_SKIP_INT;
	return plain == LPK__KIND_STRING ? LPK__KIND_SKIP_POINTER :
					   LPK__KIND_BAD;
}

/*
 * What most conversions are: a letter alone. Where code is to be small they
 * are taken as the others are.
 */
static bool
plain_parse(struct lpk__spec *spec, char c)
{
	unsigned int kind = letter_meaning(c);

	if (sizeof(size_t) < 8 || kind == LPK__KIND_NONE || kind == LENGTH ||
	    kind == LPK__KIND_POINTER)
		return false;
	spec->kind = (uint8_t)kind;
	spec->conv = c;
	spec->length = 0;
	spec->bytes = sizeof(int);
	spec->text_len = 2;
	return true;
}

/* Takes length and letter; returns what the conversion takes. */
static unsigned int
conv_parse(struct lpk__spec *spec, const char **cursor, const char *end)
{
	const char *p = *cursor;
	char c = lpk__format_peek(p, end);
	unsigned int kind = letter_meaning(c);

	spec->length = 0;
	spec->bytes = sizeof(int);
	if (kind == LENGTH) {
		spec->length = c;
		p++;
		if ((c == 'h' || c == 'l') && lpk__format_peek(p, end) == c) {
			spec->length = c == 'h' ? 'H' : 'q';
			p++;
		}
		c = lpk__format_peek(p, end);
		kind = letter_meaning(c);
	}
	spec->conv = c;
	*cursor = c == '\0' ? p : p + 1;
	if (kind == LPK__KIND_NONE || kind == LENGTH)
		return LPK__KIND_BAD;
	if (spec->length == 0)
		return kind;
	return kind == LPK__KIND_INT ? integer_kind(spec) :
				       sized_kind(spec, kind);
}

/*
 * The end of a run of text. Only where the end of the format is known may
 * bytes behind a NUL be looked at.
 */
static inline const char *
text_end(const char *p, const char *end)
{
	uint64_t bytes, marks;

	while (sizeof(size_t) >= 8 && end && end - p >= 8) {
		__builtin_memcpy(&bytes, p, 8);
		marks = lpk__bytes_zero(bytes) |
		    lpk__bytes_zero(bytes ^ LPK__BYTES('%'));
		if (marks)
			return p + lpk__bytes_first(marks);
		p += 8;
	}
	for (; p != end; p++) {
		char c = *p;

		if (c == '%' || c == '\0')
			break;
	}
	return p;
}

/* Takes a run of text, of which the first byte may be any. */
static void
text_parse(
    struct lpk__spec *spec, const char **cursor, const char *p, const char *end)
{
	spec->kind = LPK__KIND_NONE;
	spec->text = p;
	p = text_end(p + 1, end);
	spec->text_len = (size_t)(p - spec->text);
	*cursor = p;
}

/*
 * Appends a run of text up to a '%'; returns where it ends. Where there is room
 * the text is copied as it is looked at, eight bytes a step; of the last eight
 * those that are too many are written over by what comes next.
 */
static inline const char *
out_run(struct lpk__out *out, const char *text, const char *end)
{
	size_t steps = end ? lpk__out_steps(out, (size_t)(end - text)) : 0;
	uint64_t bytes, marks;
	const char *run;
	unsigned int count;

	for (; steps != 0; steps--) {
		__builtin_memcpy(&bytes, text, 8);
		__builtin_memcpy(out->buf + out->len, &bytes, 8);
		marks = lpk__bytes_zero(bytes) |
		    lpk__bytes_zero(bytes ^ LPK__BYTES('%'));
		if (marks) {
			count = lpk__bytes_first(marks);
			out->len += count;
			return text + count;
		}
		text += 8;
		out->len += 8;
	}
	run = text;
	text = text_end(text, end);
	if (text != run)
		out_put(out, run, (size_t)(text - run));
	return text;
}

bool
lpk__spec_next(struct lpk__spec *spec, const char **cursor, const char *end)
{
	const char *p = *cursor;
	char c = lpk__format_peek(p, end);

	if (c == '\0')
		return false;
	spec->flags = 0;
	if (c != '%') {
		text_parse(spec, cursor, p, end);
		return true;
	}
	c = lpk__format_peek(p + 1, end);
	if (c == '%') {
		text_parse(spec, cursor, p + 1, end);
		return true;
	}
	spec->text = p++;
	spec->width = 0;
	spec->precision = -1;
	spec->ext = 0;
	if (plain_parse(spec, c)) {
		*cursor = p + 1;
		return true;
	}
	if (c < 'A')
		p = width_parse(spec, flags_parse(spec, p, end), end);
	spec->kind = (uint8_t)conv_parse(spec, &p, end);
	if (spec->kind == LPK__KIND_POINTER) {
		spec->bytes = sizeof(void *);
		p = lpk__ptr_parse(spec, p, end);
	}
	if (spec->precision >= 0)
		lpk__spec_precision_set(spec, spec->precision);
	spec->text_len = (size_t)(p - spec->text);
	*cursor = p;
	return true;
}

void
lpk__spec_width_set(struct lpk__spec *spec, int width)
{
	if (width < 0) {
		spec->flags |= LPK__SPEC_MINUS;
		/* A length that went wrong must not become a long read. */
		if (spec->ext == 'h')
			width = 0;
		else
			width = width < -LPK_FORMAT_PAD_MAX ?
			    LPK_FORMAT_PAD_MAX :
			    -width;
	}
	spec->width = clamp(width);
}

void
lpk__spec_precision_set(struct lpk__spec *spec, int precision)
{
	if (precision < 0)
		precision = -1;
	/* That of a string only makes it shorter. */
	if (spec->kind != LPK__KIND_STRING)
		precision = clamp(precision);
	spec->precision = precision;
}

void
lpk__spec_render_bad(struct lpk__out *out, const struct lpk__spec *spec)
{
	lpk__out_put(out, "%!", 2);
	lpk__out_put(out, spec->text + 1, spec->text_len - 1);
}

void
lpk__spec_put_padded(struct lpk__out *out, const struct lpk__spec *spec,
    const char *text, size_t len)
{
	int pad = 0;

	if (len < (size_t)spec->width)
		pad = spec->width - (int)len;
	if (!(spec->flags & LPK__SPEC_MINUS))
		lpk__out_fill(out, ' ', pad);
	lpk__out_put(out, text, len);
	if (spec->flags & LPK__SPEC_MINUS)
		lpk__out_fill(out, ' ', pad);
}

/*
 * Writes a number before @p, and returns where it begins.  There are two ways:
 * a wide machine takes two digits a step, a narrow one the least code.
 */
static char *
digits_put(char *p, uint64_t number, unsigned int base, const char *set)
{
	uint32_t low;

	while (number >> 32) {
		*--p = set[number % base];
		number /= base;
	}
	low = (uint32_t)number;
	do {
		*--p = set[low % base];
		low /= base;
	} while (low);
	return p;
}

static char *
pair_put(char *p, uint32_t pair)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";

	p -= 2;
	__builtin_memcpy(p, pairs + 2 * pair, 2);
	return p;
}

static char *
decimal_put(char *p, uint64_t number)
{
	uint32_t low;
	int i;

	while (number >> 32) {
		low = (uint32_t)(number % 100000000);
		number /= 100000000;
		for (i = 0; i < 4; i++) {
			p = pair_put(p, low % 100);
			low /= 100;
		}
	}
	low = (uint32_t)number;
	for (; low >= 100; low /= 100)
		p = pair_put(p, low % 100);
	if (low >= 10)
		return pair_put(p, low);
	*--p = (char)('0' + low);
	return p;
}

/* Digits of a number in decimal. */
static unsigned int
decimal_count(uint64_t number)
{
	static const uint64_t tens[LPK__DECIMAL_MAX] = {0, 10, 100, 1000, 10000,
	    100000, 1000000, 10000000, 100000000, 1000000000,
	    UINT64_C(10000000000), UINT64_C(100000000000),
	    UINT64_C(1000000000000), UINT64_C(10000000000000),
	    UINT64_C(100000000000000), UINT64_C(1000000000000000),
	    UINT64_C(10000000000000000), UINT64_C(100000000000000000),
	    UINT64_C(1000000000000000000), UINT64_C(10000000000000000000)};
	/* Bits to digits: 1233 / 4096 is the logarithm of 2, a bit less. */
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(number | 1);
	unsigned int digits = bits * 1233 >> 12;

	return digits + (number >= tens[digits]);
}

char *
lpk__decimal_write(char *to, uint64_t number, int width)
{
	char digits[LPK__DECIMAL_MAX], *end = digits + sizeof(digits), *p;
	int count;

	/* Digits that are written and at once read again are slow to read. */
	if (sizeof(size_t) < 8) {
		p = digits_put(end, number, 10, "0123456789");
		count = (int)(end - p);
	} else {
		p = NULL;
		count = (int)decimal_count(number);
	}
	for (; width > count; width--)
		*to++ = ' ';
	if (p)
		__builtin_memcpy(to, p, (size_t)count);
	else
		decimal_put(to + count, number);
	return to + count;
}

char *
lpk__decimals_write(char *to, uint32_t number, int width)
{
	char *end = to + width, *p = end;

	for (; sizeof(size_t) >= 8 && p - to >= 2; number /= 100)
		p = pair_put(p, number % 100);
	for (; p != to; number /= 10)
		*--p = (char)('0' + number % 10);
	return end;
}

static char *
hex_put(char *p, uint64_t number, const char *set)
{
	do {
		*--p = set[number & 15];
		number >>= 4;
	} while (number);
	return p;
}

static char *
number_write(char *p, uint64_t number, char conv)
{
	const char *set = conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	bool is_hex = (conv | 0x20) == 'x' || conv == 'p';

	if (sizeof(size_t) < 8 || conv == 'o')
		return digits_put(p, number,
		    is_hex          ? 16 :
			conv == 'o' ? 8 :
				      10,
		    set);
	return is_hex ? hex_put(p, number, set) : decimal_put(p, number);
}

/* Cuts a value to the size it had, and takes the sign off it. */
static bool
integer_sign(uint64_t *number, size_t bytes, bool is_signed)
{
	uint32_t low = (uint32_t)*number;
	unsigned int unused;

	if (bytes > 4) {
		if (!is_signed || !(*number >> 63))
			return false;
		*number = -*number;
		return true;
	}
	unused = 32 - (unsigned int)bytes * 8;
	low <<= unused;
	if (is_signed && low >> 31) {
		*number = -low >> unused;
		return true;
	}
	*number = low >> unused;
	return false;
}

/* The sign that value and flags want, or 0. */
static char
sign_of(const struct lpk__spec *spec, bool is_negative)
{
	if (is_negative)
		return '-';
	if (spec->flags & LPK__SPEC_PLUS)
		return '+';
	return spec->flags & LPK__SPEC_SPACE ? ' ' : 0;
}

/*
 * Puts a number together with the zeros and spaces asked for: @prefix_len
 * characters at @text go before the zeros, @count digits after them.
 */
static void
number_put(struct lpk__out *out, const struct lpk__spec *spec, const char *text,
    int prefix_len, int count)
{
	int zeros = 0, pad = 0;

	if (spec->width > 0 || spec->precision > 0) {
		zeros = spec->precision - count;
		if (zeros < 0)
			zeros = 0;
		pad = spec->width - zeros - prefix_len - count;
		if (!(spec->flags & LPK__SPEC_MINUS)) {
			if (!(spec->flags & LPK__SPEC_ZERO) ||
			    spec->precision >= 0)
				lpk__out_fill(out, ' ', pad);
			else if (pad > 0)
				zeros += pad;
			pad = 0;
		}
		if (zeros) {
			lpk__out_put(out, text, (size_t)prefix_len);
			lpk__out_fill(out, '0', zeros);
			text += prefix_len;
			prefix_len = 0;
		}
	}
	lpk__out_put(out, text, (size_t)(prefix_len + count));
	if (pad > 0)
		lpk__out_fill(out, ' ', pad);
}

/* What an integer conversion without flags and width is. */
static inline void
decimal_render(
    struct lpk__out *out, uint64_t bits, unsigned int bytes, bool is_signed)
{
	bool is_negative = integer_sign(&bits, bytes, is_signed);
	char spare[LPK__DECIMAL_MAX + 1];
	char *begin = lpk__out_room(out, spare, sizeof(spare)), *p = begin;

	*p = '-';
	p += is_negative;
	p += decimal_count(bits);
	decimal_put(p, bits);
	lpk__out_wrote(out, spare, begin, p);
}

/* The same for %x, and for a pointer. */
static void
hex_render(
    struct lpk__out *out, uint64_t bits, unsigned int bytes, bool is_pointer)
{
	char spare[DIGITS_MAX];
	char *begin = lpk__out_room(out, spare, sizeof(spare)), *p = begin;

	(void)integer_sign(&bits, bytes, false);
	if (is_pointer) {
		*p++ = '0';
		*p++ = 'x';
	}
	p += (67 - (unsigned int)__builtin_clzll(bits | 1)) / 4;
	hex_put(p, bits, "0123456789abcdef");
	lpk__out_wrote(out, spare, begin, p);
}

/* Nothing between the '%' and the letter, and a machine that is not small. */
static inline bool
is_plain(const struct lpk__spec *spec)
{
	return sizeof(size_t) >= 8 && (spec->flags | spec->width) == 0 &&
	    spec->precision < 0;
}

void
lpk__spec_put_integer(
    struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits)
{
	char digits[DIGITS_MAX], *end = digits + sizeof(digits), *p = end;
	char conv = spec->conv, sign = 0;
	bool is_signed = conv == 'd' || conv == 'i';
	bool is_alt = spec->flags & LPK__SPEC_ALT || conv == 'p';
	bool is_negative = integer_sign(&bits, spec->bytes, is_signed);
	int count;

	/* glibc gives a pointer the sign of a signed number, alone. */
	if (is_signed || conv == 'p')
		sign = sign_of(spec, is_negative);
	if (bits || spec->precision != 0)
		p = number_write(p, bits, conv);
	if (conv == 'o' && is_alt && (p == end || *p != '0'))
		*--p = '0';
	count = (int)(end - p);
	if (is_alt && bits && (conv == 'p' || (conv | 0x20) == 'x')) {
		*--p = conv == 'X' ? 'X' : 'x';
		*--p = '0';
	}
	if (sign)
		*--p = sign;
	number_put(out, spec, p, (int)(end - p) - count, count);
}

static void
string_render(struct lpk__out *out, const struct lpk__spec *spec,
    const struct lpk__value *value)
{
	const char *text = value->ptr;
	size_t max = value->size_bytes, len;

	if (!text) {
		/* Whole or not at all, as in glibc. */
		text = "(null)";
		max = spec->precision < 0 || spec->precision >= 6 ? 6 : 0;
	}
	if (spec->precision >= 0 && max > (size_t)spec->precision)
		max = (size_t)spec->precision;
	len = lpk__fast_length(text, max);
	if (spec->width == 0)
		out_put(out, text, len);
	else
		lpk__spec_put_padded(out, spec, text, len);
}

void
lpk__spec_render(struct lpk__out *out, const struct lpk__spec *spec,
    const struct lpk__value *value)
{
	char c;

	switch (spec->kind) {
	case LPK__KIND_NONE:
		lpk__out_put(out, spec->text, spec->text_len);
		break;
	case LPK__KIND_INT:
	case LPK__KIND_LONG:
	case LPK__KIND_LLONG:
	case LPK__KIND_SIZE:
	case LPK__KIND_PTRDIFF:
	case LPK__KIND_INTMAX:
		if (is_plain(spec) && (spec->conv == 'd' || spec->conv == 'u'))
			decimal_render(
			    out, value->bits, spec->bytes, spec->conv == 'd');
		else if (is_plain(spec) && spec->conv == 'x')
			hex_render(out, value->bits, spec->bytes, false);
		else
			lpk__spec_put_integer(out, spec, value->bits);
		break;
	case LPK__KIND_CHAR:
		c = (char)value->bits;
		lpk__spec_put_padded(out, spec, &c, 1);
		break;
	case LPK__KIND_DOUBLE:
	case LPK__KIND_LDOUBLE:
		lpk__double_render(out, spec, value->bits);
		break;
	case LPK__KIND_STRING:
		string_render(out, spec, value);
		break;
	case LPK__KIND_POINTER:
		if (value->bits && is_plain(spec))
			hex_render(out, value->bits, spec->bytes, true);
		else if (value->bits)
			lpk__spec_put_integer(out, spec, value->bits);
		else
			lpk__spec_put_padded(out, spec, "(nil)", 5);
		break;
	case LPK__KIND_POINTER_EXT:
		lpk__ptr_render(out, spec, value);
		break;
	default:
		lpk__spec_render_bad(out, spec);
		break;
	}
}

/*
 * Takes a decimal conversion without anything around it, of an int or of the
 * longest integers there are; 0 if it is another.
 */
static inline unsigned int
decimal_parse(const char **cursor, const char *end, char *conv)
{
	const char *p = *cursor + 1;
	unsigned int bytes = sizeof(int);
	char c = lpk__format_peek(p, end);

	if (c == 'l' && sizeof(long) == 8) {
		bytes = 8;
		c = lpk__format_peek(++p, end);
		if (c == 'l')
			c = lpk__format_peek(++p, end);
	} else if (c == 'z') {
		bytes = sizeof(size_t);
		c = lpk__format_peek(++p, end);
	}
	if (c != 'd' && c != 'u')
		return 0;
	*conv = c;
	*cursor = p + 1;
	return bytes;
}

const char *
lpk__out_words(struct lpk__out *out, const char *text, const char *end,
    const unsigned char **words, size_t *left)
{
	static const struct lpk__spec plain_float = {
	    .text = "%f",
	    .text_len = 2,
	    .precision = -1,
	    .kind = LPK__KIND_DOUBLE,
	    .conv = 'f',
	};
	unsigned int bytes;
	uint64_t word;
	char conv;

	for (;;) {
		text = out_run(out, text, end);
		if (sizeof(size_t) < 8 || *left == 0 || text == end ||
		    *text == '\0')
			return text;
		__builtin_memcpy(&word, *words, sizeof(word));
		bytes = decimal_parse(&text, end, &conv);
		if (bytes) {
			decimal_render(out, word, bytes, conv == 'd');
		} else if (lpk__format_peek(text + 1, end) == 'f') {
			lpk__double_render(out, &plain_float, word);
			text += 2;
		} else {
			return text;
		}
		*words += sizeof(word);
		--*left;
	}
}

/* Takes what the conversion asks for off the arguments. */
static void
value_fetch(struct lpk__value *value, const struct lpk__spec *spec,
    struct lpk__args *args)
{
	switch (spec->kind) {
	case LPK__KIND_INT:
	case LPK__KIND_CHAR:
	case LPK__KIND_SKIP_INT:
		value->bits = va_arg(args->ap, unsigned int);
		break;
	case LPK__KIND_LONG:
		value->bits = va_arg(args->ap, unsigned long);
		break;
	case LPK__KIND_LLONG:
		value->bits = va_arg(args->ap, unsigned long long);
		break;
	case LPK__KIND_SIZE:
		value->bits = va_arg(args->ap, size_t);
		break;
	case LPK__KIND_PTRDIFF:
		value->bits = (uint64_t)va_arg(args->ap, ptrdiff_t);
		break;
	case LPK__KIND_INTMAX:
		value->bits = va_arg(args->ap, uintmax_t);
		break;
	case LPK__KIND_DOUBLE:
	case LPK__KIND_LDOUBLE:
		value->bits =
		    lpk__double_fetch(args, spec->kind == LPK__KIND_LDOUBLE);
		break;
	default:
		value->ptr = va_arg(args->ap, const void *);
		value->bits = (uintptr_t)value->ptr;
		value->size_bytes = SIZE_MAX;
		break;
	}
}

/* Shows one conversion with its arguments; false if it is not known. */
static bool
spec_vrender(
    struct lpk__out *out, struct lpk__spec *spec, struct lpk__args *args)
{
	struct lpk__value value;

	if (spec->kind == LPK__KIND_BAD)
		return false;
	if (spec->flags & LPK__SPEC_STAR_WIDTH)
		lpk__spec_width_set(spec, va_arg(args->ap, int));
	if (spec->flags & LPK__SPEC_STAR_PRECISION)
		lpk__spec_precision_set(spec, va_arg(args->ap, int));
	value_fetch(&value, spec, args);
	lpk__spec_render(out, spec, &value);
	return true;
}

void
lpk__out_vformat(
    struct lpk__out *out, const char *fmt, const char *end, va_list ap)
{
	struct lpk__args args;
	struct lpk__spec spec;
	bool is_known = true;

	if (!fmt) {
		fmt = "(null format)";
		end = NULL;
	}
	va_copy(args.ap, ap);
	do {
		/* Most of the text is seen here, sooner than by the parser. */
		fmt = out_run(out, fmt, end);
		if (!lpk__spec_next(&spec, &fmt, end))
			break;
		if (spec.kind == LPK__KIND_NONE) {
			lpk__out_put(out, spec.text, spec.text_len);
			continue;
		}
		if (!is_known || !spec_vrender(out, &spec, &args)) {
			is_known = false;
			lpk__spec_render_bad(out, &spec);
		}
	} while (true);
	va_end(args.ap);
}

int
lpk_vsnprintf(char *buf, size_t size_bytes, const char *fmt, va_list ap)
{
	struct lpk__out out;

	lpk__out_init(&out, buf, size_bytes);
	lpk__out_vformat(&out, fmt, NULL, ap);
	return lpk__out_finish(&out);
}

int
lpk_snprintf(char *buf, size_t size_bytes, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = lpk_vsnprintf(buf, size_bytes, fmt, ap);
	va_end(ap);
	return len;
}
