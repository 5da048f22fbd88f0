/* check_tlsa.c - see check_tlsa.h. */
#include "outpost/check_tlsa.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "zones/names.h"

/* RFC 6698 2.1, RFC 7218 */
enum { USAGE_PKIX_TA, USAGE_PKIX_EE, USAGE_DANE_TA, USAGE_DANE_EE, USAGES };
enum { SELECTOR_CERT, SELECTOR_SPKI, SELECTORS };
enum { TYPE_FULL, TYPE_SHA256, TYPE_SHA512, TYPES };

struct tlsa {
	unsigned usage, selector, type;
	const char *data;
};

/* false: not a TLSA record, or parameters that nobody can use. */
static bool
split(struct tlsa *dst, const char *rdata)
{
	int used = 0;

	if (sscanf(rdata, "%u %u %u %n", &dst->usage, &dst->selector, &dst->type, &used) != 3 ||
	    used == 0)
		return false;
	dst->data = rdata + used;
	return dst->usage < USAGES && dst->selector < SELECTORS && dst->type < TYPES;
}

static bool
same_hex(const char *hex, const unsigned char *data, size_t len)
{
	char two[3];

	if (strlen(hex) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		snprintf(two, sizeof(two), "%02x", data[i]);
		if (strncasecmp(hex + 2 * i, two, 2) != 0)
			return false;
	}
	return true;
}

static bool
matches_one(const struct tlsa *t, X509 *cert)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int len = t->selector == SELECTOR_CERT ? i2d_X509(cert, &der)
					       : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	const EVP_MD *md = t->type == TYPE_SHA512 ? EVP_sha512() : EVP_sha256();
	bool same = false;

	if (len > 0 && t->type == TYPE_FULL)
		same = same_hex(t->data, der, (size_t)len);
	else if (len > 0 && EVP_Digest(der, (size_t)len, digest, &n, md, NULL) == 1)
		same = same_hex(t->data, digest, n);
	OPENSSL_free(der);
	return same;
}

bool
tlsa_matches(const char *rdata, const STACK_OF(X509) * chain)
{
	struct tlsa t;
	bool of_leaf;

	if (!split(&t, rdata))
		return false;
	of_leaf = t.usage == USAGE_DANE_EE || t.usage == USAGE_PKIX_EE;
	for (int i = of_leaf ? 0 : 1; i < (of_leaf ? 1 : sk_X509_num(chain)); i++)
		if (i < sk_X509_num(chain) && matches_one(&t, sk_X509_value(chain, i)))
			return true;
	return false;
}

enum tlsa_wanted
tlsa_wanted(const char *rdata, unsigned host)
{
	struct tlsa t;
	struct placeholder p;
	bool usable = split(&t, rdata);
	const char *brace = strchr(rdata, '{');
	char err[64];

	if (brace == NULL || placeholder_parse(&p, brace, err, sizeof(err)) != 0)
		return TLSA_MISMATCH;
	if (placeholder_needs_host(p.kind) && p.number != host)
		return TLSA_OTHER_HOST;
	switch (p.kind) {
	case PH_SPKI:
	case PH_SPKI512:
	case PH_CERT:
	case PH_CA_SPKI:
		return usable ? TLSA_MATCH : TLSA_MISMATCH;
	default:
		return TLSA_MISMATCH;
	}
}

STACK_OF(X509) * tlsa_chain_load(const char *path, char *err, size_t errlen)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	FILE *f = fopen(path, "re");
	X509 *cert;

	if (f == NULL || chain == NULL) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		sk_X509_free(chain);
		if (f != NULL)
			fclose(f);
		return NULL;
	}
	while ((cert = PEM_read_X509(f, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(chain, cert) == 0)
			X509_free(cert);
	fclose(f);
	if (sk_X509_num(chain) > 0)
		return chain;
	snprintf(err, errlen, "%s: no certificate in PEM", path);
	sk_X509_free(chain);
	return NULL;
}
