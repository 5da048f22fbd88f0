/* check_host: limits at their edge, counts, both identities, both families, the trace, the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/verify/records.h"
#include "verify/spf.h"

static struct spf_result result;

static struct spf_input
input(const char *client, const char *from)
{
	return (struct spf_input){
		.client = client,
		.helo = "mx.example.org",
		.from = from,
		.us = "receiver.example",
		.now = 1795305600,
	};
}

/* Runs to the end; how often the book had to be filled. */
static unsigned
run(const struct record *zone, const struct spf_input *in)
{
	struct lookups *book = lookups_new(300);
	unsigned rounds = 0;

	while (spf_check(in, book, &result) == VERIFY_NEED) {
		assert_true(zone_answer_all(zone, book) > 0);
		assert_true(++rounds < 60);
	}
	lookups_free(book);
	return rounds;
}

static void
gives(const struct record *zone, const char *client, const char *from, enum spf_verdict verdict,
    const char *reason)
{
	struct spf_input in = input(client, from);

	run(zone, &in);
	if (result.verdict != verdict)
		fail_msg("%s, not %s: %s", spf_verdict_word(result.verdict),
		    spf_verdict_word(verdict), result.reason);
	assert_string_equal(result.reason, reason);
}

/* --- what the whole thing is for --- */

static void
test_families(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 ip4:192.0.2.0/24 include:_spf.example.net -all",
		    true },
		{ "example.org", TYPE_TXT, "another text", true },
		{ "_spf.example.net", TYPE_TXT, "v=spf1 a:out.example.net -all", true },
		{ "out.example.net", TYPE_A, "198.51.100.7", true },
		{ "out.example.net", TYPE_AAAA, "2001:db8::7", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(zone, "192.0.2.1", "a@example.org", SPF_PASS,
	    "192.0.2.1 matches \"ip4:192.0.2.0/24\" of example.org");
	assert_string_equal(result.domain, "example.org");
	assert_string_equal(result.term, "ip4:192.0.2.0/24");
	assert_string_equal(result.term_domain, "example.org");
	assert_int_equal(result.lookups, 0);
	assert_true(result.secure);

	gives(zone, "198.51.100.7", "a@example.org", SPF_PASS,
	    "\"include:_spf.example.net\" of example.org matches: 198.51.100.7 matches "
	    "\"a:out.example.net\" of _spf.example.net");
	assert_string_equal(result.term, "include:_spf.example.net");
	assert_int_equal(result.lookups, 2);
	assert_true(result.secure);

	gives(zone, "2001:db8::1", "a@example.org", SPF_FAIL,
	    "no term before \"-all\" of example.org matches 2001:db8::1");
	assert_string_equal(result.term, "-all");
	assert_false(result.secure);
	gives(zone, "::ffff:192.0.2.1", "a@example.org", SPF_PASS,
	    "192.0.2.1 matches \"ip4:192.0.2.0/24\" of example.org");
}

