/* SPDX-License-Identifier: MIT */
/*
 * dict_fuzz.h - what the input of the fuzz target is: changes of an image.
 */
#ifndef TESTS_DICT_FUZZ_H
#define TESTS_DICT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Some bytes at a place get a value, or are exclusive-ored with one. */
struct dict_fuzz_edit {
	uint16_t at_low;
	uint8_t at_high;
	uint8_t how; /* log2 of the width, + 4: exclusive or */
	uint8_t value[8];
};

/* Of the image. */
size_t dict_fuzz_bytes(void);

/* The input is a row of edits. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#endif /* TESTS_DICT_FUZZ_H */
