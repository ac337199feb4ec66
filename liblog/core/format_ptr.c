/* SPDX-License-Identifier: MIT */
/*
 * The letters after %p: addresses, identifiers, error names, hex dumps.
 *
 * What they mean follows the Linux kernel's documentation (printk-formats);
 * compressed IPv6 addresses follow RFC 5952.  The bytes come through
 * lpk__value, so that a copy taken at the call is rendered as the original.
 */
#include "format.h"

/* The longest: IPv6 in eight groups of four. */
#define TEXT_MAX 48
/* Longest hex dump, in bytes. */
#define DUMP_MAX 64
/* Linux: error numbers in a pointer end here. */
#define ERROR_MAX 4095

/*
 * Names of the error numbers from 1 on, without their E, each ended by a NUL.
 * A byte below ' ' steps over as many numbers.  Linux, all architectures but
 * alpha, mips, parisc and sparc.
 */
static const char error_names[] =
    "PERM\0NOENT\0SRCH\0INTR\0IO\0NXIO\0"
    "2BIG\0NOEXEC\0BADF\0CHILD\0"
    "AGAIN\0NOMEM\0ACCES\0FAULT\0NOTBLK\0BUSY\0EXIST\0XDEV\0NODEV\0"
    "NOTDIR\0ISDIR\0INVAL\0NFILE\0MFILE\0NOTTY\0TXTBSY\0FBIG\0NOSPC\0"
    "SPIPE\0ROFS\0MLINK\0PIPE\0DOM\0RANGE\0DEADLK\0NAMETOOLONG\0NOLCK\0"
    "NOSYS\0NOTEMPTY\0LOOP\0"
    "\024NODATA\0TIME\0"
    "\010PROTO\0\002BADMSG\0OVERFLOW\0"
    "\010ILSEQ\0"
    "\003NOTSOCK\0DESTADDRREQ\0MSGSIZE\0PROTOTYPE\0NOPROTOOPT\0"
    "PROTONOSUPPORT\0SOCKTNOSUPPORT\0OPNOTSUPP\0PFNOSUPPORT\0AFNOSUPPORT\0"
    "ADDRINUSE\0ADDRNOTAVAIL\0NETDOWN\0NETUNREACH\0NETRESET\0CONNABORTED\0"
    "CONNRESET\0NOBUFS\0ISCONN\0NOTCONN\0SHUTDOWN\0TOOMANYREFS\0TIMEDOUT\0"
    "CONNREFUSED\0HOSTDOWN\0HOSTUNREACH\0ALREADY\0INPROGRESS\0STALE\0"
    "\005DQUOT\0\002CANCELED\0\004OWNERDEAD\0NOTRECOVERABLE\0";

static bool
is_one_of(char c, const char *set)
{
	while (*set != '\0') {
		if (*set++ == c)
			return true;
	}
	return false;
}

/* The letters that may follow the ones so far; "" for none. */
static const char *
orders_of(const struct lpk__spec *spec)
{
	switch (spec->ext) {
	case 'I':
		return spec->ext_size == '4' ? "hnlb" : "c";
	case 'i':
		return spec->ext_size == '4' ? "hnlb" : "";
	case 'M':
		return "FR";
	case 'm':
		return "R";
	case 'U':
		return "bBlL";
	case 'h':
		return "CDN";
	default:
		return "";
	}
}

const char *
lpk__ptr_parse(struct lpk__spec *spec, const char *cursor, const char *end)
{
	char c = lpk__format_peek(cursor, end);

	if (!is_one_of(c, "IiMmUeh"))
		return cursor;
	cursor++;
	spec->ext_size = 0;
	spec->ext_order = 0;
	if (c == 'I' || c == 'i') {
		spec->ext_size = lpk__format_peek(cursor, end);
		if (!is_one_of(spec->ext_size, "46"))
			return cursor - 1;
		cursor++;
	}
	spec->ext = c;
	spec->kind = LPK__KIND_POINTER_EXT;
	if (c == 'h' && !spec->width && !(spec->flags & LPK__SPEC_STAR_WIDTH))
		spec->width = 1;
	c = lpk__format_peek(cursor, end);
	if (!is_one_of(c, orders_of(spec)))
		return cursor;
	spec->ext_order = c;
	return cursor + 1;
}

