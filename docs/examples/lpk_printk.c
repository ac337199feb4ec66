/* SPDX-License-Identifier: MIT */
/*
 * lpk_printk() and a name for each level: lpk_emerg(), lpk_alert(),
 * lpk_crit(), lpk_err(), lpk_warn(), lpk_notice(), lpk_info(), lpk_debug().
 */
#include <unistd.h>

#include <lpk/consoles.h>

/* Before printk.h: what the messages of this file begin with, and how
 * LPK_LOG=net=debug names them. */
#define LPK_PREFIX "eth0: "
#define LPK_SUBSYSTEM "net"
#include <lpk/printk.h>

int
main(void)
{
	const unsigned char address[] = {192, 0, 2, 1};
	struct lpk_log_stats stats;
	struct lpk_console console;

	lpk_emerg("a level for when the system is unusable");
	lpk_alert("one for what must be acted on at once");
	lpk_crit("critical conditions");
	lpk_err("errors");
	lpk_warn("warnings");
	lpk_notice("normal, but worth a look");
	lpk_info("%pI4: link up, %u Mb/s", (const void *)address, 1000u);
	lpk_debug("not stored: debug messages are off unless LPK_LOG says "
		  "otherwise");
	lpk_printk(LPK_INFO, "the same with the level as an argument");

	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console);
	lpk_console_unregister(&console, UINT64_MAX);
	lpk_log_stats(lpk_default_log(), &stats);
	return stats.stored < 8;
}
