/* SPDX-License-Identifier: MIT */
/*
 * lib_sites.c - the sites of machine.h: one for each place in the source, found
 * fast by the address of its name.
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE 4096 /* a power of two */

struct model_site model_sites[MODEL_SITES_MAX];
size_t model_site_count;

/* A header's site has a name in each object that includes it. */
static struct {
	const char *where;
	struct model_site *site;
} cache[CACHE];

static struct model_site *
find_or_make(const char *where, const char *function, enum model_kind kind,
    enum model_order order)
{
	struct model_site *site;
	size_t i;

	for (i = 0; i < model_site_count; i++) {
		site = &model_sites[i];
		if (site->kind == kind && site->order == order &&
		    strcmp(site->where, where) == 0)
			return site;
	}
	if (model_site_count == MODEL_SITES_MAX)
		abort();
	site = &model_sites[model_site_count++];
	site->where = where;
	site->function = function;
	site->kind = kind;
	site->order = order;
	return site;
}

struct model_site *
model_site(const char *where, const char *function, enum model_kind kind,
    enum model_order order)
{
	/* A check and the load in it stand in one line: tell them apart. */
	size_t at = ((uintptr_t)where * 4 + kind + order * 977u) & (CACHE - 1);

	while (cache[at].where != NULL) {
		if (cache[at].where == where && cache[at].site->kind == kind &&
		    cache[at].site->order == order)
			return cache[at].site;
		at = (at + 1) & (CACHE - 1);
	}
	cache[at].where = where;
	cache[at].site = find_or_make(where, function, kind, order);
	return cache[at].site;
}

bool
model_site_mutable(const struct model_site *site)
{
	return strncmp(site->where, "liblog/", 7) == 0 &&
	    (site->kind == MODEL_CHECK || site->order != MODEL_RELAXED);
}

static int
line_of(const struct model_site *site)
{
	return atoi(strrchr(site->where, ':') + 1);
}

/* The last LMM label above a line. */
static void
find_label(struct model_site *site)
{
	char path[200], line[200];
	char *label, *end;
	int number;
	FILE *file;

	snprintf(path, sizeof(path), "%s", site->where);
	*strrchr(path, ':') = '\0';
	file = fopen(path, "r");
	if (file == NULL)
		return;
	for (number = 1;
	     number <= line_of(site) && fgets(line, sizeof(line), file) != NULL;
	     number++) {
		label = strstr(line, "LMM(");
		if (label == NULL || (end = strchr(label, ')')) == NULL)
			continue;
		*end = '\0';
		snprintf(site->label, sizeof(site->label), "%.40s", label + 4);
	}
	fclose(file);
}

void
model_label_sites(void)
{
	size_t i, j;

	for (i = 0; i < model_site_count; i++) {
		struct model_site *site = &model_sites[i];
		int number = 1;

		if (!model_site_mutable(site))
			continue;
		if (site->kind != MODEL_CHECK) {
			find_label(site);
			continue;
		}
		for (j = 0; j < model_site_count; j++) {
			if (model_sites[j].kind == MODEL_CHECK &&
			    strcmp(model_sites[j].function, site->function) ==
				0 &&
			    line_of(&model_sites[j]) < line_of(site))
				number++;
		}
		snprintf(site->label, sizeof(site->label), "%.32s/check%d",
		    site->function, number);
	}
}
