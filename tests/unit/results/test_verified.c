/* Events of the verifier to words, reasons and verdicts. */
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/report.h"
#include "tests/unit/results/fixture.h"

#define HOUR 3600.0

static struct observations obs;

/* One message to the test over the family, on connection and with digest N. */
static void
mail(double t, const char *test, int family, unsigned n)
{
	event_at(&obs, t, "smtp.connect", "\"test\":\"%s\",\"conn\":\"c%u\",\"peer\":\"%s\"", test,
	    n, family == 6 ? "2001:db8:1::25" : "192.0.2.1");
	event_at(&obs, t + 0.1, "smtp.message",
	    "\"test\":\"%s\",\"conn\":\"c%u\",\"reply\":250,\"digest\":\"d%u\",\"handed\":true",
	    test, n, n);
}

/* results: JSON with ' for ". */
static void
judged(double t, const char *test, unsigned n, const char *results, const char *libspf2)
{
	char text[4000];
	size_t k = 0;

	for (; *results != '\0' && k + 3 < sizeof text; results++) {
		if (*results == '\'')
			text[k++] = '\\';
		text[k++] = *results == '\'' ? '"' : *results;
	}
	text[k] = '\0';
	event_at(&obs, t, "verify.result",
	    "\"test\":\"%s\",\"conn\":\"c%u\",\"digest\":\"d%u\",\"results\":\"%s\",\"libspf2\":\"%"
	    "s\"",
	    test, n, n, text, libspf2);
}

/* --- words ------------------------------------------------------------------------------------------- */

