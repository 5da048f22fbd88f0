/* report_json.c - the report for programs.  Keys and meaning: outpost-report(5). */
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "results/change.h"
#include "results/describe.h"
#include "results/papers.h"
#include "results/report_views.h"

/* An object on a line of its own. */
static void
begin_row(struct strbuf *b)
{
	json_key(b, NULL);
	strbuf_puts(b, "\n{");
}

static void
put_score(struct strbuf *b, const struct report_score *s)
{
	json_put_num(b, "tests", s->tests);
	json_put_num(b, "passed", s->passed);
	json_put_num(b, "graded", s->graded);
	json_put_num(b, "so_far", s->so_far);
	for (unsigned g = 0; g < GRADE_MAX; g++)
		json_put_num(b, grade_name(g), s->grades[g]);
}

static void
put_attempt(struct strbuf *b, const struct attempt *a)
{
	json_begin(b, NULL, '{');
	json_put_time(b, "t", a->t);
	json_put_time(b, "end", a->end);
	json_put_some(b, "conn", a->conn);
	json_put_some(b, "peer", a->peer);
	json_put_some(b, "local", a->local);
	json_put_num(b, "family", a->family);
	json_put_num(b, "host", a->host);
	json_put(b, "stage", stage_name(a->stage));
	json_put_bool(b, "accepted", a->accepted);
	json_put_bool(b, "tls", a->tls);
	json_put_bool(b, "sni", a->sni);
	if (a->reply > 0) {
		json_put_num(b, "reply", a->reply);
		json_put_some(b, "reply_text", a->reply_text);
	}
	json_put_some(b, "deviation", a->dev);
	if (a->phase >= 0)
		json_put_num(b, "phase", a->phase);
	json_put_num(b, "commands", a->commands);
	json_put_some(b, "how", a->how);
	json_put_some(b, "state", a->state);
	json_put_some(b, "bound_by", binding_name(a->by));
	json_put_some(b, "ehlo", a->ehlo);
	json_put_some(b, "tls_version", a->tls_version);
	json_put_some(b, "tls_cipher", a->tls_cipher);
	json_put_some(b, "alert_in", a->alert_in);
	json_put_some(b, "alert_out", a->alert_out);
	json_put_some(b, "message_id", a->msgid);
	if (a->mixed)
		json_put_bool(b, "mixed", true);
	json_end(b, '}');
}

static void
put_evidence(struct strbuf *b, const struct verdict *v, const struct observation *o)
{
	struct strbuf text = { 0 };

	json_begin(b, NULL, '{');
	json_put_time(b, "t", o->t);
	json_put(b, "ev", event_kind(o->kind)->name);
	json_put(b, "node", o->node);
	json_put(b, "d", o->daemon);
	json_put_num(b, "w", o->worker);
	json_put_num(b, "n", (int64_t)o->n);
	json_put_some(b, "conn", text_of(o, EK_CONN));
	json_put(b, "layer", describe_layer(o));
	describe_event(&text, o);
	json_put(b, "text", text.s);
	json_put_bool(b, "decides", verdict_rests_on(v, o));
	json_end(b, '}');
	strbuf_clear(&text);
}

static void
put_report_row(struct strbuf *b, const struct tlsrpt_row *row)
{
	json_begin(b, NULL, '{');
	json_put(b, "policy_domain", row->policy->domain);
	if (row->failure != NULL) {
		json_put(b, "result_type", row->failure->said);
		json_put_some(b, "mx", row->failure->mx);
		json_put_some(b, "sending_ip", row->failure->sending_ip);
		json_put_some(b, "reason_code", row->failure->code);
		json_put_num(b, "failed_sessions", row->failure->count);
	} else {
		json_put_num(b, "successful_sessions", row->policy->successes);
		json_put_num(b, "failed_sessions", row->policy->failures);
	}
	json_put_num(b, "seen", row->seen);
	json_put(b, "answer", tlsrpt_answer_name(row->answer));
	json_put(b, "why", row->why);
	json_end(b, '}');
}

static void
put_tls_report(struct strbuf *b, const struct received_report *r)
{
	const struct tlsrpt *t = r->report;

	json_begin(b, NULL, '{');
	json_put_time(b, "t", r->t);
	json_put(b, "via", r->mail ? "mail" : "https");
	json_put_bool(b, "readable", t != NULL);
	json_put(b, "answer", tlsrpt_answer_name(r->answer));
	json_put_some(b, "why", r->why);
	if (t != NULL) {
		json_put(b, "organization", t->organization);
		json_put(b, "contact", t->contact);
		json_put(b, "report_id", t->id);
		json_put_time(b, "from", t->start);
		json_put_time(b, "to", t->end);
		json_put_some(b, "dkim_domain", t->dkim);
		json_begin(b, "problems", '[');
		for (unsigned i = 0; i < t->n_problems; i++)
			json_put(b, NULL, t->problem[i]);
		json_end(b, ']');
	}
	json_begin(b, "rows", '[');
	for (unsigned i = 0; i < r->n; i++)
		put_report_row(b, &r->row[i]);
	json_end(b, ']');
	json_end(b, '}');
}

