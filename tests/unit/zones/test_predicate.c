/* The words of verdict rules: what each row and selector gives, and what is refused. */
#include "tests/unit/zones/fixture.h"

#include "lib/clock.h"
#include "zones/predicate.h"

/* Splits at blanks; '...' is one word. */
static int
parse(struct predicate **out, size_t *n_out, const char *text, char *err, size_t errlen)
{
	char copy[512], *word[64], *s = copy;
	unsigned n = 0;

	snprintf(copy, sizeof copy, "%s", text);
	while (*s != '\0') {
		char end = *s == '\'' ? '\'' : ' ';
		word[n++] = *s == '\'' ? ++s : s;
		s += strcspn(s, end == '\'' ? "'" : " ");
		while (*s == end || *s == ' ')
			*s++ = '\0';
	}
	return predicate_parse(out, n_out, word, n, err, errlen);
}

static struct predicate *
good(const char *text, size_t *n)
{
	char err[300] = "";
	struct predicate *p = NULL;

	if (parse(&p, n, text, err, sizeof err) != 0)
		fail_msg("%s: %s", text, err);
	return p;
}

static void
every_row(void **state)
{
	static const char *const texts[P_KIND_MAX] = {
		[P_ACCEPTED] = "accepted host 1 mailbox 2 v6 tls sni client-cert phase 3 count 2..",
		[P_ATTEMPTED] = "attempted v4 clear",
		[P_GAVE_UP_AT] = "gave-up-at tls-ehlo host 31",
		[P_COMPLETED] = "completed 3..9 v4",
		[P_SEEN] = "seen dns TLSA at _25._tcp.{mx0} rcode SERVFAIL via tcp phase 1 count 4",
		[P_FETCHED] = "fetched status 200",
		[P_MET] = "met dev 'reply 450' after attempted",
		[P_EARLY] = "early at MAIL",
		[P_STALE] = "stale host 0 35s",
		[P_SAID] = "said MAIL SMTPUTF8 host 0 clear",
		[P_MESSAGE] = "message 8bit tls",
		[P_HELLO] = "hello without group hybrid v4 host 0",
		[P_REPORT] = "report true",
		[P_DSN] = "dsn 5.7.1",
		[P_AUTH] = "auth spf softfail v6 mailbox 1",
		[P_OUTGOING] = "outgoing sent count 2",
		[P_AGAIN] = "again",
		[P_SENT] = "sent",
		[P_CONTROL_ACCEPTED] = "control accepted",
		[P_CONTROL_RETURNED] = "control returned",
		[P_CONTROL_ANY] = "control any dual ipv4 ipv6",
		[P_CONTROL_AUTH] = "control auth dkim pass",
		[P_CONTRAST] = "contrast refused",
		[P_TRAIT] = "trait validates no",
		[P_SETTLED] = "not settled",
		[P_OTHERWISE] = "otherwise",
	};
	size_t n;

	(void)state;
	for (unsigned k = 0; k < P_KIND_MAX; k++) {
		struct predicate *p = good(texts[k], &n);
		assert_int_equal(n, 1);
		assert_int_equal(p->kind, k);
		assert_non_null(predicate_usage((enum predicate_kind)k));
		predicate_free(p, n);
	}
}

static void
fields(void **state)
{
	size_t n;
	struct predicate *p = good(
	    "accepted host 1 mailbox 2 v6 tls sni client-cert phase 3 count 2..5 and not attempted",
	    &n);

	(void)state;
	assert_int_equal(n, 2);
	assert_int_equal(p[0].host, 1);
	assert_int_equal(p[0].mailbox, 2);
	assert_int_equal(p[0].family, 6);
	assert_int_equal(p[0].tls, 1);
	assert_true(p[0].sni);
	assert_true(p[0].client_cert);
	assert_int_equal(p[0].phase, 3);
	assert_int_equal(p[0].count_min, 2);
	assert_int_equal(p[0].count_max, 5);
	assert_false(p[0].negated);
	assert_true(p[1].negated);
	assert_int_equal(p[1].host, -1);
	assert_int_equal(p[1].tls, -1);
	assert_int_equal(p[1].count_min, 1);
	assert_int_equal(p[1].count_max, UINT32_MAX);
	predicate_free(p, n);

	p = good("seen dns TLSA at _25._tcp.{mx0} rcode DROP via v6 within 10m before accepted tls "
		 "and settled",
	    &n);
	assert_int_equal(n, 2);
	assert_int_equal(p[0].type, 52);
	assert_string_equal(p[0].at, "_25._tcp.{mx0}");
	assert_int_equal(p[0].rcode, RCODE_DROP);
	assert_int_equal(p[0].via, VIA_V6);
	assert_int_equal(p[0].within_us, 600 * CLOCK_SECOND);
	assert_int_equal(p[0].within_side, WITHIN_BEFORE);
	assert_non_null(p[0].within_of);
	assert_int_equal(p[0].within_of->kind, P_ACCEPTED);
	assert_int_equal(p[0].within_of->tls, 1);
	predicate_free(p, n);

	p = good("hello without cipher weak v6 and hello", &n);
	assert_int_equal(p[0].thing, HELLO_WEAK);
	assert_true(p[0].without);
	assert_int_equal(p[0].family, 6);
	assert_int_equal(p[1].thing, HELLO_ANY);
	assert_false(p[1].without);
	predicate_free(p, n);

	p = good("accepted host 1 returned met dev 'reply 421' and met lost and settled", &n);
	assert_int_equal(n, 3);
	assert_int_equal(p[0].returned->kind, P_MET);
	assert_string_equal(p[0].returned->name[0], "reply 421");
	assert_int_equal(p[0].host, 1);
	assert_false(p[0].lost);
	assert_true(p[1].lost);
	assert_null(p[1].returned);
	predicate_free(p, n);

	p = good("trait validates", &n);
	assert_int_equal(p[0].answer, TRAIT_YES);
	assert_string_equal(p[0].name[0], "validates");
	predicate_free(p, n);
	p = good("seen dns any", &n);
	assert_int_equal(p[0].type, 0);
	predicate_free(p, n);
	p = good("accepted after met dev close within 1h of attempted", &n);
	assert_int_equal(p[0].after->kind, P_MET);
	assert_int_equal(p[0].after->within_of->kind, P_ATTEMPTED);
	predicate_free(p, n);
}

