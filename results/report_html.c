/* report_html.c - the report as one page that needs nothing else: no script, no font, no image from
 * elsewhere.  Everything that a stranger can have said passes html_text(). */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/html.h"
#include "results/describe.h"
#include "results/report_plot.h"
#include "results/report_views.h"
#include "results/session.h"

static const struct {
	const char *class, *word;
} grades[GRADE_MAX] = {
	[GRADE_CONFORMS] = { "ok", "works" },
	[GRADE_VIOLATES] = { "bad", "needs a hand" },
	[GRADE_INFORMATIONAL] = { "info", "information" },
	[GRADE_INCONCLUSIVE] = { "none", "not seen" },
	[GRADE_PENDING] = { "wait", "waiting" },
};

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
	strbuf_printf(
	    b, "<span class=\"badge %s\">%s</span>", grades[v->grade].class, grades[v->grade].word);
	if (!v->final && v->grade != GRADE_PENDING)
		strbuf_puts(b, " <span class=\"badge sofar\">so far</span>");
}

static void
link_to(struct strbuf *b, const char *test)
{
	strbuf_puts(b, "<a href=\"#test-");
	html_text(b, test);
	strbuf_puts(b, "\">");
	html_text(b, test);
	strbuf_puts(b, "</a>");
}

/* --- summary -------------------------------------------------------------------------------------------- */

/* What a file of its own needs around the body. */
static void
put_head(struct strbuf *b, const struct report *r)
{
	strbuf_puts(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n"
		       "<meta name=\"robots\" content=\"noindex\">\n<title>Outpost report ");
	html_text(b, r->token);
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
	strbuf_puts(b, "</p>\n</header>\n");
}

/* A picture, not boxes with a style of their own: the page must do without inline style. */
static void
put_bar(struct strbuf *b, const struct report_score *s)
{
	unsigned x = 0;

	if (s->tests == 0)
		return;
	strbuf_puts(b, "<svg class=\"bar\" role=\"img\" aria-label=\"");
	for (unsigned g = 0; g < GRADE_MAX; g++)
		strbuf_printf(b, "%s%u %s", g == 0 ? "" : ", ", s->grades[g], grades[g].word);
	strbuf_printf(b, "\" viewBox=\"0 0 %u 10\" preserveAspectRatio=\"none\">", s->tests);
	for (unsigned g = 0; g < GRADE_MAX; g++) {
		if (s->grades[g] > 0)
			strbuf_printf(b, "<rect class=\"%s\" x=\"%u\" width=\"%u\" height=\"10\"/>",
			    grades[g].class, x, s->grades[g]);
		x += s->grades[g];
	}
	strbuf_puts(b, "</svg>\n");
}

static void
put_score(struct strbuf *b, const struct report *r)
{
	const struct report_score *s = &r->score;

	strbuf_puts(b, "<div class=\"score\">\n");
	if (s->graded == 0) {
		strbuf_puts(b, "<p class=\"figure\">No test could be graded yet.</p>\n");
	} else {
		strbuf_printf(b, "<p class=\"figure\"><b>%u</b> of %u graded tests passed",
		    s->passed, s->graded);
		if (s->so_far > 0)
			strbuf_printf(b, "<span>, %u only so far</span>", s->so_far);
		strbuf_puts(b, "</p>\n");
	}
	put_bar(b, s);
	strbuf_puts(b, "</div>\n");
}

/* What the summary shows must fit one screen, whatever the number of tests. */
#define SUMMARY_REASONS 8
#define SUMMARY_NAMES   18
#define OPEN_MAX        40 /* a report of more tests has all its groups folded */

/* The names of the tests with this grade, from the skip-th on. */
static void
put_links(struct strbuf *b, const struct report *r, enum grade grade, unsigned skip)
{
	unsigned n = 0;

	strbuf_puts(b, "<p class=\"names\">");
	for (size_t i = 0; i < r->n; i++) {
		if (r->entries[i].verdict.grade != grade || n++ < skip)
			continue;
		strbuf_puts(b, n == skip + 1 ? "" : " ");
		link_to(b, r->entries[i].test->name);
	}
	strbuf_puts(b, n == 0 ? "None.</p>\n" : "</p>\n");
}

/* Many names are folded behind their numbers by group. */
static void
put_names(struct strbuf *b, const struct report *r, enum grade grade)
{
	const char *before = "";

	if (r->score.grades[grade] <= SUMMARY_NAMES) {
		put_links(b, r, grade, 0);
		return;
	}
	strbuf_puts(b, "<details class=\"more\"><summary>");
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct report_group *g = &r->groups[i];
		if (g->score.grades[grade] == 0)
			continue;
		strbuf_puts(b, before);
		html_text(b, report_group_title(g->name));
		strbuf_printf(b, " %u", g->score.grades[grade]);
		before = ", ";
	}
	strbuf_puts(b, "</summary>\n");
	put_links(b, r, grade, 0);
	strbuf_puts(b, "</details>\n");
}

