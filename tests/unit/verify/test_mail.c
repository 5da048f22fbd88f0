/* Fields as they stand, and what is wrong with a header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/mail.h"

static void
expect_span(struct span s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

static void
parse(struct mail *m, const char *text)
{
	mail_parse(m, text, strlen(text), &mail_limits);
}

static void
test_fields(void **state)
{
	struct mail m;
	size_t at = 0;

	(void)state;
	parse(&m, "Subject: one\r\n two\r\n\tthree\r\nFrom : "
		  "a@b.example\r\nEmpty:\r\nfrom:c\r\n\r\nbody\r\n");
	assert_int_equal(m.n, 4);
	assert_int_equal(m.fields, 4);
	expect_span(m.field[0].raw, "Subject: one\r\n two\r\n\tthree\r\n");
	expect_span(m.field[0].name, "Subject");
	expect_span(m.field[0].value, " one\r\n two\r\n\tthree");
	expect_span(m.field[1].name, "From");
	expect_span(m.field[1].value, " a@b.example");
	expect_span(m.field[2].value, "");
	expect_span(m.body, "body\r\n");
	assert_string_equal(m.wrong, "");
	assert_int_equal(mail_count(&m, "FROM"), 2);
	assert_ptr_equal(mail_find(&m, "from", &at), &m.field[1]);
	assert_ptr_equal(mail_find(&m, "from", &at), &m.field[3]);
	assert_null(mail_find(&m, "from", &at));
	assert_int_equal(m.header_len + 2 + m.body.n, m.all.n);
	mail_clear(&m);
}

static void
test_ends(void **state)
{
	struct mail m;

	(void)state;
	parse(&m, "");
	assert_int_equal(m.n, 0);
	assert_true(m.no_empty_line);
	parse(&m, "\r\nbody");
	assert_int_equal(m.n, 0);
	assert_false(m.no_empty_line);
	expect_span(m.body, "body");
	parse(&m, "A: b\r\n");
	assert_int_equal(m.n, 1);
	assert_true(m.no_empty_line);
	assert_int_equal(m.body.n, 0);
	mail_clear(&m);
	parse(&m, "A: b");
	expect_span(m.field[0].raw, "A: b");
	expect_span(m.field[0].value, " b");
	mail_clear(&m);
	parse(&m, "A: b\r\n c");
	expect_span(m.field[0].value, " b\r\n c");
	mail_clear(&m);
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *text;
		size_t fields;
		const char *body, *wrong;
	} rows[] = {
		{ "A: b\r\nno field\r\nC: d\r\n\r\nx", 1, "no field\r\nC: d\r\n\r\nx",
		    "after 1 fields comes a line that is no header field" },
		{ " folded\r\nA: b\r\n\r\n", 0, " folded\r\nA: b\r\n\r\n", "after 0 fields" },
		{ "From me Sat Nov 21\r\nA: b\r\n\r\n", 0, "From me Sat Nov 21\r\nA: b\r\n\r\n",
		    "after 0 fields" },
		{ ": b\r\n\r\n", 0, ": b\r\n\r\n", "after 0 fields" },
		{ "\xc3\xb6: b\r\n\r\n", 0, "\xc3\xb6: b\r\n\r\n", "after 0 fields" },
		{ "A: b\nC: d\n\nbody\n", 1, "", "a line ends in LF alone" },
		{ "A: b\r\n\r\nx\rx\r\n", 1, "x\rx\r\n", "a line ends in CR alone" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mail m;
		parse(&m, rows[i].text);
		assert_int_equal(m.n, rows[i].fields);
		expect_span(m.body, rows[i].body);
		if (strncmp(m.wrong, rows[i].wrong, strlen(rows[i].wrong)) != 0)
			fail_msg("%s: %s", rows[i].wrong, m.wrong);
		mail_clear(&m);
	}
}

static void
test_octets(void **state)
{
	static const char nul[] = "A: \0\r\n\r\n", body[] = "A: b\r\n\r\n\0";
	struct mail m;

	(void)state;
	mail_parse(&m, nul, sizeof(nul) - 1, &mail_limits);
	assert_true(m.nul);
	assert_string_equal(m.wrong, "there is a NUL in the header");
	mail_clear(&m);
	mail_parse(&m, body, sizeof(body) - 1, &mail_limits);
	assert_true(m.nul);
	assert_string_equal(m.wrong, "");
	mail_clear(&m);
	parse(&m, "A: \xc3\xb6\r\n\r\n");
	assert_true(m.not_ascii);
	assert_false(m.bare_lf || m.bare_cr || m.nul);
	mail_clear(&m);
	parse(&m, "A: b\r\n\r\n\xc3\xb6\n");
	assert_false(m.not_ascii);
	assert_true(m.bare_lf);
	mail_clear(&m);
	parse(&m, "A: b\r\n\r\n\r\r\n");
	assert_true(m.bare_cr);
	assert_false(m.bare_lf);
	mail_clear(&m);
}

static void
test_limits(void **state)
{
	static const struct mail_limits limits = { .header_len = 20, .fields = 3 };
	struct mail m;

	(void)state;
	mail_parse(&m, "A: 1\r\nB: 2\r\nC: 3\r\n\r\nx", 21, &limits);
	assert_false(m.over_limit);
	assert_int_equal(m.n, 3);
	mail_clear(&m);
	mail_parse(&m, "A:\r\nB:\r\nC:\r\nD:\r\n\r\nx", 19, &limits);
	assert_true(m.over_limit);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.fields, 4);
	assert_string_equal(m.wrong, "the header has more than 3 fields");
	expect_span(m.body, "x");
	mail_clear(&m);
	mail_parse(&m, "A: 1\r\nB: 2345678901\r\n\r\nx", 24, &limits);
	assert_true(m.over_limit);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.wrong, "the header is larger than 20 octets");
	expect_span(m.body, "x");
	mail_clear(&m);
}

/* 60,000 fields, and one field of 70 KB. */
static void
test_large(void **state)
{
	struct strbuf b = { 0 };
	struct mail m;

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		strbuf_puts(&b, "X-Header: something\r\n");
	strbuf_puts(&b, "\r\nbody");
	mail_parse(&m, b.s, b.len, &mail_limits);
	assert_true(m.over_limit);
	assert_int_equal(m.fields, 60000);
	assert_int_equal(m.n, mail_limits.fields);
	expect_span(m.body, "body");
	mail_clear(&m);
	strbuf_reset(&b);
	strbuf_puts(&b, "X:");
	for (size_t i = 0; i < 5000; i++)
		strbuf_puts(&b, " a folded line\r\n");
	mail_parse(&m, b.s, b.len, &mail_limits);
	assert_int_equal(m.n, 1);
	assert_int_equal(m.field[0].raw.n, b.len);
	assert_false(m.over_limit);
	mail_clear(&m);
	strbuf_clear(&b);
}

static void
test_spans(void **state)
{
	(void)state;
	expect_span(span_trim((struct span){ " \r\n\ta b \r\n", 9 }), "a b");
	expect_span(span_trim((struct span){ " \t", 2 }), "");
	assert_true(span_is((struct span){ "FROM", 4 }, "from"));
	assert_false(span_is((struct span){ "FROM", 3 }, "from"));
	assert_true(span_is((struct span){ NULL, 0 }, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
