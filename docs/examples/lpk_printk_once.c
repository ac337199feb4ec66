/* SPDX-License-Identifier: MIT */
/*
 * lpk_printk_once(), lpk_err_once(), lpk_warn_once(), lpk_info_once(): only
 * the first time that the call is reached.
 */
#include <stdio.h>

#include <lpk/printk.h>

int
main(void)
{
	struct lpk_log_stats stats;
	int i;

	for (i = 0; i < 10; i++) {
		lpk_err_once("error %d", i);
		lpk_warn_once("warning %d", i);
		lpk_info_once("information %d", i);
		lpk_printk_once(LPK_NOTICE, "notice %d", i);
	}
	lpk_log_stats(lpk_default_log(), &stats);
	printf("40 calls: stored %d, suppressed %d\n", (int)stats.stored,
	    (int)stats.suppressed);
	return stats.stored != 4 || stats.suppressed != 36;
}
