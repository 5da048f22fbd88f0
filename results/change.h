/* change.h - what to change: the advice of a report's tests, what is said more than once joined, the
 * weightiest first.  Pure. */
#ifndef RESULTS_CHANGE_H
#define RESULTS_CHANGE_H

#include "results/report.h"

/* Tests whose fixes are the same words, or that have none and the same advice. */
struct change {
	const struct report_entry *
	    *entry; /* by weight, then as in the report; the first speaks for all */
	size_t n;
	unsigned weight;
};
struct changes {
	struct change *item; /* by weight; owned */
	size_t n;
};
/* Tests that violate; and those for information that have a fix: what nobody must change is not in it. */
void changes_read(struct changes *, const struct report *);
void changes_clear(struct changes *);

/* What breaks a rule weighs more than what is worth having, of these what is in quick more than what is in
 * standard, then the rest; 0: nothing is to be changed.  Of what is worth having and weighs the same the test's word
 * "worth" says what comes first. */
unsigned change_weight(const struct report_entry *);
/* Its first sentence, and what follows (may be ""). */
void change_words(struct strbuf *headline, const char **rest, const struct change *);
/* What to ask who runs the server for. */
void change_ask(struct strbuf *, const struct report_entry *);

#endif
