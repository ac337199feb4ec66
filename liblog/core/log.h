/* SPDX-License-Identifier: MIT */
/*
 * log.h - what the parts of the core share about a log as a whole.
 */
#ifndef LPK_CORE_LOG_H
#define LPK_CORE_LOG_H

#include "ring.h"

#define LPK__MAGIC "lpk log\x1a\r\n\0\0\0\0\0"
/* Major in the high half: a reader refuses a greater one than its own. */
#define LPK__FORMAT_VERSION 0x00010000u
#define LPK__ENDIAN_MARK 0x01020304u

/**
 * lpk__head_fill() - Describe the log in the head of its region.
 *
 * Idempotent: contexts that meet here write the same words.
 *
 * Context:  any.
 */
void lpk__head_fill(struct lpk_log *log);

#endif /* LPK_CORE_LOG_H */
