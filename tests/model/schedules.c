/* SPDX-License-Identifier: MIT */
/*
 * schedules.c - every interleaving of the clients on a sequential memory, up to
 * a number of preemptions, with a nested handler or a death at any operation.
 *
 * LPK_MODEL_DEEP=1 goes one preemption further. LPK_REPLAY= runs one execution,
 * as printed by a failure. Arguments: names of clients to run alone.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *client;
	unsigned int preempt, nest, death;
} plan[] = {
    {"two_writers", 3, 0, 0},
    {"three_writers", 2, 0, 0},
    {"three_writers_three_blocks", 2, 0, 0},
    {"nested", 1, 1, 0},
    {"nested_three_blocks", 1, 1, 0},
    {"lapped", 3, 0, 0},
    {"read_two", 2, 0, 0},
    {"handed_over", 2, 0, 0},
    {"backlog", 1, 0, 0},
    {"first_use", 2, 0, 0},
    {"read_nested", 1, 1, 0},
    {"dead", 2, 0, 1},
    {"dead_read", 1, 0, 1},
    {"sleeper", 2, 0, 0},
    {"sleeper_overflow", 2, 0, 0},
    {"straddling", 2, 0, 0},
    {"straddling_read", 2, 0, 0},
    {"late", 2, 0, 0},
    {"lanes", 2, 0, 0},
    {"lanes_read", 2, 0, 0},
    {"idle_lane", 2, 0, 0},
    {"cause", 2, 0, 0},
    {"pinned", 1, 0, 0},
    {"clock", 2, 0, 0},
    {"names", 2, 0, 0},
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool
picked(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], name) == 0)
			return true;
	}
	return argc < 2;
}

int
main(int argc, char **argv)
{
	unsigned int more = getenv("LPK_MODEL_DEEP") != NULL;
	int status = model_replay(clients, client_count);
	size_t i;

	if (status >= 0)
		return status;
	status = 0;
	for (i = 0; i < sizeof(plan) / sizeof(plan[0]); i++) {
		struct model_bounds bounds = {
		    .preempt = plan[i].preempt + more,
		    .nest = plan[i].nest,
		    .death = plan[i].death,
		};
		struct model_result result;
		double begin = seconds();

		if (!picked(plan[i].client, argc, argv))
			continue;
		result =
		    model_explore(client_named(plan[i].client), &bounds, false);
		printf("%-28s %u preemptions, %u handlers, %u deaths: "
		       "%9llu executions, %.2f s%s\n",
		    plan[i].client, bounds.preempt, bounds.nest, bounds.death,
		    (unsigned long long)result.executions, seconds() - begin,
		    result.failed ? " FAILED" : "");
		fflush(stdout);
		status |= result.failed;
	}
	return status;
}