static void
test_trace(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 include:i.example.org mx -all", false },
		{ "i.example.org", TYPE_TXT, "v=spf1 redirect=%{d1r}.r.example.org", false },
		{ "org.r.example.org", TYPE_TXT, "nothing", false },
		{ "i.r.example.org", TYPE_TXT, "v=spf1 exists:%{i}.e.example.org ?all", false },
		{ "example.org", TYPE_MX, "10 mx.example.org", false },
		{ "example.org", TYPE_MX, "0 .", false },
		{ "mx.example.org", TYPE_A, "192.0.2.9", false },
		{ "mx.example.org", TYPE_A, "192.0.2.1", false },
		{ NULL, 0, NULL, false },
	};
	static const struct {
		unsigned depth;
		bool record;
		int outcome;
		const char *domain, *text, *target, *found;
	} steps[] = {
		{ 0, true, SPF_PASS, "example.org", "v=spf1 include:i.example.org mx -all", "",
		    "" },
		{ 0, false, SPF_NO_MATCH, "example.org", "include:i.example.org", "i.example.org",
		    "neutral" },
		{ 1, true, SPF_NEUTRAL, "i.example.org", "v=spf1 redirect=%{d1r}.r.example.org", "",
		    "" },
		{ 1, false, SPF_MATCH, "i.example.org", "redirect=%{d1r}.r.example.org",
		    "i.r.example.org", "" },
		{ 1, true, SPF_NEUTRAL, "i.r.example.org", "v=spf1 exists:%{i}.e.example.org ?all",
		    "", "" },
		{ 1, false, SPF_NO_MATCH, "i.r.example.org", "exists:%{i}.e.example.org",
		    "192.0.2.1.e.example.org", "A: no such name" },
		{ 1, false, SPF_MATCH, "i.r.example.org", "?all", "", "" },
		{ 0, false, SPF_MATCH, "example.org", "mx", "example.org",
		    "mx.example.org, 192.0.2.9, 192.0.2.1" },
	};

	(void)state;
	gives(zone, "192.0.2.1", "a@example.org", SPF_PASS,
	    "192.0.2.1 matches \"mx\" of example.org");
	assert_int_equal(result.lookups, 4);
	assert_int_equal(result.voids, 1);
	assert_int_equal(result.void_queries, 1);
	assert_int_equal(result.steps, sizeof(steps) / sizeof(steps[0]));
	assert_int_equal(result.steps_lost, 0);
	for (size_t i = 0; i < result.steps; i++) {
		const struct spf_step *s = &result.trace[i];

		assert_int_equal(s->depth, steps[i].depth);
		assert_int_equal(s->record, steps[i].record);
		if (s->record)
			assert_int_equal(s->verdict, steps[i].outcome);
		else
			assert_int_equal(s->outcome, steps[i].outcome);
		assert_string_equal(s->domain, steps[i].domain);
		assert_string_equal(s->text, steps[i].text);
		assert_string_equal(s->target, steps[i].target);
		assert_string_equal(s->found, steps[i].found);
	}
}

static void
test_trace_is_bounded(void **state)
{
	char text[SPF_TRACE_MAX * 2 * 20] = "v=spf1";
	struct record zone[] = { { "example.org", TYPE_TXT, text, false },
		{ NULL, 0, NULL, false } };
	struct spf_input in = input("192.0.2.1", "a@example.org");

	(void)state;
	for (int i = 0; i < SPF_TRACE_MAX * 2; i++)
		strcat(text, " ip4:198.51.100.1");
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_NEUTRAL);
	assert_int_equal(result.steps, SPF_TRACE_MAX);
	assert_int_equal(result.steps_lost, SPF_TRACE_MAX + 1);
	assert_int_equal(strlen(result.trace[0].text), sizeof(result.trace[0].text) - 1);
	assert_string_equal(strrchr(result.trace[0].text, ' '), " ip4:198....");
}

/* --- limits, RFC 7208 4.6.4 --- */

static void
test_lookups(void **state)
{
	char text[200] = "v=spf1";
	struct record zone[] = { { "example.org", TYPE_TXT, text, false },
		{ "example.org", TYPE_A, "198.51.100.1", false }, { NULL, 0, NULL, false } };

	(void)state;
	for (int i = 0; i < 10; i++)
		strcat(text, " a");
	strcat(text, " ip4:192.0.2.1");
	gives(zone, "192.0.2.1", "a@example.org", SPF_PASS,
	    "192.0.2.1 matches \"ip4:192.0.2.1\" of example.org");
	assert_int_equal(result.lookups, 10);
	strcpy(strstr(text, " ip4"), " mx ip4:192.0.2.1");
	gives(
	    zone, "192.0.2.1", "a@example.org", SPF_PERMERROR, "more than 10 terms need a lookup");
	assert_int_equal(result.lookups, 11);
	assert_string_equal(result.term, "mx");
	assert_string_equal(result.term_domain, "example.org");
	/* redirect= is one of them, all and exp= are none. */
	strcpy(strstr(text, " mx"), " exp=example.org redirect=example.net");
	gives(
	    zone, "192.0.2.1", "a@example.org", SPF_PERMERROR, "more than 10 terms need a lookup");
	assert_string_equal(result.term, "redirect=example.net");
	strcpy(strstr(text, " exp"), " exp=example.org -all");
	gives(zone, "192.0.2.1", "a@example.org", SPF_FAIL,
	    "no term before \"-all\" of example.org matches 192.0.2.1");
	assert_int_equal(result.lookups, 10);
	assert_string_equal(result.explanation, text); /* which is legal */
}

