/* publishes.h - asks the DNS what a domain publishes for those who mail it (verify/published.h): the rim. */
#ifndef OUTPOST_PUBLISHES_H
#define OUTPOST_PUBLISHES_H

#include "provisioning/site.h"
#include "verify/published.h"

/* Two rounds of lookups, RESOLVE_TIMEOUT_MS each at most, by the resolver and the trust anchors of the verifier.
 * -1: there is no resolver (*why). */
int publishes(
    struct published *dst, const struct site *, const char *domain, char *why, size_t len);

#endif
