/* SPDX-License-Identifier: MIT */
/* lpk_record_print(): the four styles of a line. */
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

int
main(void)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1], line[256];
	struct lpk_record record;
	size_t length;
	int style;

	lpk_warn("temperature %d C\nthe second line has a prefix too", 95);
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	if (lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK)
		return 1;
	for (style = LPK_STYLE_TEXT; style <= LPK_STYLE_KMSG; style++) {
		length = lpk_record_print(
		    &record, text, (enum lpk_style)style, line, sizeof(line));
		if (length >= sizeof(line))
			return 1; /* cut: the buffer is too small */
		fputs(line, stdout);
	}
	return 0;
}
