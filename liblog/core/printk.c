/* SPDX-License-Identifier: MIT */
/*
 * printk.c - from a call to a record: render the text on the caller's stack,
 * reserve exactly what it takes, copy, commit. The window in which a record is
 * unfinished is a copy long.
 */
#include "printk.h"

#include <lpk/port.h>

#include "clock.h"
#include "format.h"
#include "record.h"
#include "ring.h"

/* What a cut text ends in. */
static const char cut_mark[] = "<truncated>";

/* A message on its way; the payload of its record. */
struct message {
	struct lpk_log *log;
	uint32_t level;
	uint32_t facility;
	uint32_t flags;
	uint32_t bytes;
	char payload[LPK_TEXT_MAX + 1];
};

void
lpk__store(
    struct lpk_log *log, uint32_t meta, uint32_t site, const char *payload)
{
	struct lpk__slot slot;
	uint32_t lane = lpk_port_lane();
	uint32_t bytes = lpk__meta_bytes(meta);
	uint64_t time;
	uint32_t who[2];

	if (lane >= log->geometry.lanes)
		lane %= log->geometry.lanes;
	if (!lpk__ring_reserve(log, lane, lpk__record_units(bytes), &slot))
		return;
	/* After the reservation, so that time follows order in a lane. */
	time = lpk_port_clock();
	lpk__write64(slot.words, time);
	who[0] = lpk_port_caller();
	who[1] = meta;
	lpk__words_write(
	    slot.words + 8 / sizeof(*slot.words), who, sizeof(who));
	lpk__payload_write(slot.words, site, payload, bytes);
	lpk__ring_commit(&slot);
	/*
	 * LMM(store:A)
	 * The commit before the look for sleepers. Pairs with announce:A, whose
	 * full barrier runs on every CPU: either the sleeper sees the record,
	 * or we see the sleeper.
	 */
	lpk_fence_light();
	if (LPK_UNLIKELY(lpk_load_relaxed(&log->waiters) != 0))
		lpk_port_wake(log);
	lpk__clock_check(log, time);
}

