/* SPDX-License-Identifier: MIT */
/*
 * page.h - how the memory of the default log lies, so that other memory can
 * take its place: whole pages, of the largest size that the machine may use.
 */
#ifndef LPK_HOSTED_PAGE_H
#define LPK_HOSTED_PAGE_H

#include <lpk/log.h>

#if defined(__x86_64__) || defined(__i386__)
#define LPK__PAGE_BYTES 4096u
#else
#define LPK__PAGE_BYTES 65536u
#endif

#define LPK__PAGES(bytes)                                                      \
	(((size_t)(bytes) + LPK__PAGE_BYTES - 1) / LPK__PAGE_BYTES *           \
	    LPK__PAGE_BYTES)

#endif /* LPK_HOSTED_PAGE_H */
