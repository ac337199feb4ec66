/* SPDX-License-Identifier: MIT */
/*
 * mutants.c - each ordering and each check of the ring weakened in turn; every
 * mutant must die on one of the rungs below.
 *
 * An ordered access becomes a relaxed one, a fence is left out, a check always
 * holds. Which accesses there are is found out by running the clients. A mutant
 * that no client kills must be in the list of survivors, with the reason, and
 * one that is in the list must survive.
 *
 * Arguments: labels of mutants to try alone. LPK_MODEL_DEEP=1 goes further.
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLENTY 1000000u

static const struct {
	const char *label;
	const char *why;
} survivors[] = {
    {"follow:B",
	"what it orders is only believed after copy:A has looked again, but "
	"for past; and a past of a later life counts what is lost by then"},
    {"follow/check1", "as follow:B, of which it is the second look"},
    {"look:A",
	"the fence of copy:A follows before the answer is believed, and the "
	"slots behind the cursor are looked at again before they are read"},
};

struct rung {
	const char *client;
	unsigned int preempt, nest, death; /* on a sequential memory */
	/* On a weak one: within these bounds; then this many walks at first. */
	unsigned int weak_preempt, stale, early;
	unsigned int walks;
};

static const struct rung rungs[] = {
    {"two_writers", 2, 0, 0, 1, 1, 1, 1000},
    {"lapped", 2, 0, 0, 1, 2, 0, 1000},
    {"handed_over", 1, 0, 0, 2, 1, 0, 1000},
    {"straddling", 2, 0, 0, 1, 1, 1, 1000},
    {"clock", 1, 0, 0, 0, 0, 0, 1000},
    {"names", 2, 0, 0, 0, 0, 0, 1000},
    {"read_two", 1, 0, 0, 0, 0, 0, 1000},
    {"three_writers", 1, 0, 0, 0, 0, 0, 1000},
    {"straddling_read", 1, 0, 0, 0, 0, 0, 1000},
    {"late", 2, 0, 0, 0, 0, 0, 1000},
    {"nested", 0, 1, 0, 0, 0, 0, 0},
    {"dead", 0, 0, 1, 0, 0, 0, 0},
    {"pinned", 0, 0, 0, 0, 0, 0, 100},
    {"sleeper", 2, 0, 0, 1, 1, 1, 1000},
    {"sleeper_overflow", 1, 0, 0, 0, 0, 0, 1000},
    {"lanes_read", 0, 0, 0, 0, 0, 0, 500},
    {"idle_lane", 1, 0, 0, 0, 0, 0, 500},
    {"cause", 0, 0, 0, 0, 0, 0, 500},
    {"first_use", 0, 0, 0, 0, 0, 0, 500},
};
#define RUNGS (sizeof(rungs) / sizeof(rungs[0]))

/* Each round walks this many times as far as the one before. */
#define ROUNDS 3
#define FURTHER 5

static bool
on_sequential(const struct rung *rung, struct model_result *result)
{
	struct model_bounds bounds = {
	    .preempt = rung->preempt,
	    .nest = rung->nest,
	    .death = rung->death,
	    .executions = 50000,
	};

	*result = model_explore(client_named(rung->client), &bounds, true);
	return result->failed;
}

static bool
within_bounds(const struct rung *rung, struct model_result *result)
{
	struct model_bounds bounds = {
	    .weak = true,
	    .preempt = rung->weak_preempt,
	    .stale = rung->stale,
	    .early = rung->early,
	    .executions = 50000,
	};

	if (rung->weak_preempt == 0)
		return false;
	*result = model_explore(client_named(rung->client), &bounds, true);
	return result->failed;
}

static bool
on_walks(const struct rung *rung, unsigned int times, uint64_t seed,
    struct model_result *result)
{
	struct model_bounds bounds = {
	    .weak = true,
	    .random = true,
	    .preempt = PLENTY,
	    .stale = PLENTY,
	    .early = PLENTY,
	    .executions = (uint64_t)rung->walks * times,
	    .seed = seed,
	};

	if (rung->walks == 0)
		return false;
	*result = model_explore(client_named(rung->client), &bounds, true);
	return result->failed;
}

struct death {
	const char *client; /* NULL: it lives */
	const char *how;
	struct model_result result;
};

