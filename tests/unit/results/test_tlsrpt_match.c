/* What a report says against what the test shows and what was seen of the sender. */
#include <stdlib.h>

#include "lib/strbuf.h"
#include "results/mime.h"
#include "results/tlsrpt_match.h"
#include "tests/unit/results/fixture.h"

static void
reported(struct observations *obs, double t, const char *test, const char *domain, const char *type,
    const char *failures, int successes, bool mail)
{
	struct strbuf json = { 0 };

	if (mail)
		strbuf_puts(
		    &json, "From: a@b.example\r\nContent-Type: application/tlsrpt+json\r\n\r\n");
	strbuf_printf(&json,
	    "{\"organization-name\":\"x\",\"contact-info\":\"y\",\"report-id\":\"z\","
	    "\"date-range\":{\"start-datetime\":\"2026-01-01T00:00:00Z\","
	    "\"end-datetime\":\"2026-01-01T23:59:59Z\"},\"policies\":[{\"policy\":{\"policy-type\":"
	    "\"%s\",\"policy-domain\":\"%s\"},\"summary\":{\"total-successful-session-count\":%d,"
	    "\"total-failure-session-count\":0},\"failure-details\":[%s]}]}",
	    type, domain, successes, failures);
	char *data = xmalloc(json.len * 4 / 3 + 8);
	mime_base64_put(data, json.s, json.len);
	event_at(obs, t, "tlsrpt.report",
	    "\"test\":\"%s\",\"via\":\"%s\",\"type\":\"application/tlsrpt+json\",\"data\":\"%s\"",
	    test, mail ? "mail" : "https", data);
	free(data);
	strbuf_clear(&json);
}

static const struct facts *
facts_for(struct correlation **c, struct observations *obs, const char *test)
{
	*c = correlated(obs);
	return facts(*c, test);
}

static void
session(struct observations *obs, double t, const char *test)
{
	event_at(obs, t, "smtp.connect",
	    "\"test\":\"%s\",\"conn\":\"c%d\",\"peer\":\"192.0.2.1\",\"local\":\"203.0.113.1\","
	    "\"host\":0",
	    test, (int)t);
	event_at(obs, t + 1, "smtp.close",
	    "\"test\":\"%s\",\"conn\":\"c%d\",\"host\":0,\"stage\":\"handshake\",\"how\":\"quit\"",
	    test, (int)t);
}

#define DOMAIN EVENTS_TOKEN ".dane-ee-mismatch.base.example"
#define MX     "\"receiving-mx-hostname\":\"" EVENTS_TOKEN ".mx0.dane-ee-mismatch.base.example\""

static enum tlsrpt_answer
answer(const char *domain, const char *type, const char *failures, int successes, bool seen,
    const char **why)
{
	struct observations obs = { 0 };
	struct correlation *c;

	if (seen)
		session(&obs, 10, "dane-ee-mismatch");
	reported(&obs, 90000, "dane-ee-mismatch", domain, type, failures, successes, !seen);
	const struct facts *f = facts_for(&c, &obs, "dane-ee-mismatch");
	assert_int_equal(f->n_reports, 1);
	assert_non_null(f->reports[0]->report);
	enum tlsrpt_answer is = f->reports[0]->answer;
	unsigned n = f->reports[0]->n;
	*why = n == 0 ? "" : f->reports[0]->row[n - 1].why;
	correlation_free(c);
	observations_clear(&obs);
	return is;
}

