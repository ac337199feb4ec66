/* SPDX-License-Identifier: MIT */
/*
 * printk.h - the calls that log.
 *
 *	lpk_info("eth0: link up, %u Mb/s", speed);
 *
 * Context of everything in this header: any. A thread, a signal handler, a
 * handler that interrupted one of these calls at any instruction, a
 * constructor, an exit handler, an interrupt of any priority. No call waits,
 * allocates, or changes errno. What cannot be stored is counted.
 *
 * All optional; the first three may also be defined anew between calls:
 *   LPK_SUBSYSTEM     "net"; what LPK_LOG=net=debug switches
 *   LPK_PREFIX        "eth: "; put in front of each message
 *   LPK_DEFAULT_LOG   &my_log; where lpk_info() and its kin go
 * and before the first include of a file:
 *   LPK_SHORT_NAMES   also printk(KERN_INFO ...), pr_info() and its kin
 *   LPK_MIN_LEVEL     LPK_INFO compiles lpk_debug() and its string out
 */
#ifndef LPK_PRINTK_H
#define LPK_PRINTK_H

#include <lpk/log.h>

#ifdef __cplusplus
#include <initializer_list>
#endif

#ifndef LPK_SUBSYSTEM
#define LPK_SUBSYSTEM NULL
#endif
#ifndef LPK_PREFIX
#define LPK_PREFIX NULL
#endif
#ifndef LPK_DEFAULT_LOG
#define LPK_DEFAULT_LOG NULL /* the default log */
#endif

LPK_BEGIN_DECLS

/* site->state; a call with any other value is switched on. */
#define LPK_SITE_NEW 0ul /* not decided yet: the first call does */
#define LPK_SITE_OFF 1ul
#define LPK_SITE_ON 3ul

/* site->flags */
#define LPK_SITE_KERN 0x01u /* the format begins with KERN_x */
#define LPK_SITE_CONT 0x02u /* continues the caller's line */
#define LPK_SITE_OPEN 0x04u /* leaves the line open */

/*
 * What plan holds until the first call has planned. `lpk sites` finds the
 * sites in the data of an executable file by it: four random numbers, to be
 * drawn anew when struct lpk_site changes.
 */
#define LPK__SITE_MARK_0 0xb63fd1e5ul
#define LPK__SITE_MARK_1 0x94c80a7dul
#define LPK__SITE_MARK_2 0xe72d5b91ul
#define LPK__SITE_MARK_3 0xa80e64c3ul
#if __SIZEOF_LONG__ >= 8
#define LPK__SITE_MARK                                                         \
	{                                                                      \
		LPK__SITE_MARK_0 | LPK__SITE_MARK_1 << 32,                     \
		    LPK__SITE_MARK_2 | LPK__SITE_MARK_3 << 32                  \
	}
#else
#define LPK__SITE_MARK                                                         \
	{                                                                      \
		LPK__SITE_MARK_0, LPK__SITE_MARK_1, LPK__SITE_MARK_2,          \
		    LPK__SITE_MARK_3                                           \
	}
#endif

/* A place in the source that logs; static, one for each call. */
struct lpk_site {
	unsigned long state;
	unsigned long entry; /* in the dictionary of its home; 0: none yet */
	unsigned long home;  /* epoch of the log it was first used with */
	unsigned long plan[16 / sizeof(unsigned long)]; /* a byte an argument */
	unsigned long next; /* struct lpk_site *, of those that were used */
	const char *format; /* NULL when it is not a literal */
	const char *prefix;
	const char *subsystem;
	const char *file;
	const char *function;
	uint32_t line;
	uint8_t level;
	uint8_t flags;
};

/* One rate limit: at most burst calls in each interval. */
struct lpk_ratelimit {
	uint32_t interval_ms;
	uint32_t burst;
	unsigned long begin; /* of the interval; the library's, as the rest */
	unsigned long passed;
	unsigned long missed;
};

/* May be defined otherwise before a file's first include, or for a while. */
#ifndef LPK_RATELIMIT_INTERVAL_MS
#define LPK_RATELIMIT_INTERVAL_MS 5000
#endif
#ifndef LPK_RATELIMIT_BURST
#define LPK_RATELIMIT_BURST 10
#endif

