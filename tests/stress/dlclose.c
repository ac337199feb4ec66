/* SPDX-License-Identifier: MIT */
/*
 * dlclose.c - a module with call sites is loaded, used and unloaded, again and
 * again, while other threads use new sites of their own and change the filter.
 * What the module logged can be read afterwards; its sites are forgotten.
 *
 * The module is compiled here: the build knows no shared objects for tests.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lpk/printk.h>
#include <lpk/reader.h>
#include <lpk/sites.h>

#include "plugin/plugin.h"

#define ROUNDS 200
#define LOGGERS 2
#define SITES 10000

LPK_LOG_DEFINE(plugin_ring, 16384, 4, 1);
LPK_LOG_DEFINE(other_ring, 16384, 8, 2);

static struct lpk_site sites[LOGGERS][SITES];
static atomic_bool stop;
static atomic_uint filters, used;
static char folder[] = "/tmp/lpk-dlclose-XXXXXX", path[64];

static void
demand(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "dlclose: %s\n", what);
	exit(1);
}

static const char *
env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? value : otherwise;
}

static void
compile(void)
{
	char command[1024];

	demand(mkdtemp(folder) != NULL, "no folder for the module");
	snprintf(path, sizeof(path), "%s/plugin.so", folder);
	snprintf(command, sizeof(command),
	    "%s -std=c11 %s -fPIC -shared -Iinclude -o %s "
	    "tests/stress/plugin/plugin.c",
	    env("CC", "cc"), env("LPK_CFLAGS", "-O2"), path);
	if (system(command) != 0) {
		rmdir(folder);
		puts("no compiler to make a module with");
		exit(77);
	}
}

/* Each site is new, so that the head of the list never rests. */
static void *
logger(void *cookie)
{
	struct lpk_site *mine = cookie;
	uint32_t i;

	for (i = 0; i < SITES && !atomic_load(&stop); i++) {
		const uint64_t words[] = {i};

		if (lpk__site_enabled(&mine[i]))
			lpk__log(&other_ring, &mine[i], "%d", words, 1);
		atomic_fetch_add(&used, 1);
		if (i % 16 == 0)
			usleep(100);
	}
	return NULL;
}

static void
prepare(void)
{
	uint32_t i, j;

	for (i = 0; i < LOGGERS; i++) {
		for (j = 0; j < SITES; j++)
			sites[i][j] = (struct lpk_site){.format = "%d",
			    .subsystem = "host",
			    .file = "host.c",
			    .function = "logger",
			    .line = j};
	}
}

static void *
changer(void *cookie)
{
	(void)cookie;
	while (!atomic_load(&stop)) {
		int result = lpk_filter_set("host=off,info", NULL);

		if (result == LPK_OK)
			result = lpk_control("func logger +p", NULL);
		if (result == LPK_OK)
			result = lpk_control("reset", NULL);
		demand(result == LPK_OK || result == -LPK_EBUSY,
		    "the filter is refused");
		atomic_fetch_add(&filters, 1);
		usleep(20);
	}
	return NULL;
}

static void
expect_text(struct lpk_reader *reader, const char *want)
{
	char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;

	demand(lpk_reader_next(reader, &record, text, sizeof(text)) == LPK_OK,
	    "a record of the module is missing");
	demand(strcmp(text, want) == 0, "a record of the module is wrong");
	demand(strcmp(record.subsystem, "plugin") == 0, "the subsystem is");
	demand(strstr(record.file, "plugin.c") != NULL, "the file is wrong");
}

static void
use_module(struct lpk_reader *reader, int round)
{
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	void (*log)(struct lpk_log *, int);
	char want[64];
	int i;

	if (module == NULL)
		fprintf(stderr, "%s\n", dlerror());
	demand(module != NULL, "the module cannot be loaded");
	*(void **)(void *)&log = dlsym(module, "plugin_log");
	demand(log != NULL, "the module has no plugin_log()");
	log(&plugin_ring, round);
	if (round % 3 == 0)
		log(&plugin_ring, round);
	demand(dlclose(module) == 0, "the module cannot be unloaded");
	for (i = 0; i < PLUGIN_SITES * (round % 3 == 0 ? 2 : 1); i++) {
		snprintf(want, sizeof(want), "plugin %d site %d, text", round,
		    i % PLUGIN_SITES);
		expect_text(reader, want);
	}
	expect_text(reader, "plugin goes");
}

static unsigned int
count_sites(const char *subsystem)
{
	struct lpk_sites list = LPK_SITES_INIT;
	struct lpk_site_info info;
	unsigned int count = 0;
	int result;

	while ((result = lpk_sites_next(&list, &info)) != -LPK_EAGAIN) {
		if (result == LPK_OK && strcmp(info.subsystem, subsystem) == 0)
			count++;
	}
	return count;
}

int
main(void)
{
	pthread_t threads[LOGGERS + 1];
	struct lpk_reader reader;
	int i;

	compile();
	prepare();
	lpk_reader_open(&reader, &plugin_ring, LPK_SEEK_OLDEST);
	for (i = 0; i < LOGGERS; i++)
		pthread_create(&threads[i], NULL, logger, sites[i]);
	pthread_create(&threads[LOGGERS], NULL, changer, NULL);
	for (i = 0; i < ROUNDS; i++) {
		/* Now and then a fresh ring, whose dictionary is empty. */
		if (i % 4 == 0) {
			lpk_log_init(&plugin_ring, "plugin", plugin_ring.region,
			    plugin_ring.region_bytes, 16384, 4, 1);
			lpk_reader_open(&reader, &plugin_ring, LPK_SEEK_OLDEST);
		}
		use_module(&reader, i);
	}
	atomic_store(&stop, true);
	for (i = 0; i <= LOGGERS; i++)
		pthread_join(threads[i], NULL);
	unlink(path);
	rmdir(folder);
	demand(count_sites("plugin") == 0, "sites of the module are listed");
	printf("%d rounds, %u filters, %u sites of the host\n", ROUNDS,
	    atomic_load(&filters), atomic_load(&used));
	demand(atomic_load(&filters) > 10, "the filter was never changed");
	return 0;
}
