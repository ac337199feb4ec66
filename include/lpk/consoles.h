/* SPDX-License-Identifier: MIT */
/*
 * consoles.h - the drivers that come with lpk.
 */
#ifndef LPK_CONSOLES_H
#define LPK_CONSOLES_H

#include <lpk/console.h>

LPK_BEGIN_DECLS

/**
 * lpk_fd_console() - A console on a file descriptor: terminal, pipe or file.
 * @console: filled in; change what you like before lpk_console_start()
 * @fd:      stays the caller's; its flags are not changed
 *
 * Colours are on when @fd is a terminal and the environment agrees: NO_COLOR
 * non-empty is off, CLICOLOR_FORCE or FORCE_COLOR is on, TERM=dumb is off.
 *
 * Context:  thread.
 * Return:   LPK_OK or -LPK_EINVAL when @fd is not open.
 */
LPK_API int lpk_fd_console(struct lpk_console *console, int fd);

LPK_END_DECLS

#endif /* LPK_CONSOLES_H */
