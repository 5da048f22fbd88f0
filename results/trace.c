/* trace.c - a trace becomes event lines, and these go the way of all event lines. */
#include "results/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/judge.h"
#include "results/kin.h"
#include "results/mime.h"
#include "results/trace_mail.h"

#define TRACE_START      INT64_C(1767225600000000) /* 2026-01-01 */
#define TRACE_TOKEN      "tracetracetracet"
#define TRACE_COPIES_MAX 16

/* One trace while it is played. */
struct play {
	const struct test *test;
	struct event_line line;
	struct event_origin origin;
	struct observations obs;
	struct judge_given given;
	/* Messages that a control accepted, and that name the test. */
	struct accepted_message copy[TRACE_COPIES_MAX];
	unsigned n_copies;
	const char *stranger[GIVEN_TRAITS_MAX];
	unsigned n_strangers;
	char to[TEST_NAME_MAX + sizeof TRACE_TOKEN + 16];
	unsigned conn;
	bool open; /* an implicit session is open */
	int64_t last, released;
	const struct trace_step *verdict;
	struct strbuf results; /* of the mail that is played */
};

static bool
is_session_kind(enum event_kind k)
{
	return k >= EV_SMTP_CONNECT && k <= EV_TLS_CLOSE;
}

static bool
is_verify_kind(enum event_kind k)
{
	return k >= EV_VERIFY_RESULT && k <= EV_VERIFY_LOST;
}

