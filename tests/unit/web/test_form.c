/* Forms: what is read, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/form.h"

static bool
parse(struct form *f, const char *text)
{
	form_clear(f);
	return form_parse(f, text, strlen(text));
}

static void
reads(void **state)
{
	struct form f = { 0 };

	(void)state;
	assert_true(parse(&f, ""));
	assert_int_equal(f.n, 0);
	assert_string_equal(form_get(&f, "a"), "");
	assert_true(parse(&f, "a=1&b=two+words%21&&empty=&alone&a=2&%6e=%3D%26"));
	assert_int_equal(f.n, 6);
	assert_string_equal(form_get(&f, "a"), "1");
	assert_string_equal(form_get(&f, "b"), "two words!");
	assert_string_equal(form_get(&f, "empty"), "");
	assert_string_equal(form_get(&f, "alone"), "");
	assert_string_equal(form_get(&f, "n"), "=&");
	assert_string_equal(f.field[4].value, "2");
	assert_true(parse(&f, "x=a=b"));
	assert_string_equal(form_get(&f, "x"), "a=b");
	assert_true(parse(&f, "x=%c3%BC"));
	assert_string_equal(form_get(&f, "x"), "\xc3\xbc");
	form_clear(&f);
}

static void
refuses(void **state)
{
	static const char *const rows[] = { "a=%", "a=%4", "a=%zz", "a=%00", "%00=1", "a=1&b=%f",
		"a=% 1" };
	struct form f = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_false(parse(&f, rows[i]));
		assert_int_equal(f.n, 0);
		assert_null(f.mem);
	}
	assert_false(form_parse(&f, "a\0b", 3));
}

static void
has_an_edge(void **state)
{
	char text[4 * FORM_FIELDS_MAX + 8] = "";
	struct form f = { 0 };

	(void)state;
	for (unsigned i = 0; i < FORM_FIELDS_MAX; i++)
		strcat(text, "a=1&");
	assert_true(parse(&f, text));
	assert_int_equal(f.n, FORM_FIELDS_MAX);
	strcat(text, "b");
	assert_false(parse(&f, text));
	form_clear(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(has_an_edge),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
