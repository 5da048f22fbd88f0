/* front.h - which IPv4 address belongs to which behaviour before RCPT.
 *
 * On IPv4 a session is bound to its test by SNI or RCPT only, so hosts that greet, offer and
 * handshake alike share one address: a front.  state/fronts.jsonl remembers the assignment:
 * an address stays with its front as long as a test of the catalogue has that front and the
 * address is configured.  Fronts are served in the order of the sets quick, standard, the rest. */
#ifndef PROVISIONING_FRONT_H
#define PROVISIONING_FRONT_H

#include "provisioning/site.h"

/* Hex SHA-256 of everything that a client can meet before RCPT in this host, and of K.  owner: the test
 * that must have the front for itself, because its DNS names the very certificate ({cert:K}), which
 * clients without SNI must see as well; else NULL.  Pure. */
void front_key(char dst[65], const struct host *, unsigned k, const char *owner);

/* Builds site->fronts and front_of from the catalogue, without addresses. */
void fronts_build(struct site *);
void fronts_clear(struct site *);

/* Does every host of the test that should have an IPv4 address have one?  false: the test runs over
 * IPv6 only here though its file says otherwise, so its control includes a delivered ipv6. */
bool front_reachable4(const struct site *, const struct test *);

/* Does the host do the ordinary thing in TLS? */
bool front_tls_is_ordinary(const struct host *);
/* The address of a front where it does so in all that a client can meet before RCPT; NULL: there is none. */
const char *front_ordinary4(const struct site *);

/* Addresses from the journal.  A missing journal is no error.  0, or -1 logged. */
int fronts_load(struct site *);

/* Gives free addresses to wanted fronts that have none, and appends that to the journal.
 * The number of fronts that got one now, or -1 logged. */
int fronts_assign(struct site *);

#endif
