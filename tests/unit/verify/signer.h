/* signer.h - signs messages for tests as any set of tags wants it, also such as no signer would. */
#ifndef TESTS_VERIFY_SIGNER_H
#define TESTS_VERIFY_SIGNER_H

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/strbuf.h"
#include "verify/hashing.h"
#include "verify/sigcheck.h"

struct signer {
	EVP_PKEY *key;
	char p[1600]; /* the public key in base64 */
};

static inline void
signer_set(struct signer *s, EVP_PKEY *key, bool bare)
{
	unsigned char *der = NULL, raw[32];
	size_t len = sizeof(raw);
	int n;

	s->key = key;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
		EVP_PKEY_get_raw_public_key(key, raw, &len);
		EVP_EncodeBlock((unsigned char *)s->p, raw, (int)len);
		return;
	}
	n = bare ? i2d_PublicKey(key, &der) : i2d_PUBKEY(key, &der);
	if (n < 0 || n > 1150)
		abort();
	EVP_EncodeBlock((unsigned char *)s->p, der, n);
	OPENSSL_free(der);
}

static inline void
signer_rsa(struct signer *s, unsigned bits)
{
	signer_set(s, EVP_RSA_gen(bits), false);
}

static inline void
signer_ed25519(struct signer *s)
{
	signer_set(s, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false);
}

static inline void
signer_clear(struct signer *s)
{
	EVP_PKEY_free(s->key);
}

static inline size_t
signer_sign(const struct signer *s, const uint8_t *hash, size_t len, uint8_t *dst, size_t size)
{
	size_t n = size;

	if (EVP_PKEY_get_base_id(s->key) == EVP_PKEY_ED25519) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		if (EVP_DigestSignInit(md, NULL, NULL, NULL, s->key) != 1 ||
		    EVP_DigestSign(md, dst, &n, hash, len) != 1)
			abort();
		EVP_MD_CTX_free(md);
	} else {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->key, NULL);
		if (EVP_PKEY_sign_init(ctx) != 1 ||
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
		    EVP_PKEY_CTX_set_signature_md(ctx, len == 20 ? EVP_sha1() : EVP_sha256()) !=
			1 ||
		    EVP_PKEY_sign(ctx, dst, &n, hash, len) != 1)
			abort();
		EVP_PKEY_CTX_free(ctx);
	}
	return n;
}

/* "NAME:TAGS" CR LF and the message after it. In tags is "@" for the hash of the body, and "$" for the
 * signature. */
static inline void
signer_add(struct strbuf *dst, const struct signer *s, const char *name, const char *tags,
    const char *text, size_t len)
{
	const char *hole = strchr(tags, '@'), *end = strchr(tags, '$');
	char base64[2048];
	uint8_t hash[32], signature[1024];
	struct sigcheck *c = xmalloc(sizeof(*c));
	struct hashing h;
	struct mail m;
	struct strbuf field = { 0 };
	size_t at, n;

	/* Once without the two to have the tags, with the hash to have what is signed. */
	strbuf_printf(&field, "%s:%.*s%s\r\n", name, (int)(hole - tags), tags, hole + 1);
	strbuf_add(&field, text, len);
	mail_parse(&m, field.s, field.len, &mail_limits);
	sigcheck_parse(c, SIGCHECK_MESSAGE, &m.field[0]);
	hashing_init(&h, c->sha1);
	canon_body(&h.sink, c->canon_body, m.body,
	    c->body_limit < 0 ? UINT64_MAX : (uint64_t)c->body_limit);
	n = hashing_end(&h, hash);
	EVP_EncodeBlock((unsigned char *)base64, hash, (int)n);
	mail_clear(&m);

	strbuf_reset(&field);
	strbuf_printf(&field, "%s:%.*s%s%.*s", name, (int)(hole - tags), tags, base64,
	    (int)(end - hole - 1), hole + 1);
	at = field.len;
	strbuf_printf(&field, "%s\r\n", end + 1);
	strbuf_add(&field, text, len);
	mail_parse(&m, field.s, field.len, &mail_limits);
	sigcheck_parse(c, SIGCHECK_MESSAGE, &m.field[0]);
	sigcheck_hash(hash, c, &m);
	n = signer_sign(s, hash, n, signature, sizeof(signature));
	EVP_EncodeBlock((unsigned char *)base64, signature, (int)n);
	strbuf_reset(dst);
	strbuf_add(dst, field.s, at);
	strbuf_puts(dst, base64);
	strbuf_add(dst, field.s + at, field.len - at);
	mail_clear(&m);
	strbuf_clear(&field);
	free(c);
}

#endif
