/* report_text.c - the report on a terminal: summary on top, a line for each test, then what needs a
 * hand, what is waited for, and who was seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "results/describe.h"
#include "results/papers.h"
#include "results/report_views.h"

#define WIDTH_MIN     40
#define WIDTH_MAX     120
#define NAME_COLUMN   24
#define ATTEMPTS_TOLD 6 /* attempts listed in the details of a test */
#define MINUTE        (60 * CLOCK_SECOND)

static const struct {
	const char *word, *colour, *heading;
} grades[GRADE_MAX] = {
	[GRADE_CONFORMS] = { "pass", "32", "as it should be" },
	[GRADE_VIOLATES] = { "FAIL", "1;31", "needs a hand" },
	[GRADE_INFORMATIONAL] = { "info", "36", "for information" },
	[GRADE_INCONCLUSIVE] = { "none", "33", "could not be seen" },
	[GRADE_PENDING] = { "wait", "2", "waiting" },
};

struct page {
	struct strbuf *b;
	unsigned width;
	bool colour;
};

static void
paint(const struct page *p, const char *colour, const char *s)
{
	if (p->colour)
		strbuf_printf(p->b, "\033[%sm%s\033[0m", colour, s);
	else
		strbuf_puts(p->b, s);
}

/* Columns of UTF-8 text: continuation octets take none. */
static size_t
columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

static void
spaces(const struct page *p, size_t n)
{
	while (n-- > 0)
		strbuf_puts(p->b, " ");
}

/* Wraps one paragraph; the cursor stands at column AT, further lines begin at INDENT. */
static void
wrap_line(const struct page *p, const char *s, size_t len, size_t at, size_t indent)
{
	bool first = true;

	while (len > 0) {
		size_t word = 0, gap = 0, w;
		while (word < len && s[word] != ' ')
			word++;
		w = columns(s, word);
		if (!first && at + 1 + w > p->width) {
			strbuf_puts(p->b, "\n");
			spaces(p, indent);
			at = indent;
		} else if (!first) {
			strbuf_puts(p->b, " ");
			at++;
		}
		strbuf_add(p->b, s, word);
		at += w;
		first = false;
		while (word + gap < len && s[word + gap] == ' ')
			gap++;
		s += word + gap;
		len -= word + gap;
	}
	strbuf_puts(p->b, "\n");
}

/* Text of several lines; those that begin with two blanks stand as they are. */
static void
wrap(const struct page *p, const char *s, size_t at, size_t indent)
{
	for (bool first = true; *s != '\0'; first = false) {
		size_t len = strcspn(s, "\n");
		if (!first)
			spaces(p, indent);
		if (len > 2 && s[0] == ' ' && s[1] == ' ') {
			strbuf_add(p->b, s, len);
			strbuf_puts(p->b, "\n");
		} else {
			wrap_line(p, s, len, first ? at : indent, indent);
		}
		s += len + (s[len] == '\n');
	}
}

static void
heading(const struct page *p, const char *s)
{
	strbuf_puts(p->b, "\n");
	paint(p, "1", s);
	strbuf_puts(p->b, "\n");
}

static void
put_head(const struct page *p, const struct report *r)
{
	char from[32], to[32];

	paint(p, "1", "Outpost report for ");
	paint(p, "1", r->token);
	if (r->label[0] != '\0') {
		strbuf_puts(p->b, " (");
		describe_text(p->b, r->label);
		strbuf_puts(p->b, ")");
	}
	strbuf_printf(p->b, "\nset %s, %u tests", r->set, r->score.tests);
	if (r->updated != 0) {
		describe_time(from, r->started, false);
		describe_time(to, r->updated, false);
		strbuf_printf(
		    p->b, ", %s to %s UTC", from, strncmp(from, to, 10) == 0 ? to + 11 : to);
	} else {
		strbuf_puts(p->b, ", nothing was seen yet");
	}
	if (r->released != 0) {
		describe_time(from, r->released, false);
		strbuf_printf(p->b,
		    "\nreleased %s UTC: what was still queued was refused, and what was not "
		    "decided by then stays open",
		    from);
	}
	strbuf_puts(p->b, "\n\n");
}

