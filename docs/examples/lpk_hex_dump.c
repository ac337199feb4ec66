/* SPDX-License-Identifier: MIT */
/* lpk_hex_dump(): sixteen bytes a record. */
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

int
main(void)
{
	static const char packet[] = "GET / HTTP/1.1\r\nHost: example.org\r\n";
	struct lpk_log_stats stats;
	struct lpk_console console;

	lpk_hex_dump(NULL, LPK_INFO, "rx: ", packet, sizeof(packet) - 1);
	lpk_fd_console(&console, STDOUT_FILENO);
	lpk_console_register(&console);
	lpk_console_unregister(&console, UINT64_MAX);
	lpk_log_stats(lpk_default_log(), &stats);
	return stats.stored != 3;
}
