/* judge.h - facts of one (token, test) to a verdict by the test's own rules.  Pure.
 *
 * The first rule all of whose predicates hold gives the grade (the words: zones/predicate.h; their
 * evaluation: evaluate.c).  Nothing that was not delivered is graded while a control was
 * not delivered.
 *
 * Settled: accepted in the last phase (for every mailbox; where the rules ask for a message that
 * returned, and something was put off: one that did); or our last answer was 5xx and five minutes
 * went by (six hours where the rules ask whether it comes again); or the sender stayed away for six hours or three times the largest gap that it showed in
 * any test; or the test saw no attempt, and its controls and the last message whose To: names it were
 * accepted six hours ago; or the deadline passed.  A test that asks for TLS reports also waits for one:
 * three days, 36 hours if nobody asked where to send it.  A test that is graded on others' mail is
 * settled when these are.  The site's pace divides these times.
 * Nobody stays away while we are: these times begin again when we are back.
 * A violation that no attempt was seen of waits until nothing of the test was asked for in six hours.
 * Released (correlate_until): judged as of that moment.  What was not decided then stays undecided, and what
 * was so far is final.
 * Where several nodes write logs nothing is settled by what did not happen after the newest line of each, and nothing is
 * final that happened later: another node may have seen more.
 * So far: a refusal is shown as conforms, not final, after two attempts five minutes apart with the
 * same outcome, or five minutes after the control where only lookups can be seen. */
#ifndef RESULTS_JUDGE_H
#define RESULTS_JUDGE_H

#include "lib/clock.h"
#include "results/correlate.h"

/* How long a message may be with the verifier; pace does not divide it, name servers do not know of it. */
#define JUDGE_VERIFYING (600 * CLOCK_SECOND)

#define VERDICT_EVIDENCE_MAX 64
struct verdict {
	enum grade grade;
	bool final; /* false: so far */
	char reason[512];
	unsigned line; /* of the rule in the test's file; 0: the judge itself */
	const struct observation *evidence[VERDICT_EVIDENCE_MAX]; /* what the rule rests on */
	size_t n_evidence;
	char missing[160]; /* controls that were not delivered, comma-separated; "" */
	int64_t until;     /* pending or so far: when it settles at the latest; 0: nobody knows */
	char waits[160];   /* what for, in words; "" if final */
};

/* Is it among the evidence? */
bool verdict_rests_on(const struct verdict *, const struct observation *);

/* What a trace says in place of other tests' observations. */
#define GIVEN_TRAITS_MAX 8
struct judge_given {
	bool settled;
	enum outcome contrast;
	struct {
		const char *name;
		bool accepted, returned;
	} control[GIVEN_TRAITS_MAX]; /* name NULL: all */
	unsigned n_controls;
	struct {
		const char *method, *word; /* word NULL: a state */
	} control_auth[GIVEN_TRAITS_MAX];
	unsigned n_control_auths;
	struct {
		const char *name;
		enum trait_answer answer;
	} trait[GIVEN_TRAITS_MAX];
	unsigned n_traits;
};

struct judge {
	const struct correlation *c;
	const char *set; /* the participant's; NULL: full */
	int64_t now;
	unsigned pace; /* >= 1: divides settling times */
	int64_t back; /* when we were last there again after we had been away (outage.h); 0 never */
	int64_t
	    heard; /* what other nodes saw is known up to then only: their logs come late.  0: all of it */
	const char *late; /* the node that is heard of last; NULL: none */
	int64_t released; /* as the site's journal says; 0: not.  For who makes the correlation */
	/* Why a test is not as specified (outpost check), or NULL.  May be NULL. */
	const char *(*unsound)(void *ctx, const struct test *);
	/* Can the site show the test over IPv4?  false: its control includes trait ipv6.  NULL: all. */
	bool (*reachable4)(void *ctx, const struct test *);
	/* Is there an IPv4 name server for it, or shall there be none?  false: trait ipv6-dns.  NULL: all. */
	bool (*asked4)(void *ctx, const struct test *);
	void *ctx;
	const struct judge_given *given; /* NULL but for traces */
};

void judge_test(struct verdict *dst, const struct judge *, const struct test *);
/* Settled at now?  *until: when it will be if nothing more happens (0: nobody knows); why: what is
 * waited for. */
bool judge_settled(
    const struct judge *, const struct facts *, int64_t *until, char *why, size_t whylen);
enum outcome judge_outcome(const struct judge *, const struct test *);

#endif
