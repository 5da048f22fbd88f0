/* published.h - what a domain publishes for those who mail it: TLSA records of its mail hosts (RFC 7672 2.2)
 * and a record of MTA-STS (RFC 8461 3.1).  Pure and restartable, as all that asks lookup.h. */
#ifndef VERIFY_PUBLISHED_H
#define VERIFY_PUBLISHED_H

#include "verify/lookup.h"

#define PUBLISHED_HOSTS_MAX   8                         /* MX hosts that are looked at */
#define PUBLISHED_LOOKUPS_MAX (2 + PUBLISHED_HOSTS_MAX) /* questions, for lookups_new */

struct published {
	/* "secure": all hosts have records that DNSSEC proves, and the MX too; "some": of them; "insecure": records,
	 * none proven; "none"; "bogus": DNSSEC says that something is false; "unknown": no answer */
	const char *tlsa;
	/* "record"; "invalid": one that RFC 8461 3.1 does not allow; "several"; "none"; "unknown" */
	const char *sts;
	char mx[256];  /* the host asked for first; "": none */
	char why[128]; /* of what is unknown or bogus, the resolver's words; "" */
};

enum verify_step published_look(const char *domain, struct lookups *, struct published *);

#endif
