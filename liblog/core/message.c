/* SPDX-License-Identifier: MIT */
/*
 * message.c - what every rendered message goes through: its level and flags,
 * the end of its text, its way into the log.
 */
#include "message.h"

#include "store.h"

/* What a cut text ends in. */
static const char cut_mark[] = "<truncated>";

/* Where a text that is too long may be cut: not inside a UTF-8 sequence. */
static uint32_t
cut_at(const char *text, uint32_t bytes)
{
	uint32_t at = bytes;

	while (at > 0 && bytes - at < 4 && (text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

uint32_t
lpk__text_end(char *text, uint32_t room, size_t length, uint32_t *flags)
{
	const uint32_t mark = (uint32_t)sizeof(cut_mark) - 1;
	uint32_t bytes = (uint32_t)length;

	if (length > room) {
		bytes = room > mark ? cut_at(text, room - mark) : 0;
		if (room >= mark) {
			__builtin_memcpy(text + bytes, cut_mark, mark);
			bytes += mark;
		}
		*flags |= LPK_RECORD_TRUNCATED;
		*flags &= ~LPK_RECORD_OPEN;
	} else if (bytes > 0 && text[bytes - 1] == '\n') {
		bytes--;
		*flags &= ~LPK_RECORD_OPEN;
	}
	return bytes;
}

/* A level by its number; -1 where there is no KERN_x. */
static int
kern_level(const char *format)
{
	if (format == NULL || format[0] != '\001' || format[1] == '\0')
		return -1;
	return format[1] >= '0' && format[1] <= '7' ? format[1] - '0' :
						      LPK_INFO;
}

const char *
lpk__kern_skip(const char *format)
{
	return kern_level(format) >= 0 ? format + 2 : format;
}

static uint32_t
level_of(const struct lpk_site *site, const char *format)
{
	int level;

	if ((site->flags & LPK_SITE_KERN) == 0)
		return site->level;
	level = kern_level(format);
	return level < 0 ? (uint32_t)LPK_WARN : (uint32_t)level;
}

static uint32_t
flags_of(const struct lpk_site *site, const char *format)
{
	uint32_t flags = 0;

	if (site->flags & LPK_SITE_CONT)
		flags |= LPK_RECORD_CONT;
	if (site->flags & (LPK_SITE_OPEN | LPK_SITE_KERN))
		flags |= LPK_RECORD_OPEN;
	if ((site->flags & LPK_SITE_KERN) != 0 && kern_level(format) >= 0 &&
	    format[1] == 'c')
		flags |= LPK_RECORD_CONT;
	return flags;
}

uint32_t
lpk__site_level(const struct lpk_site *site)
{
	return level_of(site, site->format);
}

uint32_t
lpk__site_flags(const struct lpk_site *site)
{
	return flags_of(site, site->format);
}

void
lpk__message_init(struct lpk__message *message, enum lpk_level level)
{
	message->level =
	    (uint32_t)level > LPK_DEBUG ? LPK_DEBUG : (uint32_t)level;
	message->facility = 0;
	message->flags = 0;
	message->site = 0;
}

const char *
lpk__message_site(struct lpk__message *message, const struct lpk_site *site,
    const char *format)
{
	message->level = level_of(site, format);
	message->facility = 0;
	message->flags = flags_of(site, format);
	message->site = 0;
	return site->flags & LPK_SITE_KERN ? lpk__kern_skip(format) : format;
}

void
lpk__message_text(struct lpk__message *message, struct lpk__out *out,
    uint32_t begin, const char *prefix)
{
	lpk__out_init(out, message->payload + begin, LPK_TEXT_MAX - begin + 1);
	if (prefix != NULL)
		lpk__out_put(
		    out, prefix, lpk__fast_length(prefix, LPK_TEXT_MAX));
}

void
lpk__message_end(
    struct lpk__message *message, struct lpk__out *out, uint32_t begin)
{
	lpk__out_finish(out);
	message->bytes = begin +
	    lpk__text_end(message->payload + begin, LPK_TEXT_MAX - begin,
		out->len, &message->flags);
}

/* Make a message fit a small block: the text is cut, pairs are left out. */
static LPK_COLD void
fit(struct lpk__message *message, uint32_t room)
{
	uint16_t text_bytes;
	uint32_t begin = 0, at;

	if (message->flags & LPK_RECORD_KV)
		begin = sizeof(text_bytes);
	else
		text_bytes = (uint16_t)message->bytes;
	if (begin != 0)
		__builtin_memcpy(&text_bytes, message->payload, begin);
	message->flags |= LPK_RECORD_TRUNCATED;
	if (begin + text_bytes > room)
		text_bytes = (uint16_t)lpk__text_end(message->payload + begin,
		    room - begin, text_bytes, &message->flags);
	message->bytes = begin + text_bytes;
	if (begin != 0)
		__builtin_memcpy(message->payload, &text_bytes, begin);
	for (at = message->bytes; begin != 0 && at < room; at++) {
		if (message->payload[at] == '\0')
			message->bytes = at + 1;
	}
}

/*
 * Store the message as whole words: a copy whose last word is put together of
 * bytes costs a call, and waits for them.
 */
static void
store_filled(struct lpk_log *log, struct lpk__message *message)
{
	uint32_t bytes = message->bytes, first;
	struct lpk__store store;

	__builtin_memset(message->payload + bytes, 0, 8);
	__builtin_memcpy(&first, message->payload, sizeof(first));
	if (!lpk__store_begin(log, &store,
		lpk__meta(
		    bytes, message->level, message->facility, message->flags),
		message->site, first))
		return;
	if (bytes > 4)
		lpk__words_write(lpk__store_payload(&store),
		    message->payload + 4, (bytes - 4 + 7) & ~7u);
	lpk__store_end(log, &store);
}

void
lpk__message_store(struct lpk__message *message, struct lpk_log *log)
{
	log = lpk__fast_log(log);
	if (LPK_UNLIKELY(message->bytes > lpk__store_room(log)))
		fit(message, lpk__store_room(log));
	store_filled(log, message);
}
