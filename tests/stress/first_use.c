/* SPDX-License-Identifier: MIT */
/*
 * first_use.c - several threads use the same call sites for the first time at
 * once, while the filter changes, sites are switched and listed, and a reader
 * renders. Each call that was on is there with its text, each site is on the
 * list once. Clean under ThreadSanitizer.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <lpk/sites.h>

#include "fixture.h"

#define THREADS 3
#define SITES 300
#define ROUNDS 20

LPK_LOG_DEFINE(ring, 16384, 64, 2);

static struct lpk_site sites[ROUNDS][SITES];
static atomic_uint at_start, logged[ROUNDS][SITES], changes;
static atomic_bool stop;

static void
demand(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "first_use: %s\n", what);
	exit(1);
}

static void
use_site(int round, int number, int thread)
{
	struct lpk_site *site = &sites[round][number];
	char text[] = "same";
	const uint64_t words[] = {
	    LPK__ARG((char *)text), LPK__ARG(number), LPK__ARG(thread)};

	if (LPK_LOAD_RELAXED(&site->state) == LPK_SITE_OFF ||
	    !lpk__site_enabled(site))
		return;
	atomic_fetch_add(&logged[round][number], 1);
	lpk__log(&ring, site, site->format, words, 3);
	memset(text, 'X', sizeof(text) - 1);
}

static void *
user(void *cookie)
{
	int thread = (int)(intptr_t)cookie, round, i;

	for (round = 0; round < ROUNDS; round++) {
		atomic_fetch_add(&at_start, 1);
		while (atomic_load(&at_start) <
		    (unsigned int)(THREADS * (round + 1)))
			sched_yield();
		for (i = 0; i < SITES; i++)
			use_site(round, i, thread);
	}
	return NULL;
}

static void *
changer(void *cookie)
{
	static const char *const words[] = {
	    "first=debug", "first=off,info", "first=warn", ""};
	struct lpk_sites list = LPK_SITES_INIT;
	struct lpk_site_info info;
	unsigned int i = 0;

	(void)cookie;
	while (!atomic_load(&stop)) {
		demand(lpk_filter_set(words[i % 4], NULL) == LPK_OK,
		    "the filter is refused");
		demand(lpk_control(i % 2 ? "line 1-99 -p" : "reset", NULL) ==
			LPK_OK,
		    "a query is refused");
		if (lpk_sites_next(&list, &info) != LPK_OK)
			list = (struct lpk_sites)LPK_SITES_INIT;
		atomic_store(&changes, ++i);
		sched_yield();
	}
	return NULL;
}

static void
read_some(struct lpk_reader *reader, unsigned int (*found)[SITES])
{
	int round, number, thread, result, length;
	struct got got;

	while ((result = next(reader, &got)) == LPK_OK) {
		if (strstr(got.text, "dictionary") != NULL)
			continue;
		demand(sscanf(got.text, "round %d same %d by %d%n", &round,
			   &number, &thread, &length) == 3 &&
			got.text[length] == '\0',
		    "a text that no call has");
		found[round][number]++;
	}
	demand(result == -LPK_EAGAIN, "something was lost");
}

static void
prepare(char (*formats)[32])
{
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		snprintf(formats[round], sizeof(formats[round]),
		    "round %d %%s %%d by %%d", round);
		for (i = 0; i < SITES; i++)
			sites[round][i] =
			    (struct lpk_site){.format = formats[round],
				.subsystem = "first",
				.file = "f.c",
				.function = "f",
				.line = (uint32_t)i,
				.level = LPK_INFO};
	}
}

static unsigned int
count_listed(void)
{
	struct lpk_sites list = LPK_SITES_INIT;
	struct lpk_site_info info;
	unsigned int count = 0;

	while (lpk_sites_next(&list, &info) == LPK_OK)
		count += strcmp(info.subsystem, "first") == 0;
	return count;
}

int
main(void)
{
	static unsigned int found[ROUNDS][SITES];
	static char formats[ROUNDS][32];
	pthread_t threads[THREADS + 1];
	struct lpk_reader reader;
	unsigned int all = 0;
	intptr_t i;
	int round;

	prepare(formats);
	lpk_reader_open(&reader, &ring, LPK_SEEK_OLDEST);
	pthread_create(&threads[THREADS], NULL, changer, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, user, (void *)i);
	while (atomic_load(&at_start) < THREADS * ROUNDS)
		read_some(&reader, found);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&stop, true);
	pthread_join(threads[THREADS], NULL);
	read_some(&reader, found);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SITES; i++) {
			demand(found[round][i] == logged[round][i],
			    "a record is missing or twice");
			all += found[round][i];
		}
	}
	/* A site is not enlisted by a call during a change: by the next one. */
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SITES; i++)
			use_site(round, (int)i, 0);
	}
	demand(count_listed() == ROUNDS * SITES, "a site is not listed once");
	printf("%u records, %u changes\n", all, atomic_load(&changes));
	return 0;
}
