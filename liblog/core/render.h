/* SPDX-License-Identifier: MIT */
/*
 * render.h - from a format and raw arguments to text: the one renderer that
 * consoles, readers, tools and the crash path share. It trusts neither.
 */
#ifndef LPK_CORE_RENDER_H
#define LPK_CORE_RENDER_H

#include "format.h"

/* What a byte of a plan says about an argument. */
#define LPK__PLAN_WORD 0x00u        /* 8 bytes, as they are */
#define LPK__PLAN_STRING 0x01u      /* text up to its NUL */
#define LPK__PLAN_STRING_STAR 0x02u /* no more than the argument before says */
#define LPK__PLAN_BYTES_STAR 0x03u  /* as many as the argument before says */
#define LPK__PLAN_BYTES 0x20u       /* + how many, up to 31 */
#define LPK__PLAN_STRING_MAX 0x80u  /* + how many at most, up to 127 */

#define LPK__PLAN_ARGUMENTS 16

/**
 * lpk__plan_make() - How to copy the arguments of a format.
 * @plan:   receives LPK__PLAN_ARGUMENTS bytes
 * @format: a literal
 * @count:  arguments of the call
 * @words:  receives whether all of them are plain words
 *
 * Context:  any.
 * Return:   false when they cannot be copied: render at the call.
 */
bool lpk__plan_make(
    unsigned char *plan, const char *format, uint32_t count, bool *words);

/**
 * lpk__render_packed() - Append a text whose arguments were copied.
 * @format: from the dictionary
 * @end:    no byte from here on is read, or NULL; a NUL ends the format too
 * @count:  of arguments, as the record says
 * @packed: the arguments as record.h says
 * @bytes:  of @packed
 *
 * What is missing in @packed is shown as a bad conversion.
 *
 * Context:  any.
 */
void lpk__render_packed(struct lpk__out *out, const char *format,
    const char *end, uint32_t count, const unsigned char *packed, size_t bytes);

/**
 * lpk__render_live() - Append a text whose arguments are those of the call.
 * @arguments: as lpk__log() gets them
 * @count:     of them
 *
 * Context:  any.
 */
void lpk__render_live(struct lpk__out *out, const char *format,
    const uint64_t *arguments, uint32_t count);

#endif /* LPK_CORE_RENDER_H */