static void
test_include_loop(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 include:example.org -all", false },
		{ "example.net", TYPE_TXT, "v=spf1 redirect=example.net", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(
	    zone, "192.0.2.1", "a@example.org", SPF_PERMERROR, "more than 10 terms need a lookup");
	assert_int_equal(result.lookups, 11);
	assert_int_equal(result.trace[result.steps - 1].depth, 10);
	gives(
	    zone, "192.0.2.1", "a@example.net", SPF_PERMERROR, "more than 10 terms need a lookup");
	assert_int_equal(result.lookups, 11);
}

static void
test_voids(void **state)
{
	static const struct record two[] = {
		{ "example.org", TYPE_TXT, "v=spf1 a exists:no.example.org -all exp=no.example.org",
		    false },
		{ NULL, 0, NULL, false },
	};
	static const struct record three[] = {
		{ "example.org", TYPE_TXT, "v=spf1 a exists:no.example.org mx -all", false },
		{ NULL, 0, NULL, false },
	};
	/* Each term is void once, as many names as it may have. */
	static const struct record names[] = {
		{ "example.org", TYPE_TXT, "v=spf1 mx mx -all", false },
		{ "example.org", TYPE_MX, "0 a.example.org", false },
		{ "example.org", TYPE_MX, "0 b.example.org", false },
		{ "example.org", TYPE_MX, "0 c.example.org", false },
		{ "a.example.org", TYPE_A, "192.0.2.1", false },
		{ "b.example.org", TYPE_A, "192.0.2.1", false },
		{ "c.example.org", TYPE_A, "192.0.2.1", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(two, "192.0.2.1", "a@example.org", SPF_FAIL,
	    "no term before \"-all\" of example.org matches 192.0.2.1");
	assert_int_equal(result.voids, 2);
	assert_string_equal(result.no_explanation, "exp=: no.example.org has no TXT record");
	gives(three, "192.0.2.1", "a@example.org", SPF_PERMERROR,
	    "more than 2 terms look up what does not exist; the last asked for MX of example.org");
	assert_int_equal(result.voids, 3);
	assert_string_equal(result.term, "mx");
	gives(names, "2001:db8::1", "a@example.org", SPF_FAIL,
	    "no term before \"-all\" of example.org matches 2001:db8::1");
	assert_int_equal(result.voids, 2);
	assert_int_equal(result.void_queries, 6);
}

static void
test_mx_names(void **state)
{
	static char owners[11][20], texts[11][20];
	struct record zone[24] = { { "example.org", TYPE_TXT, "v=spf1 mx -all", false } };
	struct spf_input in = input("192.0.2.10", "a@example.org");
	size_t n = 1;

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(owners[i], sizeof(owners[i]), "m%d.example.org", i);
		snprintf(texts[i], sizeof(texts[i]), "5 m%d.example.org", i);
		zone[n++] = (struct record){ "example.org", TYPE_MX, texts[i], false };
		zone[n++] = (struct record){ owners[i], TYPE_A, i == 9 ? "192.0.2.10" : "192.0.2.1",
			false };
	}
	zone[n] = (struct record){ NULL, 0, NULL, false };
	/* The record, the MX, all names at once. */
	assert_int_equal(run(zone, &in), 3);
	assert_int_equal(result.verdict, SPF_PASS);
	zone[n++] = (struct record){ "example.org", TYPE_MX, "5 m0.example.org", false };
	zone[n] = (struct record){ NULL, 0, NULL, false };
	gives(zone, "192.0.2.10", "a@example.org", SPF_PERMERROR,
	    "example.org has 11 mail exchangers, more than 10");
	assert_string_equal(result.term, "mx");
}

static void
test_ptr_names(void **state)
{
	static char owners[11][20];
	struct record zone[24] = { { "example.org", TYPE_TXT, "v=spf1 ptr -all", false } };
	struct spf_input in = input("2001:db8::1", "a@example.org");
	const char *reverse =
	    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
	size_t n = 1;

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(
		    owners[i], sizeof(owners[i]), i == 9 ? "P.Example.org" : "p%d.example.net", i);
		zone[n++] = (struct record){ reverse, TYPE_PTR, owners[i], false };
		zone[n++] = (struct record){ owners[i], TYPE_AAAA, "2001:db8::1", false };
	}
	zone[n] = (struct record){ NULL, 0, NULL, false };
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_PASS);
	/* The one that matters is the eleventh. */
	zone[n] = zone[19];
	zone[19].text = "p0.example.net";
	zone[n + 1] = (struct record){ NULL, 0, NULL, false };
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_FAIL);
	assert_non_null(strstr(result.trace[1].found, "p0.example.net, p1.example.net"));
}