static void
put(struct event_line *e, enum event_key key, const char *value)
{
	switch (event_key(key)->type) {
	case EVT_NUM:
		event_num(e, key, strtoll(value, NULL, 10));
		break;
	case EVT_BOOL:
		event_bool(e, key, strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
		break;
	case EVT_TEXT:
		event_str(e, key, value);
		break;
	}
}

static const char *
said(const struct trace_step *s, enum event_key key)
{
	const char *name = event_key(key)->name;
	size_t len = strlen(name);

	for (unsigned i = 1; i < s->n; i++) {
		if (strncmp(s->word[i], name, len) == 0 && s->word[i][len] == '=')
			return s->word[i] + len + 1;
	}
	return NULL;
}

static bool
may_carry(enum event_kind kind, enum event_key key)
{
	for (const enum event_key *k = event_kind(kind)->keys; *k != EK_MAX; k++) {
		if (*k == key)
			return true;
	}
	return false;
}

/* Our address that a sender of this family meets at this host. */
static void
local_of(char dst[48], const struct trace_step *s)
{
	const char *peer = said(s, EK_PEER), *host = said(s, EK_HOST);
	int k = host == NULL ? 0 : atoi(host);

	if (peer != NULL && strchr(peer, ':') != NULL)
		snprintf(dst, 48, "2001:db8:53::%x", k + 1);
	else
		snprintf(dst, 48, "203.0.113.%d", (k & 127) + 1);
}

/* A report that names the failure of "what": "CLASS", "CLASS COUNT" or "none", at the event's host, over the
 * time from the beginning of the trace; base64 of it.  Owned by the caller. */
static char *
made_report(const struct play *p, const struct trace_step *s)
{
	const char *what = said(s, EK_WHAT), *host = said(s, EK_HOST);
	const char *type = p->test->n_policy > 0 ? "sts" : "tlsa";
	size_t len = what == NULL ? 0 : strcspn(what, " ");
	int count = what != NULL && what[len] == ' ' ? atoi(what + len) : 1;
	bool none = what == NULL || strcmp(what, "none") == 0;
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
	struct strbuf b = { 0 };

	clock_format(from, TRACE_START);
	clock_format(to, TRACE_START + s->at_us);
	strbuf_printf(&b,
	    "{\"organization-name\":\"trace\",\"contact-info\":\"a@example.org\",\"report-id\":"
	    "\"1\","
	    "\"date-range\":{\"start-datetime\":\"%s\",\"end-datetime\":\"%s\"},\"policies\":["
	    "{\"policy\":{\"policy-type\":\"%s\",\"policy-domain\":\"" TRACE_TOKEN ".%s.example\"},"
	    "\"summary\":{\"total-successful-session-count\":%d,"
	    "\"total-failure-session-count\":%d},\"failure-details\":[",
	    from, to, type, p->test->name, none, none ? 0 : count);
	if (!none)
		strbuf_printf(&b,
		    "{\"result-type\":\"%.*s\",\"receiving-mx-hostname\":\"" TRACE_TOKEN
		    ".mx%s.%s.example\",\"failed-session-count\":%d}",
		    (int)len, what, host == NULL ? "0" : host, p->test->name, count);
	strbuf_puts(&b, "]}]}");
	char *out = xmalloc(b.len * 4 / 3 + 8);
	mime_base64_put(out, b.s, b.len);
	strbuf_clear(&b);
	return out;
}

/* What an event says when the trace does not; NULL: nothing. */
static const char *
fallback(const struct play *p, enum event_kind kind, enum event_key key, const char *conn,
    const char *local)
{
	bool place = kind == EV_SMTP_CONNECT || kind == EV_NET_SYN;

	switch (key) {
	case EK_TOKEN:
		return TRACE_TOKEN;
	case EK_TEST:
		return p->test->name;
	case EK_CONN:
		return is_session_kind(kind) || is_verify_kind(kind) ? conn : NULL;
	case EK_RESULTS:
		return p->results.s;
	case EK_PEER:
		return kind == EV_DNS_QUERY      ? "192.0.2.53"
		       : kind == EV_HTTP_REQUEST ? "192.0.2.80"
		       : place                   ? "192.0.2.1"
						 : NULL;
	case EK_LOCAL:
		return place ? local : NULL;
	case EK_HOST:
		return place ? "0" : NULL;
	case EK_VIA:
		return kind == EV_DNS_QUERY ? "udp" : kind == EV_TLSRPT_REPORT ? "https" : NULL;
	case EK_TYPE:
		return kind == EV_TLSRPT_REPORT ? "application/tlsrpt+json" : NULL;
	case EK_AT:
		return kind == EV_HTTP_REQUEST ? "mta-sts.{d}" : NULL;
	case EK_WHAT:
		return kind == EV_HTTP_REQUEST ? "GET /.well-known/mta-sts.txt" : NULL;
	case EK_RCODE:
		return kind == EV_DNS_QUERY ? "NOERROR" : NULL;
	default:
		return NULL;
	}
}

static void
emit(struct play *p, enum event_kind kind, const struct trace_step *s)
{
	char conn[24], local[48], *made = NULL;

	if (kind == EV_TLSRPT_REPORT && said(s, EK_DATA) == NULL)
		made = made_report(p, s);
	snprintf(conn, sizeof conn, "0-trace-%u", p->conn);
	local_of(local, s);
	event_begin(&p->line, kind, &p->origin, TRACE_START + s->at_us);
	for (unsigned k = 0; k < EK_MAX; k++) {
		const char *value = may_carry(kind, k) ? said(s, k) : NULL;
		if (value == NULL && may_carry(kind, k))
			value = k == EK_DATA ? made : fallback(p, kind, k, conn, local);
		if (value != NULL)
			put(&p->line, k, value);
	}
	event_end(&p->line);
	observations_add(&p->obs, p->line.buf, p->line.len);
	free(made);
}

/* An event of a session belongs to the one that is open; a session that the trace does not begin with
 * smtp.connect gets one. */
static void
play_event(struct play *p, const struct trace_step *s)
{
	enum event_kind kind = event_kind_by_name(s->word[0], strlen(s->word[0]));
	bool begins = is_session_kind(kind) && said(s, EK_CONN) == NULL &&
		      (!p->open || kind == EV_SMTP_CONNECT);

	if (begins) {
		p->conn++;
		p->open = true;
		if (kind != EV_SMTP_CONNECT)
			emit(p, EV_SMTP_CONNECT, s);
	}
	emit(p, kind, s);
	if (kind == EV_SMTP_CLOSE && said(s, EK_CONN) == NULL)
		p->open = false;
	p->last = s->at_us > p->last ? s->at_us : p->last;
}

/* control [TEST] accepted|refused|returned [message=ID], control auth METHOD WORD|STATE */
static void
play_control(struct play *p, const struct trace_step *s)
{
	struct judge_given *g = &p->given;

	if (strcmp(s->word[0], "auth") == 0) {
		if (g->n_control_auths == GIVEN_TRAITS_MAX)
			return;
		g->control_auth[g->n_control_auths].method = s->word[1];
		g->control_auth[g->n_control_auths++].word = s->n > 2 ? s->word[2] : NULL;
		return;
	}
	bool message = strncmp(s->word[s->n - 1], "message=", 8) == 0;
	unsigned n = s->n - message;

	if (g->n_controls < GIVEN_TRAITS_MAX) {
		g->control[g->n_controls].name = n > 1 ? s->word[0] : NULL;
		g->control[g->n_controls].returned = strcmp(s->word[n - 1], "returned") == 0;
		g->control[g->n_controls++].accepted = strcmp(s->word[n - 1], "refused") != 0;
	}
	if (message && p->n_copies < TRACE_COPIES_MAX)
		p->copy[p->n_copies++] = (struct accepted_message){ .msgid = s->word[s->n - 1] + 8,
			.to = p->to,
			.from = "",
			.t = TRACE_START + s->at_us };
	p->last = s->at_us > p->last ? s->at_us : p->last;
}

/* The controls' mail is not in the trace: only what is said of it. */
static void
add_copies(struct correlation *c, const struct play *p, const struct catalogue *cat)
{
	const char *name = p->test->n_control > 0 ? p->test->control[0] : "";
	const struct test *control = catalogue_find(cat, name, strlen(name));

	for (unsigned i = 0; control != NULL && i < p->n_copies; i++) {
		c->messages = xgrow(c->messages, c->n_messages, sizeof *c->messages);
		c->messages[c->n_messages] = p->copy[i];
		c->messages[c->n_messages++].test = control;
	}
}

/* --- mail v4|v6 ------------------------------------------------------------------------------------ */

#define MADE_WORDS 12

/* An event with these words, of the session that is open. */
__attribute__((format(printf, 4, 5))) static void
emit_made(struct play *p, const struct trace_step *s, enum event_kind kind, const char *fmt, ...)
{
	char text[160], *word[MADE_WORDS], *save = NULL;
	struct trace_step made = { .line = s->line, .at_us = s->at_us, .kind = TRACE_EVENT };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	made.word = word;
	word[made.n++] = text; /* in place of the kind */
	for (char *w = strtok_r(text, " ", &save); w != NULL && made.n < MADE_WORDS;
	     w = strtok_r(NULL, " ", &save))
		word[made.n++] = w;
	for (unsigned i = 1; i < s->n && made.n < MADE_WORDS; i++)
		if (strncmp(s->word[i], "subject=", 8) == 0 ||
		    strncmp(s->word[i], "libspf2=", 8) == 0)
			word[made.n++] = s->word[i];
	emit(p, kind, &made);
}

/* A message over this family, and what the verifier says of it. */
static void
play_mail(struct play *p, const struct trace_step *s)
{
	static const struct {
		const char *word;
		enum event_kind kind;
	} ends[] = {
		{ "lost", EV_VERIFY_LOST },
		{ "crashed", EV_VERIFY_CRASHED },
		{ "skipped", EV_VERIFY_SKIPPED },
		{ "open", EV_KIND_MAX },
	};
	const char *peer = strcmp(s->word[0], "v6") == 0 ? "2001:db8:1::25" : "192.0.2.1";
	enum event_kind end = EV_VERIFY_RESULT;

	p->conn++;
	p->open = false;
	for (size_t i = 0; s->n > 1 && i < sizeof ends / sizeof ends[0]; i++)
		if (strcmp(s->word[1], ends[i].word) == 0)
			end = ends[i].kind;
	emit_made(p, s, EV_SMTP_CONNECT, "peer=%s", peer);
	emit_made(p, s, EV_SMTP_MESSAGE, "peer=%s reply=250 tls=true handed=true digest=%u", peer,
	    p->conn);
	emit_made(p, s, EV_SMTP_CLOSE, "peer=%s stage=accepted how=quit", peer);
	if (end == EV_VERIFY_RESULT) {
		trace_mail_results(&p->results, s);
		emit_made(p, s, end, "peer=%s digest=%u", peer, p->conn);
	} else if (end != EV_KIND_MAX) {
		emit_made(p, s, end, "peer=%s digest=%u reason=signal", peer, p->conn);
	}
	p->last = s->at_us > p->last ? s->at_us : p->last;
}

static void
play_step(struct play *p, const struct trace_step *s)
{
	struct judge_given *g = &p->given;

	switch (s->kind) {
	case TRACE_EVENT:
		play_event(p, s);
		break;
	case TRACE_MAIL:
		play_mail(p, s);
		break;
	case TRACE_CONTROL:
		play_control(p, s);
		break;
	case TRACE_CONTRAST:
		g->contrast = outcome_by_name(s->word[0]);
		break;
	case TRACE_TRAIT:
		if (g->n_traits < GIVEN_TRAITS_MAX) {
			g->trait[g->n_traits].name = s->word[0];
			g->trait[g->n_traits++].answer = trait_answer_by_name(s->word[1]);
		}
		break;
	case TRACE_STRANGER:
		if (p->n_strangers < GIVEN_TRAITS_MAX)
			p->stranger[p->n_strangers++] = s->word[0];
		break;
	case TRACE_RELEASED:
		p->released = TRACE_START + s->at_us;
		break;
	case TRACE_END:
		g->settled = strcmp(s->word[0], "settled") == 0;
		break;
	case TRACE_VERDICT:
		p->verdict = s;
		break;
	}
}

static const char *
rule_reason(const struct test *t, const struct verdict *v)
{
	for (size_t i = 0; i < t->n_verdicts; i++) {
		if (t->verdicts[i].line == v->line)
			return t->verdicts[i].reason;
	}
	return v->reason;
}

/* 0, or -1: err says how the verdict differs. */
static int
compare(
    const struct play *p, const struct trace *tr, const struct verdict *v, char *err, size_t errlen)
{
	const struct test *t = p->test;
	const char *reason = rule_reason(t, v);

	if (p->verdict == NULL) {
		snprintf(
		    err, errlen, "%s:%u: trace %s: says no verdict", t->path, tr->line, tr->name);
		return -1;
	}
	if (strcmp(grade_name(v->grade), p->verdict->word[0]) != 0) {
		snprintf(err, errlen, "%s:%u: trace %s: should be %s, is %s by line %u (%s)",
		    t->path, p->verdict->line, tr->name, p->verdict->word[0], grade_name(v->grade),
		    v->line, v->reason);
		return -1;
	}
	if (p->verdict->n > 1 &&
	    strncmp(reason, p->verdict->word[1], strlen(p->verdict->word[1])) != 0) {
		snprintf(err, errlen, "%s:%u: trace %s: the reason should begin \"%s\", is \"%s\"",
		    t->path, p->verdict->line, tr->name, p->verdict->word[1], reason);
		return -1;
	}
	return 0;
}

/* A trace shows one test: the attempts elsewhere that its lookups were made for are not in it, and its
 * addresses are those of one sender but where it says otherwise. */
static void
complete(struct correlation *c, const struct play *p, const struct catalogue *cat)
{
	for (size_t i = 0; i < cat->n; i++) {
		struct facts *f = &c->facts[i];
		for (size_t k = 0; f->n_attempts == 0 && k < f->n_lookups; k++)
			f->lookups[k].counts = true;
		for (size_t k = 0; f->n_attempts == 0 && k < f->n_fetches; k++)
			f->fetches[k].counts = true;
	}
	add_copies(c, p, cat);
}

static int
trace_play(const struct test *t, const struct catalogue *cat, const struct trace *tr, char *err,
    size_t errlen)
{
	struct play *p = xcalloc(1, sizeof *p);
	struct judge j = { .pace = 1 };
	struct verdict v;
	bool *drop;
	int rc = -1;

	p->test = t;
	p->origin = (struct event_origin){ .node = "trace", .daemon = "trace", .n = 1 };
	p->given.contrast = OUTCOME_MAX;
	snprintf(p->to, sizeof p->to, "probe@" TRACE_TOKEN ".%s.example", t->name);
	for (size_t i = 0; i < tr->n; i++)
		play_step(p, &tr->steps[i]);
	if (p->given.contrast == OUTCOME_MAX)
		p->given.contrast = p->given.settled ? OUTCOME_UNKNOWN : OUTCOME_OPEN;
	if (p->obs.corrupt + p->obs.unknown > 0) {
		snprintf(err, errlen, "%s:%u: trace %s: an event of it is none", t->path, tr->line,
		    tr->name);
		goto out;
	}
	observations_sort(&p->obs);
	struct correlation *c = correlate_until(&p->obs, cat, TRACE_TOKEN, p->released);
	correlation_free(c->own);
	c->own = NULL;
	if ((drop = kin_named(c, &p->obs, p->stranger, p->n_strangers)) != NULL)
		correlate_own(c, &p->obs, drop);
	free(drop);
	complete(c, p, cat);
	if (c->own != NULL)
		complete(c->own, p, cat);
	j.c = c;
	j.now = TRACE_START + p->last + CLOCK_SECOND;
	j.given = &p->given;
	judge_test(&v, &j, t);
	rc = compare(p, tr, &v, err, errlen);
	correlation_free(c);
out:
	observations_clear(&p->obs);
	strbuf_clear(&p->results);
	free(p);
	return rc;
}

unsigned
trace_run(const struct test *t, const struct catalogue *cat, char *err, size_t errlen)
{
	struct catalogue *alone = NULL;
	struct test *only[1] = { NULL };
	unsigned failed = 0;
	char other[512];

	if (cat == NULL) {
		/* Only read from here on; the table wants pointers that could be written through. */
		memcpy(&only[0], &t, sizeof t);
		alone = xcalloc(1, sizeof *alone);
		alone->tests = only;
		alone->by_name = only;
		alone->n = 1;
		alone->by_number[t->number] = only[0];
		cat = alone;
	}
	for (size_t i = 0; i < t->n_traces; i++) {
		if (trace_play(t, cat, &t->traces[i], failed == 0 ? err : other,
			failed == 0 ? errlen : sizeof other) < 0)
			failed++;
	}
	free(alone);
	return failed;
}