size_t
lpk__spec_ptr_bytes(const struct lpk__spec *spec)
{
	switch (spec->ext) {
	case 'I':
	case 'i':
		return spec->ext_size == '4' ? 4 : 16;
	case 'M':
	case 'm':
		return 6;
	case 'U':
		return 16;
	case 'h':
		return spec->width < DUMP_MAX ? (size_t)spec->width : DUMP_MAX;
	default:
		return 0;
	}
}

static char *
hex_put(char *p, unsigned int byte)
{
	*p++ = "0123456789abcdef"[byte >> 4];
	*p++ = "0123456789abcdef"[byte & 15];
	return p;
}

/* A number below 256, with zeros in front or without. */
static char *
byte_put(char *p, unsigned int byte, bool is_padded)
{
	unsigned int hundreds = byte / 100, tens = byte / 10 % 10;

	if (hundreds || is_padded)
		*p++ = (char)('0' + hundreds);
	if (hundreds || tens || is_padded)
		*p++ = (char)('0' + tens);
	*p++ = (char)('0' + byte % 10);
	return p;
}

static char *
ip4_put(char *p, const unsigned char *from, int step, bool is_padded)
{
	int i;

	for (i = 0; i < 4; i++, from += step) {
		if (i)
			*p++ = '.';
		p = byte_put(p, *from, is_padded);
	}
	return p;
}

static char *
ip4_render(char *p, const struct lpk__spec *spec, const unsigned char *bytes)
{
	const uint16_t one = 1;
	bool is_little = spec->ext_order == 'l';

	if (spec->ext_order == 'h')
		is_little = *(const unsigned char *)&one == 1;
	return ip4_put(p, is_little ? bytes + 3 : bytes, is_little ? -1 : 1,
	    spec->ext == 'i');
}

