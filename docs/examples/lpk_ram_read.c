/* SPDX-License-Identifier: MIT */
/*
 * lpk_ram_read(): the newest lines, kept in memory, for a page of a web
 * interface or a report of an error. Here the memory is small.
 */
#include <stdio.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

int
main(void)
{
	struct lpk_console *console;
	char text[513], error[200];
	int i, bytes;

	if (lpk_console_new(&console, "ram:512,name=recent", error,
		sizeof(error)) != LPK_OK) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	if (lpk_console_register(console) != LPK_OK)
		return 1;
	for (i = 1; i <= 1000; i++)
		lpk_info("request %d served", i);
	bytes = lpk_ram_read(console, text, sizeof(text));
	printf("%d bytes:\n%s", bytes, text);
	lpk_console_unregister(console, lpk_now_ns() + 1000000000);
	lpk_console_free(console);
	return bytes <= 0;
}