static void
test_ptr_errors(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 ptr ~all", false },
		{ "1.2.0.192.in-addr.arpa", TYPE_FAILS, "SERVFAIL", false },
		{ "2.2.0.192.in-addr.arpa", TYPE_PTR, "bad.example.org", false },
		{ "2.2.0.192.in-addr.arpa", TYPE_PTR, "good.example.org", false },
		{ "2.2.0.192.in-addr.arpa", TYPE_PTR, "notexample.org", false },
		{ "bad.example.org", TYPE_FAILS, "SERVFAIL", false },
		{ "good.example.org", TYPE_A, "192.0.2.2", false },
		{ "3.2.0.192.in-addr.arpa", TYPE_PTR, "notexample.org", false },
		{ "notexample.org", TYPE_A, "192.0.2.3", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(zone, "192.0.2.1", "a@example.org", SPF_SOFTFAIL,
	    "no term before \"~all\" of example.org matches 192.0.2.1");
	assert_string_equal(result.trace[1].found, "PTR: DNS error");
	gives(zone, "192.0.2.2", "a@example.org", SPF_PASS,
	    "192.0.2.2 matches \"ptr\" of example.org");
	gives(zone, "192.0.2.3", "a@example.org", SPF_SOFTFAIL,
	    "no term before \"~all\" of example.org matches 192.0.2.3");
}

/* --- %{p}: the domain itself, then a name below it, then any --- */

static void
test_validated_name(void **state)
{
	struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 -all exp=e.example.org", false },
		{ "e.example.org", TYPE_TXT, "from %{p}", false },
		{ "1.2.0.192.in-addr.arpa", TYPE_PTR, "other.example.net", false },
		{ "1.2.0.192.in-addr.arpa", TYPE_PTR, "false.example.org", false },
		{ "1.2.0.192.in-addr.arpa", TYPE_PTR, "below.example.org", false },
		{ "1.2.0.192.in-addr.arpa", TYPE_PTR, "example.org", false },
		{ "other.example.net", TYPE_A, "192.0.2.1", false },
		{ "false.example.org", TYPE_A, "192.0.2.7", false },
		{ "below.example.org", TYPE_A, "192.0.2.1", false },
		{ "example.org", TYPE_A, "192.0.2.1", false },
		{ NULL, 0, NULL, false },
	};
	struct spf_input in = input("192.0.2.1", "a@example.org");

	(void)state;
	run(zone, &in);
	assert_string_equal(result.explanation, "from example.org");
	zone[9].text = "192.0.2.8";
	run(zone, &in);
	assert_string_equal(result.explanation, "from below.example.org");
	zone[8].text = "192.0.2.8";
	run(zone, &in);
	assert_string_equal(result.explanation, "from other.example.net");
	zone[6].text = "192.0.2.8";
	run(zone, &in);
	assert_string_equal(result.explanation, "from unknown");
	assert_int_equal(result.lookups, 0);
}

/* --- errors --- */

