/* check_smtp.h - does a mail host behave as its test's file promises, up to the certificate?  No mail
 * transaction is begun, so no memory of a test is touched. */
#ifndef OUTPOST_CHECK_SMTP_H
#define OUTPOST_CHECK_SMTP_H

#include "provisioning/render.h"

/* Every address of host K of the test that the DNS gives.  true, or why not in err. */
bool check_host(const struct site *, const struct test *, unsigned k, const struct token *,
    char *err, size_t errlen);

/* Addresses that should refuse or be silent are so (nftables.conf is loaded). */
bool check_dead_addresses(
    const struct site *, const struct test *, const struct token *, char *err, size_t errlen);

#endif
