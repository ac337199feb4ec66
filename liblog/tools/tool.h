/* SPDX-License-Identifier: MIT */
/*
 * tool.h - what the commands of lpk share.
 */
#ifndef LPK_TOOLS_TOOL_H
#define LPK_TOOLS_TOOL_H

#include <lpk/base.h>

/* Exit statuses. */
enum { TOOL_COMPLETE, TOOL_PARTIAL, TOOL_UNUSABLE };

/* "lpk: ..." on standard error. */
void complain(const char *format, ...) LPK_PRINTF(1, 2);

/* Commands; each gets its arguments with its own name in front. */
int dmesg_main(int argc, char **argv);
int sites_main(int argc, char **argv);
int stat_main(int argc, char **argv);
int level_main(int argc, char **argv);
int watch_main(int argc, char **argv);
int run_main(int argc, char **argv);

#endif /* LPK_TOOLS_TOOL_H */
