/* Macro strings of SPF: syntax, expansion, truncation.  RFC 7208 7.4 has most of the examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "verify/spf_macro.h"

static struct spf_macro values = {
	.local = "strong-bad",
	.sender_domain = "email.example.com",
	.domain = "email.example.com",
	.helo = "mx.example.org",
	.us = "receiver.example",
	.validated = "mx.example.org",
	.now = 1795305600,
};

static void
test_syntax(void **state)
{
	static const struct {
		const char *text;
		bool exp;
		int at;    /* of the error, -1: none */
		bool ends; /* in a macro */
	} cases[] = {
		{ "", false, -1, false },
		{ "example.org", false, -1, false },
		{ "%{s}", false, -1, true },
		{ "%{S127r.-+,/_=}", false, -1, true },
		{ "a%%b%_c%-", false, -1, true },
		{ "%{d}.x", false, -1, false },
		{ "%", false, 0, false },
		{ "a%b", false, 1, false },
		{ "%{", false, 2, false },
		{ "%{x}", false, 2, false },
		{ "%{}", false, 2, false },
		{ "%{d", false, 3, false },
		{ "%{d0}", false, 3, false },
		{ "%{d00}", false, 4, false },
		{ "%{d01}", false, -1, true },
		{ "%{dr2}", false, 4, false },
		{ "%{d2x}", false, 4, false },
		{ "%{d%}", false, 3, false },
		{ "a b", false, 1, false },
		{ "a b", true, -1, false },
		{ "a\tb", true, 1, false },
		{ "\x7f", true, 0, false },
		{ "a\xc3", true, 1, false },
		{ "x%{c}", false, 3, false },
		{ "x%{C}", false, 3, false },
		{ "%{r}", false, 2, false },
		{ "%{t}", false, 2, false },
		{ "%{c}%{r}%{t}", true, -1, true },
		{ "%{d99999999999999999999}", false, -1, true },
	};
	struct spf_error err;
	bool ends;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = spf_macro_check(
		    cases[i].text, strlen(cases[i].text), cases[i].exp, &ends, &err);

		if (rc != (cases[i].at < 0 ? 0 : -1))
			fail_msg("\"%s\": %d %s", cases[i].text, rc, rc < 0 ? err.why : "");
		if (rc < 0) {
			assert_int_equal(err.at, cases[i].at);
			assert_true(err.why[0] != '\0');
		} else {
			assert_int_equal(ends, cases[i].ends);
		}
	}
	assert_int_equal(spf_macro_check("a\0b", 3, true, &ends, &err), -1);
	assert_int_equal(err.at, 1);
	assert_true(spf_macro_uses("x%{d}%{P2}", 10, 'p'));
	assert_false(spf_macro_uses("p%%%{d}", 7, 'p'));
}

static void
expands(const char *text, const char *expected)
{
	char got[2000];

	spf_macro_text(got, sizeof(got), text, strlen(text), &values);
	assert_string_equal(got, expected);
}

static void
test_expansion(void **state)
{
	static const char *const cases[][2] = {
		{ "%{s}", "strong-bad@email.example.com" },
		{ "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" },
		{ "%{l-}", "strong.bad" },
		{ "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" },
		{ "%{l1r-}", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		    "bad.strong.lp.3.2.0.192.in-addr._spf.example.com" },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		    "3.2.0.192.in-addr.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net" },
		{ "%{h} %{p} %{c} %{r} %{t}",
		    "mx.example.org mx.example.org 192.0.2.3 receiver.example 1795305600" },
		{ "%{S}", "strong-bad%40email.example.com" },
		{ "%%%_%-", "% %20" },
		{ "", "" },
	};

	(void)state;
	assert_int_equal(spf_address_parse(&values.client, "192.0.2.3"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expands(cases[i][0], cases[i][1]);

	assert_int_equal(spf_address_parse(&values.client, "2001:db8::cb01"), 0);
	expands("%{ir}.%{v}._spf.%{d2}",
	    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com");
	expands("%{c}", "2001:db8::cb01");

	values.local = "a..b.";
	expands("[%{l}] [%{lr}] [%{l2}] [%{l1}] [%{l9r}]", "[a..b.] [.b..a] [b.] [] [.b..a]");
	values.local = "\xc3\xa9 /";
	expands("%{L}", "%C3%A9%20%2F");
	values.local = "";
	expands("[%{l}%{lr-}]", "[]");
	values.validated = values.us = "";
	expands("%{p} %{r}", "unknown unknown");
	values.local = "strong-bad";
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", ":1",
		"fe80::1%lo", "::1 ", "1.2.3.4/32" };
	struct spf_address a;
	char text[SPF_ADDRESS_SIZE];

	(void)state;
	assert_int_equal(spf_address_parse(&a, "::ffff:192.0.2.3"), 0);
	assert_false(a.v6);
	spf_address_format(text, &a);
	assert_string_equal(text, "192.0.2.3");
	assert_int_equal(spf_address_parse(&a, "::192.0.2.3"), 0);
	assert_true(a.v6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(spf_address_parse(&a, bad[i]), -1);
}

/* A name: no final dot, labels cut off at the left until it fits. */
static void
test_domains(void **state)
{
	char name[SPF_DOMAIN_SIZE], spec[3000] = "", local[SPF_VALUE_MAX + 1];

	(void)state;
	spf_macro_domain(name, "%{d}.", 5, &values);
	assert_string_equal(name, "email.example.com");
	spf_macro_domain(name, "", 0, &values);
	assert_string_equal(name, "");
	spf_macro_domain(name, ".", 1, &values);
	assert_string_equal(name, "");

	for (int i = 0; i < 25; i++)
		strcat(spec, "123456789.");
	strcat(spec, "abc");
	spf_macro_domain(name, spec, strlen(spec), &values);
	assert_int_equal(strlen(name), 253);
	assert_string_equal(name, spec);
	strcat(spec, ".");
	spf_macro_domain(name, spec, strlen(spec), &values);
	assert_int_equal(strlen(name), 253);
	strcpy(spec + 250, "abcd");
	spf_macro_domain(name, spec, strlen(spec), &values);
	assert_string_equal(name, spec + 10);

	/* One label that is too long leaves nothing. */
	memset(spec, 'x', 254);
	spec[254] = '\0';
	spf_macro_domain(name, spec, 254, &values);
	assert_string_equal(name, "");

	/* Longer than what is kept on the way. */
	memset(local, 'l', SPF_VALUE_MAX);
	local[SPF_VALUE_MAX] = '\0';
	values.local = local;
	spec[0] = '\0';
	for (int i = 0; i < 200; i++)
		strcat(spec, "%{l}");
	strcat(spec, ".a.%{d}");
	spf_macro_domain(name, spec, strlen(spec), &values);
	assert_string_equal(name, "a.email.example.com");

	/* As many parts as there can be. */
	memset(local, '.', SPF_VALUE_MAX);
	spf_macro_domain(name, "%{l127r}a.b", 11, &values);
	assert_int_equal(strlen(name), 126 + 3);
}

static void
test_text_is_cut(void **state)
{
	char text[10];

	(void)state;
	values.local = "123456789";
	spf_macro_text(text, sizeof(text), "%{l}", 4, &values);
	assert_string_equal(text, "123456789");
	spf_macro_text(text, sizeof(text), "%{l}%{l}x", 9, &values);
	assert_string_equal(text, "123456789");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
