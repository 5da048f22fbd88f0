/* Events to attempts and lookups. */
#include <limits.h>

#include "lib/clock.h"
#include "tests/unit/results/fixture.h"

static void
finish(struct correlation *c, struct observations *obs)
{
	correlation_free(c);
	observations_clear(obs);
}

/* One connection, two tests: each has its own transaction, and the early part belongs to both. */
static void
test_reuse(void **state)
{
	struct observations obs = { 0 };
	const char *early =
	    "{\"v\":1,\"t\":\"2026-01-01T00:00:00Z\",\"node\":\"a\",\"d\":\"x\",\"w\":0,\"n\":9999,"
	    "\"ev\":\"smtp.connect\",\"conn\":\"0-1\",\"peer\":\"192.0.2.7\"}";

	(void)state;
	observations_add(&obs, early, strlen(early));
	event_at(&obs, 1, "smtp.command",
	    "\"test\":\"dual\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<probe@" EVENTS_TOKEN
	    ".DUAL.outpost.example>\",\"reply\":250");
	event_at(&obs, 2, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	event_at(&obs, 3, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"verb\":\"MAIL\",\"reply\":250");
	event_at(&obs, 4, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<"
	    "probe@" EVENTS_TOKEN
	    ".greylist.outpost.example>\",\"reply\":450,\"dev\":\"reply 450\"");
	event_at(&obs, 5, "smtp.close",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"stage\":\"accepted\",\"how\":\"quit\"");
	struct correlation *c = correlated(&obs);
	const struct facts *dual = facts(c, "dual"), *grey = facts(c, "greylist");
	assert_int_equal(dual->n_attempts, 1);
	assert_true(dual->attempts[0].accepted);
	assert_string_equal(dual->attempts[0].peer, "192.0.2.7");
	assert_int_equal(grey->n_attempts, 1);
	assert_false(grey->attempts[0].accepted);
	assert_int_equal(grey->attempts[0].stage, STAGE_RCPT);
	assert_int_equal(grey->attempts[0].reply, 450);
	assert_int_equal(grey->attempts[0].t, EVENTS_START + 3 * CLOCK_SECOND);
	assert_ptr_equal(dual->events[0], grey->events[0]);
	assert_int_equal(c->n_sessions, 1);
	finish(c, &obs);
}

/* Recipients of two tests in one transaction: the second is refused, both are marked. */
static void
test_mixed(void **state)
{
	struct observations obs = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++)
		event_at(&obs, i + 1, "smtp.command",
		    "\"test\":\"dual\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<"
		    "probe@" EVENTS_TOKEN ".%s.x>\",\"reply\":%d",
		    i == 0 ? "dual" : "reject", i == 0 ? 250 : 452);
	event_at(&obs, 3, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	struct correlation *c = correlated(&obs);
	assert_true(facts(c, "dual")->attempts[0].accepted);
	assert_true(facts(c, "dual")->attempts[0].mixed);
	assert_int_equal(facts(c, "reject")->n_attempts, 1);
	assert_false(facts(c, "reject")->attempts[0].accepted);
	assert_true(facts(c, "reject")->attempts[0].mixed);
	finish(c, &obs);
}

/* The session is bound by its address, but what was accepted was for another token: nothing is. */
static void
test_foreign_recipient(void **state)
{
	struct observations obs = { 0 };

	(void)state;
	event_at(&obs, 0, "smtp.connect",
	    "\"test\":\"reject\",\"conn\":\"0-1\",\"peer\":\"2001:db8::1\"");
	event_at(&obs, 1, "smtp.command",
	    "\"test\":\"reject\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<probe@"
	    "bbbbbbbbbbbbbbbb.reject.x>\",\"reply\":250");
	event_at(&obs, 2, "smtp.message", "\"test\":\"reject\",\"conn\":\"0-1\",\"reply\":250");
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "reject")->accepted, 0);
	assert_true(facts(c, "reject")->attempts[0].mixed);
	finish(c, &obs);
}

