/* SPDX-License-Identifier: MIT */
/*
 * syslog.h - between syslog.c, which has the sockets, and syslog_frame.c, which
 * writes the messages.
 *
 * A rendering is a row of frames, one for each part of a record, as a rule a
 * single one. Eight digits and a space in front of a frame tell its length.
 */
#ifndef LPK_CONSOLES_SYSLOG_H
#define LPK_CONSOLES_SYSLOG_H

#include <stddef.h>

#include <lpk/reader.h>

/* In front of each frame of a rendering. */
#define LPK__SYSLOG_LENGTH_BYTES 9

/* RFC 5424, section 6; a NUL more. */
#define LPK__SYSLOG_HOST_BYTES 256
#define LPK__SYSLOG_TAG_BYTES 49

/* The most that a frame is longer than its cap, when its header is long. */
#define LPK__SYSLOG_EXCESS_BYTES 768

/* What a message looks like. */
struct lpk__syslog_form {
	bool rfc5424;
	bool bom;   /* RFC 5424: the text begins with a byte order mark */
	bool named; /* RFC 3164: with the name of the host */
	unsigned int facility;
	uint32_t pen; /* private enterprise number, in the structured data */
	uint32_t cap; /* bytes of a frame */
	int32_t utc_offset_s;
	char tag[LPK__SYSLOG_TAG_BYTES];
	char host[LPK__SYSLOG_HOST_BYTES];
};

/**
 * lpk__syslog_tidy() - Make a word that has no place in a header fit for it.
 * @unwanted: bytes that are to go beside all that is not printable ASCII
 *
 * Context:  any.
 */
void lpk__syslog_tidy(char *word, const char *unwanted);

/**
 * lpk__syslog_frames() - Write a record as frames.
 * @process: its number, for the header
 *
 * Context:  any.
 * Return:   as a driver's render().
 */
size_t lpk__syslog_frames(const struct lpk__syslog_form *form, long process,
    const struct lpk_record *record, const char *text, char *out,
    size_t size_bytes);

#endif /* LPK_CONSOLES_SYSLOG_H */
