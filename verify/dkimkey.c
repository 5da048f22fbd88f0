#include "verify/dkimkey.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "verify/taglist.h"

#define TYPE_TXT 16

static void __attribute__((format(printf, 3, 4)))
end_as(struct dkimkey *k, enum dkimkey_state state, const char *fmt, ...)
{
	va_list ap;

	k->state = state;
	va_start(ap, fmt);
	vsnprintf(k->reason, sizeof(k->reason), fmt, ap);
	va_end(ap);
}

/* --- p= --- */

static EVP_PKEY *
load(const struct dkimkey *k)
{
	const unsigned char *p = k->p;
	EVP_PKEY *key;

	if (strcmp(k->type, "ed25519") == 0)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->p, k->p_len);
	/* RFC 6376 3.6.1 has RSAPublicKey; SubjectPublicKeyInfo is what most publish. */
	key = d2i_PUBKEY(NULL, &p, (long)k->p_len);
	if (key == NULL) {
		p = k->p;
		key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)k->p_len);
	}
	if (key != NULL && EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

static void
read_public_key(struct dkimkey *k, struct span p)
{
	EVP_PKEY *key;
	int n;

	if (p.n == 0) {
		end_as(k, DKIMKEY_REVOKED, "the key is revoked: p= is empty");
		return;
	}
	n = taglist_base64(k->p, sizeof(k->p), p);
	if (n < 0) {
		end_as(k, DKIMKEY_BROKEN, "p= of the key record is no base64, or too long");
		return;
	}
	k->p_len = (size_t)n;
	key = load(k);
	if (key == NULL)
		end_as(
		    k, DKIMKEY_BROKEN, "p= of the key record is no public key of type %s", k->type);
	else
		k->bits = strcmp(k->type, "rsa") == 0 ? (unsigned)EVP_PKEY_get_bits(key) : 256;
	EVP_PKEY_free(key);
	ERR_clear_error();
}

/* --- the record --- */

static void
read_flags(struct dkimkey *k, struct span flags)
{
	struct span item;

	while (taglist_item(&item, &flags, ':')) {
		/* Unknown ones are ignored: RFC 6376 3.6.1. */
		k->testing = k->testing || span_is(item, "y");
		k->strict = k->strict || span_is(item, "s");
	}
}

void
dkimkey_parse(struct dkimkey *k, const char *record, size_t len)
{
	struct taglist tags;
	const struct tag *v, *p;

	k->state = DKIMKEY_GOOD;
	snprintf(
	    k->record, sizeof(k->record), "%.*s", (int)(len < sizeof(k->record) ? len : 0), record);
	if (len >= sizeof(k->record)) {
		end_as(k, DKIMKEY_BROKEN, "the key record has more than %zu octets",
		    sizeof(k->record) - 1);
		return;
	}
	if (taglist_parse(&tags, record, len) < 0) {
		end_as(k, DKIMKEY_BROKEN, "the key record is no tag-list: %s", tags.wrong);
		return;
	}
	taglist_squeeze(k->type, sizeof(k->type), taglist_value(&tags, "k", "rsa"));
	taglist_squeeze(k->services, sizeof(k->services), taglist_value(&tags, "s", ""));
	taglist_squeeze(k->hashes, sizeof(k->hashes), taglist_value(&tags, "h", ""));
	read_flags(k, taglist_value(&tags, "t", ""));
	v = taglist_get(&tags, "v");
	p = taglist_get(&tags, "p");
	if (v != NULL &&
	    (v != &tags.tag[0] || v->value.n != 5 || memcmp(v->value.p, "DKIM1", 5) != 0))
		end_as(k, DKIMKEY_BROKEN, "the key record has a v= that is not DKIM1 or not first");
	else if (p == NULL)
		end_as(k, DKIMKEY_BROKEN, "the key record has no p=");
	else if (strcmp(k->type, "rsa") != 0 && strcmp(k->type, "ed25519") != 0)
		end_as(k, DKIMKEY_BROKEN, "the key is of type %s: not known", k->type);
	else
		read_public_key(k, p->value);
}

/* Among several TXT records the first that says to be a key, else the first. */
static void
read_answer(struct dkimkey *k, const struct lookup *l)
{
	struct strbuf text = { 0 };
	size_t pick = 0;

	k->records = l->n;
	for (size_t i = 0; i < l->n; i++) {
		strbuf_reset(&text);
		if (lookup_txt(&text, &l->rdata[i]) == 0 && text.len >= 7 &&
		    memcmp(text.s, "v=DKIM1", 7) == 0) {
			pick = i;
			break;
		}
	}
	strbuf_reset(&text);
	if (l->n == 0 || lookup_txt(&text, &l->rdata[pick]) < 0)
		end_as(k, DKIMKEY_BROKEN, "the TXT record of the key is malformed");
	else
		dkimkey_parse(k, text.len > 0 ? text.s : "", text.len);
	strbuf_clear(&text);
}

enum verify_step
dkimkey_get(struct dkimkey *k, struct lookups *book, const char *selector, const char *domain)
{
	char *name = xasprintf("%s._domainkey.%s", selector, domain);
	const struct lookup *l = lookup_get(book, name, TYPE_TXT);

	memset(k, 0, sizeof(*k));
	snprintf(k->name, sizeof(k->name), "%s", name);
	free(name);
	if (l->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	k->dnssec = l->status == LOOKUP_BOGUS ? DKIMKEY_BOGUS
		    : l->secure               ? DKIMKEY_SECURE
					      : DKIMKEY_INSECURE;
	switch (l->status) {
	case LOOKUP_OK:
		read_answer(k, l);
		break;
	case LOOKUP_NODATA:
		end_as(k, DKIMKEY_NONE, "no key: there is no TXT record at %.80s", k->name);
		break;
	case LOOKUP_NXDOMAIN:
		end_as(k, DKIMKEY_NONE, "no key: %.80s does not exist", k->name);
		break;
	case LOOKUP_BOGUS:
		end_as(k, DKIMKEY_RETRY, "the key's answer is bogus: %.100s", l->why);
		break;
	default:
		end_as(k, DKIMKEY_RETRY, "the key could not be looked up: %.100s", l->why);
		break;
	}
	return VERIFY_DONE;
}

/* --- signatures --- */

static bool
verify_rsa(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, const uint8_t *signature, size_t n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	bool right = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(
			 ctx, hash_len == 20 ? EVP_sha1() : EVP_sha256()) == 1 &&
		     EVP_PKEY_verify(ctx, signature, n, hash, hash_len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return right;
}

static bool
verify_ed25519(
    EVP_PKEY *key, const uint8_t *hash, size_t hash_len, const uint8_t *signature, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool right = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		     EVP_DigestVerify(ctx, signature, n, hash, hash_len) == 1;

	EVP_MD_CTX_free(ctx);
	return right;
}

bool
dkimkey_verify(const struct dkimkey *k, const uint8_t *hash, size_t hash_len,
    const uint8_t *signature, size_t signature_len)
{
	EVP_PKEY *key = load(k);
	bool right = false;

	if (key != NULL && strcmp(k->type, "rsa") == 0)
		right = verify_rsa(key, hash, hash_len, signature, signature_len);
	else if (key != NULL)
		right = verify_ed25519(key, hash, hash_len, signature, signature_len);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return right;
}

enum dkimkey_strength
dkimkey_strength(const struct dkimkey *k)
{
	if (strcmp(k->type, "rsa") != 0 || k->bits >= 2048)
		return DKIMKEY_STRONG;
	return k->bits >= 1024 ? DKIMKEY_SHORT : DKIMKEY_FORBIDDEN;
}

int
dkimkey_warm_up(void)
{
	/* Any keys: what they verify is wrong, and that is the right answer. */
	static const char *const records[] = {
		"k=rsa; "
		"p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAOwlrgYCmt9Qq3eLHDzhPRTCK54oC7UUgl/iG/hPwysS"
		"ngjoj8Ex4MvS18QQSAS+wC7c8AdArdsMxBwVf0tNLgUCAwEAAQ==",
		"k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
	};
	static const uint8_t hash[32], signature[64];

	for (size_t i = 0; i < 2; i++) {
		struct dkimkey k = { 0 };
		dkimkey_parse(&k, records[i], strlen(records[i]));
		if (k.state != DKIMKEY_GOOD || dkimkey_verify(&k, hash, 32, signature, 64) ||
		    dkimkey_verify(&k, hash, 20, signature, 64)) {
			log_warn("verify: OpenSSL has no %s: %s: no DKIM signature can be judged",
			    i == 0 ? "RSA" : "Ed25519", k.reason);
			return -1;
		}
	}
	return 0;
}
