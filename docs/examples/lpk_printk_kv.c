/* SPDX-License-Identifier: MIT */
/*
 * lpk_printk_kv(): pairs that a program can read, beside the text for people.
 * LPK_STYLE_KMSG shows them.
 */
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

int
main(void)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1], line[512];
	struct lpk_record record;

	lpk_printk_kv(
	    LPK_WARN, LPK_KV("IFNAME", "eth0", "SPEED", "100"), "link is slow");
	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	if (lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK)
		return 1;
	lpk_record_print(&record, text, LPK_STYLE_KMSG, line, sizeof(line));
	fputs(line, stdout);
	/* Behind the text and its NUL: "IFNAME=eth0" NUL "SPEED=100" NUL */
	printf("first pair: %s\n", text + record.text_bytes + 1);
	return record.kv_bytes != sizeof("IFNAME=eth0") + sizeof("SPEED=100");
}
