/* Bounces as senders make them, and as they must not be; which test they are joined to, and what they settle. */
#include <stdlib.h>

#include "results/dsn.h"
#include "results/judge.h"
#include "results/mime.h"
#include "tests/unit/results/fixture.h"

#define HEAD                                                                                       \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"          \
	"--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "                 \
	"mx.example\r\n\r\n"

static char why[160];

static struct dsn *
read_text(const char *text)
{
	*why = '\0';
	return dsn_read(text, strlen(text), why, sizeof why);
}

static struct dsn *
read_file(const char *name)
{
	char path[128], text[8192];
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "tests/fuzz/corpus/dsn/%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	*why = '\0';
	return dsn_read(text, n, why, sizeof why);
}

static void
check_postfix(struct dsn *d)
{
	if (d == NULL)
		fail_msg("%s", why);
	assert_int_equal(d->n, 2);
	assert_string_equal(d->reporting_mta, "mail.example.org");
	assert_string_equal(d->arrival, "Sat, 21 Nov 2026 20:00:00 +0000 (UTC)");
	assert_string_equal(d->rcpt[0].final, "probe@aaaaaaaaaaaaaaaa.reject.example");
	assert_string_equal(d->rcpt[0].original, "probe@aaaaaaaaaaaaaaaa.reject.example");
	assert_int_equal(d->rcpt[0].action, DSN_FAILED);
	assert_string_equal(d->rcpt[0].status, "5.1.1");
	assert_string_equal(d->rcpt[0].diagnostic, "550 5.1.1 There is no such mailbox here");
	assert_string_equal(d->rcpt[0].remote_mta, "aaaaaaaaaaaaaaaa.mx0.reject.example");
	assert_int_equal(d->rcpt[1].action, DSN_DELAYED);
	assert_string_equal(d->rcpt[1].diagnostic, "Server certificate not trusted");
	free(d);
}

static void
real_ones(void **state)
{
	struct dsn *d;

	(void)state;
	check_postfix(read_file("postfix"));
	check_postfix(read_file("crlf"));
	d = read_file("postfix");
	assert_int_equal(strncmp(d->words, "This is the mail system at host", 31), 0);
	free(d);
	check_postfix(read_file("forwarded"));
}

static void
internationalised(void **state)
{
	struct dsn *d = read_file("global");

	(void)state;
	assert_non_null(d);
	assert_string_equal(d->rcpt[0].final, "\303\244\305\242@example.org");
	assert_string_equal(d->words, "Es tut uns leid.");
	free(d);
}

/* What is no bounce, or says nothing that can be used. */
static void
refused(void **state)
{
	static const char *const bad[] = {
		"",
		"Subject: Undelivered\r\n\r\nFinal-Recipient: rfc822; a@b\r\n",
		"Content-Type: multipart/report; report-type=feedback-report; "
		"boundary=x\r\n\r\n--x\r\n"
		"Content-Type: message/delivery-status\r\n\r\nA: b\r\n\r\nAction: failed\r\n",
		"Content-Type: multipart/report; report-type=delivery-status; "
		"boundary=x\r\n\r\n--x\r\n",
		HEAD,
		HEAD "Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1\r\n",
		HEAD "Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 3.1.1\r\n",
		HEAD "Final-Recipient: rfc822; a@b\r\nAction: failed\r\nStatus: 5.1.1111\r\n",
		HEAD "Final-Recipient: rfc822; a@b\r\nAction: eaten\r\nStatus: 5.1.1\r\n",
		HEAD "Final-Recipient: rfc822; a@b\r\nStatus: 5.1.1\r\n",
		HEAD "Action: failed\r\nStatus: 5.1.1\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct dsn *d = read_text(bad[i]);
		if (d != NULL)
			fail_msg("read: %s", bad[i]);
		assert_true(*why != '\0');
	}
	assert_null(read_file("too-deep"));
	assert_null(read_file("cut"));
}

static void
limits(void **state)
{
	struct strbuf b = { 0 };
	struct dsn *d;

	(void)state;
	strbuf_puts(&b, HEAD);
	for (unsigned i = 0; i < DSN_RECIPIENTS_MAX + 3; i++)
		strbuf_printf(&b,
		    "Final-Recipient: rfc822; %u@b\r\nAction: Failed (twice)\r\nStatus: 5.0.0 "
		    "(x)\r\n\r\n",
		    i);
	d = read_text(b.s);
	assert_non_null(d);
	assert_int_equal(d->n, DSN_RECIPIENTS_MAX);
	assert_int_equal(d->beyond, 3);
	assert_string_equal(d->rcpt[63].final, "63@b");
	free(d);
	strbuf_clear(&b);
	/* a field that is longer than its place */
	strbuf_puts(&b, HEAD "Final-Recipient: rfc822; ");
	for (unsigned i = 0; i < 900; i++)
		strbuf_puts(&b, "a");
	strbuf_puts(&b, "\r\nAction: failed\r\nStatus: 5.1.1\r\n");
	d = read_text(b.s);
	assert_non_null(d);
	assert_int_equal(strlen(d->rcpt[0].final), sizeof d->rcpt[0].final - 1);
	free(d);
	strbuf_clear(&b);
}

