/* SPDX-License-Identifier: MIT */
/* lpk_log_clear(): where LPK_SEEK_CLEAR begins to read; nothing is erased. */
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

static int
count_from(enum lpk_seek where)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int count = 0;

	lpk_reader_open(&reader, lpk_default_log(), where);
	while (lpk_reader_next(&reader, &record, text, sizeof(text)) == LPK_OK)
		count++;
	return count;
}

int
main(void)
{
	lpk_info("before");
	lpk_log_clear(lpk_default_log());
	lpk_info("after");
	printf("since the mark: %d, in all: %d\n", count_from(LPK_SEEK_CLEAR),
	    count_from(LPK_SEEK_OLDEST));
	return count_from(LPK_SEEK_CLEAR) != 1 ||
	    count_from(LPK_SEEK_OLDEST) != 2;
}
