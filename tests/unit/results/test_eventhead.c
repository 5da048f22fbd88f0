/* What a line is found by, and what is no event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "results/eventhead.h"

#define T    "\"t\":\"1970-01-01T00:00:02.000001Z\""
#define REST ",\"node\":\"a\",\"ev\":\"x\""

static void
assert_span(const struct eventhead_span *span, const char *text)
{
	assert_int_equal(span->len, strlen(text));
	assert_memory_equal(span->s, text, span->len);
}

static void
test_told(void **state)
{
	static const char line[] = "{\"v\":1," T ",\"node\":\"a.example\",\"n\":-12,\"ok\":true,"
				   "\"ev\":\"smtp.ehlo\",\"arg\":\"\\\"token\\\":\\\\\","
				   "\"token\":\"abc\",\"conn\":\"0-1\",\"tokens\":\"no\"}";
	struct eventhead h;

	(void)state;
	assert_null(eventhead_read(&h, line, strlen(line)));
	assert_int_equal(h.t, 2000001);
	assert_span(&h.node, "a.example");
	assert_span(&h.ev, "smtp.ehlo");
	assert_span(&h.token, "abc");
	assert_span(&h.conn, "0-1");
	for (size_t len = 0; len < strlen(line); len++)
		assert_non_null(eventhead_read(&h, line, len));
}

/* Nothing of the line before is left. */
static void
test_absent(void **state)
{
	static const char with[] = "{" T REST ",\"token\":\"abc\",\"conn\":\"0-1\"}";
	static const char without[] = "{" T REST "}";
	struct eventhead h;

	(void)state;
	assert_null(eventhead_read(&h, with, strlen(with)));
	assert_null(eventhead_read(&h, without, strlen(without)));
	assert_int_equal(h.token.len, 0);
	assert_int_equal(h.conn.len, 0);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "", "no object" },
		{ "nonsense", "no object" },
		{ "[1]", "no object" },
		{ "{}", "not a flat object, or a bad time" },
		{ "{" T REST ",}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\"}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":{}}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":[1]}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":\"\t\"}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":\"\xc3\xa4\"}", "not a flat object, or a bad time" },
		{ "{" T REST ",\"a\":\"\\\"}", "not a flat object, or a bad time" },
		{ "{\"t\":\"yesterday\"" REST "}", "not a flat object, or a bad time" },
		{ "{" T REST "} ", "does not end with the object" },
		{ "{" T REST ",\"a\":1", "does not end with the object" },
		{ "{\"v\":1" REST "}", "without t, ev or node" },
		{ "{" T ",\"node\":\"a\"}", "without t, ev or node" },
		{ "{" T ",\"ev\":\"x\"}", "without t, ev or node" },
		{ "{" T ",\"ev\":\"\",\"node\":\"a\"}", "without t, ev or node" },
	};
	struct eventhead h;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *why = eventhead_read(&h, cases[i].line, strlen(cases[i].line));
		assert_non_null(why);
		assert_string_equal(why, cases[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
