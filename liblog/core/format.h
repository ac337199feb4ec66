/* SPDX-License-Identifier: MIT */
/*
 * The formatter in pieces, for those who have their arguments elsewhere than
 * in a va_list.
 *
 * A format is walked with lpk__spec_next(), which yields runs of text and
 * conversions.  Whoever walks it fetches what the conversion takes:
 *
 *   1. if LPK__SPEC_STAR_WIDTH: an int, to lpk__spec_width_set();
 *   2. if LPK__SPEC_STAR_PRECISION: an int, to lpk__spec_precision_set();
 *   3. one value of spec.kind, to lpk__spec_render().
 *
 * lpk__out_vformat() does so from a va_list; the renderer of deferred records
 * does so from packed bytes.  Neither the format nor the values are trusted:
 * any format is safe to walk and to render, and a value is read only as far as
 * lpk__value.size_bytes allows.  What the walker vouches for is that
 * size_bytes bytes can be read at lpk__value.ptr.
 */
#ifndef LPK_CORE_FORMAT_H
#define LPK_CORE_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lpk/format.h>

/** A bounded sink that counts what it could not hold, as snprintf does. */
struct lpk__out {
	char *buf;
	size_t size; /* of buf, the NUL included */
	size_t len;  /* of the text so far, had it all fitted */
};

/** What a conversion takes, and so what to fetch for it. */
enum lpk__kind {
	LPK__KIND_NONE,         /* nothing: a run of text */
	LPK__KIND_BAD,          /* unknown or cut: nothing, see below */
	LPK__KIND_INT,          /* int or unsigned; also what %hd and %c take */
	LPK__KIND_LONG,         /* long or unsigned long */
	LPK__KIND_LLONG,        /* long long or unsigned long long */
	LPK__KIND_SIZE,         /* size_t */
	LPK__KIND_PTRDIFF,      /* ptrdiff_t */
	LPK__KIND_INTMAX,       /* intmax_t or uintmax_t */
	LPK__KIND_CHAR,         /* int */
	LPK__KIND_DOUBLE,       /* double */
	LPK__KIND_LDOUBLE,      /* long double */
	LPK__KIND_STRING,       /* char pointer, the text read */
	LPK__KIND_POINTER,      /* pointer, only its number used */
	LPK__KIND_POINTER_EXT,  /* pointer, lpk__spec_ptr_bytes() bytes read */
	LPK__KIND_SKIP_INT,     /* wint_t: %lc, fetched and shown as bad */
	LPK__KIND_SKIP_POINTER, /* pointer: %n %ls, fetched, shown as bad */
};

/*
 * After LPK__KIND_BAD nobody knows which argument comes next.  A walker whose
 * arguments are not described by themselves (a va_list) must fetch no more,
 * and show later conversions with lpk__spec_render_bad().
 */

enum {
	LPK__SPEC_MINUS = 1 << 0,
	LPK__SPEC_PLUS = 1 << 1,
	LPK__SPEC_SPACE = 1 << 2,
	LPK__SPEC_ALT = 1 << 3,
	LPK__SPEC_ZERO = 1 << 4,
	LPK__SPEC_STAR_WIDTH = 1 << 5,
	LPK__SPEC_STAR_PRECISION = 1 << 6,
};

/** One run of text, or one conversion. */
struct lpk__spec {
	const char *text; /* as written in the format; not NUL-terminated */
	size_t text_len;
	int width;      /* 0 when not given; at most LPK_FORMAT_PAD_MAX */
	int precision;  /* -1 when not given; the same, but for strings */
	uint8_t flags;  /* LPK__SPEC_* */
	uint8_t kind;   /* enum lpk__kind */
	char conv;      /* the letter: 'd', 's', 'p', ... */
	char length;    /* 0 H(hh) h l q(ll) j z t L */
	uint8_t bytes;  /* of an integer: 1, 2, 4, 8; a reader of another
			 * machine's record puts that machine's size here */
	char ext;       /* of %p: 'I', 'i', 'M', 'm', 'U', 'e', 'h', or 0 */
	char ext_size;  /* of %pI and %pi: '4' or '6' */
	char ext_order; /* the letter after those, or 0 */
};

/** One fetched argument. */
struct lpk__value {
	/*
	 * An integer or char in its low bits (the rest does not matter); the
	 * bits of a double; the number of a pointer.
	 */
	uint64_t bits;
	/* LPK__KIND_STRING and _POINTER_EXT: where the bytes are now. */
	const void *ptr;
	/* How many can be read there; SIZE_MAX when the format says so. */
	size_t size_bytes;
};

/* A va_list that can be passed by address whatever type va_list has. */
struct lpk__args {
	va_list ap;
};

/**
 * lpk__out_init() - Start an empty text.
 * @out:        the sink
 * @buf:        where the text goes; may be NULL
 * @size_bytes: size of @buf
 */
void lpk__out_init(struct lpk__out *out, char *buf, size_t size_bytes);

/**
 * lpk__out_put() - Append bytes, as far as there is room.
 * @out: the sink
 * @src: the bytes
 * @len: their number; counted whether or not they fit
 */
void lpk__out_put(struct lpk__out *out, const char *src, size_t len);

/**
 * lpk__out_fill() - Append one byte some times, as far as there is room.
 * @out:   the sink
 * @c:     the byte
 * @count: how often; 0 or less is never
 */
void lpk__out_fill(struct lpk__out *out, char c, int count);

/**
 * lpk__out_finish() - End the text with a NUL, if the buffer has any size.
 * @out: the sink; more may be appended, and then it is finished again
 *
 * Return: the length that the whole text has; INT_MAX when it is longer.
 */
int lpk__out_finish(struct lpk__out *out);

