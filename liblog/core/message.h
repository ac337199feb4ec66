/* SPDX-License-Identifier: MIT */
/*
 * message.h - a message whose text is rendered on the caller's stack.
 */
#ifndef LPK_CORE_MESSAGE_H
#define LPK_CORE_MESSAGE_H

#include <lpk/printk.h>

#include "format.h"

/* On its way; the payload of its record. */
struct lpk__message {
	uint32_t level;
	uint32_t facility;
	uint32_t flags;
	uint32_t site; /* its number in the dictionary */
	uint32_t bytes;
	/* Stored as whole words: room for the last one to be filled up. */
	char payload[LPK_TEXT_MAX + 12];
};

/**
 * lpk__text_end() - Cut and mark a text that is too long; take a newline off.
 * @text:   @room + 1 bytes
 * @room:   most bytes that it may have
 * @length: that the whole of it has
 * @flags:  LPK_RECORD_TRUNCATED and LPK_RECORD_OPEN are kept right
 *
 * Return: its bytes now.
 */
uint32_t lpk__text_end(
    char *text, uint32_t room, size_t length, uint32_t *flags);

/**
 * lpk__message_init() - An empty message of a level.
 */
void lpk__message_init(struct lpk__message *message, enum lpk_level level);

/**
 * lpk__message_site() - A message of a site.
 * @format: as given
 *
 * Return: the format without its KERN_x.
 */
const char *lpk__message_site(struct lpk__message *message,
    const struct lpk_site *site, const char *format);

/**
 * lpk__message_text() - Begin the text, behind some bytes of payload.
 */
void lpk__message_text(struct lpk__message *message, struct lpk__out *out,
    uint32_t begin, const char *prefix);

/**
 * lpk__message_end() - End the text.
 */
void lpk__message_end(
    struct lpk__message *message, struct lpk__out *out, uint32_t begin);

/**
 * lpk__message_store() - Store the message in a log; NULL: the default one.
 *
 * What does not fit a block of that log is cut and marked.
 */
void lpk__message_store(struct lpk__message *message, struct lpk_log *log);

/**
 * lpk__site_level() - The level at which a site logs.
 *
 * For printk() it is in the format.
 */
uint32_t lpk__site_level(const struct lpk_site *site);

/**
 * lpk__site_flags() - The flags that the records of a site have.
 */
uint32_t lpk__site_flags(const struct lpk_site *site);

/**
 * lpk__kern_skip() - The format behind its KERN_x, if it has one.
 */
const char *lpk__kern_skip(const char *format);

#endif /* LPK_CORE_MESSAGE_H */
