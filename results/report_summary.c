/* report_summary.c - the first screen of the HTML report: the score, what needs a hand, what works, what could not be
 * seen and why.  No score from nothing: what was not graded is not counted. */
#include <string.h>

#include "lib/html.h"
#include "results/report_views.h"

const struct report_grade report_grades[GRADE_MAX] = {
	[GRADE_CONFORMS] = { "ok", "works" },
	[GRADE_VIOLATES] = { "bad", "needs a hand" },
	[GRADE_INFORMATIONAL] = { "info", "information" },
	[GRADE_INCONCLUSIVE] = { "none", "not seen" },
	[GRADE_PENDING] = { "wait", "waiting" },
};

void
report_html_link(struct strbuf *b, const char *test)
{
	strbuf_puts(b, "<a href=\"#test-");
	html_text(b, test);
	strbuf_puts(b, "\">");
	html_text(b, test);
	strbuf_puts(b, "</a>");
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
		strbuf_printf(
		    b, "%s%u %s", g == 0 ? "" : ", ", s->grades[g], report_grades[g].word);
	strbuf_printf(b, "\" viewBox=\"0 0 %u 10\" preserveAspectRatio=\"none\">", s->tests);
	for (unsigned g = 0; g < GRADE_MAX; g++) {
		if (s->grades[g] > 0)
			strbuf_printf(b, "<rect class=\"%s\" x=\"%u\" width=\"%u\" height=\"10\"/>",
			    report_grades[g].class, x, s->grades[g]);
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
#define SUMMARY_WHY     3

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
		report_html_link(b, r->entries[i].test->name);
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
		report_html_link(b, r->entries[i].test->name);
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

/* How many tests have this grade for this reason, and whether the i-th is the first of them. */
static unsigned
alike(const struct report *r, size_t i, bool *first)
{
	const struct verdict *v = &r->entries[i].verdict;
	unsigned n = 0;

	*first = true;
	for (size_t k = 0; k < r->n; k++) {
		const struct verdict *w = &r->entries[k].verdict;
		if (w->grade != v->grade || strcmp(w->reason, v->reason) != 0)
			continue;
		*first &= k >= i;
		n++;
	}
	return n;
}

static void
put_tests(struct strbuf *b, const struct report *r, const struct verdict *like)
{
	const char *before = "";

	for (size_t i = 0; i < r->n; i++) {
		const struct verdict *v = &r->entries[i].verdict;
		if (v->grade != like->grade || strcmp(v->reason, like->reason) != 0)
			continue;
		strbuf_puts(b, before);
		report_html_link(b, r->entries[i].test->name);
		before = ", ";
	}
}

/* Of the reasons those that keep most tests from a verdict are told, the others are folded. */
static bool
is_told(const struct report *r, size_t i, unsigned n)
{
	unsigned before = 0;

	for (size_t k = 0; k < r->n; k++) {
		bool first;
		unsigned m;

		if (k == i || r->entries[k].verdict.grade != r->entries[i].verdict.grade)
			continue;
		m = alike(r, k, &first);
		before += first && (m > n || (m == n && k < i));
	}
	return before < SUMMARY_WHY;
}

static void
put_whys(struct strbuf *b, const struct report *r, enum grade grade, bool told, unsigned *left)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct verdict *v = &r->entries[i].verdict;
		bool first;
		unsigned n;

		if (v->grade != grade)
			continue;
		n = alike(r, i, &first);
		if (!first)
			continue;
		if (is_told(r, i, n) != told) {
			*left += n;
			continue;
		}
		strbuf_printf(b, "<details class=\"more\"><summary>%u: ", n);
		html_text(b, v->reason);
		strbuf_puts(b, "</summary><p>");
		put_tests(b, r, v);
		strbuf_puts(b, "</p></details>\n");
	}
}

/* Why nothing can be said: the reasons of one grade, each with the tests that it keeps from a verdict. */
static void
put_why(struct strbuf *b, const struct report *r, enum grade grade)
{
	unsigned left = 0, told = 0;

	put_whys(b, r, grade, true, &left);
	if (left == 0)
		return;
	strbuf_printf(b, "<details class=\"more\"><summary>%u for other reasons</summary>\n", left);
	put_whys(b, r, grade, false, &told);
	strbuf_puts(b, "</details>\n");
}

/* Each group's score leads to its tests.  A group of which nothing was graded has none. */
static void
put_groups(struct strbuf *b, const struct report *r)
{
	strbuf_puts(b, "<ul class=\"scores\" aria-label=\"Passed, of what was graded\">\n");
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct report_group *g = &r->groups[i];

		strbuf_printf(b, "<li><a href=\"#group-%s\">", g->name);
		html_text(b, report_group_title(g->name));
		strbuf_puts(b, "</a> <span>");
		if (g->score.graded > 0)
			strbuf_printf(b, "%u of %u", g->score.passed, g->score.graded);
		else
			strbuf_puts(b, "nothing graded");
		strbuf_puts(b, "</span>");
		put_bar(b, &g->score);
		strbuf_puts(b, "</li>\n");
	}
	strbuf_puts(b, "</ul>\n");
}

void
report_html_summary(struct strbuf *b, const struct report *r)
{
	const unsigned *n = r->score.grades;

	strbuf_puts(b, "<section class=\"summary\" aria-label=\"Summary\">\n");
	put_score(b, r);
	put_groups(b, r);
	strbuf_printf(b,
	    "<div class=\"cards\">\n<div class=\"card bad%s\"><h2>Needs a hand <b>%u</b></h2>\n",
	    n[GRADE_VIOLATES] == 0 ? " calm" : "", n[GRADE_VIOLATES]);
	if (n[GRADE_VIOLATES] > 0) {
		put_reasons(b, r, GRADE_VIOLATES);
		strbuf_puts(b, "<p><a href=\"#change\">What to change</a></p>\n");
	} else {
		strbuf_puts(b, r->score.graded > 0
				   ? "<p>Nothing that was seen breaks a rule.</p>\n"
				   : "<p>Nothing was seen that could break a rule.</p>\n");
	}
	strbuf_printf(
	    b, "</div>\n<div class=\"card ok\"><h2>Works <b>%u</b></h2>\n", n[GRADE_CONFORMS]);
	put_names(b, r, GRADE_CONFORMS);
	strbuf_printf(b, "</div>\n<div class=\"card info\"><h2>For information <b>%u</b></h2>\n",
	    n[GRADE_INFORMATIONAL]);
	put_names(b, r, GRADE_INFORMATIONAL);
	strbuf_printf(b, "</div>\n<div class=\"card none\"><h2>Could not be seen <b>%u</b></h2>\n",
	    n[GRADE_INCONCLUSIVE] + n[GRADE_PENDING]);
	if (n[GRADE_PENDING] > 0) {
		strbuf_printf(b, "<p>Still waiting, %u:</p>\n", n[GRADE_PENDING]);
		put_why(b, r, GRADE_PENDING);
	}
	if (n[GRADE_INCONCLUSIVE] > 0) {
		strbuf_puts(b, n[GRADE_PENDING] > 0 ? "<p>Without a verdict:</p>\n" : "");
		put_why(b, r, GRADE_INCONCLUSIVE);
	}
	if (n[GRADE_INCONCLUSIVE] + n[GRADE_PENDING] == 0)
		strbuf_puts(b, "<p>Every test has a verdict.</p>\n");
	strbuf_puts(b, "</div>\n</div>\n</section>\n");
}