/* The tests with this grade, each with its reason; of many only the first ones. */
static void
put_reasons(struct strbuf *b, const struct report *r, enum grade grade)
{
	unsigned all = r->score.grades[grade], n = 0;
	unsigned told = all > SUMMARY_REASONS ? SUMMARY_REASONS - 1 : all;

	strbuf_puts(b, "<ul>\n");
	for (size_t i = 0; i < r->n && n < told; i++) {
		const struct verdict *v = &r->entries[i].verdict;
		if (v->grade != grade)
			continue;
		strbuf_puts(b, "<li>");
		link_to(b, r->entries[i].test->name);
		strbuf_puts(b, " ");
		html_text(b, v->reason);
		strbuf_puts(b, "</li>\n");
		n++;
	}
	strbuf_puts(b, "</ul>\n");
	if (told < all) {
		strbuf_printf(
		    b, "<details class=\"more\"><summary>and %u more</summary>\n", all - told);
		put_links(b, r, grade, told);
		strbuf_puts(b, "</details>\n");
	}
}

static void
put_summary(struct strbuf *b, const struct report *r)
{
	const unsigned *n = r->score.grades;

	strbuf_puts(b, "<section class=\"summary\" aria-label=\"Summary\">\n");
	put_score(b, r);
	strbuf_printf(b,
	    "<div class=\"cards\">\n<div class=\"card bad%s\"><h2>Needs a hand <b>%u</b></h2>\n",
	    n[GRADE_VIOLATES] == 0 ? " calm" : "", n[GRADE_VIOLATES]);
	if (n[GRADE_VIOLATES] > 0)
		put_reasons(b, r, GRADE_VIOLATES);
	else
		strbuf_puts(b, "<p>Nothing that was seen breaks a rule.</p>\n");
	strbuf_printf(
	    b, "</div>\n<div class=\"card ok\"><h2>Works <b>%u</b></h2>\n", n[GRADE_CONFORMS]);
	put_names(b, r, GRADE_CONFORMS);
	strbuf_printf(b, "</div>\n<div class=\"card info\"><h2>For information <b>%u</b></h2>\n",
	    n[GRADE_INFORMATIONAL]);
	put_names(b, r, GRADE_INFORMATIONAL);
	strbuf_printf(b, "</div>\n<div class=\"card none\"><h2>Could not be seen <b>%u</b></h2>\n",
	    n[GRADE_INCONCLUSIVE] + n[GRADE_PENDING]);
	if (n[GRADE_PENDING] > 0) {
		strbuf_puts(b, "<p>Still waiting for:</p>\n");
		put_names(b, r, GRADE_PENDING);
	}
	if (n[GRADE_INCONCLUSIVE] > 0) {
		strbuf_puts(b, n[GRADE_PENDING] > 0 ? "<p>Without a verdict:</p>\n" : "");
		put_names(b, r, GRADE_INCONCLUSIVE);
	}
	if (n[GRADE_INCONCLUSIVE] + n[GRADE_PENDING] == 0)
		strbuf_puts(b, "<p>Every test has a verdict.</p>\n");
	strbuf_puts(b, "</div>\n</div>\n</section>\n");
}

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
		link_to(b, name);
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
		link_to(b, t->graded_on[i]);
	}
	strbuf_puts(b, "</p>\n");
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
	    decides(v, o) ? " class=\"decides\"" : "", when, when + 11,
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

	strbuf_printf(b, "<details class=\"test %s\" id=\"test-", grades[e->verdict.grade].class);
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
	put_part(b, "What to do", e->advice);
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

	strbuf_printf(b, "<details class=\"group\"%s>\n<summary><h2>", open ? " open" : "");
	html_text(b, report_group_title(g->name));
	strbuf_puts(b, "</h2>");
	if (g->score.graded > 0)
		strbuf_printf(b, "<span class=\"tally\">%u of %u passed</span>", g->score.passed,
		    g->score.graded);
	strbuf_puts(b, "<span class=\"dots\" aria-hidden=\"true\">");
	for (size_t i = 0; i < g->n; i++)
		strbuf_printf(
		    b, "<i class=\"%s\"></i>", grades[r->entries[g->from + i].verdict.grade].class);
	strbuf_puts(b, "</span></summary>\n");
	for (size_t i = 0; i < g->n; i++)
		put_test(b, r, &r->entries[g->from + i]);
	strbuf_puts(b, "</details>\n");
}

void
report_html_body(struct strbuf *b, const struct report *r)
{
	char made[32];

	put_summary(b, r);
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
	put_head(b, r);
	put_title(b, r);
	report_html_body(b, r);
	strbuf_puts(b, "</main>\n</body>\n</html>\n");
}
