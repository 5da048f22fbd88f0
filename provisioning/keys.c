/* keys.c - see keys.h. */
#include "provisioning/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <ldns/ldns.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/strbuf.h"

#define DNSKEY_FLAGS_CSK 257
#define DNSKEY_HEAD      4
#define PARENT_TTL       3600

enum key_kind { KIND_RSA, KIND_EC, KIND_EDWARDS };

static const struct algorithm {
	unsigned number;
	enum key_kind kind;
	const char *name; /* curve or key type */
} algorithms[] = {
	{ 5, KIND_RSA, "RSA" }, { 7, KIND_RSA, "RSA" }, { 8, KIND_RSA, "RSA" },
	{ 10, KIND_RSA, "RSA" }, { 13, KIND_EC, "P-256" }, { 14, KIND_EC, "P-384" },
	{ 15, KIND_EDWARDS, "ED25519" }, { 16, KIND_EDWARDS, "ED448" },
	{ 0, KIND_EC, "P-256" }, /* any other */
};

static const struct algorithm *
find(unsigned number)
{
	const struct algorithm *a = algorithms;

	while (a->number != 0 && a->number != number)
		a++;
	return a;
}

static EVP_PKEY *
checked(EVP_PKEY *key)
{
	if (key == NULL)
		log_warn("key: OpenSSL cannot generate one: check its installation");
	return key;
}

EVP_PKEY *
keys_generate(unsigned algorithm)
{
	const struct algorithm *a = find(algorithm);

	switch (a->kind) {
	case KIND_RSA:
		return checked(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048));
	case KIND_EC:
		return checked(EVP_PKEY_Q_keygen(NULL, NULL, "EC", a->name));
	case KIND_EDWARDS:
		break;
	}
	return checked(EVP_PKEY_Q_keygen(NULL, NULL, a->name));
}

/* --- files ------------------------------------------------------------------------------------- */

static int
sync_directory_of(const char *path)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	int fd, rc = -1;

	if (slash != NULL)
		*slash = '\0';
	fd = open(slash != NULL ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		rc = fsync(fd);
		close(fd);
	}
	free(dir);
	return rc;
}

int
keys_create_file(const char *path, unsigned mode, int (*write_body)(FILE *, void *ctx), void *ctx)
{
	char *temporary = xasprintf("%s.new.%ld", path, (long)getpid());
	FILE *f = NULL;
	int rc = -1,
	    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fchmod(fd, mode) != 0 || (f = fdopen(fd, "w")) == NULL) {
		log_warn("%s: cannot create: %s: %s", path, strerror(errno), log_advice(errno));
		goto out;
	}
	fd = -1;
	if (write_body(f, ctx) != 0 || fflush(f) != 0 || fsync(fileno(f)) != 0) {
		log_warn("%s: cannot write: %s: %s", path, strerror(errno), log_advice(errno));
		goto out;
	}
	/* link, not rename: what exists is never replaced */
	if (link(temporary, path) != 0 || sync_directory_of(path) != 0) {
		log_warn("%s: cannot create: %s: it must not exist", path, strerror(errno));
		goto out;
	}
	rc = 0;
out:
	if (f != NULL)
		fclose(f);
	if (fd >= 0)
		close(fd);
	unlink(temporary);
	free(temporary);
	return rc;
}

static int
write_key(FILE *f, void *ctx)
{
	return PEM_write_PKCS8PrivateKey(f, ctx, NULL, NULL, 0, NULL, NULL) == 1 ? 0 : -1;
}

int
keys_save(const char *path, EVP_PKEY *key)
{
	return keys_create_file(path, 0600, write_key, key);
}

void
keys_unreadable(char *err, size_t errlen, const char *path, int error)
{
	snprintf(err, errlen, "%s: %s: %s", path, strerror(error), log_advice(error));
}

