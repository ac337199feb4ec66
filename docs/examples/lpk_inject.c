/* SPDX-License-Identifier: MIT */
/*
 * lpk_inject(): somebody else's text, as it is: no format, any bytes, with
 * syslog's facility. Control bytes are escaped when it is printed.
 */
#include <stdio.h>
#include <string.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

#define LOG_DAEMON 3u

int
main(void)
{
	static const char said[] = "100% \033[31mred\033[0m";
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1], line[512];
	struct lpk_record record;

	lpk_inject(NULL, LPK_INFO, LOG_DAEMON, said, sizeof(said) - 1);
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	if (lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK)
		return 1;
	lpk_record_print(&record, text, LPK_STYLE_PRIO, line, sizeof(line));
	fputs(line, stdout);
	return strcmp(text, said) != 0 || strchr(line, '\033') != NULL ||
	    record.facility != LOG_DAEMON ||
	    (record.flags & LPK_RECORD_INJECTED) == 0;
}