static void
put_summary(const struct page *p, const struct report *r)
{
	const struct report_score *s = &r->score;

	if (s->graded == 0)
		strbuf_puts(p->b, "No test could be graded yet.\n");
	else
		strbuf_printf(p->b, "%u of %u graded tests passed%s", s->passed, s->graded,
		    s->so_far > 0 ? "" : ".\n");
	if (s->so_far > 0)
		strbuf_printf(p->b, ", %u of the verdicts only so far.\n", s->so_far);
	for (unsigned g = 0; g < GRADE_MAX; g++) {
		if (s->grades[g] == 0)
			continue;
		strbuf_puts(p->b, "  ");
		paint(p, grades[g].colour, grades[g].word);
		strbuf_printf(p->b, "  %3u %s\n", s->grades[g], grades[g].heading);
	}
}

static void
put_line(const struct page *p, const struct report_entry *e)
{
	const struct verdict *v = &e->verdict;
	size_t name = strlen(e->test->name), indent = 2 + 4 + 2 + NAME_COLUMN + 1;
	char text[600];

	strbuf_puts(p->b, "  ");
	paint(p, grades[v->grade].colour, grades[v->grade].word);
	strbuf_printf(p->b, "  %s", e->test->name);
	if (p->width < 64) { /* too narrow for columns */
		strbuf_puts(p->b, "\n");
		indent = 8;
		spaces(p, indent);
	} else {
		spaces(p, name < NAME_COLUMN ? NAME_COLUMN - name + 1 : 1);
	}
	snprintf(text, sizeof text, "%s%s", v->reason,
	    !v->final && v->grade != GRADE_PENDING ? " (so far)" : "");
	wrap(p, text, indent, indent);
}

static void
put_groups(const struct page *p, const struct report *r)
{
	for (size_t i = 0; i < r->n_groups; i++) {
		const struct report_group *g = &r->groups[i];
		char text[160];
		if (g->score.graded > 0)
			snprintf(text, sizeof text, "%s: %u of %u", report_group_title(g->name),
			    g->score.passed, g->score.graded);
		else
			snprintf(text, sizeof text, "%s", report_group_title(g->name));
		heading(p, text);
		for (size_t k = 0; k < g->n; k++)
			put_line(p, &r->entries[g->from + k]);
	}
}

static void
put_labelled(const struct page *p, const char *label, const char *text)
{
	if (text == NULL || *text == '\0')
		return;
	strbuf_printf(p->b, "    %-8s ", label);
	wrap(p, text, 13, 13);
}

/* Configuration stands as it is. */
static void
put_fix(const struct page *p, const char *label, const char *text)
{
	if (text == NULL)
		return;
	strbuf_printf(p->b, "    %-8s ", label);
	for (bool first = true; *text != '\0'; first = false) {
		size_t len = strcspn(text, "\n");
		spaces(p, first ? 0 : 13);
		strbuf_add(p->b, text, len);
		strbuf_puts(p->b, "\n");
		text += len + (text[len] == '\n');
	}
}

static void
put_details(const struct page *p, const struct report_entry *e)
{
	const struct facts *f = e->facts;
	char text[600];

	strbuf_puts(p->b, "\n  ");
	paint(p, grades[e->verdict.grade].colour, e->test->name);
	strbuf_printf(p->b, ": ");
	wrap(p, e->test->title, 4 + strlen(e->test->name), 4);
	snprintf(text, sizeof text, "%s%s", e->verdict.reason, e->verdict.final ? "" : " (so far)");
	put_labelled(p, "seen", text);
	for (size_t i = 0; i < f->n_attempts && i < ATTEMPTS_TOLD; i++) {
		struct strbuf a = { 0 };
		char when[32];
		describe_time(when, f->attempts[i].t, false);
		strbuf_printf(&a, "%s ", when + 11);
		describe_attempt(&a, &f->attempts[i]);
		spaces(p, 13);
		wrap(p, a.s, 13, 15);
		strbuf_clear(&a);
	}
	if (f->n_attempts > ATTEMPTS_TOLD)
		strbuf_printf(
		    p->b, "             and %zu attempts more\n", f->n_attempts - ATTEMPTS_TOLD);
	for (size_t i = 0; i < f->n_reports && i < ATTEMPTS_TOLD; i++) {
		struct strbuf a = { 0 };
		describe_report(&a, f->reports[i]);
		put_labelled(p, "report", a.s);
		for (unsigned k = 0; k < f->reports[i]->n && k < ATTEMPTS_TOLD; k++) {
			strbuf_reset(&a);
			describe_report_row(&a, &f->reports[i]->row[k]);
			spaces(p, 13);
			wrap(p, a.s, 13, 15);
		}
		strbuf_clear(&a);
	}
	put_labelled(p, "means", e->means);
	put_labelled(p, "do", e->advice);
	put_fix(p, "postfix", e->fix[FIX_POSTFIX]);
	put_fix(p, "exim", e->fix[FIX_EXIM]);
	put_labelled(p, "ask", e->fix[FIX_PROVIDER]);
	put_labelled(p, "beware", e->test->fooled_by);
	put_labelled(p, "spec", e->test->spec);
}

