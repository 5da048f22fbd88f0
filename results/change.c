/* change.c - see change.h. */
#include "results/change.h"

#include <stdlib.h>
#include <string.h>

static bool
in_set(const struct test *t, const char *set)
{
	for (size_t i = 0; i < t->n_in_sets; i++)
		if (strcmp(t->in_sets[i], set) == 0)
			return true;
	return false;
}

static bool
has_fix(const struct report_entry *e)
{
	for (unsigned who = 0; who < FIX_MAX; who++)
		if (e->fix[who] != NULL)
			return true;
	return false;
}

unsigned
change_weight(const struct report_entry *e)
{
	unsigned common = in_set(e->test, "quick") ? 2 : in_set(e->test, "standard") ? 1 : 0;

	if (e->verdict.grade == GRADE_VIOLATES)
		return 4 + common;
	return e->verdict.grade == GRADE_INFORMATIONAL && has_fix(e) ? 1 + common : 0;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
says_the_same(const struct report_entry *a, const struct report_entry *b)
{
	for (unsigned who = 0; who < FIX_MAX; who++)
		if (!same(a->fix[who], b->fix[who]))
			return false;
	return has_fix(a) || (a->advice != NULL && same(a->advice, b->advice));
}

static struct change *
find(struct changes *c, const struct report_entry *e)
{
	for (size_t i = 0; i < c->n; i++)
		if (says_the_same(c->item[i].entry[0], e))
			return &c->item[i];
	return NULL;
}

static int
worth(const struct report_entry *e)
{
	return e->verdict.grade == GRADE_INFORMATIONAL ? e->test->worth : 0;
}

static void
add_those(struct changes *c, const struct report *r, unsigned weight, int of_worth)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct report_entry *e = &r->entries[i];
		struct change *item;

		if (change_weight(e) != weight || worth(e) != of_worth)
			continue;
		if ((item = find(c, e)) == NULL) {
			item = &c->item[c->n++];
			item->weight = weight;
		}
		item->entry = xrealloc(item->entry, (item->n + 1) * sizeof *item->entry);
		item->entry[item->n++] = e;
	}
}

/* Those of one weight after the other, so that in each item and among the items order comes by itself. */
void
changes_read(struct changes *c, const struct report *r)
{
	memset(c, 0, sizeof *c);
	c->item = xcalloc(r->n + 1, sizeof *c->item);
	for (unsigned weight = 6; weight > 0; weight--)
		for (int of_worth = 1; of_worth >= -1; of_worth--)
			add_those(c, r, weight, of_worth);
}

void
changes_clear(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->item[i].entry);
	free(c->item);
	memset(c, 0, sizeof *c);
}

void
change_words(struct strbuf *headline, const char **rest, const struct change *c)
{
	const struct report_entry *e = c->entry[0];
	const char *s = e->advice != NULL ? e->advice : e->test->title, *end = s;

	for (; *end != '\0' && *end != '\n'; end++)
		if (*end == '.' && (end[1] == ' ' || end[1] == '\n' || end[1] == '\0'))
			break;
	strbuf_add(headline, s, (size_t)(end - s));
	/* "With OpenDKIM:" is not a whole sentence, but a colon before configuration ends one. */
	if (*end == '.')
		end++;
	*rest = end + strspn(end, " \n");
	if (strspn(end, " \n") > 2 && end[0] == '\n')
		*rest = end + 1; /* configuration keeps its indent */
}

void
change_ask(struct strbuf *b, const struct report_entry *e)
{
	if (e->fix[FIX_PROVIDER] != NULL) {
		strbuf_puts(b, e->fix[FIX_PROVIDER]);
		return;
	}
	strbuf_printf(b,
	    "Please look at how our mail is sent. It was measured with Outpost, test %s (%s): %s.",
	    e->test->name, e->test->title, e->verdict.reason);
	if (e->test->spec != NULL)
		strbuf_printf(b, " See %s.", e->test->spec);
}
