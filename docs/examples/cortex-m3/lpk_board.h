/* SPDX-License-Identifier: MIT */
/*
 * lpk_board.h - the limits of lpk on this board (LPK_CONFIG_FILE).
 */
#ifndef LPK_BOARD_H
#define LPK_BOARD_H

#define LPK_TEXT_MAX 120  /* the caller's stack holds one */
#define LPK_BLOCKS_MAX 8  /* a reader holds a word for each */
#define LPK_LANES_MAX 1   /* one core */
#define LPK_STREAMS_MAX 8 /* as many as blocks */
#define LPK_LATE_MAX 4
#define LPK_NAMES_MAX 1
#define LPK_CONSOLES_MAX 1
#define LPK_FILTER_RULES 4
#define LPK_CONTROL_QUERIES 2
#define LPK_CONTROL_PATTERN 32
#define LPK_CACHE_LINE 8 /* there is no cache */
#define LPK_MIN_LEVEL 6  /* lpk_debug() and its strings: compiled out */

#endif /* LPK_BOARD_H */
