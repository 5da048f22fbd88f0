/* Canonical forms: the examples of RFC 6376 3.4.5, and what they leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/canon.h"

static struct strbuf out;

static void
add(void *ctx, const void *data, size_t len)
{
	strbuf_add(ctx, data, len);
}
static const struct canon_sink sink = { add, &out };

static void
expect(const char *text)
{
	assert_int_equal(out.len, strlen(text));
	if (out.len > 0)
		assert_memory_equal(out.s, text, out.len);
	strbuf_reset(&out);
}

static void
test_fields(void **state)
{
	static const char text[] = "A: X \r\nB : Y\t\r\n\tZ  \r\nC:\r\n\tx\r\n\r\n";
	struct mail m;

	(void)state;
	mail_parse(&m, text, sizeof(text) - 1, &mail_limits);
	for (size_t i = 0; i < 3; i++)
		canon_field(&sink, CANON_RELAXED, &m.field[i]);
	expect("a:X\r\nb:Y Z\r\nc:x\r\n");
	for (size_t i = 0; i < 3; i++)
		canon_field(&sink, CANON_SIMPLE, &m.field[i]);
	expect("A: X \r\nB : Y\t\r\n\tZ  \r\nC:\r\n\tx\r\n");
	mail_clear(&m);
	/* The last field of a message that ends there. */
	mail_parse(&m, "A: x", 4, &mail_limits);
	canon_field(&sink, CANON_SIMPLE, &m.field[0]);
	expect("A: x\r\n");
	mail_clear(&m);
}

static void
test_signature(void **state)
{
	static const struct {
		const char *field, *relaxed, *simple;
	} rows[] = {
		{ "S: v=1; b=abc\r\n def; bh=x", "s:v=1; b=; bh=x", "S: v=1; b=; bh=x" },
		{ "S: v=1; bh=x; b=abc= ", "s:v=1; bh=x; b=", "S: v=1; bh=x; b=" },
		{ "S: b = abc ;x=y", "s:b =;x=y", "S: b =;x=y" },
		{ "S:\r\n\tb=abc;", "s:b=;", "S:\r\n\tb=;" },
		{ "S: xb=1; b=2; z=b=3", "s:xb=1; b=; z=b=3", "S: xb=1; b=; z=b=3" },
		{ "S: v=1", "s:v=1", "S: v=1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail m;
		mail_parse(&m, rows[i].field, strlen(rows[i].field), &mail_limits);
		canon_signature(&sink, CANON_RELAXED, &m.field[0]);
		expect(rows[i].relaxed);
		canon_signature(&sink, CANON_SIMPLE, &m.field[0]);
		expect(rows[i].simple);
		mail_clear(&m);
	}
}

static void
test_body(void **state)
{
	static const struct {
		const char *body, *relaxed, *simple;
	} rows[] = {
		{ " C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n", " C \r\nD \t E\r\n" },
		{ "", "", "\r\n" },
		{ "\r\n\r\n", "", "\r\n" },
		{ " \t\r\n", "", " \t\r\n" },
		{ "a", "a\r\n", "a\r\n" },
		{ "a\r\n\r\n \r\nb\r\n \r\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n \r\nb\r\n \r\n" },
		{ "a\nb\rc\r\n", "a\nb\rc\r\n", "a\nb\rc\r\n" },
		{ "a\r", "a\r\r\n", "a\r\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span body = { rows[i].body, strlen(rows[i].body) };
		assert_int_equal(
		    canon_body(&sink, CANON_RELAXED, body, UINT64_MAX), strlen(rows[i].relaxed));
		expect(rows[i].relaxed);
		assert_int_equal(
		    canon_body(&sink, CANON_SIMPLE, body, UINT64_MAX), strlen(rows[i].simple));
		expect(rows[i].simple);
	}
}

static void
test_limit(void **state)
{
	const struct span body = { "abc\r\ndef\r\n", 10 };

	(void)state;
	assert_int_equal(canon_body(&sink, CANON_SIMPLE, body, 0), 10);
	expect("");
	assert_int_equal(canon_body(&sink, CANON_SIMPLE, body, 4), 10);
	expect("abc\r");
	assert_int_equal(canon_body(&sink, CANON_RELAXED, body, 10), 10);
	expect("abc\r\ndef\r\n");
	assert_int_equal(canon_body(&sink, CANON_RELAXED, body, 11), 10);
	expect("abc\r\ndef\r\n");
}

/* More than the block that goes out at once, in one piece and in many. */
static void
test_blocks(void **state)
{
	struct strbuf body = { 0 };

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		strbuf_puts(&body, "ab \r\n");
	for (size_t i = 0; i < 9000; i++)
		strbuf_puts(&body, "x");
	strbuf_puts(&body, "\r\n");
	canon_body(&sink, CANON_SIMPLE, (struct span){ body.s, body.len }, UINT64_MAX);
	assert_int_equal(out.len, body.len);
	assert_memory_equal(out.s, body.s, body.len);
	strbuf_reset(&out);
	assert_int_equal(canon_body(&sink, CANON_RELAXED, (struct span){ body.s, body.len }, 12004),
	    3000 * 4 + 9002);
	assert_int_equal(out.len, 12004);
	assert_memory_equal(out.s + 11996, "ab\r\nxxxx", 8);
	strbuf_clear(&out);
	strbuf_clear(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_blocks),
	};

	return cmocka_run_group_tests_name("canon", tests, NULL, NULL);
}
