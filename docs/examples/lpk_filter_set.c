/* SPDX-License-Identifier: MIT */
/*
 * lpk_filter_set(): which calls are stored, by subsystem and level; the same
 * words as in the environment variable LPK_LOG.
 */
#include <stdio.h>

#define LPK_SUBSYSTEM "disk0"
#include <lpk/printk.h>

static int
stored_after_two_calls(void)
{
	struct lpk_log_stats before, after;

	lpk_log_stats(lpk_default_log(), &before);
	lpk_debug("sector %d", 7);
	lpk_warn("sector %d is slow", 7);
	lpk_log_stats(lpk_default_log(), &after);
	return (int)(after.stored - before.stored);
}

int
main(void)
{
	static const char *const filters[] = {
	    "info", "disk*=debug,warn", "disk0=off,debug"};
	static const int expected[] = {1, 2, 0};
	size_t bad_at = 0;
	int i, wrong = 0;

	for (i = 0; i < 3; i++) {
		int stored;

		if (lpk_filter_set(filters[i], NULL) != LPK_OK)
			return 1;
		stored = stored_after_two_calls();
		printf("%-18s %d of 2 stored\n", filters[i], stored);
		wrong += stored != expected[i];
	}
	if (lpk_filter_set("info,disk0=loud", &bad_at) == -LPK_EINVAL)
		printf("refused: \"%s\"\n", &"info,disk0=loud"[bad_at]);
	return wrong;
}
