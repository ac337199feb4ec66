/* SPDX-License-Identifier: MIT */
/*
 * lpk_log_init(), lpk_log_stats(): a log in memory of the caller's choice,
 * and its accounts.
 */
#include <stdio.h>
#include <stdlib.h>

#include <lpk/printk.h>

/* Where lpk_info() and its kin of this file go. */
static struct lpk_log small;
#undef LPK_DEFAULT_LOG
#define LPK_DEFAULT_LOG (&small)

int
main(void)
{
	size_t bytes = LPK_REGION_BYTES(1024, 4) + LPK_CACHE_LINE - 1;
	void *memory = malloc(bytes);
	struct lpk_log_stats stats;
	int i, result;

	result = lpk_log_init(&small, "small", memory, bytes, 1000, 4, 1);
	printf("blocks of 1000 bytes: %s\n", lpk_strerror(result));
	result = lpk_log_init(&small, "small", memory, bytes, 1024, 4, 1);
	if (result != LPK_OK)
		return 1;
	for (i = 0; i < 1000; i++)
		lpk_info("record %d", i);
	lpk_log_stats(&small, &stats);
	printf("stored %d, of these overwritten %d; suppressed %d, "
	       "dropped %d\n",
	    (int)stats.stored, (int)stats.overwritten, (int)stats.suppressed,
	    (int)stats.dropped);
	free(memory);
	return stats.stored + stats.suppressed + stats.dropped != 1000;
}