/**
 * lpk_write() - Log with a level or a format known only at run time.
 * @log:    where to; NULL: the default log
 * @level:  LPK_EMERG to LPK_DEBUG; others are logged as LPK_DEBUG
 * @format: as for lpk_snprintf(); NULL is logged as "(null format)"
 *
 * No filter applies: what is written is stored.
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_write(struct lpk_log *log, enum lpk_level level,
    const char *format, ...) LPK_PRINTF(3, 4);

/** lpk_vwrite() - lpk_write() with a list of arguments. */
LPK_API void lpk_vwrite(struct lpk_log *log, enum lpk_level level,
    const char *format, va_list arguments) LPK_PRINTF(3, 0);

/**
 * lpk_inject() - Log text that is not ours, as it is.
 * @log:        where to; NULL: the default log
 * @level:      LPK_EMERG to LPK_DEBUG
 * @facility:   syslog's number, 1 to 23; 0 is the library's own and becomes 1
 * @text:       bytes, no format; NUL bytes become U+FFFD
 * @size_bytes: of @text
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_inject(struct lpk_log *log, enum lpk_level level,
    uint32_t facility, const char *text, size_t size_bytes);

/**
 * lpk_hex_dump() - Log bytes as lines of sixteen.
 * @log:        where to; NULL: the default log
 * @level:      of each line
 * @prefix:     in front of each line; NULL: none
 * @bytes:      what to dump; NULL is logged as "(null)"
 * @size_bytes: of @bytes; after 64 KiB the rest is named and left out
 *
 * A line is a record: "prefix00000010: 68 65 6c 6c 6f ...  hello".
 *
 * Context:  any.
 * Progress: wait-free.
 */
LPK_API void lpk_hex_dump(struct lpk_log *log, enum lpk_level level,
    const char *prefix, const void *bytes, size_t size_bytes);

/**
 * lpk_filter_set() - Say which calls are stored, from now on.
 * @words:  "net=debug,disk*=warn,info": levels of subsystems, and of all the
 *          others; the first word that matches decides. "off" is a level.
 * @bad_at: on error receives the offset of the word that is wrong; or NULL
 *
 * Without a word for all the others those are stored down to LPK_INFO. The
 * environment variable LPK_LOG is such a list.
 *
 * Context:  thread. Calls that run meanwhile see the old filter or the new.
 * Return:   LPK_OK; -LPK_EINVAL for an unknown word, -LPK_ENOSPC for more
 *           than 32 words or a name over 31 bytes, -LPK_EBUSY when another
 *           thread is setting it; nothing was changed then.
 */
LPK_API int lpk_filter_set(const char *words, size_t *bad_at);

/* What the macros call. */
LPK_API void lpk__log(struct lpk_log *log, struct lpk_site *site,
    const char *format, const uint64_t *arguments, uint32_t count);
LPK_API void lpk__printk(struct lpk_log *log, struct lpk_site *site,
    const char *format, ...) LPK_PRINTF(3, 4);
LPK_API void lpk__printk_kv(struct lpk_log *log, struct lpk_site *site,
    const char *const *pairs, const char *format, ...) LPK_PRINTF(4, 5);
LPK_API bool lpk__once(struct lpk_log *log, unsigned long *done);
LPK_API bool lpk__ratelimit(
    struct lpk_log *log, struct lpk_site *site, struct lpk_ratelimit *limit);
LPK_API bool lpk__site_decide(struct lpk_site *site);
LPK_API void lpk__module_gone(const void *anchor);
void lpk__format_check(const char *format, ...) LPK_PRINTF(1, 2);

LPK_END_DECLS

/*
 * The sites of a shared object are gone when it is unloaded. 101: after all
 * that its own destructors may log.
 */
#if __STDC_HOSTED__ && defined(__ELF__) && defined(__PIC__) && !defined(__PIE__)
__attribute__((destructor(101))) static void
lpk__module_unload(void)
{
	static const char lpk__anchor = 0;

	lpk__module_gone(&lpk__anchor);
}
#endif

