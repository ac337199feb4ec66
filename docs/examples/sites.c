/* SPDX-License-Identifier: MIT */
/*
 * lpk_control(): single calls are switched on and off while the program runs;
 * lpk_sites_next(): which there are.
 */
#include <stdio.h>

#include <lpk/sites.h>

#define LPK_SUBSYSTEM "net"
#include <lpk/printk.h>

static void
receive(int bytes)
{
	lpk_debug("got %d bytes", bytes);
	lpk_info("link is %s", "up");
}

static int
stored_by_a_call(void)
{
	struct lpk_log_stats before, after;

	lpk_log_stats(lpk_default_log(), &before);
	receive(42);
	lpk_log_stats(lpk_default_log(), &after);
	return (int)(after.stored - before.stored);
}

static int
list(void)
{
	struct lpk_sites sites = LPK_SITES_INIT;
	struct lpk_site_info info;
	int count = 0;

	while (lpk_sites_next(&sites, &info) == LPK_OK) {
		printf("%s:%lu [%s]%s %c \"%s\"\n", info.file,
		    (unsigned long)info.line, info.subsystem, info.function,
		    info.enabled ? 'p' : '_', info.format);
		count++;
	}
	return count;
}

int
main(void)
{
	static const char *const queries[] = {"subsys net* +p",
	    "func receive -p; format \"link is\" +p", "file sites.c =_",
	    "reset"};
	static const int expected[] = {2, 1, 0, 1};
	size_t bad_at = 0;
	int i, wrong = 0;

	for (i = 0; i < 4; i++) {
		int stored;

		if (lpk_control(queries[i], NULL) != LPK_OK)
			return 1;
		stored = stored_by_a_call();
		printf("%-42s %d of 2 stored\n", queries[i], stored);
		wrong += stored != expected[i];
	}
	if (lpk_control("func receive +q", &bad_at) == -LPK_EINVAL)
		printf("refused: \"%s\"\n", &"func receive +q"[bad_at]);
	return wrong + (list() != 2);
}
