/* SPDX-License-Identifier: MIT */
/*
 * lpk_thread_set_name(): what a thread is called, by the system and in the
 * records that a reader gets. The log takes it at the thread's first call, so
 * that a name given before that needs nothing of lpk; one that changes later
 * does.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <lpk/hosted.h>
#include <lpk/printk.h>
#include <lpk/reader.h>

static void *
worker(void *argument)
{
	lpk_thread_set_name(argument);
	lpk_info("at work");
	return NULL;
}

static void
run_as(const char *name)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, worker, (void *)(size_t)name) == 0)
		pthread_join(thread, NULL);
}

int
main(void)
{
	static const char *const expected[] = {"idle", "receiver", "sender"};
	static struct lpk_reader reader;
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;
	int records = 0, wrong = 0;

	lpk_info("begins"); /* by the name that the program started with... */
	run_as("receiver");
	run_as("sender");
	lpk_thread_set_name("idle"); /* ...but read by this one */

	lpk_reader_open(&reader, lpk_default_log(), LPK_SEEK_OLDEST);
	while (
	    lpk_reader_next(&reader, &record, text, sizeof(text)) == LPK_OK) {
		printf("%s: %s\n", record.thread, text);
		if (records >= 3 ||
		    strcmp(record.thread, expected[records]) != 0)
			wrong++;
		records++;
	}
	return records != 3 || wrong != 0;
}
