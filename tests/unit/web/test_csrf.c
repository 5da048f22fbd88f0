/* Only our own forms, for their purpose, in their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "web/csrf.h"

static const uint8_t key[32] = { 1, 2, 3 }, other[32] = { 1, 2, 4 };
#define NOW (INT64_C(1795312800) * CLOCK_SECOND)

static void
made_and_checked(void **state)
{
	char text[CSRF_TEXT_MAX];

	(void)state;
	csrf_make(text, key, "/run", NOW);
	assert_true(csrf_check(text, key, "/run", NOW));
	assert_false(csrf_check(text, key, "/opt-out", NOW));
	assert_false(csrf_check(text, other, "/run", NOW));
}

static void
has_its_time(void **state)
{
	char text[CSRF_TEXT_MAX];

	(void)state;
	csrf_make(text, key, "/run", NOW);
	assert_true(csrf_check(text, key, "/run", NOW + CSRF_LIFE_S * CLOCK_SECOND));
	assert_false(csrf_check(text, key, "/run", NOW + (CSRF_LIFE_S + 1) * CLOCK_SECOND));
	assert_true(csrf_check(text, key, "/run", NOW - 60 * CLOCK_SECOND));
	assert_false(csrf_check(text, key, "/run", NOW - 61 * CLOCK_SECOND));
}

static void
forged(void **state)
{
	static const char *const rows[] = { "", ".", "6b024d60", "6b024d60.",
		"x.00000000000000000000000000000000", "6b024d60.00000000000000000000000000000000",
		"fffffffffffffffffff.00000000000000000000000000000000",
		"7fffffffffff.00000000000000000000000000000000" };
	char text[CSRF_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_false(csrf_check(rows[i], key, "/run", NOW));
	csrf_make(text, key, "/run", NOW);
	for (size_t i = 0; text[i] != '\0'; i++) {
		char was = text[i];

		text[i] = was == '0' ? '1' : '0';
		assert_false(csrf_check(text, key, "/run", NOW));
		text[i] = was;
	}
	text[strlen(text) - 1] = '\0';
	assert_false(csrf_check(text, key, "/run", NOW));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_checked),
		cmocka_unit_test(has_its_time),
		cmocka_unit_test(forged),
	};

	return cmocka_run_group_tests_name("csrf", tests, NULL, NULL);
}
