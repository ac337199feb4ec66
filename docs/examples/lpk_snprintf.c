/* SPDX-License-Identifier: MIT */
/*
 * lpk_snprintf(), lpk_vsnprintf(): snprintf for a signal handler, with the
 * kernel's letters after %p.
 */
#include <stdio.h>
#include <string.h>

#include <lpk/format.h>

static int format(char *text, size_t size_bytes, const char *format, ...)
    LPK_PRINTF(3, 4);

static int
format(char *text, size_t size_bytes, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = lpk_vsnprintf(text, size_bytes, format, arguments);
	va_end(arguments);
	return length;
}

int
main(void)
{
	static const unsigned char bytes[16] = {
	    0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	char text[80];

	lpk_snprintf(text, sizeof(text), "%pI6c, %pI4, %pM",
	    (const void *)bytes, (const void *)bytes, (const void *)bytes);
	puts(text);
	if (strcmp(text, "2001:db8::1, 32.1.13.184, 20:01:0d:b8:00:00") != 0)
		return 1;
	lpk_snprintf(text, sizeof(text), "%*ph, %pe, %5.2f", 4,
	    (const void *)bytes, (const void *)(intptr_t)-2, 3.14159);
	puts(text);
	if (strcmp(text, "20 01 0d b8, -ENOENT,  3.14") != 0)
		return 1;
	/* As snprintf: what the whole text would need, and a cut text. */
	return format(text, 4, "%d", 123456) != 6 || strcmp(text, "123") != 0;
}
