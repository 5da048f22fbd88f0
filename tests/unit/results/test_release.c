/* When the participant was released, and what that hides. */
#include "results/release.h"

#include "tests/unit/results/fixture.h"

static struct observations obs;

static void
test_at(void **state)
{
	static const char other[] =
	    "{\"v\":1,\"t\":\"2026-01-01T00:00:00Z\",\"node\":\"a\",\"d\":\"x\",\"w\":0,\"n\":9999,"
	    "\"ev\":\"smtp.command\",\"token\":\"bbbbbbbbbbbbbbbb\",\"test\":\"dual\","
	    "\"dev\":\"released\"}";
	int64_t told = EVENTS_START + 50 * CLOCK_SECOND;

	(void)state;
	observations_add(&obs, other, sizeof other - 1);
	event_at(&obs, 1, "smtp.command", "\"test\":\"dual\",\"dev\":\"reply 450\"");
	assert_int_equal(release_at(EVENTS_TOKEN, &obs, 0), 0);
	assert_int_equal(release_at(EVENTS_TOKEN, &obs, told), told);
	event_at(&obs, 60, "smtp.command", "\"test\":\"dual\",\"dev\":\"released\"");
	assert_int_equal(release_at(EVENTS_TOKEN, &obs, told), told);
	assert_int_equal(release_at(EVENTS_TOKEN, &obs, 0), EVENTS_START + 60 * CLOCK_SECOND);
	event_at(&obs, 40, "smtp.command", "\"test\":\"dual\",\"dev\":\"released\"");
	assert_int_equal(release_at(EVENTS_TOKEN, &obs, told), EVENTS_START + 40 * CLOCK_SECOND);
}

static void
test_hides(void **state)
{
	static const struct {
		double t;
		const char *kind, *test;
		bool hidden;
	} cases[] = {
		{ 99.999, "smtp.command", "dual", false },
		{ 100, "smtp.command", "dual", true },
		{ 200, "dns.query", "dual", true },
		{ 200, "verify.result", "dual", false }, /* of a message that was there */
		{ 200, "verify.audit", "dual", false },
		{ 200, "dns.query", "out", false }, /* mail that we write was not released */
		{ 200, "limit.events", "", true },
		{ 200, "dns.query", "", false },
		{ 200, "dns.query", "no-such-test", false },
	};
	struct correlation *c = correlation_new(cat, EVENTS_TOKEN);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		event_at(&obs, cases[i].t, cases[i].kind, "\"test\":\"%s\"", cases[i].test);
		assert_int_equal(obs.n, i + 1);
		c->released = EVENTS_START + 100 * CLOCK_SECOND;
		assert_int_equal(release_hides(c, obs.item[i]), cases[i].hidden);
		c->released = 0;
		assert_false(release_hides(c, obs.item[i]));
	}
	snprintf(c->token, sizeof c->token, "bbbbbbbbbbbbbbbb");
	c->released = EVENTS_START;
	assert_false(release_hides(c, obs.item[1]));
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_at),
		OBSERVED(test_hides),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
