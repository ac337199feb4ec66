/* SPDX-License-Identifier: MIT */
/*
 * lpk_printk_ratelimited(), lpk_err_ratelimited(), lpk_warn_ratelimited(),
 * lpk_info_ratelimited(): at most ten in five seconds from one call. What is
 * held back is counted, and reported when the call passes again.
 */
#include <stdio.h>

#include <lpk/printk.h>

int
main(void)
{
	struct lpk_log_stats stats;
	int i;

	for (i = 0; i < 1000; i++) {
		lpk_err_ratelimited("error %d", i);
		lpk_warn_ratelimited("warning %d", i);
		lpk_info_ratelimited("information %d", i);
		lpk_printk_ratelimited(LPK_NOTICE, "notice %d", i);
	}
	lpk_log_stats(lpk_default_log(), &stats);
	printf("4000 calls: stored %d, suppressed %d\n", (int)stats.stored,
	    (int)stats.suppressed);
	/* Five seconds may have ended on the way; the report of what was held
	 * back is a record too. */
	return stats.suppressed == 0 || stats.stored + stats.suppressed < 4000;
}
