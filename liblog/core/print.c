/* SPDX-License-Identifier: MIT */
/*
 * print.c - a record as lines of text: the kernel's console format and that of
 * /dev/kmsg. Control bytes are escaped here, at output, so that the log itself
 * holds what the program said.
 */
#include <lpk/format.h>
#include <lpk/port.h>
#include <lpk/reader.h>

#include "format.h"

static void
put_hex(struct lpk__out *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	char text[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

	lpk__out_put(out, text, sizeof(text));
}

/*
 * Bytes of the UTF-8 sequence at the beginning of a text, 0 if there is none
 * that a terminal should see: C1 controls, surrogates, overlong forms, marks
 * that turn the direction of the text.
 */
static size_t
sequence_bytes(const unsigned char *text, size_t left)
{
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2, i;
	uint32_t point = text[0] & (0xffu >> (length + 1));

	if (text[0] < 0xc2 || text[0] > 0xf4 || length > left)
		return 0;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3fu);
	}
	if (point < 0xa0 || (length == 3 && point < 0x800) ||
	    (length == 4 && (point < 0x10000 || point > 0x10ffff)) ||
	    (point >= 0xd800 && point <= 0xdfff) || point == 0x61c ||
	    point == 0x200e || point == 0x200f || point == 0x2028 ||
	    point == 0x2029 || (point >= 0x202a && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069))
		return 0;
	return length;
}

/* Marks (0x80) on those of eight bytes that are not printable ASCII. */
static inline uint64_t
odd_bytes(uint64_t bytes)
{
	uint64_t low = bytes & LPK__BYTES(0x7f);

	/* From 0x20 on the first sum reaches 0x80, at 0x7f the second does. */
	return (~(low + LPK__BYTES(0x80 - 0x20)) | (low + LPK__BYTES(1)) |
		   bytes) &
	    LPK__BYTES(0x80);
}

static inline void
put_byte(struct lpk__out *out, char byte)
{
	if (out->len < out->size && out->size - out->len > 1)
		out->buf[out->len] = byte;
	out->len++;
}

/*
 * Appends the bytes up to one that not every terminal shows as it is; returns
 * how many. Where there is room they are copied as they are looked at: of the
 * last eight those that are too many are written over by what comes next.
 */
static inline size_t
put_plain(struct lpk__out *out, const unsigned char *text, size_t bytes)
{
	size_t steps = lpk__out_steps(out, bytes), i = 0, begin;
	char *buf = out->buf;
	uint64_t eight, odd;

	for (; steps != 0; steps--) {
		__builtin_memcpy(&eight, text + i, 8);
		__builtin_memcpy(buf + out->len + i, &eight, 8);
		odd = odd_bytes(eight);
		if (odd != 0) {
			i += lpk__bytes_first(odd);
			break;
		}
		/* Not a sum with what was found: the next load would wait. */
		i += 8;
	}
	out->len += i;
	for (begin = i; i < bytes; i++) {
		if ((text[i] < 0x20 || text[i] >= 0x7f) && text[i] != '\t')
			break;
	}
	if (i != begin)
		lpk__out_put(out, (const char *)text + begin, i - begin);
	return i;
}

/* One line for /dev/kmsg, which escapes all that is not printable ASCII. */
static void
put_kmsg(struct lpk__out *out, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f || c == '\\')
			put_hex(out, c);
		else
			lpk__out_put(out, text + i, 1);
	}
}

static void
put_number(struct lpk__out *out, uint64_t value)
{
	char text[LPK__DECIMAL_MAX];
	char *end = lpk__decimal_write(text, value, 0);

	lpk__out_put(out, text, (size_t)(end - text));
}

#define CALLER_MAX (1 + LPK__DECIMAL_MAX)

static char *
write_caller(char *to, uint32_t caller)
{
	*to++ = caller & LPK_CALLER_HANDLER ? 'S' : 'T';
	return lpk__decimal_write(to, caller & ~LPK_CALLER_HANDLER, 0);
}

