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
struct lookup {
	char name[256]; /* presentation, lower case, no final dot; escapes \DDD (RFC 1035 5.1) */
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

/* Never NULL; status is LOOKUP_WANTED while the answer is not there.  A name that is no domain name
 * (empty label, label over 63, over 253 octets) is LOOKUP_NXDOMAIN at once.  Case-blind.  The pointer
 * is good until lookups_free. */
const struct lookup *lookup_get(struct lookups *, const char *name, uint16_t type);
/* The first question that waits for its answer, from *iter on (0 at first); NULL: none. */
const struct lookup *lookup_wanted(const struct lookups *, size_t *iter);
/* The answer; rdata are copied.  -1: nobody asked, or too large (64 KiB an answer). */
int lookup_put(struct lookups *, const char *name, uint16_t type, enum lookup_status, bool secure,
    const char *why, const struct lookup_rdata *, size_t n);
/* All that was asked, in the order of asking; NULL after the last. */
const struct lookup *lookup_at(const struct lookups *, size_t i);

#endif
