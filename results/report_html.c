/* report_html.c - the report as one page that needs nothing else: no script, no font, no image from
 * elsewhere.  Everything that a stranger can have said passes html_text(). */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/html.h"
#include "results/describe.h"
#include "results/report_plot.h"
#include "results/report_views.h"

void
report_html_prose(struct strbuf *b, const char *s)
{
	bool config = false;

	for (; *s != '\0';) {
		size_t len = strcspn(s, "\n");
		char line[TEST_NAME_MAX + 4096];
		bool verbatim = len > 2 && s[0] == ' ' && s[1] == ' ';
		snprintf(line, sizeof line, "%.*s", (int)(len < 4000 ? len : 4000), s);
		if (verbatim && !config)
			strbuf_puts(b, "<pre>");
		else if (!verbatim && config)
			strbuf_puts(b, "</pre>");
		if (verbatim) {
			html_text(b, line + 2);
			strbuf_puts(b, "\n");
		} else if (len > 0) {
			strbuf_puts(b, "<p>");
			html_text(b, line);
			strbuf_puts(b, "</p>");
		}
		config = verbatim;
		s += len + (s[len] == '\n');
	}
	if (config)
		strbuf_puts(b, "</pre>");
}

static void
badge(struct strbuf *b, const struct verdict *v)
{
	strbuf_printf(b, "<span class=\"badge %s\">%s</span>", report_grades[v->grade].class,
	    report_grades[v->grade].word);
	if (!v->final && v->grade != GRADE_PENDING)
		strbuf_puts(b, " <span class=\"badge sofar\">so far</span>");
}

/* --- around the body ------------------------------------------------------------------------------------ */

void
report_html_head(struct strbuf *b, const char *title, const char *token)
{
	strbuf_puts(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n"
		       "<meta name=\"robots\" content=\"noindex\">\n<title>");
	html_text(b, title);
	strbuf_puts(b, " ");
	html_text(b, token);
	strbuf_puts(b, "</title>\n<style>\n");
	strbuf_puts(b, report_style_css);
	strbuf_puts(b, "</style>\n</head>\n<body>\n<main>\n");
}

static void
put_title(struct strbuf *b, const struct report *r)
{
	char from[32], to[32];

	strbuf_puts(b, "<header>\n<p class=\"brand\">Outpost report</p>\n<h1>");
	if (r->label[0] != '\0') {
		html_text(b, r->label);
		strbuf_puts(b, " <code>");
	} else {
		strbuf_puts(b, "<code>");
	}
	html_text(b, r->token);
	strbuf_puts(b, "</code></h1>\n<p class=\"meta\">");
	strbuf_puts(b, "Set <b>");
	html_text(b, r->set);
	strbuf_printf(b, "</b>, %u tests. ", r->score.tests);
	if (r->updated == 0) {
		strbuf_puts(b, "Nothing was seen yet.");
	} else {
		describe_time(from, r->started, false);
		describe_time(to, r->updated, false);
		strbuf_printf(b, "Seen from <time>%s</time> to <time>%s</time> UTC.", from, to);
	}
	if (r->released != 0) {
		describe_time(from, r->released, false);
		strbuf_printf(b,
		    " Released <time>%s</time> UTC: what was still queued was refused, and what "
		    "was "
		    "not decided by then stays open.",
		    from);
	}
	strbuf_puts(b, "</p>\n</header>\n");
}

#define OPEN_MAX 40 /* a report of more tests has all its groups folded */

/* --- a test -------------------------------------------------------------------------------------------- */

static void
put_part(struct strbuf *b, const char *title, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	strbuf_printf(b, "<h4>%s</h4>\n", title);
	report_html_prose(b, text);
	strbuf_puts(b, "\n");
}

static void
put_attempts(struct strbuf *b, const struct facts *f)
{
	size_t n = f->n_attempts;

	if (n == 0)
		return;
	strbuf_puts(b, "<ol class=\"attempts\">\n");
	for (size_t i = 0; i < n; i = timeline_next(i, n)) {
		struct strbuf text = { 0 };
		char when[32];
		describe_time(when, f->attempts[i].t, false);
		describe_attempt(&text, &f->attempts[i]);
		strbuf_printf(b, "<li value=\"%zu\" class=\"%s\"><time>%s</time> ", i + 1,
		    f->attempts[i].accepted ? "yes" : "no", when);
		html_text(b, text.s);
		strbuf_puts(b, "</li>\n");
		strbuf_clear(&text);
	}
	strbuf_puts(b, "</ol>\n");
}

