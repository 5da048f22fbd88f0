/* evaluate.h - one predicate of a rule over facts: which moments it selects and whether it holds.
 * Pure. */
#ifndef RESULTS_EVALUATE_H
#define RESULTS_EVALUATE_H

#include "results/judge.h"

/* What the judge knows besides the facts; computed once per test. */
struct evaluation {
	const struct judge *judge;
	const struct facts *facts;
	bool settled;
	bool control; /* all controls accepted */
};
bool evaluate(const struct predicate *, const struct evaluation *, struct verdict *evidence);

/* Controls of the test that were not accepted, comma-separated; returns whether all were. */
bool evaluate_controls(const struct judge *, const struct test *, char *missing, size_t len);
/* Has the participant the trait? */
enum trait_answer evaluate_trait(const struct judge *, const char *name);
/* Something was put off, and no message of those that the rules ask for has returned yet. */
bool evaluate_returns(const struct judge *, const struct facts *);

#endif
