/* SPDX-License-Identifier: MIT */
/*
 * Floating point for firmware: none.  The argument is skipped as its type
 * demands, and the conversion shown as written, marked: "%!.2f(nofloat)".
 */
#include "format.h"

uint64_t
lpk__double_fetch(struct lpk__args *args, bool is_long)
{
	if (is_long)
		(void)va_arg(args->ap, long double);
	else
		(void)va_arg(args->ap, double);
	return 0;
}

void
lpk__double_render(
    struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits)
{
	(void)bits;
	lpk__spec_render_bad(out, spec);
	lpk__out_put(out, "(nofloat)", 9);
}
