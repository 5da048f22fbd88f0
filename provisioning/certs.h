/* certs.h - our own certificate authority and the kinds of certificates that tests name.
 * A certificate file is a chain in PEM: the leaf, then its issuer (DANE-TA needs it, RFC 7672 3.1.2). */
#ifndef PROVISIONING_CERTS_H
#define PROVISIONING_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "zones/test.h"

struct certs_ca {
	X509 *cert;
	EVP_PKEY *key;
};

/* A self-signed CA certificate for key.  NULL: logged. */
X509 *certs_make_ca(EVP_PKEY *key, const char *name, int64_t now_us);

/* What is issued: names are DNS names; kind changes who signs, which names and when it is valid. */
struct certs_request {
	enum cert_kind kind;
	const char *const *name;
	size_t n_names;
	const char *wrong_name; /* for CERT_WRONG_NAME */
	EVP_PKEY *key;
	const struct certs_ca *ca, *other_ca;
};
/* DNSSEC algorithm number of the key that goes with a kind, for keys_generate. */
unsigned certs_algorithm(enum cert_kind);
X509 *certs_make(const struct certs_request *, int64_t now_us);
/* Who signed it, to be sent after it; NULL: itself. */
X509 *certs_issuer(const struct certs_request *);

/* Writes leaf and issuer (may be NULL), mode 0644.  0, or -1 logged. */
int certs_save(const char *path, X509 *leaf, X509 *issuer);
/* The first certificate of the file.  NULL: "PATH: why" in err. */
X509 *certs_load(const char *path, char *err, size_t errlen);

/* SHA-256 and SHA-512 (may be NULL) of the SubjectPublicKeyInfo, SHA-256 of the whole. */
int certs_digests(uint8_t spki[32], uint8_t spki512[64], uint8_t whole[32], X509 *);

#endif