/* "][ T1234": what goes before the caller makes it six characters wide. */
static char *
write_caller_column(char *to, uint32_t caller)
{
	char text[CALLER_MAX];
	size_t length = (size_t)(write_caller(text, caller) - text), pad;

	*to++ = ']';
	*to++ = '[';
	for (pad = length; pad < 6; pad++)
		*to++ = ' ';
	__builtin_memcpy(to, text, length);
	return to + length;
}

/* "<1234>[12345678901.123456][T2147483647] " */
#define PREFIX_MAX (6 + 1 + 2 * LPK__DECIMAL_MAX + 1 + 2 + CALLER_MAX + 2)

static char *
write_prefix(char *to, const struct lpk_record *record, enum lpk_style style)
{
	uint64_t us = record->time_ns / 1000, seconds = us / 1000000;

	if (style == LPK_STYLE_PRIO) {
		*to++ = '<';
		to = lpk__decimal_write(
		    to, (uint64_t)record->facility << 3 | record->level, 0);
		*to++ = '>';
	}
	*to++ = '[';
	to = lpk__decimal_write(to, seconds, 5);
	*to++ = '.';
	to = lpk__decimals_write(to, (uint32_t)(us - seconds * 1000000), 6);
	if (style == LPK_STYLE_CALLER)
		to = write_caller_column(to, record->caller);
	*to++ = ']';
	*to++ = ' ';
	return to;
}

static void
put_prefix(
    struct lpk__out *out, const struct lpk_record *record, enum lpk_style style)
{
	char spare[PREFIX_MAX];
	char *begin = lpk__out_room(out, spare, sizeof(spare));

	lpk__out_wrote(out, spare, begin, write_prefix(begin, record, style));
}

/* Lines for a terminal, in one pass over the text. */
static void
put_lines(struct lpk__out *out, const struct lpk_record *record,
    const char *text, enum lpk_style style)
{
	const unsigned char *at = (const unsigned char *)text;
	const unsigned char *end = at + record->text_bytes;
	size_t length;

	put_prefix(out, record, style);
	while (at += put_plain(out, at, (size_t)(end - at)), at != end) {
		length =
		    *at >= 0xc2 ? sequence_bytes(at, (size_t)(end - at)) : 0;
		if (length != 0) {
			lpk__out_put(out, (const char *)at, length);
			at += length;
		} else if (*at++ != '\n') {
			put_hex(out, at[-1]);
		} else {
			put_byte(out, '\n');
			put_prefix(out, record, style);
		}
	}
	put_byte(out, '\n');
}

static void
put_kmsg_record(
    struct lpk__out *out, const struct lpk_record *record, const char *text)
{
	const char *pair = text + record->text_bytes + 1;
	const char *end = pair + record->kv_bytes;
	char flag = record->flags & LPK_RECORD_CONT ? 'c' : '-';
	char caller[CALLER_MAX];

	put_number(out, (uint64_t)record->facility << 3 | record->level);
	lpk__out_put(out, ",", 1);
	put_number(out, record->seq);
	lpk__out_put(out, ",", 1);
	put_number(out, record->time_ns / 1000);
	lpk__out_put(out, ",", 1);
	lpk__out_put(out, &flag, 1);
	lpk__out_put(out, ",caller=", 8);
	lpk__out_put(out, caller,
	    (size_t)(write_caller(caller, record->caller) - caller));
	lpk__out_put(out, ";", 1);
	put_kmsg(out, text, record->text_bytes);
	lpk__out_put(out, "\n", 1);
	while (pair < end) {
		size_t length = 0;

		while (pair + length < end && pair[length] != '\0')
			length++;
		lpk__out_put(out, " ", 1);
		put_kmsg(out, pair, length);
		lpk__out_put(out, "\n", 1);
		pair += length + 1;
	}
}

size_t
lpk_record_print(const struct lpk_record *record, const char *text,
    enum lpk_style style, char *line, size_t size_bytes)
{
	struct lpk__out out;

	lpk__out_init(&out, line, size_bytes);
	if (record == NULL || text == NULL) {
		lpk__out_finish(&out);
		return 0;
	}
	if (style == LPK_STYLE_KMSG)
		put_kmsg_record(&out, record, text);
	else
		put_lines(&out, record, text, style);
	lpk__out_finish(&out);
	return out.len;
}
