/* judge.h - facts of one (token, test) to a verdict by the test's own rules.  Pure.
 *
 * The first rule all of whose predicates hold gives the grade.  A predicate can be unknown (a trait
 * whose test is still pending): a rule that hangs on it makes the verdict pending.  Nothing that
 * was not delivered is graded while a control was not delivered.  settled and "so far": see
 * judge_settled and judge.c, after the design's definition. */
#ifndef RESULTS_JUDGE_H
#define RESULTS_JUDGE_H

#include "results/correlate.h"

#define VERDICT_EVIDENCE_MAX 64
struct verdict {
	enum grade grade;
	bool final;               /* false: so far */
	char reason[512];
	unsigned line;            /* of the rule in the test's file; 0: the judge itself */
	const struct observation *evidence[VERDICT_EVIDENCE_MAX]; /* what the rule rests on */
	size_t n_evidence;
	char missing[160];        /* controls that were not delivered, comma-separated; "" */
	int64_t until;            /* pending or so far: when it settles at the latest; 0: nobody knows */
	char waits[160];          /* what for, in words; "" if final */
};

struct judge {
	const struct correlation *c;
	int64_t now;
	unsigned pace;            /* >= 1: divides settling times */
	/* Why a test is not as specified (outpost check), or NULL.  May be NULL. */
	const char *(*unsound)(void *ctx, const struct test *);
	/* May a test be reached over IPv4?  false: no front was free, its control includes trait ipv6's
	 * test.  NULL: all may. */
	bool (*reachable4)(void *ctx, const struct test *);
	void *ctx;
	/* For traces only. */
	bool forced_settled;
	const char *const *traits; size_t n_traits; /* these hold, no others; NULL: from the named tests */
	bool given;               /* traits and controls are as the trace says */
};

void judge_test(struct verdict *dst, const struct judge *, const struct test *);
/* Settled at now?  *until: when it will be if nothing more happens (0: cannot say). */
bool judge_settled(const struct judge *, const struct facts *, int64_t *until, char *why, size_t whylen);

#endif
