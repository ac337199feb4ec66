/* SPDX-License-Identifier: MIT */
/*
 * lpk_reader_open(), lpk_reader_next(): every record, or the exact number of
 * those that were overwritten first.
 */
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

/* Small on purpose: older records go. */
LPK_LOG_DEFINE(small_log, 1024, 4, 1);

int
main(void)
{
	static struct lpk_reader reader; /* about 4 KiB */
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int i, result, read = 0, lost = 0;

	if (lpk_reader_open(&reader, &small_log, LPK_SEEK_OLDEST) != LPK_OK)
		return 1;
	for (i = 0; i < 500; i++)
		lpk_printk_to(&small_log, LPK_INFO, "record %d", i);
	do {
		result = lpk_reader_next(&reader, &record, text, sizeof(text));
		if (result == LPK_OK) {
			if (read++ == 0)
				printf("first: \"%s\", seq %d\n", text,
				    (int)record.seq);
		} else if (result == -LPK_EPIPE) {
			lost += (int)reader.lost;
		}
	} while (result != -LPK_EAGAIN);
	printf("read %d, lost %d\n", read, lost);
	return read == 0 || read + lost != 500;
}
