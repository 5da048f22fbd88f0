/* Which message came back: told apart by Message-ID, and nothing is said that cannot be told. */
#include "results/judge.h"
#include "tests/unit/results/fixture.h"

#define MINUTE 60.0
#define HOUR   3600.0
#define TO(t)  "probe@" EVENTS_TOKEN "." t ".outpost.example"

static struct observations obs;

/* A message to dual and greylist, taken or put off after its content where reply says so. */
static void
content_at(double t, const char *test, const char *id, int reply)
{
	event_at(&obs, t, "smtp.message",
	    "\"test\":\"%s\",\"conn\":\"m-%s-%g\",\"reply\":%d,\"tls\":true,\"msgid\":\"%s\","
	    "\"to\":\"%s\",\"dev\":\"%s\"",
	    test, test, t, reply, id, TO("dual") ", " TO("greylist") ", " TO("greylist-data"),
	    reply == 451 ? "reply 451" : "");
}

static void
defer_at(double t)
{
	event_at(&obs, t, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"r-%g\",\"verb\":\"RCPT\",\"reply\":450,"
	    "\"dev\":\"reply 450\"",
	    t);
}

static struct verdict
judged(const char *test, double now)
{
	struct verdict v;

	struct correlation *c = correlated(&obs);
	struct judge j = { .c = c, .now = EVENTS_START + (int64_t)(now * 1e6), .pace = 1 };
	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	correlation_free(c);
	return v;
}

#define IS(v, g, f) (assert_int_equal((v).grade, (g)), assert_int_equal((v).final, (f)))

/* Three messages, a quarter of an hour apart, of a sender that retries. */
static void
all_come_back(void **state)
{
	(void)state;
	content_at(0, "dual", "a", 250);
	defer_at(1);
	IS(judged("greylist", 2), GRADE_PENDING, false);
	content_at(15 * MINUTE, "dual", "b", 250);
	content_at(15 * MINUTE + 1, "greylist", "b", 250);
	/* Taken, but not what was put off. */
	IS(judged("greylist", 16 * MINUTE), GRADE_PENDING, false);
	content_at(20 * MINUTE, "greylist", "a", 250);
	IS(judged("greylist", 21 * MINUTE), GRADE_CONFORMS, true);
	/* Another one on its way changes nothing. */
	content_at(30 * MINUTE, "dual", "c", 250);
	IS(judged("greylist", 30 * MINUTE), GRADE_CONFORMS, true);
}

/* The same messages of one that does not. */
static void
none_comes_back(void **state)
{
	(void)state;
	content_at(0, "dual", "a", 250);
	defer_at(1);
	for (int i = 1; i < 4; i++) {
		content_at(15 * i * MINUTE, "dual", i == 1 ? "b" : i == 2 ? "c" : "d", 250);
		content_at(15 * i * MINUTE + 1, "greylist", i == 1 ? "b" : i == 2 ? "c" : "d", 250);
	}
	struct verdict v = judged("greylist", HOUR);
	IS(v, GRADE_PENDING, false);
	assert_true(v.until > 0);
	IS(judged("greylist", 7 * HOUR), GRADE_VIOLATES, true);
	/* It was delivered all the same, for the tests whose control this is. */
	content_at(2, "greylist-data", "a", 451);
	IS(judged("greylist-data", 7 * HOUR), GRADE_VIOLATES, true);
	content_at(10 * MINUTE, "greylist-data", "a", 250);
	IS(judged("greylist-data", 7 * HOUR), GRADE_CONFORMS, true);
}

/* Both were there when one was put off, one arrived: nothing can be said. */
static void
either(void **state)
{
	(void)state;
	content_at(0, "dual", "a", 250);
	content_at(9 * MINUTE, "dual", "b", 250);
	defer_at(1);
	content_at(9 * MINUTE + 1, "greylist", "b", 250);
	IS(judged("greylist", 10 * MINUTE), GRADE_PENDING, false);
	struct verdict v = judged("greylist", 7 * HOUR);
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_memory_equal(v.reason, "delivered, but it cannot be told", 32);
	content_at(8 * HOUR, "greylist", "a", 250);
	IS(judged("greylist", 8 * HOUR), GRADE_CONFORMS, true);
}

/* Messages that no other test knows, or that have no Message-ID, show nothing. */
static void
strangers(void **state)
{
	(void)state;
	content_at(0, "dual", "a", 250);
	defer_at(1);
	content_at(15 * MINUTE, "greylist", "x", 250);
	IS(judged("greylist", 7 * HOUR), GRADE_INCONCLUSIVE, true);
	observations_clear(&obs);
	content_at(0, "dual", "", 250);
	defer_at(1);
	content_at(15 * MINUTE, "greylist", "", 250);
	IS(judged("greylist", 7 * HOUR), GRADE_INCONCLUSIVE, true);
}

static void
sts_at(double t, const char *kind, const char *test, const char *rest)
{
	event_at(&obs, t, kind, "\"test\":\"%s\",\"conn\":\"%s-%g\",\"to\":\"%s\",%s", test, test,
	    t, TO("dual") ", " TO("sts-enforce") ", " TO("sts-mx-mismatch"), rest);
}

/* After one deferral it stays away from the host that the policy does not list: the control shows that it
 * does so knowingly, if it came back there. */
static void
control_returned(void **state)
{
#define DEFERRED  "\"verb\":\"RCPT\",\"reply\":451,\"dev\":\"reply 451\",\"phase\":1"
#define TAKEN(id) "\"reply\":250,\"tls\":true,\"phase\":3,\"msgid\":\"" id "\""
	(void)state;
	sts_at(0, "smtp.message", "dual", TAKEN("a"));
	sts_at(1, "smtp.command", "sts-enforce", DEFERRED);
	sts_at(1, "smtp.command", "sts-mx-mismatch", DEFERRED);
	event_at(&obs, 2, "http.request",
	    "\"test\":\"sts-mx-mismatch\",\"conn\":\"h\",\"at\":\"mta-sts.{d}\",\"reply\":200,"
	    "\"phase\":1,\"what\":\"GET /.well-known/mta-sts.txt\"");
	sts_at(900, "smtp.message", "sts-enforce", TAKEN("b"));
	struct verdict v = judged("sts-mx-mismatch", 7 * HOUR);
	IS(v, GRADE_INCONCLUSIVE, true);
	assert_memory_equal(v.reason, "gave the message up", 19);
	sts_at(1200, "smtp.message", "sts-enforce", TAKEN("a"));
	IS(judged("sts-mx-mismatch", 7 * HOUR), GRADE_CONFORMS, true);
}

/* Never put off: settled at once, and no verdict. */
static void
not_put_off(void **state)
{
	(void)state;
	content_at(0, "dual", "a", 250);
	content_at(1, "greylist", "a", 250);
	IS(judged("greylist", 2), GRADE_INCONCLUSIVE, true);
	/* What is put off after an acceptance was not that message: it is not there yet. */
	defer_at(60);
	IS(judged("greylist", 61), GRADE_PENDING, false);
	IS(judged("greylist", 7 * HOUR), GRADE_VIOLATES, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OBSERVED(all_come_back),
		OBSERVED(none_comes_back),
		OBSERVED(either),
		OBSERVED(strangers),
		OBSERVED(control_returned),
		OBSERVED(not_put_off),
	};

	return cmocka_run_group_tests_name("fate", tests, setup_shipped, teardown);
}
