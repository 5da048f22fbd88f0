#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "lib/suffix.h"

static void
organisations(void **state)
{
	static const char *const cases[][2] = {
		{ "mail.shop.example.com", "example.com" },
		{ "a.b.example.co.uk", "example.co.uk" },
		{ "example.co.uk", "example.co.uk" },
		{ "co.uk", "co.uk" },
		{ "y.x.unknown-suffix", "x.unknown-suffix" },
		{ "a.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn" }, /* A-labels */
		{ "com", "com" },
		{ "", "" },
	};

	(void)state;
	assert_int_equal(suffix_load(), 0);
	assert_int_equal(suffix_load(), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(suffix_organisation(cases[i][0]), cases[i][1]);
	suffix_forget();
}

/* Of what is behind no list, two labels. */
static void
guesses(void **state)
{
	(void)state;
	assert_string_equal(suffix_guess("a.b.example.co.uk"), "co.uk");
	assert_string_equal(suffix_guess("shop.example"), "shop.example");
	assert_string_equal(suffix_guess("example"), "example");
	assert_string_equal(suffix_guess(""), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(organisations),
		cmocka_unit_test(guesses),
	};

	return cmocka_run_group_tests_name("suffix", tests, NULL, NULL);
}