static void
prefixes(void **state)
{
	(void)state;
	assert_true(dsn_status_is("5.7.1", "5"));
	assert_true(dsn_status_is("5.7.1", "5.7"));
	assert_true(dsn_status_is("5.7.1", "5.7.1"));
	assert_false(dsn_status_is("5.70.1", "5.7"));
	assert_false(dsn_status_is("4.7.1", "5"));
	assert_false(dsn_status_is("5.7", "5.7.1"));
}

/* --- joined ---------------------------------------------------------------------------------------- */

/* smtp.dsn that came to this test, about this recipient. */
static void
bounce(struct observations *obs, double t, const char *at, const char *final, const char *action)
{
	char text[1024], data[1600];
	int n = snprintf(text, sizeof text,
	    HEAD "Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: 5.1.1\r\n", final, action);

	mime_base64_put(data, text, (size_t)n);
	event_at(obs, t, "smtp.dsn", "\"test\":\"%s\",\"data\":\"%s\"", at, data);
}

static void
joined(void **state)
{
	struct observations obs = { 0 };
	struct correlation *c;

	(void)state;
	bounce(&obs, 1, "dual", "probe@" EVENTS_TOKEN ".reject.lab.example", "failed");
	bounce(&obs, 2, "dual", "probe@sub." EVENTS_TOKEN ".sts-parent.lab.example", "failed");
	bounce(&obs, 3, "dual", "probe@bbbbbbbbbbbbbbbb.reject.lab.example", "failed");
	bounce(&obs, 4, "dual", "x" EVENTS_TOKEN ".reject.lab.example", "failed");
	bounce(&obs, 5, "out", "somebody@example.org", "failed");
	bounce(&obs, 6, "dual", "probe@" EVENTS_TOKEN ".dane-batch-b.lab.example", "failed");
	bounce(&obs, 7, "dual", "probe@" EVENTS_TOKEN ".dane-batch-", "failed");
	event_at(&obs, 8, "smtp.dsn", "\"test\":\"dual\",\"data\":\"####\"");
	c = correlated(&obs);
	assert_int_equal(facts(c, "reject")->n_bounces, 1);
	assert_int_equal(facts(c, "reject")->n_events, 1);
	assert_int_equal(facts(c, "sts-parent")->n_bounces, 1);
	assert_int_equal(facts(c, "dual")->n_bounces, 0);
	assert_int_equal(facts(c, "dual")->n_events, 7);
	assert_int_equal(facts(c, "out")->n_bounces, 1);
	assert_int_equal(facts(c, "in-spf")->n_bounces, 1);
	assert_int_equal(facts(c, "dane-batch")->n_bounces, 1);
	correlation_free(c);
	observations_clear(&obs);
}

/* Is the test settled a second after the last event, with this bounce? */
static bool
settled(double t, const char *action)
{
	struct observations obs = { 0 };
	struct judge j = { .pace = 1, .now = EVENTS_START + 400 * CLOCK_SECOND };
	int64_t until;
	char text[160];
	bool is;

	event_at(
	    &obs, 100, "smtp.connect", "\"test\":\"reject\",\"conn\":\"1\",\"peer\":\"192.0.2.1\"");
	event_at(&obs, 101, "smtp.close",
	    "\"test\":\"reject\",\"conn\":\"1\",\"stage\":\"ehlo\",\"peer\":\"192.0.2.1\"");
	bounce(&obs, t, "dual", "probe@" EVENTS_TOKEN ".reject.lab.example", action);
	j.c = correlated(&obs);
	assert_int_equal(facts(j.c, "reject")->n_attempts, 1);
	is = judge_settled(&j, facts(j.c, "reject"), &until, text, sizeof text);
	correlation_free((struct correlation *)(uintptr_t)j.c);
	observations_clear(&obs);
	return is;
}

static void
a_bounce_settles(void **state)
{
	(void)state;
	assert_true(settled(200, "failed"));
	assert_false(settled(200, "delayed"));
	assert_false(settled(50, "failed")); /* it tried again after it */
}

/* Lookups of mail that we wrote: for a day after it, and at no other time. */
static void
windows(void **state)
{
	struct observations obs = { 0 };
	struct correlation *c;
	const struct facts *f;

	(void)state;
	event_at(&obs, 1, "dns.query", "\"test\":\"out\",\"qtype\":\"TXT\",\"at\":\"{d}\"");
	event_at(&obs, 2, "out.sent", "\"test\":\"out\",\"what\":\"invitation\"");
	event_at(&obs, 3, "dns.query", "\"test\":\"out\",\"qtype\":\"TXT\",\"at\":\"{d}\"");
	event_at(&obs, 2 + 86400, "dns.query", "\"test\":\"out\",\"qtype\":\"TXT\",\"at\":\"{d}\"");
	event_at(&obs, 3 + 86400, "dns.query", "\"test\":\"out\",\"qtype\":\"TXT\",\"at\":\"{d}\"");
	c = correlated(&obs);
	f = facts(c, "in-spf");
	assert_int_equal(f->n_lookups, 4);
	assert_false(f->lookups[0].counts);
	assert_true(f->lookups[1].counts);
	assert_true(f->lookups[2].counts);
	assert_false(f->lookups[3].counts);
	correlation_free(c);
	observations_clear(&obs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_ones),
		cmocka_unit_test(internationalised),
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(joined),
		cmocka_unit_test(a_bounce_settles),
		cmocka_unit_test(windows),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