EVP_PKEY *
keys_load(const char *path, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key;

	if (f == NULL) {
		keys_unreadable(err, errlen, path, errno);
		return NULL;
	}
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (key == NULL)
		snprintf(err, errlen, "%s: not a private key in PEM: " KEYS_RESTORE, path);
	return key;
}

static int
write_secret(FILE *f, void *ctx)
{
	const uint8_t *secret = ctx;

	for (unsigned i = 0; i < 32; i++)
		if (fprintf(f, "%02x", secret[i]) < 0)
			return -1;
	return fputc('\n', f) == EOF ? -1 : 0;
}

int
keys_secret_new(const char *path)
{
	uint8_t secret[32];
	int rc;

	if (RAND_bytes(secret, sizeof(secret)) != 1) {
		log_warn("%s: no randomness: check the OpenSSL installation", path);
		return -1;
	}
	rc = keys_create_file(path, 0600, write_secret, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return rc;
}

int
keys_secret_load(uint8_t dst[32], const char *path, char *err, size_t errlen)
{
	char line[80];
	size_t n;
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		keys_unreadable(err, errlen, path, errno);
		return -1;
	}
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	if (strspn(line, "0123456789abcdef") != 64 || strcmp(line + 64, "\n") != 0) {
		snprintf(err, errlen,
		    "%s: not one line of 64 hexadecimal digits: restore it from a backup: under "
		    "another secret no token that was given out is known",
		    path);
		return -1;
	}
	for (unsigned i = 0; i < 32; i++) {
		unsigned value;

		sscanf(line + 2 * i, "%2x", &value);
		dst[i] = (uint8_t)value;
	}
	OPENSSL_cleanse(line, sizeof(line));
	return 0;
}

/* --- DNSKEY and DS ----------------------------------------------------------------------------- */

/* RFC 3110 2: length of the exponent, exponent, modulus. */
static size_t
rsa_public(uint8_t *dst, size_t dstlen, EVP_PKEY *key)
{
	BIGNUM *n = NULL, *e = NULL;
	size_t len = 0;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bytes(e) < 256 &&
	    1 + (size_t)BN_num_bytes(e) + (size_t)BN_num_bytes(n) <= dstlen) {
		dst[len++] = (uint8_t)BN_num_bytes(e);
		len += (size_t)BN_bn2bin(e, dst + len);
		len += (size_t)BN_bn2bin(n, dst + len);
	}
	BN_free(n);
	BN_free(e);
	return len;
}

/* RFC 6605 4: the uncompressed point without its first octet. */
static size_t
ec_public(uint8_t *dst, size_t dstlen, EVP_PKEY *key)
{
	uint8_t point[200];
	size_t len = 0;

	if (EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len) != 1 ||
	    len < 2 || point[0] != POINT_CONVERSION_UNCOMPRESSED || len - 1 > dstlen)
		return 0;
	memcpy(dst, point + 1, len - 1);
	return len - 1;
}

static size_t
public_key(uint8_t *dst, size_t dstlen, EVP_PKEY *key)
{
	size_t len = dstlen;

	if (EVP_PKEY_is_a(key, "RSA"))
		return rsa_public(dst, dstlen, key);
	if (EVP_PKEY_is_a(key, "EC"))
		return ec_public(dst, dstlen, key);
	return EVP_PKEY_get_raw_public_key(key, dst, &len) == 1 ? len : 0; /* RFC 8080 3 */
}

int
zone_key_set(struct site_zone_key *dst, EVP_PKEY *key, unsigned algorithm)
{
	size_t len;

	memset(dst, 0, sizeof(*dst));
	dst->algorithm = algorithm;
	dst->pkey = key;
	dst->dnskey[0] = DNSKEY_FLAGS_CSK >> 8;
	dst->dnskey[1] = DNSKEY_FLAGS_CSK & 255;
	dst->dnskey[2] = 3;
	dst->dnskey[3] = (uint8_t)algorithm;
	len = public_key(dst->dnskey + DNSKEY_HEAD, sizeof(dst->dnskey) - DNSKEY_HEAD, key);
	if (len == 0) {
		log_warn(
		    "key of algorithm %u: its public half does not fit a DNSKEY: remove the file",
		    algorithm);
		return -1;
	}
	dst->dnskey_len = DNSKEY_HEAD + len;
	dst->keytag = ldns_calc_keytag_raw(dst->dnskey, dst->dnskey_len);
	return 0;
}

