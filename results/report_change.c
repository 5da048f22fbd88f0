/* report_change.c - what to change, in the HTML report: the weightiest first, each with the lines for Postfix and for
 * Exim, and with what to ask those for who run the server for you. */
#include <string.h>

#include "lib/html.h"
#include "results/change.h"
#include "results/report_views.h"

#define LINKS_MAX 8  /* tests that an item names, before the others are folded */
#define LIST_MAX  10 /* items that are not folded */

static void
put_fix(struct strbuf *b, const char *who, const char *text)
{
	if (text == NULL)
		return;
	strbuf_printf(b, "<details class=\"fix\"><summary>%s</summary><pre>", who);
	html_text(b, text);
	strbuf_puts(b, "</pre></details>\n");
}

void
report_html_fix(struct strbuf *b, const char *const fix[FIX_MAX], const char *ask)
{
	strbuf_puts(b, "<div class=\"fixes\">\n");
	put_fix(b, "Postfix", fix[FIX_POSTFIX]);
	put_fix(b, "Exim", fix[FIX_EXIM]);
	if (ask != NULL) {
		strbuf_puts(b,
		    "<details class=\"fix\"><summary>Ask your provider</summary><blockquote><p>");
		html_text(b, ask);
		strbuf_puts(b, "</p></blockquote></details>\n");
	}
	strbuf_puts(b, "</div>\n");
}

void
report_html_fixes(struct strbuf *b, const struct report_entry *e)
{
	struct strbuf ask = { 0 };

	if (e->verdict.grade != GRADE_VIOLATES && change_weight(e) == 0)
		return;
	change_ask(&ask, e);
	report_html_fix(b, e->fix, ask.s);
	strbuf_clear(&ask);
}

static void
put_links(struct strbuf *b, const struct change *c, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		strbuf_puts(b, i > from ? ", " : "");
		report_html_link(b, c->entry[i]->test->name);
	}
}

static void
put_change(struct strbuf *b, const struct change *c)
{
	size_t told = c->n > LINKS_MAX ? LINKS_MAX - 1 : c->n;
	bool must = c->entry[0]->verdict.grade == GRADE_VIOLATES;
	struct strbuf headline = { 0 };
	const char *rest;

	change_words(&headline, &rest, c);
	strbuf_printf(b, "<li><h3>");
	html_text(b, headline.s != NULL ? headline.s : "");
	strbuf_printf(b, "</h3>\n<p class=\"meta\"><span class=\"badge %s\">%s</span> Seen in ",
	    must ? "bad" : "info", must ? "needs a hand" : "worth having");
	put_links(b, c, 0, told);
	if (told < c->n) {
		strbuf_printf(b, "</p>\n<details class=\"more\"><summary>and %zu more</summary><p>",
		    c->n - told);
		put_links(b, c, told, c->n);
		strbuf_puts(b, "</p></details>\n");
	} else {
		strbuf_puts(b, "</p>\n");
	}
	report_html_prose(b, rest);
	report_html_fixes(b, c->entry[0]);
	strbuf_puts(b, "</li>\n");
	strbuf_clear(&headline);
}

void
report_html_changes(struct strbuf *b, const struct report *r)
{
	struct changes c;

	changes_read(&c, r);
	if (c.n > 0)
		strbuf_puts(b, "<section class=\"change\" id=\"change\">\n<h2>What to "
			       "change</h2>\n<p class=\"soft\">"
			       "The weightiest first: what breaks a rule, then what is worth "
			       "having.</p>\n<ol>\n");
	for (size_t i = 0; i < c.n; i++) {
		if (i == LIST_MAX)
			strbuf_printf(b,
			    "</ol>\n<details class=\"more\"><summary>and %zu more</summary>\n<ol "
			    "start=\"%zu\">\n",
			    c.n - i, i + 1);
		put_change(b, &c.item[i]);
	}
	if (c.n > 0)
		strbuf_printf(b, "</ol>\n%s</section>\n", c.n > LIST_MAX ? "</details>\n" : "");
	changes_clear(&c);
}
