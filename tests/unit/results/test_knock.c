/* SYNs to the beginnings of sessions, or to attempts. */
#include "results/knock.h"

#include "tests/unit/results/fixture.h"

static struct observations obs;

#define PORTS                                                                                      \
	"\"test\":\"mx-fallback\",\"peer\":\"2001:db8:1::25\",\"port\":%d,\"local\":\"2001:db8:"   \
	"53::%d\""

/* A SYN that its connection follows is that attempt; a repeated SYN without one is one attempt. */
static void
test_syn(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		event_at(&obs, i * i, "net.syn", PORTS ",\"host\":0,\"state\":\"silent\"", 4000, 1);
	event_at(&obs, 30, "net.syn", PORTS ",\"host\":1,\"state\":\"serves\"", 4001, 2);
	event_at(&obs, 30.001, "smtp.connect", PORTS ",\"host\":1,\"conn\":\"0-1\"", 4001, 2);
	event_at(&obs, 31, "smtp.message",
	    "\"test\":\"mx-fallback\",\"conn\":\"0-1\",\"host\":1,\"reply\":250");
	/* Noted by the tap a little late. */
	event_at(&obs, 60, "smtp.connect", PORTS ",\"host\":1,\"conn\":\"0-2\"", 4002, 2);
	event_at(&obs, 60.5, "net.syn", PORTS ",\"host\":1,\"state\":\"serves\"", 4002, 2);
	/* The same ports an hour later: another connect(). */
	event_at(&obs, 3600, "net.syn", PORTS ",\"host\":0,\"state\":\"silent\"", 4000, 1);
	struct correlation *c = correlated(&obs);
	const struct facts *f = facts(c, "mx-fallback");
	assert_int_equal(f->n_attempts, 4);
	assert_int_equal(f->attempts[0].stage, STAGE_SYN);
	assert_string_equal(f->attempts[0].state, "silent");
	assert_int_equal(f->attempts[0].end - f->attempts[0].t, 16 * CLOCK_SECOND);
	assert_true(f->attempts[1].accepted);
	assert_int_equal(f->attempts[1].t, EVENTS_START + 30 * CLOCK_SECOND);
	assert_int_equal(f->attempts[2].stage, STAGE_CONNECT);
	assert_int_equal(f->attempts[3].stage, STAGE_SYN);
	correlation_free(c);
}

/* A session this long after a SYN, or before it when gap is negative: is the SYN of it? */
static bool
belongs(double gap)
{
	event_at(&obs, 1000, "net.syn", PORTS ",\"host\":0,\"state\":\"serves\"", 4000, 1);
	event_at(&obs, 1000 + gap, "smtp.connect", PORTS ",\"host\":0,\"conn\":\"0-1\"", 4000, 1);
	struct correlation *c = correlated(&obs);
	size_t n = facts(c, "mx-fallback")->n_attempts;
	bool led = c->sessions[0].syn != 0;
	correlation_free(c);
	observations_clear(&obs);
	assert_int_equal(led, n == 1 && gap >= 0);
	return n == 1;
}

static void
test_edges(void **state)
{
	const double span = (double)KNOCK_SPAN / CLOCK_SECOND,
		     late = (double)KNOCK_LATE / CLOCK_SECOND;

	(void)state;
	assert_true(belongs(0.001));
	assert_true(belongs(span));
	assert_false(belongs(span + 0.001));
	assert_true(belongs(-late));
	assert_false(belongs(-late - 0.001));
}

/* connect() after connect(): what is within the span of the first SYN is repeated, what is after it is another. */
static void
test_repeated(void **state)
{
	const double span = (double)KNOCK_SPAN / CLOCK_SECOND;

	(void)state;
	event_at(&obs, 0, "net.syn", PORTS, 4000, 1);
	event_at(&obs, span, "net.syn", PORTS, 4000, 1);
	event_at(&obs, span + 0.001, "net.syn", PORTS, 4000, 1);
	struct correlation *c = correlated(&obs);
	const struct facts *f = facts(c, "mx-fallback");
	assert_int_equal(f->n_attempts, 2);
	assert_int_equal(f->attempts[0].end, EVENTS_START + KNOCK_SPAN);
	assert_int_equal(f->attempts[0].by, BOUND_ADDRESS);
	correlation_free(c);
}

/* Another port, another address of ours or of theirs: another connection.  Another service: none of ours. */
static void
test_others(void **state)
{
	(void)state;
	event_at(&obs, 0, "net.syn", PORTS, 4000, 1);
	event_at(&obs, 0, "net.syn", PORTS, 4001, 1);
	event_at(&obs, 0, "net.syn", PORTS, 4000, 2);
	event_at(&obs, 0, "net.syn", PORTS ",\"lport\":25", 4002, 1);
	event_at(&obs, 0, "net.syn", PORTS ",\"lport\":443", 4003, 1);
	event_at(&obs, 0, "net.syn", PORTS ",\"lport\":80", 4004, 1);
	event_at(&obs, 0, "net.syn", PORTS ",\"lport\":53", 4005, 1);
	event_at(&obs, 1, "smtp.connect", PORTS ",\"conn\":\"0-1\"", 4001, 1);
	struct correlation *c = correlated(&obs);
	assert_int_equal(facts(c, "mx-fallback")->n_attempts, 4);
	assert_int_equal(c->n_sessions, 1);
	assert_int_equal(c->sessions[0].syn, EVENTS_START);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(test_syn),
		OBSERVED(test_edges),
		OBSERVED(test_repeated),
		OBSERVED(test_others),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