/* Results of which a word holds, and which that is. */
static const struct {
	const char *results, *libspf2;
	enum auth_method method;
	const char *word;
} holds[] = {
#define SPF(members) "{'spf':{'mailfrom':{" members "}}}"
	{ SPF("'result':'permerror'"), "", AUTH_SPF, "permerror" },
	{ SPF("'result':'fail'"), "", AUTH_SPF, "fail" },
	{ SPF("'result':'softfail'"), "", AUTH_SPF, "softfail" },
	{ SPF("'result':'temperror'"), "", AUTH_SPF, "temperror" },
	{ SPF("'result':'neutral'"), "", AUTH_SPF, "neutral" },
	{ SPF("'result':'none'"), "", AUTH_SPF, "none" },
	{ SPF("'result':'pass'"), "", AUTH_SPF, "pass" },
	{ SPF("'result':'pass','term':'+all'"), "", AUTH_SPF, "allow-all" },
	{ SPF("'result':'pass','term':'ALL'"), "", AUTH_SPF, "allow-all" },
	{ SPF("'lookups':11"), "", AUTH_SPF, "lookups-over" },
	{ SPF("'lookups':8"), "", AUTH_SPF, "lookups-near" },
	{ SPF("'lookups':10"), "", AUTH_SPF, "lookups-near" },
	{ SPF("'voids':3"), "", AUTH_SPF, "voids-over" },
	{ SPF("'result':'pass'"), "fail", AUTH_SPF, "libspf2-differs" },
	{ "{'spf':{'helo':{'result':'permerror'}}}", "", AUTH_HELO, "permerror" },
	{ "{'spf':{'helo':{'result':'fail'}}}", "", AUTH_HELO, "fail" },
	{ "{'spf':{'helo':{'result':'softfail'}}}", "", AUTH_HELO, "softfail" },
	{ "{'spf':{'helo':{'result':'temperror'}}}", "", AUTH_HELO, "temperror" },
	{ "{'spf':{'helo':{'result':'neutral'}}}", "", AUTH_HELO, "neutral" },
	{ "{'spf':{'helo':{'result':'none'}}}", "", AUTH_HELO, "none" },
	{ "{'spf':{'helo':{'result':'pass'}}}", "", AUTH_HELO, "pass" },
	{ "{'dkim':{'signature':[]}}", "", AUTH_DKIM, "none" },
	{ "{'dkim':{'signature':[{'result':'fail'},{'result':'permerror'}]}}", "", AUTH_DKIM,
	    "fail" },
	{ "{'dkim':{'signature':[{'result':'policy'}]}}", "", AUTH_DKIM, "fail" },
	{ "{'dkim':{'signature':[{'result':'fail'},{'result':'temperror'}]}}", "", AUTH_DKIM,
	    "temperror" },
	{ "{'dkim':{'signature':[{'result':'fail'},{'result':'pass'}]}}", "", AUTH_DKIM, "pass" },
	{ "{'dkim':{'signatures':1,'signature':[{'result':'fail'}]}}", "", AUTH_DKIM, "fail" },
	{ "{'dkim':{'signatures':2,'signature':[{'result':'pass'}]},'dmarc':{'result':'pass'}}", "",
	    AUTH_DKIM, "pass" },
	{ "{'dkim':{'signatures':2,'signature':[{'result':'pass'}]},'dmarc':{'result':'pass'}}", "",
	    AUTH_DMARC, "pass" },
	{ "{'dkim':{'signature':[{'result':'fail'},{'result':'pass'}]}}", "", AUTH_DKIM, "broken" },
	{ "{'dkim':{'signature':[{'algorithm':'RSA-SHA1'}]}}", "", AUTH_DKIM, "sha1" },
	{ "{'dkim':{'signature':[{},{'algorithm':'rsa-sha256','key':{'bits':1023}}]}}", "",
	    AUTH_DKIM, "key-forbidden" },
	{ "{'dkim':{'signature':[{'algorithm':'rsa-sha256','key':{'bits':1024}}]}}", "", AUTH_DKIM,
	    "key-short" },
	{ "{'dkim':{'signature':[{'algorithm':'rsa-sha256','key':{'bits':2047}}]}}", "", AUTH_DKIM,
	    "key-short" },
	{ "{'dkim':{'signature':[{'body_limit':0}]}}", "", AUTH_DKIM, "length" },
	{ "{'dkim':{'signature':[{'key':{'testing':true}}]}}", "", AUTH_DKIM, "testing" },
	{ "{'dkim':{'signature':[{'result':'pass','algorithm':'ed25519-sha256'},{'result':'fail','"
	  "algorithm':'rsa-sha256'}]}}",
	    "", AUTH_DKIM, "ed25519-only" },
	{ "{'dmarc':{'result':'permerror'}}", "", AUTH_DMARC, "permerror" },
	{ "{'dmarc':{'result':'fail'}}", "", AUTH_DMARC, "fail" },
	{ "{'dmarc':{'result':'temperror'}}", "", AUTH_DMARC, "temperror" },
	{ "{'dmarc':{'result':'none'}}", "", AUTH_DMARC, "none" },
	{ "{'dmarc':{'result':'pass'}}", "", AUTH_DMARC, "pass" },
	{ "{'dmarc':{'rfc7489':{'policy':'none'}}}", "", AUTH_DMARC, "policy-none" },
	{ "{'spf':{'mailfrom':{'result':'pass'}},'dkim':{'signature':[{'result':'fail'}]},'dmarc':{"
	  "'result':'pass','rfc7489':{'spf_counts':true,'dkim_counts':[0]}}}",
	    "", AUTH_DMARC, "spf-only" },
	{ "{'dmarc':{'rfc7489':{'result':'pass'},'rfc9989':{'result':'fail'}}}", "", AUTH_DMARC,
	    "tree-differs" },
	{ "{'dmarc':{'rfc7489':{'policy':'none'},'rfc9989':{'policy':'reject'}}}", "", AUTH_DMARC,
	    "tree-differs" },
	{ "{'dmarc':{'rfc7489':{'record':{'fault':[{'text':'pct'}]}}}}", "", AUTH_DMARC,
	    "problems" },
	{ "{'arc':{'result':'fail'}}", "", AUTH_ARC, "fail" },
	{ "{'arc':{'result':'fail','temporary':true}}", "", AUTH_ARC, "temperror" },
	{ "{'arc':{'result':'none'}}", "", AUTH_ARC, "none" },
	{ "{'arc':{'result':'pass'}}", "", AUTH_ARC, "pass" },
	{ "{'arc':{'result':'fail','failed_before':true}}", "", AUTH_ARC, "cv-fail" },
	{ "{'fcrdns':{'result':'fail'}}", "", AUTH_FCRDNS, "fail" },
	{ "{'fcrdns':{'result':'none'}}", "", AUTH_FCRDNS, "none" },
	{ "{'fcrdns':{'result':'temperror'}}", "", AUTH_FCRDNS, "temperror" },
	{ "{'fcrdns':{'result':'pass'}}", "", AUTH_FCRDNS, "pass" },
	{ "{'ehlo':{'form':'single label'}}", "", AUTH_EHLO, "invalid" },
	{ "{'ehlo':{'form':'name'}}", "", AUTH_EHLO, "unknown" },
	{ "{'ehlo':{'form':'name','resolves':true}}", "", AUTH_EHLO, "other" },
	{ "{'ehlo':{'form':'name','failed':true}}", "", AUTH_EHLO, "temperror" },
	{ "{'ehlo':{'form':'name','resolves':true,'failed':true}}", "", AUTH_EHLO, "temperror" },
	{ "{'ehlo':{'form':'literal'}}", "", AUTH_EHLO, "literal" },
	{ "{'ehlo':{'form':'name','resolves':true,'matches':true}}", "", AUTH_EHLO, "pass" },
};
#define N_HOLDS (sizeof holds / sizeof holds[0])

