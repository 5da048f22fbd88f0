/* lookup.h - the DNS answers that a judgement of a message stands on.
 *
 * Evaluators (SPF, DKIM keys, DMARC, ARC, FCrDNS) are pure: they ask lookup_get().  What is known is
 * there at once; what is not is noted as wanted, and the evaluator returns VERIFY_NEED as soon as it
 * cannot go on.  The caller resolves all that is wanted at once, lookup_put()s the answers and calls
 * the evaluator again from its start.  So no evaluator waits, none needs a network, and a test or a
 * fuzzer is a table of answers. */
#ifndef VERIFY_LOOKUP_H
#define VERIFY_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

enum verify_step { VERIFY_DONE, VERIFY_NEED };

enum lookup_status {
	LOOKUP_WANTED, /* asked for, not yet answered */
	LOOKUP_OK,     /* one record or more */
	LOOKUP_NODATA,
	LOOKUP_NXDOMAIN,
	LOOKUP_FAILED, /* SERVFAIL, REFUSED, timeout, lame: the answer may come another time */
	LOOKUP_BOGUS,  /* DNSSEC says that it is false */
};

struct lookup_rdata {
	const uint8_t *data; /* wire format, names not compressed */
	uint16_t len;
};

/* A name as text takes so much at most: 253 octets, each as \DDD, and a final NUL. */
#define LOOKUP_NAME_SIZE (4 * 253 + 1)
#define LOOKUP_DATA_MAX  65535 /* octets of an answer as DNS would carry it */

struct lookup {
	char name
	    [LOOKUP_NAME_SIZE]; /* presentation, lower case, no final dot; what is not printable,
	                              * and dot and \ inside a label, as \DDD (RFC 1035 5.1) */
	uint16_t type;
	enum lookup_status status;
	bool secure;   /* validated: of a denial too */
	char why[128]; /* LOOKUP_FAILED and LOOKUP_BOGUS: the resolver's words */
	size_t n;
	struct lookup_rdata *rdata; /* CNAMEs followed: of the last owner; owned by the book */
};

struct lookups; /* the book of one message */
/* max: questions that one message may have; further ones are LOOKUP_FAILED "too many lookups". */
struct lookups *lookups_new(size_t max); /* NULL: out of memory */
void lookups_free(struct lookups *);

/* Never NULL; status is LOOKUP_WANTED while the answer is not there.  name is presentation, escapes
 * \DDD and \X.  One that is no domain name (empty label, label over 63, over 253 octets, the root) is
 * LOOKUP_NXDOMAIN at once; that and the answer "too many lookups" have no name and are not in the
 * book.  Case-blind.  The pointer is good until lookups_free. */
const struct lookup *lookup_get(struct lookups *, const char *name, uint16_t type);
/* The first question that waits for its answer, from *iter on (0 at first); NULL: none. */
const struct lookup *lookup_wanted(const struct lookups *, size_t *iter);
/* The answer; rdata are copied.  LOOKUP_OK without records is LOOKUP_NODATA; of another status none
 * are kept.  -1: nobody waits for it, or it is too large (then it is LOOKUP_FAILED from now on). */
int lookup_put(struct lookups *, const char *name, uint16_t type, enum lookup_status, bool secure,
    const char *why, const struct lookup_rdata *, size_t n);
/* All that was asked, in the order of asking; NULL after the last. */
const struct lookup *lookup_at(const struct lookups *, size_t i);

/* --- what stands in rdata --- */

/* The name at the start of data as struct lookup has it, the case kept; "" is the root.  The octets
 * that it takes, -1: there is none. */
int lookup_name(char dst[LOOKUP_NAME_SIZE], const uint8_t *data, size_t len);
/* The strings of a TXT record joined (RFC 7208 3.3, RFC 6376 3.6.2.2), appended; they may hold any octets.
 * -1: malformed, dst unchanged. */
int lookup_txt(struct strbuf *dst, const struct lookup_rdata *);

#endif