/* Where a text that is too long may be cut: not inside a UTF-8 sequence. */
static uint32_t
cut_at(const char *text, uint32_t bytes)
{
	uint32_t at = bytes;

	while (at > 0 && bytes - at < 4 && (text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/*
 * Take over what was rendered at the end of the payload: cut and mark it if it
 * was too long, take off the newline.
 */
static void
end_text(struct message *message, uint32_t begin, uint32_t room, size_t length)
{
	char *text = message->payload + begin;
	uint32_t bytes = (uint32_t)length;

	if (length > room) {
		bytes = cut_at(text, room - (uint32_t)sizeof(cut_mark) + 1);
		__builtin_memcpy(text + bytes, cut_mark, sizeof(cut_mark) - 1);
		bytes += (uint32_t)sizeof(cut_mark) - 1;
		message->flags |= LPK_RECORD_TRUNCATED;
		message->flags &= ~LPK_RECORD_OPEN;
	} else if (bytes > 0 && text[bytes - 1] == '\n') {
		bytes--;
		message->flags &= ~LPK_RECORD_OPEN;
	}
	message->bytes = begin + bytes;
}

/* A level by its number; -1 for what is none. */
static int
kern_level(const char *format)
{
	if (format[0] != '\001' || format[1] == '\0')
		return -1;
	return format[1] >= '0' && format[1] <= '7' ? format[1] - '0' :
						      LPK_INFO;
}

uint32_t
lpk__site_level(const struct lpk_site *site)
{
	int level;

	if ((site->flags & LPK_SITE_KERN) == 0)
		return site->level;
	level = site->format == NULL ? -1 : kern_level(site->format);
	return level < 0 ? (uint32_t)LPK_WARN : (uint32_t)level;
}

/* What a site says about its messages; the format without its KERN_x. */
static const char *
begin_site(
    struct message *message, const struct lpk_site *site, const char *format)
{
	message->facility = 0;
	message->flags = 0;
	message->level = site->level;
	if (site->flags & LPK_SITE_CONT)
		message->flags |= LPK_RECORD_CONT;
	if (site->flags & LPK_SITE_OPEN)
		message->flags |= LPK_RECORD_OPEN;
	if ((site->flags & LPK_SITE_KERN) == 0)
		return format;
	message->level = LPK_WARN;
	message->flags |= LPK_RECORD_OPEN;
	if (format != NULL && kern_level(format) >= 0) {
		message->level = (uint32_t)kern_level(format);
		if (format[1] == 'c')
			message->flags |= LPK_RECORD_CONT;
		format += 2;
	}
	return format;
}

static void
render(struct message *message, uint32_t begin, const char *prefix,
    const char *format, va_list arguments)
{
	struct lpk__out out;
	uint32_t room = LPK_TEXT_MAX - begin;

	lpk__out_init(&out, message->payload + begin, room + 1);
	if (prefix != NULL)
		lpk__out_put(&out, prefix, lpk__string_bytes(prefix));
	lpk__out_vformat(&out, format, NULL, arguments);
	lpk__out_finish(&out);
	end_text(message, begin, room, out.len);
}

static void
send(struct message *message, struct lpk_log *log)
{
	lpk__store(log != NULL ? log : lpk_default_log(),
	    lpk__meta(message->bytes, message->level, message->facility,
		message->flags),
	    0, message->payload);
}

void
lpk_vwrite(struct lpk_log *log, enum lpk_level level, const char *format,
    va_list arguments)
{
	struct message message;

	message.level = (uint32_t)level & 7;
	if ((uint32_t)level > LPK_DEBUG)
		message.level = LPK_DEBUG;
	message.facility = 0;
	message.flags = 0;
	render(&message, 0, NULL, format, arguments);
	send(&message, log);
}

void
lpk_write(struct lpk_log *log, enum lpk_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lpk_vwrite(log, level, format, arguments);
	va_end(arguments);
}

void
lpk__printk(
    struct lpk_log *log, struct lpk_site *site, const char *format, ...)
{
	struct message message;
	va_list arguments;

	format = begin_site(&message, site, format);
	va_start(arguments, format);
	render(&message, 0, site->prefix, format, arguments);
	va_end(arguments);
	send(&message, log);
}

/* A key is a name: capitals, digits, underscores. */
static void
put_key(struct lpk__out *out, const char *key)
{
	for (; *key != '\0'; key++) {
		char c = *key;

		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9'))
			c = '_';
		lpk__out_put(out, &c, 1);
	}
}

/* Append the pairs that fit, each "KEY=value" and a NUL. */
static void
put_pairs(struct message *message, const char *const *pairs)
{
	struct lpk__out out;

	for (; pairs[0] != NULL; pairs += 2) {
		const char *value = pairs[1] != NULL ? pairs[1] : "(null)";

		lpk__out_init(&out, message->payload + message->bytes,
		    LPK_TEXT_MAX + 1 - message->bytes);
		put_key(&out, pairs[0]);
		lpk__out_put(&out, "=", 1);
		lpk__out_put(&out, value, lpk__string_bytes(value) + 1);
		if (out.len + message->bytes > LPK_TEXT_MAX)
			message->flags |= LPK_RECORD_TRUNCATED;
		else
			message->bytes += (uint32_t)out.len;
		if (pairs[1] == NULL)
			break;
	}
}

void
lpk__printk_kv(struct lpk_log *log, struct lpk_site *site,
    const char *const *pairs, const char *format, ...)
{
	struct message message;
	va_list arguments;
	uint16_t text_bytes;

	format = begin_site(&message, site, format);
	va_start(arguments, format);
	render(&message, sizeof(text_bytes), site->prefix, format, arguments);
	va_end(arguments);
	text_bytes = (uint16_t)(message.bytes - sizeof(text_bytes));
	__builtin_memcpy(message.payload, &text_bytes, sizeof(text_bytes));
	message.flags |= LPK_RECORD_KV;
	if (pairs != NULL)
		put_pairs(&message, pairs);
	send(&message, log);
}

void
lpk_inject(struct lpk_log *log, enum lpk_level level, uint32_t facility,
    const char *text, size_t size_bytes)
{
	struct message message;
	struct lpk__out out;
	size_t i;

	message.level = (uint32_t)level > LPK_DEBUG ? LPK_DEBUG :
						      (uint32_t)level;
	message.facility = facility >= 1 && facility <= 23 ? facility : 1;
	message.flags = LPK_RECORD_INJECTED;
	lpk__out_init(&out, message.payload, sizeof(message.payload));
	for (i = 0; text != NULL && i < size_bytes; i++) {
		if (text[i] == '\0')
			lpk__out_put(&out, "\xef\xbf\xbd", 3);
		else
			lpk__out_put(&out, text + i, 1);
	}
	lpk__out_finish(&out);
	end_text(&message, 0, LPK_TEXT_MAX, out.len);
	send(&message, log);
}

/* One line of a dump: "prefix00000010: 68 65 6c ...  hel" */
static void
dump_line(struct lpk_log *log, enum lpk_level level, const char *prefix,
    const unsigned char *bytes, size_t offset, int count)
{
	char text[16 + 1];
	int i;

	for (i = 0; i < count; i++) {
		unsigned char c = bytes[offset + (size_t)i];

		text[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
	}
	text[count] = '\0';
	lpk_write(log, level, "%s%08lx: %*ph%*s  %s", prefix,
	    (unsigned long)offset, count, (const void *)(bytes + offset),
	    3 * (16 - count), "", text);
}

void
lpk_hex_dump(struct lpk_log *log, enum lpk_level level, const char *prefix,
    const void *bytes, size_t size_bytes)
{
	const size_t most = 65536;
	size_t shown = size_bytes < most ? size_bytes : most;
	size_t offset;

	if (prefix == NULL)
		prefix = "";
	if (bytes == NULL) {
		lpk_write(log, level, "%s(null)", prefix);
		return;
	}
	for (offset = 0; offset < shown; offset += 16) {
		size_t left = shown - offset;

		dump_line(log, level, prefix, bytes, offset,
		    left < 16 ? (int)left : 16);
	}
	if (shown < size_bytes)
		lpk_write(log, level, "%s%08lx: %lu more bytes not shown",
		    prefix, (unsigned long)shown,
		    (unsigned long)(size_bytes - shown));
}