/* Near misses: the word does not hold. */
static const struct {
	const char *results, *libspf2;
	enum auth_method method;
	const char *word;
} holds_not[] = {
	{ SPF("'result':'fail','term':'all'"), "", AUTH_SPF, "allow-all" },
	{ SPF("'lookups':10"), "", AUTH_SPF, "lookups-over" },
	{ SPF("'lookups':7"), "", AUTH_SPF, "lookups-near" },
	{ SPF("'lookups':11"), "", AUTH_SPF, "lookups-near" },
	{ SPF("'voids':2"), "", AUTH_SPF, "voids-over" },
	{ SPF("'result':'pass'"), "pass", AUTH_SPF, "libspf2-differs" },
	{ SPF("'result':'pass'"), "crashed", AUTH_SPF, "libspf2-differs" },
	{ SPF("'result':'pass'"), "temperror", AUTH_SPF, "libspf2-differs" },
	{ SPF("'result':'temperror'"), "pass", AUTH_SPF, "libspf2-differs" },
	{ SPF("'result':'pass'"), "", AUTH_SPF, "libspf2-differs" },
	{ "{'dkim':{'signature':[{'algorithm':'ed25519-sha256','key':{'bits':256}}]}}", "",
	    AUTH_DKIM, "key-forbidden" },
	{ "{'dkim':{'signature':[{'algorithm':'rsa-sha256','key':{'bits':0}}]}}", "", AUTH_DKIM,
	    "key-forbidden" },
	{ "{'dkim':{'signature':[{'algorithm':'rsa-sha256','key':{'bits':2048}}]}}", "", AUTH_DKIM,
	    "key-short" },
	{ "{'dkim':{'signature':[{'body_limit':-1}]}}", "", AUTH_DKIM, "length" },
	{ "{'dkim':{'signature':[{'result':'pass'},{'result':'temperror'}]}}", "", AUTH_DKIM,
	    "broken" },
	{ "{'dkim':{'signature':[{'result':'fail'}]}}", "", AUTH_DKIM, "broken" },
	{ "{'dkim':{'signature':[{'result':'pass','algorithm':'ed25519-sha256'},{'result':'pass','"
	  "algorithm':'rsa-sha256'}]}}",
	    "", AUTH_DKIM, "ed25519-only" },
	{ "{'spf':{'mailfrom':{'result':'pass'}},'dkim':{'signature':[{'result':'fail'},{'result':'"
	  "pass'}]},'dmarc':{'result':'pass','rfc7489':{'spf_counts':true,'dkim_counts':[1]}}}",
	    "", AUTH_DMARC, "spf-only" },
	{ "{'dmarc':{'rfc7489':{'record':{'fault':[]}}}}", "", AUTH_DMARC, "problems" },
	{ "{'arc':{'result':'fail'}}", "", AUTH_ARC, "cv-fail" },
	{ "{'arc':{'result':'fail','temporary':true}}", "", AUTH_ARC, "fail" },
	{ "{'dmarc':{'rfc7489':{'result':'pass'}}}", "", AUTH_DMARC, "tree-differs" },
	{ "{'dmarc':{'rfc7489':{'result':'pass','policy':'none'},'rfc9989':{'result':'temperror'}}"
	  "}",
	    "", AUTH_DMARC, "tree-differs" },
	{ "{'dmarc':{'rfc7489':{'result':'temperror'},'rfc9989':{'result':'pass','policy':'none'}}"
	  "}",
	    "", AUTH_DMARC, "tree-differs" },
	/* The limits of the verifier are nobody's fault. */
	{ "{'message':{'over_limit':true},'dkim':{'signature':[{'result':'permerror'}]}}", "",
	    AUTH_DKIM, "fail" },
	{ "{'message':{'over_limit':true},'dmarc':{'result':'permerror'}}", "", AUTH_DMARC,
	    "permerror" },
	{ "{'message':{'over_limit':true},'arc':{'result':'fail'}}", "", AUTH_ARC, "fail" },
	{ "{'dkim':{'signatures':2,'signature':[{'result':'fail'}]},'dmarc':{'result':'fail'}}", "",
	    AUTH_DKIM, "fail" },
	{ "{'dkim':{'signatures':2,'signature':[{'result':'fail'}]},'dmarc':{'result':'fail'}}", "",
	    AUTH_DMARC, "fail" },
	{ "{'ehlo':{'form':'sideways','matches':true}}", "", AUTH_EHLO, "pass" },
	{ "{'ehlo':{'matches':true}}", "", AUTH_EHLO, "pass" },
	/* Other types than the verifier's: nothing holds, nothing breaks. */
	{ "{'spf':[]}", "pass", AUTH_SPF, "libspf2-differs" },
	{ "{'spf':{'mailfrom':'pass'}}", "", AUTH_SPF, "pass" },
	{ "{'spf':{'mailfrom':{'result':7,'lookups':'99'}}}", "", AUTH_SPF, "lookups-over" },
	{ "{'dkim':{'result':'pass'}}", "", AUTH_DKIM, "pass" },
	{ "{'dkim':{'signature':['pass',null]}}", "", AUTH_DKIM, "pass" },
	{ "{'dkim':7}", "", AUTH_DKIM, "none" },
	{ "{'dmarc':[1]}", "", AUTH_DMARC, "problems" },
	{ "{'dmarc':{'rfc7489':[],'result':'pass','rfc9989':7}}", "", AUTH_DMARC, "problems" },
	{ "{'arc':{'failed_before':'true','set':7}}", "", AUTH_ARC, "cv-fail" },
	{ "{'arc':'fail'}", "", AUTH_ARC, "fail" },
	{ "{}", "", AUTH_FCRDNS, "none" },
};

