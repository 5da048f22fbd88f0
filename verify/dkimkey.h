/* dkimkey.h - the public key of a DKIM or ARC signature (RFC 6376 3.6.1, RFC 8463) from the answer to
 * SELECTOR._domainkey.DOMAIN TXT.  Pure. */
#ifndef VERIFY_DKIMKEY_H
#define VERIFY_DKIMKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/lookup.h"

enum dkimkey_state {
	DKIMKEY_GOOD,
	DKIMKEY_NONE,    /* NXDOMAIN or no TXT record */
	DKIMKEY_RETRY,   /* the lookup failed, or is bogus: temporary */
	DKIMKEY_REVOKED, /* p= is empty */
	DKIMKEY_BROKEN,  /* no key record, no such algorithm, no public key in p= */
};
enum dkimkey_dnssec { DKIMKEY_INSECURE, DKIMKEY_SECURE, DKIMKEY_BOGUS };

#define DKIMKEY_RECORD_MAX 4096

struct dkimkey {
	enum dkimkey_state state;
	enum dkimkey_dnssec dnssec;
	char reason[160]; /* "" if good */
	char name[256];   /* asked for; as much of it as fits */
	size_t records;   /* TXT records there: more than one is an error of the domain */
	char record[DKIMKEY_RECORD_MAX]; /* the first key record, strings joined; cut */
	char type[16];                   /* k= */
	uint8_t p[1200];                 /* p=, decoded */
	size_t p_len;
	unsigned bits;     /* modulus of RSA; 256 for Ed25519; 0 if not good */
	bool testing;      /* t=y */
	bool strict;       /* t=s: i= must be d= itself */
	char services[64]; /* s=, "" if absent: any */
	char hashes[64];   /* h=, "" if absent: any */
};

/* VERIFY_NEED: asked for. domain and selector as in the signature. */
enum verify_step dkimkey_get(
    struct dkimkey *, struct lookups *, const char *selector, const char *domain);
/* The record alone: state GOOD, REVOKED or BROKEN. */
void dkimkey_parse(struct dkimkey *, const char *record, size_t len);

/* Whether this is the key's signature over a hash: RSA PKCS#1 1.5 over SHA-256 or, 20 octets, SHA-1;
 * Ed25519 over the hash as a message (RFC 8463 3).  The key is good. */
bool dkimkey_verify(const struct dkimkey *, const uint8_t *hash, size_t hash_len,
    const uint8_t *signature, size_t signature_len);
/* OpenSSL reads its configuration and finds its algorithms when they are first asked for: to be done
 * before files are forbidden.  0, or -1: logged. */
int dkimkey_warm_up(void);
/* RFC 8301 3.2. */
enum dkimkey_strength { DKIMKEY_STRONG, DKIMKEY_SHORT /* should not */, DKIMKEY_FORBIDDEN };
enum dkimkey_strength dkimkey_strength(const struct dkimkey *);

#endif
