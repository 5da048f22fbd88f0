/* papers.h - who wrote the mail, for a report: of all messages whose authorship was judged, those that differ, by
 * path; and the evidence behind each result, in lines.  Pure. */
#ifndef RESULTS_PAPERS_H
#define RESULTS_PAPERS_H

#include "results/correlate.h"

#define PAPERS_MAX 12 /* of each family; what is beyond is counted */

/* Messages over one family that had the same results: the first of them. */
struct paper {
	const struct attempt *attempt;
	const struct verified *verified;
	const struct test *test; /* that it was sent to */
	unsigned messages;       /* alike */
};
struct papers {
	struct paper paper[2 * PAPERS_MAX]; /* IPv4 first, then IPv6; by time */
	size_t n;
	unsigned beyond; /* messages that are in none of these */
};
void papers_read(struct papers *, const struct correlation *);

const char *papers_title(enum auth_method); /* "SPF" */
/* What a method found and by what: lines that end in '\n', blanks at the beginning of a line are its depth; ASCII.
 * Nothing if it was not judged. */
void papers_evidence(struct strbuf *, const struct verified *, enum auth_method);
/* The Received fields that were there before ours, one a line, the newest first. */
void papers_received(struct strbuf *, const struct verified *);

#endif