/* The format is the first of the variable arguments; the rest may be none. */
#define LPK__FIRST(...) LPK__FIRST_(__VA_ARGS__, 0)
#define LPK__FIRST_(first, ...) first

#define LPK__SITE(level, flags, ...)                                           \
	static struct lpk_site lpk__site = {LPK_SITE_NEW, 0, 0,                \
	    LPK__SITE_MARK, 0, LPK_LITERAL(LPK__FIRST(__VA_ARGS__)),           \
	    LPK_PREFIX, LPK_SUBSYSTEM, __FILE__, __func__, __LINE__,           \
	    (uint8_t)(level), (flags)}

/* One load and one branch for a call that is switched off. */
#define LPK__SITE_ENABLED()                                                    \
	(LPK_LOAD_RELAXED(&lpk__site.state) != LPK_SITE_OFF &&                 \
	    lpk__site_enabled(&lpk__site))

LPK_INLINE bool
lpk__site_enabled(struct lpk_site *site)
{
	return LPK_LIKELY(LPK_LOAD_RELAXED(&site->state) >= LPK_SITE_ON) ||
	    lpk__site_decide(site);
}

/*
 * An argument as 64 bits: what it is, is said by the format, which the
 * compiler has checked. Integers are widened, a float is a double, text and
 * pointers are their address until the record is stored.
 */
LPK_INLINE uint64_t
lpk__arg_signed(long long value)
{
	return (uint64_t)value;
}

LPK_INLINE uint64_t
lpk__arg_unsigned(unsigned long long value)
{
	return value;
}

LPK_INLINE uint64_t
lpk__arg_double(double value)
{
	uint64_t bits;

	__builtin_memcpy(&bits, &value, sizeof(bits));
	return bits;
}

LPK_INLINE uint64_t
lpk__arg_long_double(long double value)
{
	return lpk__arg_double((double)value);
}

LPK_INLINE uint64_t
lpk__arg_pointer(const volatile void *value)
{
	return (uintptr_t)value;
}

#ifdef __cplusplus
#define LPK__ARG(x) lpk__arg(x)
LPK_INLINE uint64_t
lpk__arg(int value)
{
	return lpk__arg_signed(value);
}
LPK_INLINE uint64_t
lpk__arg(long value)
{
	return lpk__arg_signed(value);
}
LPK_INLINE uint64_t
lpk__arg(long long value)
{
	return lpk__arg_signed(value);
}
LPK_INLINE uint64_t
lpk__arg(unsigned int value)
{
	return value;
}
LPK_INLINE uint64_t
lpk__arg(unsigned long value)
{
	return value;
}
LPK_INLINE uint64_t
lpk__arg(unsigned long long value)
{
	return value;
}
LPK_INLINE uint64_t
lpk__arg(double value)
{
	return lpk__arg_double(value);
}
LPK_INLINE uint64_t
lpk__arg(long double value)
{
	return lpk__arg_long_double(value);
}
LPK_INLINE uint64_t
lpk__arg(const volatile void *value)
{
	return lpk__arg_pointer(value);
}
LPK_INLINE uint64_t
lpk__arg(decltype(nullptr))
{
	return 0;
}
#else
/* The conditional makes a bit-field an int, and an array a pointer. */
#define LPK__ARG(x)                                                            \
	_Generic((1 ? (x) : (x)), int                                          \
		 : lpk__arg_signed, long                                       \
		 : lpk__arg_signed, long long                                  \
		 : lpk__arg_signed, unsigned int                               \
		 : lpk__arg_unsigned, unsigned long                            \
		 : lpk__arg_unsigned, unsigned long long                       \
		 : lpk__arg_unsigned, float                                    \
		 : lpk__arg_double, double                                     \
		 : lpk__arg_double, long double                                \
		 : lpk__arg_long_double, default                               \
		 : lpk__arg_pointer)(x)
#endif

