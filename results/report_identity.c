/* report_identity.c - who asked and who sent, in the HTML report: tables that become blocks on a narrow
 * screen, so each cell carries its heading. */
#include "lib/html.h"
#include "results/describe.h"
#include "results/report_plot.h"
#include "results/report_views.h"

static void
escaped(struct strbuf *b, const char *s)
{
	struct strbuf plain = { 0 };

	describe_said(&plain, s);
	html_text(b, plain.s);
	strbuf_clear(&plain);
}

static void
table(struct strbuf *b, const char *title, const char *const *head)
{
	strbuf_printf(b,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
	    "<table class=\"stack\">\n<thead><tr>",
	    title);
	for (; *head != NULL; head++)
		strbuf_printf(b, "<th scope=\"col\">%s</th>", *head);
	strbuf_puts(b, "</tr></thead>\n<tbody>\n");
}

static void
cell(struct strbuf *b, const char *head, const char *text, bool code)
{
	strbuf_printf(b, "<td data-head=\"%s\">%s", head, code ? "<code>" : "");
	escaped(b, text);
	strbuf_puts(b, code ? "</code></td>" : "</td>");
}

static void
number(struct strbuf *b, const char *head, unsigned n)
{
	strbuf_printf(b, "<td data-head=\"%s\">%u</td>", head, n);
}

static void
place(struct strbuf *b, const char *head, const struct place *at)
{
	char text[112];

	place_format(text, at);
	cell(b, head, *text == '\0' ? "not known" : text, false);
}

static void
end(struct strbuf *b, bool more, unsigned columns)
{
	if (more)
		strbuf_printf(b, "<tr><td colspan=\"%u\">and more</td></tr>\n", columns);
	strbuf_puts(b, "</tbody></table></div>\n</section>\n");
}

void
report_html_resolvers(struct strbuf *b, const struct report *r)
{
	static const char *const head[] = { "Address", "Network", "Queries", "TCP", "What it does",
		NULL };
	static const char *const validates[TRAIT_MAX] = { "DNSSEC is validated.",
		"At least one of them does not validate DNSSEC.",
		"Whether DNSSEC is validated is not decided yet.",
		"Whether DNSSEC is validated is not known." };
	const struct correlation *c = r->c;
	struct strbuf text = { 0 };

	strbuf_puts(b, "<section id=\"resolvers\">\n<h2>Resolvers that asked</h2>\n<p>");
	describe_farm(&text, c);
	html_text(b, text.s);
	strbuf_printf(b, ". %s</p>\n", validates[r->validates]);
	report_html_way(b, r);
	table(b, "Resolvers", head);
	for (size_t i = 0; i < c->n_resolvers; i++) {
		const struct resolver *v = &c->resolvers[i];
		strbuf_puts(b, "<tr>");
		cell(b, head[0], v->peer, true);
		place(b, head[1], &v->place);
		number(b, head[2], v->queries);
		number(b, head[3], v->tcp);
		strbuf_reset(&text);
		describe_resolver(&text, v);
		strbuf_printf(b, "<td data-head=\"%s\">", head[4]);
		html_text(b, text.s);
		strbuf_puts(b, "</td></tr>\n");
	}
	end(b, c->resolvers_beyond > 0, 5);
	strbuf_clear(&text);
}

void
report_html_senders(struct strbuf *b, const struct report *r)
{
	static const char *const head[] = { "Address", "Network", "Name in EHLO", "Sessions", "TLS",
		"JA4", NULL };
	const struct correlation *c = r->c;

	strbuf_puts(b, "<section>\n<h2>Servers that sent</h2>\n");
	table(b, "Senders", head);
	for (size_t i = 0; i < c->n_senders; i++) {
		const struct sender *s = &c->senders[i];
		strbuf_puts(b, "<tr>");
		cell(b, head[0], s->peer, true);
		place(b, head[1], &s->place);
		cell(b, head[2], s->ehlo, false);
		number(b, head[3], s->sessions);
		cell(b, head[4], *s->tls_version == '\0' ? "none" : s->tls_version, false);
		cell(b, head[5], s->ja4, true);
		strbuf_puts(b, "</tr>\n");
	}
	end(b, c->senders_beyond > 0, 6);
}
