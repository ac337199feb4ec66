/* SPDX-License-Identifier: MIT */
/*
 * syslog_frame.c - a record as messages of syslog: RFC 3164 as libc's syslog(3)
 * writes it, or RFC 5424 with structured data.
 *
 * Text and values are UTF-8 as they are; what a terminal would obey, or what is
 * not UTF-8, is written as \xNN, so that a message is always one line.
 */
#include <string.h>

#include <lpk/format.h>
#include <lpk/port.h>

#include "syslog.h"

/* RFC 5424, section 6 */
#define MSGID_MAX 32
#define PARAM_NAME_MAX 32
#define HEAD_BYTES (LPK__SYSLOG_HOST_BYTES + LPK__SYSLOG_TAG_BYTES + 160)
#define DATA_BYTES 112
/* " part=\"4294967295/4294967295\"" */
#define MARK_BYTES 30
/* What a part holds of text or values, however long its header is. */
#define PART_MIN 64

struct out {
	char *bytes;
	size_t size_bytes;
	size_t length; /* of all of it, whether or not it fitted */
};

static void
put(struct out *out, const char *bytes, size_t count)
{
	if (out->length < out->size_bytes) {
		size_t room = out->size_bytes - out->length;

		memcpy(out->bytes + out->length, bytes,
		    count < room ? count : room);
	}
	out->length += count;
}

static void
put_string(struct out *out, const char *text)
{
	put(out, text, strlen(text));
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
	    point == 0x200e || point == 0x200f ||
	    (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069))
		return 0;
	return length;
}

static bool
plain(char c, bool quoted)
{
	if ((c < ' ' || c > '~') && c != '\t')
		return false;
	return !quoted || (c != '"' && c != '\\' && c != ']');
}

/* One character that is not plain, as it goes out. Its bytes in @text. */
static size_t
escape(
    const char *text, size_t bytes, bool quoted, char *code, size_t *code_bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char c = (unsigned char)text[0];
	size_t used = sequence_bytes((const unsigned char *)text, bytes), n = 0;

	if (used != 0) {
		memcpy(code, text, used);
		*code_bytes = used;
		return used;
	}
	code[n++] = '\\';
	if (quoted && plain(text[0], false)) {
		code[n++] = text[0];
	} else {
		/* A backslash in a value is written twice. */
		if (quoted)
			code[n++] = '\\';
		code[n++] = 'x';
		code[n++] = digits[c >> 4];
		code[n++] = digits[c & 15];
	}
	*code_bytes = n;
	return 1;
}

/* Put as much of a text as fits below @limit; returns how much that was. */
static size_t
put_escaped(
    struct out *out, size_t limit, const char *text, size_t bytes, bool quoted)
{
	size_t i = 0;

	while (i < bytes) {
		size_t room = limit > out->length ? limit - out->length : 0;
		size_t run = 0, used, code_bytes;
		char code[8];

		while (run < room && i + run < bytes &&
		    plain(text[i + run], quoted))
			run++;
		put(out, text + i, run);
		i += run;
		room -= run;
		if (i == bytes)
			break;
		if (room == 0 || plain(text[i], quoted))
			break;
		used = escape(text + i, bytes - i, quoted, code, &code_bytes);
		if (code_bytes > room)
			break;
		put(out, code, code_bytes);
		i += used;
	}
	return i;
}

/* The date of a day, days after 1970-01-01. The year begins in March here. */
static void
date_of(
    uint64_t day, unsigned int *year, unsigned int *month, unsigned int *mday)
{
	uint64_t era, of_era, of_year, years;

	day += 719468; /* days from 0000-03-01 */
	era = day / 146097;
	of_era = day % 146097;
	years =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	of_year = of_era - (365 * years + years / 4 - years / 100);
	*month = (unsigned int)((5 * of_year + 2) / 153);
	*mday = (unsigned int)(of_year - (153 * *month + 2) / 5 + 1);
	*month += *month < 10 ? 3 : -9u;
	*year = (unsigned int)(years + era * 400 + (*month <= 2));
}