static void
put_entry(struct strbuf *b, const struct report_entry *e)
{
	const struct test *t = e->test;
	const struct facts *f = e->facts;
	const struct verdict *v = &e->verdict;

	begin_row(b);
	json_put(b, "test", t->name);
	json_put_num(b, "number", t->number);
	json_put(b, "group", t->group);
	json_put(b, "title", t->title);
	json_put_some(b, "spec", t->spec);
	json_put_list(b, "control", t->control, t->n_control);
	json_put_list(b, "contrast", t->contrast, t->n_contrast);
	if (t->n_graded_on > 0)
		json_put_list(b, "graded_on", t->graded_on, t->n_graded_on);
	json_put(b, "verdict", grade_name(v->grade));
	json_put_bool(b, "final", v->final);
	json_put(b, "reason", v->reason);
	json_put_some(b, "missing", v->missing);
	if (!v->final) {
		json_put_some(b, "waits_for", v->waits);
		json_put_time(b, "until", v->until);
	}
	json_put(b, "means", e->means);
	json_put(b, "advice", e->advice);
	json_begin(b, "fix", '{');
	for (unsigned who = 0; who < FIX_MAX; who++)
		json_put_some(b, fix_name((enum fix)who), e->fix[who]);
	json_end(b, '}');
	json_put_some(b, "fooled_by", t->fooled_by);
	json_put_num(b, "lookups", (int64_t)f->n_lookups);
	json_begin(b, "attempts", '[');
	for (size_t i = 0; i < f->n_attempts; i++)
		put_attempt(b, &f->attempts[i]);
	json_end(b, ']');
	json_put_num(b, "fetches", (int64_t)f->n_fetches);
	json_begin(b, "tls_reports", '[');
	for (size_t i = 0; i < f->n_reports; i++)
		put_tls_report(b, f->reports[i]);
	json_end(b, ']');
	json_put_num(b, "events", (int64_t)f->n_events);
	json_begin(b, "evidence", '[');
	for (size_t i = 0; i < f->n_events; i = timeline_next(i, f->n_events))
		put_evidence(b, v, f->events[i]);
	json_end(b, ']');
	json_end(b, '}');
}

static void
put_place(struct strbuf *b, const struct place *at)
{
	if (at->as != 0)
		json_put_num(b, "as", at->as);
	json_put_some(b, "organization", at->organization);
	json_put_some(b, "country", at->country);
}

static void
put_resolver(struct strbuf *b, const struct resolver *r)
{
	begin_row(b);
	json_put(b, "address", r->peer);
	json_put_num(b, "family", r->family);
	put_place(b, &r->place);
	json_put_num(b, "queries", r->queries);
	json_put_num(b, "udp", r->udp);
	json_put_num(b, "tcp", r->tcp);
	if (r->edns >= 0) {
		json_put_num(b, "edns", r->edns);
		json_put_num(b, "edns_min", r->edns_min);
	}
	for (unsigned f = 0; f < RESOLVER_FEATURE_MAX; f++)
		json_put_bool(b, resolver_feature_key(f), resolver_has(r, f));
	json_put_num(b, "ports", r->ports);
	json_put_num(b, "ids", r->ids);
	json_key(b, "port_bits");
	strbuf_printf(b, "%.1f", r->port_bits);
	json_key(b, "id_bits");
	strbuf_printf(b, "%.1f", r->id_bits);
	json_put_time(b, "first", r->first);
	json_put_time(b, "last", r->last);
	json_end(b, '}');
}

static void
put_farm(struct strbuf *b, const struct report *r)
{
	const struct resolver_farm *f = &r->c->farm;

	json_begin(b, "resolver_farm", '{');
	json_put_num(b, "ipv4", f->ipv4);
	json_put_num(b, "ipv6", f->ipv6);
	json_put(b, "validates", trait_answer_name(r->validates));
	json_put_num(b, "telling", f->telling);
	json_begin(b, "differ", '[');
	for (unsigned k = 0; k < RESOLVER_FEATURE_MAX; k++) {
		if (((f->some & ~f->all) >> k & 1) == 0)
			continue;
		json_put(b, NULL, resolver_feature_key(k));
	}
	json_end(b, ']');
	json_end(b, '}');
}

static void
put_sender(struct strbuf *b, const struct sender *s)
{
	begin_row(b);
	json_put(b, "address", s->peer);
	json_put_num(b, "family", s->family);
	put_place(b, &s->place);
	json_put_some(b, "ehlo", s->ehlo);
	json_put_some(b, "ja4", s->ja4);
	json_put_some(b, "tls_version", s->tls_version);
	json_put_some(b, "tls_cipher", s->tls_cipher);
	json_put_num(b, "sessions", s->sessions);
	json_put_time(b, "first", s->first);
	json_put_time(b, "last", s->last);
	json_end(b, '}');
}

