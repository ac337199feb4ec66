/* SPDX-License-Identifier: MIT */
/*
 * lpk_thread_set_lane(): threads that are pinned to CPUs take the lane of
 * theirs, so that two CPUs never write to one block.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <lpk/hosted.h>
#include <lpk/printk.h>

static void *
pinned(void *argument)
{
	unsigned int cpu = *(unsigned int *)argument;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	lpk_thread_set_lane(cpu);
	lpk_info("on cpu %u", cpu);
	return NULL;
}

int
main(void)
{
	unsigned int cpu[2] = {0, 1};
	struct lpk_log_stats stats;
	pthread_t thread[2];
	int i;

	for (i = 0; i < 2; i++) {
		if (pthread_create(&thread[i], NULL, pinned, &cpu[i]) != 0)
			return 1;
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	lpk_log_stats(lpk_default_log(), &stats);
	printf("%d records in %d blocks\n", (int)stats.stored,
	    (int)stats.blocks_opened);
	return stats.stored != 2;
}
