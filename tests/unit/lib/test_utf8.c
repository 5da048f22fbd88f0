/* Every code point there and back, and the sequences that RFC 3629 forbids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/utf8.h"

static void
test_all(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		char text[4];
		size_t n = utf8_put(text, code), expected = code < 0x80      ? 1
							    : code < 0x800   ? 2
							    : code < 0x10000 ? 3
									     : 4;
		size_t found = utf8_length(text, n);

		if (n != expected || found != (code >= 0xd800 && code <= 0xdfff ? 0 : n) ||
		    (n > 1 && utf8_length(text, n - 1) != 0))
			fail_msg("U+%04X", code);
	}
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3(",
		"\xe2\x82(", "\xe2(\xa1", "\xf0\x90\x80(" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(utf8_length(bad[i], strlen(bad[i])), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
