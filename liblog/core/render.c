/* SPDX-License-Identifier: MIT */
/*
 * render.c - formats walked with arguments from elsewhere than a va_list: from
 * the words of a call, or from the bytes of a record.
 */
#include "render.h"

#include "record.h"

/* Where the next argument comes from. */
struct feed {
	const unsigned char *words; /* 8 bytes each */
	size_t left;                /* of them */
	const unsigned char *bytes; /* NULL: words are addresses */
	size_t bytes_left;
};

static bool
feed_word(struct feed *feed, uint64_t *word)
{
	if (feed->left == 0)
		return false;
	__builtin_memcpy(word, feed->words, sizeof(*word));
	feed->words += sizeof(*word);
	feed->left--;
	return true;
}

/* Text, or the bytes of an extension. */
static bool
feed_bytes(struct feed *feed, struct lpk__value *value, size_t live_bytes)
{
	size_t filled;

	if (!feed_word(feed, &value->bits))
		return false;
	if (feed->bytes == NULL) {
		value->ptr = (const void *)(uintptr_t)value->bits;
		value->size_bytes = live_bytes;
		return true;
	}
	value->ptr = NULL;
	value->size_bytes = 0;
	if (value->bits == LPK__BYTES_NULL)
		return true;
	if (value->bits > feed->bytes_left)
		return false;
	value->ptr = feed->bytes;
	value->size_bytes = (size_t)value->bits;
	filled = (value->size_bytes + 7) & ~(size_t)7;
	if (filled > feed->bytes_left)
		filled = feed->bytes_left;
	feed->bytes += filled;
	feed->bytes_left -= filled;
	return true;
}

static bool
feed_conversion(
    struct feed *feed, struct lpk__spec *spec, struct lpk__value *value)
{
	uint64_t word;

	if (spec->flags & LPK__SPEC_STAR_WIDTH) {
		if (!feed_word(feed, &word))
			return false;
		lpk__spec_width_set(spec, (int)word);
	}
	if (spec->flags & LPK__SPEC_STAR_PRECISION) {
		if (!feed_word(feed, &word))
			return false;
		lpk__spec_precision_set(spec, (int)word);
	}
	switch (spec->kind) {
	case LPK__KIND_NONE:
		return true;
	case LPK__KIND_BAD:
		return false;
	case LPK__KIND_STRING:
		return feed_bytes(feed, value, SIZE_MAX);
	case LPK__KIND_POINTER_EXT:
		if (lpk__spec_ptr_bytes(spec) != 0 || spec->ext == 'h')
			return feed_bytes(
			    feed, value, lpk__spec_ptr_bytes(spec));
		break;
	default:
		break;
	}
	if (!feed_word(feed, &value->bits))
		return false;
	value->ptr = (const void *)(uintptr_t)value->bits;
	value->size_bytes = 0;
	return true;
}

static void
render(struct lpk__out *out, const char *format, const char *end,
    struct feed *feed)
{
	struct lpk__value value = {0};
	struct lpk__spec spec;
	bool known = true;

	for (;;) {
		if (known)
			format = lpk__out_words(
			    out, format, end, &feed->words, &feed->left);
		if (!lpk__spec_next(&spec, &format, end))
			return;
		if (spec.kind == LPK__KIND_NONE) {
			lpk__out_put(out, spec.text, spec.text_len);
			continue;
		}
		known = known && feed_conversion(feed, &spec, &value);
		if (known)
			lpk__spec_render(out, &spec, &value);
		else
			lpk__spec_render_bad(out, &spec);
	}
}

void
lpk__render_packed(struct lpk__out *out, const char *format, const char *end,
    uint32_t count, const unsigned char *packed, size_t bytes)
{
	struct feed feed = {.words = packed, .left = count};

	if (feed.left > bytes / 8)
		feed.left = bytes / 8;
	feed.bytes = packed + feed.left * 8;
	feed.bytes_left = bytes - feed.left * 8;
	render(out, format, end, &feed);
}

void
lpk__render_live(struct lpk__out *out, const char *format,
    const uint64_t *arguments, uint32_t count)
{
	struct feed feed = {
	    .words = (const unsigned char *)arguments, .left = count};

	render(out, format != NULL ? format : "(null format)", NULL, &feed);
}

/* The plan byte of a conversion's value, negative: it cannot be copied. */
static int
plan_value(const struct lpk__spec *spec)
{
	bool star = (spec->flags & LPK__SPEC_STAR_PRECISION) != 0;

	switch (spec->kind) {
	case LPK__KIND_BAD:
	case LPK__KIND_SKIP_INT:
	case LPK__KIND_SKIP_POINTER:
		return -1;
	case LPK__KIND_STRING:
		if (star)
			return LPK__PLAN_STRING_STAR;
		if (spec->precision < 0)
			return LPK__PLAN_STRING;
		return spec->precision > 127 ?
		    -1 :
		    (int)(LPK__PLAN_STRING_MAX + (unsigned)spec->precision);
	case LPK__KIND_POINTER_EXT:
		if (spec->ext == 'h')
			/* The number must be the argument right before. */
			return spec->flags & LPK__SPEC_STAR_WIDTH && !star ?
			    (int)LPK__PLAN_BYTES_STAR :
			    -1;
		return lpk__spec_ptr_bytes(spec) == 0 ?
		    (int)LPK__PLAN_WORD :
		    (int)(LPK__PLAN_BYTES + lpk__spec_ptr_bytes(spec));
	default:
		return LPK__PLAN_WORD;
	}
}

bool
lpk__plan_make(
    unsigned char *plan, const char *format, uint32_t count, bool *words)
{
	struct lpk__spec spec;
	uint32_t made = 0;
	int value;

	*words = true;
	__builtin_memset(plan, 0, LPK__PLAN_ARGUMENTS);
	while (lpk__spec_next(&spec, &format, NULL)) {
		if (spec.kind == LPK__KIND_NONE)
			continue;
		if (spec.flags & LPK__SPEC_STAR_WIDTH)
			made++;
		if (spec.flags & LPK__SPEC_STAR_PRECISION)
			made++;
		value = plan_value(&spec);
		if (value < 0 || made >= LPK__PLAN_ARGUMENTS)
			return false;
		plan[made++] = (unsigned char)value;
		*words = *words && value == LPK__PLAN_WORD;
	}
	return made == count;
}
