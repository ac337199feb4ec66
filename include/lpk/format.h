/* SPDX-License-Identifier: MIT */
/*
 * The formatter: snprintf for any context.
 *
 * It allocates nothing, takes no lock, reads no locale, touches neither errno
 * nor thread-local storage, and does not recurse, so that a signal handler
 * that interrupted another call of it may call it.  Any number of calls may
 * run at once; the only thing they share is what the caller gave to both.
 *
 * Conversions:
 *
 *   %d %i %u %o %x %X %c %s %p %%	as C11 and glibc have them
 *   %f %F %e %E %g %G %a %A		the same, correctly rounded to nearest
 *					(in firmware: marked, see below)
 *   - + space # 0, width, precision, *	as C11; ' is accepted and ignored
 *   hh h l ll q j z t L		as C11; q is ll; L before an integer
 *					conversion is ll
 *
 * and, after %p, the letters that the Linux kernel gave a meaning.  The
 * argument is a pointer to the bytes, which are read during the call:
 *
 *   %pI4 %pi4		4 bytes	  1.2.3.4, 001.002.003.004
 *   %pI4h n l b		  in host, network, little, big order
 *   %pI6 %pi6		16 bytes  0001:0002:...:0008, the same without colons
 *   %pI6c			  as RFC 5952 writes it: 1:2::8, ::ffff:1.2.3.4
 *   %pM %pMF %pMR	6 bytes	  00:01:02:03:04:05, with dashes, reversed
 *   %pm %pmR			  000102030405, reversed
 *   %pU %pUb %pUB	16 bytes  00010203-0405-0607-0809-0a0b0c0d0e0f, B: upper
 *   %pUl %pUL			  the same of a little-endian GUID
 *   %*ph		n bytes	  00 01 02; at most 64; the * is the number
 *   %*phC %*phD %*phN		  00:01:02, 00-01-02, 000102
 *   %pe		none	  a pointer made of a negative error number:
 *				  -ENOENT; any other pointer as %p
 *
 * A null pointer to one of these reads "(null)".  Letters that continue none
 * of them are text, as C has it.
 *
 * What can go wrong is shown in the text, never executed and never an error:
 *
 *   %s of NULL		"(null)"; a null format reads "(null format)"
 *   %n			"%!n"; the argument is skipped, nothing is stored
 *   %ls %lc %S %C	"%!ls": skipped, there are no wide characters here
 *   %f, no floating point	"%!f(nofloat)"; the argument is skipped
 *   unknown or cut	"%!" and the conversion as written.  What it would have
 *			taken cannot be known, so that the conversions after it
 *			are shown in the same way and take nothing; the text
 *			between them is kept
 *
 * Limits: a width, and the precision of a number, larger than
 * LPK_FORMAT_PAD_MAX count as LPK_FORMAT_PAD_MAX.  A long double is rendered
 * as the double nearest to it.  Rounding is to nearest, ties to even, whatever
 * the rounding mode of the caller.
 */
#ifndef LPK_FORMAT_H
#define LPK_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include <lpk/base.h>

/** Widths, and precisions of numbers, are cut to this. */
#define LPK_FORMAT_PAD_MAX 4096

LPK_BEGIN_DECLS

/**
 * lpk_snprintf() - Format into a buffer, from any context.
 * @buf:        receives at most @size_bytes - 1 bytes and a NUL; may be NULL
 *              when @size_bytes is 0
 * @size_bytes: size of @buf; when 0 nothing is written
 * @fmt:        see the table above
 *
 * Context:  any, signal handlers included.
 * Progress: wait-free; time is bounded by the lengths of the format, of the
 *           strings and of the output.
 * Return:   the length that the whole text has, NUL not counted, whether or
 *           not it fitted; INT_MAX when it is longer than that.
 */
LPK_API int lpk_snprintf(char *buf, size_t size_bytes, const char *fmt, ...)
    LPK_PRINTF(3, 4);

/**
 * lpk_vsnprintf() - lpk_snprintf() with the arguments in a va_list.
 * @buf:        as lpk_snprintf()
 * @size_bytes: as lpk_snprintf()
 * @fmt:        as lpk_snprintf()
 * @ap:         the arguments; indeterminate afterwards, as with vsnprintf()
 *
 * Context:  any, signal handlers included.
 * Progress: as lpk_snprintf().
 * Return:   as lpk_snprintf().
 */
LPK_API int lpk_vsnprintf(
    char *buf, size_t size_bytes, const char *fmt, va_list ap) LPK_PRINTF(3, 0);

LPK_END_DECLS

#endif /* LPK_FORMAT_H */
