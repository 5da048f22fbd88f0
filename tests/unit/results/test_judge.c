/* When a test is settled, what "so far" is, and what controls and traits do to a verdict. */
#include "lib/clock.h"
#include "results/judge.h"
#include "tests/unit/results/fixture.h"

#define HOUR 3600.0

static struct observations obs;

static void
accept_at(double t, const char *test)
{
	event_at(&obs, t, "smtp.message",
	    "\"test\":\"%s\",\"conn\":\"m-%s-%g\",\"reply\":250,\"tls\":true", test, test, t);
}

static void
refuse_at(double t, const char *test, int reply)
{
	event_at(&obs, t, "smtp.command",
	    "\"test\":\"%s\",\"conn\":\"r-%s-%g\",\"verb\":\"RCPT\",\"reply\":%d,\"dev\":\"reply "
	    "%d\"",
	    test, test, t, reply, reply);
}

static void
ask_at(double t, const char *test, const char *type, const char *at)
{
	event_at(&obs, t, "dns.query",
	    "\"test\":\"%s\",\"qtype\":\"%s\",\"at\":\"%s\",\"rcode\":\"NOERROR\"", test, type, at);
}

static struct verdict
judged(const char *test, double now, unsigned pace)
{
	struct verdict v;

	struct correlation *c = correlated(&obs);
	struct judge j = { .c = c, .now = EVENTS_START + (int64_t)(now * 1e6), .pace = pace };
	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	correlation_free(c);
	return v;
}

#define IS(v, g, f) (assert_int_equal((v).grade, (g)), assert_int_equal((v).final, (f)))

static void
test_stays_away(void **state)
{
	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	struct verdict v = judged("greylist", 5.9 * HOUR, 1);
	IS(v, GRADE_PENDING, false);
	assert_int_equal(v.until, EVENTS_START + CLOCK_SECOND + 6 * 3600 * CLOCK_SECOND);
	assert_string_equal(v.waits, "the next retry");
	v = judged("greylist", 6.1 * HOUR, 1);
	IS(v, GRADE_VIOLATES, true);
	assert_true(v.n_evidence > 0);
	/* The lab's pace divides it. */
	v = judged("greylist", 370, 60);
	IS(v, GRADE_VIOLATES, true);
}

static struct verdict
judged_heard(const char *test, double now, double heard)
{
	struct verdict v;
	struct correlation *c = correlated(&obs);
	struct judge j = { .c = c,
		.now = EVENTS_START + (int64_t)(now * 1e6),
		.pace = 1,
		.heard = EVENTS_START + (int64_t)(heard * 1e6),
		.late = "b" };

	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	correlation_free(c);
	return v;
}

/* The log of another node comes late: what is in it changes nothing that was final. */
static void
test_late_log(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	/* Nobody knows whether the sender came back there. */
	IS(judged_heard("greylist", 6.1 * HOUR, HOUR), GRADE_PENDING, false);
	IS(judged_heard("greylist", 9 * HOUR, 5.9 * HOUR), GRADE_PENDING, false);
	IS(judged_heard("greylist", 9 * HOUR, 6.1 * HOUR), GRADE_VIOLATES, true);
	/* It did. */
	accept_at(HOUR, "greylist");
	v = judged_heard("greylist", 9 * HOUR, HOUR - 1);
	IS(v, GRADE_CONFORMS, false);
	assert_string_equal(
	    v.waits, "the log of node b, which may change this: it ends at 2026-01-01T00:59:59");
	assert_true(v.until == 0);
	IS(judged_heard("greylist", 9 * HOUR, HOUR), GRADE_CONFORMS, true);
	/* Logs that are ahead of the clock. */
	IS(judged_heard("greylist", 9 * HOUR, 10 * HOUR), GRADE_CONFORMS, true);
}

/* A sender that showed a gap of four hours is given twelve. */
static void
test_lazy(void **state)
{
	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	refuse_at(4 * HOUR, "greylist", 450);
	IS(judged("greylist", 15 * HOUR, 1), GRADE_PENDING, false);
	IS(judged("greylist", 16.1 * HOUR, 1), GRADE_VIOLATES, true);
	accept_at(17 * HOUR, "greylist");
	struct verdict v = judged("greylist", 18 * HOUR, 1);
	IS(v, GRADE_CONFORMS, true);
	assert_string_equal(v.reason, "delivered after 16 h 59 min: 3 attempts (3 h 59 min, 13 h)");
}

