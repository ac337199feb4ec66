/* SPDX-License-Identifier: MIT */
/*
 * weak.c - the clients on the weak memory of machine.h: all executions that
 * differ from an ordinary one in a few stale loads, early stores and
 * preemptions, where they are few enough; and seeded walks at random.
 *
 * LPK_MODEL_DEEP=1 walks fifty times as far. LPK_MODEL_SEED= is where to begin.
 * LPK_REPLAY= runs one execution, as printed by a failure. Arguments: names of
 * clients to run alone.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLENTY 1000000u

static const struct {
	const char *client;
	unsigned int preempt, stale, early; /* exhaustively; 0, 0, 0: not */
	unsigned int nest, death;
	unsigned int walks;
} plan[] = {
    {"two_writers", 1, 1, 1, 0, 0, 10000},
    {"three_writers", 0, 0, 0, 0, 0, 10000},
    {"three_writers_three_blocks", 0, 0, 0, 0, 0, 10000},
    {"nested", 0, 0, 0, 2, 0, 10000},
    {"lapped", 1, 2, 0, 0, 0, 10000},
    {"read_two", 0, 0, 0, 0, 0, 20000},
    {"handed_over", 1, 2, 0, 0, 0, 10000},
    {"backlog", 0, 0, 0, 0, 0, 10000},
    {"first_use", 0, 0, 0, 0, 0, 10000},
    {"read_nested", 0, 0, 0, 2, 0, 10000},
    {"dead", 0, 0, 0, 0, 1, 10000},
    {"dead_read", 0, 0, 0, 0, 1, 10000},
    {"sleeper", 1, 1, 1, 0, 0, 10000},
    {"sleeper_overflow", 0, 0, 0, 0, 0, 10000},
    {"straddling", 1, 1, 1, 0, 0, 10000},
    {"straddling_read", 0, 0, 0, 0, 0, 10000},
    {"late", 0, 0, 0, 0, 0, 10000},
    {"lanes", 0, 0, 0, 0, 0, 10000},
    {"lanes_read", 0, 0, 0, 0, 0, 10000},
    {"idle_lane", 0, 0, 0, 0, 0, 10000},
    {"cause", 0, 0, 0, 0, 0, 20000},
    {"clock", 0, 0, 0, 0, 0, 20000},
    {"names", 0, 0, 0, 0, 0, 20000},
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

static bool
explore(const char *name, const struct model_bounds *bounds)
{
	double begin = seconds();
	struct model_result result =
	    model_explore(client_named(name), bounds, false);

	printf("%-28s %-22s %9llu executions, %.2f s%s\n", name,
	    bounds->random ? "at random" : "all within its bounds",
	    (unsigned long long)result.executions, seconds() - begin,
	    result.failed ? " FAILED" : "");
	fflush(stdout);
	return result.failed;
}

int
main(int argc, char **argv)
{
	uint64_t times = getenv("LPK_MODEL_DEEP") != NULL ? 50 : 1;
	const char *seed = getenv("LPK_MODEL_SEED");
	int status = model_replay(clients, client_count);
	size_t i;

	if (status >= 0)
		return status;
	status = 0;
	for (i = 0; i < sizeof(plan) / sizeof(plan[0]); i++) {
		struct model_bounds bounds = {
		    .weak = true,
		    .preempt = plan[i].preempt,
		    .stale = plan[i].stale,
		    .early = plan[i].early,
		};
		struct model_bounds walk = {
		    .weak = true,
		    .random = true,
		    .preempt = PLENTY,
		    .stale = PLENTY,
		    .early = PLENTY,
		    .nest = plan[i].nest,
		    .death = plan[i].death,
		    .executions = plan[i].walks * times,
		    .seed = seed != NULL ? strtoull(seed, NULL, 0) : 0,
		};

		if (!picked(plan[i].client, argc, argv))
			continue;
		if (bounds.preempt != 0)
			status |= explore(plan[i].client, &bounds);
		status |= explore(plan[i].client, &walk);
	}
	return status;
}
