/* SPDX-License-Identifier: MIT */
/*
 * lpk_consoles_add(), lpk_console_new(), lpk_console_free(),
 * lpk_console_set_level(), lpk_console_set_filter(), lpk_console_set_mode(),
 * lpk_console_suspend(), lpk_console_resume(), lpk_console_reopen(),
 * lpk_consoles_reopen(), lpk_emergency_enter(), lpk_emergency_exit(),
 * lpk_flush(), lpk_consoles_stats(), lpk_shutdown(), lpk_consoles_restart():
 * consoles in words, changed while they run.
 *
 *     consoles 'stderr,level=info;file:/tmp/x.log,rotate=1M*3'
 */
#define LPK_SUBSYSTEM "disk"
#include <stdio.h>
#include <string.h>

#include <lpk/consoles.h>
#include <lpk/printk.h>

#define SECOND UINT64_C(1000000000)

/* One that the program keeps in hand; consoles in words run by themselves. */
static struct lpk_console *
own_console(void)
{
	struct lpk_console *console;
	char error[256];

	if (lpk_console_new(&console,
		"stdout,level=info,style=caller,name=main", error,
		sizeof(error)) != LPK_OK) {
		fprintf(stderr, "consoles: %s\n", error);
		return NULL;
	}
	if (lpk_console_register(console) == LPK_OK)
		return console;
	lpk_console_free(console);
	return NULL;
}

static void
change(struct lpk_console *console)
{
	lpk_console_set_level(console, LPK_DEBUG + 1); /* debug, too */
	lpk_console_set_filter(console, "disk=debug,err", NULL);
	lpk_console_suspend(console, lpk_now_ns() + SECOND);
	lpk_notice("printed when the console is resumed");
	lpk_console_resume(console);
	lpk_console_set_mode(console, LPK_MODE_DIRECT);
	lpk_notice("printed before the call returns");
	lpk_console_set_mode(console, LPK_MODE_POLL);
	lpk_console_reopen(console); /* this one's file was renamed; */
	lpk_consoles_reopen(); /* or everybody's: in a handler of SIGHUP */
}

static void
table(void)
{
	struct lpk_console_stats stats[LPK_CONSOLES_MAX];
	unsigned int count = lpk_consoles_stats(stats, LPK_CONSOLES_MAX), i;

	for (i = 0; i < count && i < LPK_CONSOLES_MAX; i++)
		printf("%-24s printed %llu, lost %llu, behind by %llu\n",
		    stats[i].name, (unsigned long long)stats[i].printed,
		    (unsigned long long)stats[i].lost,
		    (unsigned long long)stats[i].lag_records);
}

int
main(int argc, char **argv)
{
	struct lpk_console *console = own_console();
	struct lpk_flush_result reached;

	if (console == NULL)
		return 1;
	lpk_consoles_add(argc > 1 ? argv[1] : "null");
	change(console);

	lpk_emergency_enter();
	lpk_err("on every console that can print direct, now");
	lpk_emergency_exit();

	if (lpk_flush(lpk_now_ns() + 2 * SECOND, &reached) != LPK_OK)
		fprintf(stderr, "%s is behind by %llu records\n",
		    reached.laggard, (unsigned long long)reached.lag_records);
	lpk_shutdown(lpk_now_ns() + SECOND); /* before fork(2), say */
	lpk_info("no thread any more: printed by this call");
	lpk_consoles_restart();
	table();
	lpk_console_unregister(console, lpk_now_ns() + SECOND);
	lpk_console_free(console);
	return 0;
}