static void
test_final_answer(void **state)
{
	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "reject", 550);
	IS(judged("reject", 100, 1), GRADE_PENDING, false);
	/* The first retry may be an hour away. */
	IS(judged("reject", 5.9 * HOUR, 1), GRADE_PENDING, false);
	IS(judged("reject", 6.1 * HOUR, 1), GRADE_CONFORMS, true);
	/* Nothing tells how many messages there were. */
	refuse_at(400, "reject", 550);
	IS(judged("reject", 7 * HOUR, 1), GRADE_CONFORMS, true);
	/* The same message was taken elsewhere before: it counts where the control took it. */
	event_at(&obs, 1, "smtp.message",
	    "\"test\":\"ipv6\",\"conn\":\"m-1\",\"reply\":250,\"msgid\":\"<1@x>\",\"to\":"
	    "\"probe@" EVENTS_TOKEN ".reject.outpost.example\"");
	event_at(&obs, 2, "smtp.message",
	    "\"test\":\"dual\",\"conn\":\"m-2\",\"reply\":250,\"msgid\":\"<1@x>\",\"to\":"
	    "\"probe@" EVENTS_TOKEN ".reject.outpost.example\"");
	IS(judged("reject", 7 * HOUR, 1), GRADE_VIOLATES, true);
	event_at(&obs, 399, "smtp.message",
	    "\"test\":\"dual\",\"conn\":\"m-3\",\"reply\":250,\"msgid\":\"<2@x>\",\"to\":"
	    "\"probe@" EVENTS_TOKEN ".reject.outpost.example\"");
	IS(judged("reject", 7 * HOUR, 1), GRADE_CONFORMS, true);
}

/* A refusal with this envelope sender. */
static void
refuse_from(double t, const char *from)
{
	event_at(&obs, t, "smtp.command",
	    "\"test\":\"reject\",\"conn\":\"f-%g\",\"verb\":\"MAIL\",\"arg\":\"FROM:<%s> SIZE=9\","
	    "\"reply\":250",
	    t, from);
	event_at(&obs, t + 0.1, "smtp.command",
	    "\"test\":\"reject\",\"conn\":\"f-%g\",\"verb\":\"RCPT\",\"reply\":550,\"dev\":\"reply "
	    "550\"",
	    t);
}

