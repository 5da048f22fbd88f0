/* Who sent. */
#include "results/sender.h"

#include "tests/unit/results/fixture.h"

static struct observations obs;

/* More addresses than rows: the rest is counted, not kept. */
static void
test_identities(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		event_at(&obs, i, "dns.query",
		    "\"test\":\"dual\",\"peer\":\"198.51.100.%d\",\"port\":53,\"via\":\"udp\","
		    "\"qname\":\"aAbB\","
		    "\"flags\":\"rd do\",\"edns\":1232,\"at\":\"_tcp.{mx0}\",\"qtype\":\"A\"",
		    i);
		event_at(&obs, i, "smtp.connect",
		    "\"test\":\"dual\",\"conn\":\"0-%d\",\"peer\":\"192.0.2.%d\"", i, i);
	}
	struct correlation *c = correlated(&obs);
	assert_int_equal(c->n_resolvers, IDENTITIES_MAX);
	assert_int_equal(c->resolvers_beyond, 300 - IDENTITIES_MAX);
	assert_int_equal(c->n_senders, IDENTITIES_MAX);
	assert_true(resolver_has(&c->resolvers[0], RESOLVER_CASE_RANDOM) &&
		    resolver_has(&c->resolvers[0], RESOLVER_MINIMISED) &&
		    resolver_has(&c->resolvers[0], RESOLVER_DNSSEC_OK));
	assert_int_equal(c->resolvers[0].edns, 1232);
	correlation_free(c);
}

/* One row for each (address, EHLO, fingerprint): the name is case-blind, the rest is not. */
static void
test_rows(void **state)
{
	static const struct {
		const char *peer, *ehlo, *ja4;
	} said[] = {
		{ "192.0.2.1", "a.example", "t13" },
		{ "192.0.2.1", "A.Example", "t13" },
		{ "192.0.2.1", "a.example", "t12" },
		{ "192.0.2.1", "b.example", "t13" },
		{ "192.0.2.2", "a.example", "t13" },
		{ "192.0.2.1", "a.example", "t13" },
	};

	(void)state;
	for (int i = 0; i < 6; i++) {
		event_at(&obs, 10 * i, "smtp.connect",
		    "\"test\":\"dual\",\"conn\":\"0-%d\",\"peer\":\"%s\"", i, said[i].peer);
		event_at(&obs, 10 * i + 1, "tls.hello",
		    "\"test\":\"dual\",\"conn\":\"0-%d\",\"ja4\":\"%s\"", i, said[i].ja4);
		event_at(&obs, 10 * i + 2, "smtp.command",
		    "\"test\":\"dual\",\"conn\":\"0-%d\",\"verb\":\"EHLO\",\"arg\":\"%s\"", i,
		    said[i].ehlo);
	}
	struct correlation *c = correlated(&obs);
	assert_int_equal(c->n_senders, 4);
	assert_int_equal(c->senders_beyond, 0);
	assert_string_equal(c->senders[1].ja4, "t13");
	assert_int_equal(c->senders[1].sessions, 3);
	assert_int_equal(c->senders[1].first, EVENTS_START);
	assert_int_equal(c->senders[1].last, EVENTS_START + 52 * CLOCK_SECOND);
	assert_int_equal(c->senders[3].family, 4);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_identities),
		OBSERVED(test_rows),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