static void
put_hands(const struct page *p, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];
		if (e->verdict.grade != GRADE_VIOLATES)
			continue;
		if (!any)
			heading(p, "What needs a hand");
		any = true;
		put_details(p, e);
	}
	any = false;
	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];
		if (e->verdict.grade != GRADE_INFORMATIONAL || e->advice == NULL)
			continue;
		if (!any)
			heading(p, "Worth knowing");
		any = true;
		put_details(p, e);
	}
}

static bool
waits_alike(const struct verdict *a, const struct verdict *b)
{
	return !b->final && a->until / MINUTE == b->until / MINUTE &&
	       strcmp(a->waits, b->waits) == 0;
}

/* Tests that wait for the same thing until the same minute stand together, under the last of them. */
static void
put_waiting(const struct page *p, const struct report *r)
{
	bool any = false;

	for (size_t i = 0; i < r->n; i++) {
		const struct verdict *v = &r->entries[i].verdict;
		struct strbuf line = { 0 };
		bool told = v->final;
		int64_t until = v->until;
		char when[32];

		for (size_t k = 0; k < i && !told; k++)
			told = waits_alike(v, &r->entries[k].verdict);
		if (told)
			continue;
		if (!any)
			heading(p, "Not final yet");
		any = true;
		strbuf_printf(
		    &line, "waiting for %s", v->waits[0] != '\0' ? v->waits : "the sender");
		for (size_t k = i + 1; k < r->n; k++) {
			const struct verdict *also = &r->entries[k].verdict;

			if (waits_alike(v, also) && also->until > until)
				until = also->until;
		}
		if (until > r->now) {
			describe_time(when, until, false);
			strbuf_printf(&line, ", until %s UTC at the latest", when);
		}
		for (size_t k = i; k < r->n; k++) {
			if (waits_alike(v, &r->entries[k].verdict))
				strbuf_printf(
				    &line, "%s%s", k == i ? ": " : ", ", r->entries[k].test->name);
		}
		spaces(p, 2);
		wrap(p, line.s, 2, 4);
		strbuf_clear(&line);
	}
}

static void
put_place(struct strbuf *b, const struct place *at)
{
	char text[112];

	place_format(text, at);
	strbuf_printf(b, "%s%s%s", *text == '\0' ? "" : " (", text, *text == '\0' ? "" : ")");
}

static void
put_resolver(const struct page *p, const struct resolver *r)
{
	struct strbuf b = { 0 };

	describe_said(&b, r->peer);
	put_place(&b, &r->place);
	strbuf_printf(&b, ": %u queries (%u TCP), ", r->queries, r->tcp);
	describe_resolver(&b, r);
	spaces(p, 2);
	wrap(p, b.s, 2, 4);
	strbuf_clear(&b);
}

static void
put_sender(const struct page *p, const struct sender *s)
{
	struct strbuf b = { 0 };

	describe_said(&b, s->peer);
	put_place(&b, &s->place);
	strbuf_puts(&b, *s->ehlo == '\0' ? "" : " as ");
	describe_said(&b, s->ehlo);
	strbuf_printf(&b, ": %u session%s", s->sessions, s->sessions == 1 ? "" : "s");
	strbuf_puts(&b, *s->ja4 == '\0' ? "" : ", JA4 ");
	describe_said(&b, s->ja4);
	spaces(p, 2);
	wrap(p, b.s, 2, 4);
	strbuf_clear(&b);
}

