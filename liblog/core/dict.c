/* SPDX-License-Identifier: MIT */
/*
 * dict.c - entering call sites into the dictionary of a log, and finding them.
 */
#include "dict.h"

#include "message.h"
#include "port_fast.h"
#include "rules.h"

/* Numbers of entries are offsets in units of 8 bytes, + 1: 0 is none. */
#define UNIT 8u

/* Most bytes of each string; what is longer is cut. */
#define FORMAT_BYTES (LPK__ENTRY_BYTES_MAX / 2)
#define PREFIX_BYTES (LPK__ENTRY_BYTES_MAX / 16)
#define SUBSYSTEM_BYTES (LPK__RULE_NAME - 1)
#define FILE_BYTES (LPK__ENTRY_BYTES_MAX / 8)
#define FUNCTION_BYTES (LPK__ENTRY_BYTES_MAX / 10)

_Static_assert(sizeof(struct lpk__entry) + FORMAT_BYTES + PREFIX_BYTES +
	    SUBSYSTEM_BYTES + FILE_BYTES + FUNCTION_BYTES + 5 + UNIT - 1 <=
	LPK__ENTRY_BYTES_MAX,
    "the strings, their NULs and the filling fit an entry");

/* An entry being put together. */
struct draft {
	struct lpk__entry head;
	char text[LPK__ENTRY_BYTES_MAX - sizeof(struct lpk__entry)];
	uint32_t used;
};

/* Append a string; returns its offset in the entry. */
static uint16_t
add(struct draft *draft, const char *text, size_t most)
{
	uint32_t at = draft->used;
	size_t length = 0;

	if (text != NULL)
		length = lpk__fast_length(text, most);
	__builtin_memcpy(draft->text + at, text != NULL ? text : "", length);
	draft->text[at + length] = '\0';
	draft->used = at + (uint32_t)length + 1;
	return (uint16_t)(at + sizeof(struct lpk__entry));
}

/* The end of a long path says more than its beginning. */
static const char *
path_tail(const char *path, size_t most)
{
	size_t length = lpk__fast_length(path, LPK__ENTRY_BYTES_MAX);

	return length > most ? path + (length - most) : path;
}

static void
describe(struct draft *draft, const struct lpk_site *site, uint32_t count)
{
	draft->used = 0;
	draft->head = (struct lpk__entry){
	    .commit = 0,
	    .line = site->line,
	    .level = (uint8_t)lpk__site_level(site),
	    .flags = site->flags,
	    .record_flags = (uint8_t)lpk__site_flags(site),
	    .count = (uint8_t)count,
	};
	add(draft, site->format, FORMAT_BYTES);
	draft->head.strings[0] = add(draft, site->prefix, PREFIX_BYTES);
	draft->head.strings[1] = add(draft, site->subsystem, SUBSYSTEM_BYTES);
	draft->head.strings[2] =
	    add(draft, path_tail(site->file, FILE_BYTES), FILE_BYTES);
	draft->head.strings[3] = add(draft, site->function, FUNCTION_BYTES);
	while (draft->used % UNIT != 0)
		draft->text[draft->used++] = '\0';
	draft->head.bytes = draft->used + (uint32_t)sizeof(struct lpk__entry);
}

uint32_t
lpk__dict_enter(
    struct lpk_log *log, const struct lpk_site *site, uint32_t count)
{
	unsigned long *used = &lpk__head(log)->dict_used;
	size_t room = log->geometry.dict_bytes;
	struct lpk__entry *entry;
	struct draft draft;
	unsigned long at;

	describe(&draft, site, count);
	/*
	 * Look before adding, so that a full dictionary is not hammered.
	 * Relaxed: the words of the entry are published by enter:A.
	 */
	at = lpk_load_relaxed(used);
	if (at + draft.head.bytes > room)
		return 0;
	at = lpk_fetch_add_relaxed(used, draft.head.bytes);
	if (at + draft.head.bytes > room)
		return 0;
	entry =
	    (struct lpk__entry *)(void *)(log->region + LPK_HEAD_BYTES + at);
	/* First of all the size: whoever lists the entries steps by it. */
	lpk_store32_relaxed(&entry->bytes, draft.head.bytes);
	lpk__words_write((unsigned long *)(void *)&entry->line,
	    &draft.head.line,
	    sizeof(struct lpk__entry) - offsetof(struct lpk__entry, line));
	lpk__words_write(
	    (unsigned long *)(void *)(entry + 1), draft.text, draft.used);
	/*
	 * LMM(enter:A)
	 * The entry before its mark. Pairs with entry:A.
	 */
	lpk_store32_release(&entry->commit, LPK__ENTRY_MARK);
	return (uint32_t)(at / UNIT + 1);
}

/* One of the strings behind an entry that takes so many bytes. */
static inline bool
string_find(const char **string, const struct lpk__entry *entry, unsigned int i,
    size_t bytes)
{
	size_t at = entry->strings[i];

	*string = (const char *)entry + at;
	return at - sizeof(*entry) < bytes - sizeof(*entry);
}

bool
lpk__dict_find(struct lpk__place *place, const unsigned char *dict,
    size_t bytes, uint32_t number)
{
	const struct lpk__entry *entry;
	size_t at = ((size_t)number - 1) * UNIT, size;

	if (number == 0 || at >= bytes || bytes - at <= sizeof(*entry))
		return false;
	entry = (const struct lpk__entry *)(const void *)(dict + at);
	/*
	 * LMM(entry:A)
	 * Pairs with enter:A. The words of a marked entry never change, so
	 * they are read plainly.
	 */
	if (lpk_load32_acquire(&entry->commit) != LPK__ENTRY_MARK)
		return false;
	size = entry->bytes;
	if (size > bytes - at || size <= sizeof(*entry) ||
	    size > LPK__ENTRY_BYTES_MAX ||
	    ((const char *)entry)[size - 1] != '\0' ||
	    !string_find(&place->prefix, entry, 0, size) ||
	    !string_find(&place->subsystem, entry, 1, size) ||
	    !string_find(&place->file, entry, 2, size) ||
	    !string_find(&place->function, entry, 3, size))
		return false;
	place->format = (const char *)(entry + 1);
	place->end = (const char *)entry + size;
	place->line = entry->line;
	place->level = entry->level;
	place->flags = entry->flags;
	place->record_flags = entry->record_flags;
	place->count = entry->count;
	return true;
}
