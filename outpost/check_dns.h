/* check_dns.h - does the DNS say what a test's file promises: through a validating resolver, and at
 * the test's own name servers? */
#ifndef OUTPOST_CHECK_DNS_H
#define OUTPOST_CHECK_DNS_H

#include <unbound.h>

#include "outpost/expect.h"

struct check_resolver_options {
	const char *forward; /* address of a resolver; NULL: see hints */
	const char *anchor;  /* file of trust anchors; NULL: the system's */
	const char *hints;   /* root hints; NULL and no forward: resolvers of /etc/resolv.conf */
};
/* NULL: reason in err. */
struct ub_ctx *check_resolver(const struct check_resolver_options *, char *err, size_t errlen);

/* true, or why not in err. */
bool check_resolved(struct ub_ctx *, const struct expectations *, char *err, size_t errlen);
bool check_served(const struct site *, const struct test *, const struct expectations *, char *err,
    size_t errlen);

#endif
