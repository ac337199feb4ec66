/* SPDX-License-Identifier: MIT */
/*
 * lpk_handler_enter(), lpk_handler_exit(): records made in between say that
 * they come from a signal handler. Logging there is safe without them.
 */
#include <signal.h>
#include <stdio.h>

#include <lpk/hosted.h>
#include <lpk/port.h>
#include <lpk/printk.h>
#include <lpk/reader.h>

static void
on_signal(int number)
{
	lpk_handler_enter();
	lpk_info("signal %d", number);
	lpk_handler_exit();
}

int
main(void)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1], line[256];
	struct lpk_record record;
	int handlers = 0;

	signal(SIGINT, on_signal);
	lpk_info("before");
	raise(SIGINT);
	lpk_info("after");
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	while (
	    lpk_reader_next(&reader, &record, text, sizeof(text)) == LPK_OK) {
		lpk_record_print(
		    &record, text, LPK_STYLE_CALLER, line, sizeof(line));
		fputs(line, stdout);
		handlers += (record.caller & LPK_CALLER_HANDLER) != 0;
	}
	return handlers != 1;
}