static struct death
find_death(bool sequential, unsigned int rounds)
{
	struct death death = {0};
	unsigned int round, times = 1;
	uint64_t seed = 1000000;
	size_t i;

	for (i = 0; i < RUNGS; i++) {
		death.client = rungs[i].client;
		death.how = "sequential memory";
		if (sequential && on_sequential(&rungs[i], &death.result))
			return death;
	}
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < RUNGS; i++) {
			death.client = rungs[i].client;
			death.how = "weak memory, at random";
			if (on_walks(&rungs[i], times, seed, &death.result))
				return death;
			death.how = "weak memory, within bounds";
			if (round == 0 &&
			    within_bounds(&rungs[i], &death.result))
				return death;
		}
		seed += 1000000;
		times *= FURTHER;
	}
	death.client = NULL;
	return death;
}

static const char *
why_it_lives(const struct model_site *site)
{
	size_t i;

	for (i = 0; i < sizeof(survivors) / sizeof(survivors[0]); i++) {
		if (strcmp(survivors[i].label, site->label) == 0)
			return survivors[i].why;
	}
	return NULL;
}

static const char *
weakening(const struct model_site *site)
{
	if (site->kind == MODEL_CHECK)
		return "always holds";
	if (site->kind == MODEL_FENCE)
		return "left out";
	return site->order == MODEL_ACQUIRE ? "acquire to relaxed" :
					      "release to relaxed";
}

static void
print_death(const struct death *death)
{
	printf("killed by %s, %s, execution %llu: %s\n", death->client,
	    death->how, (unsigned long long)death->result.executions,
	    strchr(death->result.message, ' ') + 1);
}

/* Sites of one label are one order, weakened together. */
static void
weaken(const struct model_site *site, bool off)
{
	size_t i;

	for (i = 0; i < model_site_count; i++) {
		if (strcmp(model_sites[i].label, site->label) == 0)
			model_sites[i].off = off;
	}
}

static bool
is_first_of_label(const struct model_site *site)
{
	const struct model_site *first = model_sites;

	while (strcmp(first->label, site->label) != 0)
		first++;
	return first == site;
}

/* True when it went as it should. */
static bool
try(const struct model_site *site, bool deep)
{
	const char *why = why_it_lives(site);
	unsigned int rounds = deep ? ROUNDS + 1 : why != NULL ? 1 : ROUNDS;
	struct death death;

	weaken(site, true);
	/* An order is nothing to a sequential memory. */
	death = find_death(site->kind == MODEL_CHECK, rounds);
	weaken(site, false);
	printf("%-26s %-13s %-18s ", site->label, strrchr(site->where, '/') + 1,
	    weakening(site));
	if (death.client != NULL)
		print_death(&death);
	else if (why != NULL)
		printf("lives: %s\n", why);
	else
		printf("LIVES\n");
	fflush(stdout);
	return (death.client != NULL) == (why == NULL);
}

/* Not an atomic: where the writer looks at the clock. */
static bool
try_late_clock(void)
{
	struct death death;

	harness_time_after = true;
	death = find_death(true, 0);
	harness_time_after = false;
	printf("%-26s %-13s %-18s ", "(the time of a record)", "printk.c",
	    "after reserving");
	if (death.client != NULL)
		print_death(&death);
	else
		printf("LIVES\n");
	return death.client != NULL;
}

/* Meet all the sites; nothing may fail before anything is weakened. */
static bool
meet_sites(void)
{
	struct model_result result;
	size_t i;

	for (i = 0; i < RUNGS; i++) {
		if (on_walks(&rungs[i], 1, 0, &result) ||
		    within_bounds(&rungs[i], &result) ||
		    (rungs[i].walks == 0 &&
			on_sequential(&rungs[i], &result))) {
			printf("%s fails unweakened: %s\n", rungs[i].client,
			    result.message);
			return false;
		}
	}
	return true;
}

static bool
picked(const char *label, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], label) == 0)
			return true;
	}
	return argc < 2;
}

int
main(int argc, char **argv)
{
	bool deep = getenv("LPK_MODEL_DEEP") != NULL;
	unsigned int tried = 0, wrong = 0;
	size_t i, count;

	if (!meet_sites())
		return 1;
	model_label_sites();
	count = model_site_count;
	for (i = 0; i < count; i++) {
		struct model_site *site = &model_sites[i];

		if (!model_site_mutable(site) || !is_first_of_label(site) ||
		    !picked(site->label, argc, argv))
			continue;
		tried++;
		wrong += !try(site, deep);
	}
	if (argc < 2) {
		tried++;
		wrong += !try_late_clock();
	}
	printf("%u mutants, %u not as they should be\n", tried, wrong);
	return wrong != 0 || tried == 0;
}
