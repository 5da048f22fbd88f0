/* Resolvers from the raw features of queries; farms; where addresses are. */
#include "tests/unit/results/fixture.h"

static void
query(struct observations *obs, double t, const char *peer, const char *more)
{
	event_at(obs, t, "dns.query",
	    "\"test\":\"dual\",\"qtype\":\"A\",\"at\":\"{d}\",\"qname\":\"x\",\"peer\":\"%s\",%s",
	    peer, more);
}

/* Two members, of which one wants DNSSEC records, uses TCP and cookies: they differ in that. */
static void
test_farm(void **state)
{
	struct observations obs = { 0 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		char more[160];
		snprintf(more, sizeof more,
		    "\"via\":\"%s\",\"port\":%d,\"id\":%d,\"flags\":\"do\",\"edns\":%d,"
		    "\"cookie\":\"0123456789abcdef%s\"",
		    i == 5 ? "tcp" : "udp", 1000 + 777 * i, (i * 40503) & 65535,
		    i == 0 ? 4096 : 1232, i == 0 ? "" : "0011223344556677");
		query(&obs, i, "192.0.2.1", more);
		snprintf(more, sizeof more, "\"via\":\"udp\",\"port\":53,\"id\":%d",
		    65533 + i > 65535 ? i - 3 : 65533 + i);
		query(&obs, i + 0.5, "2001:db8::1", more);
	}
	query(&obs, 9, "192.0.2.9", "\"via\":\"udp\",\"port\":7,\"id\":1"); /* too few to tell */
	struct correlation *c = correlated(&obs);
	assert_int_equal(c->n_resolvers, 3);
	const struct resolver *a = &c->resolvers[0], *b = &c->resolvers[2];
	assert_string_equal(a->peer, "192.0.2.1");
	assert_int_equal(a->edns, 4096);
	assert_int_equal(a->edns_min, 1232);
	assert_int_equal(a->udp, 5);
	assert_int_equal(a->ports, 5);
	assert_int_equal(a->ids, 6);
	assert_true(a->id_bits > 2.5 && a->id_bits < 2.6);
	assert_true(resolver_has(a, RESOLVER_SERVER_COOKIE) && resolver_has(a, RESOLVER_TCP));
	assert_false(resolver_has(a, RESOLVER_ID_SEQUENTIAL));
	assert_string_equal(b->peer, "2001:db8::1");
	assert_int_equal(b->edns, -1);
	assert_true(resolver_has(b, RESOLVER_PORT_FIXED));
	assert_true(resolver_has(b, RESOLVER_ID_SEQUENTIAL)); /* over the end of 16 bits too */
	assert_false(resolver_has(b, RESOLVER_DNSSEC_OK));
	assert_int_equal(c->farm.ipv4, 2);
	assert_int_equal(c->farm.ipv6, 1);
	assert_int_equal(c->farm.telling, 2);
	unsigned differ = c->farm.some & ~c->farm.all;
	assert_true(differ >> RESOLVER_DNSSEC_OK & 1);
	assert_true(differ >> RESOLVER_COOKIE & 1);
	assert_false(differ >> RESOLVER_CASE_RANDOM & 1);
	correlation_free(c);
	observations_clear(&obs);
}

static void
test_nobody(void **state)
{
	struct observations obs = { 0 };
	struct correlation *c = correlated(&obs);

	(void)state;
	assert_int_equal(c->n_resolvers, 0);
	assert_int_equal(c->farm.some | c->farm.all, 0);
	correlation_free(c);
}

static void
test_place(void **state)
{
	struct place p = { 64500, "Example Networks", "DE" };
	struct conf_list none = { .n = 1, .item = { "/nonexistent.db" } };
	char text[112];

	(void)state;
	place_format(text, &p);
	assert_string_equal(text, "AS64500 Example Networks, DE");
	p.as = 0;
	p.organization[0] = '\0';
	place_format(text, &p);
	assert_string_equal(text, "DE");
	p.country[0] = '\0';
	place_format(text, &p);
	assert_string_equal(text, "");
	memset(p.organization, 'x', sizeof p.organization - 1);
	p.as = UINT32_MAX;
	snprintf(p.country, sizeof p.country, "DE");
	place_format(text, &p);
	assert_int_equal(strlen(text), 13 + 79 + 6 - 2);
	assert_false(whereabouts_of(&p, NULL, "192.0.2.1"));
	assert_int_equal(p.as, 0);
	/* A database that is not there is told, and what is packaged is used all the same. */
	struct whereabouts *w = whereabouts_open(&none);
	if (w != NULL) {
		assert_false(whereabouts_of(&p, w, "no address"));
		assert_false(whereabouts_of(&p, w, "192.0.2.1"));
		assert_true(whereabouts_of(&p, w, "193.0.6.139")); /* RIPE NCC */
		assert_int_equal(p.as, 3333);
		assert_string_equal(p.country, "NL");
		assert_true(whereabouts_of(&p, w, "2001:67c:2e8:22::c100:68b"));
		assert_int_equal(p.as, 3333);
	}
	whereabouts_close(w);
	whereabouts_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_farm),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