static void
test_dns_errors(void **state)
{
	static const struct record zone[] = {
		{ "down.example.org", TYPE_FAILS, "SERVFAIL: no server answers", false },
		{ "bogus.example.org", TYPE_FAILS, "bogus: signature expired", false },
		{ "a.example.org", TYPE_TXT, "v=spf1 a:down.example.org -all", false },
		{ "b.example.org", TYPE_TXT, "v=spf1 include:bogus.example.org -all", false },
		{ "c.example.org", TYPE_TXT, "v=spf1 redirect=down.example.org", false },
		{ "d.example.org", TYPE_TXT, "v=spf1 mx -all", false },
		{ "d.example.org", TYPE_MX, "0 bogus.example.org", false },
		{ "e.example.org", TYPE_TXT, "v=spf1 -all exp=down.example.org", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(zone, "192.0.2.1", "a@down.example.org", SPF_TEMPERROR,
	    "the lookup of TXT of down.example.org failed: DNS error: SERVFAIL: no server answers");
	assert_string_equal(result.term, "");
	assert_string_equal(result.term_domain, "down.example.org");
	gives(zone, "192.0.2.1", "a@a.example.org", SPF_TEMPERROR,
	    "the lookup of A of down.example.org failed: DNS error: SERVFAIL: no server answers");
	assert_string_equal(result.term, "a:down.example.org");
	gives(zone, "192.0.2.1", "a@b.example.org", SPF_TEMPERROR,
	    "the lookup of TXT of bogus.example.org failed: DNSSEC: bogus: bogus: signature "
	    "expired");
	assert_string_equal(result.term, "include:bogus.example.org");
	assert_string_equal(result.term_domain, "b.example.org");
	gives(zone, "192.0.2.1", "a@c.example.org", SPF_TEMPERROR,
	    "the lookup of TXT of down.example.org failed: DNS error: SERVFAIL: no server answers");
	assert_string_equal(result.term, "redirect=down.example.org");
	assert_string_equal(result.term_domain, "c.example.org");
	gives(zone, "192.0.2.1", "a@d.example.org", SPF_TEMPERROR,
	    "the lookup of A of bogus.example.org failed: DNSSEC: bogus: bogus: signature expired");
	gives(zone, "192.0.2.1", "a@e.example.org", SPF_FAIL,
	    "no term before \"-all\" of e.example.org matches 192.0.2.1");
	assert_string_equal(
	    result.no_explanation, "exp=: down.example.org has an error instead of a TXT record");
}

static void
test_wrong_records(void **state)
{
	static const struct record zone[] = {
		{ "a.example.org", TYPE_TXT, "v=spf1 ip4:192.0.2.1 a:museum -all", false },
		{ "b.example.org", TYPE_TXT, "v=spf1 include:a.example.org -all", false },
		{ "c.example.org", TYPE_TXT, "v=spf1 -all", false },
		{ "c.example.org", TYPE_TXT, "v=spf1 +all", false },
		{ "d.example.org", TYPE_TXT, "v=spf1 include:none.example.org -all", false },
		{ "e.example.org", TYPE_TXT, "v=spf1 redirect=none.example.org", false },
		{ "f.example.org", TYPE_TXT, "v=spf1 a:x..example.org a:%{l}.example.org -all",
		    false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(zone, "192.0.2.1", "x@a.example.org", SPF_PERMERROR,
	    "syntax error in the record of a.example.org, \"a:museum\" at octet 24: "
	    "a name of one label only");
	assert_string_equal(result.term, "a:museum");
	gives(zone, "192.0.2.1", "x@b.example.org", SPF_PERMERROR,
	    "syntax error in the record of a.example.org, \"a:museum\" at octet 24: "
	    "a name of one label only");
	assert_string_equal(result.term, "a:museum");
	assert_string_equal(result.term_domain, "a.example.org");
	gives(zone, "192.0.2.1", "x@c.example.org", SPF_PERMERROR,
	    "c.example.org has 2 SPF records, and may have only one");
	gives(zone, "192.0.2.1", "x@d.example.org", SPF_PERMERROR,
	    "none.example.org is included and has no SPF record");
	assert_string_equal(result.term, "include:none.example.org");
	gives(zone, "192.0.2.1", "x@e.example.org", SPF_PERMERROR,
	    "none.example.org is the target of redirect= and has no SPF record");
	assert_string_equal(result.term, "redirect=none.example.org");
	assert_string_equal(result.term_domain, "e.example.org");
	gives(zone, "192.0.2.1", "..@f.example.org", SPF_FAIL,
	    "no term before \"-all\" of f.example.org matches 192.0.2.1");
	assert_int_equal(result.voids, 0);
	assert_string_equal(result.trace[1].found, "A: no possible name");
	gives(zone, "192.0.2.1", "x@none.example.org", SPF_NONE,
	    "none.example.org has no SPF record");
}

/* A match inside of an include that does not match is forgotten. */
static void
test_inner_matches(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 include:one.example.org ?all", false },
		{ "one.example.org", TYPE_TXT, "v=spf1 -include:two.example.org +all", false },
		{ "two.example.org", TYPE_TXT, "v=spf1 ip4:192.0.2.0/24 -all", false },
		{ NULL, 0, NULL, false },
	};

	(void)state;
	gives(zone, "192.0.2.1", "a@example.org", SPF_NEUTRAL,
	    "no term before \"?all\" of example.org matches 192.0.2.1");
	assert_string_equal(result.term, "?all");
	gives(zone, "198.51.100.1", "a@example.org", SPF_PASS,
	    "\"include:one.example.org\" of example.org matches: no term before \"+all\" of "
	    "one.example.org matches 198.51.100.1");
}

/* --- who is checked --- */

static void
test_identities(void **state)
{
	static const struct record zone[] = {
		{ "mx.example.org", TYPE_TXT, "v=spf1 exists:%{l}.%{o}.%{h}.l.example.org -all",
		    false },
		{ "postmaster.mx.example.org.mx.example.org.l.example.org", TYPE_A, "127.0.0.2",
		    false },
		{ "example.org", TYPE_TXT, "v=spf1 exists:%{s}.s.example.org -all", false },
		{ "a@b@example.org.s.example.org", TYPE_A, "127.0.0.2", false },
		{ NULL, 0, NULL, false },
	};
	struct spf_input in = input("192.0.2.1", "a@example.org");

	(void)state;
	in.identity = SPF_HELO;
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_PASS);
	assert_string_equal(result.domain, "mx.example.org");
	in.helo = "MX.example.org.";
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_PASS);
	in.identity = SPF_MAIL_FROM;
	in.from = "";
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_PASS);
	in.from = "a@b@example.org";
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_PASS);
	assert_string_equal(result.domain, "example.org");
	in.from = "@example.org.";
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_FAIL);
	assert_string_equal(result.trace[1].target, "postmaster@example.org.s.example.org");
}

