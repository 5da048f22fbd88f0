/* The grammar of SPF records: what is right, and where what is wrong is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "verify/spf_record.h"

static void
test_version(void **state)
{
	(void)state;
	assert_true(spf_record_is("v=spf1", 6));
	assert_true(spf_record_is("V=SPF1 -all", 11));
	assert_false(spf_record_is("v=spf1", 5));
	assert_false(spf_record_is("v=spf10", 7));
	assert_false(spf_record_is("v=spf1\t-all", 11));
	assert_false(spf_record_is(" v=spf1 -all", 12));
	assert_false(spf_record_is("spf2.0/pra -all", 15));
}

static void
test_terms(void **state)
{
	static const char record[] =
	    "v=spf1   A ?mx:x.org/24//64 -Ptr ip4:192.0.2.0/25 ~IP6:2001:db8::/32 include:i.org "
	    "exists:%{i}.e.org a//48 redirect=r.org EXP=%{d} unknown-1.x=%{l} all ";
	static const struct {
		enum spf_kind kind;
		char qualifier;
		const char *text, *domain;
		unsigned prefix4, prefix6;
	} terms[] = {
		{ SPF_A, '+', "A", NULL, 32, 128 },
		{ SPF_MX, '?', "?mx:x.org/24//64", "x.org", 24, 64 },
		{ SPF_PTR, '-', "-Ptr", NULL, 32, 128 },
		{ SPF_IP4, '+', "ip4:192.0.2.0/25", NULL, 25, 128 },
		{ SPF_IP6, '~', "~IP6:2001:db8::/32", NULL, 32, 32 },
		{ SPF_INCLUDE, '+', "include:i.org", "i.org", 32, 128 },
		{ SPF_EXISTS, '+', "exists:%{i}.e.org", "%{i}.e.org", 32, 128 },
		{ SPF_A, '+', "a//48", NULL, 32, 48 },
		{ SPF_REDIRECT, 0, "redirect=r.org", "r.org", 32, 128 },
		{ SPF_EXP, 0, "EXP=%{d}", "%{d}", 32, 128 },
		{ SPF_MODIFIER, 0, "unknown-1.x=%{l}", NULL, 32, 128 },
		{ SPF_ALL, '+', "all", NULL, 32, 128 },
	};
	struct spf_error err;
	struct spf_term t;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		assert_int_equal(spf_record_next(record, sizeof(record) - 1, &at, &t, &err), 1);
		assert_int_equal(t.kind, terms[i].kind);
		assert_int_equal(t.qualifier, terms[i].qualifier);
		assert_int_equal(t.len, strlen(terms[i].text));
		assert_memory_equal(t.text, terms[i].text, t.len);
		assert_ptr_equal(t.text, record + t.at);
		assert_int_equal(t.prefix4, terms[i].prefix4);
		assert_int_equal(t.prefix6, terms[i].prefix6);
		assert_int_equal(t.domain != NULL, terms[i].domain != NULL);
		if (t.domain != NULL) {
			assert_int_equal(t.domain_len, strlen(terms[i].domain));
			assert_memory_equal(t.domain, terms[i].domain, t.domain_len);
		}
	}
	assert_int_equal(spf_record_next(record, sizeof(record) - 1, &at, &t, &err), 0);
	assert_int_equal(spf_record_next("v=spf1", 6, &(size_t){ 0 }, &t, &err), 0);
}

/* A "|" stands where the error is; without one the record is right. */
static void
test_errors(void **state)
{
	static const char *const records[] = {
		/* names */
		"v=spf1 a:foo.org.",
		"v=spf1 a:%{d}",
		"v=spf1 a:foo.%%",
		"v=spf1 a:foo.x-1",
		"v=spf1 a:foo.1-1",
		"v=spf1 a:foo.1a",
		"v=spf1 a:foo/bar.org",
		"v=spf1 a:a..b.org",
		"v=spf1 a:%{d}/24",
		"v=spf1 a:%{d2/}/24//64",
		"v=spf1 a:|foo",
		"v=spf1 a:|",
		"v=spf1 a:|/24",
		"v=spf1 a:foo.|123",
		"v=spf1 a:foo.|-x",
		"v=spf1 a:foo.|x-",
		"v=spf1 a:foo.|.",
		"v=spf1 a:foo.|%{d}x" /* the last label is "}x" */,
		"v=spf1 a:foo.a|_b",
		"v=spf1 a:|%{d}.",
		"v=spf1 include|",
		"v=spf1 include:|",
		"v=spf1 exists|",
		"v=spf1 exists:foo.org|/24",
		"v=spf1 exists:foo.|%(d)",
		/* prefixes */
		"v=spf1 a/0//0",
		"v=spf1 a/32//128",
		"v=spf1 a|/33",
		"v=spf1 a/|/129",
		"v=spf1 a|/",
		"v=spf1 a|/01",
		"v=spf1 a|/99999999999",
		"v=spf1 a|/24/24",
		"v=spf1 a|///24",
		"v=spf1 |ax",
		"v=spf1 mx:foo.org|/",
		"v=spf1 ptr|/0",
		"v=spf1 all|/0x",
		/* addresses */
		"v=spf1 ip4:1.2.3.4/0 ip6:::/0 ip6:::1.2.3.4/128",
		"v=spf1 ip4|",
		"v=spf1 ip4|:",
		"v=spf1 ip4:|1.2.3",
		"v=spf1 ip4:|1.2.3.4.5",
		"v=spf1 ip4:|01.2.3.4",
		"v=spf1 ip4:|/8",
		"v=spf1 ip4:1.2.3.4|/33",
		"v=spf1 ip4:1.2.3.4|/032",
		"v=spf1 ip4:|1.2.3.4/",
		"v=spf1 ip4:|::1",
		"v=spf1 ip6:|1.2.3.4",
		"v=spf1 ip6:::1|/129",
		"v=spf1 ip6:|1:2:3:4:5:6:7:8:9",
		"v=spf1 ip6:|1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
		/* mechanisms and modifiers */
		"v=spf1 x=",
		"v=spf1 x=a:b/c",
		"v=spf1 |moo",
		"v=spf1 -|moo",
		"v=spf1 -|",
		"v=spf1 +|-all",
		"v=spf1 |ipv4:1.2.3.4",
		"v=spf1 |192.0.2.1",
		"v=spf1 |v=spf1 -all",
		"v=spf1 |=x",
		"v=spf1 |1x=y",
		"v=spf1 |-x=y",
		"v=spf1 x|*y=z",
		"v=spf1 x=|%",
		"v=spf1 x=%{|c}",
		"v=spf1 redirect=|",
		"v=spf1 redirect=x.org all |redirect=x.org",
		"v=spf1 exp=x.org |EXP=y.org",
		"v=spf1 x=1 x=1 exp=x.org redirect=x.org",
		"v=spf1 |redirect:x.org",
		"v=spf1 all|:x.org",
		/* octets */
		"v=spf1 a|\t-all",
		"v=spf1 |\342\200\223x",
		"v=spf1 -all|\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const char *bar = strchr(records[i], '|');
		struct spf_error err;
		char record[200];
		int rc;

		snprintf(record, sizeof(record), "%.*s%s",
		    bar != NULL ? (int)(bar - records[i]) : (int)strlen(records[i]), records[i],
		    bar != NULL ? bar + 1 : "");
		rc = spf_record_check(record, strlen(record), &err);
		if (rc != (bar != NULL ? -1 : 0))
			fail_msg("%s: %d: %s", records[i], rc, rc < 0 ? err.why : "");
		if (bar != NULL && err.at != (size_t)(bar - records[i]))
			fail_msg("%s: at %zu: %s", records[i], err.at, err.why);
	}
}

static void
test_length(void **state)
{
	static char record[SPF_RECORD_MAX + 2];
	struct spf_error err;

	(void)state;
	memset(record, ' ', sizeof(record));
	memcpy(record, "v=spf1", 6);
	record[SPF_RECORD_MAX - 1] = 'a';
	assert_int_equal(spf_record_check(record, SPF_RECORD_MAX, &err), 0);
	assert_int_equal(spf_record_check(record, SPF_RECORD_MAX + 1, &err), -1);
	assert_int_equal(err.at, SPF_RECORD_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
