/* test_trace.c - section [trace NAME] of a test file: synthetic observations and the verdict that
 * they must give. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"
#include "lib/strbuf.h"
#include "zones/auth.h"
#include "zones/parse.h"

static int
begin_trace(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;

	if (l->n != 2 || strlen(l->word[1]) > 60)
		return parse_fail(p, l->number, "[trace]: must be written: [trace NAME]");
	for (size_t i = 0; i < t->n_traces; i++)
		if (strcmp(t->traces[i].name, l->word[1]) == 0)
			return parse_fail(p, l->number, "[trace %s]: said twice", l->word[1]);
	t->traces = parse_grow(t->traces, t->n_traces, sizeof *t->traces);
	p->trace = &t->traces[t->n_traces++];
	p->trace->line = l->number;
	p->trace->name = xstrdup(l->word[1]);
	return 0;
}

static void
step_word(struct trace_step *s, const char *word)
{
	s->word = parse_grow(s->word, s->n, sizeof *s->word);
	s->word[s->n++] = xstrdup(word);
}

/* --- events ------------------------------------------------------------------------------------ */
/* "at" and "dev" must be what this test can give; checked at the end of the file (test_check.c). */
static int
check_value(struct parse *p, unsigned line, enum event_key key, const char *value)
{
	const struct event_key_row *row = event_key(key);
	struct template_name name;
	unsigned long n;

	if (row->type == EVT_NUM)
		return parse_number(p, line, row->name, value, 0, 4294967295, &n);
	if (row->type == EVT_BOOL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return parse_fail(p, line, "%s %.40s: must be true or false", row->name, value);
	if (key == EK_AT)
		return parse_name(p, line, value, -1, &name);
	if (key == EK_RCODE && strcmp(value, "DROP") != 0 && rcode_by_name(value) < 0)
		return parse_fail(p, line, "rcode %.40s: no such response code", value);
	if (key == EK_QTYPE && !rrtype_can_be_asked(rrtype_by_name(value)))
		return parse_fail(p, line, "qtype %.40s: no type that can be asked for", value);
	if (key == EK_STAGE && stage_by_name(value, (unsigned)strlen(value)) == STAGE_MAX)
		return parse_fail(p, line, "stage %.40s: no such stage", value);
	return 0;
}

/* "key=value" of an event kind */
static int
event_word(struct parse *p, unsigned line, const struct event_kind_row *kind, const char *word)
{
	const char *eq = strchr(word, '=');

	if (eq == NULL)
		return parse_fail(
		    p, line, "%.40s: after the kind of event, words are key=value", word);
	for (const enum event_key *k = kind->keys; *k != EK_MAX; k++) {
		const char *name = event_key(*k)->name;
		if (strlen(name) != (size_t)(eq - word) || memcmp(name, word, strlen(name)) != 0)
			continue;
		if (*k == EK_TOKEN || *k == EK_TEST)
			return parse_fail(
			    p, line, "%s: is filled in when the trace is played", name);
		return check_value(p, line, *k, eq + 1);
	}
	return parse_fail(p, line, "%.*s: a %s has no such key",
	    (int)(eq - word > 40 ? 40 : eq - word), word, kind->name);
}

static int
event_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	const struct event_kind_row *row;
	enum event_kind kind = event_kind_by_name(l->word[from], strlen(l->word[from]));

	if (kind == EV_KIND_MAX)
		return parse_fail(
		    p, l->number, "%.40s: no such event; see outpost-events(5)", l->word[from]);
	row = event_kind(kind);
	step_word(s, l->word[from]);
	for (unsigned i = from + 1; i < l->n; i++) {
		if (event_word(p, l->number, row, l->word[i]) != 0)
			return -1;
		step_word(s, l->word[i]);
	}
	return 0;
}

/* dns TYPE NAME [rcode R] [dev D] [key=value...] */
static int
dns_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	const struct event_kind_row *row = event_kind(EV_DNS_QUERY);
	unsigned i = from + 3;
	char *word;
	int rc;

	if (l->n < i)
		return parse_fail(p, l->number,
		    "dns: must be written: dns TYPE NAME [rcode R] [dev D] [key=value...]");
	step_word(s, row->name);
	for (unsigned k = 0; k < 2; k++) {
		word = xasprintf("%s=%s", k == 0 ? "qtype" : "at", l->word[from + 1 + k]);
		rc = event_word(p, l->number, row, word);
		step_word(s, word);
		free(word);
		if (rc != 0)
			return -1;
	}
	while (i < l->n) {
		bool pair = strcmp(l->word[i], "rcode") == 0 || strcmp(l->word[i], "dev") == 0;
		if (pair && i + 1 == l->n)
			return parse_fail(p, l->number, "%s: its value is missing", l->word[i]);
		word = pair ? xasprintf("%s=%s", l->word[i], l->word[i + 1]) : xstrdup(l->word[i]);
		rc = event_word(p, l->number, row, word);
		step_word(s, word);
		free(word);
		if (rc != 0)
			return -1;
		i += pair ? 2 : 1;
	}
	return 0;
}

