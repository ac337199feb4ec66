/* SPDX-License-Identifier: MIT */
/*
 * printk.c - calls whose text is rendered on the caller's stack: those with a
 * list of arguments, with key/values, with somebody else's text.
 */
#include <lpk/printk.h>

#include "message.h"
#include "port_fast.h"
#include "record.h"
#include "site.h"

static void
render(struct lpk__message *message, uint32_t begin, const char *prefix,
    const char *format, va_list arguments)
{
	struct lpk__out out;

	lpk__message_text(message, &out, begin, prefix);
	lpk__out_vformat(&out, format, NULL, arguments);
	lpk__message_end(message, &out, begin);
}

void
lpk_vwrite(struct lpk_log *log, enum lpk_level level, const char *format,
    va_list arguments)
{
	struct lpk__message message;

	lpk__message_init(&message, level);
	render(&message, 0, NULL, format, arguments);
	lpk__message_store(&message, log);
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
lpk__printk(struct lpk_log *log, struct lpk_site *site, const char *format, ...)
{
	struct lpk__message message;
	va_list arguments;

	format = lpk__message_site(&message, site, format);
	message.site = lpk__site_number(log, site);
	va_start(arguments, format);
	render(&message, 0, site->prefix, format, arguments);
	va_end(arguments);
	lpk__message_store(&message, log);
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
put_pairs(struct lpk__message *message, const char *const *pairs)
{
	struct lpk__out out;

	for (; pairs[0] != NULL; pairs += 2) {
		const char *value = pairs[1] != NULL ? pairs[1] : "(null)";

		lpk__out_init(&out, message->payload + message->bytes,
		    LPK_TEXT_MAX + 1 - message->bytes);
		put_key(&out, pairs[0]);
		lpk__out_put(&out, "=", 1);
		lpk__out_put(
		    &out, value, lpk__fast_length(value, LPK_TEXT_MAX));
		lpk__out_put(&out, "", 1);
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
	struct lpk__message message;
	va_list arguments;
	uint16_t text_bytes;

	format = lpk__message_site(&message, site, format);
	message.site = lpk__site_number(log, site);
	va_start(arguments, format);
	render(&message, sizeof(text_bytes), site->prefix, format, arguments);
	va_end(arguments);
	text_bytes = (uint16_t)(message.bytes - sizeof(text_bytes));
	__builtin_memcpy(message.payload, &text_bytes, sizeof(text_bytes));
	message.flags |= LPK_RECORD_KV;
	if (pairs != NULL)
		put_pairs(&message, pairs);
	lpk__message_store(&message, log);
}

void
lpk_inject(struct lpk_log *log, enum lpk_level level, uint32_t facility,
    const char *text, size_t size_bytes)
{
	struct lpk__message message;
	struct lpk__out out;
	size_t i;

	lpk__message_init(&message, level);
	message.facility = facility >= 1 && facility <= 23 ? facility : 1;
	message.flags = LPK_RECORD_INJECTED;
	lpk__out_init(&out, message.payload, LPK_TEXT_MAX + 1);
	for (i = 0; text != NULL && i < size_bytes; i++) {
		if (text[i] == '\0')
			lpk__out_put(&out, "\xef\xbf\xbd", 3);
		else
			lpk__out_put(&out, text + i, 1);
	}
	lpk__message_end(&message, &out, 0);
	lpk__message_store(&message, log);
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