static bool
is(const char *results, const char *libspf2, enum auth_method method, const char *word)
{
	struct strbuf b = { 0 };
	bool yes;

	observations_clear(&obs);
	mail(1, "dual", 4, 1);
	judged(2, "dual", 1, results, libspf2);
	observations_sort(&obs);
	struct verified *v = verified_read(obs.item[1], obs.item[2]);
	assert_int_equal(v->state, VERIFIED_JUDGED);
	yes = verified_is(v, method, word);
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++)
		verified_describe(&b, v, (enum auth_method)m);
	assert_true(b.len > 0);
	strbuf_clear(&b);
	verified_free(v);
	return yes;
}

static void
every_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOLDS; i++)
		if (!is(holds[i].results, holds[i].libspf2, holds[i].method, holds[i].word))
			fail_msg("%s does not hold: %s", holds[i].word, holds[i].results);
	for (size_t i = 0; i < sizeof holds_not / sizeof holds_not[0]; i++)
		if (is(holds_not[i].results, holds_not[i].libspf2, holds_not[i].method,
			holds_not[i].word))
			fail_msg("%s holds: %s", holds_not[i].word, holds_not[i].results);
	/* No word of the language is without meaning. */
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++) {
		const char *word;
		for (unsigned i = 0; (word = auth_word((enum auth_method)m, i)) != NULL; i++) {
			size_t k = 0;
			while (k < N_HOLDS && (holds[k].method != (enum auth_method)m ||
						  strcmp(holds[k].word, word) != 0))
				k++;
			if (k == N_HOLDS)
				fail_msg("%s %s", auth_method_name((enum auth_method)m), word);
		}
	}
}

static void
check_says(enum auth_method method, const char *results, const char *libspf2, const char *want)
{
	struct strbuf b = { 0 };

	observations_clear(&obs);
	mail(1, "dual", 4, 1);
	judged(2, "dual", 1, results, libspf2);
	observations_sort(&obs);
	struct verified *v = verified_read(obs.item[1], obs.item[2]);
	verified_describe(&b, v, method);
	assert_string_equal(b.s, want);
	strbuf_clear(&b);
	verified_free(v);
}

