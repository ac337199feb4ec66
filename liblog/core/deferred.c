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

/* How many bytes of an argument are copied. */
static size_t
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

/*
 * What each argument's word says, and how many bytes follow the words; more
 * than LPK_TEXT_MAX when that is too much for a record.
 */
static uint32_t
pack_words(uint64_t *words, const struct lpk_site *site,
    const uint64_t *arguments, uint32_t count)
{
	unsigned char plan[LPK__PLAN_ARGUMENTS];
	uint32_t bytes = count * 8, i;

	lpk__words_read(plan, site->plan, sizeof(plan));
	for (i = 0; i < count; i++) {
		const void *from = (const void *)(uintptr_t)arguments[i];

		words[i] = arguments[i];
		if (plan[i] == LPK__PLAN_WORD)
			continue;
		words[i] = LPK__BYTES_NULL;
		if (from == NULL)
			continue;
		words[i] =
		    planned_bytes(plan[i], from, i != 0 ? arguments[i - 1] : 0);
		bytes += ((uint32_t)words[i] + 7) & ~7u;
		if (bytes > LPK_TEXT_MAX)
			break;
	}
	return bytes;
}

/* The bytes behind the words; those whose word is their number. */
static void
write_bytes(unsigned long *to, const struct lpk_site *site,
    const uint64_t *words, const uint64_t *arguments, uint32_t count)
{
	unsigned char plan[LPK__PLAN_ARGUMENTS];
	uint32_t i;

	lpk__words_read(plan, site->plan, sizeof(plan));
	for (i = 0; i < count; i++) {
		if (plan[i] == LPK__PLAN_WORD || words[i] == LPK__BYTES_NULL)
			continue;
		lpk__words_write(to, (const void *)(uintptr_t)arguments[i],
		    (size_t)words[i]);
		to += ((size_t)words[i] + 7) / 8 * (8 / sizeof(*to));
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

static void
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
	uint64_t words[LPK__PLAN_ARGUMENTS];
	uint32_t bytes = pack_words(words, site, arguments, count);
	struct lpk__store store;
	unsigned long *to;

	if (LPK_UNLIKELY(
		bytes > LPK_TEXT_MAX || bytes > lpk__store_room(log))) {
		log_text(log, site, number, format, arguments, count);
		return;
	}
	if (!begin(log, &store, number, words_units(bytes / 8)))
		return;
	to = lpk__store_arguments(&store);
	write_words(to, words, count);
	write_bytes(
	    to + count * (8 / sizeof(*to)), site, words, arguments, count);
	lpk__store_end(log, &store);
}

/* Every way but the shortest. */
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
 * step: nothing has to be kept in memory across one.
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
	if (LPK_UNLIKELY(entry >> LPK__SITE_EPOCH_SHIFT != epoch))
		goto otherwise;
	if ((entry & LPK__SITE_KIND_MASK) != LPK__SITE_WORDS) {
		if ((entry & LPK__SITE_KIND_MASK) != LPK__SITE_PACKED)
			goto otherwise;
		log_packed(log, site, lpk__entry_number(entry), format,
		    arguments, count);
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
	log_otherwise(log, site, format, arguments, count);
}
