/* SPDX-License-Identifier: MIT */
/*
 * lpk_write(), lpk_vwrite(): for wrappers, where level, log or format are
 * known only when the program runs. No filter applies.
 */
#include <stdio.h>

#include <lpk/printk.h>

static void my_log(int verbose, const char *format, ...) LPK_PRINTF(2, 3);

static void
my_log(int verbose, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lpk_vwrite(NULL, verbose ? LPK_DEBUG : LPK_NOTICE, format, arguments);
	va_end(arguments);
}

int
main(void)
{
	struct lpk_log_stats stats;

	my_log(1, "%s has %d lines", "file", 3);
	lpk_write(lpk_default_log(), LPK_INFO, "directly: %pe",
	    (const void *)(intptr_t)-LPK_EIO);
	lpk_log_stats(lpk_default_log(), &stats);
	printf("%d records stored\n", (int)stats.stored);
	return stats.stored != 2;
}
