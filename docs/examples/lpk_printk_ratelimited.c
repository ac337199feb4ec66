/* SPDX-License-Identifier: MIT */
/*
 * lpk_printk_ratelimited(), lpk_err_ratelimited(), lpk_warn_ratelimited(),
 * lpk_info_ratelimited(): at most ten in each five seconds from one call. What
 * is held back is counted, and reported when the call passes again.
 */
#include <stdint.h>
#include <stdio.h>

#include <lpk/console.h>
#include <lpk/printk.h>

#define CALLS 1000

static void
retry(int number)
{
	/* Another limit for this call: 3 in each minute. */
#undef LPK_RATELIMIT_INTERVAL_MS
#undef LPK_RATELIMIT_BURST
#define LPK_RATELIMIT_INTERVAL_MS 60000
#define LPK_RATELIMIT_BURST 3
	lpk_printk_ratelimited(LPK_NOTICE, "retry %d", number);
#undef LPK_RATELIMIT_INTERVAL_MS
#undef LPK_RATELIMIT_BURST
#define LPK_RATELIMIT_INTERVAL_MS 5000
#define LPK_RATELIMIT_BURST 10
}

int
main(void)
{
	uint64_t begin = lpk_now_ns(), turns, most;
	struct lpk_log_stats stats;
	int i;

	for (i = 0; i < CALLS; i++) {
		lpk_err_ratelimited("error %d", i);
		lpk_warn_ratelimited("warning %d", i);
		lpk_info_ratelimited("information %d", i);
		retry(i);
	}
	lpk_log_stats(lpk_default_log(), &stats);
	printf("%d calls: stored %d, suppressed %d, reports %d\n", 4 * CALLS,
	    (int)stats.stored, (int)stats.suppressed, (int)stats.reports);
	/* How often five seconds (a hair less, by another clock) have begun:
	 * once, if nobody stopped us. */
	turns = (lpk_now_ns() - begin) / UINT64_C(4990000000) + 1;
	most = turns * (3 * 10 + 3);
	return stats.stored - stats.reports < 3 * 10 + 3 ||
	    stats.stored - stats.reports > most ||
	    stats.stored + stats.suppressed != 4 * CALLS + stats.reports;
}
