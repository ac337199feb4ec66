/* SPDX-License-Identifier: MIT */
/*
 * store.h - the last steps of every call that logs: reserve exactly what the
 * record takes, copy, commit, wake. The window in which a record is unfinished
 * is a copy long.
 */
#ifndef LPK_CORE_STORE_H
#define LPK_CORE_STORE_H

#include "clock.h"
#include "names.h"
#include "port_fast.h"
#include "record.h"
#include "ring.h"

/* Most bytes of payload that a block of this log has room for. */
static inline uint32_t
lpk__store_room(const struct lpk_log *log)
{
	return log->geometry.units * 8 - LPK__RECORD_HEAD;
}

/* A record that is being stored. */
struct lpk__store {
	struct lpk__slot slot;
	uint64_t time;
	uint32_t caller;
	uint32_t lane;
};

/*
 * Who stores, on which lane, and when; the slow way where the fast one does not
 * know.
 *
 * The time is taken before the reservation. Then no record has a time later
 * than the reservation of one behind it in its block, and a reader that merges
 * the blocks by the time of their first record keeps cause before effect. Taken
 * afterwards, a handler's records that follow ours here would come after those
 * that the handler stored next elsewhere.
 */
static inline void
lpk__store_self(struct lpk_log *log, struct lpk__store *store)
{
	uint32_t lanes = log->geometry.lanes;

	if (LPK_LIKELY(lpk__fast_self(lanes, &store->caller, &store->lane))) {
		store->time = lpk__fast_clock();
		return;
	}
	store->caller = lpk_port_caller();
	store->lane = lpk_port_lane() % lanes;
	lpk__name_check(log, store->caller);
	store->time = lpk_port_clock();
}

/* The head of a record, and the first 4 bytes of its payload. */
static inline void
lpk__store_head(const struct lpk__store *store, uint32_t meta, uint32_t site,
    uint32_t payload)
{
	unsigned long *words = store->slot.words;

	lpk__write64(words, store->time);
	lpk__write64(
	    words + 8 / sizeof(*words), lpk__pair(store->caller, meta));
	lpk__write64(words + 16 / sizeof(*words), lpk__pair(site, payload));
}

/**
 * lpk__store_begin() - Reserve a record and write its head.
 * @meta:    from lpk__meta(); says how many bytes the payload has
 * @site:    of the call, 0: none
 * @payload: its first 4 bytes
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   false: there is no room, and the drop is counted.
 */
static inline bool
lpk__store_begin(struct lpk_log *log, struct lpk__store *store, uint32_t meta,
    uint32_t site, uint32_t payload)
{
	lpk__store_self(log, store);
	if (LPK_UNLIKELY(!lpk__ring_reserve(log, store->lane,
		lpk__record_units(lpk__meta_bytes(meta)), &store->slot)))
		return false;
	lpk__store_head(store, meta, site, payload);
	return true;
}

/* The head of a deferred record. */
static inline void
lpk__store_deferred(const struct lpk__store *store, uint32_t site)
{
	unsigned long *words = store->slot.words;

	lpk__write64(words, store->time);
	lpk__write64(words + 8 / sizeof(*words),
	    lpk__pair(store->caller, LPK__DEFERRED | site));
}

/* Its arguments. */
static inline unsigned long *
lpk__store_arguments(const struct lpk__store *store)
{
	return store->slot.words + LPK__DEFERRED_HEAD / sizeof(unsigned long);
}

/* The words of the payload of a text record behind its first 4 bytes. */
static inline unsigned long *
lpk__store_payload(const struct lpk__store *store)
{
	return store->slot.words +
	    sizeof(struct lpk__head_words) / sizeof(unsigned long);
}

/**
 * lpk__store_end() - Make the record readable, and wake who waits for it.
 *
 * Context:  any.
 * Progress: wait-free.
 */
static inline void
lpk__store_end(struct lpk_log *log, const struct lpk__store *store)
{
	lpk__ring_commit(&store->slot);
	/*
	 * LMM(store:A)
	 * The commit before the look for sleepers. Pairs with announce:A,
	 * whose full barrier runs on every CPU: either the sleeper sees the
	 * record, or we see the sleeper.
	 */
	lpk_fence_light();
	if (LPK_UNLIKELY(lpk_load_relaxed(&log->waiters) != 0))
		lpk_port_wake(log);
	else
		lpk__clock_check(log, store->time);
}

#endif /* LPK_CORE_STORE_H */
