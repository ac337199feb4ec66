/* SPDX-License-Identifier: MIT */
/*
 * output_data.c - records as JSON, and in the journal's export format.
 */
#include "output_data.h"

#include <ctype.h>
#include <string.h>

#include <lpk/port.h>

#include "lists.h"

/* ---- JSON ---- */

/*
 * The UTF-8 sequence at the beginning of a text: its code point and how many
 * bytes it has; 0: none.
 */
static size_t
sequence(const unsigned char *text, size_t left, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2, i;

	if (text[0] < 0xc2 || text[0] > 0xf4 || length > left)
		return 0;
	*point = text[0] & (0xffu >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text[i] & 0x3fu);
	}
	if (*point < least[length] || *point > 0x10ffff ||
	    (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return length;
}

/* Controls, and marks that turn the direction of what comes after. */
static bool
escaped(uint32_t point)
{
	return point < 0xa0 || point == 0x61c || point == 0x200e ||
	    point == 0x200f || (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069);
}

void
json_string(FILE *stream, const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t point = 0;
	size_t i = 0, length;

	fputc('"', stream);
	while (i < bytes) {
		if (at[i] < 0x20 || at[i] == 0x7f) {
			fprintf(stream, "\\u%04x", at[i]);
			i++;
		} else if (at[i] < 0x80) {
			if (at[i] == '"' || at[i] == '\\')
				fputc('\\', stream);
			fputc(at[i++], stream);
		} else {
			length = sequence(at + i, bytes - i, &point);
			if (length == 0)
				fputs("\\ufffd", stream);
			else if (escaped(point))
				fprintf(stream, "\\u%04x", (unsigned int)point);
			else
				fwrite(at + i, 1, length, stream);
			i += length != 0 ? length : 1;
		}
	}
	fputc('"', stream);
}

/* What stands between two members. */
struct json {
	FILE *stream;
	const char *between;
	const char *next;
};

static void
member(struct json *json, const char *name)
{
	fprintf(json->stream, "%s\"%s\": ", json->next, name);
	json->next = json->between;
}

static void
member_number(struct json *json, const char *name, uint64_t value)
{
	member(json, name);
	fprintf(json->stream, "%llu", (unsigned long long)value);
}

static void
member_string(struct json *json, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	member(json, name);
	json_string(json->stream, text, strlen(text));
}

/* "KEY=value" strings, each with its NUL. */
static void
member_pairs(struct json *json, const struct entry *entry)
{
	const char *pair = entry->text + entry->record.text_bytes + 1;
	const char *end = pair + entry->record.kv_bytes;
	const char *next = "";

	if (entry->record.kv_bytes == 0)
		return;
	member(json, "fields");
	fputc('{', json->stream);
	while (pair < end) {
		size_t length = strnlen(pair, (size_t)(end - pair));
		const char *equals = memchr(pair, '=', length);
		size_t name = equals != NULL ? (size_t)(equals - pair) : length;

		fputs(next, json->stream);
		json_string(json->stream, pair, name);
		fputs(": ", json->stream);
		json_string(json->stream, equals != NULL ? equals + 1 : "",
		    equals != NULL ? length - name - 1 : 0);
		next = ", ";
		pair += length + 1;
	}
	fputc('}', json->stream);
}

static void
json_members(struct json *json, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;
	char caller[16];

	member_number(json, "seq", record->seq);
	if (record->realtime_ns != 0)
		member_number(json, "realtime_us", record->realtime_ns / 1000);
	if (entry->lost != 0) {
		member_number(json, "lost", entry->lost);
		return;
	}
	member_string(json, "level", level_name(record->level));
	member_string(json, "facility", facility_name(record->facility));
	snprintf(caller, sizeof(caller), "%c%lu",
	    record->caller & LPK_CALLER_HANDLER ? 'S' : 'T',
	    (unsigned long)(record->caller & ~LPK_CALLER_HANDLER));
	member_string(json, "caller", caller);
	member_string(json, "thread", record->thread);
	if (entry->session->pid != 0)
		member_number(json, "pid", entry->session->pid);
	member_string(json, "program", entry->session->program);
	member_string(json, "subsystem", record->subsystem);
	member_string(json, "file", record->file);
	if (record->line != 0)
		member_number(json, "line", record->line);
	member_string(json, "function", record->function);
	if (record->flags & LPK_RECORD_TRUNCATED)
		member_number(json, "truncated", 1);
	if (record->flags & LPK_RECORD_CONT)
		member_number(json, "continues", 1);
	member_pairs(json, entry);
}

void
output_json(struct output *output, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;
	bool list = output->kind == OUTPUT_JSON_LIST;
	unsigned long long us = record->time_ns / 1000;
	struct json json = {.stream = output->stream};

	json.between = list ? ",\n         " : ", ";
	json.next = list ? "         " : "";
	if (list)
		fputs(output->begun ? ",{\n" : "{\n   \"dmesg\": [\n      {\n",
		    output->stream);
	else
		fputc('{', output->stream);
	if (entry->lost == 0) {
		member_number(&json, "pri",
		    (uint64_t)record->facility << 3 | record->level);
		member(&json, "time");
		fprintf(
		    output->stream, "%5llu.%06llu", us / 1000000, us % 1000000);
		member(&json, "msg");
		json_string(output->stream, entry->text, record->text_bytes);
	}
	json_members(&json, entry);
	fputs(list ? "\n      }" : "}\n", output->stream);
}

/* ---- the journal's export format ---- */

/* A name of the journal: capital letters, digits, underscores. */
static void
export_name(FILE *stream, const char *name, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)name[i];

		fputc(c < 0x80 && isalnum(c) ? toupper(c) : '_', stream);
	}
}

