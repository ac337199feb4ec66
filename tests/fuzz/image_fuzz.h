/* SPDX-License-Identifier: MIT */
/*
 * image_fuzz.h - what the input of the fuzz target is: changes of the image that
 * `lpk dmesg` reads.
 */
#ifndef TESTS_IMAGE_FUZZ_H
#define TESTS_IMAGE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * Something in the image is changed. What: a word of the head, of a block, a
 * commit word, a word of a record, of the dictionary, any byte; or the image is
 * cut. How: a value of its own, an exclusive or, a value that is often wrong.
 */
struct image_fuzz_edit {
	uint8_t what;
	uint8_t how;
	uint16_t where;
	uint32_t value;
};

/* The input is a row of edits. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* How many records were shown so far; how many images could not be used. */
extern unsigned long image_fuzz_shown, image_fuzz_refused;

#endif /* TESTS_IMAGE_FUZZ_H */