/* --- what is known of other tests --------------------------------------------------------------- */
/* control auth METHOD WORD, control auth STATE */
static int
control_auth_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	unsigned n = l->n - from, state = 0;
	enum auth_method m = n == 4 ? auth_method_by_name(l->word[from + 2]) : AUTH_METHOD_MAX;
	bool known = m != AUTH_METHOD_MAX && auth_word_exists(m, l->word[from + 3]);

	for (; n == 3 && !known && auth_state(state) != NULL; state++)
		known = strcmp(auth_state(state), l->word[from + 2]) == 0;
	if (!known)
		return parse_fail(p, l->number,
		    "control auth: must be written: control auth METHOD WORD, or judged, open, "
		    "lost");
	for (unsigned i = from + 1; i < l->n; i++)
		step_word(s, l->word[i]);
	return 0;
}

static int
control_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	static const char *const states[] = { "accepted", "refused", "returned", NULL };

	bool message = strncmp(l->word[l->n - 1], "message=", 8) == 0;
	unsigned n = l->n - from - message;

	s->kind = TRACE_CONTROL;
	if (l->n > from + 1 && strcmp(l->word[from + 1], "auth") == 0)
		return control_auth_step(p, l, from, s);
	if ((n != 2 && n != 3) || (message && l->word[l->n - 1][8] == '\0') ||
	    (message && strcmp(l->word[l->n - 2], "accepted") != 0))
		return parse_fail(p, l->number,
		    "control: must be written: control [TEST] accepted|refused|returned, after "
		    "accepted "
		    "message=ID may follow");
	for (unsigned i = from + 1; i < l->n; i++)
		step_word(s, l->word[i]);
	return parse_word(p, l->number, "control", states, l->word[from + n - 1]) < 0 ? -1 : 0;
}

static int
contrast_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	s->kind = TRACE_CONTRAST;
	if (l->n - from != 2 || outcome_by_name(l->word[from + 1]) == OUTCOME_MAX)
		return parse_fail(
		    p, l->number, "contrast: must be accepted, refused, open or unknown");
	step_word(s, l->word[from + 1]);
	return 0;
}

static int
trait_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	const char *answer = l->n - from == 3 ? l->word[from + 2] : "yes";

	s->kind = TRACE_TRAIT;
	if (l->n - from < 2 || l->n - from > 3 || trait_answer_by_name(answer) == TRAIT_MAX)
		return parse_fail(
		    p, l->number, "trait: must be written: trait NAME [yes|no|open|unknown]");
	step_word(s, l->word[from + 1]);
	step_word(s, answer);
	return 0;
}

static int
stranger_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	unsigned char a[16];

	s->kind = TRACE_STRANGER;
	if (l->n - from != 2 || (inet_pton(AF_INET, l->word[from + 1], a) != 1 &&
				    inet_pton(AF_INET6, l->word[from + 1], a) != 1))
		return parse_fail(p, l->number, "stranger: must be written: stranger ADDRESS");
	step_word(s, l->word[from + 1]);
	return 0;
}

static int
released_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	s->kind = TRACE_RELEASED;
	if (l->n - from != 1)
		return parse_fail(p, l->number, "released: nothing may stand behind it");
	return 0;
}

static int
end_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	static const char *const states[] = { "settled", "open", NULL };

	s->kind = TRACE_END;
	if (l->n - from != 2)
		return parse_fail(p, l->number, "end: must be written: end settled|open");
	step_word(s, l->word[from + 1]);
	return parse_word(p, l->number, "end", states, l->word[from + 1]) < 0 ? -1 : 0;
}

static int
verdict_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	s->kind = TRACE_VERDICT;
	if (l->n - from < 2 || l->n - from > 3 || grade_by_name(l->word[from + 1]) == GRADE_MAX ||
	    (l->n - from == 3 && !l->quoted[from + 2]))
		return parse_fail(p, l->number,
		    "verdict: must be written: verdict GRADE [\"BEGINNING OF THE REASON\"]");
	for (unsigned i = from + 1; i < l->n; i++)
		step_word(s, l->word[i]);
	return 0;
}