/* RFC 8616 4 */
static void
test_internationalised(void **state)
{
	static const struct record zone[] = {
		{ "xn--dmin-moa0i.example", TYPE_TXT,
		    "v=spf1 a:%{s}.example.net include:%{l}.example.net exists:%{o}.example.net "
		    "-all",
		    false },
		{ "xn--dmin-moa0i.example.example.net", TYPE_A, "127.0.0.2", false },
		{ NULL, 0, NULL, false },
	};
	struct spf_input in = input("192.0.2.1", "\xc3\xa9@d\xc3\xb6m\xc3\xa4in.example");

	(void)state;
	run(zone, &in);
	assert_string_equal(result.reason,
	    "192.0.2.1 matches \"exists:%{o}.example.net\" of xn--dmin-moa0i.example");
	assert_string_equal(result.domain, "xn--dmin-moa0i.example");
	assert_int_equal(result.lookups, 1);
	assert_string_equal(result.trace[1].found, "the sender's local part is not ASCII");
	assert_string_equal(result.trace[2].found, "the sender's local part is not ASCII");
}

static void
test_not_checkable(void **state)
{
	static const struct {
		const char *client, *helo, *from, *reason;
	} cases[] = {
		{ "192.0.2.1", "", "", "there is no name to check" },
		{ "192.0.2.1", "[192.0.2.1]", "", "an address literal has no SPF record" },
		{ "192.0.2.1", "localhost", "", "the name has one label only" },
		{ "192.0.2.1", "x.y", "a@.", "there is no name to check" },
		{ "192.0.2.1", "x.y", "a@b..c", "the name has an empty label" },
		{ "192.0.2.1", "x.y", "a@.b.c", "the name has an empty label" },
		{ "192.0.2.1", "x.y", "a@b.c..", "the name has an empty label" },
		{ "192.0.2.1", "x.y", "a@\xc3.org", "the name holds what may not stand in one" },
		{ "192.0.2.1", "\xc3\xa9.org", "", "the name holds what may not stand in one" },
		{ "192.0.2.1", "x y.z", "", "the name holds what may not stand in one" },
		{ "192.0.2", "x.y", "a@b.c",
		    "the address of the client, the name it gave or the sender is no such thing" },
	};
	static const struct record nothing[] = { { NULL, 0, NULL, false } };
	char from[SPF_INPUT_MAX + 2] = "a@";
	struct spf_input in;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in = input(cases[i].client, cases[i].from);
		in.helo = cases[i].helo;
		assert_int_equal(run(nothing, &in), 0);
		assert_int_equal(result.verdict, SPF_NONE);
		assert_string_equal(result.reason, cases[i].reason);
	}
	/* 253 octets of name, then 254. */
	for (int i = 0; i < 50; i++)
		strcat(from, "1234.");
	strcat(from, "567");
	in = input("192.0.2.1", from);
	assert_int_equal(run(nothing, &in), 1);
	strcat(from, "8");
	assert_int_equal(run(nothing, &in), 0);
	assert_string_equal(result.reason, "the name is longer than 253 octets");

	/* The longest sender, and one octet more. */
	memset(from, 'x', sizeof(from));
	memcpy(from + SPF_INPUT_MAX - 12, "@example.org", 13);
	assert_int_equal(run(nothing, &in), 1);
	memcpy(from + SPF_INPUT_MAX - 12, "y@example.org", 14);
	assert_int_equal(run(nothing, &in), 0);
	assert_int_equal(result.verdict, SPF_NONE);
}

