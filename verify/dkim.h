/* dkim.h - every DKIM signature of a message (RFC 6376, 8301, 8463), with keys that were looked up before;
 * libopendkim is heard too.  No resolver, no file, no clock. */
#ifndef VERIFY_DKIM_H
#define VERIFY_DKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/dkimkey.h"
#include "verify/lookup.h"
#include "verify/mail.h"

#define DKIM_SIGNATURES_MAX 16 /* judged; further ones are counted */

/* The words of RFC 8601 2.7.1. */
enum dkim_verdict {
	DKIM_IS_NONE, /* not signed */
	DKIM_IS_PASS,
	DKIM_IS_FAIL,      /* the signature or the body hash is wrong */
	DKIM_IS_POLICY,    /* verifies, but no receiver should take it: RFC 8301, x= */
	DKIM_IS_NEUTRAL,   /* not to be understood: syntax */
	DKIM_IS_TEMPERROR, /* the key could not be had now */
	DKIM_IS_PERMERROR, /* no key, a key that is none, revoked or not for this, no From */
};
const char *dkim_verdict_word(enum dkim_verdict);

struct dkim_signature {
	enum dkim_verdict verdict;
	char reason[200];   /* in plain words, also of a pass that has a flaw; "" if all is well */
	char domain[256];   /* d=, lower case */
	char selector[256]; /* s= */
	char identity[320]; /* i=, "@" d= if absent */
	char algorithm[32]; /* a= */
	char canon_header[8]; /* simple, relaxed; "?" if neither */
	char canon_body[8];
	char headers[1024]; /* h=, blanks removed, lower case; cut */
	bool signs_from;
	int64_t signed_at;              /* t=, seconds; -1 absent */
	int64_t expires;                /* x=; -1 absent */
	bool expired;                   /* at the time of judging */
	bool future;                    /* t= is over an hour ahead of the time of judging */
	int64_t body_limit;             /* l=; -1 absent */
	uint64_t body_len;              /* of the canonical body ... */
	uint64_t body_covered;          /* ... what of it is signed */
	bool body_hash_right;           /* false also where it was not compared */
	struct dkimkey key;             /* name "" if none was asked for */
	enum dkimkey_strength strength; /* of a good key */
	bool sha1;                      /* RFC 8301 3.1: must not */
	/* What a receiver with libopendkim would see where it differs: "pass", or its words for the fault;
	 * "" if it agrees or was not asked.  The verdict is that of RFC 6376. */
	char opendkim[64];
	bool opendkim_asked;
};

struct dkim_result {
	enum dkim_verdict verdict; /* the best of all: pass, else the first's */
	char reason[200];
	size_t signatures; /* in the message */
	size_t n;          /* judged: the first ones from the top */
	struct dkim_signature sig[DKIM_SIGNATURES_MAX];
};

/* now: seconds.  Asks for all keys at once.  Over 100 KiB: not for the stack. */
enum verify_step dkim_judge(
    const struct mail *, int64_t now, struct lookups *, struct dkim_result *);
/* Lets the libraries read the files that they want (openssl.cnf, resolv.conf): to be done before files are
 * forbidden; opens none later.  0, or -1: logged. */
int dkim_warm_up(void);

#endif
