/* Growing strings, their JSON form, and the allocators that do not fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/strbuf.h"

static void
test_grow(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&b, "%03d,", i);
	assert_int_equal(b.len, 4000);
	assert_int_equal(strlen(b.s), 4000);
	assert_memory_equal(b.s + 3996, "999,", 5);
	strbuf_reset(&b);
	assert_string_equal(b.s, "");
	strbuf_add(&b, "a\0b", 3);
	strbuf_puts(&b, "c");
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.s, "a\0bc", 5);
	strbuf_clear(&b);
	assert_null(b.s);
	strbuf_reset(&b);
	strbuf_add(&b, NULL, 0);
	assert_string_equal(b.s, "");
	strbuf_clear(&b);
}

static void
test_json(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
		{ "", 0, "\"\"" }, { "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
		{ "\0\n\x1f\x7f", 4, "\"\\u0000\\u000a\\u001f\\u007f\"" },
		{ "\xc3\xa9", 2, "\"\xc3\xa9\"" },                    /* UTF-8 stays */
		{ "\xe9", 1, "\"\\u00e9\"" },                         /* what is none is escaped */
		{ "\xc3", 1, "\"\\u00c3\"" },                         /* cut off */
		{ "\xc0\x80", 2, "\"\\u00c0\\u0080\"" },              /* overlong */
		{ "\xed\xa0\x80x", 4, "\"\\u00ed\\u00a0\\u0080x\"" }, /* surrogate */
	};
	struct strbuf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strbuf_reset(&b);
		strbuf_json(&b, cases[i].in, cases[i].len);
		assert_string_equal(b.s, cases[i].out);
	}
	strbuf_clear(&b);
}

static void
test_copies(void **state)
{
	char *s = xstrndup("abc\0def", 7);

	(void)state;
	assert_string_equal(s, "abc");
	free(s);
	s = xstrndup("abcdef", 3);
	assert_string_equal(s, "abc");
	free(s);
	s = xasprintf("%s-%d", "x", 7);
	assert_string_equal(s, "x-7");
	s = xrealloc(s, 0);
	free(s);
	s = xcalloc(0, 8);
	assert_non_null(s);
	free(s);
}

/* Each item is still there, and the next one fits: a sanitizer sees if it does not. */
static void
test_xgrow(void **state)
{
	size_t *item = NULL;

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		item = xgrow(item, n, sizeof *item);
		item[n] = n;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(item[i], i);
	free(item);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_xgrow),
	};
	return cmocka_run_group_tests_name("strbuf", tests, NULL, NULL);
}
