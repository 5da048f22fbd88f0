/* lint.c - see lint.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "zones/lint.h"

struct lint {
	const struct test *test;
	void (*say)(void *ctx, enum lint_level, const char *text);
	void *ctx;
	unsigned errors;
};

static void found(struct lint *, enum lint_level, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void
found(struct lint *l, enum lint_level level, unsigned line, const char *fmt, ...)
{
	char text[600];
	va_list ap;
	int n = snprintf(text, sizeof text, "%.300s:%u: ", l->test->path, line);

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, ap);
	va_end(ap);
	l->errors += level == LINT_ERROR;
	l->say(l->ctx, level, text);
}

static bool
grade_used(const struct test *t, enum grade g)
{
	for (size_t i = 0; i < t->n_verdicts; i++)
		if (t->verdicts[i].grade == g)
			return true;
	return false;
}

static bool
grade_traced(const struct test *t, enum grade g)
{
	for (size_t i = 0; i < t->n_traces; i++) {
		const struct trace *c = &t->traces[i];
		if (grade_by_name(c->steps[c->n - 1].word[0]) == g)
			return true;
	}
	return false;
}

static bool
has_fix(const struct test *t, unsigned g)
{
	for (unsigned who = 0; who < FIX_MAX; who++)
		if (t->fix[g][who] != NULL)
			return true;
	return false;
}

/* Configuration alone tells nobody why, and it has one place: an indented line of the prose that a program reads
 * as a setting of Postfix would be missing from the list of what to change. */
static void
lint_fix(struct lint *l, unsigned g)
{
	const struct test *t = l->test;
	const char *name = grade_name((enum grade)g), *s = t->advice[g];

	if (has_fix(t, g) && s == NULL)
		found(
		    l, LINT_ERROR, 1, "[reader]: fix %s without do %s, which says why", name, name);
	if ((t->fix[g][FIX_POSTFIX] != NULL || t->fix[g][FIX_EXIM] != NULL) &&
	    t->fix[g][FIX_PROVIDER] == NULL)
		found(l, LINT_ERROR, 1,
		    "[reader]: fix %s provider is missing: not everybody has a configuration",
		    name);
	if (g != GRADE_VIOLATES && !has_fix(t, g))
		return; /* nothing needs to change: what it says is by the way */
	for (; s != NULL && (s = strstr(s, "\n  ")) != NULL; s += 3)
		if (strncmp(s + 3, "smtp_", 5) == 0 || strncmp(s + 3, "hosts_", 6) == 0 ||
		    strncmp(s + 3, "tls_", 4) == 0)
			found(l, LINT_ERROR, 1,
			    "[reader] do %s: \"%.*s\": goes into fix %s postfix or exim", name,
			    (int)strcspn(s + 3, "\n"), s + 3, name);
}

/* Readers are told what a grade means, and what to do about a violation. */
static void
lint_reader(struct lint *l)
{
	const struct test *t = l->test;

	for (unsigned g = 0; g <= GRADE_INFORMATIONAL; g++) {
		const char *name = grade_name((enum grade)g);
		if (!grade_used(t, (enum grade)g)) {
			if (t->means[g] != NULL || t->advice[g] != NULL || has_fix(t, g))
				found(l, LINT_WARNING, 1, "[reader] %s: no rule gives this grade",
				    name);
			continue;
		}
		if (t->means[g] == NULL)
			found(l, LINT_ERROR, 1,
			    "[reader]: means %s is missing, a rule gives this grade", name);
		if (g == GRADE_VIOLATES && t->advice[g] == NULL)
			found(l, LINT_ERROR, 1,
			    "[reader]: do violates is missing, readers want to know what to "
			    "change");
		lint_fix(l, g);
	}
	if (t->spec == NULL)
		found(l, LINT_ERROR, 1, "spec: is missing, a test rests on some document");
}

static void
lint_traces(struct lint *l)
{
	const struct test *t = l->test;

	if (t->n_traces < 3)
		found(l, LINT_ERROR, 1, "[trace]: %zu of them, there must be three at least",
		    t->n_traces);
	for (unsigned g = 0; g < GRADE_MAX; g++)
		if (g != GRADE_PENDING && grade_used(t, (enum grade)g) &&
		    !grade_traced(t, (enum grade)g))
			found(l, LINT_WARNING, 1,
			    "[trace]: none ends in verdict %s, but a rule gives it",
			    grade_name((enum grade)g));
}

/* Does the predicate say that something has happened that no later event undoes?  A session that
 * was given up is a deed only where the deed itself was wrong. */
static bool
is_deed(const struct predicate *p, enum grade g)
{
	if (p->kind == P_GAVE_UP_AT)
		return !p->negated && g == GRADE_VIOLATES;
	return !p->negated &&
	       (p->kind == P_ACCEPTED || p->kind == P_ATTEMPTED || p->kind == P_EARLY ||
		   p->kind == P_STALE || p->kind == P_SAID || p->kind == P_MESSAGE ||
		   p->kind == P_HELLO || p->kind == P_REPORT || p->kind == P_DSN ||
		   p->kind == P_AUTH || p->kind == P_OUTGOING || p->kind == P_COMPLETED);
}

/* "Not yet" is not "never": before the test is settled only deeds decide. */
static void
lint_haste(struct lint *l)
{
	const struct test *t = l->test;
	bool waited = false;

	for (size_t i = 0; i < t->n_verdicts && !waited; i++) {
		const struct verdict_rule *r = &t->verdicts[i];
		bool ripe = false;
		for (size_t k = 0; k < r->n; k++)
			ripe |= is_deed(&r->all[k], r->grade) ||
				(r->all[k].kind == P_SETTLED && !r->all[k].negated);
		if (r->grade == GRADE_PENDING)
			waited = r->n == 1 && r->all[0].kind == P_SETTLED && r->all[0].negated;
		else if (!ripe)
			found(l, LINT_ERROR, r->line,
			    "%s: decided before the test is settled, by nothing that was done",
			    grade_name(r->grade));
	}
	if (!waited)
		found(l, LINT_WARNING, 1,
		    "[verdict]: no rule \"pending not settled\", so that waiting looks like a "
		    "result");
}

/* A violation must stand on a control or on a deed. */
static void
lint_evidence(struct lint *l)
{
	const struct test *t = l->test;

	for (size_t i = 0; i < t->n_verdicts; i++) {
		const struct verdict_rule *r = &t->verdicts[i];
		bool stands = false;
		for (size_t k = 0; k < r->n; k++)
			stands |= is_deed(&r->all[k], r->grade) ||
				  r->all[k].kind == P_CONTROL_ACCEPTED ||
				  r->all[k].kind == P_CONTROL_ANY;
		if (r->grade == GRADE_VIOLATES && !stands && t->n_control > 0)
			found(l, LINT_ERROR, r->line,
			    "violates: neither a deed nor \"control accepted\" stands behind it");
	}
}

unsigned
lint_test(
    const struct test *t, void (*say)(void *ctx, enum lint_level, const char *text), void *ctx)
{
	struct lint l = { t, say, ctx, 0 };

	lint_reader(&l);
	lint_traces(&l);
	lint_haste(&l);
	lint_evidence(&l);
	return l.errors;
}

unsigned
lint_catalogue(
    const struct catalogue *c, void (*say)(void *ctx, enum lint_level, const char *text), void *ctx)
{
	unsigned errors = 0;

	for (size_t i = 0; i < c->n; i++)
		errors += lint_test(c->tests[i], say, ctx);
	return errors;
}
