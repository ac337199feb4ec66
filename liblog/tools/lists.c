/* SPDX-License-Identifier: MIT */
/*
 * lists.c - names of levels and facilities, and lists of them.
 */
#include "lists.h"

#include <stddef.h>
#include <string.h>

#define LEVELS 8u
#define FACILITIES 24u

static const char *const levels[LEVELS] = {
    "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"};
static const char *const facilities[FACILITIES] = {"kern", "user", "mail",
    "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "res0", "res1", "res2", "res3", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7"};

const char *
level_name(unsigned int level)
{
	return level < LEVELS ? levels[level] : NULL;
}

const char *
facility_name(unsigned int facility)
{
	return facility < FACILITIES ? facilities[facility] : NULL;
}

/* Where a word of some bytes is among names; their number: nowhere. */
static unsigned int
find(const char *const *names, unsigned int count, const char *word,
    size_t bytes)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (strlen(names[i]) == bytes &&
		    memcmp(names[i], word, bytes) == 0)
			break;
	}
	return i;
}

static bool
level_word(const char *word, size_t bytes, uint32_t *bits)
{
	bool down = bytes > 1 && word[0] == '+';
	bool up = bytes > 1 && !down && word[bytes - 1] == '+';
	unsigned int level =
	    find(levels, LEVELS, word + down, bytes - down - up);

	if (level == LEVELS)
		return false;
	*bits |= 1u << level;
	if (up)
		*bits |= (1u << level) - 1;
	if (down)
		*bits |= (1u << LEVELS) - (1u << level);
	return true;
}

static bool
facility_word(const char *word, size_t bytes, uint32_t *bits)
{
	unsigned int facility = find(facilities, FACILITIES, word, bytes);

	if (facility == FACILITIES)
		return false;
	*bits |= 1u << facility;
	return true;
}

static bool
parse(const char *text, uint32_t *bits,
    bool (*word)(const char *, size_t, uint32_t *))
{
	*bits = 0;
	for (;;) {
		size_t bytes = strcspn(text, ",");

		if (!word(text, bytes, bits))
			return false;
		text += bytes;
		if (*text == '\0')
			return true;
		text++;
	}
}

bool
levels_parse(const char *text, uint32_t *bits)
{
	return parse(text, bits, level_word);
}

bool
facilities_parse(const char *text, uint32_t *bits)
{
	return parse(text, bits, facility_word);
}
