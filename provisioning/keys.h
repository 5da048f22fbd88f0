/* keys.h - private keys on disk (PEM, PKCS #8), and what the DNS says about them.
 * Algorithms are DNSSEC's numbers (IANA); a number that nobody implements gets a P-256 key, so
 * that a test can publish it. */
#ifndef PROVISIONING_KEYS_H
#define PROVISIONING_KEYS_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "provisioning/site.h"

/* NULL: logged. */
EVP_PKEY *keys_generate(unsigned algorithm);

/* Makes the file (mode 0600, synced).  0, or -1 logged; an existing file is left alone: -1. */
int keys_save(const char *path, EVP_PKEY *);
/* NULL: "PATH: why: what to do" in err. */
EVP_PKEY *keys_load(const char *path, char *err, size_t errlen);

/* A fresh secret of 32 bytes as one line of hex; the same rules. */
int keys_secret_new(const char *path);
int keys_secret_load(uint8_t dst[32], const char *path, char *err, size_t errlen);

/* "PATH: why: what to do" into err, for a file of keys/ or certs/ that cannot be read: error is an errno. */
void keys_unreadable(char *err, size_t errlen, const char *path, int error);
#define KEYS_RESTORE                                                                               \
	"restore it from a backup, or remove it and run outpost init, which makes what is missing"

/* Creates path exclusively, lets write_body fill it, syncs it and gives it its name.  A crash leaves no
 * half file under that name.  0, or -1 logged. */
int keys_create_file(
    const char *path, unsigned mode, int (*write_body)(FILE *, void *ctx), void *ctx);

/* Fills algorithm, pkey (owned by *dst from now on), DNSKEY RDATA (RFC 4034 2.1, RFC 3110, RFC 6605, RFC 8080)
 * and key tag.  0, or -1 logged. */
int zone_key_set(struct site_zone_key *dst, EVP_PKEY *, unsigned algorithm);
void zone_key_clear(struct site_zone_key *);

/* DS RDATA (RFC 4034 5.1) of the key for owner (text, no final dot); digest 1, 2 or 4; any other gives
 * 32 bytes of SHA-256 under that number.  Its length, or 0: does not fit. */
size_t zone_key_ds(
    uint8_t *dst, size_t dstlen, const struct site_zone_key *, const char *owner, unsigned digest);
/* The same as one line of master-file text without a final newline, "BASE. 3600 IN DS ...".  0, or -1 logged. */
int zone_key_ds_text(
    char *dst, size_t dstlen, const struct site_zone_key *, const char *owner, unsigned digest);

#endif
