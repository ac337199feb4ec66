/* SPDX-License-Identifier: MIT */
/*
 * names.c - the table of thread names. Each place is a sequence lock whose
 * writers never wait: who finds it taken leaves it alone.
 */
#include "names.h"

#include <lpk/port.h>

static uint32_t
id_of(uint32_t caller)
{
	return caller & ~LPK_CALLER_HANDLER;
}

static struct lpk__name *
place_of(const struct lpk_log *log, uint32_t caller)
{
	return &lpk__head(log)->names[id_of(caller) % LPK_NAMES_MAX];
}

void
lpk__name_note(struct lpk_log *log, uint32_t caller)
{
	struct lpk__name *place = place_of(log, caller);
	char name[LPK_THREAD_NAME_BYTES] = {0};
	/* Relaxed: the exchange decides. */
	unsigned long seq = lpk_load_relaxed(&place->seq);

	lpk_port_thread_name(name);
	name[sizeof(name) - 1] = '\0';
	/* A context that died in here leaves the place odd; so be it. */
	if ((seq & 1) != 0 || !lpk_cas_acquire(&place->seq, seq, seq + 1))
		return;
	/*
	 * LMM(name:A)
	 * The odd mark before the first byte. Pairs with name:D.
	 */
	lpk_fence_release();
	lpk_store_relaxed(&place->owner, id_of(caller));
	lpk__words_write(place->name, name, sizeof(name));
	/*
	 * LMM(name:B)
	 * Owner and name before the even mark. Pairs with name:C.
	 */
	lpk_store_release(&place->seq, seq + 2);
}

void
lpk__name_find(const struct lpk_log *log, uint32_t caller,
    char name[LPK_THREAD_NAME_BYTES])
{
	struct lpk__name *place = place_of(log, caller);
	/*
	 * LMM(name:C)
	 * Pairs with name:B.
	 */
	unsigned long seq = lpk_load_acquire(&place->seq);
	unsigned long owner = lpk_load_relaxed(&place->owner);

	lpk__words_read(name, place->name, LPK_THREAD_NAME_BYTES);
	/*
	 * LMM(name:D)
	 * Owner and name before the second look. Pairs with name:A. The
	 * owner alone would not do: two threads that share a place may take
	 * it in turns while we copy.
	 */
	lpk_fence_acquire();
	name[LPK_THREAD_NAME_BYTES - 1] = '\0';
	if ((seq & 1) != 0 || owner != id_of(caller) ||
	    !lpk_check(lpk_load_relaxed(&place->seq) == seq))
		name[0] = '\0';
}
