/* party.h - which accepted messages are of one sender, and which sender is the participant.  Pure; private to
 * kin.c. */
#ifndef RESULTS_PARTY_H
#define RESULTS_PARTY_H

#include "results/tie.h"

struct delivery {
	const struct attempt *a;
	size_t test;
	struct ties ties;
	bool forwarded;     /* over another of those who delivered the message: it ties to nobody */
	size_t up;          /* a delivery of the same sender; itself: none */
	size_t tests, last; /* of the sender, while they are counted */
	bool root;
};

/* Is it a test that participants are asked to mail to? */
bool party_mails(const struct test *);
/* All accepted messages, in the order of tests, of each in that of time.  To be freed. */
struct delivery *party_deliveries(const struct correlation *, const struct tie_book *, size_t *n);

#define PARTIES_MAX 3
/* The senders that may be the participant, the likeliest first: more than that one only if it does not stand
 * out.  party_of() tells the sender of each. */
size_t party_candidates(
    const struct correlation *, struct delivery *d, size_t n, size_t who[PARTIES_MAX]);
size_t party_of(struct delivery *d, size_t i);

#endif