static void
put_farm(const struct page *p, const struct report *r)
{
	static const char *const validates[TRAIT_MAX] = { "validates DNSSEC",
		"at least one of them does not validate DNSSEC",
		"whether it validates DNSSEC is not decided yet",
		"whether it validates DNSSEC is not known" };
	struct strbuf b = { 0 };

	describe_farm(&b, r->c);
	strbuf_printf(&b, "; %s", validates[r->validates]);
	spaces(p, 2);
	wrap(p, b.s, 2, 4);
	strbuf_clear(&b);
}

/* Evidence: the blanks before a line say how deep it stands. */
static void
put_evidence(const struct page *p, const char *s)
{
	while (s != NULL && *s != '\0') {
		size_t len = strcspn(s, "\n"), depth = strspn(s, " ");
		spaces(p, 6 + depth);
		wrap_line(p, s + depth, len - depth, 6 + depth, 8 + depth);
		s += len + (s[len] == '\n');
	}
}

static void
put_paper(const struct page *p, const struct paper *w)
{
	const struct verified *v = w->verified;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "Over IPv%d from ", w->attempt->family);
	describe_said(&b, w->attempt->peer);
	strbuf_printf(&b, " to %s", w->test->name);
	if (w->messages > 1)
		strbuf_printf(&b, ", %u messages alike", w->messages);
	spaces(p, 2);
	wrap(p, b.s, 2, 4);
	for (unsigned m = 0; m < (v->state == VERIFIED_JUDGED ? AUTH_METHOD_MAX : 1u); m++) {
		bool judged = verified_result(v, (enum auth_method)m) != NULL;
		if (v->state == VERIFIED_JUDGED && !judged)
			continue;
		strbuf_reset(&b);
		if (judged)
			strbuf_printf(&b, "%s: ", papers_title((enum auth_method)m));
		verified_describe(&b, v, (enum auth_method)m);
		spaces(p, 4);
		wrap(p, b.s, 4, 6);
		strbuf_reset(&b);
		papers_evidence(&b, v, (enum auth_method)m);
		put_evidence(p, b.s);
	}
	strbuf_clear(&b);
}

static void
put_papers(const struct page *p, const struct report *r)
{
	struct papers *w = xcalloc(1, sizeof *w);

	papers_read(w, r->c);
	if (w->n > 0)
		heading(p, "Who wrote the mail");
	for (size_t i = 0; i < w->n; i++)
		put_paper(p, &w->paper[i]);
	if (w->beyond > 0)
		strbuf_printf(p->b, "  and %u messages with other results\n", w->beyond);
	free(w);
}

static void
put_identities(const struct page *p, const struct report *r)
{
	const struct correlation *c = r->c;

	if (c->n_resolvers > 0) {
		heading(p, "Resolvers that asked");
		put_farm(p, r);
	}
	for (size_t i = 0; i < c->n_resolvers; i++)
		put_resolver(p, &c->resolvers[i]);
	if (c->resolvers_beyond > 0)
		strbuf_puts(p->b, "  and more\n");
	if (c->n_senders > 0)
		heading(p, "Servers that sent");
	for (size_t i = 0; i < c->n_senders; i++)
		put_sender(p, &c->senders[i]);
	if (c->senders_beyond > 0)
		strbuf_puts(p->b, "  and more\n");
}

void
report_text(struct strbuf *b, const struct report *r, const struct report_style *style)
{
	struct page p = { b, style == NULL || style->width == 0 ? 80 : style->width,
		style != NULL && style->colour };

	if (p.width < WIDTH_MIN)
		p.width = WIDTH_MIN;
	if (p.width > WIDTH_MAX)
		p.width = WIDTH_MAX;
	put_head(&p, r);
	put_summary(&p, r);
	put_groups(&p, r);
	put_hands(&p, r);
	put_waiting(&p, r);
	put_papers(&p, r);
	put_identities(&p, r);
}
