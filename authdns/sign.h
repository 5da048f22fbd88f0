/* sign.h - RRSIGs (RFC 4034 3), made when they are needed.  What does not depend on the token has a
 * slot of its own and is signed once in each validity window; the rest goes through a bounded
 * cache.  One signer per worker; no allocation after signer_new. */
#ifndef AUTHDNS_SIGN_H
#define AUTHDNS_SIGN_H

#include "authdns/zone.h"

#define SIGNATURE_MAX 256   /* RSA-2048; ECDSA P-256 has 64 */
#define SIGN_WINDOW_S 21600 /* signatures are the same for 6 hours */

struct signer;
/* cache: entries for RRsets that depend on a token.  NULL: reason logged. */
struct signer *signer_new(const struct zones *, unsigned cache);
void signer_free(struct signer *);
/* Signs what does not depend on the token, for the window of now (seconds); before the fork. */
void signer_prepare(struct signer *, int64_t now_s);

struct sign_request {
	const struct zone *zone; /* key, signer's name */
	enum sign_mode mode;     /* not SIGN_NONE */
	uint16_t type;           /* covered */
	uint8_t labels;
	uint32_t ttl; /* original TTL */
	/* identity, for the cache */
	uint32_t id;    /* rrset.id or node.id */
	bool fixed;     /* has a slot of its own */
	bool keep;      /* may be cached: not a name that a stranger made up */
	uint64_t owner; /* token id, or a keyed hash of the name */
	/* canonical records; made only when they are needed */
	size_t (*canon)(uint8_t *dst, const void *ctx);
	const void *ctx;
};
/* Writes RDATA of the RRSIG (RFC 4034 3.1) to dst: 18 octets, the signer's name, the signature.
 * Returns its length, 0: could not.  *fresh: true if a signature was computed. */
size_t signer_sign(
    struct signer *, uint8_t *dst, const struct sign_request *, int64_t now_s, bool *fresh);
#define RRSIG_MAX (18 + DNS_NAME_MAX + SIGNATURE_MAX)

#endif
