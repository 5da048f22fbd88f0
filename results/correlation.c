/* correlation.c - see correlation.h. */
#include "results/correlation.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/strbuf.h"

struct correlation *
correlation_new(const struct catalogue *cat, const char *token)
{
	struct correlation *c = xcalloc(1, sizeof *c);

	c->catalogue = cat;
	snprintf(c->token, sizeof c->token, "%s", token);
	c->facts = xcalloc(cat->n + 1, sizeof *c->facts);
	for (size_t i = 0; i < cat->n; i++)
		c->facts[i].test = cat->tests[i];
	return c;
}

void
correlation_free(struct correlation *c)
{
	if (c == NULL)
		return;
	correlation_free(c->own);
	for (size_t i = 0; i < c->catalogue->n; i++)
		facts_clear(&c->facts[i]);
	for (size_t i = 0; i < c->n_verified; i++)
		verified_free(c->verified[i]);
	for (size_t i = 0; i < c->n_dsns; i++)
		free(c->dsns[i]);
	free(c->dsns);
	free(c->verified);
	free(c->facts);
	free(c->sessions);
	free(c->messages);
	free(c->senders);
	free(c->resolvers);
	free(c);
}

const struct facts *
correlation_facts(const struct correlation *c, const struct test *t)
{
	size_t lo = 0, hi = c->catalogue->n;

	while (lo < hi) { /* tests are in the order of their numbers */
		size_t mid = (lo + hi) / 2;
		if (c->facts[mid].test == t)
			return &c->facts[mid];
		if (c->facts[mid].test->number < t->number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct facts *
correlation_find(struct correlation *c, const char *name, size_t len)
{
	const struct test *t = len == 0 ? NULL : catalogue_find(c->catalogue, name, len);
	const struct facts *f = t == NULL ? NULL : correlation_facts(c, t);

	return f == NULL ? NULL : &c->facts[f - c->facts];
}

static bool
is_named(const struct correlation *c, const struct accepted_message *a, const char *test)
{
	char name[32 + TEST_NAME_MAX + 3];
	size_t len;

	len = (size_t)snprintf(name, sizeof name, "%s.%s.", c->token, test);
	for (const char *p = a->to; *p != '\0'; p++) {
		if (strncasecmp(p, name, len) == 0)
			return true;
	}
	return false;
}

bool
correlation_names(
    const struct correlation *c, const struct accepted_message *a, const struct test *t)
{
	for (unsigned i = 0; i < t->n_graded_on; i++) {
		if (is_named(c, a, t->graded_on[i]))
			return true;
	}
	return t->n_graded_on == 0 && is_named(c, a, t->name);
}
