/* test_verdict.c - sections [phases], [verdict] and [reader] of a test file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/parse.h"

/* --- [phases] ---------------------------------------------------------------------------------- */
const char *const phase_event_names[] = { "dns", "fetched", "attempt", "tls", "accepted", "phase",
	NULL };

/* What stands between the brackets: "fetched", "dns MX {d}", "attempt in phase 2", "phase 1". */
static int
phase_argument(struct parse *p, unsigned line, char *arg, struct phase_condition *c)
{
	char *word[7], *save = NULL;
	struct template_name name;
	unsigned long n_phase;
	unsigned n = 0;
	int k;

	for (char *s = strtok_r(arg, " ", &save); s != NULL && n < 7;
	     s = strtok_r(NULL, " ", &save))
		word[n++] = s;
	if (n == 0)
		return parse_fail(p, line, "(): an event must stand between the brackets");
	if ((k = parse_word(p, line, "event", phase_event_names, word[0])) < 0)
		return -1;
	c->event = (enum phase_event)k;
	if (c->event != PHASE_PHASE && n > 3 && strcmp(word[n - 3], "in") == 0 &&
	    strcmp(word[n - 2], "phase") == 0) {
		if (parse_number(p, line, "phase", word[n - 1], 1, TEST_PHASES_MAX, &n_phase) != 0)
			return -1;
		c->in = (unsigned)n_phase;
		n -= 3;
	}
	if (n != (c->event == PHASE_DNS ? 3u : c->event == PHASE_PHASE ? 2u : 1u))
		return parse_fail(p, line, "%s: must be written dns TYPE NAME, phase N, or %s",
		    word[0], "fetched, attempt, tls, accepted");
	if (c->event == PHASE_PHASE) {
		if (parse_number(p, line, "phase", word[1], 1, TEST_PHASES_MAX, &n_phase) != 0)
			return -1;
		c->phase = (unsigned)n_phase;
	}
	if (c->event == PHASE_DNS) {
		if ((c->type = rrtype_by_name(word[1])) == 0)
			return parse_fail(p, line, "%.40s: no such record type", word[1]);
		if (parse_name(p, line, word[2], -1, &name) != 0)
			return -1;
		c->name = xstrdup(word[2]);
	}
	return 0;
}

/* "age(fetched) >= 3m" or "count(dns MX {d}) >= 2" */
static int
phase_condition(struct parse *p, unsigned line, char *text, struct phase_condition *c)
{
	char *open = strchr(text, '('), *close = strchr(text, ')'), *value;
	unsigned long n;
	bool age;

	if (open == NULL || close == NULL || close < open || strncmp(close + 1, " >= ", 4) != 0)
		return parse_fail(
		    p, line, "%.60s: must be age(EVENT) >= DURATION or count(EVENT) >= N", text);
	value = close + 5;
	*open = *close = '\0';
	age = strcmp(text, "age") == 0;
	if (!age && strcmp(text, "count") != 0)
		return parse_fail(p, line, "%.40s: must be age or count", text);
	if (phase_argument(p, line, open + 1, c) != 0)
		return -1;
	if (age)
		return parse_duration(p, line, "age", value, &c->age_us);
	if (parse_number(p, line, "count", value, 1, 1000000, &n) != 0)
		return -1;
	c->count = (unsigned)n;
	return 0;
}

static int
phases_line(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	struct phase_rule *r;
	char *text, *next;
	unsigned long phase;
	int rc = -1;

	if (l->n < 4)
		return parse_fail(
		    p, l->number, "phase: must be written: %s", section_phases.line_usage);
	if (parse_number(p, l->number, "phase", l->word[0], 2, TEST_PHASES_MAX, &phase) != 0)
		return -1;
	if (t->n_phases > 0 && phase < t->phases[t->n_phases - 1].phase)
		return parse_fail(p, l->number,
		    "phase %lu: phases only move forward, write them in order", phase);
	if (phase > 2 && (t->n_phases == 0 || phase > t->phases[t->n_phases - 1].phase + 1))
		return parse_fail(
		    p, l->number, "phase %lu: nothing begins phase %lu", phase, phase - 1);
	t->phases = parse_grow(t->phases, t->n_phases, sizeof *r);
	r = &t->phases[t->n_phases++];
	r->line = l->number;
	r->phase = (unsigned)phase;
	text = parse_join(l, 1, l->n);
	for (char *s = text; s != NULL; s = next) {
		if ((next = strstr(s, " and ")) != NULL) {
			*next = '\0';
			next += 5;
		}
		r->all = parse_grow(r->all, r->n, sizeof *r->all);
		if (phase_condition(p, l->number, s, &r->all[r->n++]) != 0)
			goto out;
	}
	rc = 0;
out:
	free(text);
	return rc;
}

const struct section section_phases = { "phases", "[phases]", NULL, NULL, 0, phases_line,
	"N age(EVENT) >= DURATION|count(EVENT) >= N [and ...]", NULL };

/* --- [verdict] --------------------------------------------------------------------------------- */
const char *const reason_names[] = { "attempts", "addresses", "schedule", "gaps", "delay",
	"horizon", "completed", "lasted", "hosts", "size", "tls", "stage", "next", "control",
	"versions", "old", "ssl", "hybrid", "draft-hybrid", "forbidden", "weak", "static", "spf",
	"helo", "dkim", "dmarc", "arc", "fcrdns", "ehlo", "unjudged", "bounce", "delivery", NULL };

