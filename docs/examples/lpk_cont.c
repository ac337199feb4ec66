/* SPDX-License-Identifier: MIT */
/*
 * lpk_line(), lpk_cont(): a line in pieces. Each piece is a record; a console
 * puts them together when no other record came in between.
 */
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

int
main(void)
{
	struct lpk_console_stats stats;
	struct lpk_console console;

	lpk_line(LPK_INFO, "mounting %s:", "/dev/sda1");
	lpk_cont(LPK_INFO, " done in %d ms\n", 42);
	lpk_info("a line of its own");

	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console);
	lpk_console_flush(&console, UINT64_MAX);
	lpk_console_stats(&console, &stats);
	lpk_console_unregister(&console, UINT64_MAX);
	return stats.printed != 3;
}