/* One group of an IPv6 address, without zeros in front. */
static char *
group_put(char *p, unsigned int group)
{
	int shift = 12;

	while (shift && !(group >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[group >> shift & 15];
	return p;
}

/* The longest run of zero groups, two at least, the first of equals. */
static int
zeros_find(const unsigned char *bytes, int groups, int *count)
{
	int i, run = 0, best = -1;

	*count = 1;
	for (i = 0; i < groups; i++) {
		run = bytes[2 * i] | bytes[2 * i + 1] ? 0 : run + 1;
		if (run > *count) {
			*count = run;
			best = i + 1 - run;
		}
	}
	return best;
}

/* RFC 5952; IPv4-mapped addresses end in the dotted form (section 5). */
static char *
ip6_compressed_render(char *p, const unsigned char *bytes)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_mapped = !__builtin_memcmp(bytes, mapped, sizeof(mapped));
	int groups = is_mapped ? 6 : 8;
	int zeros, best = zeros_find(bytes, groups, &zeros);
	int i;

	for (i = 0; i < groups; i++) {
		if (i == best) {
			*p++ = ':';
			*p++ = ':';
			i += zeros - 1;
			continue;
		}
		if (i && i != best + zeros)
			*p++ = ':';
		p = group_put(p, bytes[2 * i] * 256u + bytes[2 * i + 1]);
	}
	if (!is_mapped)
		return p;
	*p++ = ':';
	return ip4_put(p, bytes + 12, 1, false);
}

/*
 * Bytes in hex: @order tells which, @breaks has a bit for each that a
 * separator comes before.
 */
static char *
bytes_render(char *p, const unsigned char *bytes, int count,
    const unsigned char *order, unsigned int breaks, char separator)
{
	int i;

	for (i = 0; i < count; i++) {
		if (breaks >> i & 1)
			*p++ = separator;
		p = hex_put(p, bytes[order ? order[i] : i]);
	}
	return p;
}

static char *
mac_render(char *p, const struct lpk__spec *spec, const unsigned char *bytes)
{
	static const unsigned char reversed[6] = {5, 4, 3, 2, 1, 0};

	return bytes_render(p, bytes, 6,
	    spec->ext_order == 'R' ? reversed : NULL,
	    spec->ext == 'M' ? 0x3e : 0, spec->ext_order == 'F' ? '-' : ':');
}

static char *
uuid_render(char *p, const struct lpk__spec *spec, const unsigned char *bytes)
{
	/* A GUID's first three fields are little-endian numbers. */
	static const unsigned char guid[16] = {
	    3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	bool is_guid = spec->ext_order == 'l' || spec->ext_order == 'L';
	bool is_upper = spec->ext_order == 'B' || spec->ext_order == 'L';
	char *end =
	    bytes_render(p, bytes, 16, is_guid ? guid : NULL, 0x550, '-');

	for (; is_upper && p < end; p++) {
		if (*p >= 'a')
			*p = (char)(*p - 'a' + 'A');
	}
	return end;
}

/* The name of an error number; NULL if it has none here. */
static const char *
error_name(unsigned int number)
{
	const char *p = error_names;
	unsigned int n = 1;

	for (; *p != '\0'; p++) {
		if (*p < ' ')
			n += (unsigned char)*p++;
		if (n++ == number)
			return p;
		while (*p != '\0')
			p++;
	}
	return NULL;
}

static void
error_render(struct lpk__out *out, const struct lpk__spec *spec, uint64_t bits)
{
	uintptr_t number = -(uintptr_t)bits;
	struct lpk__spec plain;
	const char *name;
	char text[24], *p = text;

	if (number - 1 >= ERROR_MAX) {
		lpk__spec_put_integer(out, spec, bits);
		return;
	}
	name = error_name((unsigned int)number);
	if (!name) {
		plain = *spec;
		plain.conv = 'd';
		lpk__spec_put_integer(out, &plain, bits);
		return;
	}
	*p++ = '-';
	*p++ = 'E';
	while (*name != '\0')
		*p++ = *name++;
	lpk__spec_put_padded(out, spec, text, (size_t)(p - text));
}

static void
dump_render(struct lpk__out *out, const struct lpk__spec *spec,
    const unsigned char *bytes)
{
	size_t i, count = lpk__spec_ptr_bytes(spec);
	char separator = ' ';
	char text[3];

	if (spec->ext_order == 'C')
		separator = ':';
	else if (spec->ext_order == 'D')
		separator = '-';
	for (i = 0; i < count; i++) {
		text[0] = separator;
		hex_put(text + 1, bytes[i]);
		if (i == 0 || spec->ext_order == 'N')
			lpk__out_put(out, text + 1, 2);
		else
			lpk__out_put(out, text, 3);
	}
}

void
lpk__ptr_render(struct lpk__out *out, const struct lpk__spec *spec,
    const struct lpk__value *value)
{
	const unsigned char *bytes = value->ptr;
	char text[TEXT_MAX], *p = text;

	if (spec->ext == 'e' && value->bits) {
		error_render(out, spec, value->bits);
		return;
	}
	if (!bytes) {
		/* The width of a dump is no width. */
		if (spec->ext == 'h')
			lpk__out_put(out, "(null)", 6);
		else
			lpk__spec_put_padded(out, spec, "(null)", 6);
		return;
	}
	if (value->size_bytes < lpk__spec_ptr_bytes(spec)) {
		lpk__spec_render_bad(out, spec);
		return;
	}
	if (spec->ext == 'h') {
		dump_render(out, spec, bytes);
		return;
	}
	if (spec->ext == 'U')
		p = uuid_render(p, spec, bytes);
	else if (spec->ext == 'M' || spec->ext == 'm')
		p = mac_render(p, spec, bytes);
	else if (spec->ext_size == '4')
		p = ip4_render(p, spec, bytes);
	else if (spec->ext_order == 'c')
		p = ip6_compressed_render(p, bytes);
	else
		p = bytes_render(
		    p, bytes, 16, NULL, spec->ext == 'I' ? 0x5554 : 0, ':');
	lpk__spec_put_padded(out, spec, text, (size_t)(p - text));
}
