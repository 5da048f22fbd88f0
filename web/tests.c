/* tests.c - the catalogue: every test explained, from its file. */
#include <stdio.h>
#include <string.h>

#include "results/report.h"
#include "web/desk.h"
#include "web/pages.h"

static void
put_link(struct strbuf *b, const char *name)
{
	strbuf_puts(b, "<a href=\"/tests/");
	html_url(b, name);
	strbuf_puts(b, "\">");
	html_text(b, name);
	strbuf_puts(b, "</a>");
}

static void
put_group(struct exchange *x, const char *group)
{
	const struct catalogue *c = x->site->catalogue;
	struct strbuf *b = &x->out;

	strbuf_puts(b, "<section>\n<h2>");
	html_text(b, report_group_title(group));
	strbuf_puts(b, "</h2>\n<ul class=\"tests\">\n");
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->tests[i]->group, group) != 0)
			continue;
		strbuf_puts(b, "<li>");
		put_link(b, c->tests[i]->name);
		strbuf_puts(b, " ");
		html_text(b, c->tests[i]->title);
		strbuf_puts(b, "</li>\n");
	}
	strbuf_puts(b, "</ul>\n</section>\n");
}

void
page_tests(struct exchange *x)
{
	struct page p = { .title = "The tests", .here = "/tests", .index = true };
	const struct catalogue *c = x->site->catalogue;
	size_t by_invitation = 0;

	for (size_t i = 0; i < c->n; i++)
		by_invitation += catalogue_is_outgoing(c, c->tests[i]);
	exchange_page(x, &p);
	strbuf_printf(&x->out,
	    "<h1>The tests</h1>\n<p>All %zu of them, by subject. Each is a mail domain that is set "
	    "up in "
	    "one way; its page says what is looked at, how it is set up, and how it is "
	    "judged. %zu of them look at how you take mail: they come with an invitation.</p>\n",
	    c->n, by_invitation);
	for (size_t i = 0; i < c->n; i++) {
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(c->tests[k]->group, c->tests[i]->group) != 0;
		if (first)
			put_group(x, c->tests[i]->group);
	}
	exchange_page_end(x, &p);
}

/* --- one test --------------------------------------------------------------------------------------------- */

static void
put_names(struct strbuf *b, const char *title, char *const *names, unsigned n, bool links)
{
	if (n == 0)
		return;
	strbuf_printf(b, "<dt>%s</dt><dd>", title);
	for (unsigned i = 0; i < n; i++) {
		strbuf_puts(b, i > 0 ? ", " : "");
		if (links)
			put_link(b, names[i]);
		else
			html_text(b, names[i]);
	}
	strbuf_puts(b, "</dd>\n");
}

/* The sections of the file that say what is served: all before the verdict. */
static void
put_setup(struct exchange *x, const struct test *t)
{
	const char *text = desk_source(x->desk, t), *from = strstr(text, "\n["), *to;

	if (from == NULL)
		return;
	from++;
	to = strstr(from, "\n[verdict]");
	strbuf_puts(&x->out,
	    "<h2>How it is set up</h2>\n<p>From the file of the test. Names in braces "
	    "are filled in for each run: {d} is the mail domain, {mx0} a mail "
	    "host.</p>\n<pre tabindex=\"0\" role=\"region\" aria-label=\"Set-up\">");
	html_textn(&x->out, from, to != NULL ? (size_t)(to - from) : strlen(from));
	strbuf_puts(&x->out, "</pre>\n");
}

static void
put_rules(struct strbuf *b, const struct test *t)
{
	strbuf_puts(b, "<h2>How it is judged</h2>\n<p>The first that fits, in this order:</p>\n"
		       "<ol class=\"rules\">\n");
	for (size_t i = 0; i < t->n_verdicts; i++) {
		strbuf_printf(b, "<li><b>%s</b> ", grade_name(t->verdicts[i].grade));
		html_text(b, t->verdicts[i].reason);
		strbuf_puts(b, "</li>\n");
	}
	strbuf_puts(b, "</ol>\n");
}

static void
put_advice(struct strbuf *b, const struct test *t)
{
	static const char *const when[GRADE_MAX] = {
		[GRADE_CONFORMS] = "When the sender conforms",
		[GRADE_VIOLATES] = "When the sender violates the specification",
		[GRADE_INFORMATIONAL] = "When it is for information only",
		[GRADE_INCONCLUSIVE] = "When it stays inconclusive",
		[GRADE_PENDING] = "While it is pending",
	};

	for (enum grade g = 0; g < GRADE_MAX; g++) {
		if (t->means[g] == NULL && t->advice[g] == NULL)
			continue;
		strbuf_printf(b, "<h2>%s</h2>\n", when[g]);
		if (t->means[g] != NULL)
			report_html_prose(b, t->means[g]);
		if (t->advice[g] != NULL)
			report_html_prose(b, t->advice[g]);
		if (t->fix[g][FIX_POSTFIX] != NULL || t->fix[g][FIX_EXIM] != NULL ||
		    t->fix[g][FIX_PROVIDER] != NULL)
			report_html_fix(b, (const char *const *)t->fix[g], t->fix[g][FIX_PROVIDER]);
	}
}

void
page_test(struct exchange *x)
{
	const struct test *t = catalogue_find(x->site->catalogue, x->part[0], strlen(x->part[0]));
	struct page p = { .here = "/tests", .index = true };
	struct strbuf *b = &x->out;

	if (t == NULL) {
		exchange_error(x, 404, "There is no such test.", NULL);
		return;
	}
	p.title = t->title;
	exchange_page(x, &p);
	strbuf_puts(b, "<p class=\"brand\"><a href=\"/tests\">Tests</a>, ");
	html_text(b, report_group_title(t->group));
	strbuf_printf(b, ", number %u</p>\n<h1>", t->number);
	html_text(b, t->title);
	strbuf_puts(b, " <code>");
	html_text(b, t->name);
	strbuf_puts(b, "</code></h1>\n");
	report_html_prose(b, t->about);
	strbuf_puts(b, "<dl>\n<dt>Specification</dt><dd>");
	html_text(b, t->spec);
	strbuf_puts(b, "</dd>\n");
	put_names(b, "Sets, beside full and its subject", t->sets, t->n_sets, false);
	put_names(b, "Must be delivered, or this says nothing", t->control, t->n_control, true);
	put_names(b, "Must be refused, or this says nothing", t->contrast, t->n_contrast, true);
	strbuf_puts(b, "</dl>\n");
	put_rules(b, t);
	put_advice(b, t);
	if (t->fooled_by != NULL) {
		strbuf_puts(b, "<h2>How this could be wrong</h2>\n");
		report_html_prose(b, t->fooled_by);
	}
	put_setup(x, t);
	exchange_page_end(x, &p);
}