/* Sendmail writes the name that an alias leads to into the recipient: it is of this test all the same. */
static void
test_rewritten_recipient(void **state)
{
	static const struct {
		const char *test, *domain;
		bool accepted;
	} cases[] = {
		{ "dns-cname", EVENTS_TOKEN ".dns-cname.x", true },
		{ "dns-cname", EVENTS_TOKEN ".to.dns-cname.x", true },
		{ "dns-cname", EVENTS_TOKEN ".TO.DNS-CNAME.x", true },
		{ "dns-cname", EVENTS_TOKEN ".too.dns-cname.x", false },
		{ "dns-cname", EVENTS_TOKEN ".to.to.dns-cname.x", false },
		{ "dns-cname", EVENTS_TOKEN ".to.dual.x", false },
		{ "dns-cname", EVENTS_TOKEN ".gone.dns-cname.x", false },
		{ "dual", EVENTS_TOKEN ".to.dual.x", false },
		{ "dns-dname", EVENTS_TOKEN ".dns-dname.x", true },
		{ "dns-dname", EVENTS_TOKEN ".dns-dname-b.x", true },
	};

	char err[512];
	struct catalogue *small = cat;

	(void)state;
	cat = catalogue_load("zones/catalogue", err, sizeof err);
	assert_non_null(cat);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct observations obs = { 0 };
		event_at(&obs, 1, "smtp.command",
		    "\"test\":\"%s\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<probe@%s>\","
		    "\"mailbox\":\"probe\",\"reply\":250",
		    cases[i].test, cases[i].domain);
		event_at(&obs, 2, "smtp.message", "\"test\":\"%s\",\"conn\":\"0-1\",\"reply\":250",
		    cases[i].test);
		struct correlation *c = correlated(&obs);
		assert_int_equal(facts(c, cases[i].test)->accepted, cases[i].accepted);
		assert_int_equal(facts(c, cases[i].test)->attempts[0].mixed, !cases[i].accepted);
		finish(c, &obs);
	}
	catalogue_free(cat);
	cat = small;
}

/* A clock that steps back in the middle of a session loses nothing of its outcome. */
static void
test_clock(void **state)
{
	struct observations obs = { 0 };

	(void)state;
	event_at(
	    &obs, 100, "smtp.connect", "\"test\":\"dual\",\"conn\":\"0-1\",\"peer\":\"192.0.2.1\"");
	event_at(&obs, 101, "smtp.command",
	    "\"test\":\"dual\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"TO:<probe@" EVENTS_TOKEN
	    ".dual.x>\",\"reply\":250");
	event_at(&obs, 2, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	event_at(
	    &obs, 3, "smtp.close", "\"test\":\"dual\",\"conn\":\"0-1\",\"stage\":\"accepted\"");
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "dual")->accepted, 1);
	finish(c, &obs);
}

/* The same segment under two names. */
static void
test_twice(void **state)
{
	struct observations obs = { 0 };
	const char *line = "{\"v\":1,\"t\":\"2026-01-01T00:00:00Z\",\"node\":\"a\",\"d\":\"x\","
			   "\"w\":0,\"n\":1,\"ev\":\"smtp.message\","
			   "\"token\":\"" EVENTS_TOKEN
			   "\",\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250}";

	(void)state;
	for (int i = 0; i < 3; i++)
		observations_add(&obs, line, strlen(line));
	struct correlation *c = correlated(&obs);
	assert_int_equal(obs.n, 1);
	assert_int_equal(obs.twice, 2);
	assert_int_equal(facts(c, "dual")->n_attempts, 1);
	finish(c, &obs);
}

/* A hundred thousand events of one token take no more than seconds, under a sanitizer too. */
static void
test_many(void **state)
{
	struct observations obs = { 0 };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		event_at(&obs, i, "dns.query",
		    "\"test\":\"greylist\",\"qtype\":\"MX\",\"at\":\"{d}\",\"rcode\":\"NOERROR\"");
		event_at(&obs, i, "net.syn",
		    "\"test\":\"greylist\",\"peer\":\"2001:db8::1\",\"port\":%d,\"local\":\"2001:"
		    "db8::2\",\"host\":0",
		    i);
		event_at(&obs, i + .1, "smtp.connect",
		    "\"test\":\"greylist\",\"peer\":\"2001:db8::1\",\"port\":%d,\"local\":\"2001:"
		    "db8::2\",\"conn\":\"0-%d\"",
		    i, i);
		event_at(&obs, i + .2, "smtp.command",
		    "\"test\":\"greylist\",\"conn\":\"0-%d\",\"verb\":\"RCPT\",\"reply\":450,"
		    "\"dev\":\"reply 450\"",
		    i);
		event_at(&obs, i + .3, "smtp.close",
		    "\"test\":\"greylist\",\"conn\":\"0-%d\",\"stage\":\"rcpt\"", i);
	}
	int64_t begun = clock_monotonic();
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "greylist")->n_attempts, 20000);
	assert_true(clock_monotonic() - begun < 20 * CLOCK_SECOND);
	finish(c, &obs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_foreign_recipient),
		cmocka_unit_test(test_rewritten_recipient),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
