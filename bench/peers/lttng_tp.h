/* SPDX-License-Identifier: MIT */
/*
 * lttng_tp.h - the events of lttng.c, as LTTng-UST wants them. Included several
 * times, hence its guard.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER lpk_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "lttng_tp.h"

#if !defined(BENCH_PEERS_LTTNG_TP_H) ||                                        \
    defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BENCH_PEERS_LTTNG_TP_H

#include <stdint.h>

#include <lttng/tracepoint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(lpk_bench, numbers,
	LTTNG_UST_TP_ARGS(int, integer, int64_t, wide, double, real),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, integer, integer)
		lttng_ust_field_integer(int64_t, wide, wide)
		lttng_ust_field_float(double, real, real)))

LTTNG_UST_TRACEPOINT_EVENT(lpk_bench, string,
	LTTNG_UST_TP_ARGS(int, integer, int64_t, wide, const char *, text),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, integer, integer)
		lttng_ust_field_integer(int64_t, wide, wide)
		lttng_ust_field_string(text, text)))

LTTNG_UST_TRACEPOINT_EVENT(lpk_bench, line,
	LTTNG_UST_TP_ARGS(int, iteration, int, integer, double, real),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(int, iteration, iteration)
		lttng_ust_field_integer(int, integer, integer)
		lttng_ust_field_float(double, real, real)))
/* clang-format on */

#endif /* BENCH_PEERS_LTTNG_TP_H */

#include <lttng/tracepoint-event.h>
