/* SPDX-License-Identifier: MIT */
/* What the library says of itself. */
#include "fixture.h"

static void
test_error_version_in_use_is_that_of_the_headers(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(lpk_version(), LPK_VERSION);
	snprintf(text, sizeof(text), "%d.%d.%d", LPK_VERSION_MAJOR,
	    LPK_VERSION_MINOR, LPK_VERSION_PATCH);
	assert_string_equal(lpk_version(), text);
}

static void
test_error_every_code_has_a_sentence_of_its_own(void **state)
{
	static const int codes[] = {LPK_OK, LPK_ENOENT, LPK_EIO, LPK_EAGAIN,
	    LPK_ENOMEM, LPK_EBUSY, LPK_EINVAL, LPK_ENOSPC, LPK_EPIPE,
	    LPK_ENOSYS, LPK_ETIMEDOUT};
	const char *unknown = lpk_strerror(-12345);
	size_t count = sizeof(codes) / sizeof(*codes), i, j;

	(void)state;
	for (i = 0; i < count; i++) {
		const char *text = lpk_strerror(-codes[i]);

		assert_string_equal(text, lpk_strerror(codes[i]));
		assert_string_not_equal(text, unknown);
		for (j = 0; j < i; j++)
			assert_string_not_equal(text, lpk_strerror(codes[j]));
	}
}

static void
test_error_unknown_code_is_named_unknown(void **state)
{
	static const int codes[] = {1, -1, 9999, 2147483647, -2147483647 - 1};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		assert_string_equal(
		    lpk_strerror(codes[i]), "unknown error code");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_error_version_in_use_is_that_of_the_headers),
	    cmocka_unit_test(test_error_every_code_has_a_sentence_of_its_own),
	    cmocka_unit_test(test_error_unknown_code_is_named_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
