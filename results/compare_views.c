/* compare_views.c - what changed between two runs: for a terminal, for programs, for a page. */
#include <string.h>

#include "lib/clock.h"
#include "lib/html.h"
#include "lib/json.h"
#include "results/compare.h"
#include "results/describe.h"
#include "results/report_views.h"

/* What is listed test by test; of the others only their number is told. */
static bool
is_listed(enum compare_kind k)
{
	return k <= COMPARE_GONE;
}

static const char *
word(const struct report_entry *e)
{
	return e == NULL ? "absent" : report_grades[e->verdict.grade].word;
}

static const struct report_entry *
either(const struct compare_row *row)
{
	return row->after != NULL ? row->after : row->before;
}

/* --- text -------------------------------------------------------------------------------------------- */

static void
text_run(struct strbuf *b, const char *what, const struct report *r)
{
	char when[32];

	describe_time(when, r->started, false);
	strbuf_printf(b, "%s %s, begun %s UTC: ", what, r->token, when);
	if (r->score.graded == 0)
		strbuf_puts(b, "no test could be graded\n");
	else
		strbuf_printf(
		    b, "%u of %u graded tests passed\n", r->score.passed, r->score.graded);
}

void
compare_text(struct strbuf *b, const struct comparison *c, const struct report_style *style)
{
	bool colour = style != NULL && style->colour;

	text_run(b, "Earlier", c->before);
	text_run(b, "Later  ", c->after);
	for (size_t i = 0; i < c->n; i++) {
		const struct compare_row *row = &c->row[i];

		if (!is_listed(row->kind))
			break;
		if (i == 0 || row->kind != c->row[i - 1].kind)
			strbuf_printf(b, "\n%s%s: %zu%s\n", colour ? "\033[1m" : "",
			    compare_title(row->kind), c->count[row->kind], colour ? "\033[0m" : "");
		strbuf_printf(b, "  %s: %s, was: %s\n", either(row)->test->name, word(row->after),
		    word(row->before));
		if (row->before != NULL)
			strbuf_printf(b, "    then %s\n", row->before->verdict.reason);
		if (row->after != NULL)
			strbuf_printf(b, "    now  %s\n", row->after->verdict.reason);
	}
	strbuf_printf(b, "\n%zu as before, %zu more with the same verdict for another reason.\n",
	    c->count[COMPARE_SAME], c->count[COMPARE_DETAIL]);
}

/* --- JSON -------------------------------------------------------------------------------------------- */

static void
json_side(struct strbuf *b, const char *name, const struct report_entry *e)
{
	if (e == NULL) {
		json_put_null(b, name);
		return;
	}
	json_begin(b, name, '{');
	json_put(b, "verdict", grade_name(e->verdict.grade));
	json_put_bool(b, "final", e->verdict.final);
	json_put(b, "reason", e->verdict.reason);
	json_end(b, '}');
}

static void
json_run(struct strbuf *b, const char *name, const struct report *r)
{
	json_begin(b, name, '{');
	json_put(b, "token", r->token);
	json_put_time(b, "started", r->started);
	json_put_num(b, "passed", r->score.passed);
	json_put_num(b, "graded", r->score.graded);
	json_put_num(b, "tests", r->score.tests);
	json_end(b, '}');
}

void
compare_json(struct strbuf *b, const struct comparison *c)
{
	json_begin(b, NULL, '{');
	json_put_num(b, "version", 1);
	json_run(b, "before", c->before);
	json_run(b, "after", c->after);
	json_begin(b, "tests", '[');
	for (size_t i = 0; i < c->n; i++) {
		json_key(b, NULL);
		strbuf_puts(b, "\n{"); /* a line for each */
		json_put(b, "test", either(&c->row[i])->test->name);
		json_put(b, "change", compare_name(c->row[i].kind));
		json_side(b, "before", c->row[i].before);
		json_side(b, "after", c->row[i].after);
		json_end(b, '}');
	}
	json_end(b, ']');
	json_end(b, '}');
	strbuf_puts(b, "\n");
}

