/* kin.h - which of what was seen the participant did, and what may have been somebody else.  Pure.
 *
 * Tokens are public: they stand in DNS queries, To: fields and certificate logs, and whoever reads one can look
 * its names up, fetch its policies, connect to its hosts and mail its addresses.  What belongs together is told
 * by what repeats:
 *   senders    Accepted messages are of one sender if something ties them that was proved or that only it
 *              knows (tie.h): not what it says in EHLO, nor the envelope sender, which is what is forged; and
 *              so on from each to the next.  The participant is the sender that delivered to most tests (of
 *              equals the one that delivered to a test without control).  One that has not twice as many as the
 *              next does not stand out: then each may be it, and a verdict stands if it is the same with each.
 *              A session that delivered nothing is kin if something ties it to that sender, or if it is from a
 *              network (/24, /48) from which two of its addresses delivered and says no other name.  One that
 *              shows nothing but its address is kin also if a kin resolver asked for an address of the test in
 *              the ten minutes before.
 *   resolvers  One is kin in a test if its network (with that of its client, if it tells: RFC 7871) asked in the
 *              ten minutes before a session of the participant in another test; and if that is true of a third of
 *              the times, ten minutes each, that it asked for tests that the participant came to: who looks
 *              everything up all the time, or through a resolver that the participant uses as well, is none.  A time between
 *              two sessions of the test, or six hours after the last, that no session follows does not count: some
 *              queues look up before they know that it is not yet time for a retry.  Who
 *              asks where TLS reports go, or asks because we wrote, is not a sender's resolver: such lookups are
 *              nobody's.
 *   fetchers   One is kin if its address or its network is, or if a kin resolver asked for the record or the host of
 *              the policy in the ten minutes before.
 *   bounces    come from an address or a network that is kin.
 * An event without an address is kin. */
#ifndef RESULTS_KIN_H
#define RESULTS_KIN_H

#include "results/party.h"

#define KIN_SENDERS_MAX PARTIES_MAX /* that may be the participant */

/* For each who may be the participant, the likeliest first: for each observation, is it a stranger's?  To be
 * freed.  The number of them: 0 if nobody is a stranger.  Notes an address of them in facts.stranger. */
unsigned kin_strangers(
    struct correlation *, const struct observations *, bool *drop[KIN_SENDERS_MAX]);

/* The same for the addresses that a trace calls strangers. */
bool *kin_named(
    struct correlation *, const struct observations *, const char *const *address, unsigned n);

#endif