/* "NAME=value", or where the value has lines, its bytes and their number. */
static void
export_bytes(FILE *stream, const char *value, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c < 0x20 && c != '\t')
			break;
	}
	if (i == bytes) {
		fputc('=', stream);
	} else {
		fputc('\n', stream);
		for (i = 0; i < 8; i++)
			fputc((int)((uint64_t)bytes >> (8 * i) & 0xff), stream);
	}
	fwrite(value, 1, bytes, stream);
	fputc('\n', stream);
}

static void
export_text(FILE *stream, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	fputs(name, stream);
	export_bytes(stream, text, strlen(text));
}

static void
export_hex(FILE *stream, const char *name, const unsigned char id[16])
{
	static const unsigned char none[16];
	int i;

	if (memcmp(id, none, sizeof(none)) == 0)
		return;
	fprintf(stream, "%s=", name);
	for (i = 0; i < 16; i++)
		fprintf(stream, "%02x", id[i]);
	fputc('\n', stream);
}

static void
export_pairs(FILE *stream, const struct entry *entry)
{
	const char *pair = entry->text + entry->record.text_bytes + 1;
	const char *end = pair + entry->record.kv_bytes;

	while (pair < end) {
		size_t length = strnlen(pair, (size_t)(end - pair));
		const char *equals = memchr(pair, '=', length);

		if (equals != NULL && equals != pair) {
			/* A prefix: names of the journal's own are not ours. */
			fputs("LPK_KV_", stream);
			export_name(stream, pair, (size_t)(equals - pair));
			export_bytes(stream, equals + 1,
			    length - (size_t)(equals - pair) - 1);
		}
		pair += length + 1;
	}
}

static void
export_place(FILE *stream, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;

	fprintf(stream, "PRIORITY=%u\n", record->level);
	if (record->facility != 0)
		fprintf(stream, "SYSLOG_FACILITY=%u\n", record->facility);
	fprintf(stream, "TID=%lu\n",
	    (unsigned long)(record->caller & ~LPK_CALLER_HANDLER));
	export_text(stream, "THREAD_NAME", record->thread);
	export_text(stream, "CODE_FILE", record->file);
	if (record->line != 0)
		fprintf(stream, "CODE_LINE=%lu\n", (unsigned long)record->line);
	export_text(stream, "CODE_FUNC", record->function);
	export_text(stream, "LPK_SUBSYSTEM", record->subsystem);
	export_pairs(stream, entry);
}

void
output_export(struct output *output, const struct entry *entry)
{
	const struct lpk_record *record = &entry->record;
	FILE *stream = output->stream;
	char text[64];

	fprintf(stream,
	    "__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%llu\n",
	    (unsigned long long)(record->realtime_ns / 1000),
	    (unsigned long long)(record->time_ns / 1000));
	export_hex(stream, "_BOOT_ID", entry->session->boot);
	export_hex(stream, "LPK_SESSION", entry->session->id);
	fprintf(stream, "LPK_SEQ=%llu\n", (unsigned long long)record->seq);
	export_text(stream, "SYSLOG_IDENTIFIER", entry->session->program);
	if (entry->session->pid != 0)
		fprintf(stream, "SYSLOG_PID=%lu\n",
		    (unsigned long)entry->session->pid);
	if (entry->lost != 0) {
		snprintf(text, sizeof(text),
		    "** %llu printk messages dropped **",
		    (unsigned long long)entry->lost);
		fprintf(stream, "MESSAGE=%s\nPRIORITY=4\nLPK_LOST=%llu\n", text,
		    (unsigned long long)entry->lost);
	} else {
		fputs("MESSAGE", stream);
		export_bytes(stream, entry->text, record->text_bytes);
		export_place(stream, entry);
	}
	fputc('\n', stream);
}
