/* sigcheck.h - what a DKIM-Signature, an ARC-Message-Signature and an ARC-Seal have in common (RFC 6376 3.7,
 * 6.1, RFC 8617 4.1): their tags, and what is hashed for the first two.  Pure. */
#ifndef VERIFY_SIGCHECK_H
#define VERIFY_SIGCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/bodyhash.h"
#include "verify/canon.h"
#include "verify/dkimkey.h"
#include "verify/mail.h"
#include "verify/taglist.h"

/* A signature that is larger is not judged: what its h= names is looked for among all fields. */
#define SIGCHECK_FIELD_MAX   32768
#define SIGCHECK_HEADERS_MAX 1000

struct sigcheck {
	const struct mail_field *field;
	struct taglist tags;
	char wrong[160]; /* not to be understood, and why; "" if it is a signature */
	char domain[256], selector[256];
	bool ed25519, sha1;
	enum canon canon_header, canon_body;
	bool canon_known, canon_given;          /* c= makes sense, is there */
	struct span headers;                    /* h= */
	int64_t signed_at, expires, body_limit; /* -1 absent */
	uint8_t body_hash[32];
	size_t hash_len; /* 20 or 32 */
	uint8_t signature[1024];
	size_t signature_len;
};

enum sigcheck_kind {
	SIGCHECK_MESSAGE, /* of a message: the tags a b bh c d h l q s t x */
	SIGCHECK_SEAL,    /* ARC-Seal: a b d s t */
};
/* 0, or -1: wrong says why; what could be read is there. */
int sigcheck_parse(struct sigcheck *, enum sigcheck_kind, const struct mail_field *);

enum sigcheck_verdict { SIGCHECK_PASS, SIGCHECK_BODY, SIGCHECK_SIGNATURE, SIGCHECK_KEY };

struct sigcheck_result {
	enum sigcheck_verdict verdict; /* body hash wrong, signature wrong, key not usable for it */
	bool body_right;
	uint64_t body_len, body_covered; /* canonical */
	char reason[160];                /* of SIGCHECK_KEY */
};
/* The key's own tags k=, h= and s= are looked at too.  The key is DKIMKEY_GOOD.  The hashes are those of this message's
 * body. */
void sigcheck_judge(struct sigcheck_result *, const struct sigcheck *, const struct mail *,
    struct bodyhashes *, const struct dkimkey *);
/* The body alone, where there is no key. */
void sigcheck_body(
    struct sigcheck_result *, const struct sigcheck *, const struct mail *, struct bodyhashes *);
/* The hash over the signed fields and the signature field: 20 or 32 octets. */
void sigcheck_hash(uint8_t dst[32], const struct sigcheck *, const struct mail *);
/* The key's type and its h= and s= allow this signature; if not, why. */
bool sigcheck_key_fits(char reason[160], const struct sigcheck *, const struct dkimkey *);

#endif
