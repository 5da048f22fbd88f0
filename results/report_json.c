/* report_json.c - the report for programs.  Keys and meaning: outpost-report(5). */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "results/change.h"
#include "results/describe.h"
#include "results/papers.h"
#include "results/report_views.h"
#include "results/session.h"

/* Members of the object or array that is being written. */
static void
comma(struct strbuf *b)
{
	char last = b->len == 0 ? '{' : b->s[b->len - 1];

	if (last != '{' && last != '[')
		strbuf_puts(b, ",");
}

static void
key(struct strbuf *b, const char *name)
{
	comma(b);
	strbuf_printf(b, "\"%s\":", name);
}

static void
put_text(struct strbuf *b, const char *name, const char *s)
{
	key(b, name);
	strbuf_json(b, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
}

/* Absent rather than empty. */
static void
put_some(struct strbuf *b, const char *name, const char *s)
{
	if (s != NULL && *s != '\0')
		put_text(b, name, s);
}

static void
put_num(struct strbuf *b, const char *name, int64_t n)
{
	key(b, name);
	strbuf_printf(b, "%lld", (long long)n);
}

static void
put_bool(struct strbuf *b, const char *name, bool v)
{
	key(b, name);
	strbuf_puts(b, v ? "true" : "false");
}

static void
put_time(struct strbuf *b, const char *name, int64_t t)
{
	char text[CLOCK_TEXT_MAX];

	key(b, name);
	if (t == 0) {
		strbuf_puts(b, "null");
		return;
	}
	clock_format(text, t);
	strbuf_printf(b, "\"%s\"", text);
}

static void
put_names(struct strbuf *b, const char *name, char *const *item, unsigned n)
{
	key(b, name);
	strbuf_puts(b, "[");
	for (unsigned i = 0; i < n; i++) {
		comma(b);
		strbuf_json(b, item[i], strlen(item[i]));
	}
	strbuf_puts(b, "]");
}

static void
put_score(struct strbuf *b, const struct report_score *s)
{
	put_num(b, "tests", s->tests);
	put_num(b, "passed", s->passed);
	put_num(b, "graded", s->graded);
	put_num(b, "so_far", s->so_far);
	for (unsigned g = 0; g < GRADE_MAX; g++)
		put_num(b, grade_name(g), s->grades[g]);
}

static void
put_attempt(struct strbuf *b, const struct attempt *a)
{
	comma(b);
	strbuf_puts(b, "{");
	put_time(b, "t", a->t);
	put_time(b, "end", a->end);
	put_some(b, "conn", a->conn);
	put_some(b, "peer", a->peer);
	put_some(b, "local", a->local);
	put_num(b, "family", a->family);
	put_num(b, "host", a->host);
	put_text(b, "stage", stage_name(a->stage));
	put_bool(b, "accepted", a->accepted);
	put_bool(b, "tls", a->tls);
	put_bool(b, "sni", a->sni);
	if (a->reply > 0) {
		put_num(b, "reply", a->reply);
		put_some(b, "reply_text", a->reply_text);
	}
	put_some(b, "deviation", a->dev);
	if (a->phase >= 0)
		put_num(b, "phase", a->phase);
	put_num(b, "commands", a->commands);
	put_some(b, "how", a->how);
	put_some(b, "state", a->state);
	put_some(b, "bound_by", binding_name(a->by));
	put_some(b, "ehlo", a->ehlo);
	put_some(b, "tls_version", a->tls_version);
	put_some(b, "tls_cipher", a->tls_cipher);
	put_some(b, "alert_in", a->alert_in);
	put_some(b, "alert_out", a->alert_out);
	put_some(b, "message_id", a->msgid);
	if (a->mixed)
		put_bool(b, "mixed", true);
	strbuf_puts(b, "}");
}

static bool
decides(const struct verdict *v, const struct observation *o)
{
	for (size_t i = 0; i < v->n_evidence; i++) {
		if (v->evidence[i] == o)
			return true;
	}
	return false;
}

static void
put_evidence(struct strbuf *b, const struct verdict *v, const struct observation *o)
{
	struct strbuf text = { 0 };

	comma(b);
	strbuf_puts(b, "{");
	put_time(b, "t", o->t);
	put_text(b, "ev", event_kind(o->kind)->name);
	put_text(b, "node", o->node);
	put_text(b, "d", o->daemon);
	put_num(b, "w", o->worker);
	put_num(b, "n", (int64_t)o->n);
	put_some(b, "conn", text_of(o, EK_CONN));
	put_text(b, "layer", describe_layer(o));
	describe_event(&text, o);
	put_text(b, "text", text.s);
	put_bool(b, "decides", decides(v, o));
	strbuf_puts(b, "}");
	strbuf_clear(&text);
}

static void
put_report_row(struct strbuf *b, const struct tlsrpt_row *row)
{
	comma(b);
	strbuf_puts(b, "{");
	put_text(b, "policy_domain", row->policy->domain);
	if (row->failure != NULL) {
		put_text(b, "result_type", row->failure->said);
		put_some(b, "mx", row->failure->mx);
		put_some(b, "sending_ip", row->failure->sending_ip);
		put_some(b, "reason_code", row->failure->code);
		put_num(b, "failed_sessions", row->failure->count);
	} else {
		put_num(b, "successful_sessions", row->policy->successes);
		put_num(b, "failed_sessions", row->policy->failures);
	}
	put_num(b, "seen", row->seen);
	put_text(b, "answer", tlsrpt_answer_name(row->answer));
	put_text(b, "why", row->why);
	strbuf_puts(b, "}");
}

static void
put_tls_report(struct strbuf *b, const struct received_report *r)
{
	const struct tlsrpt *t = r->report;

	comma(b);
	strbuf_puts(b, "{");
	put_time(b, "t", r->t);
	put_text(b, "via", r->mail ? "mail" : "https");
	put_bool(b, "readable", t != NULL);
	put_text(b, "answer", tlsrpt_answer_name(r->answer));
	put_some(b, "why", r->why);
	if (t != NULL) {
		put_text(b, "organization", t->organization);
		put_text(b, "contact", t->contact);
		put_text(b, "report_id", t->id);
		put_time(b, "from", t->start);
		put_time(b, "to", t->end);
		put_some(b, "dkim_domain", t->dkim);
		key(b, "problems");
		strbuf_puts(b, "[");
		for (unsigned i = 0; i < t->n_problems; i++) {
			comma(b);
			strbuf_json(b, t->problem[i], strlen(t->problem[i]));
		}
		strbuf_puts(b, "]");
	}
	key(b, "rows");
	strbuf_puts(b, "[");
	for (unsigned i = 0; i < r->n; i++)
		put_report_row(b, &r->row[i]);
	strbuf_puts(b, "]}");
}

static void
put_entry(struct strbuf *b, const struct report_entry *e)
{
	const struct test *t = e->test;
	const struct facts *f = e->facts;
	const struct verdict *v = &e->verdict;

	comma(b);
	strbuf_puts(b, "\n{");
	put_text(b, "test", t->name);
	put_num(b, "number", t->number);
	put_text(b, "group", t->group);
	put_text(b, "title", t->title);
	put_some(b, "spec", t->spec);
	put_names(b, "control", t->control, t->n_control);
	put_names(b, "contrast", t->contrast, t->n_contrast);
	if (t->n_graded_on > 0)
		put_names(b, "graded_on", t->graded_on, t->n_graded_on);
	put_text(b, "verdict", grade_name(v->grade));
	put_bool(b, "final", v->final);
	put_text(b, "reason", v->reason);
	put_some(b, "missing", v->missing);
	if (!v->final) {
		put_some(b, "waits_for", v->waits);
		put_time(b, "until", v->until);
	}
	put_text(b, "means", e->means);
	put_text(b, "advice", e->advice);
	key(b, "fix");
	strbuf_puts(b, "{");
	for (unsigned who = 0; who < FIX_MAX; who++)
		put_some(b, fix_name((enum fix)who), e->fix[who]);
	strbuf_puts(b, "}");
	put_some(b, "fooled_by", t->fooled_by);
	put_num(b, "lookups", (int64_t)f->n_lookups);
	key(b, "attempts");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < f->n_attempts; i++)
		put_attempt(b, &f->attempts[i]);
	strbuf_puts(b, "]");
	put_num(b, "fetches", (int64_t)f->n_fetches);
	key(b, "tls_reports");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < f->n_reports; i++)
		put_tls_report(b, f->reports[i]);
	strbuf_puts(b, "]");
	put_num(b, "events", (int64_t)f->n_events);
	key(b, "evidence");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < f->n_events; i = timeline_next(i, f->n_events))
		put_evidence(b, v, f->events[i]);
	strbuf_puts(b, "]}");
}

