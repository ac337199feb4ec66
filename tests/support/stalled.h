/* SPDX-License-Identifier: MIT */
/*
 * stalled.h - a writer that stops between the reservation and the commit of
 * its record: all is written but the commit word.
 */
#ifndef TESTS_STALLED_H
#define TESTS_STALLED_H

#include "fixture.h"

#include <core/store.h>
#include <lpk/hosted.h>

static inline void
stalled_begin(struct lpk_log *log, struct lpk__store *store, const char *text)
{
	uint32_t bytes = (uint32_t)strlen(text), first = 0;

	memcpy(&first, text, bytes < 4 ? bytes : 4);
	assert_true(lpk__store_begin(
	    log, store, lpk__meta(bytes, LPK_INFO, 0, 0), 0, first));
	if (bytes > 4)
		lpk__words_write(
		    lpk__store_payload(store), text + 4, bytes - 4);
}

static inline void
stalled_finish(struct lpk_log *log, const struct lpk__store *store)
{
	lpk__store_end(log, store);
}

#endif /* TESTS_STALLED_H */