static void
put_reports(struct strbuf *b, const struct facts *f)
{
	if (f->n_reports > 0)
		strbuf_puts(b, "<h4>TLS reports received</h4>\n");
	for (size_t i = 0; i < f->n_reports; i++) {
		const struct received_report *r = f->reports[i];
		struct strbuf text = { 0 };
		describe_report(&text, r);
		strbuf_puts(b, "<p>");
		html_text(b, text.s);
		strbuf_puts(b, "</p>\n<ul>\n");
		for (unsigned k = 0; k < r->n; k++) {
			strbuf_reset(&text);
			describe_report_row(&text, &r->row[k]);
			strbuf_puts(b, "<li>");
			html_text(b, text.s);
			strbuf_puts(b, "</li>\n");
		}
		for (unsigned k = 0; r->report != NULL && k < r->report->n_problems; k++)
			strbuf_printf(
			    b, "<li>Not as RFC 8460 has it: %s</li>\n", r->report->problem[k]);
		strbuf_puts(b, "</ul>\n");
		strbuf_clear(&text);
	}
}

static void
put_control(struct strbuf *b, const struct report *r, const struct test *t)
{
	if (t->n_control == 0)
		return;
	strbuf_puts(b, "<h4>Compared with</h4>\n<p>");
	for (unsigned i = 0; i < t->n_control + t->n_contrast; i++) {
		const char *name = i < t->n_control ? t->control[i] : t->contrast[i - t->n_control];
		const struct test *other = catalogue_find(r->catalogue, name, strlen(name));
		const struct facts *f = other == NULL ? NULL : correlation_facts(r->c, other);
		strbuf_puts(b, i == 0 ? "" : ", ");
		report_html_link(b, name);
		strbuf_printf(b, i < t->n_control ? " (control: %s)" : " (contrast: %s)",
		    f != NULL && f->accepted > 0 ? "delivered" : "not delivered");
	}
	strbuf_puts(b, "</p>\n");
}

static void
put_graded_on(struct strbuf *b, const struct test *t)
{
	if (t->n_graded_on == 0)
		return;
	strbuf_puts(b, "<h4>Seen in the mail of</h4>\n<p>");
	for (unsigned i = 0; i < t->n_graded_on; i++) {
		strbuf_puts(b, i == 0 ? "" : ", ");
		report_html_link(b, t->graded_on[i]);
	}
	strbuf_puts(b, "</p>\n");
}

static void
put_event(struct strbuf *b, const struct verdict *v, const struct observation *o, int64_t start)
{
	struct strbuf text = { 0 };
	const char *layer = describe_layer(o);
	char when[32];

	describe_time(when, o->t, true);
	describe_event(&text, o);
	strbuf_printf(b,
	    "<tr%s><td class=\"when\" title=\"%s UTC\"><time>%s</time></td><td "
	    "class=\"since\">+%lld.%03d s</td>"
	    "<td><span class=\"layer %s\">%s</span></td><td class=\"what\">",
	    verdict_rests_on(v, o) ? " class=\"decides\"" : "", when, when + 11,
	    (long long)((o->t - start) / CLOCK_SECOND), (int)((o->t - start) % CLOCK_SECOND / 1000),
	    layer, layer);
	html_text(b, text.s);
	strbuf_puts(b, "</td></tr>\n");
	strbuf_clear(&text);
}

static void
put_timeline(struct strbuf *b, const struct report_entry *e)
{
	const struct facts *f = e->facts;
	size_t n = f->n_events,
	       shown = n > TIMELINE_HEAD + TIMELINE_TAIL ? TIMELINE_HEAD + TIMELINE_TAIL : n;
	char day[32];

	if (n == 0)
		return;
	describe_time(day, f->first, false);
	strbuf_printf(b, "<details class=\"timeline\"><summary>Evidence: %zu observation%s", n,
	    n == 1 ? "" : "s");
	if (shown < n)
		strbuf_printf(
		    b, ", the first %d and the last %d shown", TIMELINE_HEAD, TIMELINE_TAIL);
	strbuf_printf(b,
	    "</summary>\n<table><caption>From %s UTC%s</caption>\n<thead><tr><th "
	    "scope=\"col\">Time</th>"
	    "<th scope=\"col\">Since</th><th scope=\"col\">Layer</th><th scope=\"col\">What was "
	    "seen</th></tr></thead>\n<tbody>\n",
	    day, e->verdict.n_evidence > 0 ? "; marked: what the verdict rests on" : "");
	for (size_t i = 0; i < n; i = timeline_next(i, n))
		put_event(b, &e->verdict, f->events[i], f->first);
	strbuf_puts(b, "</tbody></table></details>\n");
}

