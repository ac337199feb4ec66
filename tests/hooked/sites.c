/* SPDX-License-Identifier: MIT */
/*
 * sites.c - what a call does before it logs, and who changes it: first use of
 * a call site, a new filter, once, rate limits; interrupted at every place and
 * every pair of places by handlers that do the same.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <lpk/hosted.h>
#include <lpk/port.h>

/* The filter is one for the process; each run begins with a fresh one. */
#include "core/filter.c"

#include "lib_book.h"
#include "lib_hook.h"

#define SITES 3

struct scenario {
	const char *name;
	void (*before)(void);
	void (*body)(int level);
	void (*after)(void);
};

static unsigned char memory[LPK_REGION_BYTES(1024, 8) + LPK_CACHE_LINE];
static struct lpk_log ring;
static struct book book;
static struct book_reader reader;
static struct lpk_site sites[SITES];
static struct lpk_ratelimit limit;
static unsigned long done;
static const struct scenario *scene;
static uint32_t sets, busy;

static void
log_text(struct lpk_site *site, uint32_t number)
{
	char text[128];
	const char *const start = text;
	const uint64_t arguments[] = {LPK__ARG(start)};

	book_text(&book, number, text, sizeof(text));
	lpk__log(&ring, site, site->format, arguments, 1);
}

/* What the macros do, at a site of this test. */
static void
call_site(struct lpk_site *site, int level)
{
	uint32_t number = book_begin(&book, (char)('A' + level));

	if (LPK_LOAD_RELAXED(&site->state) != LPK_SITE_OFF &&
	    lpk__site_enabled(site))
		log_text(site, number);
	else
		book.filtered++;
	book_finish(&book, number);
}

/* Is each used site on the list, once, and none with a stale decision? */
static void
check_sites(void)
{
	struct lpk_site *site = (struct lpk_site *)filter.sites;
	uint32_t seen[SITES] = {0}, i, length = 0;

	for (; site != NULL; site = (struct lpk_site *)site->next) {
		book_check(length++ < SITES);
		seen[site - sites]++;
	}
	for (i = 0; i < SITES; i++) {
		unsigned long state = sites[i].state;
		bool on = lpk__site_level(&sites[i]) <
		    lpk__rules_level(&filter.rules, "sub", LPK_INFO + 1);

		book_check(seen[i] == (state == LPK_SITE_NEW ? 0 : 1));
		if (state == LPK_SITE_ON || state == LPK_SITE_OFF)
			book_check((state == LPK_SITE_ON) == on);
	}
}

static void
use_sites(int level)
{
	call_site(&sites[0], level);
	if (level != 0)
		call_site(&sites[level % SITES], level);
}

static void
use_before(void)
{
	call_site(&sites[0], 9);
	call_site(&sites[1], 9);
	book_check(book.filtered == 1);
}

static void
set_filter(int level)
{
	static const char *const words[] = {
	    "su*=debug,err", "sub=warn,other=debug", "debug"};
	int result;

	if (level != 0)
		call_site(&sites[level % 2], level);
	result = lpk_filter_set(words[level % 3], NULL);
	book_check(result == LPK_OK || result == -LPK_EBUSY);
	sets += result == LPK_OK;
	busy += result != LPK_OK;
	if (level == 0) {
		call_site(&sites[1], level);
		call_site(&sites[2], level);
	}
}

static void
check_filter(void)
{
	uint32_t i, filtered = book.filtered;

	check_sites();
	book_check((filter.seq & 1) == 0);
	/* The rules are those of one of the lists, and nothing of another. */
	if (filter.rules.rules == 1)
		book_check(filter.rules.others == LPK_ERR + 2 &&
		    filter.rules.rule[0].level == LPK_DEBUG + 1);
	else if (filter.rules.rules == 2)
		book_check(filter.rules.others == 0 &&
		    filter.rules.rule[0].level == LPK_WARN + 1);
	else
		book_check(filter.rules.others == LPK_DEBUG + 2);
	for (i = 0; i < SITES; i++)
		call_site(&sites[i], 9);
	book_check(
	    book.filtered - filtered == (filter.rules.rules == 2 ? 2 : 0));
	check_sites();
}

