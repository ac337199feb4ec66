/* SPDX-License-Identifier: MIT */
/*
 * sites.h - the calls that `lpk sites` lists, wherever it found them.
 */
#ifndef LPK_TOOLS_SITES_H
#define LPK_TOOLS_SITES_H

#include <regex.h>
#include <sys/types.h>

#include "core/dict.h"
#include "source.h"

/* From the least that is known to the most. */
enum site_state {
	SITE_UNASKED, /* of a file there is nothing to ask */
	SITE_UNKNOWN,
	SITE_NEW, /* it decides at its next call */
	SITE_OFF,
	SITE_ON
};

struct listed {
	struct lpk__place place; /* its strings are the list's */
	enum site_state state;
	unsigned int module; /* its name's place */
};

#define SITE_MODULES_MAX 512
struct site_list {
	struct listed *sites;
	size_t count;
	size_t room;
	char *modules[SITE_MODULES_MAX];
	unsigned int modules_count;
	bool partial; /* some are missing, or their states */
};

struct site_options {
	uint32_t levels; /* a bit each; 0: all */
	bool match;
	regex_t pattern;
	bool json;
};

/* From here on sites are of this file, as it is shown. */
void site_list_module(struct site_list *list, const char *name);

/* The strings are copied. */
void site_list_add(struct site_list *list, const struct lpk__place *place,
    enum site_state state);

/* In the order of the source; those that look the same are one. */
void site_list_sort(struct site_list *list);

/* @first: nothing was printed before. Returns whether still nothing was. */
bool site_list_print(const struct site_list *list,
    const struct site_options *options, bool first);

void site_list_free(struct site_list *list);

/*
 * All that are compiled into an executable file or shared object. They say on
 * standard error what is wrong, and return false when there is no list.
 */
bool sites_of_binary(struct site_list *list, const struct source *source);

/* The same of all that a process has mapped, with the states of the sites. */
bool sites_of_process(struct site_list *list, pid_t pid);

#endif /* LPK_TOOLS_SITES_H */