static void
in_words(void **state)
{
	(void)state;
	check_says(AUTH_SPF,
	    SPF("'result':'fail','term':'-all','term_domain':'_spf.example.org','domain':'example."
		"org'"),
	    "pass", "fail by -all in the record of _spf.example.org (libspf2: pass)");
	check_says(AUTH_SPF,
	    SPF("'result':'permerror','domain':'example.org','reason':'two records'"), "",
	    "permerror in the record of example.org: two records");
	check_says(AUTH_SPF, SPF("'result':'none'"), "", "none");
	check_says(AUTH_DKIM,
	    "{'dkim':{'signature':[{'result':'pass','domain':'example.org','selector':'s1','"
	    "algorithm':'rsa-sha256','key':{'bits':2048}},{'result':'fail','reason':'body'}]}}",
	    "", "pass of example.org, selector s1, rsa-sha256 with 2048 bits; fail: body");
	check_says(AUTH_DKIM,
	    "{'dkim':{'signature':[{'result':'a'},{'result':'b'},{'result':'c'},{'result':'d'}]}}",
	    "", "a; b; c; and more");
	check_says(AUTH_DKIM, "{'dkim':{'signature':[]}}", "", "not signed");
	check_says(AUTH_DMARC,
	    "{'author':{'domain':'example.org'},'spf':{'mailfrom':{'result':'pass'}},'dkim':{'"
	    "signature':[{'result':'pass'}]},'dmarc':{'result':'pass','rfc7489':{'result':'pass','"
	    "policy':'reject','spf_counts':true,'dkim_counts':[0]},'rfc9989':{'result':'fail','"
	    "policy':'none'}}}",
	    "",
	    "pass for example.org by SPF and DKIM, policy reject (by RFC 9989: fail, policy none)");
	check_says(AUTH_ARC, "{'arc':{'result':'pass','set':[{},{'domain':'lists.example'}]}}", "",
	    "pass, 2 sets, the last by lists.example");
	check_says(AUTH_ARC, "{'arc':{'result':'none','set':[]}}", "", "no chain");
	check_says(AUTH_FCRDNS,
	    "{'fcrdns':{'result':'pass','name':[{'name':'a.example'},{'name':'mail.example.org','"
	    "confirmed':true}]}}",
	    "", "pass as mail.example.org");
	check_says(AUTH_EHLO, "{'helo':'local\\\\nhost','ehlo':{'form':'single label'}}", "",
	    "local?host, which is no full name");
	check_says(AUTH_EHLO, "{}", "", "not judged");
	check_says(AUTH_DKIM,
	    "{'message':{'over_limit':true,'wrong':'the header is larger than 9 octets'},'dkim':{'"
	    "signature':[{'result':'permerror'}]}}",
	    "", "not judged: the header is larger than 9 octets");
	check_says(AUTH_DKIM, "{'dkim':{'signatures':17,'signature':[{'result':'fail'}]}}", "",
	    "not judged: there are more signatures than are looked at");
}

/* --- whose results they are --------------------------------------------------------------------------- */

/* By connection and digest; of two equal messages each has its own; what crashed is told. */
static void
belongs(void **state)
{
	static const enum verified_state want[] = { VERIFIED_JUDGED, VERIFIED_LOST, VERIFIED_OPEN,
		VERIFIED_JUDGED };

	(void)state;
	mail(1, "dual", 4, 1);
	mail(2, "dual", 4, 2);
	mail(3, "dual", 4, 3);
	mail(4, "dual", 4, 4);
	judged(9, "dual", 4, SPF("'result':'fail'"), "");
	judged(10, "dual", 1, SPF("'result':'pass'"), "");
	event_at(&obs, 5, "verify.crashed",
	    "\"test\":\"dual\",\"conn\":\"c2\",\"digest\":\"d2\",\"reason\":\"killed by signal "
	    "11\"");
	/* Of no message here: another digest on its connection. */
	event_at(&obs, 6, "verify.lost",
	    "\"test\":\"dual\",\"conn\":\"c3\",\"digest\":\"d4\",\"reason\":\"x\"");
	struct correlation *c = correlated(&obs);
	const struct facts *f = facts(c, "dual");
	struct strbuf b = { 0 };
	assert_int_equal(f->n_attempts, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->attempts[i].verified->state, want[i]);
	assert_true(verified_is(f->attempts[3].verified, AUTH_SPF, "fail"));
	verified_describe(&b, f->attempts[1].verified, AUTH_DKIM);
	assert_string_equal(b.s, "not judged: the verifier crashed, killed by signal 11");
	strbuf_clear(&b);
	/* Joined to the tests that are graded on it. */
	assert_int_equal(facts(c, "spf")->n_attempts, 4);
	assert_int_equal(facts(c, "spf")->accepted, 4);
	assert_ptr_equal(facts(c, "spf")->attempts[0].verified, f->attempts[0].verified);
	/* A test that does not ask has none. */
	mail(20, "greylist", 4, 9);
	correlation_free(c);
	c = correlated(&obs);
	assert_null(facts(c, "greylist")->attempts[0].verified);
	correlation_free(c);
}

