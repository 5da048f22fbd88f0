/* undeviated.h - what the names of a released participant say (provisioning/released.h): wherever mail for
 * the test may be queued, the way to a host that takes connections and answers 550.  At load only, pure.
 *
 * What was cached before counts until its TTL ends, so nothing here may contradict it: hosts keep their
 * names, TLSA records are denied (a sender then takes any certificate), and a policy of MTA-STS
 * is not withdrawn, because that leaves the cached one in force (RFC 8461 5.1), but changes its id; what is
 * fetched then says mode none (RFC 8461 8.3). */
#ifndef AUTHDNS_UNDEVIATED_H
#define AUTHDNS_UNDEVIATED_H

#include "provisioning/site.h"

#define UNDEVIATED_TTL 60

struct undeviated {
	struct dns_record *record;
	size_t n;
};
/* In place of the test's records in this zone. */
void undeviated_init(struct undeviated *, const struct site *, const struct test *, unsigned zone);
void undeviated_clear(struct undeviated *);

#endif
