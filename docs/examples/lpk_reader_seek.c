/* SPDX-License-Identifier: MIT */
/* lpk_reader_seek(): back to the oldest record, to a given one, to the end. */
#include <stdio.h>
#include <string.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

int
main(void)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int i;

	for (i = 0; i < 10; i++)
		lpk_info("record %d", i);
	if (lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_NEXT) !=
	    LPK_OK)
		return 1;
	/* Opened behind the newest record: nothing to read yet. */
	if (lpk_reader_next(&reader, &record, text, sizeof(text)) !=
	    -LPK_EAGAIN)
		return 1;
	lpk_reader_seek(&reader, LPK_SEEK_SEQ, 7);
	lpk_reader_next(&reader, &record, text, sizeof(text));
	printf("seq %d: %s\n", (int)record.seq, text);
	if (strcmp(text, "record 7") != 0)
		return 1;
	lpk_reader_seek(&reader, LPK_SEEK_OLDEST, 0);
	lpk_reader_next(&reader, &record, text, sizeof(text));
	printf("oldest: %s\n", text);
	return strcmp(text, "record 0") != 0;
}
