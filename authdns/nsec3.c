/* nsec3.c - see nsec3.h.  The low-level SHA-1 calls are deprecated in OpenSSL 3, but the others cost
 * more than the hash, and there can be hundreds of them for one answer. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "authdns/nsec3.h"

#include <openssl/sha.h>
#include <string.h>

#define ALGORITHM_SHA1 1

void
nsec3_hash(uint8_t dst[NSEC3_HASH], const uint8_t *name, size_t len, unsigned iterations,
    const uint8_t *salt, size_t salt_len)
{
	SHA_CTX c;

	SHA1_Init(&c);
	SHA1_Update(&c, name, len);
	SHA1_Update(&c, salt, salt_len);
	SHA1_Final(dst, &c);
	for (unsigned i = 0; i < iterations; i++) {
		SHA1_Init(&c);
		SHA1_Update(&c, dst, NSEC3_HASH);
		SHA1_Update(&c, salt, salt_len);
		SHA1_Final(dst, &c);
	}
}

void
nsec3_label(uint8_t dst[NSEC3_LABEL], const uint8_t hash[NSEC3_HASH])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint32_t acc = 0;
	unsigned bits = 0, n = 0;

	for (unsigned i = 0; i < NSEC3_HASH; i++) {
		acc = (acc << 8 | hash[i]) & 0xffff;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			dst[n++] = (uint8_t)digits[acc >> bits & 31];
		}
	}
}

void
nsec3_param(uint8_t dst[NSEC3PARAM_RDATA], unsigned iterations)
{
	dst[0] = ALGORITHM_SHA1;
	dst[1] = 0; /* no flags */
	wire_put16(dst + 2, iterations);
	dst[4] = 0; /* no salt */
}

void
nsec3_rdata(uint8_t dst[NSEC3_RDATA], const uint8_t hash[NSEC3_HASH], unsigned iterations)
{
	uint8_t *next = dst + 6;

	nsec3_param(dst, iterations);
	dst[5] = NSEC3_HASH;
	memcpy(next, hash, NSEC3_HASH);
	for (unsigned i = NSEC3_HASH; i-- > 0;)
		if (++next[i] != 0) /* the highest goes round to the lowest, as the chain does */
			break;
}
