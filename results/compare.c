/* compare.c - see compare.h. */
#include "results/compare.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *title;
} kinds[COMPARE_MAX] = {
	[COMPARE_WORSE] = { "worse", "Worse" },
	[COMPARE_BETTER] = { "better", "Better" },
	[COMPARE_OTHER] = { "other", "Other verdicts" },
	[COMPARE_ADDED] = { "added", "Only in the later run" },
	[COMPARE_GONE] = { "gone", "Only in the earlier run" },
	[COMPARE_DETAIL] = { "detail", "The same verdict for another reason" },
	[COMPARE_SAME] = { "same", "As before" },
};

const char *
compare_name(enum compare_kind k)
{
	return kinds[k].name;
}

const char *
compare_title(enum compare_kind k)
{
	return kinds[k].title;
}

static const struct report_entry *
find(const struct report *r, const struct test *t)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->entries[i].test->name, t->name) == 0)
			return &r->entries[i];
	return NULL;
}

static bool
was_seen(enum grade g)
{
	return g == GRADE_CONFORMS || g == GRADE_INFORMATIONAL;
}

/* From "not seen" to "violates" nothing got worse: it was not known. */
static enum compare_kind
kind_of(const struct report_entry *before, const struct report_entry *after)
{
	enum grade a, b;

	if (before == NULL)
		return COMPARE_ADDED;
	if (after == NULL)
		return COMPARE_GONE;
	a = before->verdict.grade;
	b = after->verdict.grade;
	if (a == b)
		return strcmp(before->verdict.reason, after->verdict.reason) == 0 ? COMPARE_SAME
										  : COMPARE_DETAIL;
	if (b == GRADE_VIOLATES && was_seen(a))
		return COMPARE_WORSE;
	if (a == GRADE_VIOLATES && was_seen(b))
		return COMPARE_BETTER;
	return COMPARE_OTHER;
}

static void
add(struct comparison *c, enum compare_kind want, const struct report_entry *before,
    const struct report_entry *after)
{
	enum compare_kind kind = kind_of(before, after);

	if (kind != want)
		return;
	c->row[c->n++] = (struct compare_row){ kind, before, after };
	c->count[kind]++;
}

void
compare_reports(struct comparison *c, const struct report *before, const struct report *after)
{
	memset(c, 0, sizeof *c);
	c->before = before;
	c->after = after;
	c->row = xcalloc(before->n + after->n + 1, sizeof *c->row);
	for (unsigned k = 0; k < COMPARE_MAX; k++) {
		for (size_t i = 0; i < after->n; i++)
			add(c, (enum compare_kind)k, find(before, after->entries[i].test),
			    &after->entries[i]);
		for (size_t i = 0; i < before->n; i++)
			if (find(after, before->entries[i].test) == NULL)
				add(c, (enum compare_kind)k, &before->entries[i], NULL);
	}
}

void
compare_clear(struct comparison *c)
{
	free(c->row);
	memset(c, 0, sizeof *c);
}