static void
put_place(struct strbuf *b, const struct place *at)
{
	if (at->as != 0)
		put_num(b, "as", at->as);
	put_some(b, "organization", at->organization);
	put_some(b, "country", at->country);
}

static void
put_resolver(struct strbuf *b, const struct resolver *r)
{
	comma(b);
	strbuf_puts(b, "\n{");
	put_text(b, "address", r->peer);
	put_num(b, "family", r->family);
	put_place(b, &r->place);
	put_num(b, "queries", r->queries);
	put_num(b, "udp", r->udp);
	put_num(b, "tcp", r->tcp);
	if (r->edns >= 0) {
		put_num(b, "edns", r->edns);
		put_num(b, "edns_min", r->edns_min);
	}
	for (unsigned f = 0; f < RESOLVER_FEATURE_MAX; f++)
		put_bool(b, resolver_feature_key(f), resolver_has(r, f));
	put_num(b, "ports", r->ports);
	put_num(b, "ids", r->ids);
	key(b, "port_bits");
	strbuf_printf(b, "%.1f", r->port_bits);
	key(b, "id_bits");
	strbuf_printf(b, "%.1f", r->id_bits);
	put_time(b, "first", r->first);
	put_time(b, "last", r->last);
	strbuf_puts(b, "}");
}

