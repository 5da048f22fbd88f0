/* Whatever a stranger says, in every key of every kind of event and in the label: it is text in every view.  No terminal is
 * led, no markup and no formula is made, every view keeps its form. */
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/utf8.h"
#include "results/compare.h"
#include "tests/unit/results/fixture.h"

static const char *const hostile[] = {
	"</title></style></pre><script>alert(1)</script><img src=x onerror=y>\" ' &amp; -->",
	"\033]0;owned\007\033[2J\b\r\nX-Evil: 1\r\n\r\n<b>\x7f",
	"\xff\xfe\xc0\x80\xe2\x80\xaegnp.exe\xc2\x9b;31m",
	"=HYPERLINK(\"http://evil.example\",\"x\")",
	"@SUM(1+1)*cmd|' /C calc'!A0",
	"-2+3\",\"another field\r\nanother line",
};
#define N_HOSTILE (sizeof hostile / sizeof *hostile)

/* --- what must hold of each view ---------------------------------------------------------------------- */

/* Valid UTF-8 that does nothing but show itself; lines may end (cr: in CR LF).  Our own style sheet has tabs. */
static void
check_plain(const struct strbuf *b, const char *view, bool cr)
{
	for (size_t i = 0, n; i < b->len; i += n) {
		n = utf8_length(b->s + i, b->len - i);
		if (n == 0 || (!utf8_is_plain(b->s + i, n) && b->s[i] != '\n' &&
				  (b->s[i] != '\t' || *view != 'h') &&
				  !(cr && b->s[i] == '\r' && b->s[i + 1] == '\n')))
			fail_msg("%s: octet %zu is %02x", view, i, (unsigned char)b->s[i]);
	}
}

static unsigned
times(const char *s, const char *what)
{
	unsigned n = 0;

	while ((s = strstr(s, what)) != NULL) {
		s += strlen(what);
		n++;
	}
	return n;
}

