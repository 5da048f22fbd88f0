/* policy.h - the MTA-STS policy (RFC 8461 3.2, 3.3) of a test, as its file says it, right or wrong.  Pure
 * but for the heap. */
#ifndef SMTPD_POLICY_H
#define SMTPD_POLICY_H

#include "lib/strbuf.h"
#include "provisioning/site.h"

#define POLICY_PATH "/.well-known/mta-sts.txt"

/* The policy that is served in this phase (0: the test has none); NULL: none. */
const struct policy *policy_of(const struct test *, unsigned phase);

/* What participants fetch who were released: that there is none (RFC 8461 8.3). */
extern const struct policy policy_released;

/* The policy file.  Names that cannot be rendered are left out. */
void policy_body(struct strbuf *dst, const struct policy *, const struct site *,
    const struct test *, const struct token *);

/* Where a redirect leads, rendered; and its path ("/..."), for which the policy is served too. */
void policy_location(char *dst, size_t dstlen, const struct policy *, const struct site *,
    const struct test *, const struct token *);
const char *policy_location_path(const char *location);

#endif