static void
put_paper(struct strbuf *b, const struct paper *p)
{
	const struct verified *v = p->verified;
	static const char *const states[] = {
		[VERIFIED_OPEN] = "open", [VERIFIED_JUDGED] = "judged", [VERIFIED_LOST] = "lost"
	};
	struct strbuf why = { 0 };

	begin_row(b);
	json_put_num(b, "family", p->attempt->family);
	json_put(b, "test", p->test->name);
	json_put_time(b, "t", p->attempt->t);
	json_put_some(b, "conn", p->attempt->conn);
	json_put_some(b, "peer", p->attempt->peer);
	json_put_num(b, "messages", p->messages);
	json_put(b, "state", states[v->state]);
	if (v->state == VERIFIED_LOST) {
		verified_describe(&why, v, AUTH_SPF);
		json_put(b, "why", why.s);
	}
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++)
		json_put_some(b, auth_method_name((enum auth_method)m),
		    verified_result(v, (enum auth_method)m));
	json_put_some(b, "libspf2", verified_libspf2(v));
	if (v->state == VERIFIED_JUDGED) {
		/* It was read as JSON, so it is. */
		json_key(b, "results");
		strbuf_puts(b, text_of(v->event, EK_RESULTS));
	}
	json_end(b, '}');
	strbuf_clear(&why);
}

static void
put_papers(struct strbuf *b, const struct report *r)
{
	struct papers *p = xcalloc(1, sizeof *p);

	papers_read(p, r->c);
	if (p->n > 0) {
		json_begin(b, "mail", '[');
		for (size_t i = 0; i < p->n; i++)
			put_paper(b, &p->paper[i]);
		json_end(b, ']');
		json_put_num(b, "mail_beyond", p->beyond);
	}
	free(p);
}

static void
put_changes(struct strbuf *b, const struct report *r)
{
	struct changes c;

	changes_read(&c, r);
	json_begin(b, "changes", '[');
	for (size_t i = 0; i < c.n; i++) {
		struct strbuf text = { 0 };
		const char *rest;

		json_begin(b, NULL, '{');
		json_put_num(b, "weight", c.item[i].weight);
		change_words(&text, &rest, &c.item[i]);
		json_put(b, "what", text.s);
		strbuf_reset(&text);
		change_ask(&text, c.item[i].entry[0]);
		json_put(b, "ask", text.s);
		json_begin(b, "tests", '[');
		for (size_t k = 0; k < c.item[i].n; k++) {
			const char *name = c.item[i].entry[k]->test->name;
			json_put(b, NULL, name);
		}
		json_end(b, ']');
		json_end(b, '}');
		strbuf_clear(&text);
	}
	json_end(b, ']');
	changes_clear(&c);
}

static void
put_head(struct strbuf *b, const struct report *r)
{
	json_put_num(b, "version", REPORT_VERSION);
	json_put(b, "token", r->token);
	json_put(b, "set", r->set);
	json_put_some(b, "label", r->label);
	json_put_some(b, "base", r->base);
	json_put_time(b, "started", r->started);
	json_put_time(b, "updated", r->updated);
	if (r->released != 0)
		json_put_time(b, "released", r->released);
	json_put_time(b, "made", r->now);
	json_put_num(b, "pace", r->pace);
	json_begin(b, "score", '{');
	put_score(b, &r->score);
	json_end(b, '}');
	json_begin(b, "groups", '[');
	for (size_t i = 0; i < r->n_groups; i++) {
		begin_row(b);
		json_put(b, "group", r->groups[i].name);
		json_put(b, "title", report_group_title(r->groups[i].name));
		put_score(b, &r->groups[i].score);
		json_end(b, '}');
	}
	json_end(b, ']');
}

void
report_json(struct strbuf *b, const struct report *r, const struct report_style *style)
{
	(void)style;
	strbuf_puts(b, "{");
	put_head(b, r);
	json_begin(b, "tests", '[');
	for (size_t i = 0; i < r->n; i++)
		put_entry(b, &r->entries[i]);
	json_end(b, ']');
	put_changes(b, r);
	put_papers(b, r);
	json_begin(b, "resolvers", '[');
	for (size_t i = 0; i < r->c->n_resolvers; i++)
		put_resolver(b, &r->c->resolvers[i]);
	json_end(b, ']');
	put_farm(b, r);
	json_put_num(b, "resolver_queries_beyond", (int64_t)r->c->resolvers_beyond);
	json_begin(b, "senders", '[');
	for (size_t i = 0; i < r->c->n_senders; i++)
		put_sender(b, &r->c->senders[i]);
	json_end(b, ']');
	json_put_num(b, "senders_beyond", (int64_t)r->c->senders_beyond);
	strbuf_puts(b, "}\n");
}
