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

/* One line for a terminal. */
static void
put_safe(struct lpk__out *out, const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t begin = 0, i = 0, length;

	while (i < bytes) {
		if ((at[i] >= 0x20 && at[i] < 0x7f) || at[i] == '\t') {
			i++;
			continue;
		}
		length = at[i] >= 0xc2 ? sequence_bytes(at + i, bytes - i) : 0;
		if (length != 0) {
			i += length;
			continue;
		}
		lpk__out_put(out, text + begin, i - begin);
		put_hex(out, at[i]);
		begin = ++i;
	}
	lpk__out_put(out, text + begin, bytes - begin);
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
put_number(struct lpk__out *out, uint64_t value, unsigned int width, char pad)
{
	char digits[20];
	unsigned int count = 0;

	do {
		digits[sizeof(digits) - ++count] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	while (count < width && count < sizeof(digits))
		digits[sizeof(digits) - ++count] = pad;
	lpk__out_put(out, digits + sizeof(digits) - count, count);
}

static void
put_caller(struct lpk__out *out, uint32_t caller)
{
	char letter = caller & LPK_CALLER_HANDLER ? 'S' : 'T';

	lpk__out_put(out, &letter, 1);
	put_number(out, caller & ~LPK_CALLER_HANDLER, 0, ' ');
}

static void
put_prefix(struct lpk__out *out, const struct lpk_record *record,
    enum lpk_style style)
{
	uint64_t us = record->time_ns / 1000;

	if (style == LPK_STYLE_PRIO) {
		lpk__out_put(out, "<", 1);
		put_number(out,
		    (uint64_t)record->facility << 3 | record->level, 0, ' ');
		lpk__out_put(out, ">", 1);
	}
	lpk__out_put(out, "[", 1);
	put_number(out, us / 1000000, 5, ' ');
	lpk__out_put(out, ".", 1);
	put_number(out, us % 1000000, 6, '0');
	if (style == LPK_STYLE_CALLER) {
		struct lpk__out caller;
		char text[16];

		lpk__out_init(&caller, text, sizeof(text));
		put_caller(&caller, record->caller);
		lpk__out_put(out, "][", 2);
		lpk__out_fill(out, ' ', 6 - (int)caller.len);
		lpk__out_put(out, text, caller.len);
	}
	lpk__out_put(out, "] ", 2);
}

static void
put_lines(struct lpk__out *out, const struct lpk_record *record,
    const char *text, enum lpk_style style)
{
	size_t begin = 0, end;

	do {
		for (end = begin;
		     end < record->text_bytes && text[end] != '\n';)
			end++;
		put_prefix(out, record, style);
		put_safe(out, text + begin, end - begin);
		lpk__out_put(out, "\n", 1);
		begin = end + 1;
	} while (end < record->text_bytes);
}

static void
put_kmsg_record(
    struct lpk__out *out, const struct lpk_record *record, const char *text)
{
	const char *pair = text + record->text_bytes + 1;
	const char *end = pair + record->kv_bytes;
	char flag = record->flags & LPK_RECORD_CONT ? 'c' : '-';

	put_number(
	    out, (uint64_t)record->facility << 3 | record->level, 0, ' ');
	lpk__out_put(out, ",", 1);
	put_number(out, record->seq, 0, ' ');
	lpk__out_put(out, ",", 1);
	put_number(out, record->time_ns / 1000, 0, ' ');
	lpk__out_put(out, ",", 1);
	lpk__out_put(out, &flag, 1);
	lpk__out_put(out, ",caller=", 8);
	put_caller(out, record->caller);
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
	if (style == LPK_STYLE_KMSG)
		put_kmsg_record(&out, record, text);
	else
		put_lines(&out, record, text, style);
	lpk__out_finish(&out);
	return out.len;
}
