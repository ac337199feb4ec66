/* SPDX-License-Identifier: MIT */
/*
 * printk.h (core) - the last step of every call that logs.
 */
#ifndef LPK_CORE_PRINTK_H
#define LPK_CORE_PRINTK_H

#include <lpk/printk.h>

/**
 * lpk__store() - Reserve, copy, commit, wake.
 * @log:     not NULL
 * @meta:    from lpk__meta(); says how many bytes @payload has, LPK_TEXT_MAX
 *           at most
 * @site:    of the call, 0: none
 * @payload: what record.h says
 *
 * Context:  any.
 * Progress: wait-free.
 */
void lpk__store(
    struct lpk_log *log, uint32_t meta, uint32_t site, const char *payload);

/**
 * lpk__site_level() - The level at which a site logs.
 *
 * For printk() it is in the format.
 */
uint32_t lpk__site_level(const struct lpk_site *site);

#endif /* LPK_CORE_PRINTK_H */
