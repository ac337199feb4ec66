/* SPDX-License-Identifier: MIT */
/*
 * init.c - lpk_init(), and what the environment says in its place.
 */
#include <lpk/init.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/format.h>

#include "core/rules.h"
#include "durable.h"
#include "panic.h"
#include "region.h"
#include "slot.h"

#define KEEP_MAX 99u
/* What is not for the region to know. */
#define PANIC_FLAGS (LPK_INIT_NO_PANIC | LPK_INIT_SANDBOX)
#define FLAGS (LPK_INIT_LOCKED | LPK_INIT_NODUMP | PANIC_FLAGS)

/* LPK_REGION was there, and has been obeyed. */
static bool environment_said;
/* And it said how durable the region is to be. */
static bool environment_syncs;

static bool
options_good(const struct lpk_options *options)
{
	return options->size_bytes == sizeof(*options) && options->keep != 0 &&
	    options->keep <= KEEP_MAX && (options->flags & ~FLAGS) == 0 &&
	    (options->flags & PANIC_FLAGS) != PANIC_FLAGS &&
	    options->sync_ms <= LPK__SYNC_MS_MAX && options->sync_level >= -1 &&
	    options->sync_level <= LPK_DEBUG;
}

/* The region is there already, and somebody else chose where. */
static int
sync_theirs(const struct lpk__durable_wish *wish)
{
	int fd = lpk__region_fd();

	if (environment_syncs || !lpk__durable_wanted(wish) ||
	    !lpk__region_on_disk())
		return LPK_OK;
	/* Its name, too; common file systems see to that here. */
	if (fd >= 0)
		(void)fsync(fd);
	return lpk__durable_begin(wish);
}

/* Whoever was here before has had it his way. */
static void
install(unsigned int flags)
{
	struct lpk_panic_options options = LPK_PANIC_OPTIONS_INIT;

	if ((flags & LPK_INIT_SANDBOX) != 0)
		options.flags = LPK_PANIC_SANDBOX;
	if ((flags & LPK_INIT_NO_PANIC) == 0)
		lpk_panic_install(&options);
}

int
lpk_init(const struct lpk_options *options)
{
	const struct lpk_options defaults = LPK_OPTIONS_INIT;
	struct lpk__durable_wish wish;
	unsigned int flags;
	int result;

	if (options == NULL)
		options = &defaults;
	if (!options_good(options))
		return -LPK_EINVAL;
	install(options->flags);
	wish.sync_ms = options->sync_ms;
	wish.sync_level = options->sync_level;
	if (environment_said)
		return sync_theirs(&wish);
	flags = options->flags & ~PANIC_FLAGS;
	if (lpk__durable_wanted(&wish))
		flags |= LPK__INIT_DURABLE;
	/* The region may be moved only while nobody else writes to it. */
	lpk__threads_stop();
	result = lpk__region_begin(options->region, options->keep, flags);
	if (result == LPK_OK)
		result = lpk__durable_begin(&wish);
	lpk__threads_start();
	return result;
}

static void
complain(const char *where, int result)
{
	char text[512];

	lpk_snprintf(text, sizeof(text),
	    "lpk: LPK_REGION: \"%.200s\": %s; use memfd, shm:NAME, off, or a "
	    "path in a folder that only you can write to; sync= and "
	    "sync_level= are for a path on a disk\n",
	    where, lpk_strerror(result));
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static bool
word_sync(const char *value, size_t length, struct lpk__durable_wish *wish)
{
	unsigned int ms = 0;
	size_t i;

	for (i = 0; i < length; i++) {
		if (value[i] < '0' || value[i] > '9')
			return false;
		ms = ms * 10 + (unsigned int)(value[i] - '0');
		if (ms > LPK__SYNC_MS_MAX)
			return false;
	}
	wish->sync_ms = ms;
	return length != 0;
}

static bool
word_level(const char *value, size_t length, struct lpk__durable_wish *wish)
{
	int level = lpk__level_word(value, length);

	if (level < 0)
		return false;
	wish->sync_level = level - 1;
	return true;
}

bool
lpk__init_word(const char *word, size_t length, struct lpk__durable_wish *wish)
{
	static const char sync[] = "sync=", by_level[] = "sync_level=";
	const size_t sync_bytes = sizeof(sync) - 1;
	const size_t level_bytes = sizeof(by_level) - 1;

	if (length > sync_bytes && strncmp(word, sync, sync_bytes) == 0)
		return word_sync(word + sync_bytes, length - sync_bytes, wish);
	if (length > level_bytes && strncmp(word, by_level, level_bytes) == 0)
		return word_level(
		    word + level_bytes, length - level_bytes, wish);
	return false;
}

/* What is wrong is named and left out; the other words count. */
static void
read_words(const char *at, struct lpk__durable_wish *wish)
{
	char text[256];
	size_t length;

	for (; *at != '\0'; at += length) {
		at++;
		length = strcspn(at, ",");
		if (lpk__init_word(at, length, wish)) {
			environment_syncs = true;
			continue;
		}
		lpk_snprintf(text, sizeof(text),
		    "lpk: LPK_REGION: \"%.*s\": not understood; use "
		    "sync=MILLISECONDS, sync_level=LEVEL\n",
		    length > 64 ? 64 : (int)length, at);
		(void)!write(STDERR_FILENO, text, strlen(text));
	}
}

void
lpk__init_from_environment(void)
{
	const struct lpk_options defaults = LPK_OPTIONS_INIT;
	struct lpk__durable_wish wish = {defaults.sync_ms, defaults.sync_level};
	const char *said = secure_getenv("LPK_REGION");
	unsigned int flags = defaults.flags;
	char where[4096];
	size_t length;
	int result = -LPK_EINVAL;

	if (said == NULL || said[0] == '\0')
		return;
	length = strcspn(said, ",");
	read_words(said + length, &wish);
	if (lpk__durable_wanted(&wish))
		flags |= LPK__INIT_DURABLE;
	if (length < sizeof(where)) {
		memcpy(where, said, length);
		where[length] = '\0';
		result = lpk__region_begin(where, defaults.keep, flags);
	}
	if (result == LPK_OK) {
		environment_said = true;
		result = lpk__durable_begin(&wish);
	}
	if (result != LPK_OK)
		complain(said, result);
}
