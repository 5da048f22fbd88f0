/* kin.h - which of what was seen the participant did, and what may have been somebody else.  Pure.
 *
 * Tokens are public: they stand in DNS queries, To: fields and certificate logs, and whoever reads one can look
 * its names up, fetch its policies, connect to its hosts and mail its addresses.  What belongs together is told
 * by what repeats:
 *   senders    Accepted messages are of one sender if they share the client's network (/24, /48), the registered
 *              domain (lib/suffix.h) of the name in EHLO, or the Message-ID, and so on from each to the next; not
 *              the envelope sender, which is what is forged.  The participant is the group that delivered to
 *              most tests (of equals the one that delivered to a test without control).  A session that
 *              delivered nothing is kin if it shares one of these with the group.  One that shows nothing but
 *              its address is kin also if a kin resolver asked for an address of the test in the ten minutes
 *              before.
 *   resolvers  One is kin in a test if its network asked in the ten minutes before a kin delivery to
 *              another test.  Who asks where TLS reports go, or asks because we wrote, is not a sender's
 *              resolver: such lookups are nobody's.
 *   fetchers   One is kin if its network is, or if a kin resolver asked for the record or the host of
 *              the policy in the ten minutes before.
 *   bounces    come from a network that is kin.
 * An event without an address is kin.  Without a group that stands out everything is. */
#ifndef RESULTS_KIN_H
#define RESULTS_KIN_H

#include "results/correlate.h"

/* For each observation: is it a stranger's?  NULL: none is.  Notes an address of them in facts.stranger.
 * To be freed. */
bool *kin_strangers(struct correlation *, const struct observations *);

/* The same for the addresses that a trace calls strangers. */
bool *kin_named(
    struct correlation *, const struct observations *, const char *const *address, unsigned n);

#endif