static size_t
write_time(char *to, size_t size_bytes, const struct lpk__syslog_form *form,
    const struct lpk_record *record)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t us = record->realtime_ns / 1000;
	uint64_t s = us / 1000000 + (uint64_t)(int64_t)form->utc_offset_s;
	unsigned int year, month, day, of_day;
	unsigned int minutes =
	    (unsigned int)(form->utc_offset_s < 0 ? -form->utc_offset_s :
						    form->utc_offset_s) /
	    60;

	if (record->realtime_ns == 0)
		s = 0;
	date_of(s / 86400, &year, &month, &day);
	of_day = (unsigned int)(s % 86400);
	if (!form->rfc5424)
		return (size_t)lpk_snprintf(to, size_bytes,
		    "%.3s %2u %02u:%02u:%02u", months + 3 * (month - 1), day,
		    of_day / 3600, of_day / 60 % 60, of_day % 60);
	if (record->realtime_ns == 0)
		return (size_t)lpk_snprintf(to, size_bytes, "-");
	return (size_t)lpk_snprintf(to, size_bytes,
	    "%04u-%02u-%02uT%02u:%02u:%02u.%06u%c%02u:%02u", year, month, day,
	    of_day / 3600, of_day / 60 % 60, of_day % 60,
	    (unsigned int)(us % 1000000), form->utc_offset_s < 0 ? '-' : '+',
	    minutes / 60, minutes % 60);
}

/* What all the parts of a record have in common. */
struct heads {
	const struct lpk__syslog_form *form;
	char head[HEAD_BYTES];
	size_t head_bytes;
	char data[DATA_BYTES]; /* structured data, its element still open */
	size_t data_bytes;
	size_t cap; /* SIZE_MAX: no parts */
};

static void
write_data(struct heads *heads, const struct lpk_record *record)
{
	unsigned long pen = heads->form->pen;

	if (record->flags & LPK_RECORD_NOTICE)
		heads->data_bytes = (size_t)lpk_snprintf(heads->data,
		    sizeof(heads->data), "[lpk@%lu notice=\"1\"", pen);
	else
		heads->data_bytes =
		    (size_t)lpk_snprintf(heads->data, sizeof(heads->data),
			"[lpk@%lu seq=\"%llu\" caller=\"%c%lu\"", pen,
			(unsigned long long)record->seq,
			record->caller & LPK_CALLER_HANDLER ? 'S' : 'T',
			(unsigned long)(record->caller & ~LPK_CALLER_HANDLER));
}

static void
write_heads(struct heads *heads, const struct lpk_record *record, long process)
{
	const struct lpk__syslog_form *form = heads->form;
	unsigned int facility =
	    record->facility != 0 ? record->facility : form->facility;
	unsigned int priority = facility << 3 | (record->level & 7u);
	char when[48], id[MSGID_MAX + 1] = "-";

	write_time(when, sizeof(when), form, record);
	if (!form->rfc5424) {
		heads->head_bytes = (size_t)lpk_snprintf(heads->head,
		    sizeof(heads->head), "<%u>%s %s%s%s[%ld]: ", priority, when,
		    form->named ? form->host : "", form->named ? " " : "",
		    form->tag, process);
		return;
	}
	if (record->subsystem != NULL && record->subsystem[0] != '\0')
		lpk_snprintf(id, sizeof(id), "%s", record->subsystem);
	lpk__syslog_tidy(id, "");
	heads->head_bytes = (size_t)lpk_snprintf(heads->head,
	    sizeof(heads->head), "<%u>1 %s %s %s %ld %s ", priority, when,
	    form->host, form->tag, process, id);
	write_data(heads, record);
}

/* What is still to be put into frames. */
struct source {
	const char *pair; /* "KEY=value" */
	const char *pairs_end;
	size_t value_at; /* of the pair, what went before is out */
	const char *text;
	size_t text_bytes;
};

static size_t
param_name(char *name, const char *key, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes && i < PARAM_NAME_MAX; i++) {
		char c = key[i];

		name[i] = c <= ' ' || c > '~' || c == '"' || c == ']' ? '_' : c;
	}
	return i;
}

