/* SPDX-License-Identifier: MIT */
/*
 * Logging before main() and after exit(): the default log is static memory,
 * there is nothing to initialise and nothing that is torn down.
 */
#include <stdlib.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

__attribute__((constructor(101))) static void
first(void)
{
	lpk_info("a constructor, before main()");
}

static void
last(void)
{
	struct lpk_console console;

	lpk_info("a function of atexit(), after main()");
	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console);
	lpk_console_unregister(&console, UINT64_MAX);
}

int
main(void)
{
	struct lpk_log_stats stats;

	atexit(last);
	lpk_info("main()");
	lpk_log_stats(lpk_default_log(), &stats);
	return stats.stored != 2;
}
