/* SPDX-License-Identifier: MIT */
/*
 * lpk_fd_console(): a console on a descriptor. Two of them on one log: all of
 * it as /dev/kmsg writes it to a file, the warnings to the terminal.
 */
#include <stdio.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

int
main(void)
{
	FILE *file = tmpfile();
	struct lpk_console terminal, everything;
	char line[256];
	int lines = 0;

	if (file == NULL ||
	    lpk_fd_console(&terminal, STDOUT_FILENO) != LPK_OK ||
	    lpk_fd_console(&everything, fileno(file)) != LPK_OK)
		return 1;
	terminal.quiet_below = LPK_NOTICE; /* down to LPK_WARN */
	everything.style = LPK_STYLE_KMSG;
	lpk_console_register(&terminal);
	lpk_console_register(&everything);
	lpk_info("for the file only");
	lpk_err("for both");
	lpk_console_unregister(&terminal, UINT64_MAX);
	lpk_console_unregister(&everything, UINT64_MAX);

	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL)
		lines++;
	printf("the file has %d lines\n", lines);
	fclose(file);
	return lines != 2;
}