static void
refused(void **state)
{
	static const char *const texts[] = {
		"",
		"nonsense",
		"accepted and",
		"and accepted",
		"accepted attempted",
		"accepted v4 v6",
		"accepted tls clear",
		"accepted host",
		"accepted host 32",
		"accepted host -1",
		"accepted host 1x",
		"accepted host 1 host 1",
		"accepted mailbox 8",
		"accepted phase 0",
		"accepted phase 9",
		"accepted count",
		"accepted count x",
		"accepted count 3..2",
		"accepted count ..3",
		"accepted count 1..2..3",
		"accepted count 2000000",
		"accepted at {d}",
		"met tls",
		"early v4",
		"stale host 0 35s v6",
		"accepted rcode NOERROR",
		"attempted mailbox 0",
		"gave-up-at",
		"gave-up-at accepted",
		"gave-up-at none",
		"gave-up-at nowhere",
		"completed",
		"seen",
		"seen MX",
		"seen dns",
		"seen dns OPT",
		"seen dns ANY",
		"seen dns AXFR",
		"seen dns NOTYPE",
		"seen dns MX at",
		"seen dns MX at example.org",
		"seen dns MX rcode NOPE",
		"seen dns MX via smoke",
		"seen dns MX host 0",
		"fetched status 99",
		"fetched status 600",
		"met dev",
		"early at NOVERB",
		"stale host 0",
		"stale 35s",
		"stale host 0 35",
		"said",
		"said HALLO",
		"said MAIL SIZE BODY",
		"said MAIL mailbox 0",
		"message",
		"message nice",
		"hello with",
		"hello with group",
		"hello with group magic",
		"hello with cipher hybrid",
		"hello without version",
		"hello group hybrid",
		"hello with group hybrid without cipher weak",
		"hello mailbox 0",
		"report perhaps",
		"dsn 3",
		"dsn 5x",
		"control",
		"control refused",
		"control any",
		"control auth",
		"control auth dkim",
		"control auth dkim nonsense",
		"control auth open canary",
		"control any a b c d e",
		"control accepted tls",
		"contrast",
		"contrast perhaps",
		"trait",
		"trait validates perhaps",
		"settled tls",
		"otherwise and accepted",
		"accepted and otherwise",
		"not otherwise",
		"not not accepted",
		"accepted after",
		"accepted after settled",
		"accepted after not attempted",
		"accepted after sent",
		"accepted after again",
		"accepted within",
		"accepted within 5 of attempted",
		"accepted within 5m attempted",
		"accepted within 5m of",
		"accepted after attempted after attempted after attempted",
		"accepted and accepted and accepted and accepted and accepted and accepted and "
		"accepted and accepted and "
		"accepted and accepted and accepted and accepted and accepted and accepted and "
		"accepted and accepted and "
		"accepted",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct predicate *p = NULL;
		char err[300] = "";
		size_t n = 0;
		if (parse(&p, &n, texts[i], err, sizeof err) == 0)
			fail_msg("taken: %s", texts[i]);
		assert_int_not_equal(strlen(err), 0);
	}
}

static void
words_both_ways(void **state)
{
	(void)state;
	for (unsigned s = 0; s < STAGE_MAX; s++)
		assert_int_equal(stage_by_name(stage_name((enum stage)s),
				     (unsigned)strlen(stage_name((enum stage)s))),
		    s);
	assert_int_equal(stage_by_name("tls", 3), STAGE_MAX);
	for (unsigned o = 0; o < OUTCOME_MAX; o++)
		assert_int_equal(outcome_by_name(outcome_name((enum outcome)o)), o);
	assert_int_equal(outcome_by_name("x"), OUTCOME_MAX);
	for (unsigned a = 0; a < TRAIT_MAX; a++)
		assert_int_equal(trait_answer_by_name(trait_answer_name((enum trait_answer)a)), a);
	assert_int_equal(trait_answer_by_name("maybe"), TRAIT_MAX);
	assert_null(predicate_selector(1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(fields),
		cmocka_unit_test(refused),
		cmocka_unit_test(words_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
