/* moments.h - when what a word of a rule says happened: the moments that a predicate selects, before its
 * after, within, returned and lost (evaluate.c).  Private to results/.  Pure. */
#ifndef RESULTS_MOMENTS_H
#define RESULTS_MOMENTS_H

#include "results/evaluate.h"

struct moment { /* begins with its time (window.h) */
	int64_t t;
	const struct observation *o; /* may be NULL */
};
struct moments {
	const struct evaluation *e;
	const struct predicate *p;
	struct moment *item;
	size_t n;
};

/* Adds to m->item, in any order, the moments of m->p; count is not looked at.  m->item: the caller's, to
 * be freed. */
void moments_select(struct moments *m);

/* Was it sent in the words that the head of the test asks for? */
bool is_canary(const struct facts *, const struct attempt *);

/* Was its message judged so?  Of a predicate that says auth. */
bool attempt_auth_is(const struct attempt *, const struct predicate *);

#endif