static void
put_wait(struct strbuf *b, const struct verdict *v)
{
	char when[32];

	if (v->final || v->waits[0] == '\0')
		return;
	strbuf_puts(b, "<p class=\"waits\">Not final: waits for ");
	html_text(b, v->waits);
	if (v->until != 0) {
		describe_time(when, v->until, false);
		strbuf_printf(b, ", until %s UTC at the latest", when);
	}
	strbuf_puts(b, ".</p>\n");
}

static void
put_test(struct strbuf *b, const struct report *r, const struct report_entry *e)
{
	const struct test *t = e->test;

	strbuf_printf(
	    b, "<details class=\"test %s\" id=\"test-", report_grades[e->verdict.grade].class);
	html_text(b, t->name);
	strbuf_puts(b, "\">\n<summary><span class=\"marks\">");
	badge(b, &e->verdict);
	strbuf_puts(b, "</span><span class=\"line\"><h3>");
	html_text(b, t->name);
	strbuf_puts(b, "</h3> <span class=\"title\">");
	html_text(b, t->title);
	strbuf_puts(b, "</span><span class=\"reason\">");
	html_text(b, e->verdict.reason);
	strbuf_puts(b, "</span></span></summary>\n<div class=\"body\">\n");
	put_part(b, "What is set up", t->about);
	strbuf_puts(b, "<h4>What was seen</h4>\n<p>");
	html_text(b, e->verdict.reason);
	strbuf_puts(b, "</p>\n");
	put_wait(b, &e->verdict);
	put_attempts(b, e->facts);
	report_plot(b, e->facts);
	put_reports(b, e->facts);
	put_part(b, "What it means", e->means);
	put_part(b, "What to change", e->advice);
	report_html_fixes(b, e);
	put_control(b, r, t);
	put_graded_on(b, t);
	put_part(b, "How this could be wrong", t->fooled_by);
	put_part(b, "Specification", t->spec);
	put_timeline(b, e);
	strbuf_puts(b, "</div>\n</details>\n");
}

static void
put_group(struct strbuf *b, const struct report *r, const struct report_group *g)
{
	bool open = g->score.grades[GRADE_VIOLATES] > 0 && r->n <= OPEN_MAX;

	strbuf_printf(b, "<details class=\"group\" id=\"group-%s\"%s>\n<summary><h2>", g->name,
	    open ? " open" : "");
	html_text(b, report_group_title(g->name));
	strbuf_puts(b, "</h2>");
	if (g->score.graded > 0)
		strbuf_printf(b, "<span class=\"tally\">%u of %u passed</span>", g->score.passed,
		    g->score.graded);
	strbuf_puts(b, "<span class=\"dots\" aria-hidden=\"true\">");
	for (size_t i = 0; i < g->n; i++)
		strbuf_printf(b, "<i class=\"%s\"></i>",
		    report_grades[r->entries[g->from + i].verdict.grade].class);
	strbuf_puts(b, "</span></summary>\n");
	for (size_t i = 0; i < g->n; i++)
		put_test(b, r, &r->entries[g->from + i]);
	strbuf_puts(b, "</details>\n");
}

void
report_html_body(struct strbuf *b, const struct report *r)
{
	char made[32];

	report_html_summary(b, r);
	report_html_changes(b, r);
	strbuf_puts(b, "<section class=\"groups\" aria-label=\"Tests\">\n");
	for (size_t i = 0; i < r->n_groups; i++)
		put_group(b, r, &r->groups[i]);
	strbuf_puts(b, "</section>\n");
	report_html_mail(b, r);
	if (r->c->n_resolvers > 0)
		report_html_resolvers(b, r);
	if (r->c->n_senders > 0)
		report_html_senders(b, r);
	describe_time(made, r->now, false);
	strbuf_printf(b,
	    "<p class=\"made\">Made %s UTC. A verdict rests on what was seen only; \"so far\" may "
	    "still "
	    "change.</p>\n",
	    made);
}

void
report_html(struct strbuf *b, const struct report *r, const struct report_style *style)
{
	(void)style;
	report_html_head(b, "Outpost report", r->token);
	put_title(b, r);
	report_html_body(b, r);
	strbuf_puts(b, "</main>\n</body>\n</html>\n");
}