static void
log_once(int level)
{
	uint32_t number = book_begin(&book, (char)('A' + level));

	if (lpk__once(&ring, &done))
		book_write(&book, number);
	book_finish(&book, number);
}

static void
check_once(void)
{
	struct lpk_log_stats stats;

	lpk_log_stats(&ring, &stats);
	book_check(stats.suppressed == book.calls - 1);
}

static void
begin_limit(void)
{
	/* The interval is over; in the last one five calls were held back. */
	limit = (struct lpk_ratelimit){
	    .interval_ms = UINT32_MAX, .burst = 2, .passed = 2, .missed = 5};
}

static void
log_limited(int level)
{
	uint32_t number = book_begin(&book, (char)('A' + level));

	if (lpk__ratelimit(&ring, &sites[0], &limit))
		book_write(&book, number);
	book_finish(&book, number);
}

static void
check_limit(void)
{
	struct lpk_log_stats stats;

	log_limited(9);
	log_limited(9);
	log_limited(9);
	book_drain(&reader);
	lpk_log_stats(&ring, &stats);
	book.extra = reader.reports;
	book_check(reader.reports >= 1);
	book_check(reader.reported + limit.missed == 5 + stats.suppressed);
}

static void
handler(int level)
{
	scene->body(level);
}

static void
run(const struct hook_plan *plan)
{
	uint32_t i;

	book_ring(&ring, 1024, 8, 1, memory, sizeof(memory));
	book_start(&book, &ring);
	memset(&filter, 0, sizeof(filter));
	done = 0;
	for (i = 0; i < SITES; i++)
		sites[i] = (struct lpk_site){.format = "%s",
		    .subsystem = "sub",
		    .file = "",
		    .function = "!",
		    .level =
			(uint8_t)(i == 0 ? LPK_ERR :
					   (i == 1 ? LPK_DEBUG : LPK_INFO))};
	if (scene->before != NULL)
		scene->before();
	book_open(&reader, &book, 0, LPK_SEEK_OLDEST);
	hook_begin(plan);
	scene->body(0);
	hook_end();
	scene->after();
	book_drain(&reader);
	book_close(&reader, 0);
	book_check(reader.lost == 0 && reader.late == 0);
	book_check(book_dropped(&book) == 0);
}

static uint32_t
every_place(struct hook_plan *plan, int level)
{
	uint32_t places = 0;

	for (;;) {
		plan->at[level] = places;
		book_at("%s, places %d %d", scene->name, (int)plan->at[0],
		    (int)plan->at[1]);
		run(plan);
		if (!hook_hit(level))
			break;
		places++;
	}
	plan->at[level] = HOOK_NEVER;
	return places;
}

int
main(void)
{
	static const struct scenario scenes[] = {
	    {"first use of a site", NULL, use_sites, check_sites},
	    {"filter, sites in use", use_before, set_filter, check_filter},
	    {"filter, sites new", NULL, set_filter, check_filter},
	    {"once", NULL, log_once, check_once},
	    {"rate limit", begin_limit, log_limited, check_limit},
	};
	/* Until the rate of the clock is known, the intervals move. */
	const struct timespec settle = {.tv_nsec = 5000000};
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	hook_signal(handler);
	lpk_thread_set_lane(0);
	nanosleep(&settle, NULL);
	lpk_port_clock_hz();
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct hook_plan plan = {
		    {HOOK_NEVER, HOOK_NEVER, HOOK_NEVER, HOOK_NEVER}};
		uint32_t places, pairs = 0, k;

		scene = &scenes[i];
		places = every_place(&plan, 0);
		for (k = 0; k < places; k++) {
			plan.at[0] = k;
			pairs += every_place(&plan, 1);
		}
		printf("%-28s %4u places, %6u pairs\n", scene->name, places,
		    pairs);
		book_check(pairs > places);
	}
	printf("%u filters set, %u found another at it\n", sets, busy);
	book_check(sets != 0 && busy != 0);
	return 0;
}
