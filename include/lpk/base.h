/* SPDX-License-Identifier: MIT */
/*
 * base.h - attributes, error codes, levels and version; included by every
 * other header of lpk.
 */
#ifndef LPK_BASE_H
#define LPK_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lpk/config.h>

#define LPK_VERSION_MAJOR 0
#define LPK_VERSION_MINOR 1
#define LPK_VERSION_PATCH 0
#define LPK_VERSION "0.1.0"

#ifdef __cplusplus
#define LPK_BEGIN_DECLS extern "C" {
#define LPK_END_DECLS }
#else
#define LPK_BEGIN_DECLS
#define LPK_END_DECLS
#endif

#if defined(__GNUC__)
#define LPK_API __attribute__((visibility("default")))
#define LPK_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define LPK_ALIGNED(n) __attribute__((aligned(n)))
#define LPK_COLD __attribute__((cold, noinline))
#define LPK_NOINLINE __attribute__((noinline))
#define LPK_INLINE static inline __attribute__((always_inline))
#define LPK_UNUSED __attribute__((unused))
#define LPK_LIKELY(x) __builtin_expect(!!(x), 1)
#define LPK_UNLIKELY(x) __builtin_expect(!!(x), 0)
/* The one racy load a public macro needs: is this call site switched on? */
#define LPK_LOAD_RELAXED(pointer) __atomic_load_n((pointer), __ATOMIC_RELAXED)
/* NULL for a format that is not a string literal (rendered at the call). */
#define LPK_LITERAL(format) (__builtin_constant_p(format) ? (format) : NULL)
#else
#error "lpk needs a compiler with GNU attributes (gcc or clang)"
#endif

/*
 * Errors are returned as negative numbers, with the values errno has on
 * Linux; errno itself is neither read nor written.
 */
#define LPK_OK 0
#define LPK_ENOENT 2      /* no such record, subsystem or console */
#define LPK_EIO 5         /* the device refused */
#define LPK_EAGAIN 11     /* no newer record */
#define LPK_ENOMEM 12     /* memory handed over is too small */
#define LPK_EBUSY 16      /* in use, or already started */
#define LPK_EINVAL 22     /* an argument makes no sense; nothing was changed */
#define LPK_ENOSPC 28     /* the buffer is too small; nothing was consumed */
#define LPK_EPIPE 32      /* records were lost before the next one */
#define LPK_ENOSYS 38     /* not on this port */
#define LPK_ETIMEDOUT 110 /* the deadline passed first */

/* Levels, the numbers of syslog(3) and of the kernel. */
enum lpk_level {
	LPK_EMERG = 0,
	LPK_ALERT = 1,
	LPK_CRIT = 2,
	LPK_ERR = 3,
	LPK_WARN = 4,
	LPK_NOTICE = 5,
	LPK_INFO = 6,
	LPK_DEBUG = 7
};

LPK_BEGIN_DECLS

/**
 * lpk_version() - Version of the library in use, "major.minor.patch".
 *
 * Compare with LPK_VERSION, the version compiled against.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API const char *lpk_version(void);

/**
 * lpk_strerror() - A short sentence for a return code of this library.
 * @code: LPK_OK or a negative code; the sign does not matter
 *
 * Context:  any.
 * Progress: wait-free.
 * Return:   a constant string, never NULL.
 */
LPK_API const char *lpk_strerror(int code);

LPK_END_DECLS

#endif /* LPK_BASE_H */
