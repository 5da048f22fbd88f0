/* hashing.h - SHA-256 and SHA-1 as a sink of canonical forms. */
#ifndef VERIFY_HASHING_H
#define VERIFY_HASHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/canon.h"

struct hashing {
	void *ctx; /* EVP_MD_CTX */
	struct canon_sink sink;
};

/* Fatal if OpenSSL cannot. */
void hashing_init(struct hashing *, bool sha1);
/* 20 or 32 octets; the hash is gone then. */
size_t hashing_end(struct hashing *, uint8_t dst[32]);

#endif