/* --- hostile answers --- */

static void
test_texts_are_printable(void **state)
{
	static const struct record zone[] = {
		{ "example.org", TYPE_TXT, "v=spf1 -all exp=%{l}.e.example.org", false },
		{ "a\\0321.e.example.org", TYPE_TXT, "%{l} %{h} %%", false },
		{ NULL, 0, NULL, false },
	};
	struct spf_input in = input("192.0.2.1", "a 1@example.org");

	(void)state;
	in.helo = "\xff\x01.x";
	run(zone, &in);
	assert_int_equal(result.verdict, SPF_FAIL);
	assert_string_equal(result.explanation, "a 1 \\255\\001.x %");
}

static void
test_malformed_rdata(void **state)
{
	struct lookups *book = lookups_new(50);
	struct spf_input in = input("192.0.2.1", "a@example.org");
	static const uint8_t txt[] = "\x10v=spf1 a mx ?all", cut[] = "\x20v=spf1 -all",
			     mx[] = { 0, 1, 9 };
	struct lookup_rdata records[] = { { cut, 12 }, { txt, 17 }, { txt, 0 } };
	struct lookup_rdata a[] = { { txt, 3 }, { txt, 5 }, { txt, 0 } };
	struct lookup_rdata m[] = { { mx, 3 }, { mx, 2 }, { mx, 0 } };

	(void)state;
	assert_int_equal(spf_check(&in, book, &result), VERIFY_NEED);
	lookup_put(book, "example.org", TYPE_TXT, LOOKUP_OK, false, "", records, 3);
	assert_int_equal(spf_check(&in, book, &result), VERIFY_NEED);
	lookup_put(book, "example.org", TYPE_A, LOOKUP_OK, false, "", a, 3);
	assert_int_equal(spf_check(&in, book, &result), VERIFY_NEED);
	lookup_put(book, "example.org", TYPE_MX, LOOKUP_OK, false, "", m, 3);
	assert_int_equal(spf_check(&in, book, &result), VERIFY_DONE);
	assert_int_equal(result.verdict, SPF_NEUTRAL);
	assert_int_equal(result.voids, 0);
	lookups_free(book);
}

static void
test_full_book(void **state)
{
	struct lookups *book = lookups_new(0);
	struct spf_input in = input("192.0.2.1", "a@example.org");

	(void)state;
	assert_int_equal(spf_check(&in, book, &result), VERIFY_DONE);
	assert_int_equal(result.verdict, SPF_TEMPERROR);
	assert_string_equal(
	    result.reason, "the lookup of TXT of example.org failed: DNS error: too many lookups");
	lookups_free(book);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_trace_is_bounded),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_include_loop),
		cmocka_unit_test(test_voids),
		cmocka_unit_test(test_mx_names),
		cmocka_unit_test(test_ptr_names),
		cmocka_unit_test(test_ptr_errors),
		cmocka_unit_test(test_validated_name),
		cmocka_unit_test(test_dns_errors),
		cmocka_unit_test(test_wrong_records),
		cmocka_unit_test(test_inner_matches),
		cmocka_unit_test(test_identities),
		cmocka_unit_test(test_internationalised),
		cmocka_unit_test(test_not_checkable),
		cmocka_unit_test(test_texts_are_printable),
		cmocka_unit_test(test_malformed_rdata),
		cmocka_unit_test(test_full_book),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
