/* Events to lookups, fetches and attempts of one test. */
#include "results/facts.h"

#include "tests/unit/results/fixture.h"

static struct observations obs;

static void
test_lookup(void **state)
{
	struct facts f = { 0 };

	(void)state;
	event_at(&obs, 1, "dns.query",
	    "\"qtype\":\"TLSA\",\"at\":\"_25._tcp.{mx0}\",\"rcode\":\"servfail\",\"via\":\"tcp\","
	    "\"peer\":\"2001:db8::1\",\"phase\":2,\"dev\":\"rcode\"");
	event_at(&obs, 2, "dns.query", "\"qtype\":\"A\",\"rcode\":\"drop\",\"peer\":\"192.0.2.1\"");
	facts_lookup(&f, obs.item[0]);
	facts_lookup(&f, obs.item[1]);
	assert_int_equal(f.n_lookups, 2);
	assert_int_equal(f.lookups[0].type, 52);
	assert_int_equal(f.lookups[0].rcode, 2);
	assert_true(f.lookups[0].tcp);
	assert_int_equal(f.lookups[0].family, 6);
	assert_int_equal(f.lookups[0].phase, 2);
	assert_string_equal(f.lookups[0].dev, "rcode");
	assert_int_equal(f.lookups[1].rcode, RCODE_DROP);
	assert_int_equal(f.lookups[1].family, 4);
	assert_int_equal(f.lookups[1].phase, -1);
	assert_string_equal(f.lookups[1].at, "");
	facts_clear(&f);
}

/* Only the policy's path at the policy's name. */
static void
test_fetch(void **state)
{
	static const struct {
		const char *at, *what;
		bool is;
	} cases[] = {
		{ "mta-sts.{d}", "GET /.well-known/mta-sts.txt HTTP/1.1", true },
		{ "MTA-STS.{d}", "GET /.well-known/mta-sts.txt", true },
		{ "{d}", "GET /.well-known/mta-sts.txt", false },
		{ "mta-sts", "GET /.well-known/mta-sts.txt", false },
		{ "mta-sts.{d}", "GET /", false },
		{ "mta-sts.{d}", "GET /mta-sts.txt", false },
	};
	struct facts f = { 0 };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		event_at(&obs, (double)i, "http.request",
		    "\"at\":\"%s\",\"what\":\"%s\",\"reply\":404", cases[i].at, cases[i].what);
		facts_fetch(&f, obs.item[i]);
		n += cases[i].is;
		assert_int_equal(f.n_fetches, n);
	}
	assert_int_equal(f.fetches[0].status, 404);
	assert_int_equal(f.fetches[0].family, 0);
	assert_ptr_equal(f.fetches[1].event, obs.item[1]);
	facts_clear(&f);
}

/* By their beginning, then by their end. */
static void
test_order(void **state)
{
	struct attempt a = { .t = 1, .end = 5 }, b = { .t = 1, .end = 6 }, c = { .t = 2, .end = 2 };

	(void)state;
	assert_true(attempt_order(&a, &b) < 0 && attempt_order(&b, &a) > 0);
	assert_true(attempt_order(&b, &c) < 0 && attempt_order(&c, &b) > 0);
	assert_int_equal(attempt_order(&a, &a), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_lookup),
		OBSERVED(test_fetch),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
