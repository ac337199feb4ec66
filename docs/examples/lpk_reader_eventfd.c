/* SPDX-License-Identifier: MIT */
/*
 * lpk_reader_eventfd(), lpk_reader_close(): a reader in an event loop. Read
 * until -LPK_EAGAIN, then poll.
 */
#include <poll.h>
#include <stdio.h>

#include <lpk/printk.h>
#include <lpk/reader.h>

static int
read_all(struct lpk_reader *reader)
{
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int result, count = 0;

	while ((result = lpk_reader_next(
		    reader, &record, text, sizeof(text))) != -LPK_EAGAIN) {
		if (result == LPK_OK)
			count++;
	}
	return count;
}

int
main(void)
{
	static struct lpk_reader reader;
	struct pollfd poll_for = {.events = POLLIN};
	int before, after, count;

	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	poll_for.fd = lpk_reader_eventfd(&reader);
	if (poll_for.fd < 0) {
		printf("%s\n", lpk_strerror(poll_for.fd));
		return poll_for.fd == -LPK_ENOSYS ? 77 : 1;
	}
	read_all(&reader);
	before = poll(&poll_for, 1, 0);
	lpk_info("wakes the loop");
	after = poll(&poll_for, 1, 1000);
	count = read_all(&reader);
	printf(
	    "readable before: %d, after: %d; read %d\n", before, after, count);
	lpk_reader_close(&reader);
	return before != 0 || after != 1 || count != 1;
}
