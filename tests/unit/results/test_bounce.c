/* Bounces to facts of the tests that they are about. */
#include "results/bounce.h"

#include <stdlib.h>

#include "lib/strbuf.h"
#include "results/mime.h"
#include "tests/unit/results/fixture.h"

static struct observations obs;

/* A bounce that came to a test, about one recipient after another. */
static void
came(double t, const char *test, const char *const *recipients, unsigned n)
{
	struct strbuf text = { 0 };
	char *data;

	strbuf_puts(&text,
	    "From: <>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
	    "report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nno\r\n--b\r\n"
	    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n");
	for (unsigned i = 0; i < n; i++)
		strbuf_printf(&text,
		    "\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.0.0\r\n",
		    recipients[i]);
	strbuf_puts(&text, "\r\n--b--\r\n");
	data = xmalloc(2 * text.len + 8);
	mime_base64_put(data, text.s, text.len);
	event_at(
	    &obs, t, "smtp.dsn", "\"test\":\"%s\",\"conn\":\"%g\",\"data\":\"%s\"", test, t, data);
	free(data);
	strbuf_clear(&text);
}

/* Which test an address is of; NULL: of none. */
static void
test_address(void **state)
{
	static const struct {
		const char *address, *test;
	} cases[] = {
		{ "probe@" EVENTS_TOKEN ".tls12.outpost.example", "tls12" },
		{ "probe@AAAAAAAAAAAAAAAA.TLS12.outpost.example", "tls12" },
		{ "probe@mx.relay.example." EVENTS_TOKEN ".tls12.outpost.example", "tls12" },
		{ "probe@" EVENTS_TOKEN ".mx0.tls12.outpost.example", "tls12" },
		{ "probe@" EVENTS_TOKEN ".dns-dname-b.outpost.example", "dns-dname" },
		{ "probe@" EVENTS_TOKEN ".a.b.tls12.outpost.example", NULL },
		{ "probe@" EVENTS_TOKEN, NULL },
		{ "probe@" EVENTS_TOKEN ".", NULL },
		{ "probe@" EVENTS_TOKEN "a.tls12.outpost.example", NULL },
		{ "probe@bbbbbbbbbbbbbbbb.tls12.outpost.example", NULL },
		{ EVENTS_TOKEN ".tls12.outpost.example", NULL },
		{ "@", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		came(10, "dual", &cases[i].address, 1);
		struct correlation *c = correlated(&obs);
		size_t n = 0;
		for (size_t k = 0; k < cat->n; k++)
			n += c->facts[k].n_bounces;
		assert_int_equal(n, cases[i].test != NULL);
		if (cases[i].test != NULL) {
			const struct facts *f = facts(c, cases[i].test);
			assert_int_equal(f->n_bounces, 1);
			assert_int_equal(f->bounces[0].t, EVENTS_START + 10 * CLOCK_SECOND);
			assert_ptr_equal(f->events[0], obs.item[0]); /* in its timeline, too */
		}
		correlation_free(c);
		observations_clear(&obs);
	}
}

/* What is no address of ours is about a message that we wrote, if the bounce came to where those point. */
static void
test_written(void **state)
{
	static const char *const theirs[] = { "someone@participant.example" };

	(void)state;
	came(10, "out", theirs, 1);
	came(20, "dual", theirs, 1);
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "out")->n_bounces, 1);
	assert_int_equal(facts(c, "dual")->n_bounces, 0);
	assert_int_equal(c->n_dsns, 2);
	correlation_free(c);
}

/* Two recipients of one test: two facts, one line in its timeline. */
static void
test_recipients(void **state)
{
	static const char *const two[] = { "a@" EVENTS_TOKEN ".tls12.x",
		"b@" EVENTS_TOKEN ".tls12.x" };

	(void)state;
	came(10, "dual", two, 2);
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "tls12")->n_bounces, 2);
	assert_int_equal(facts(c, "tls12")->n_events, 1);
	assert_int_equal(facts(c, "dual")->n_events, 1);
	correlation_free(c);
}

/* After the release it may tell of our own refusal. */
static void
test_release(void **state)
{
	static const char *const ours[] = { "a@" EVENTS_TOKEN ".tls12.x" };
	struct correlation *c = correlation_new(cat, EVENTS_TOKEN);
	struct facts *to = correlation_find(c, "out", 3), *about = correlation_find(c, "tls12", 5);

	(void)state;
	came(99.999, "out", ours, 1);
	came(100, "out", ours, 1);
	c->released = EVENTS_START + 100 * CLOCK_SECOND;
	bounce_read(c, to, obs.item[0]);
	assert_int_equal(about->n_bounces, 1);
	bounce_read(c, to, obs.item[1]);
	assert_int_equal(about->n_bounces, 1);
	correlation_free(c);
}

/* So many are read; garbage is none. */
static void
test_limit(void **state)
{
	static const char *const ours[] = { "a@" EVENTS_TOKEN ".tls12.x" };

	(void)state;
	event_at(&obs, 0, "smtp.dsn", "\"test\":\"dual\",\"data\":\"not base64\"");
	event_at(&obs, 1, "smtp.dsn", "\"test\":\"dual\",\"data\":\"\"");
	event_at(&obs, 2, "smtp.dsn", "\"test\":\"dual\",\"data\":\"QUJD\"");
	for (int i = 0; i < BOUNCES_MAX + 1; i++)
		came(10 + i, "dual", ours, 1);
	struct correlation *c = correlated(&obs);
	assert_int_equal(c->n_dsns, BOUNCES_MAX);
	assert_int_equal(facts(c, "tls12")->n_bounces, BOUNCES_MAX);
	assert_int_equal(facts(c, "dual")->n_events, BOUNCES_MAX + 4);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_address),
		OBSERVED(test_written),
		OBSERVED(test_recipients),
		OBSERVED(test_release),
		OBSERVED(test_limit),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