/* A message of ours that a loop brings back says nothing about who it came through. */
static void
ours(void **state)
{
	static const struct {
		const char *author;
		bool ours;
	} from[] = {
		{ EVENTS_TOKEN ".out.example", true },
		{ "a.b.AAAAAAAAAAAAAAAA.tree.out.example", true },
		{ "out." EVENTS_TOKEN, true },
		{ "x" EVENTS_TOKEN ".out.example", false },
		{ EVENTS_TOKEN "x.out.example", false },
		{ "sender.example", false },
		{ "", false },
	};
	const size_t n = sizeof from / sizeof from[0];
	char results[200];

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		snprintf(results, sizeof results,
		    "{'author':{'domain':'%s'},'dkim':{'signature':[{'result':'pass'}]}}",
		    from[i].author);
		mail(2 * i, "dual", 4, i);
		judged(2 * i + 1, "dual", i, results, "");
	}
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "dual")->n_attempts, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(facts(c, "dual")->attempts[i].verified == NULL, from[i].ours);
	correlation_free(c);
}

static void
unreadable(void **state)
{
	(void)state;
	mail(1, "dual", 4, 1);
	judged(2, "dual", 1, "{'spf':", "");
	mail(3, "dual", 4, 2);
	judged(4, "dual", 2, "[1]", "");
	event_at(
	    &obs, 5, "smtp.connect", "\"test\":\"dual\",\"conn\":\"c3\",\"peer\":\"192.0.2.1\"");
	event_at(&obs, 6, "smtp.message",
	    "\"test\":\"dual\",\"conn\":\"c3\",\"reply\":250,\"digest\":\"d3\"");
	struct correlation *c = correlated(&obs);
	const struct facts *f = facts(c, "dual");
	struct strbuf b = { 0 };
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(f->attempts[i].verified->state, VERIFIED_LOST);
	verified_describe(&b, f->attempts[1].verified, AUTH_SPF);
	assert_string_equal(b.s, "not judged: results unreadable");
	strbuf_reset(&b);
	verified_describe(&b, f->attempts[2].verified, AUTH_SPF);
	assert_string_equal(b.s, "not judged: no verifier saw it");
	strbuf_clear(&b);
	correlation_free(c);
}

/* --- verdicts ----------------------------------------------------------------------------------------- */

static void
check_verdict(const char *test, double now, enum grade grade, bool final, const char *reason)
{
	struct correlation *c = correlated(&obs);
	struct judge j = { .c = c, .now = EVENTS_START + (int64_t)(now * 1e6), .pace = 1 };
	struct verdict v;

	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	if (v.grade != grade || v.final != final || strcmp(v.reason, reason) != 0)
		fail_msg("%s: %s%s: %s (waits for %s)", test, grade_name(v.grade),
		    v.final ? "" : " so far", v.reason, v.waits);
	correlation_free(c);
}

#define PASS SPF("'result':'pass','term':'ip4:192.0.2.0/24','domain':'example.org'")
#define FAIL SPF("'result':'fail','term':'-all','domain':'example.org'")

/* Settled when dual, ipv4 and ipv6 are, and the verifier has answered. */
static void
settles(void **state)
{
	(void)state;
	mail(0, "dual", 4, 1);
	check_verdict("spf", 10, GRADE_PENDING, false, "waiting for mail to be judged");
	judged(11, "dual", 1, PASS, "pass");
	mail(12, "ipv4", 4, 2);
	judged(13, "ipv4", 2, PASS, "pass");
	check_verdict("spf", 20, GRADE_PENDING, false, "waiting for mail to be judged");
	/* No IPv6: the sender stays away for six hours. */
	check_verdict("spf", 7 * HOUR, GRADE_CONFORMS, true,
	    "passes over IPv4; nothing was judged over IPv6: IPv4: pass by ip4:192.0.2.0/24 in the "
	    "record "
	    "of example.org");
	mail(30, "ipv6", 6, 3);
	check_verdict("spf", 40, GRADE_PENDING, false, "waiting for mail to be judged");
	/* The verifier never answered. */
	check_verdict("spf", 700, GRADE_CONFORMS, true,
	    "passes over IPv4; nothing was judged over IPv6: IPv4: pass by ip4:192.0.2.0/24 in the "
	    "record "
	    "of example.org; IPv6: not judged yet");
	judged(41, "ipv6", 3, FAIL, "fail");
	check_verdict("spf", 50, GRADE_VIOLATES, true,
	    "passes over IPv4, but your own record forbids it over IPv6: IPv4: pass by "
	    "ip4:192.0.2.0/24 in "
	    "the record of example.org; IPv6: fail by -all in the record of example.org");
}

