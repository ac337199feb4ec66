/* SPDX-License-Identifier: MIT */
/*
 * lpk_init(): the log is in a file that outlives the process. Run it twice, and
 * the first session is in the file with ".1":
 *
 *   mkdir -m 700 logs; ./lpk_init logs/session; lpk dmesg -f logs/session
 */
#include <stdio.h>

#include <lpk/init.h>
#include <lpk/printk.h>

int
main(int argc, char **argv)
{
	struct lpk_options options = LPK_OPTIONS_INIT;
	int result;

	lpk_info("stored before the region is there, and moved to it");
	if (argc > 1)
		options.region = argv[1];
	options.keep = 3;
	result = lpk_init(&options);
	if (result != LPK_OK) {
		fprintf(stderr, "%s: %s\n",
		    options.region != NULL ? options.region : "memfd",
		    lpk_strerror(result));
		return 1;
	}
	lpk_info("from here on not even SIGKILL takes away what is stored");
	return 0;
}
