/* SPDX-License-Identifier: MIT */
/* A record as it lies in a block: its fields, its sizes. */
#include "fixture.h"

#include <core/record.h>
#include <core/ring.h>

static void
test_record_meta_fields_do_not_mix(void **state)
{
	static const uint32_t bytes[] = {0, 1, LPK_TEXT_MAX, 65535};
	uint32_t level, facility, flags, i;

	(void)state;
	for (i = 0; i < 4; i++) {
		for (level = 0; level < 8; level++) {
			for (facility = 0; facility < 32; facility++) {
				for (flags = 0; flags < 256; flags += 15) {
					uint32_t meta = lpk__meta(
					    bytes[i], level, facility, flags);

					assert_int_equal(
					    lpk__meta_bytes(meta), bytes[i]);
					assert_int_equal(
					    lpk__meta_level(meta), level);
					assert_int_equal(
					    lpk__meta_facility(meta), facility);
					assert_int_equal(
					    lpk__meta_flags(meta), flags);
				}
			}
		}
	}
}

static void
test_record_payload_of_any_size_comes_back(void **state)
{
	unsigned long words[(LPK__RECORD_HEAD + 128) / sizeof(unsigned long)];
	char payload[100], back[104];
	struct lpk__head_words head;
	uint32_t bytes, i;

	(void)state;
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (char)(i + 1);
	for (bytes = 0; bytes <= sizeof(payload); bytes++) {
		memset(back, 0x55, sizeof(back));
		memset(words, 0xaa, sizeof(words));
		memcpy((char *)words + LPK__RECORD_HEAD, payload, bytes);
		lpk__words_read(&head, words, sizeof(head));
		lpk__payload_read(back, &head, words, bytes);
		assert_memory_equal(back, payload, bytes);
		assert_int_equal(back[bytes], 0x55);
	}
}

static void
test_record_units_are_the_least_that_suffice(void **state)
{
	uint32_t bytes;

	(void)state;
	for (bytes = 0; bytes <= LPK_TEXT_MAX; bytes++) {
		uint32_t room = lpk__record_units(bytes) * 8;

		assert_in_range(room, LPK__RECORD_HEAD + bytes,
		    LPK__RECORD_HEAD + bytes + 7);
	}
}

static void
test_record_metadata_takes_at_most_24_bytes(void **state)
{
	struct lpk__block block;

	(void)state;
	assert_true(LPK__RECORD_HEAD + sizeof(block.slots[0]) <= 24);
	assert_int_equal(lpk__record_units(4), 3);
	assert_int_equal(lpk__record_units(5), 4);
}

static void
test_record_longest_text_fits_the_slot_word(void **state)
{
	const uint32_t offset = 524288 / 8 - 1, units = LPK__RECORD_UNITS_MAX;
	uint32_t value = lpk__slot_value(offset, units);

	(void)state;
	assert_int_equal(lpk__record_units(LPK_TEXT_MAX), units);
	assert_int_equal(value >> 16, offset);
	assert_int_equal(value >> 1 & 0x7fff, units);
	/* Never 0, which stands for an unfinished record. */
	assert_int_not_equal(lpk__slot_value(0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_record_meta_fields_do_not_mix),
	    cmocka_unit_test(test_record_payload_of_any_size_comes_back),
	    cmocka_unit_test(test_record_units_are_the_least_that_suffice),
	    cmocka_unit_test(test_record_metadata_takes_at_most_24_bytes),
	    cmocka_unit_test(test_record_longest_text_fits_the_slot_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
