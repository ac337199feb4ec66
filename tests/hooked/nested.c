/* SPDX-License-Identifier: MIT */
/*
 * nested.c - a printk that is interrupted before and after each of its atomic
 * operations by a signal whose handler logs, and so on three deep: at every
 * place, at every pair of places, at every triple that the dice choose.
 */
#include <stdio.h>
#include <string.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

#include "core/ring.h"
#include "lib_book.h"
#include "lib_hook.h"

#define ALL UINT32_MAX

struct scenario {
	const char *name;
	uint32_t block_bytes;
	uint32_t blocks;
	uint32_t lanes;
	uint32_t filled;  /* records before */
	uint32_t nested;  /* records of each handler */
	uint32_t triples; /* of places, by chance, or all of them */
	uint32_t every;   /* pairs: of the places outside, one in so many */
	bool other_lane;  /* handlers log as another thread would */
	bool clock;       /* the clocks are due */
	bool laps;        /* records may be lost */
	bool bare;        /* as LPK_LOG_DEFINE() leaves it */
	void (*before)(void);
	void (*after)(void);
};

static unsigned char memory[LPK_REGION_BYTES(512, 8) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct book book;
static struct book_reader reader;
static const struct scenario *scene;
static struct book_hold holds[16];
static uint32_t held;
static uint64_t runs;

static void
handler(int level)
{
	uint32_t lane = lpk_port_lane(), i;

	if (scene->other_lane)
		lpk_thread_set_lane((uint32_t)level);
	for (i = 0; i < scene->nested; i++)
		book_log(&book, (char)('A' + level));
	lpk_thread_set_lane(lane);
}

/* Fill the lane's block to the last record. */
static void
fill_block(void)
{
	unsigned long *word = &lpk__head(&ring)->lanes[0].current;
	unsigned long name, state;

	book_log(&book, 'f');
	do {
		name = *word;
		state = lpk__block(&ring, name - 1)->state;
		if ((state >> LPK__OFFSET_BITS) == ring.geometry.slots)
			return;
		book_log(&book, 'f');
	} while (*word == name);
	/* Units ran out before slots did: the block is closed. Once more. */
	book_log(&book, 'f');
}

/* An unfinished record in every block, and not a word of room. */
static void
pin_all(void)
{
	unsigned long dropped = book_dropped(&book);

	held = 0;
	while (held < ring.geometry.blocks) {
		unsigned long name;

		book_check(book_hold(&book, &holds[held], 'p'));
		held++;
		name = lpk__head(&ring)->lanes[0].current;
		while (name == lpk__head(&ring)->lanes[0].current &&
		    book_dropped(&book) == dropped)
			book_log(&book, 'f');
		/* What opened the next block took room of the next hold. */
	}
	while (book_dropped(&book) == dropped)
		book_log(&book, 'f');
}

static void
unpin_all(void)
{
	book_check(book_dropped(&book) > 1);
	while (held != 0)
		book_unhold(&book, &holds[--held]);
}

static uint32_t
interrupted(void)
{
	uint32_t level = 0;

	while (level < HOOK_LEVELS && hook_hit((int)level))
		level++;
	return level;
}

static void
run(const struct hook_plan *plan)
{
	unsigned long dropped;
	uint32_t i;

	runs++;
	book_ring(&ring, scene->block_bytes, scene->blocks, scene->lanes,
	    memory, sizeof(memory));
	book_start(&book, &ring);
	for (i = 0; i < scene->filled; i++)
		book_log(&book, 'f');
	if (scene->before != NULL)
		scene->before();
	book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
	if (scene->bare) {
		/* Static memory: nobody has filled in the head yet. */
		lpk__head(&ring)->ready = 0;
		lpk__head(&ring)->clock_seq = 0;
		ring.clock_due = 0;
	}
	if (scene->clock)
		ring.clock_due = (unsigned long)lpk_port_clock();
	hook_begin(plan);
	book_log(&book, 'A');
	hook_end();
	if (scene->after != NULL)
		scene->after();
	/* The ring is as good as before. */
	dropped = book_dropped(&book);
	for (i = 0; i < 3; i++)
		book_log(&book, 'z');
	book_check(book_dropped(&book) == dropped);
	book_drain(&reader);
	book_close(&reader, 0);
	if (!scene->laps)
		book_check(reader.lost == 0);
	/* Each interrupted call keeps one block at most. */
	if (scene->after == NULL && interrupted() < scene->blocks)
		book_check(dropped == 0);
	book_check(reader.late == 0);
}

/* Every place of a level, the levels below being interrupted as planned. */
static uint32_t
every_place(struct hook_plan *plan, int level)
{
	uint32_t places = 0;

	for (;;) {
		plan->at[level] = places;
		book_at("%s, places %d %d %d", scene->name, (int)plan->at[0],
		    (int)plan->at[1], (int)plan->at[2]);
		run(plan);
		if (!hook_hit(level))
			break;
		places++;
	}
	plan->at[level] = HOOK_NEVER;
	return places;
}

/* Every triple of places. */
static uint32_t
every_triple(uint32_t places)
{
	struct hook_plan plan = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	uint32_t i, j, count, triples = 0;

	for (i = 0; i < places; i++) {
		plan.at[0] = i;
		j = 0;
		do {
			plan.at[1] = j++;
			count = every_place(&plan, 2);
			triples += count;
		} while (count != 0);
	}
	return triples;
}

static void
play(const struct scenario *scenario, uint64_t *seed)
{
	const struct hook_plan none = {
	    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
	struct hook_plan plan = none;
	uint32_t places, pairs = 0, triples = 0, i, inner = 0;
	/* The same paths, at more than twice the price. */
	uint32_t step = scenario->every * (sizeof(long) < 8 ? 2 : 1);

	scene = scenario;
	places = every_place(&plan, 0);
	i = book_random(seed, step);
	for (; i < places; i += step) {
		uint32_t count;

		plan = none;
		plan.at[0] = i;
		count = every_place(&plan, 1);
		pairs += count;
		if (count > inner)
			inner = count;
	}
	for (i = 0; i < scenario->triples && scenario->triples != ALL; i++) {
		plan.at[0] = book_random(seed, places);
		plan.at[1] = book_random(seed, inner);
		plan.at[2] = book_random(seed, inner);
		book_at("%s, places %u %u %u", scene->name, plan.at[0],
		    plan.at[1], plan.at[2]);
		run(&plan);
		triples += hook_hit(2);
	}
	if (scenario->triples == ALL)
		triples = every_triple(places);
	book_check(places > 10 && pairs > places && triples > 0);
	printf("%-28s %4u places, %6u pairs, %5u triples\n", scenario->name,
	    places, pairs, triples);
}

static const struct scenario scenes[] = {
    {.name = "inside a block",
	.every = 1,
	.block_bytes = 1024,
	.blocks = 4,
	.lanes = 1,
	.filled = 6,
	.nested = 1,
	.triples = sizeof(long) < 8 ? 4000 : ALL},
    {.name = "first call of a site",
	.every = 1,
	.block_bytes = 512,
	.blocks = 4,
	.lanes = 1,
	.filled = 1,
	.nested = 1,
	.triples = 4000},
    {.name = "block change",
	.every = 1,
	.block_bytes = 256,
	.blocks = 4,
	.lanes = 1,
	.before = fill_block,
	.nested = 1,
	.triples = 4000,
	.laps = true},
    {.name = "block change, two nested",
	.every = 1,
	.block_bytes = 512,
	.blocks = 4,
	.lanes = 1,
	.before = fill_block,
	.nested = 2,
	.triples = 4000,
	.laps = true},
    {.name = "block change by the handler",
	.every = 1,
	.block_bytes = 512,
	.blocks = 8,
	.lanes = 1,
	.filled = 3,
	.nested = 3,
	.triples = 4000},
    {.name = "two blocks, lapped",
	.every = 4,
	.block_bytes = 256,
	.blocks = 2,
	.lanes = 1,
	.before = fill_block,
	.nested = 3,
	.triples = 2000,
	.laps = true},
    {.name = "generations overflow",
	.every = 1,
	.block_bytes = 256,
	.blocks = 2,
	.lanes = 1,
	.filled = 9,
	.nested = 1,
	.triples = 2000,
	.laps = true},
    {.name = "two lanes",
	.every = 2,
	.block_bytes = 256,
	.blocks = 4,
	.lanes = 2,
	.before = fill_block,
	.nested = 2,
	.other_lane = true,
	.triples = 4000,
	.laps = true},
    {.name = "first record",
	.every = 1,
	.block_bytes = 512,
	.blocks = 4,
	.lanes = 1,
	.nested = 1,
	.triples = 2000},
    {.name = "first record, static log",
	.every = 2,
	.block_bytes = 512,
	.blocks = 4,
	.lanes = 1,
	.nested = 1,
	.bare = true,
	.triples = 2000},
    {.name = "first record, two lanes",
	.every = 1,
	.block_bytes = 256,
	.blocks = 4,
	.lanes = 2,
	.nested = 1,
	.other_lane = true,
	.triples = 2000,
	.laps = true},
    {.name = "all blocks pinned",
	.every = 1,
	.block_bytes = 256,
	.blocks = 4,
	.lanes = 1,
	.before = pin_all,
	.after = unpin_all,
	.nested = 1,
	.triples = 2000,
	.laps = true},
    {.name = "clocks due",
	.every = 2,
	.block_bytes = 512,
	.blocks = 4,
	.lanes = 1,
	.filled = 1,
	.nested = 1,
	.clock = true,
	.triples = 2000,
	.laps = true},
};

int
main(void)
{
	uint64_t seed;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = book_seed();
	hook_signal(handler);
	lpk_thread_set_lane(0);
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		play(&scenes[i], &seed);
	/* A record that meets the end of its block at every distance from it. */
	for (i = 2; i < 9; i++) {
		struct scenario straddle = {.name = "n records before",
		    .every = 1,
		    .block_bytes = 512,
		    .blocks = 2,
		    .lanes = 1,
		    .nested = 1,
		    .triples = 1000,
		    .laps = true};

		straddle.filled = (uint32_t)i;
		play(&straddle, &seed);
	}
	printf("%llu runs\n", (unsigned long long)runs);
	return 0;
}
