/* nsec3.h - the hash of NSEC3 (RFC 5155 5) and the records made of it, one for each name and made when
 * it is asked for: the next hash is the one after it, so that nothing else is denied ("white lies",
 * RFC 7129 B).  Pure, no heap. */
#ifndef AUTHDNS_NSEC3_H
#define AUTHDNS_NSEC3_H

#include "authdns/wire.h"

#define NSEC3_HASH  20
#define NSEC3_LABEL 32                   /* of its text, base32hex */
#define NSEC3_RDATA (5 + 1 + NSEC3_HASH) /* without the bitmap; the salt is empty */

/* name: lower case, whole.  SHA-1, iterations more times. */
void nsec3_hash(uint8_t dst[NSEC3_HASH], const uint8_t *name, size_t len, unsigned iterations,
    const uint8_t *salt, size_t salt_len);
/* RFC 4648 7, lower case, no padding. */
void nsec3_label(uint8_t dst[NSEC3_LABEL], const uint8_t hash[NSEC3_HASH]);
/* RFC 5155 3.2 up to the bitmap. */
void nsec3_rdata(uint8_t dst[NSEC3_RDATA], const uint8_t hash[NSEC3_HASH], unsigned iterations);
/* RDATA of NSEC3PARAM, RFC 5155 4.2. */
#define NSEC3PARAM_RDATA 5
void nsec3_param(uint8_t dst[NSEC3PARAM_RDATA], unsigned iterations);

#endif