/* Of several messages over one family the worst is told. */
static void
worst_is_told(void **state)
{
	(void)state;
	mail(0, "dual", 4, 1);
	mail(1, "ipv4", 4, 2);
	mail(2, "ipv6", 6, 3);
	judged(3, "dual", 1, PASS, "");
	judged(3, "ipv4", 2, FAIL, "");
	judged(3, "ipv6", 3, FAIL, "");
	check_verdict("spf", 10, GRADE_VIOLATES, true,
	    "your own record forbids the address that sent: IPv4: fail by -all in the record of "
	    "example.org (1 of 2 messages); IPv6: fail by -all in the record of example.org");
}

static void
nothing_came(void **state)
{
	(void)state;
	event_at(&obs, 0, "dns.query", "\"test\":\"dual\",\"qtype\":\"MX\",\"at\":\"{d}\"");
	check_verdict("spf", 7 * 24 * HOUR, GRADE_INCONCLUSIVE, true,
	    "nothing was delivered to dual, ipv4 or ipv6");
	check_verdict("spf", 60, GRADE_PENDING, false, "waiting for mail to be judged");
}

/* A test with an address of its own waits for the verifier as well. */
static void
own_address(void **state)
{
	(void)state;
	mail(0, "dual", 4, 1);
	event_at(&obs, 1, "smtp.connect",
	    "\"test\":\"dkim-stress\",\"conn\":\"c2\",\"peer\":\"192.0.2.1\"");
	for (unsigned i = 0; i < 4; i++) {
		static const char *const boxes[] = { "probe",
			"the-second-of-four-recipients-so-that-the-to-field-is-long",
			"the-third-of-four-recipients-so-that-the-to-field-is-long",
			"the-fourth-of-four-recipients-so-that-the-to-field-is-long" };
		event_at(&obs, 1, "smtp.command",
		    "\"test\":\"dkim-stress\",\"conn\":\"c2\",\"verb\":\"RCPT\",\"arg\":\"TO:<%"
		    "s@" EVENTS_TOKEN ".dkim-stress.x>\",\"mailbox\":\"%s\",\"reply\":250",
		    boxes[i], boxes[i]);
	}
	event_at(&obs, 2, "smtp.message",
	    "\"test\":\"dkim-stress\",\"conn\":\"c2\",\"reply\":250,\"digest\":\"d2\",\"handed\":"
	    "true,"
	    "\"subject\":\"Outpost canary dkim-stress\"");
	check_verdict("dkim-stress", 10, GRADE_PENDING, false, "waiting for the sender");
	judged(11, "dkim-stress", 2,
	    "{'dkim':{'signature':[{'result':'fail','domain':'example.org','reason':'body'}]}}",
	    "");
	check_verdict("dkim-stress", 20, GRADE_PENDING, false,
	    "signed, but what came is not what was signed: IPv4: fail of example.org: body; "
	    "waiting whether the signature of other mail holds");
	check_verdict("dkim-stress", 700, GRADE_INCONCLUSIVE, true,
	    "the signature does not hold; whether that of other mail does is not known: IPv4: "
	    "fail of example.org: body");
	judged(
	    12, "dual", 1, "{'dkim':{'signature':[{'result':'pass','domain':'example.org'}]}}", "");
	check_verdict("dkim-stress", 20, GRADE_VIOLATES, true,
	    "signed, but what came is not what was signed: IPv4: fail of example.org: body");
	/* One broken key is one finding. */
	mail(13, "dual", 4, 3);
	judged(14, "dual", 3,
	    "{'dkim':{'signature':[{'result':'fail','domain':'example.org','reason':'body'}]}}",
	    "");
	check_verdict("dkim-stress", 20, GRADE_INCONCLUSIVE, true,
	    "the signature does not hold, but neither does that of other mail: dkim tells about "
	    "that: IPv4: fail of example.org: body");
}

/* A copy of a message whose words are there to be broken comes to the control as well, and says nothing of other
 * mail. */
static void
copy_of_canary(void **state)
{
	(void)state;
	mail(0, "dual", 4, 1);
	judged(1, "dual", 1,
	    "{'dkim':{'signature':[{'result':'pass','domain':'example.org','key':{'bits':2048}}]}}",
	    "");
	event_at(
	    &obs, 2, "smtp.connect", "\"test\":\"dual\",\"conn\":\"c2\",\"peer\":\"192.0.2.1\"");
	event_at(&obs, 3, "smtp.message",
	    "\"test\":\"dual\",\"conn\":\"c2\",\"reply\":250,\"digest\":\"d2\",\"handed\":true,"
	    "\"subject\":\"Outpost canary smuggling\"");
	judged(4, "dual", 2,
	    "{'dkim':{'signature':[{'result':'fail','domain':'example.org','reason':'body'}]}}",
	    "");
	check_verdict("dkim", 7 * HOUR, GRADE_CONFORMS, true,
	    "verifies over IPv4; nothing was judged over IPv6: IPv4: pass of example.org");
	struct correlation *c = correlated(&obs);
	assert_non_null(facts(c, "dual")->attempts[1].verified);
	assert_non_null(facts(c, "spf")->attempts[1].verified);
	assert_null(facts(c, "dmarc")->attempts[1].verified);
	correlation_free(c);
}