/* A value too long for this frame goes on in the next, under the same name. */
static void
put_pairs(struct out *out, size_t limit, struct source *source)
{
	while (source->pair < source->pairs_end) {
		size_t most = (size_t)(source->pairs_end - source->pair);
		size_t bytes = strnlen(source->pair, most);
		const char *equals = memchr(source->pair, '=', bytes);
		size_t key_bytes, name_bytes, value_bytes;
		char name[PARAM_NAME_MAX];

		if (equals != NULL && equals != source->pair) {
			key_bytes = (size_t)(equals - source->pair);
			name_bytes = param_name(name, source->pair, key_bytes);
			value_bytes = bytes - key_bytes - 1 - source->value_at;
			if (limit < out->length + name_bytes + 12)
				return;
			put_string(out, " ");
			put(out, name, name_bytes);
			put_string(out, "=\"");
			most = put_escaped(out, limit - 1,
			    equals + 1 + source->value_at, value_bytes, true);
			put_string(out, "\"");
			source->value_at += most;
			if (most != value_bytes)
				return;
		}
		source->pair += bytes + 1;
		source->value_at = 0;
	}
}

/* @part: its number, 0 when there is only one */
static void
put_part(struct out *out, const struct heads *heads, struct source *source,
    unsigned int part, unsigned int parts)
{
	bool structured = heads->form->rfc5424;
	size_t begin = out->length, limit = heads->cap, taken;
	char digits[MARK_BYTES + 1];

	put(out, "00000000 ", LPK__SYSLOG_LENGTH_BYTES);
	put(out, heads->head, heads->head_bytes);
	put(out, heads->data, heads->data_bytes);
	if (part != 0) {
		lpk_snprintf(digits, sizeof(digits),
		    structured ? " part=\"%u/%u\"" : "[part %u/%u] ", part,
		    parts);
		put_string(out, digits);
		/* The same room, however many digits there are. */
		limit += begin + LPK__SYSLOG_LENGTH_BYTES + strlen(digits);
		limit -= MARK_BYTES;
		if (limit < out->length + PART_MIN)
			limit = out->length + PART_MIN;
	}
	if (structured) {
		put_pairs(out, limit - 5, source);
		put_string(out, "]");
	}
	if (source->pair >= source->pairs_end) {
		if (structured && source->text_bytes != 0)
			put_string(
			    out, heads->form->bom ? " \xef\xbb\xbf" : " ");
		taken = put_escaped(
		    out, limit, source->text, source->text_bytes, false);
		source->text += taken;
		source->text_bytes -= taken;
	}
	lpk_snprintf(digits, sizeof(digits), "%08lu",
	    (unsigned long)(out->length - begin - LPK__SYSLOG_LENGTH_BYTES));
	if (begin + LPK__SYSLOG_LENGTH_BYTES <= out->size_bytes)
		memcpy(
		    out->bytes + begin, digits, LPK__SYSLOG_LENGTH_BYTES - 1);
}

/* @parts: how many there are; returns how many there were. */
static unsigned int
put_parts(struct out *out, const struct heads *heads,
    const struct lpk_record *record, const char *text, unsigned int parts)
{
	const char *pairs = text + record->text_bytes + 1;
	struct source source = {
	    .pair = pairs,
	    .pairs_end = pairs + record->kv_bytes,
	    .text = text,
	    .text_bytes = record->text_bytes,
	};
	unsigned int part = 0;

	/* RFC 3164 has no place for them. */
	if (!heads->form->rfc5424)
		source.pair = source.pairs_end;
	if (heads->cap == SIZE_MAX) {
		put_part(out, heads, &source, 0, 0);
		return 1;
	}
	do {
		put_part(out, heads, &source, ++part, parts);
	} while (source.text_bytes != 0 || source.pair < source.pairs_end);
	return part;
}

void
lpk__syslog_tidy(char *word, const char *unwanted)
{
	for (; *word != '\0'; word++) {
		if (*word <= ' ' || *word > '~' ||
		    strchr(unwanted, *word) != NULL)
			*word = '_';
	}
}

size_t
lpk__syslog_frames(const struct lpk__syslog_form *form, long process,
    const struct lpk_record *record, const char *text, char *out_bytes,
    size_t size_bytes)
{
	struct out out = {out_bytes, size_bytes, 0}, nowhere = {NULL, 0, 0};
	struct heads heads;

	heads.form = form;
	heads.data_bytes = 0;
	heads.cap = SIZE_MAX;
	write_heads(&heads, record, process);
	put_parts(&out, &heads, record, text, 0);
	if (out.length <= LPK__SYSLOG_LENGTH_BYTES + (size_t)form->cap)
		return out.length;
	heads.cap = form->cap;
	out.length = 0;
	put_parts(&out, &heads, record, text,
	    put_parts(&nowhere, &heads, record, text, 0));
	return out.length;
}
