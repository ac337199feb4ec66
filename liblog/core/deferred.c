/* SPDX-License-Identifier: MIT */
/*
 * deferred.c - the usual call: the record is a number that names the call site
 * and the raw arguments; whoever reads it renders the text.
 */
#include <lpk/printk.h>

#include "message.h"
#include "render.h"
#include "site.h"
#include "store.h"

/* Of a record of so many words. */
static inline uint32_t
words_units(uint32_t count)
{
	return LPK__DEFERRED_HEAD / 8 + count;
}

static inline void
write_words(unsigned long *to, const uint64_t *words, uint32_t count)
{
	for (; count != 0; count--) {
		lpk__write64(to, *words++);
		to += 8 / sizeof(*to);
	}
}

/* An argument of which bytes are copied. */
struct piece {
	const void *from;
	uint16_t bytes; /* PIECE_NULL: a null pointer */
	uint16_t at;    /* which argument */
};

#define PIECE_NULL UINT16_MAX
_Static_assert(LPK_TEXT_MAX < PIECE_NULL, "a piece knows its length");

/* How many bytes of an argument are copied. */
static inline size_t
planned_bytes(unsigned int plan, const void *from, uint64_t before)
{
	size_t most = LPK_TEXT_MAX;

	if (plan >= LPK__PLAN_BYTES && plan < LPK__PLAN_STRING_MAX)
		return plan - LPK__PLAN_BYTES;
	if (plan == LPK__PLAN_BYTES_STAR)
		return (int)before < 0    ? 0 :
		    (uint32_t)before < 64 ? (uint32_t)before :
					    64;
	if (plan >= LPK__PLAN_STRING_MAX)
		most = plan - LPK__PLAN_STRING_MAX;
	else if (plan == LPK__PLAN_STRING_STAR && (int)before >= 0 &&
	    (uint32_t)before < most)
		most = (uint32_t)before;
	return lpk__fast_length(from, most);
}

/* The first byte of a word, as it lies in memory, that is not 0. */
static inline unsigned int
byte_first(unsigned long word)
{
	return (unsigned int)(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ?
		       __builtin_ctzl(word) :
		       __builtin_clzl(word)) /
	    8;
}

/*
 * Which arguments are copied, and how much of each. Returns the bytes that all
 * arguments take; more than LPK_TEXT_MAX when that is too much for a record.
 */
static inline uint32_t
measure(struct piece *piece, uint32_t *pieces, const struct lpk_site *site,
    const uint64_t *arguments, uint32_t count)
{
	uint32_t bytes = count * 8, first, at;
	unsigned int plan, byte;
	unsigned long left;

	*pieces = 0;
	for (first = 0; first < count; first += sizeof(left)) {
		/* Relaxed: log:A. */
		left = lpk_load_relaxed(&site->plan[first / sizeof(left)]);
		for (; left != 0; left &= ~(0xfful << lpk__byte_shift(byte))) {
			byte = byte_first(left);
			plan = left >> lpk__byte_shift(byte) & 0xff;
			at = first + byte;
			piece->at = (uint16_t)at;
			piece->bytes = PIECE_NULL;
			piece->from = (const void *)(uintptr_t)arguments[at];
			if (piece->from != NULL) {
				piece->bytes =
				    (uint16_t)planned_bytes(plan, piece->from,
					at != 0 ? arguments[at - 1] : 0);
				bytes += (piece->bytes + 7u) & ~7u;
			}
			if (bytes > LPK_TEXT_MAX)
				return bytes;
			piece++;
			++*pieces;
		}
	}
	return bytes;
}

/*
 * The arguments' words, of which those of the pieces say how many bytes they
 * are; then these bytes.
 */
static inline void
write_pieces(unsigned long *words, const struct piece *piece, uint32_t pieces,
    const uint64_t *arguments, uint32_t count)
{
	unsigned long *to = words + count * (8 / sizeof(*words));
	unsigned long *word;

	write_words(words, arguments, count);
	for (; pieces != 0; pieces--, piece++) {
		word = words + piece->at * (8 / sizeof(*words));
		if (piece->bytes == PIECE_NULL) {
			lpk__write64(word, LPK__BYTES_NULL);
			continue;
		}
		lpk__write64(word, piece->bytes);
		lpk__words_write(to, piece->from, piece->bytes);
		to += (piece->bytes + 7u) / 8 * (8 / sizeof(*to));
	}
}

static LPK_COLD void
log_text(struct lpk_log *log, const struct lpk_site *site, uint32_t number,
    const char *format, const uint64_t *arguments, uint32_t count)
{
	struct lpk__message message;
	struct lpk__out out;

	format = lpk__message_site(&message, site, format);
	message.site = number;
	lpk__message_text(&message, &out, 0, site->prefix);
	lpk__render_live(&out, format, arguments, count);
	lpk__message_end(&message, &out, 0);
	lpk__message_store(&message, log);
}

/* Reserve a deferred record and write its head. */
static bool
begin(struct lpk_log *log, struct lpk__store *store, uint32_t number,
    uint32_t units)
{
	lpk__store_self(log, store);
	if (!lpk__ring_reserve(log, store->lane, units, &store->slot))
		return false;
	lpk__store_deferred(store, number);
	return true;
}

static LPK_COLD void
log_words(struct lpk_log *log, uint32_t number, const uint64_t *arguments,
    uint32_t count)
{
	struct lpk__store store;

	if (!begin(log, &store, number, words_units(count)))
		return;
	write_words(lpk__store_arguments(&store), arguments, count);
	lpk__store_end(log, &store);
}

