/* When we were away, and what that does to who seems to stay away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free

#include "results/judge.h"
#include "results/outage.h"
#include "tests/unit/results/events.h"

#define HOUR 3600.0

static struct observations nodes;

static void
node(double t, const char *kind, const char *daemon, unsigned worker)
{
	char line[256], when[CLOCK_TEXT_MAX];

	clock_format(when, EVENTS_START + (int64_t)(t * 1e6));
	snprintf(line, sizeof line,
	    "{\"v\":1,\"t\":\"%s\",\"node\":\"a\",\"d\":\"%s\",\"w\":%u,\"n\":1,\"ev\":\"node.%"
	    "s\"}",
	    when, daemon, worker, kind);
	assert_int_equal(observations_add(&nodes, line, strlen(line)), 0);
}

static void
node_b(double t, const char *kind, const char *daemon)
{
	char line[256], when[CLOCK_TEXT_MAX];

	clock_format(when, EVENTS_START + (int64_t)(t * 1e6));
	snprintf(line, sizeof line,
	    "{\"v\":1,\"t\":\"%s\",\"node\":\"b\",\"d\":\"%s\",\"w\":0,\"n\":1,\"ev\":\"node.%s\"}",
	    when, daemon, kind);
	assert_int_equal(observations_add(&nodes, line, strlen(line)), 0);
	observations_sort(&nodes);
}

static bool
expected(const char *name, double heard, double now)
{
	return outage_is_expected(&nodes, name, EVENTS_START + (int64_t)(heard * 1e6),
	    EVENTS_START + (int64_t)(now * 1e6));
}

/* Which logs are still to come. */
static void
late(void **state)
{
	(void)state;
	assert_true(expected("b", 0, HOUR));
	assert_true(expected("b", 0, 7 * 24 * HOUR));
	assert_false(expected("b", 0, 7 * 24 * HOUR + 1));
	node_b(10, "start", "smtpd");
	node_b(11, "start", "authdns");
	assert_true(expected("b", 20, HOUR));
	node_b(25, "alive", "authdns");
	node_b(26, "alive", "smtpd");
	assert_true(expected("b", 26, HOUR));
	node_b(30, "stop", "smtpd");
	assert_true(expected("b", 40, HOUR));
	node_b(31, "stop", "authdns");
	node_b(32, "alive", "authdns"); /* of a worker that a reload has drained */
	assert_false(expected("b", 40, HOUR));
	assert_true(expected("c", 40, HOUR));
	node_b(50, "start", "authdns");
	assert_true(expected("b", 50, HOUR));
}

static double
back(double from, double to)
{
	observations_sort(&nodes);
	int64_t t = outage_end(
	    &nodes, EVENTS_START + (int64_t)(from * 1e6), EVENTS_START + (int64_t)(to * 1e6));
	return t == 0 ? 0 : (double)(t - EVENTS_START) / 1e6;
}

static int
clean(void **state)
{
	(void)state;
	observations_clear(&nodes);
	return 0;
}

static void
ends(void **state)
{
	(void)state;
	assert_true(back(0, HOUR) == 0);
	node(-10, "start", "smtpd", 0);
	node(-10, "start", "authdns", 0);
	assert_true(back(0, HOUR) == 0);
	/* A restart; the other worker tells nothing. */
	node(100, "stop", "smtpd", 0);
	node(130, "start", "smtpd", 0);
	node(900, "start", "smtpd", 1);
	assert_true(back(0, HOUR) == 0);
	/* A reload: the new worker is there before the old one ends. */
	node(1000, "start", "smtpd", 0);
	node(1200, "stop", "smtpd", 0);
	assert_true(back(0, HOUR) == 0);
	/* Away. */
	node(2000, "stop", "smtpd", 0);
	node(2300, "start", "smtpd", 0);
	assert_true(back(0, HOUR) == 2300);
	assert_true(back(0, 2299) == 0);
	assert_true(back(2300, HOUR) == 0);
	/* Died. */
	node(3000, "start", "authdns", 0);
	assert_true(back(0, HOUR) == 3000);
}

static void
stays_away(void **state)
{
	char err[512];
	struct catalogue *cat = catalogue_load("tests/stages/catalogue", err, sizeof err);
	const struct test *t = catalogue_find(cat, "greylist", 8);
	struct observations obs = { 0 };
	struct judge j = { .pace = 1 };
	struct correlation *c;
	char why[96];
	int64_t until;

	(void)state;
	event_at(&obs, 0, "smtp.message", "\"test\":\"dual\",\"conn\":\"1\",\"reply\":250");
	event_at(&obs, 1, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"2\",\"verb\":\"RCPT\",\"reply\":450");
	j.c = c = correlate(&obs, cat, EVENTS_TOKEN);
	j.now = EVENTS_START + (int64_t)(7 * HOUR * 1e6);
	assert_true(judge_settled(&j, correlation_facts(c, t), &until, why, sizeof why));
	j.back = EVENTS_START + (int64_t)(5 * HOUR * 1e6);
	assert_false(judge_settled(&j, correlation_facts(c, t), &until, why, sizeof why));
	assert_true(until == EVENTS_START + (int64_t)(11 * HOUR * 1e6));
	j.now = until;
	assert_true(judge_settled(&j, correlation_facts(c, t), &until, why, sizeof why));
	/* Nor does who was refused for good, where it matters whether it comes back. */
	event_at(&obs, 2, "smtp.command",
	    "\"test\":\"reject\",\"conn\":\"3\",\"verb\":\"RCPT\",\"reply\":550");
	correlation_free(c);
	j.c = c = correlate(&obs, cat, EVENTS_TOKEN);
	j.now = EVENTS_START + (int64_t)(7 * HOUR * 1e6);
	assert_false(judge_settled(
	    &j, correlation_facts(c, catalogue_find(cat, "reject", 6)), &until, why, sizeof why));
	assert_true(until == EVENTS_START + (int64_t)(11 * HOUR * 1e6));
	j.back = 0;
	assert_true(judge_settled(
	    &j, correlation_facts(c, catalogue_find(cat, "reject", 6)), &until, why, sizeof why));
	/* Not beyond the deadline. */
	j.back = EVENTS_START + (int64_t)(143 * HOUR * 1e6);
	j.now = EVENTS_START + (int64_t)(145 * HOUR * 1e6);
	assert_true(judge_settled(&j, correlation_facts(c, t), &until, why, sizeof why));
	correlation_free(c);
	observations_clear(&obs);
	catalogue_free(cat);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(ends, clean),
		cmocka_unit_test(stays_away),
		cmocka_unit_test_teardown(late, clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
