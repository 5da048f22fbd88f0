/* release.c - see release.h. */
#include "results/release.h"

#include <string.h>

int64_t
release_at(const char *token, const struct observations *obs, int64_t at)
{
	for (size_t i = 0; i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		if (observation_is(o, EK_DEV, "released") && (at == 0 || o->t < at) &&
		    strcmp(text_of(o, EK_TOKEN), token) == 0)
			at = o->t;
	}
	return at;
}

bool
release_hides(const struct correlation *c, const struct observation *o)
{
	const char *name = text_of(o, EK_TEST);
	const struct test *t;

	if (c->released == 0 || o->t < c->released ||
	    (o->kind >= EV_VERIFY_RESULT && o->kind <= EV_VERIFY_AUDIT) ||
	    strcmp(text_of(o, EK_TOKEN), c->token) != 0)
		return false;
	t = catalogue_find(c->catalogue, name, strlen(name));
	return t == NULL ? o->kind == EV_LIMIT_EVENTS : !t->unmailed;
}
