/* Which lookups and fetches count. */
#include "results/counted.h"

#include "results/outgoing.h"
#include "tests/unit/results/fixture.h"

static struct observations obs;

/* Lookups count near attempts only. */
static void
test_windows(void **state)
{
	static const double times[] = { 0, 500, 1000, 1200, 2000 };
	static const bool counts[] = { false, true, true, false, false };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		event_at(&obs, times[i], "dns.query",
		    "\"test\":\"dual\",\"qtype\":\"MX\",\"at\":\"{d}\",\"rcode\":\"NOERROR\"");
		event_at(&obs, times[i], "dns.query",
		    "\"test\":\"reject\",\"qtype\":\"MX\",\"at\":\"{d}\",\"rcode\":\"DROP\"");
	}
	event_at(&obs, 1000, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	struct correlation *c = correlated(&obs);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(facts(c, "dual")->lookups[i].counts, counts[i]);
		/* No attempt of its own: near anyone's, ten minutes after it too. */
		assert_int_equal(
		    facts(c, "reject")->lookups[i].counts, counts[i] || times[i] == 1200);
	}
	assert_int_equal(facts(c, "reject")->lookups[0].rcode, RCODE_DROP);
	correlation_free(c);
}

#define WINDOW ((double)COUNTED_WINDOW / CLOCK_SECOND)

/* An attempt of dual from 1000 to 1100; a query for the test and a request for its policy at t. */
static void
counts(bool *lookup, bool *fetch, const char *test, double t)
{
	event_at(&obs, t, "dns.query", "\"test\":\"%s\",\"qtype\":\"MX\",\"at\":\"{d}\"", test);
	event_at(&obs, t, "http.request",
	    "\"test\":\"%s\",\"at\":\"mta-sts.{d}\",\"what\":\"GET /.well-known/mta-sts.txt\","
	    "\"reply\":200",
	    test);
	event_at(&obs, 1000, "smtp.connect", "\"test\":\"dual\",\"conn\":\"0-1\"");
	event_at(&obs, 1100, "smtp.close", "\"test\":\"dual\",\"conn\":\"0-1\"");
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, test)->n_lookups, 1);
	assert_int_equal(facts(c, test)->n_fetches, 1);
	*lookup = facts(c, test)->lookups[0].counts;
	*fetch = facts(c, test)->fetches[0].counts;
	correlation_free(c);
	observations_clear(&obs);
}

/* To the microsecond: before the attempt, in it, after it. */
static void
test_edges(void **state)
{
	static const struct {
		double t;
		bool own, fetch, other;
	} cases[] = {
		{ 1000 - WINDOW - 0.001, false, false, false },
		{ 1000 - WINDOW, true, true, true },
		{ 1000, true, true, true },
		{ 1100, true, true, true },
		{ 1100.001, false, true, true },
		{ 1100 + WINDOW, false, true, true },
		{ 1100 + WINDOW + 0.001, false, false, false },
	};
	bool lookup, fetch;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		counts(&lookup, &fetch, "dual", cases[i].t);
		assert_int_equal(lookup, cases[i].own);
		assert_int_equal(fetch, cases[i].fetch);
		counts(&lookup, &fetch, "reject", cases[i].t);
		assert_int_equal(lookup, cases[i].other);
		assert_int_equal(fetch, cases[i].other);
	}
}

/* What was asked because of mail that we wrote counts from then on, for a day; attempts say nothing of it. */
static void
test_outgoing(void **state)
{
	static const double day = (double)OUTGOING_WINDOW / CLOCK_SECOND;
	static const struct {
		double t;
		bool counts;
	} cases[] = { { 99.999, false }, { 100, true }, { 100 + day, true },
		{ 100.001 + day, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		event_at(&obs, cases[i].t, "dns.query",
		    "\"test\":\"out\",\"qtype\":\"A\",\"at\":\"{d}\"");
	event_at(&obs, 100, "out.sent", "\"test\":\"out\"");
	event_at(&obs, 99, "smtp.connect", "\"test\":\"dual\",\"conn\":\"0-1\"");
	struct correlation *c = correlated(&obs);
	const struct facts *f = facts(c, "out");
	assert_true(f->test->unmailed);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(f->lookups[i].counts, cases[i].counts);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_windows),
		OBSERVED(test_edges),
		OBSERVED(test_outgoing),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
