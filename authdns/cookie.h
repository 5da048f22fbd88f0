/* cookie.h - DNS cookies: RFC 7873, server cookies as RFC 9018 4 has them, so that all nodes of a site
 * accept each other's.  Pure. */
#ifndef AUTHDNS_COOKIE_H
#define AUTHDNS_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/listen.h"
#include "provisioning/token.h"

#define COOKIE_CLIENT 8
#define COOKIE_WHOLE  24

void cookie_key(uint8_t key[16], const struct token_key *); /* derived from the site's secret */
/* A client's option is 8 octets, or 16 to 40 (RFC 7873 5.2.2). */
bool cookie_well_formed(size_t len);
/* The option to send back. */
void cookie_make(uint8_t dst[COOKIE_WHOLE], const uint8_t client[COOKIE_CLIENT],
    const union sockaddr_any *peer, int64_t now_s, const uint8_t key[16]);
/* A server cookie of ours, not older than an hour nor more than 5 minutes ahead (RFC 9018 4.3). */
bool cookie_valid(const uint8_t *option, size_t len, const union sockaddr_any *peer, int64_t now_s,
    const uint8_t key[16]);

#endif
