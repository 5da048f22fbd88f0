/* The views: what strangers said stays text, and waiting says for what and until when. */
#include "lib/clock.h"
#include "lib/json.h"
#include "results/report.h"
#include "tests/unit/results/fixture.h"

static struct report *
made(struct observations *obs, double now)
{
	struct judge j = { .pace = 1 };

	return report_from(
	    obs, cat, EVENTS_TOKEN, "standard", 0, EVENTS_START + (int64_t)(now * 1e6), &j);
}

static char *
seen(struct strbuf *b, const char *view, const struct report *r)
{
	strbuf_reset(b);
	report_view(view)->write(b, r, NULL);
	return b->s;
}

static void
test_hostile(void **state)
{
	struct observations obs = { 0 };
	struct strbuf b = { 0 };
	char err[128];

	(void)state;
	event_at(&obs, 0, "smtp.connect",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"peer\":\"2001:db8::1\",\"host\":0");
	event_at(&obs, 1, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"verb\":\"EHLO\",\"arg\":\"</"
	    "pre><script>alert(1)</script>\\u001b[2J\\u00ff\","
	    "\"reply\":250");
	event_at(&obs, 2, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"arg\":\"\\\"><img src=x "
	    "onerror=y>&amp;\",\"reply\":450");
	struct report *r = made(&obs, 10);
	assert_null(strstr(seen(&b, "html", r), "<script"));
	assert_null(strstr(b.s, "<img"));
	assert_non_null(strstr(b.s, "&lt;script&gt;"));
	assert_null(strchr(b.s, '\033'));
	assert_null(strchr(b.s, '\xff'));
	/* Nothing is fetched from anywhere, nothing runs. */
	assert_null(strstr(b.s, "http"));
	assert_null(strstr(b.s, "<link"));
	assert_null(strstr(b.s, "url("));
	assert_null(strchr(seen(&b, "text", r), '\033'));
	seen(&b, "json", r);
	struct json_doc *doc = json_parse(b.s, b.len, err, sizeof err);
	if (doc == NULL)
		fail_msg("%s", err);
	assert_string_equal(json_string(json_root(doc), "token"), EVENTS_TOKEN);
	json_free(doc);
	strbuf_clear(&b);
	report_free(r);
}

static void
test_waiting(void **state)
{
	struct observations obs = { 0 };
	struct strbuf b = { 0 };
	int64_t until;

	(void)state;
	event_at(&obs, 0, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	event_at(&obs, 60, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-2\",\"verb\":\"RCPT\",\"reply\":450");
	struct report *r = made(&obs, 100);
	assert_false(report_done(r, false, &b, &until));
	assert_non_null(strstr(b.s,
	    "greylist: waits for the next retry, until 2026-01-01 06:01:00 UTC at the latest\n"));
	assert_null(strstr(b.s, "dual"));
	assert_true(report_has(r, GRADE_PENDING) && !report_has(r, GRADE_VIOLATES));
	assert_int_equal(r->score.graded, 1);
	report_free(r);
	strbuf_clear(&b);
}

/* Nothing seen: no score from nothing, and every view stands. */
static void
test_empty(void **state)
{
	struct observations obs = { 0 };
	struct strbuf b = { 0 };

	(void)state;
	struct report *r = made(&obs, 100);
	assert_int_equal(r->score.graded, 0);
	for (const struct report_view *v = reports; v->name != NULL; v++)
		assert_non_null(seen(&b, v->name, r));
	assert_non_null(strstr(seen(&b, "text", r), "No test could be graded yet."));
	assert_null(report_view("xml"));
	strbuf_clear(&b);
	report_free(r);
}

/* Colour only where it was asked for; no line is longer than the terminal, words allowing. */
static void
test_style(void **state)
{
	struct observations obs = { 0 };
	struct strbuf b = { 0 };
	struct report_style style = { .width = 60, .colour = true };

	(void)state;
	event_at(&obs, 0, "smtp.message", "\"test\":\"dual\",\"conn\":\"0-1\",\"reply\":250");
	struct report *r = made(&obs, 100);
	report_view("text")->write(&b, r, &style);
	assert_non_null(strstr(b.s, "\033[32mpass\033[0m"));
	assert_null(strchr(seen(&b, "text", r), '\033'));
	style.colour = false;
	strbuf_reset(&b);
	report_view("text")->write(&b, r, &style);
	for (const char *p = b.s; *p != '\0'; p += strcspn(p, "\n") + 1)
		assert_true(strcspn(p, "\n") <= 60);
	strbuf_clear(&b);
	report_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_style),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
