#include "verify/hashing.h"

#include <openssl/evp.h>

#include "lib/log.h"

static void
add(void *ctx, const void *data, size_t len)
{
	if (EVP_DigestUpdate(ctx, data, len) != 1)
		log_fatal(EXIT_CANNOT, "verify: OpenSSL: no hash: cannot judge messages");
}

void
hashing_init(struct hashing *h, bool sha1)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx == NULL || EVP_DigestInit_ex(ctx, sha1 ? EVP_sha1() : EVP_sha256(), NULL) != 1)
		log_fatal(EXIT_CANNOT, "verify: OpenSSL: no %s: cannot judge messages",
		    sha1 ? "SHA-1" : "SHA-256");
	h->ctx = ctx;
	h->sink = (struct canon_sink){ add, ctx };
}

size_t
hashing_end(struct hashing *h, uint8_t dst[32])
{
	unsigned len = 0;

	if (EVP_DigestFinal_ex(h->ctx, dst, &len) != 1)
		log_fatal(EXIT_CANNOT, "verify: OpenSSL: no hash: cannot judge messages");
	EVP_MD_CTX_free(h->ctx);
	h->ctx = NULL;
	return len;
}
