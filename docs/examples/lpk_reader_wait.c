/* SPDX-License-Identifier: MIT */
/* lpk_reader_wait(), lpk_now_ns(): sleep until a record comes, or not. */
#include <pthread.h>
#include <stdio.h>

#include <lpk/console.h>
#include <lpk/printk.h>

static void *
other_thread(void *unused)
{
	(void)unused;
	lpk_info("from another thread");
	return NULL;
}

int
main(void)
{
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	pthread_t thread;
	int result;

	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_NEXT);
	result = lpk_reader_wait(&reader, lpk_now_ns() + 10000000);
	printf("after 10 ms: %s\n", lpk_strerror(result));
	if (result != -LPK_ETIMEDOUT ||
	    pthread_create(&thread, NULL, other_thread, NULL) != 0)
		return 1;
	result = lpk_reader_wait(&reader, UINT64_MAX);
	pthread_join(thread, NULL);
	if (result != LPK_OK ||
	    lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK)
		return 1;
	printf("then: %s\n", text);
	return 0;
}