/* --- the report ----------------------------------------------------------------------------------------- */

static void
check_has(
    const struct report *r, const char *view, const char *const *want, const char *const *never)
{
	struct strbuf b = { 0 };

	report_view(view)->write(&b, r, NULL);
	for (; *want != NULL; want++)
		if (strstr(b.s, *want) == NULL)
			fail_msg("%s: %s is missing:\n%s", view, *want, b.s);
	for (; *never != NULL; never++)
		if (strstr(b.s, *never) != NULL)
			fail_msg("%s: %s is there", view, *never);
	strbuf_clear(&b);
}

/* Both paths with their evidence; what a stranger says is shown as text. */
static void
in_report(void **state)
{
	static const char *const text[] = { "Who wrote the mail",
		"Over IPv4 from 192.0.2.1 to dual", "2 messages alike",
		"Over IPv6 from 2001:db8:1::25 to ipv6",
		"record of example.org: v=spf1 -all: gives fail", "-all: match",
		"3 of 10 lookups, 1 of 2 that found nothing",
		"the domain explains: <script>x</script>?[31m", "libspf2 crashed at this record",
		"not judged: the verifier crashed, killed by signal 11", NULL };
	static const char *const html[] = { "<h2>Who wrote the mail</h2>", "Over IPv4", "Over IPv6",
		"2 messages had these results", "&lt;script&gt;x&lt;/script&gt;?[31m",
		"<span class=\"badge bad\">fail</span>",
		"<span class=\"badge none\">not judged</span>", NULL };
	static const char *const json[] = { "\"mail\":[", "\"family\":4,\"test\":\"dual\"",
		"\"state\":\"judged\",\"spf\":\"pass\"", "\"libspf2\":\"crashed\",\"results\":{",
		"\"state\":\"lost\",\"why\":\"not judged: the verifier crashed", NULL };
	static const char *const never[] = { "<script>x", "\033", NULL }, *const none[] = { NULL };
	struct judge j = { .pace = 1 };

	(void)state;
	mail(0, "dual", 4, 1);
	mail(1, "ipv4", 4, 2);
	mail(2, "ipv6", 6, 3);
	mail(3, "dual", 4, 4);
	judged(4, "dual", 1, PASS, "pass");
	judged(4, "ipv4", 2, PASS, "pass");
	judged(4, "ipv6", 3,
	    SPF("'result':'fail','term':'-all','domain':'example.org','lookups':3,'voids':1,"
		"'explanation':'<script>x</"
		"script>\\\\u001b[31m','trace':[{'depth':0,'record':'v=spf1 "
		"-all','result':'fail','domain':'example.org'},{'depth':0,'term':'-all','result':'"
		"match'}]"),
	    "crashed");
	event_at(&obs, 5, "verify.crashed",
	    "\"test\":\"dual\",\"conn\":\"c4\",\"digest\":\"d4\",\"reason\":\"killed by signal "
	    "11\"");
	struct report *r = report_from(
	    &obs, cat, EVENTS_TOKEN, "mail", 0, EVENTS_START + 100 * CLOCK_SECOND, &j);
	check_has(r, "text", text, &never[1]);
	check_has(r, "html", html, never);
	check_has(r, "json", json, none);
	report_free(r);
}

/* Results that a report could not hold inside its own are not read. */
static void
too_deep(void **state)
{
	char results[200] = "{'a':", *p = results + 5;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		*p++ = '[';
	for (unsigned i = 0; i < 40; i++)
		*p++ = ']';
	strcpy(p, "}");
	mail(1, "dual", 4, 1);
	judged(2, "dual", 1, results, "");
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "dual")->attempts[0].verified->state, VERIFIED_LOST);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(every_word),
		OBSERVED(in_words),
		OBSERVED(belongs),
		OBSERVED(ours),
		OBSERVED(unreadable),
		OBSERVED(settles),
		OBSERVED(worst_is_told),
		OBSERVED(nothing_came),
		OBSERVED(own_address),
		OBSERVED(copy_of_canary),
		OBSERVED(in_report),
		OBSERVED(too_deep),
	};
	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
