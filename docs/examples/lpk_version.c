/* SPDX-License-Identifier: MIT */
/* lpk_version(), lpk_strerror(): what the library says of itself. */
#include <stdio.h>
#include <string.h>

#include <lpk/base.h>

int
main(void)
{
	printf("compiled with lpk %s, running with %s\n", LPK_VERSION,
	    lpk_version());
	printf("-LPK_EPIPE: %s\n", lpk_strerror(-LPK_EPIPE));
	return strcmp(lpk_version(), LPK_VERSION) != 0;
}