static void
log_packed(struct lpk_log *log, const struct lpk_site *site, uint32_t number,
    const char *format, const uint64_t *arguments, uint32_t count)
{
	struct piece piece[LPK__PLAN_ARGUMENTS];
	uint32_t pieces;
	uint32_t bytes = measure(piece, &pieces, site, arguments, count);
	struct lpk__store store;

	if (LPK_UNLIKELY(
		bytes > LPK_TEXT_MAX || bytes > lpk__store_room(log))) {
		log_text(log, site, number, format, arguments, count);
		return;
	}
	if (!begin(log, &store, number, words_units(bytes / 8)))
		return;
	write_pieces(
	    lpk__store_arguments(&store), piece, pieces, arguments, count);
	lpk__store_end(log, &store);
}

/*
 * The shortest way for one text among words, which most calls with text are: no
 * loop over what is copied, and no call but the one that measures. It is not
 * part of lpk__log(), which has less to keep so. Where words are small it is
 * left out.
 */
static LPK_NOINLINE void
log_string(struct lpk_log *log, const struct lpk_site *site, uint32_t number,
    const uint64_t *arguments, uint32_t count)
{
	/* Relaxed: log:A. */
	unsigned long plan = lpk_load_relaxed(&site->plan[0]), name;
	uint32_t bytes, at, total;
	const char *from;
	struct lpk__store store;
	unsigned long *to;

	if (sizeof(plan) < 8 || count > sizeof(plan) ||
	    (plan & (plan - 1)) != 0 ||
	    (plan & LPK__BYTES(LPK__PLAN_STRING)) == 0)
		goto otherwise;
	at = byte_first(plan);
	from = (const char *)(uintptr_t)arguments[at];
	if (LPK_UNLIKELY(from == NULL))
		goto otherwise;
	bytes = (uint32_t)lpk__fast_length(from, LPK_TEXT_MAX);
	total = count + (bytes + 7) / 8;
	if (LPK_UNLIKELY(
		total * 8 > LPK_TEXT_MAX || total * 8 > lpk__store_room(log)))
		goto otherwise;
	if (LPK_UNLIKELY(!lpk__fast_self(
		log->geometry.lanes, &store.caller, &store.lane)))
		goto otherwise;
	store.time = lpk__fast_clock();
	if (LPK_UNLIKELY(!lpk__ring_try(
		log, store.lane, words_units(total), &store.slot, &name)))
		goto otherwise;
	lpk__store_deferred(&store, number);
	to = lpk__store_arguments(&store);
	write_words(to, arguments, count);
	lpk__write64(to + at, bytes);
	lpk__words_write(to + count, from, bytes);
	lpk__store_end(log, &store);
	return;
otherwise:
	log_packed(log, site, number, site->format, arguments, count);
}

/* A site's first call, and those that are rendered at once. */
static LPK_COLD void
log_otherwise(struct lpk_log *log, struct lpk_site *site, const char *format,
    const uint64_t *arguments, uint32_t count)
{
	unsigned long entry = lpk__site_enter(log, site, (int)count);
	uint32_t number = lpk__entry_number(entry);

	switch (entry & LPK__SITE_KIND_MASK) {
	case LPK__SITE_WORDS:
		log_words(log, number, arguments, count);
		break;
	case LPK__SITE_PACKED:
		log_packed(log, site, number, format, arguments, count);
		break;
	default:
		log_text(log, site, number, format, arguments, count);
		break;
	}
}

/*
 * The shortest way is written out so that it makes no call but in its last
 * step: nothing has to be kept in memory across one. Others leave it at once,
 * so that it has little to keep in registers.
 */
void
lpk__log(struct lpk_log *log, struct lpk_site *site, const char *format,
    const uint64_t *arguments, uint32_t count)
{
	/*
	 * LMM(log:A)
	 * Pairs with enter:B: the plan and the dictionary's entry are there,
	 * and so they are for whoever reads the record.
	 */
	unsigned long entry = lpk_load_acquire(&site->entry), epoch, name;
	struct lpk__store store;

	log = lpk__fast_log(log);
	/* Relaxed: the name of the log never changes once it has one. */
	epoch = lpk_load_relaxed(&log->epoch);
	if (LPK_UNLIKELY(entry >> LPK__SITE_EPOCH_SHIFT != epoch)) {
		log_otherwise(log, site, format, arguments, count);
		return;
	}
	if ((entry & LPK__SITE_KIND_MASK) != LPK__SITE_WORDS) {
		if ((entry & LPK__SITE_KIND_MASK) == LPK__SITE_PACKED)
			log_string(log, site, lpk__entry_number(entry),
			    arguments, count);
		else
			log_otherwise(log, site, format, arguments, count);
		return;
	}
	if (LPK_UNLIKELY(!lpk__fast_self(
		log->geometry.lanes, &store.caller, &store.lane)))
		goto otherwise;
	store.time = lpk__fast_clock();
	if (LPK_UNLIKELY(!lpk__ring_try(
		log, store.lane, words_units(count), &store.slot, &name)))
		goto otherwise;
	lpk__store_deferred(&store, lpk__entry_number(entry));
	write_words(lpk__store_arguments(&store), arguments, count);
	lpk__store_end(log, &store);
	return;
otherwise:
	log_words(log, lpk__entry_number(entry), arguments, count);
}