/* Arguments behind the format: 0 to 16, or MANY. */
#define LPK__COUNT(...)                                                        \
	LPK__COUNT_(__VA_ARGS__, MANY, MANY, MANY, MANY, MANY, MANY, MANY,     \
	    MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, MANY, 16, 15, 14,  \
	    13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define LPK__COUNT_(format, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, \
    a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, a23, a24, a25, a26, a27, \
    a28, a29, a30, a31, a32, n, ...)                                           \
	n

#define LPK__ARGS_1(a) LPK__ARG(a)
#define LPK__ARGS_2(a, ...) LPK__ARG(a), LPK__ARGS_1(__VA_ARGS__)
#define LPK__ARGS_3(a, ...) LPK__ARG(a), LPK__ARGS_2(__VA_ARGS__)
#define LPK__ARGS_4(a, ...) LPK__ARG(a), LPK__ARGS_3(__VA_ARGS__)
#define LPK__ARGS_5(a, ...) LPK__ARG(a), LPK__ARGS_4(__VA_ARGS__)
#define LPK__ARGS_6(a, ...) LPK__ARG(a), LPK__ARGS_5(__VA_ARGS__)
#define LPK__ARGS_7(a, ...) LPK__ARG(a), LPK__ARGS_6(__VA_ARGS__)
#define LPK__ARGS_8(a, ...) LPK__ARG(a), LPK__ARGS_7(__VA_ARGS__)
#define LPK__ARGS_9(a, ...) LPK__ARG(a), LPK__ARGS_8(__VA_ARGS__)
#define LPK__ARGS_10(a, ...) LPK__ARG(a), LPK__ARGS_9(__VA_ARGS__)
#define LPK__ARGS_11(a, ...) LPK__ARG(a), LPK__ARGS_10(__VA_ARGS__)
#define LPK__ARGS_12(a, ...) LPK__ARG(a), LPK__ARGS_11(__VA_ARGS__)
#define LPK__ARGS_13(a, ...) LPK__ARG(a), LPK__ARGS_12(__VA_ARGS__)
#define LPK__ARGS_14(a, ...) LPK__ARG(a), LPK__ARGS_13(__VA_ARGS__)
#define LPK__ARGS_15(a, ...) LPK__ARG(a), LPK__ARGS_14(__VA_ARGS__)
#define LPK__ARGS_16(a, ...) LPK__ARG(a), LPK__ARGS_15(__VA_ARGS__)

#define LPK__LOG(n, log, format, ...)                                          \
	do {                                                                   \
		const uint64_t lpk__arguments[] = {                            \
		    LPK__ARGS_##n(__VA_ARGS__)};                               \
		lpk__log(log, &lpk__site, format, lpk__arguments, n);          \
	} while (0)
#define LPK__LOG_0(log, format) lpk__log(log, &lpk__site, format, NULL, 0)
#define LPK__LOG_1(log, ...) LPK__LOG(1, log, __VA_ARGS__)
#define LPK__LOG_2(log, ...) LPK__LOG(2, log, __VA_ARGS__)
#define LPK__LOG_3(log, ...) LPK__LOG(3, log, __VA_ARGS__)
#define LPK__LOG_4(log, ...) LPK__LOG(4, log, __VA_ARGS__)
#define LPK__LOG_5(log, ...) LPK__LOG(5, log, __VA_ARGS__)
#define LPK__LOG_6(log, ...) LPK__LOG(6, log, __VA_ARGS__)
#define LPK__LOG_7(log, ...) LPK__LOG(7, log, __VA_ARGS__)
#define LPK__LOG_8(log, ...) LPK__LOG(8, log, __VA_ARGS__)
#define LPK__LOG_9(log, ...) LPK__LOG(9, log, __VA_ARGS__)
#define LPK__LOG_10(log, ...) LPK__LOG(10, log, __VA_ARGS__)
#define LPK__LOG_11(log, ...) LPK__LOG(11, log, __VA_ARGS__)
#define LPK__LOG_12(log, ...) LPK__LOG(12, log, __VA_ARGS__)
#define LPK__LOG_13(log, ...) LPK__LOG(13, log, __VA_ARGS__)
#define LPK__LOG_14(log, ...) LPK__LOG(14, log, __VA_ARGS__)
#define LPK__LOG_15(log, ...) LPK__LOG(15, log, __VA_ARGS__)
#define LPK__LOG_16(log, ...) LPK__LOG(16, log, __VA_ARGS__)
#define LPK__LOG_MANY(log, ...) lpk__printk(log, &lpk__site, __VA_ARGS__)

#define LPK__PASTE(a, b) LPK__PASTE_(a, b)
#define LPK__PASTE_(a, b) a##b
#define LPK__LOG_ANY(log, ...)                                                 \
	LPK__PASTE(LPK__LOG_, LPK__COUNT(__VA_ARGS__))(log, __VA_ARGS__)

#define LPK__CALL(log, level, flags, condition, ...)                           \
	do {                                                                   \
		if (0)                                                         \
			lpk__format_check(__VA_ARGS__);                        \
		if ((level) <= LPK_MIN_LEVEL) {                                \
			LPK__SITE(level, flags, __VA_ARGS__);                  \
			if (LPK__SITE_ENABLED() && (condition))                \
				LPK__LOG_ANY(log, __VA_ARGS__);                \
		}                                                              \
	} while (0)

/**
 * lpk_printk() - Log a message at a level.
 * @level:  a constant, LPK_EMERG to LPK_DEBUG
 * @format: as for lpk_snprintf(), then its arguments
 *
 * A newline at the end is not needed and not kept.
 */
#define lpk_printk(level, ...)                                                 \
	LPK__CALL(LPK_DEFAULT_LOG, level, 0, true, __VA_ARGS__)
/** lpk_printk_to() - lpk_printk() into a given log. */
#define lpk_printk_to(log, level, ...)                                         \
	LPK__CALL(log, level, 0, true, __VA_ARGS__)

#define lpk_emerg(...) lpk_printk(LPK_EMERG, __VA_ARGS__)
#define lpk_alert(...) lpk_printk(LPK_ALERT, __VA_ARGS__)
#define lpk_crit(...) lpk_printk(LPK_CRIT, __VA_ARGS__)
#define lpk_err(...) lpk_printk(LPK_ERR, __VA_ARGS__)
#define lpk_warn(...) lpk_printk(LPK_WARN, __VA_ARGS__)
#define lpk_notice(...) lpk_printk(LPK_NOTICE, __VA_ARGS__)
#define lpk_info(...) lpk_printk(LPK_INFO, __VA_ARGS__)
#define lpk_debug(...) lpk_printk(LPK_DEBUG, __VA_ARGS__)

/**
 * lpk_cont() - Go on with the line that the same caller logged last.
 * @level:  as the line's
 * @format: then its arguments; a newline at the end ends the line
 *
 * The line must have been left open: by printk() without a newline at the end,
 * or by lpk_line(). When another record came in between, the rest is a line
 * of its own, and its record is flagged LPK_RECORD_CONT either way.
 */
#define lpk_cont(level, ...)                                                   \
	LPK__CALL(LPK_DEFAULT_LOG, level, LPK_SITE_CONT | LPK_SITE_OPEN, true, \
	    __VA_ARGS__)
/** lpk_line() - lpk_printk() that leaves the line open for lpk_cont(). */
#define lpk_line(level, ...)                                                   \
	LPK__CALL(LPK_DEFAULT_LOG, level, LPK_SITE_OPEN, true, __VA_ARGS__)

/** lpk_printk_once() - Log the first time that this call is reached only. */
#define lpk_printk_once(level, ...)                                            \
	do {                                                                   \
		static unsigned long lpk__done;                                \
		LPK__CALL(LPK_DEFAULT_LOG, level, 0,                           \
		    lpk__once(LPK_DEFAULT_LOG, &lpk__done), __VA_ARGS__);      \
	} while (0)
#define lpk_err_once(...) lpk_printk_once(LPK_ERR, __VA_ARGS__)
#define lpk_warn_once(...) lpk_printk_once(LPK_WARN, __VA_ARGS__)
#define lpk_info_once(...) lpk_printk_once(LPK_INFO, __VA_ARGS__)

/**
 * lpk_printk_ratelimited() - Log at most ten times in five seconds.
 *
 * The calls held back are counted, and reported by a record of their own when
 * the call passes again: "worker_main: 42 messages suppressed".
 */
#define lpk_printk_ratelimited(level, ...)                                     \
	do {                                                                   \
		static struct lpk_ratelimit lpk__limit = {                     \
		    LPK_RATELIMIT_INTERVAL_MS, LPK_RATELIMIT_BURST, 0, 0, 0};  \
		LPK__CALL(LPK_DEFAULT_LOG, level, 0,                           \
		    lpk__ratelimit(LPK_DEFAULT_LOG, &lpk__site, &lpk__limit),  \
		    __VA_ARGS__);                                              \
	} while (0)
#define lpk_err_ratelimited(...) lpk_printk_ratelimited(LPK_ERR, __VA_ARGS__)
#define lpk_warn_ratelimited(...) lpk_printk_ratelimited(LPK_WARN, __VA_ARGS__)
#define lpk_info_ratelimited(...) lpk_printk_ratelimited(LPK_INFO, __VA_ARGS__)

/**
 * lpk_printk_kv() - Log a message with key/value pairs.
 * @level:  a constant
 * @pairs:  LPK_KV("IFNAME", name, "SPEED", "1000"): keys and values in turn
 * @format: then its arguments
 *
 * Keys are capitals, digits and underscores; other bytes become underscores.
 */
#define lpk_printk_kv(level, pairs, ...)                                       \
	do {                                                                   \
		if ((level) <= LPK_MIN_LEVEL) {                                \
			LPK__SITE(level, 0, __VA_ARGS__);                      \
			if (LPK__SITE_ENABLED())                               \
				lpk__printk_kv(LPK_DEFAULT_LOG, &lpk__site,    \
				    pairs, __VA_ARGS__);                       \
		}                                                              \
	} while (0)
#ifdef __cplusplus
#define LPK_KV(...)                                                            \
	(std::initializer_list<const char *>{__VA_ARGS__, nullptr}.begin())
#else
#define LPK_KV(...) ((const char *const[]){__VA_ARGS__, NULL})
#endif

#ifdef LPK_SHORT_NAMES
#define KERN_SOH "\001"
#define KERN_EMERG KERN_SOH "0"
#define KERN_ALERT KERN_SOH "1"
#define KERN_CRIT KERN_SOH "2"
#define KERN_ERR KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE KERN_SOH "5"
#define KERN_INFO KERN_SOH "6"
#define KERN_DEBUG KERN_SOH "7"
#define KERN_DEFAULT ""
#define KERN_CONT KERN_SOH "c"
/* As in the kernel: without a newline at the end the line stays open. */
#define printk(...)                                                            \
	LPK__CALL(LPK_DEFAULT_LOG, 0, LPK_SITE_KERN, true, __VA_ARGS__)
#define pr_emerg(...) lpk_emerg(__VA_ARGS__)
#define pr_alert(...) lpk_alert(__VA_ARGS__)
#define pr_crit(...) lpk_crit(__VA_ARGS__)
#define pr_err(...) lpk_err(__VA_ARGS__)
#define pr_warn(...) lpk_warn(__VA_ARGS__)
#define pr_notice(...) lpk_notice(__VA_ARGS__)
#define pr_info(...) lpk_info(__VA_ARGS__)
#define pr_debug(...) lpk_debug(__VA_ARGS__)
#define pr_cont(...) lpk_cont(LPK_INFO, __VA_ARGS__)
#define pr_err_once(...) lpk_err_once(__VA_ARGS__)
#define pr_warn_once(...) lpk_warn_once(__VA_ARGS__)
#define pr_info_once(...) lpk_info_once(__VA_ARGS__)
#define pr_err_ratelimited(...) lpk_err_ratelimited(__VA_ARGS__)
#define pr_warn_ratelimited(...) lpk_warn_ratelimited(__VA_ARGS__)
#define pr_info_ratelimited(...) lpk_info_ratelimited(__VA_ARGS__)
#endif

#endif /* LPK_PRINTK_H */
