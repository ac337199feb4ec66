/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

static void
on_signal(int number)
{
	lpk_warn("signal %d: logged by its handler", number);
}

int
main(void)
{
	struct lpk_console console;

	lpk_info("eth0: link up, %u Mb/s", 1000u);
	signal(SIGINT, on_signal);
	raise(SIGINT);
	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console); /* a thread; prints what is stored */
	lpk_err("disk %s: %d errors", "sda", 3);
	return lpk_console_unregister(&console, UINT64_MAX) != LPK_OK;
}