void
zone_key_clear(struct site_zone_key *key)
{
	EVP_PKEY_free(key->pkey);
	memset(key, 0, sizeof(*key));
}

/* owner in canonical wire form.  Its length, or 0. */
static size_t
owner_wire(uint8_t dst[256], const char *owner)
{
	ldns_rdf *name = ldns_dname_new_frm_str(owner);
	size_t len = 0;

	if (name != NULL && ldns_rdf_size(name) <= 255) {
		ldns_dname2canonical(name);
		len = ldns_rdf_size(name);
		memcpy(dst, ldns_rdf_data(name), len);
	}
	ldns_rdf_deep_free(name);
	return len;
}

size_t
zone_key_ds(uint8_t *dst, size_t dstlen, const struct site_zone_key *key, const char *owner,
    unsigned digest)
{
	const EVP_MD *md = digest == 1 ? EVP_sha1() : digest == 4 ? EVP_sha384() : EVP_sha256();
	uint8_t data[256 + sizeof(key->dnskey)];
	size_t len = owner_wire(data, owner);
	unsigned n;

	if (len == 0 || dstlen < 4 + (size_t)EVP_MD_get_size(md))
		return 0;
	memcpy(data + len, key->dnskey, key->dnskey_len);
	dst[0] = (uint8_t)(key->keytag >> 8);
	dst[1] = (uint8_t)key->keytag;
	dst[2] = (uint8_t)key->algorithm;
	dst[3] = (uint8_t)digest;
	return EVP_Digest(data, len + key->dnskey_len, dst + 4, &n, md, NULL) == 1 ? 4 + n : 0;
}

/* One record as text, by ldns, so that what is printed is what others parse. */
static int
record_text(char *dst, size_t dstlen, const char *owner, const uint8_t *rdata, size_t rdata_len)
{
	uint8_t wire[256 + 10 + 1024];
	size_t pos = 0, len = owner_wire(wire, owner);
	ldns_rr *rr = NULL;
	char *text = NULL;
	int rc = -1;

	if (len != 0 && rdata_len <= 1024) {
		const uint8_t head[10] = { 0, LDNS_RR_TYPE_DS, 0, 1, 0, 0, PARENT_TTL >> 8,
			PARENT_TTL & 255, (uint8_t)(rdata_len >> 8), (uint8_t)rdata_len };

		memcpy(wire + len, head, sizeof(head));
		memcpy(wire + len + sizeof(head), rdata, rdata_len);
		len += sizeof(head) + rdata_len;
		if (ldns_wire2rr(&rr, wire, len, &pos, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK)
			text = ldns_rr2str(rr);
	}
	if (text != NULL && strlen(text) < dstlen) {
		snprintf(dst, dstlen, "%.*s", (int)strcspn(text, ";\n"), text);
		for (char *tab = dst; (tab = strchr(tab, '\t')) != NULL;)
			*tab = ' ';
		for (size_t n = strlen(dst); n > 0 && strchr(" \t", dst[n - 1]) != NULL; n--)
			dst[n - 1] = '\0';
		rc = 0;
	} else {
		log_warn("%s: its key cannot be written as a record: shorten the name", owner);
	}
	free(text);
	ldns_rr_free(rr);
	return rc;
}

int
zone_key_ds_text(
    char *dst, size_t dstlen, const struct site_zone_key *key, const char *owner, unsigned digest)
{
	uint8_t rdata[64];
	size_t len = zone_key_ds(rdata, sizeof(rdata), key, owner, digest);

	return record_text(dst, dstlen, owner, rdata, len);
}
