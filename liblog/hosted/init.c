/* SPDX-License-Identifier: MIT */
/*
 * init.c - lpk_init(), and what the environment says in its place.
 */
#include <lpk/init.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/format.h>

#include "panic.h"
#include "region.h"
#include "slot.h"

#define KEEP_MAX 99u
#define FLAGS (LPK_INIT_LOCKED | LPK_INIT_NODUMP | LPK_INIT_NO_PANIC)

/* LPK_REGION was there, and has been obeyed. */
static bool environment_said;

int
lpk_init(const struct lpk_options *options)
{
	const struct lpk_options defaults = LPK_OPTIONS_INIT;
	int result;

	if (options == NULL)
		options = &defaults;
	if (options->size_bytes != sizeof(*options) || options->keep == 0 ||
	    options->keep > KEEP_MAX || (options->flags & ~FLAGS) != 0)
		return -LPK_EINVAL;
	if ((options->flags & LPK_INIT_NO_PANIC) == 0)
		lpk_panic_install(NULL);
	if (environment_said)
		return LPK_OK;
	/* The region may be moved only while nobody else writes to it. */
	lpk__threads_stop();
	result = lpk__region_begin(options->region, options->keep,
	    options->flags & ~LPK_INIT_NO_PANIC);
	lpk__threads_start();
	return result;
}

static void
complain(const char *where, int result)
{
	char text[512];

	lpk_snprintf(text, sizeof(text),
	    "lpk: LPK_REGION: \"%.200s\": %s; use memfd, shm:NAME, off, or a "
	    "path in a folder that only you can write to\n",
	    where, lpk_strerror(result));
	(void)!write(STDERR_FILENO, text, strlen(text));
}

void
lpk__init_from_environment(void)
{
	const struct lpk_options defaults = LPK_OPTIONS_INIT;
	const char *where = secure_getenv("LPK_REGION");
	int result;

	if (where == NULL || where[0] == '\0')
		return;
	result = lpk__region_begin(where, defaults.keep, defaults.flags);
	if (result == LPK_OK)
		environment_said = true;
	else
		complain(where, result);
}
