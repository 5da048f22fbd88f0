/* report_mail.c - who wrote the mail, in the HTML report: for each path a table of methods, with what each result
 * rests on behind it. */
#include <stdlib.h>
#include <string.h>

#include "lib/html.h"
#include "results/describe.h"
#include "results/papers.h"
#include "results/report_plot.h"
#include "results/report_views.h"

/* Results that are good, and those that are neither good nor bad; the others need a hand. */
static const char *
class_of(const struct verified *v, enum auth_method m)
{
	static const char *const neutral[] = { "none", "neutral", "temperror", "other", "literal" };
	const char *result = verified_result(v, m);

	if (result == NULL)
		return "none";
	if (strcmp(result, "pass") == 0)
		return "ok";
	for (size_t i = 0; i < sizeof neutral / sizeof neutral[0]; i++)
		if (strcmp(result, neutral[i]) == 0)
			return m == AUTH_FCRDNS && i == 0 ? "bad" : "info";
	return "bad";
}

/* Lines; the blanks before each say how deep it stands. */
static void
put_lines(struct strbuf *b, const char *s)
{
	strbuf_puts(b, "<ul class=\"lines\">");
	while (s != NULL && *s != '\0') {
		size_t len = strcspn(s, "\n"), depth = strspn(s, " ");
		struct strbuf line = { 0 };
		if (depth > len)
			depth = len;
		strbuf_add(&line, s + depth, len - depth);
		strbuf_printf(b, "<li class=\"d%u\">", depth / 2 > 6 ? 6u : (unsigned)depth / 2);
		html_text(b, line.len > 0 ? line.s : "");
		strbuf_puts(b, "</li>");
		strbuf_clear(&line);
		s += len + (s[len] == '\n');
	}
	strbuf_puts(b, "</ul>");
}

static void
put_evidence(struct strbuf *b, const char *what, const struct strbuf *lines)
{
	if (lines->len == 0)
		return;
	strbuf_printf(b, "<details class=\"more\"><summary>%s</summary>", what);
	put_lines(b, lines->s);
	strbuf_puts(b, "</details>");
}

static void
put_method(struct strbuf *b, const struct verified *v, enum auth_method m)
{
	const char *result = verified_result(v, m);
	struct strbuf line = { 0 };

	if (v->state != VERIFIED_JUDGED || result == NULL)
		return;
	verified_describe(&line, v, m);
	strbuf_printf(b, "<tr><th scope=\"row\">%s</th><td><span class=\"badge %s\">",
	    papers_title(m), class_of(v, m));
	html_text(b, result);
	strbuf_puts(b, "</span></td><td>");
	html_text(b, line.s);
	strbuf_reset(&line);
	papers_evidence(&line, v, m);
	put_evidence(b, "why", &line);
	strbuf_puts(b, "</td></tr>\n");
	strbuf_clear(&line);
}

static void
put_paper(struct strbuf *b, const struct paper *p)
{
	struct strbuf text = { 0 };

	strbuf_printf(b, "<div class=\"scroll paper\"><h3>%s</h3>\n<p class=\"meta\">",
	    p->attempt->family == 6 ? "Over IPv6" : "Over IPv4");
	describe_said(&text, p->attempt->peer);
	strbuf_puts(b, "From <code>");
	html_text(b, text.s);
	strbuf_puts(b, "</code> to <a href=\"#test-");
	html_text(b, p->test->name);
	strbuf_puts(b, "\">");
	html_text(b, p->test->name);
	strbuf_puts(b, "</a>");
	if (p->messages > 1)
		strbuf_printf(b, "; %u messages had these results", p->messages);
	strbuf_puts(b, "</p>\n");
	strbuf_reset(&text);
	if (p->verified->state != VERIFIED_JUDGED) {
		verified_describe(&text, p->verified, AUTH_SPF);
		strbuf_puts(b, "<p><span class=\"badge none\">");
		strbuf_puts(b, p->verified->state == VERIFIED_OPEN ? "waiting" : "not judged");
		strbuf_puts(b, "</span> ");
		html_text(b, text.s);
		strbuf_puts(b, "</p></div>\n");
		strbuf_clear(&text);
		return;
	}
	strbuf_puts(b, "<table class=\"methods\"><tbody>\n");
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++)
		put_method(b, p->verified, (enum auth_method)m);
	strbuf_puts(b, "</tbody></table>\n");
	papers_received(&text, p->verified);
	put_evidence(b, "servers that had it before", &text);
	strbuf_puts(b, "</div>\n");
	strbuf_clear(&text);
}

void
report_html_mail(struct strbuf *b, const struct report *r)
{
	struct papers *p = xcalloc(1, sizeof *p);

	papers_read(p, r->c);
	if (p->n > 0)
		strbuf_puts(
		    b, "<section class=\"mail\" id=\"mail\">\n<h2>Who wrote the mail</h2>\n");
	for (size_t i = 0; i < p->n; i++)
		put_paper(b, &p->paper[i]);
	if (p->beyond > 0)
		strbuf_printf(b, "<p>and %u messages with other results</p>\n", p->beyond);
	if (p->n > 0)
		strbuf_puts(b, "</section>\n");
	free(p);
}