/**
 * lpk__out_vformat() - Append a text formatted from a va_list.
 * @out: the sink
 * @fmt: the format; NULL reads "(null format)"
 * @end: its end, or NULL; a NUL byte ends it too
 * @ap:  the arguments; indeterminate afterwards
 */
void lpk__out_vformat(
    struct lpk__out *out, const char *fmt, const char *end, va_list ap);

/**
 * lpk__spec_next() - Take the next run of text or conversion off a format.
 * @spec:   filled in
 * @cursor: where to read; moved on
 * @end:    end of the format, or NULL; a NUL byte ends it too
 *
 * Progress: every call that returns true moves the cursor on.
 * Return:   false at the end of the format.
 */
bool lpk__spec_next(
    struct lpk__spec *spec, const char **cursor, const char *end);

/**
 * lpk__spec_width_set() - Give a conversion the width that its '*' stands for.
 * @spec:  the conversion
 * @width: the argument; a negative one means '-', as in C, but a negative
 *         number of bytes to dump is none
 */
void lpk__spec_width_set(struct lpk__spec *spec, int width);

/**
 * lpk__spec_precision_set() - The same for the '*' of a precision.
 * @spec:      the conversion
 * @precision: the argument; a negative one means none, as in C
 */
void lpk__spec_precision_set(struct lpk__spec *spec, int precision);

/**
 * lpk__spec_ptr_bytes() - How many bytes a %p extension reads.
 * @spec: a conversion, its width set
 *
 * Return: the number to copy for rendering later; 0 for all other conversions.
 */
size_t lpk__spec_ptr_bytes(const struct lpk__spec *spec);

/**
 * lpk__spec_render() - Append a run of text, or a conversion of a value.
 * @out:   the sink
 * @spec:  what to append, its width and precision set
 * @value: the argument, of kind @spec->kind; not read where that takes none
 */
void lpk__spec_render(struct lpk__out *out, const struct lpk__spec *spec,
    const struct lpk__value *value);

/**
 * lpk__spec_render_bad() - Append a conversion as written, marked by "%!".
 * @out:  the sink
 * @spec: the conversion
 */
void lpk__spec_render_bad(struct lpk__out *out, const struct lpk__spec *spec);

/*
 * Between the files of the formatter.
 */

/* Appends a text padded with spaces to the width. */
void lpk__spec_put_padded(struct lpk__out *out, const struct lpk__spec *spec,
    const char *text, size_t len);

/* Appends an integer: spec->conv is one of d i u o x X, or p. */
void lpk__spec_put_integer(
    struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits);

/* Takes a %p extension off the format, after the 'p'; in format_ptr.c. */
const char *lpk__ptr_parse(
    struct lpk__spec *spec, const char *cursor, const char *end);

/* Appends a %p extension; in format_ptr.c. */
void lpk__ptr_render(struct lpk__out *out, const struct lpk__spec *spec,
    const struct lpk__value *value);

/*
 * Where @bytes more can be written in place; else @spare, of that size. Then
 * lpk__out_wrote(), with what was written: it puts it where it belongs.
 */
static inline char *
lpk__out_room(const struct lpk__out *out, char *spare, size_t bytes)
{
	if (out->len >= out->size || out->size - out->len <= bytes)
		return spare;
	return out->buf + out->len;
}

static inline void
lpk__out_wrote(
    struct lpk__out *out, const char *spare, const char *begin, const char *end)
{
	if (begin == spare)
		lpk__out_put(out, spare, (size_t)(end - spare));
	else
		out->len += (size_t)(end - begin);
}

/*
 * How often eight bytes can be copied off @left of them, room for all in the
 * text. None where registers are smaller.
 */
static inline size_t
lpk__out_steps(const struct lpk__out *out, size_t left)
{
	size_t room;

	if (sizeof(size_t) < 8 || out->len >= out->size)
		return 0;
	room = out->size - out->len - 1;
	return (left < room ? left : room) / 8;
}

/*
 * Appends text and those conversions that most are, as far as these go, and
 * returns where something else comes.  Each takes 8 bytes off the @left words.
 */
const char *lpk__out_words(struct lpk__out *out, const char *text,
    const char *end, const unsigned char **words, size_t *left);

/* Most bytes of a decimal number. */
#define LPK__DECIMAL_MAX 20

/* Writes a number, spaces before it up to @width; returns its end. */
char *lpk__decimal_write(char *to, uint64_t number, int width);

/* Writes the last @width digits of a number; returns their end. */
char *lpk__decimals_write(char *to, uint32_t number, int width);

/*
 * The two below are in the format_float_*.c that the port chose: no other file
 * knows a floating-point type.
 */

/* Takes a double or long double off the arguments, as the bits of a double. */
uint64_t lpk__double_fetch(struct lpk__args *args, bool is_long);

/* Appends a double: spec->conv is one of f F e E g G a A. */
void lpk__double_render(
    struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits);

/* The character at the cursor, 0 at the end. */
static inline char
lpk__format_peek(const char *cursor, const char *end)
{
	return cursor == end ? '\0' : *cursor;
}

/*
 * Eight bytes at once, for machines whose registers hold them: the same byte
 * eight times; a mark (0x80) in each byte that is zero, and in no other; the
 * first of the marked bytes.
 */
#define LPK__BYTES(c) (UINT64_C(0x0101010101010101) * (unsigned char)(c))

static inline uint64_t
lpk__bytes_zero(uint64_t bytes)
{
	const uint64_t low = LPK__BYTES(0x7f);

	return ~(((bytes & low) + low) | bytes | low);
}

static inline unsigned int
lpk__bytes_first(uint64_t marks)
{
	return (unsigned int)(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
		       __builtin_ctzll(marks) :
		       __builtin_clzll(marks)) /
	    8;
}

#endif /* LPK_CORE_FORMAT_H */
