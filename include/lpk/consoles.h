/* SPDX-License-Identifier: MIT */
/*
 * consoles.h - the drivers that come with lpk, and consoles described in words.
 *
 * A description is "driver:target,key=value,key": what stands behind the colon,
 * and the driver's own keys, are in the manual page of each (lpk-file(7) and so
 * on). Every console knows
 *
 *     level=LEVEL      show LEVEL and what is more important
 *     mode=poll|direct|panic
 *     start=oldest|next|clear
 *     filter=WORDS     as LPK_LOG, with '+' in place of the comma
 *     style=text|caller|prio|kmsg
 *     colour=yes|no|auto
 *     name=NAME        in statistics and messages
 *
 * | operation            | context | excludes                    |
 * |----------------------|---------|-----------------------------|
 * | lpk_console_new      | thread  | -                           |
 * | lpk_console_free     | thread  | every use of the same one   |
 * | lpk_consoles_add     | thread  | -                           |
 * | lpk_driver_register  | thread  | -                           |
 * | lpk_ram_read         | thread  | suspend, resume, unregister |
 */
#ifndef LPK_CONSOLES_H
#define LPK_CONSOLES_H

#include <lpk/console.h>

LPK_BEGIN_DECLS

extern LPK_API const struct lpk_console_driver lpk_fd_driver; /* fd:N */
extern LPK_API const struct lpk_console_driver lpk_stderr_driver;
extern LPK_API const struct lpk_console_driver lpk_stdout_driver;
extern LPK_API const struct lpk_console_driver lpk_file_driver;
extern LPK_API const struct lpk_console_driver lpk_serial_driver;
extern LPK_API const struct lpk_console_driver lpk_syslog_driver;
extern LPK_API const struct lpk_console_driver lpk_journald_driver;
extern LPK_API const struct lpk_console_driver lpk_netconsole_driver;
extern LPK_API const struct lpk_console_driver lpk_kmsg_driver;
extern LPK_API const struct lpk_console_driver lpk_json_driver;
extern LPK_API const struct lpk_console_driver lpk_ram_driver;
extern LPK_API const struct lpk_console_driver lpk_null_driver;

/**
 * lpk_fd_console() - A console on a file descriptor: terminal, pipe or file.
 * @console: filled in; change what you like before lpk_console_register()
 * @fd:      stays the caller's; its flags are not changed
 *
 * Colours are on when @fd is a terminal and the environment agrees: NO_COLOR
 * non-empty is off, CLICOLOR_FORCE or FORCE_COLOR is on, TERM=dumb is off.
 *
 * Context:  thread.
 * Return:   LPK_OK or -LPK_EINVAL when @fd is not open.
 */
LPK_API int lpk_fd_console(struct lpk_console *console, int fd);

/**
 * lpk_console_new() - Make a console from words.
 * @console:     receives it, ready for lpk_console_register()
 * @words:       one description, "file:/var/log/x.log,rotate=10M*5"
 * @error:       receives what is wrong, as a sentence; may be NULL
 * @error_bytes: of @error
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_ENOENT for a driver that is not known; -LPK_EINVAL for
 *           a word that is not understood; -LPK_ENOMEM.
 */
LPK_API int lpk_console_new(struct lpk_console **console, const char *words,
    char *error, size_t error_bytes);

/**
 * lpk_console_free() - Free a console that lpk_console_new() made.
 * @console: not registered, or no longer; NULL: nothing is done
 *
 * Context:  thread.
 */
LPK_API void lpk_console_free(struct lpk_console *console);

/**
 * lpk_consoles_add() - Make and register consoles from words.
 * @words: descriptions, with ';' between them, as in LPK_CONSOLE
 *
 * What is wrong is said on standard error, and left out; the others run. lpk
 * itself calls this with the environment's LPK_CONSOLE before main().
 *
 * Context:  thread.
 * Return:   how many consoles were registered.
 */
LPK_API int lpk_consoles_add(const char *words);

/**
 * lpk_driver_register() - Let descriptions name one more driver.
 * @driver: with option(), device_bytes as it needs; must stay
 *
 * Context:  thread.
 * Return:   LPK_OK; -LPK_EINVAL; -LPK_EBUSY when its name is taken;
 *           -LPK_ENOSPC after 32 others.
 */
LPK_API int lpk_driver_register(const struct lpk_console_driver *driver);

/**
 * lpk_ram_read() - Copy what a ram console holds.
 * @console:    a registered one, of lpk_ram_driver
 * @buf:        receives the newest bytes and a NUL
 * @size_bytes: of @buf; not 0
 *
 * The console is flushed and suspended meanwhile, so that the text is whole,
 * and all that was stored before is in it; after a second without an end to it,
 * what is there. Where not all of it is left, or fits, it begins with a whole
 * line.
 *
 * Context:  thread; may block.
 * Return:   bytes in @buf, without the NUL; -LPK_EINVAL when it is no such
 *           console; -LPK_EBUSY when it could not be suspended.
 */
LPK_API int lpk_ram_read(
    struct lpk_console *console, char *buf, size_t size_bytes);

LPK_END_DECLS

#endif /* LPK_CONSOLES_H */
