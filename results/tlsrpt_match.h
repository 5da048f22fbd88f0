/* tlsrpt_match.h - does a TLS report say what we saw?  Pure.
 *
 * Each failure that the report names is held against what the test shows at that host and against
 * the connections that were seen there in the report's time (and an hour around it):
 *   true     the test has this fault, and connections were seen there
 *   false    nothing of the test is so; or it names a host or a policy that the test has not, or
 *            successes that were not seen
 *   unknown  a class that nobody knows, or nothing of that time was seen
 * The whole is false if one of it is, true if one of it is and none false, unknown otherwise.
 * Policies for other domains are no part of it. */
#ifndef RESULTS_TLSRPT_MATCH_H
#define RESULTS_TLSRPT_MATCH_H

#include "results/correlate.h"
#include "results/tlsrpt.h"

enum tlsrpt_answer { TLSRPT_UNKNOWN, TLSRPT_TRUE, TLSRPT_FALSE, TLSRPT_ANSWER_MAX };
const char *tlsrpt_answer_name(enum tlsrpt_answer); /* "unknown", "true", "false" */

#define TLSRPT_ROWS_MAX 64
struct tlsrpt_row {
	const struct tlsrpt_policy *policy;
	const struct tlsrpt_failure *failure; /* NULL: about the policy itself */
	enum tlsrpt_answer answer;
	const char *why; /* one sentence */
	unsigned seen;   /* connections that it was held against */
};
struct received_report {
	int64_t t;
	const struct observation *event;
	bool mail;
	struct tlsrpt *report; /* owned; NULL: unreadable, see why */
	char why[160];
	enum tlsrpt_answer answer;
	struct tlsrpt_row row[TLSRPT_ROWS_MAX];
	unsigned n;
};

/* Reads the report out of a tlsrpt.report event; answer and rows stay empty. */
struct received_report *tlsrpt_receive(const struct observation *);
/* Fills answer and rows, from the facts of the test whose address the report came to. */
void tlsrpt_match(struct received_report *, const struct facts *, const char *token);
void tlsrpt_received_free(struct received_report *);

/* Is host K only there to receive reports? */
bool tlsrpt_is_collector(const struct test *, int k);

#endif