/* Refusals that are not the same message again. */
static void
test_again(void **state)
{
	static const struct {
		double t[3];
		const char *from[3];
		enum grade grade;
	} cases[] = {
		{ { 1, 400 }, { "a@x.example", "A@X.example" }, GRADE_VIOLATES },
		/* The address was tried before: by a probe, or by whoever took the message in. */
		{ { 1, 400 }, { "", "a@x.example" }, GRADE_CONFORMS },
		{ { 1, 400 }, { "double-bounce@mail.x.example", "a@x.example" }, GRADE_CONFORMS },
		{ { 1, 20 }, { "a@x.example", "a@x.example" }, GRADE_CONFORMS },
		{ { 1, 20, 900 }, { "a@x.example", "a@x.example", "a@x.example" }, GRADE_VIOLATES },
		/* Another sender for each recipient. */
		{ { 1 }, { "b+reject@x.example" }, GRADE_CONFORMS },
		{ { 1, 400 }, { "b+reject@x.example", "b+reject@x.example" }, GRADE_VIOLATES },
		{ { 1, 400 }, { "b+1@x.example", "b+2@x.example" }, GRADE_CONFORMS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		event_at(&obs, 0, "smtp.message",
		    "\"test\":\"dual\",\"conn\":\"m-0\",\"reply\":250,\"msgid\":\"<1@x>\",\"from\":"
		    "\"a@x.example\",\"to\":\"probe@" EVENTS_TOKEN ".reject.outpost.example\"");
		for (size_t k = 0; k < 3 && cases[i].from[k] != NULL; k++)
			refuse_from(cases[i].t[k], cases[i].from[k]);
		struct verdict v = judged("reject", 7 * HOUR, 1);
		if (v.grade != cases[i].grade || !v.final)
			fail_msg("case %zu: %s: %s", i, grade_name(v.grade), v.reason);
		observations_clear(&obs);
	}
}

static void
test_deadline(void **state)
{
	(void)state;
	accept_at(0, "dual");
	for (int i = 0; i < 30; i++)
		refuse_at(1 + i * 5 * HOUR, "greylist", 450);
	IS(judged("greylist", 6 * 24 * HOUR - 10, 1), GRADE_PENDING, false);
	IS(judged("greylist", 6 * 24 * HOUR + 10, 1), GRADE_VIOLATES, true);
}

static void
test_so_far(void **state)
{
	(void)state;
	accept_at(0, "dual");
	accept_at(1, "dane-ee");
	ask_at(1, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}");
	refuse_at(2, "dane-ee-mismatch", 0);
	IS(judged("dane-ee-mismatch", 1000, 1), GRADE_PENDING, false);
	refuse_at(200, "dane-ee-mismatch", 0);
	IS(judged("dane-ee-mismatch", 1000, 1), GRADE_PENDING, false); /* not five minutes apart */
	refuse_at(400, "dane-ee-mismatch", 0);
	struct verdict v = judged("dane-ee-mismatch", 1000, 1);
	IS(v, GRADE_CONFORMS, false);
	assert_true(v.until > 0);
	/* A later acceptance overturns it; what the trait says is open as long as its test is. */
	ask_at(490, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}");
	accept_at(500, "dane-ee-mismatch");
	IS(judged("dane-ee-mismatch", 1000, 1), GRADE_PENDING, false);
	ask_at(500, "dnssec-bogus", "MX", "{d}");
	IS(judged("dane-ee-mismatch", 1000, 1), GRADE_VIOLATES, true);
	accept_at(900, "dnssec-bogus");
	IS(judged("dane-ee-mismatch", 1000, 1), GRADE_INFORMATIONAL, true);
}

/* A greylisting test that is refused twice is not "so far" anything. */
static void
test_not_so_far(void **state)
{
	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	refuse_at(400, "greylist", 450);
	IS(judged("greylist", 1000, 1), GRADE_PENDING, false);
}

static void
test_control_missing(void **state)
{
	(void)state;
	refuse_at(1, "greylist", 450);
	struct verdict v = judged("greylist", 7 * HOUR, 1);
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_string_equal(v.missing, "dual");
	assert_non_null(strstr(v.reason, "dual"));
}

/* Nothing of the test was ever seen: no rule may grade that. */
static void
test_no_evidence(void **state)
{
	(void)state;
	accept_at(0, "dual");
	struct verdict v = judged("mx-fallback", 7 * HOUR, 1);
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_non_null(strstr(v.reason, "nothing was seen"));
}

/* A test that nobody tried is waited for from the last message that names it, not from the first control. */
static void
test_mailed_late(void **state)
{
	(void)state;
	accept_at(0, "dual");
	event_at(&obs, 5 * HOUR, "smtp.message",
	    "\"test\":\"greylist\",\"conn\":\"m\",\"reply\":250,\"to\":\"a@x, "
	    "probe@" EVENTS_TOKEN ".mx-fallback.outpost.example\"");
	struct verdict v = judged("mx-fallback", 7 * HOUR, 1);
	IS(v, GRADE_PENDING, false);
	assert_int_equal(v.until, EVENTS_START + 11 * 3600 * CLOCK_SECOND);
	IS(judged("mx-fallback", 11.1 * HOUR, 1), GRADE_VIOLATES, true);
	/* Another test's name says nothing of this one. */
	IS(judged("reject", 7 * HOUR, 1), GRADE_INCONCLUSIVE, true);
}

static const char *
no(void *ctx, const struct test *t)
{
	return strcmp(t->name, ctx) == 0 ? "wrong DS" : NULL;
}

static void
test_unsound(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	struct judge j = { .c = c, .now = EVENTS_START, .pace = 1, .unsound = no, .ctx = "dual" };
	judge_test(&v, &j, catalogue_find(cat, "dual", 4));
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_string_equal(v.reason, "the test is not as specified: wrong DS");
	correlation_free(c);
}

/* Not all that was seen was written: what is missing could be what another verdict needs. */
static void
test_cut_short(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	event_at(&obs, 1, "limit.events", "\"count\":50000");
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	struct judge j = { .c = c, .now = EVENTS_START, .pace = 1 };
	judge_test(&v, &j, catalogue_find(cat, "dual", 4));
	IS(v, GRADE_INCONCLUSIVE, true);
	correlation_free(c);
}

static bool
never4(void *ctx, const struct test *t)
{
	(void)ctx;
	(void)t;
	return false;
}

/* Shown over IPv6 only: a sender that did not deliver ipv6 is not called anything. */
static void
test_ipv6_only(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	struct judge j = { .c = c,
		.now = EVENTS_START + 7 * 3600 * CLOCK_SECOND,
		.pace = 1,
		.reachable4 = never4 };
	judge_test(&v, &j, catalogue_find(cat, "greylist", 8));
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_string_equal(v.missing, "ipv6");
	correlation_free(c);
}

/* Its name server is reached over IPv6 only here: nor is one whose resolver has no IPv6. */
static void
test_dns_ipv6_only(void **state)
{
	char err[400];
	struct catalogue *all = catalogue_load("zones/catalogue", err, sizeof err), *stages = cat;
	struct verdict v;

	(void)state;
	assert_non_null(all);
	cat = all;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	struct judge j = {
		.c = c, .now = EVENTS_START + 7 * 3600 * CLOCK_SECOND, .pace = 1, .asked4 = never4
	};
	judge_test(&v, &j, catalogue_find(cat, "greylist", 8));
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_string_equal(v.missing, "dns-ipv6-only");
	correlation_free(c);
	catalogue_free(all);
	cat = stages;
}

/* Our host was down, or the way to it: who still asks still tries. */
static void
still_asks(void **state)
{
	struct verdict v;

	(void)state;
	ask_at(-1, "dual", "MX", "{d}");
	accept_at(0, "dual");
	ask_at(1, "mx-fallback", "MX", "{d}");
	ask_at(4 * HOUR, "mx-fallback", "MX", "{d}");
	v = judged("mx-fallback", 6 * HOUR + 10, 1);
	assert_int_equal(v.grade, GRADE_PENDING);
	assert_true(v.until == EVENTS_START + (int64_t)(10 * HOUR * 1e6));
	v = judged("mx-fallback", 10 * HOUR + 1, 1);
	assert_int_equal(v.grade, GRADE_VIOLATES);
	assert_true(v.final);
	/* Not for ever. */
	ask_at(144 * HOUR - 10, "mx-fallback", "MX", "{d}");
	v = judged("mx-fallback", 144 * HOUR - 5, 1);
	assert_int_equal(v.grade, GRADE_PENDING);
	v = judged("mx-fallback", 144 * HOUR + 1, 1);
	assert_int_equal(v.grade, GRADE_VIOLATES);
}

static struct verdict
judged_released(const char *test, double released, double now)
{
	struct verdict v;

	observations_sort(&obs);
	struct correlation *c = correlate_until(
	    &obs, cat, EVENTS_TOKEN, released != 0 ? EVENTS_START + (int64_t)(released * 1e6) : 0);
	struct judge j = { .c = c, .now = EVENTS_START + (int64_t)(now * 1e6), .pace = 1 };
	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	correlation_free(c);
	return v;
}

/* What was not decided when the participant was released never is; what was stays. */
static void
test_released(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	v = judged_released("greylist", 100, 200);
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_non_null(strstr(v.reason, "released before this was decided: "));
	assert_int_equal(v.until, 0);
	/* and the six hours that would have decided it do not count */
	IS(judged_released("greylist", 100, 100 * HOUR), GRADE_INCONCLUSIVE, true);
	IS(judged_released("greylist", 7 * HOUR, 8 * HOUR), GRADE_VIOLATES, true);
	/* it comes back and meets the release: neither a refusal nor an attempt */
	refuse_at(400, "greylist", 550);
	IS(judged_released("greylist", 100, 1000), GRADE_INCONCLUSIVE, true);
	/* the controls were delivered before; a delivery later, at a node that did not know yet, is none */
	accept_at(500, "reject");
	IS(judged_released("dual", 100, 1000), GRADE_CONFORMS, true);
	IS(judged_released("reject", 100, 1000), GRADE_INCONCLUSIVE, true);
}

/* What was so far is as good as it can become. */
static void
test_released_so_far(void **state)
{
	struct verdict v;

	(void)state;
	accept_at(0, "dual");
	accept_at(1, "dane-ee");
	ask_at(1, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}");
	refuse_at(2, "dane-ee-mismatch", 0);
	refuse_at(400, "dane-ee-mismatch", 0);
	v = judged_released("dane-ee-mismatch", 900, 1000);
	IS(v, GRADE_CONFORMS, true);
	assert_non_null(strstr(v.reason, "; then the participant was released"));
	v = judged_released("dane-ee-mismatch", 300, 1000);
	IS(v, GRADE_INCONCLUSIVE, true);
}

/* Nobody told us, but our answers say so. */
static void
test_released_by_events(void **state)
{
	(void)state;
	accept_at(0, "dual");
	refuse_at(1, "greylist", 450);
	event_at(&obs, 100, "smtp.command",
	    "\"test\":\"reject\",\"conn\":\"x\",\"verb\":\"RCPT\",\"reply\":550,\"dev\":"
	    "\"released\"");
	IS(judged_released("greylist", 0, 10 * HOUR), GRADE_INCONCLUSIVE, true);
	IS(judged_released("reject", 0, 10 * HOUR), GRADE_INCONCLUSIVE, true);
}

int
main(void)
{
#define T(f) OBSERVED(f)
	const struct CMUnitTest tests[] = {
		T(still_asks),
		T(test_stays_away),
		T(test_late_log),
		T(test_lazy),
		T(test_final_answer),
		T(test_again),
		T(test_deadline),
		T(test_so_far),
		T(test_not_so_far),
		T(test_control_missing),
		T(test_dns_ipv6_only),
		T(test_no_evidence),
		T(test_mailed_late),
		T(test_unsound),
		T(test_cut_short),
		T(test_ipv6_only),
		T(test_released),
		T(test_released_so_far),
		T(test_released_by_events),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