static void
put_farm(struct strbuf *b, const struct report *r)
{
	const struct resolver_farm *f = &r->c->farm;

	key(b, "resolver_farm");
	strbuf_puts(b, "{");
	put_num(b, "ipv4", f->ipv4);
	put_num(b, "ipv6", f->ipv6);
	put_text(b, "validates", trait_answer_name(r->validates));
	put_num(b, "telling", f->telling);
	key(b, "differ");
	strbuf_puts(b, "[");
	for (unsigned k = 0; k < RESOLVER_FEATURE_MAX; k++) {
		if (((f->some & ~f->all) >> k & 1) == 0)
			continue;
		comma(b);
		strbuf_printf(b, "\"%s\"", resolver_feature_key(k));
	}
	strbuf_puts(b, "]}");
}

static void
put_sender(struct strbuf *b, const struct sender *s)
{
	comma(b);
	strbuf_puts(b, "\n{");
	put_text(b, "address", s->peer);
	put_num(b, "family", s->family);
	put_place(b, &s->place);
	put_some(b, "ehlo", s->ehlo);
	put_some(b, "ja4", s->ja4);
	put_some(b, "tls_version", s->tls_version);
	put_some(b, "tls_cipher", s->tls_cipher);
	put_num(b, "sessions", s->sessions);
	put_time(b, "first", s->first);
	put_time(b, "last", s->last);
	strbuf_puts(b, "}");
}

