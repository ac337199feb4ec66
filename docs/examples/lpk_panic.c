/* SPDX-License-Identifier: MIT */
/*
 * lpk_panic_install(), lpk_panic_rearm(), lpk_thread_init(), lpk_panicking(),
 * lpk_panic(), lpk_panic_now(), lpk_panic_uninstall(), lpk_dumper_register(),
 * lpk_dumper_unregister(), lpk_dump(), lpk_dump_get_line(),
 * lpk_dump_get_buffer(): last words, and a crash sink of one's own.
 *
 *     lpk_panic        shows what a dumper gets
 *     lpk_panic die    dies of it
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lpk/consoles.h>
#include <lpk/panic.h>

/* Memory that survives, a flash page, a modem: here it is standard output. */
static void
save(struct lpk_dumper *dumper, enum lpk_dump_reason reason,
    struct lpk_dump_iter *iter)
{
	static const char title[] = "the newest that fit into 256 bytes:\n";
	char page[256];
	size_t bytes;

	(void)dumper;
	(void)reason;
	(void)!write(STDOUT_FILENO, title, sizeof(title) - 1);
	if (lpk_dump_get_buffer(
		iter, LPK_STYLE_TEXT, page, sizeof(page), &bytes))
		(void)!write(STDOUT_FILENO, page, bytes);
	/* Or line by line, from the oldest on. */
	if (lpk_dump_get_line(iter, LPK_STYLE_KMSG, page, sizeof(page), &bytes))
		(void)!write(STDOUT_FILENO, page, bytes);
}

static struct lpk_dumper dumper = {.dump = save, .most = LPK_DUMP_EMERGENCY};

int
main(int argc, char **argv)
{
	struct lpk_panic_options options = LPK_PANIC_OPTIONS_INIT;
	int i;

	options.flags = LPK_PANIC_BACKTRACE;
	if (lpk_panic_install(&options) != LPK_OK)
		return 1;
	lpk_panic_rearm(); /* once the program's libraries are set up */
	lpk_thread_init(); /* this thread has logged nothing yet */
	lpk_dumper_register(&dumper);
	lpk_consoles_add("stderr,mode=panic");
	for (i = 1; i <= 100; i++)
		lpk_info("step %d", i);
	if (argc > 1 && strcmp(argv[1], "die") == 0)
		lpk_panic("no step after %d", i - 1);
	lpk_dump(LPK_DUMP_EMERGENCY);
	lpk_dumper_unregister(&dumper);
	lpk_panic_uninstall();
	if (lpk_panicking())
		lpk_panic_now(); /* not here */
	return 0;
}