static void
test_answers(void **state)
{
	static const struct {
		const char *domain, *type, *failures;
		int successes;
		bool seen;
		enum tlsrpt_answer is;
		const char *why;
	} rows[] = {
		{ DOMAIN, "tlsa",
		    "{\"result-type\":\"validation-failure\",\"failed-session-count\":1," MX "}", 0,
		    true, TLSRPT_TRUE, "so it was seen" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"certificate-host-mismatch\"}", 0, true,
		    TLSRPT_TRUE, "so it was seen" },
		{ DOMAIN, "tlsa",
		    "{\"result-type\":\"validation-failure\",\"failed-session-count\":9}", 0, true,
		    TLSRPT_TRUE, "not as often" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"tlsa-invalid\"}", 0, false, TLSRPT_TRUE,
		    "published" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"validation-failure\"}", 0, false,
		    TLSRPT_UNKNOWN, "no connection" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"certificate-expired\"}", 0, true,
		    TLSRPT_FALSE, "nothing here" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"starttls-not-supported\"}", 0, true,
		    TLSRPT_FALSE, "nothing here" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"sts-policy-fetch-error\"}", 0, true,
		    TLSRPT_FALSE, "nothing here" },
		{ DOMAIN, "tlsa", "{\"result-type\":\"my-own\"}", 0, true, TLSRPT_UNKNOWN,
		    "nobody knows" },
		{ DOMAIN, "tlsa",
		    "{\"result-type\":\"validation-failure\",\"receiving-mx-hostname\":\"mx.b."
		    "example\"}",
		    0, true, TLSRPT_FALSE, "a mail host" },
		{ DOMAIN, "sts", "", 0, true, TLSRPT_FALSE, "a policy" },
		{ DOMAIN, "tlsa", "", 7, true, TLSRPT_FALSE, "more sessions" },
		{ DOMAIN, "tlsa", "", 1, true, TLSRPT_FALSE, "all went well" },
		{ DOMAIN, "no-policy-found", "", 1, true, TLSRPT_UNKNOWN, "nothing in it" },
		{ "b.example", "tlsa", "{\"result-type\":\"certificate-expired\"}", 0, true,
		    TLSRPT_UNKNOWN, "" },
		{ EVENTS_TOKEN ".dual.base.example", "tlsa", "", 99, true, TLSRPT_UNKNOWN, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why;
		enum tlsrpt_answer is = answer(rows[i].domain, rows[i].type, rows[i].failures,
		    rows[i].successes, rows[i].seen, &why);
		if (is != rows[i].is || strstr(why, rows[i].why) == NULL)
			fail_msg("row %zu: %s, %s", i, tlsrpt_answer_name(is), why);
	}
}

/* What is no report is one that came, with the reason. */
static void
test_unreadable(void **state)
{
	struct observations obs = { 0 };
	struct correlation *c;

	(void)state;
	event_at(&obs, 1, "tlsrpt.report", "\"test\":\"dual\",\"via\":\"https\",\"data\":\"!\"");
	event_at(
	    &obs, 2, "tlsrpt.report", "\"test\":\"dual\",\"via\":\"mail\",\"data\":\"aGFsbG8=\"");
	event_at(&obs, 3, "tlsrpt.report", "\"test\":\"dual\",\"via\":\"https\"");
	for (int i = 0; i < 2 * REPORTS_MAX; i++)
		event_at(&obs, 4 + i, "tlsrpt.report", "\"test\":\"dual\",\"via\":\"https\"");
	const struct facts *f = facts_for(&c, &obs, "dual");
	assert_int_equal(f->n_reports, REPORTS_MAX);
	assert_null(f->reports[0]->report);
	assert_string_equal(f->reports[0]->why, "the event's data is no base64");
	assert_string_equal(f->reports[1]->why, "no part of the mail is a report");
	assert_true(f->reports[2]->why[0] != '\0');
	correlation_free(c);
	observations_clear(&obs);
}

/* The mail that brings a report is no mail of the measurement, neither is its session. */
static void
test_collector(void **state)
{
	struct observations obs = { 0 };
	struct correlation *c;
	char err[256];
	struct catalogue *all = catalogue_load("zones/catalogue", err, sizeof err), *saved = cat;

	(void)state;
	if (all == NULL)
		fail_msg("%s", err);
	cat = all;
	const struct test *t = catalogue_find(all, "tlsrpt-dane", 11);
	assert_true(test_wants_reports(t));
	assert_true(tlsrpt_is_collector(t, 1));
	assert_false(tlsrpt_is_collector(t, 0));
	assert_false(test_wants_reports(catalogue_find(all, "dual", 4)));
	event_at(&obs, 1, "smtp.connect",
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"r1\",\"peer\":\"2001:db8::1\",\"host\":1");
	event_at(&obs, 2, "smtp.command",
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"r1\",\"verb\":\"MAIL\",\"reply\":250,\"arg\":"
	    "\"FROM:<>\"");
	event_at(&obs, 3, "smtp.command",
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"r1\",\"verb\":\"RCPT\",\"reply\":250,"
	    "\"arg\":\"TO:<tlsrpt@" EVENTS_TOKEN ".tlsrpt-dane-b.x>\",\"mailbox\":\"tlsrpt\"");
	event_at(&obs, 4, "smtp.close",
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"r1\",\"host\":1,\"stage\":\"accepted\"");
	event_at(&obs, 5, "smtp.connect", /* came to nothing */
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"r2\",\"peer\":\"2001:db8::1\",\"host\":1");
	event_at(&obs, 6, "tls.hello", /* HTTPS */
	    "\"test\":\"tlsrpt-dane\",\"conn\":\"h1\",\"sni\":\"tlsrpt.x\"");
	const struct facts *f = facts_for(&c, &obs, "tlsrpt-dane");
	assert_int_equal(f->n_attempts, 0);
	correlation_free(c);
	observations_clear(&obs);
	cat = saved;
	catalogue_free(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_collector),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