static void
put_paper(struct strbuf *b, const struct paper *p)
{
	const struct verified *v = p->verified;
	static const char *const states[] = {
		[VERIFIED_OPEN] = "open", [VERIFIED_JUDGED] = "judged", [VERIFIED_LOST] = "lost"
	};
	struct strbuf why = { 0 };

	comma(b);
	strbuf_puts(b, "\n{");
	put_num(b, "family", p->attempt->family);
	put_text(b, "test", p->test->name);
	put_time(b, "t", p->attempt->t);
	put_some(b, "conn", p->attempt->conn);
	put_some(b, "peer", p->attempt->peer);
	put_num(b, "messages", p->messages);
	put_text(b, "state", states[v->state]);
	if (v->state == VERIFIED_LOST) {
		verified_describe(&why, v, AUTH_SPF);
		put_text(b, "why", why.s);
	}
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++)
		put_some(b, auth_method_name((enum auth_method)m),
		    verified_result(v, (enum auth_method)m));
	put_some(b, "libspf2", verified_libspf2(v));
	if (v->state == VERIFIED_JUDGED) {
		/* It was read as JSON, so it is. */
		key(b, "results");
		strbuf_puts(b, text_of(v->event, EK_RESULTS));
	}
	strbuf_puts(b, "}");
	strbuf_clear(&why);
}

static void
put_papers(struct strbuf *b, const struct report *r)
{
	struct papers *p = xcalloc(1, sizeof *p);

	papers_read(p, r->c);
	if (p->n > 0) {
		key(b, "mail");
		strbuf_puts(b, "[");
		for (size_t i = 0; i < p->n; i++)
			put_paper(b, &p->paper[i]);
		strbuf_puts(b, "]");
		put_num(b, "mail_beyond", p->beyond);
	}
	free(p);
}

static void
put_changes(struct strbuf *b, const struct report *r)
{
	struct changes c;

	changes_read(&c, r);
	key(b, "changes");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < c.n; i++) {
		struct strbuf text = { 0 };
		const char *rest;

		comma(b);
		strbuf_puts(b, "{");
		put_num(b, "weight", c.item[i].weight);
		change_words(&text, &rest, &c.item[i]);
		put_text(b, "what", text.s);
		strbuf_reset(&text);
		change_ask(&text, c.item[i].entry[0]);
		put_text(b, "ask", text.s);
		key(b, "tests");
		strbuf_puts(b, "[");
		for (size_t k = 0; k < c.item[i].n; k++) {
			const char *name = c.item[i].entry[k]->test->name;
			comma(b);
			strbuf_json(b, name, strlen(name));
		}
		strbuf_puts(b, "]}");
		strbuf_clear(&text);
	}
	strbuf_puts(b, "]");
	changes_clear(&c);
}

static void
put_head(struct strbuf *b, const struct report *r)
{
	put_num(b, "version", REPORT_VERSION);
	put_text(b, "token", r->token);
	put_text(b, "set", r->set);
	put_some(b, "label", r->label);
	put_some(b, "base", r->base);
	put_time(b, "started", r->started);
	put_time(b, "updated", r->updated);
	put_time(b, "made", r->now);
	put_num(b, "pace", r->pace);
	key(b, "score");
	strbuf_puts(b, "{");
	put_score(b, &r->score);
	strbuf_puts(b, "}");
	key(b, "groups");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < r->n_groups; i++) {
		comma(b);
		strbuf_puts(b, "\n{");
		put_text(b, "group", r->groups[i].name);
		put_text(b, "title", report_group_title(r->groups[i].name));
		put_score(b, &r->groups[i].score);
		strbuf_puts(b, "}");
	}
	strbuf_puts(b, "]");
}

void
report_json(struct strbuf *b, const struct report *r, const struct report_style *style)
{
	(void)style;
	strbuf_puts(b, "{");
	put_head(b, r);
	key(b, "tests");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < r->n; i++)
		put_entry(b, &r->entries[i]);
	strbuf_puts(b, "]");
	put_changes(b, r);
	put_papers(b, r);
	key(b, "resolvers");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < r->c->n_resolvers; i++)
		put_resolver(b, &r->c->resolvers[i]);
	strbuf_puts(b, "]");
	put_farm(b, r);
	put_num(b, "resolver_queries_beyond", (int64_t)r->c->resolvers_beyond);
	key(b, "senders");
	strbuf_puts(b, "[");
	for (size_t i = 0; i < r->c->n_senders; i++)
		put_sender(b, &r->c->senders[i]);
	strbuf_puts(b, "]");
	put_num(b, "senders_beyond", (int64_t)r->c->senders_beyond);
	strbuf_puts(b, "}\n");
}
