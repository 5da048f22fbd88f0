/* certs.c - see certs.h. */
#include "provisioning/certs.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/keys.h"

#define DAY          86400
#define CA_FROM      (-800 * DAY) /* older than any certificate under it */
#define CA_TO        (7300 * DAY)
#define VALID_FROM   (-1 * DAY)
#define VALID_TO     (3650 * DAY)
#define EXPIRED_FROM (-400 * DAY)
#define EXPIRED_TO   (-30 * DAY)

static const struct kind {
	bool self_signed, other_ca, wrong_name, cn_only;
	long from, to;
} kinds[CERT_KIND_MAX] = {
	[CERT_PKIX_VALID] = { .from = VALID_FROM, .to = VALID_TO },
	[CERT_WRONG_NAME] = { .wrong_name = true, .from = VALID_FROM, .to = VALID_TO },
	[CERT_EXPIRED] = { .from = EXPIRED_FROM, .to = EXPIRED_TO },
	[CERT_SELF_SIGNED] = { .self_signed = true, .from = VALID_FROM, .to = VALID_TO },
	[CERT_UNTRUSTED] = { .other_ca = true, .from = VALID_FROM, .to = VALID_TO },
	[CERT_CN_ONLY] = { .cn_only = true, .from = VALID_FROM, .to = VALID_TO },
	[CERT_ED25519] = { .self_signed = true, .from = VALID_FROM, .to = VALID_TO },
	[CERT_RSA] = { .from = VALID_FROM, .to = VALID_TO },
};

static X509 *
failed(X509 *cert)
{
	log_warn("certificate: OpenSSL cannot make it: check its installation");
	X509_free(cert);
	return NULL;
}

unsigned
certs_algorithm(enum cert_kind kind)
{
	return kind == CERT_ED25519 ? 15 : kind == CERT_RSA ? 8 : 13;
}

/* Version 3, a random serial number of 127 bits, validity, key. */
static X509 *
blank(EVP_PKEY *key, int64_t now_us, long from, long to)
{
	time_t now = (time_t)(now_us / 1000000);
	X509 *cert = X509_new();
	BIGNUM *serial = BN_new();
	bool ok = cert != NULL && serial != NULL &&
		  BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL &&
		  X509_set_version(cert, X509_VERSION_3) == 1 &&
		  X509_time_adj_ex(X509_getm_notBefore(cert), (int)(from / DAY), 0, &now) != NULL &&
		  X509_time_adj_ex(X509_getm_notAfter(cert), (int)(to / DAY), 0, &now) != NULL &&
		  X509_set_pubkey(cert, key) == 1;

	BN_free(serial);
	return ok ? cert : failed(cert);
}

/* Without an MBSTRING flag OpenSSL does not enforce the 64 characters of X.520: a host name may
 * be longer, and the CN-only kind must carry it whole. */
static bool
set_cn(X509 *cert, const char *cn)
{
	return X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName,
		   V_ASN1_UTF8STRING, (const unsigned char *)cn, (int)strlen(cn), -1, 0) == 1;
}

static bool
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
sign(X509 *cert, EVP_PKEY *key)
{
	bool edwards = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");

	return X509_sign(cert, key, edwards ? NULL : EVP_sha256()) != 0;
}

X509 *
certs_make_ca(EVP_PKEY *key, const char *name, int64_t now_us)
{
	X509 *cert = blank(key, now_us, CA_FROM, CA_TO);

	if (cert == NULL)
		return NULL;
	if (!set_cn(cert, name) || X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1 ||
	    !extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE") ||
	    !extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") ||
	    !extend(cert, cert, NID_subject_key_identifier, "hash") || !sign(cert, key))
		return failed(cert);
	return cert;
}

static const struct certs_ca *
issuer_of(const struct certs_request *r)
{
	if (kinds[r->kind].self_signed)
		return NULL;
	return kinds[r->kind].other_ca ? r->other_ca : r->ca;
}

X509 *
certs_issuer(const struct certs_request *r)
{
	const struct certs_ca *ca = issuer_of(r);

	return ca != NULL ? ca->cert : NULL;
}

static bool
add_names(X509 *cert, const struct certs_request *r)
{
	struct strbuf b = { 0 };
	bool ok;

	if (kinds[r->kind].cn_only)
		return true;
	if (kinds[r->kind].wrong_name)
		strbuf_printf(&b, "DNS:%s", r->wrong_name);
	else
		for (size_t i = 0; i < r->n_names; i++)
			strbuf_printf(&b, "%sDNS:%s", i > 0 ? "," : "", r->name[i]);
	ok = extend(cert, cert, NID_subject_alt_name, b.s);
	strbuf_clear(&b);
	return ok;
}

/* RSA may also carry a key that the client chose (RFC 5246 7.4.2). */
static const char *
key_usage(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") ? "critical,digitalSignature,keyEncipherment"
					 : "critical,digitalSignature";
}

X509 *
certs_make(const struct certs_request *r, int64_t now_us)
{
	const struct kind *k = &kinds[r->kind];
	const struct certs_ca *ca = issuer_of(r);
	X509 *cert = blank(r->key, now_us, k->from, k->to), *issuer;
	const char *cn = k->cn_only ? r->name[0] : cert_kind_name(r->kind);

	if (cert == NULL)
		return NULL;
	issuer = ca != NULL ? ca->cert : cert;
	if (!set_cn(cert, cn) || X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1 ||
	    !extend(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
	    !extend(cert, issuer, NID_key_usage, key_usage(r->key)) ||
	    !extend(cert, issuer, NID_ext_key_usage, "serverAuth") ||
	    !extend(cert, issuer, NID_subject_key_identifier, "hash") ||
	    !extend(cert, issuer, NID_authority_key_identifier, "keyid:always") ||
	    !add_names(cert, r) || !sign(cert, ca != NULL ? ca->key : r->key))
		return failed(cert);
	return cert;
}

struct chain {
	X509 *leaf, *issuer;
};

static int
write_chain(FILE *f, void *ctx)
{
	struct chain *c = ctx;

	if (PEM_write_X509(f, c->leaf) != 1)
		return -1;
	return c->issuer == NULL || PEM_write_X509(f, c->issuer) == 1 ? 0 : -1;
}

int
certs_save(const char *path, X509 *leaf, X509 *issuer)
{
	struct chain c = { leaf, issuer };

	return keys_create_file(path, 0644, write_chain, &c);
}

X509 *
certs_load(const char *path, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	X509 *cert;

	if (f == NULL) {
		keys_unreadable(err, errlen, path, errno);
		return NULL;
	}
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	if (cert == NULL)
		snprintf(err, errlen, "%s: not a certificate in PEM: " KEYS_RESTORE, path);
	return cert;
}

int
certs_digests(uint8_t spki[32], uint8_t spki512[64], uint8_t whole[32], X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool ok = len > 0 && EVP_Digest(der, (size_t)len, spki, NULL, EVP_sha256(), NULL) == 1 &&
		  (spki512 == NULL ||
		      EVP_Digest(der, (size_t)len, spki512, NULL, EVP_sha512(), NULL) == 1) &&
		  (whole == NULL || X509_digest(cert, EVP_sha256(), whole, NULL) == 1);

	OPENSSL_free(der);
	return ok ? 0 : -1;
}