static void
check_html(const struct strbuf *b)
{
	static const char *const pairs[][2] = { { "<details", "</details>" },
		{ "<table", "</table>" }, { "<section", "</section>" }, { "<pre", "</pre>" },
		{ "<title>", "</title>" }, { "<style>", "</style>" }, { "<svg", "</svg>" } };

	check_plain(b, "html", false);
	assert_null(strstr(b->s, "<script"));
	assert_null(strstr(b->s, "<img"));
	assert_null(strstr(b->s, "<b>\x7f"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (times(b->s, pairs[i][0]) != times(b->s, pairs[i][1]))
			fail_msg("%s is not closed", pairs[i][0]);
}

static void
check_json(const struct strbuf *b)
{
	char err[128];
	struct json_doc *doc = json_parse(b->s, b->len, err, sizeof err);

	if (doc == NULL)
		fail_msg("%s", err);
	json_free(doc);
}

/* RFC 4180: every record has as many fields as the first; no field is a formula. */
static void
check_csv(const struct strbuf *b)
{
	unsigned fields = 1, first = 0;
	bool quoted = false, begins = true;

	check_plain(b, "csv", true);
	for (size_t i = 0; i < b->len; i++) {
		char c = b->s[i];
		if (quoted && c == '"' && b->s[i + 1] == '"') {
			i++;
		} else if (c == '"') {
			if (!quoted)
				assert_null(strchr("=+-@\t\r", b->s[i + 1]));
			quoted = !quoted;
		} else if (!quoted && c == ',') {
			fields++;
			begins = true;
			continue;
		} else if (!quoted && c == '\r') {
			if (first == 0)
				first = fields;
			assert_int_equal(fields, first);
			assert_int_equal(b->s[++i], '\n');
			fields = 1;
			begins = true;
			continue;
		} else if (begins && !quoted) {
			assert_null(strchr("=+-@\t", c));
		}
		begins = false;
	}
	assert_false(quoted);
	assert_int_equal(fields, 1);
}

static void
check_report(const struct report *r, const struct report *other)
{
	struct report_style style = { .width = 70 };
	struct comparison c;
	struct strbuf b = { 0 };

	for (const struct report_view *v = reports; v->name != NULL; v++) {
		strbuf_reset(&b);
		v->write(&b, r, &style);
		if (strcmp(v->name, "html") == 0)
			check_html(&b);
		else if (strcmp(v->name, "json") == 0)
			check_json(&b);
		else if (strcmp(v->name, "csv") == 0)
			check_csv(&b);
		else
			check_plain(&b, v->name, false);
	}
	compare_reports(&c, other, r);
	strbuf_reset(&b);
	compare_text(&b, &c, &style);
	check_plain(&b, "comparison", false);
	strbuf_reset(&b);
	compare_page(&b, &c);
	check_html(&b);
	strbuf_reset(&b);
	compare_json(&b, &c);
	check_json(&b);
	compare_clear(&c);
	strbuf_clear(&b);
}

/* --- what strangers say ------------------------------------------------------------------------------- */

static void
add_text(struct strbuf *b, enum event_key k, const char *value)
{
	strbuf_printf(b, ",\"%s\":", event_key(k)->name);
	strbuf_json(b, value, strlen(value));
}

/* One event of this kind; the key has the hostile value, or all texts have it (EK_MAX).  What is not
 * hostile makes it an event of a test and of a connection that there is. */
static void
say(struct observations *obs, enum event_kind kind, enum event_key key, const char *value, double t)
{
	const struct event_kind_row *row = event_kind(kind);
	struct strbuf b = { 0 };

	for (const enum event_key *k = row->keys; *k != EK_MAX; k++) {
		bool evil = key == EK_MAX || key == *k;
		if (*k == EK_TOKEN || event_key(*k)->type != EVT_TEXT)
			continue;
		if ((*k == EK_TEST || *k == EK_CONN) && key != *k)
			add_text(&b, *k, *k == EK_TEST ? "greylist" : "0-1");
		else if (evil)
			add_text(&b, *k, value);
	}
	if (b.len > 0)
		event_at(obs, t, row->name, "%s", b.s + 1);
	else
		event_at(obs, t, row->name, "\"reply\":450");
	strbuf_clear(&b);
}

static struct report *
told(enum event_kind kind, enum event_key key, size_t value)
{
	struct observations obs = { 0 };
	struct judge j = { .pace = 1 };

	event_at(&obs, 0, "smtp.connect",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"peer\":\"192.0.2.1\",\"host\":0");
	if (kind < EV_KIND_MAX)
		say(&obs, kind, key, hostile[value], 1);
	event_at(&obs, 2, "smtp.command",
	    "\"test\":\"greylist\",\"conn\":\"0-1\",\"verb\":\"RCPT\",\"reply\":450");
	struct report *r = report_from(&obs, cat, EVENTS_TOKEN, "standard", 0,
	    EVENTS_START + INT64_C(1000000) * 86400 * 9, &j);
	snprintf(r->label, sizeof r->label, "%s", hostile[value]);
	return r;
}

static void
test_every_key(void **state)
{
	(void)state;
	for (enum event_kind kind = 0; kind < EV_KIND_MAX; kind++) {
		for (const enum event_key *k = event_kind(kind)->keys;; k++) {
			size_t value = (size_t)kind * 7 + (size_t)*k;
			struct report *r = told(kind, *k, value % N_HOSTILE);
			struct report *other = told(EV_KIND_MAX, EK_MAX, (value + 1) % N_HOSTILE);
			check_report(r, other);
			report_free(r);
			report_free(other);
			if (*k == EK_MAX) /* the last one: all of them at once */
				break;
		}
	}
}

static void
test_every_value(void **state)
{
	static const enum event_kind kinds[] = { EV_SMTP_COMMAND, EV_SMTP_MESSAGE, EV_DNS_QUERY,
		EV_HTTP_REQUEST, EV_TLS_HELLO, EV_VERIFY_RESULT };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		for (size_t v = 0; v < N_HOSTILE; v++) {
			struct report *r = told(kinds[i], EK_MAX, v);
			check_report(r, r);
			report_free(r);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_every_value),
	};

	return cmocka_run_group_tests(tests, setup_stages, teardown);
}
