/* SPDX-License-Identifier: MIT */
/*
 * LPK_LOG_DEFINE(), lpk_printk_to(), lpk_default_log(): a second log, in
 * static memory, beside the default one.
 */
#include <stdio.h>

#include <lpk/printk.h>

/* 8 blocks of 4 KiB, one lane: records in the order of their reservation. */
LPK_LOG_DEFINE(audit_log, 4096, 8, 1);

int
main(void)
{
	struct lpk_log_stats audit, ours;

	lpk_printk_to(&audit_log, LPK_NOTICE, "user %d logged in", 1000);
	lpk_info("this one goes to the default log");
	lpk_log_stats(&audit_log, &audit);
	lpk_log_stats(lpk_default_log(), &ours);
	printf("%s: %d record, default log: %d record\n", audit_log.name,
	    (int)audit.stored, (int)ours.stored);
	return audit.stored != 1 || ours.stored != 1;
}