/* --- HTML -------------------------------------------------------------------------------------------- */

static void
html_run(struct strbuf *b, const char *what, const struct report *r)
{
	char when[32];

	describe_time(when, r->started, false);
	strbuf_printf(b, "<li><b>%s run</b>, begun <time>%s</time> UTC: ", what, when);
	if (r->score.graded == 0)
		strbuf_puts(b, "no test could be graded</li>\n");
	else
		strbuf_printf(
		    b, "%u of %u graded tests passed</li>\n", r->score.passed, r->score.graded);
}

static void
html_side(struct strbuf *b, const char *head, const struct report_entry *e)
{
	strbuf_printf(b, "<td data-head=\"%s\">", head);
	if (e == NULL) {
		strbuf_puts(b, "not in this run</td>");
		return;
	}
	strbuf_printf(b, "<span class=\"badge %s\">%s</span> ",
	    report_grades[e->verdict.grade].class, report_grades[e->verdict.grade].word);
	html_text(b, e->verdict.reason);
	strbuf_puts(b, "</td>");
}

static void
html_row(struct strbuf *b, const struct compare_row *row, const char *prefix)
{
	const char *name = either(row)->test->name;

	strbuf_puts(b, "<tr><td data-head=\"Test\">");
	if (prefix != NULL) {
		strbuf_puts(b, "<a href=\"");
		html_text(b, prefix);
		strbuf_printf(b, "#test-%s\">", name);
	}
	strbuf_printf(b, "<b>%s</b>%s</td>", name, prefix != NULL ? "</a>" : "");
	html_side(b, "Earlier", row->before);
	html_side(b, "Later", row->after);
	strbuf_puts(b, "</tr>\n");
}

void
compare_html(struct strbuf *b, const struct comparison *c, const char *prefix)
{
	bool any = false;

	strbuf_puts(b, "<ul class=\"runs\">\n");
	html_run(b, "Earlier", c->before);
	html_run(b, "Later", c->after);
	strbuf_puts(b, "</ul>\n");
	for (size_t i = 0; i < c->n && is_listed(c->row[i].kind); i++) {
		if (i == 0 || c->row[i].kind != c->row[i - 1].kind) {
			strbuf_printf(b,
			    "%s<section>\n<h2>%s: %zu</h2>\n<div class=\"scroll\" tabindex=\"0\" "
			    "role=\"region\" "
			    "aria-label=\"%s\"><table class=\"stack compare\">\n<thead><tr><th "
			    "scope=\"col\">Test</th>"
			    "<th scope=\"col\">Earlier</th><th "
			    "scope=\"col\">Later</th></tr></thead>\n<tbody>\n",
			    any ? "</tbody></table></div></section>\n" : "",
			    compare_title(c->row[i].kind), c->count[c->row[i].kind],
			    compare_title(c->row[i].kind));
			any = true;
		}
		html_row(b, &c->row[i], prefix);
	}
	strbuf_puts(
	    b, any ? "</tbody></table></div></section>\n" : "<p>No verdict has changed.</p>\n");
	strbuf_printf(b,
	    "<p class=\"made\">%zu as before, %zu more with the same verdict for another "
	    "reason.</p>\n",
	    c->count[COMPARE_SAME], c->count[COMPARE_DETAIL]);
}

/* A file of its own: the report that links would lead to is another file. */
void
compare_page(struct strbuf *b, const struct comparison *c)
{
	report_html_head(b, "Outpost: what changed for", c->after->token);
	strbuf_puts(b, "<header>\n<p class=\"brand\">Outpost</p>\n<h1>What changed");
	if (c->after->label[0] != '\0') {
		strbuf_puts(b, " for ");
		html_text(b, c->after->label);
	}
	strbuf_puts(b, " <code>");
	html_text(b, c->after->token);
	strbuf_puts(b, "</code></h1>\n</header>\n");
	compare_html(b, c, NULL);
	strbuf_puts(b, "</main>\n</body>\n</html>\n");
}
