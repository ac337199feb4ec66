/* SPDX-License-Identifier: MIT */
/*
 * image.h - the memory image of a log, checked, and brought into a form that
 * the reader of the core reads. Nothing in it is trusted.
 */
#ifndef LPK_TOOLS_IMAGE_H
#define LPK_TOOLS_IMAGE_H

#include <lpk/reader.h>

#include "core/ring.h"
#include "source.h"

struct image {
	struct source source;
	struct lpk__head_fixed fixed; /* as it is in the image, checked */
	struct lpk__session session;
	uint64_t state; /* LPK__STATE_* */
	uint64_t state_signal;
	uint64_t state_caller;
	uint64_t dropped;
	struct lpk_log log;       /* the copy, in the shape of this machine */
	void *allocated;          /* for the copy */
	unsigned char *memory;    /* of it, at a cache line */
	unsigned char *block;     /* one block as it is in the image */
	struct lpk_reader reader; /* of the copy */
	bool cut;                 /* the image ends before its last block */
};

/*
 * Check and copy. Returns false for what is unusable, and says on standard error
 * why; but not of what a core file holds that only looks like an image.
 */
bool image_open(struct image *image, const struct source *source);

/* All that can be had of some sources; how many that were. */
unsigned int images_open(
    struct image *images, const struct sources *sources, bool *partial);

/* Copy once more what a living process may have changed. */
void image_refresh(struct image *image);

/* Is the process that wrote it alive? */
bool image_alive(const struct image *image);

void image_close(struct image *image);

#endif /* LPK_TOOLS_IMAGE_H */