static int
check_reason(struct parse *p, unsigned line, const char *s)
{
	char word[24];

	if (s[0] == '\0' || strlen(s) > 200 || strchr(s, '\n') != NULL)
		return parse_fail(p, line, "reason: must be one line of 1 to 200 characters");
	for (; (s = strchr(s, '{')) != NULL; s++) {
		size_t len = strcspn(s + 1, "}");
		if (s[1 + len] == '\0' || len >= sizeof word)
			return parse_fail(p, line, "reason: %.20s: the brace is not closed", s);
		memcpy(word, s + 1, len);
		word[len] = '\0';
		if (parse_word(p, line, "placeholder of a reason", reason_names, word) < 0)
			return -1;
	}
	return 0;
}

#define VERDICTS_MAX 64

static int
verdict_line(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	struct verdict_rule r = { .line = l->number, .grade = grade_by_name(l->word[0]) };
	char why[200];

	if (r.grade == GRADE_MAX)
		return parse_fail(p, l->number,
		    "%.40s: must be conforms, violates, informational, inconclusive or pending",
		    l->word[0]);
	if (l->n < 3 || !l->quoted[l->n - 1])
		return parse_fail(
		    p, l->number, "rule: must be written: %s", section_verdict.line_usage);
	if (check_reason(p, l->number, l->word[l->n - 1]) != 0)
		return -1;
	if (t->n_verdicts > 0 && t->verdicts[t->n_verdicts - 1].n == 0)
		return parse_fail(p, l->number, "rule: never reached, otherwise stands before it");
	if (t->n_verdicts == VERDICTS_MAX)
		return parse_fail(p, l->number, "rule: more than %d", VERDICTS_MAX);
	if (predicate_parse(&r.all, &r.n, l->word + 1, l->n - 2, why, sizeof why) != 0)
		return parse_fail(p, l->number, "%s", why);
	if (r.n == 1 && r.all[0].kind == P_OTHERWISE) {
		predicate_free(r.all, r.n);
		r.all = NULL;
		r.n = 0;
	}
	r.reason = xstrdup(l->word[l->n - 1]);
	t->verdicts = parse_grow(t->verdicts, t->n_verdicts, sizeof r);
	t->verdicts[t->n_verdicts++] = r;
	return 0;
}

static int
end_verdict(struct parse *p)
{
	const struct test *t = p->test;

	if (t->n_verdicts == 0 || t->verdicts[t->n_verdicts - 1].n != 0)
		return parse_fail(p, p->last_line, "[verdict]: its last rule must be otherwise");
	return 0;
}

const struct section section_verdict = { "verdict", "[verdict]", NULL, NULL, 0, verdict_line,
	"GRADE PREDICATE [and PREDICATE...] \"REASON\"", end_verdict };

/* --- [reader] ---------------------------------------------------------------------------------- */
static int
reader_text(struct parse *p, const struct text_line *l, char *dst[GRADE_MAX])
{
	enum grade g = grade_by_name(l->word[1]);

	if (g == GRADE_MAX)
		return parse_fail(p, l->number, "%s %.40s: no such grade", l->word[0], l->word[1]);
	if (dst[g] != NULL)
		return parse_fail(p, l->number, "%s %s: said twice", l->word[0], l->word[1]);
	if (!l->quoted[2] || l->word[2][0] == '\0')
		return parse_fail(
		    p, l->number, "%s %s: the text must stand in quotes", l->word[0], l->word[1]);
	dst[g] = xstrdup(l->word[2]);
	return 0;
}

static int
reader_means(struct parse *p, const struct text_line *l)
{
	return reader_text(p, l, p->test->means);
}

static int
reader_do(struct parse *p, const struct text_line *l)
{
	return reader_text(p, l, p->test->advice);
}

const char *
fix_name(enum fix who)
{
	static const char *const names[FIX_MAX] = { "postfix", "exim", "provider" };

	return names[who];
}

/* Readers paste it, so it says where it belongs before it says what. */
static bool
is_configuration(const char *s)
{
	bool setting = false;

	if (*s != '#')
		return false;
	for (; *s != '\0'; s += s[0] == '\n') {
		if (*s == '\n' || *s == ' ')
			return false;
		setting |= *s != '#';
		s += strcspn(s, "\n");
	}
	return setting;
}

static int
reader_fix(struct parse *p, const struct text_line *l)
{
	enum grade g = grade_by_name(l->word[1]);
	unsigned who = 0;

	while (who < FIX_MAX && strcmp(fix_name(who), l->word[2]) != 0)
		who++;
	if (g == GRADE_MAX || who == FIX_MAX)
		return parse_fail(p, l->number,
		    "fix %.40s %.40s: no such grade, or neither "
		    "postfix, exim nor provider",
		    l->word[1], l->word[2]);
	if (p->test->fix[g][who] != NULL)
		return parse_fail(p, l->number, "fix %s %s: said twice", l->word[1], l->word[2]);
	if (!l->quoted[3] || l->word[3][0] == '\0')
		return parse_fail(p, l->number, "fix %s %s: the text must stand in quotes",
		    l->word[1], l->word[2]);
	if (who != FIX_PROVIDER && !is_configuration(l->word[3]))
		return parse_fail(p, l->number,
		    "fix %s %s: its first line is \"# WHERE\", then come settings, none indented",
		    l->word[1], l->word[2]);
	p->test->fix[g][who] = xstrdup(l->word[3]);
	return 0;
}

static const struct keyword reader_keywords[] = {
	{ "means", 2, 2, true, "means GRADE TEXT", reader_means },
	{ "do", 2, 2, true, "do GRADE TEXT", reader_do },
	{ "fix", 3, 3, true, "fix GRADE postfix|exim|provider TEXT", reader_fix },
};
const struct section section_reader = { "reader", "[reader]", NULL, reader_keywords,
	sizeof reader_keywords / sizeof reader_keywords[0], NULL, NULL, NULL };
