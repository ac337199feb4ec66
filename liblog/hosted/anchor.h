/* SPDX-License-Identifier: MIT */
/*
 * anchor.h - where the region of the default log is, for those who have no
 * symbols: see docs/FORMAT.md, "Finding an image".
 */
#ifndef LPK_HOSTED_ANCHOR_H
#define LPK_HOSTED_ANCHOR_H

/* The magic of a region, but for two letters: neither is taken for the other.
 */
#define LPK__ANCHOR_MAGIC "lpk here\x1a\r\n\0\0\0\0"

struct lpk__anchor {
	char magic[16];
	unsigned char *region;
	unsigned long bytes;
};

extern struct lpk__anchor lpk__here __attribute__((visibility("hidden")));

/** lpk__anchor_set() - The region is there now. Context: init. */
void lpk__anchor_set(unsigned char *region);

#endif /* LPK_HOSTED_ANCHOR_H */
