/* The author of a message. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/address.h"

static bool
parse(struct address_author *a, const char *value)
{
	size_t len = strlen(value);
	char *exact = xmalloc(len > 0 ? len : 1);
	bool ok;

	memcpy(exact, value, len);
	ok = address_field(a, exact, len);
	free(exact);
	assert_int_equal(ok, a->why[0] == '\0');
	return ok;
}

enum { GROUP = 1, OBSOLETE = 2, COMMENT = 4, ENCODED = 8, NOT_UTF8 = 16 };

static unsigned
met(const struct address_author *a)
{
	return (a->group ? GROUP : 0) | (a->obsolete ? OBSOLETE : 0) | (a->comment ? COMMENT : 0) |
	       (a->encoded ? ENCODED : 0) | (a->not_utf8 ? NOT_UTF8 : 0);
}

static void
test_right(void **state)
{
	static const struct {
		const char *value, *domain, *address;
		unsigned mailboxes, met;
	} cases[] = {
		{ " joe@example.com\r\n", "example.com", "joe@example.com", 1, 0 },
		{ "joe@EXAMPLE.Com", "example.com", "joe@EXAMPLE.Com", 1, 0 },
		{ "Joe Q. Public <joe@example.com>", "example.com", "joe@example.com", 1, 0 },
		{ "<joe@example.com>", "example.com", "joe@example.com", 1, 0 },
		{ "\"Joe, <x@evil.example>\" <joe@example.com>", "example.com", "joe@example.com",
		    1, 0 },
		{ "joe@example.com (x@evil.example)", "example.com", "joe@example.com", 1,
		    COMMENT },
		{ "(a (nested \\) ) comment) joe@example.com", "example.com", "joe@example.com", 1,
		    COMMENT },
		{ "\"a b@c\"@example.com", "example.com", "\"a b@c\"@example.com", 1, 0 },
		{ "\"a\\\"b\" <joe@example.com>", "example.com", "joe@example.com", 1, 0 },
		{ "=?utf-8?q?J=C3=B6e?= <joe@example.com>", "example.com", "joe@example.com", 1,
		    ENCODED },
		{ "J\303\266e <joe@example.com>", "example.com", "joe@example.com", 1, 0 },
		{ "J\366e <joe@example.com>", "example.com", "joe@example.com", 1, NOT_UTF8 },
		{ "j\303\266e@b\303\274cher.example", "xn--bcher-kva.example",
		    "j\303\266e@b\303\274cher.example", 1, 0 },
		{ "joe@B\303\234CHER.example", "xn--bcher-kva.example", "joe@B\303\234CHER.example",
		    1, 0 },
		{ "joe@fa\303\237.example", "xn--fa-hia.example", "joe@fa\303\237.example", 1, 0 },
		{ "joe@xn--bcher-kva.example", "xn--bcher-kva.example", "joe@xn--bcher-kva.example",
		    1, 0 },
		{ "joe@_x.example.com", "_x.example.com", "joe@_x.example.com", 1, 0 },
		{ "A <a@example.com>,\r\n\tB <b@Example.COM>", "example.com", "a@example.com", 2,
		    0 },
		{ "Us: a@example.com, b@example.com;", "example.com", "a@example.com", 2, GROUP },
		{ ",, a@example.com,", "example.com", "a@example.com", 1, OBSOLETE },
		{ "<@r.example,@s.example:joe@example.com>", "example.com", "joe@example.com", 1,
		    OBSOLETE },
		{ "joe . doe (x) @ example (y) . com", "example.com", "joe.doe@example.com", 1,
		    OBSOLETE | COMMENT },
		{ "Joe\r\n Doe\r\n\t<joe@example.com>", "example.com", "joe@example.com", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct address_author a;

		if (!parse(&a, cases[i].value))
			fail_msg("%s: %s", cases[i].value, a.why);
		assert_string_equal(a.domain[0], cases[i].domain);
		assert_string_equal(a.address, cases[i].address);
		assert_int_equal(a.mailboxes, cases[i].mailboxes);
		assert_int_equal(a.domains, 1);
		if (met(&a) != cases[i].met)
			fail_msg("%s: met %u", cases[i].value, met(&a));
	}
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *value, *why;
	} cases[] = {
		{ "", "names nobody" },
		{ " \r\n", "names nobody" },
		{ "Undisclosed:;", "names nobody" },
		{ "joe", "no \"@\"" },
		{ "Joe <joe>", "no \"@\" between" },
		{ "Joe <>", "nothing between" },
		{ "joe@", "no domain behind" },
		{ "@example.com", "nothing before" },
		{ "joe@example.com.", "ends in a dot" },
		{ "joe@example..com", "ends in a dot" },
		{ "joe@.com", "no domain behind" },
		{ "joe..doe@example.com", "a dot too many" },
		{ ".joe@example.com", "a dot too many" },
		{ "joe.@example.com", "a dot too many" },
		{ "Joe Doe joe@example.com", "several words" },
		{ "joe@example.com evil@evil.example", "where \",\"" },
		{ "joe@example.com <evil@evil.example>", "where \",\"" },
		{ "<joe@example.com> <evil@evil.example>", "where \",\"" },
		{ "<joe@example.com", "without its \">\"" },
		{ "Joe <joe@example.com>x", "where \",\"" },
		{ "\"Joe <joe@example.com>", "without its end" },
		{ "(Joe <joe@example.com>", "a comment has no end" },
		{ "Joe) <joe@example.com>", "\")\" without" },
		{ "joe@[192.0.2.1]", "address literal" },
		{ "joe@[192.0.2.1", "without its end" },
		{ "a@example.com, b@example.net", "several domains" },
		{ "G: a@example.com", "a group without" },
		{ "G: H: a@example.com;;", "no address" },
		{ "G: a@example.com; b", "at octet" },
		{ "=?utf-8?q?x@evil.example?= <joe@example.com>", "at octet" },
		{ "=?utf-8?q?a?= =?utf-8?q?x@y?= <joe@example.com>", "RFC 2047" },
		{ "j\366e@example.com", "no UTF-8" },
		{ "joe@b\374cher.example", "no UTF-8" },
		{ "joe@example\343\200\202com", "take for a dot" },
		{ "joe@a\302\255\xe2\x80\x8f.example", "domain" },
		{ "joe\x01@example.com", "control character" },
		{ "joe@example.com\r\nX", "control character" },
		{ "<@r.example joe@example.com>", "route" },
		{ "joe\\@example.com", "backslash" },
		{ "joe@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
		    "over 63" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct address_author a;

		if (parse(&a, cases[i].value))
			fail_msg("%s: read as %s", cases[i].value, a.domain[0]);
		if (strstr(a.why, cases[i].why) == NULL)
			fail_msg("%s: %s", cases[i].value, a.why);
	}
}

static void
test_long(void **state)
{
	struct strbuf b = { 0 };
	struct address_author a;

	(void)state;
	/* As many mailboxes as a header holds; more domains than are kept. */
	for (unsigned i = 0; i < 20000; i++)
		strbuf_printf(&b, "a@d%u.example,", i % 7);
	strbuf_puts(&b, "a@d1.example");
	assert_false(parse(&a, b.s));
	assert_int_equal(a.mailboxes, 20001);
	assert_int_equal(a.domains, ADDRESS_DOMAINS_MAX + 1);
	/* Comments in comments need no memory. */
	strbuf_reset(&b);
	for (unsigned i = 0; i < 100000; i++)
		strbuf_puts(&b, "(");
	for (unsigned i = 0; i < 100000; i++)
		strbuf_puts(&b, ")");
	strbuf_puts(&b, "a@example.com");
	assert_true(parse(&a, b.s));
	/* A local part at its limit and behind it. */
	for (size_t n = 319; n <= 320; n++) {
		strbuf_reset(&b);
		for (size_t i = 0; i < n; i++)
			strbuf_puts(&b, "a");
		strbuf_puts(&b, "@example.com");
		assert_int_equal(parse(&a, b.s), n == 319);
	}
	/* A domain of 253 octets and one of 254. */
	for (size_t n = 0; n < 2; n++) {
		strbuf_reset(&b);
		strbuf_puts(&b, n == 0 ? "a@a" : "a@aa");
		for (size_t i = 0; i < 126; i++)
			strbuf_puts(&b, ".a");
		assert_int_equal(parse(&a, b.s), n == 0);
	}
	strbuf_clear(&b);
}

static bool
author(struct address_author *a, const char *text)
{
	struct mail m;
	bool ok;

	mail_parse(&m, text, strlen(text), &mail_limits);
	ok = address_author(a, &m);
	mail_clear(&m);
	return ok;
}

static void
test_message(void **state)
{
	struct address_author a;

	(void)state;
	assert_true(author(&a, "To: x@y\r\nFROM: a@example.com\r\n\r\nFrom: b@example.net\r\n"));
	assert_string_equal(a.domain[0], "example.com");
	assert_false(author(&a, "To: x@y\r\n\r\nFrom: b@example.net\r\n"));
	assert_string_equal(a.why, "there is no From field");
	assert_int_equal(a.fields, 0);
	assert_false(author(&a, "From: a@example.com\r\nFrom: a@example.com\r\n\r\n"));
	assert_non_null(strstr(a.why, "2 From fields"));
	assert_int_equal(a.fields, 2);
	assert_string_equal(a.address, "a@example.com");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