/* mail v4|v6 [open|lost|crashed|skipped] [MEMBER=VALUE...] */
static int
mail_step(struct parse *p, const struct text_line *l, unsigned from, struct trace_step *s)
{
	static const char *const families[] = { "v4", "v6", NULL };
	static const char *const ends[] = { "open", "lost", "crashed", "skipped", NULL };

	s->kind = TRACE_MAIL;
	if (l->n < from + 2)
		return parse_fail(
		    p, l->number, "mail: must be written: mail v4|v6 [MEMBER=VALUE...]");
	if (parse_word(p, l->number, "mail", families, l->word[from + 1]) < 0)
		return -1;
	step_word(s, l->word[from + 1]);
	for (unsigned i = from + 2; i < l->n; i++) {
		const char *w = l->word[i];
		bool end = i == from + 2 && strchr(w, '=') == NULL;
		if (end && parse_word(p, l->number, "mail", ends, w) < 0)
			return -1;
		if (!end && (strchr(w, '=') == NULL ||
				(strncmp(w, "subject=", 8) != 0 && !auth_member_exists(w))))
			return parse_fail(
			    p, l->number, "mail %.40s: the results have no such member", w);
		step_word(s, w);
	}
	return 0;
}

/* Steps with a word of their own; anything else is a kind of event. */
static const struct {
	const char *word, *usage;
	bool timeless; /* may, and verdict and end must, stand without a time */
	int (*run)(struct parse *, const struct text_line *, unsigned from, struct trace_step *);
} steps[] = {
	{ "dns", "TIME dns TYPE NAME [rcode R] [dev D] [KEY=VALUE...]", false, dns_step },
	{ "mail", "TIME mail v4|v6 [open|lost|crashed|skipped] [MEMBER=VALUE...]", false,
	    mail_step },
	{ "control", "[TIME] control [TEST] accepted|refused|returned [message=ID]", true,
	    control_step },
	{ "contrast", "[TIME] contrast accepted|refused|open|unknown", true, contrast_step },
	{ "trait", "[TIME] trait NAME [yes|no|open|unknown]", true, trait_step },
	{ "stranger", "stranger ADDRESS", true, stranger_step },
	{ "released", "TIME released", false, released_step },
	{ "end", "end settled|open", true, end_step },
	{ "verdict", "verdict GRADE [\"BEGINNING OF THE REASON\"]", true, verdict_step },
};
#define N_STEPS (sizeof steps / sizeof steps[0])

const char *
parse_trace_word(unsigned i)
{
	return i < N_STEPS ? steps[i].word : NULL;
}

static int
trace_line(struct parse *p, const struct text_line *l)
{
	struct trace *c = p->trace;
	struct trace_step *s;
	int64_t last = c->n > 0 ? c->steps[c->n - 1].at_us : 0;
	bool timed = l->word[0][0] >= '0' && l->word[0][0] <= '9';
	unsigned from = timed ? 1 : 0;
	size_t i;

	if (c->n > 0 && c->steps[c->n - 1].kind == TRACE_VERDICT)
		return parse_fail(p, l->number, "step: a trace ends with its verdict");
	if (c->n == 1000)
		return parse_fail(p, l->number, "step: more than 1000 in one trace");
	c->steps = parse_grow(c->steps, c->n, sizeof *s);
	s = &c->steps[c->n++];
	s->line = l->number;
	s->at_us = last;
	if (timed && strcmp(l->word[0], "0s") != 0) {
		if (parse_duration(p, l->number, "time", l->word[0], &s->at_us) != 0)
			return -1;
	} else if (timed) {
		s->at_us = 0;
	}
	if (s->at_us < last)
		return parse_fail(
		    p, l->number, "time %s: earlier than the step before", l->word[0]);
	if (from == l->n)
		return parse_fail(
		    p, l->number, "step: must be written: %s", section_trace.line_usage);
	for (i = 0; i < N_STEPS && strcmp(steps[i].word, l->word[from]) != 0; i++)
		;
	if (!timed && (i == N_STEPS || !steps[i].timeless))
		return parse_fail(
		    p, l->number, "%.40s: a time such as 5s must stand before it", l->word[0]);
	return i < N_STEPS ? steps[i].run(p, l, from, s) : event_step(p, l, from, s);
}

static int
end_trace(struct parse *p)
{
	const struct trace *c = p->trace;

	if (c->n == 0 || c->steps[c->n - 1].kind != TRACE_VERDICT)
		return parse_fail(p, c->line, "[trace %s]: must end with a verdict", c->name);
	return 0;
}

const struct section section_trace = { "trace", "[trace NAME]", begin_trace, NULL, 0, trace_line,
	"TIME EVENT [KEY=VALUE...]", end_trace };
