/* report_csv.c - the report for spreadsheets: RFC 4180, a line for each test.
 *
 * A spreadsheet takes a field that begins with one of = + - @, a TAB or a CR for a formula, and strangers' words are in
 * reasons: such a field gets an apostrophe before it.  Control characters become
 * blanks; lines stay lines. */
#include <string.h>

#include "lib/clock.h"
#include "results/describe.h"
#include "results/report_views.h"

static void
put(struct strbuf *b, const char *s)
{
	strbuf_puts(b, b->len == 0 || b->s[b->len - 1] == '\n' ? "\"" : ",\"");
	if (*s != '\0' && strchr("=+-@\t\r", *s) != NULL)
		strbuf_puts(b, "'");
	while (*s != '\0') {
		size_t len = strcspn(s, "\n");
		struct strbuf line = { 0 }, text = { 0 };

		strbuf_add(&line, s, len);
		describe_text(&text, len > 0 ? line.s : "");
		for (size_t i = 0; i < text.len; i++) {
			strbuf_add(b, "\"", text.s[i] == '"');
			strbuf_add(b, text.s + i, 1);
		}
		strbuf_add(b, "\n", s[len] == '\n');
		s += len + (s[len] == '\n');
		strbuf_clear(&line);
		strbuf_clear(&text);
	}
	strbuf_puts(b, "\"");
}

static void
put_number(struct strbuf *b, size_t n)
{
	strbuf_printf(b, ",%zu", n);
}

static void
put_time(struct strbuf *b, int64_t t)
{
	char text[CLOCK_TEXT_MAX] = "";

	if (t != 0)
		clock_format(text, t);
	strbuf_printf(b, ",%s", text);
}

static void
put_line(struct strbuf *b, const struct report *r, const struct report_entry *e)
{
	const struct facts *f = e->facts;

	put(b, r->token);
	put(b, r->label);
	put(b, e->test->name);
	put_number(b, e->test->number);
	put(b, e->test->group);
	put(b, e->test->title);
	put(b, grade_name(e->verdict.grade));
	put(b, e->verdict.final ? "yes" : "no");
	put(b, e->verdict.reason);
	put(b, e->means != NULL ? e->means : "");
	put(b, e->advice != NULL ? e->advice : "");
	for (unsigned who = 0; who < FIX_MAX; who++)
		put(b, e->fix[who] != NULL ? e->fix[who] : "");
	put(b, e->test->spec != NULL ? e->test->spec : "");
	put_number(b, f->n_attempts);
	put_number(b, f->accepted);
	put_number(b, f->n_lookups);
	put_number(b, f->n_events);
	put_time(b, f->n_events > 0 ? f->first : 0);
	put_time(b, f->n_events > 0 ? f->events[f->n_events - 1]->t : 0);
	strbuf_puts(b, "\r\n");
}

void
report_csv(struct strbuf *b, const struct report *r, const struct report_style *style)
{
	(void)style;
	strbuf_puts(b, "token,label,test,number,group,title,verdict,final,reason,means,advice,"
		       "postfix,exim,provider,spec,"
		       "attempts,accepted,lookups,events,first,last\r\n");
	for (size_t i = 0; i < r->n; i++)
		put_line(b, r, &r->entries[i]);
}
