// SPDX-License-Identifier: MIT
// Every kind of argument from C++17: the same texts as from C.
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <lpk/printk.h>
#include <lpk/reader.h>

LPK_LOG_DEFINE(ring, 16384, 4, 1);

namespace
{

struct lpk_reader reader;

void
expect(const char *want)
{
	static char text[LPK_TEXT_MAX + 1];
	struct lpk_record record;

	if (lpk_reader_next(&reader, &record, text, sizeof(text)) != LPK_OK ||
	    std::strcmp(text, want) != 0) {
		std::fprintf(stderr, "want \"%s\"\ngot  \"%s\"\n", want, text);
		std::exit(1);
	}
}

#define EXPECT(want, ...)                                                      \
	do {                                                                   \
		lpk_printk_to(&ring, LPK_ERR, __VA_ARGS__);                    \
		expect(want);                                                  \
	} while (0)

enum colour { RED = 3, GREEN };

struct bits {
	unsigned int three : 3;
	int four : 4;
};

template <typename T>
void
from_template(const char *want, T value)
{
	EXPECT(want, "%d", static_cast<int>(value));
}

inline void
from_inline(int value)
{
	EXPECT("inline 7", "inline %d", value);
}

void
integers()
{
	signed char sc = -128;
	unsigned char uc = 255;
	short s = -32768;
	unsigned short us = 65535;
	bits b = {5, -3};
	bool yes = true;
	char c = 'c';

	EXPECT("-128 255 -32768 65535 c", "%hhd %hhu %hd %hu %c", sc, uc, s, us,
	    c);
	EXPECT("-2147483648 4294967295", "%d %u", INT_MIN, UINT_MAX);
	EXPECT("-1 1", "%ld %lu", -1L, 1UL);
	EXPECT("-9223372036854775808 18446744073709551615", "%lld %llu",
	    LLONG_MIN, ULLONG_MAX);
	EXPECT("4", "%zu", sizeof(std::int32_t));
	EXPECT("5 -3", "%d %d", b.three, b.four);
	EXPECT("3 4", "%d %d", RED, GREEN);
	EXPECT("1 0", "%d %d", yes, false);
	EXPECT("c", "%c", c);
}

void
others()
{
	char array[] = "array";
	const char *text = array, *null = nullptr;
	const unsigned char ip[] = {10, 0, 0, 1};
	const void *pointer = reinterpret_cast<const void *>(0x1234);
	std::string string = "string";
	float f = 1.5f;

	EXPECT("1.5 0.1 -2.500000", "%g %g %Lf", f, 0.1, -2.5L);
	EXPECT("0x1234", "%p", pointer);
	lpk_printk_to(&ring, LPK_ERR, "%s %s %s %.*s %s %pI4 %*ph", array, text,
	    string.c_str(), 3, text, null, ip, 2, ip);
	std::memset(array, 'X', 5);
	string = "other";
	expect("array array string arr (null) 10.0.0.1 0a 00");
	EXPECT("literal", "%s", "literal");
	EXPECT("(null)", "%s", static_cast<char *>(nullptr));
}

void
counts()
{
	EXPECT("none", "none");
	EXPECT("1", "%d", 1);
	EXPECT("1234567890123456", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2, 3,
	    4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6);
	EXPECT("12345678901234567", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", 1, 2,
	    3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7);
}

} // namespace

int
main()
{
	lpk_reader_open(&reader, &ring, LPK_SEEK_OLDEST);
	integers();
	others();
	counts();
	from_template("3", RED);
	from_template("7", 7L);
	from_inline(7);
	std::puts("the same texts from C++");
	return 0;
}
