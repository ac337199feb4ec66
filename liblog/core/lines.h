/* SPDX-License-Identifier: MIT */
/*
 * lines.h - what a console prints of a record, and of its own accord.
 */
#ifndef LPK_CORE_LINES_H
#define LPK_CORE_LINES_H

#include "printer.h"

/*
 * All of these put bytes behind those that are in a feed's lines, where there
 * is room for one record more. Context: the owner of the console; any.
 */

/** lpk__lines_record() - A record; its text is in the feed's text. */
void lpk__lines_record(struct lpk_console *console, struct lpk__feed *feed,
    const struct lpk_record *record);

/** lpk__lines_dropped() - "** 42 printk messages dropped **". */
void lpk__lines_dropped(
    struct lpk_console *console, struct lpk__feed *feed, uint64_t dropped);

/** lpk__lines_skipped() - There was no time for so many records. */
void lpk__lines_skipped(
    struct lpk_console *console, struct lpk__feed *feed, uint64_t skipped);

/** lpk__lines_replay() - What comes next was interrupted, and comes again. */
void lpk__lines_replay(struct lpk_console *console, struct lpk__feed *feed);

/** lpk__lines_end() - The newline of a line that was left open. */
void lpk__lines_end(struct lpk__feed *feed);

#endif /* LPK_CORE_LINES_H */
