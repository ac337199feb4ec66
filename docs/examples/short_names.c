/* SPDX-License-Identifier: MIT */
/*
 * LPK_SHORT_NAMES: the names that kernel code uses. printk(KERN_INFO ...),
 * pr_emerg(), pr_alert(), pr_crit(), pr_err(), pr_warn(), pr_notice(),
 * pr_info(), pr_debug(), pr_cont(), and _once and _ratelimited forms.
 */
#include <unistd.h>

#include <lpk/consoles.h>

#define LPK_SHORT_NAMES
#include <lpk/printk.h>

int
main(void)
{
	struct lpk_console_stats stats;
	struct lpk_console console;

	printk(KERN_INFO "Memory: %uK/%uK available\n", 1024u, 4096u);
	printk(KERN_INFO "CPUs:");
	printk(KERN_CONT " 0");
	pr_cont(" 1\n");
	pr_warn("a warning\n");
	pr_err_once("an error\n");
	pr_info_ratelimited("and another line\n");

	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console);
	lpk_console_flush(&console, UINT64_MAX);
	lpk_console_stats(&console, &stats);
	lpk_console_unregister(&console, UINT64_MAX);
	return stats.printed != 7;
}
