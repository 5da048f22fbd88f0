/* dmarc.h - does the author's domain stand for the message, and what does it ask for if not: DMARC, as most
 * receivers have it (RFC 7489, organisations by the public suffix list) and as it is now (RFC 9989,
 * organisations by a walk up the DNS tree).  Both are judged, and where they differ that is said.
 * Pure and restartable, see lookup.h; at most DMARC_LOOKUPS_MAX questions. */
#ifndef VERIFY_DMARC_H
#define VERIFY_DMARC_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/dmarc_record.h"
#include "verify/lookup.h"

#define DMARC_DKIM_MAX    16 /* signatures that are looked at */
#define DMARC_WALK_MAX    8  /* RFC 9989 4.10 */
#define DMARC_LOOKUPS_MAX (DMARC_WALK_MAX * (DMARC_DKIM_MAX + 2) + 2 + 2 * DMARC_URIS_MAX)

/* A domain that something else has judged: SPF's, or that of a signature. */
struct dmarc_identity {
	const char *domain; /* "" if there is none */
	bool pass, temporary;
};
struct dmarc_input {
	const char *author; /* address_author's domain; "" if there is not exactly one */
	const char *why;    /* ... and why */
	struct dmarc_identity spf;
	size_t n; /* at most DMARC_DKIM_MAX count */
	const struct dmarc_identity *dkim;
};

/* The words of RFC 8601 2.7. */
enum dmarc_verdict {
	DMARC_IS_NONE, /* no record, or one that means nothing */
	DMARC_IS_PASS,
	DMARC_IS_FAIL,
	DMARC_IS_TEMPERROR,
	DMARC_IS_PERMERROR, /* no author domain */
};
const char *dmarc_verdict_word(enum dmarc_verdict);

enum dmarc_alignment {
	DMARC_UNALIGNED,
	DMARC_RELAXED, /* the same organisation */
	DMARC_STRICT,  /* the same domain */
	DMARC_UNKNOWN, /* the DNS did not answer */
};
const char *dmarc_alignment_word(enum dmarc_alignment);

/* What one of the two standards makes of it. */
struct dmarc_view {
	enum dmarc_verdict verdict;
	char reason[240];                       /* one sentence, without a dot at its end */
	char organisation[ADDRESS_DOMAIN_SIZE]; /* of the author; "" unknown */
	char at[ADDRESS_DOMAIN_SIZE];           /* whose record applies; "" none */
	bool secure;                            /* that record is validated by DNSSEC */
	struct dmarc_record record;
	enum dmarc_effect effect;
	char tag[4];               /* which of p, sp, np speaks of this author; "" none */
	enum dmarc_policy policy;  /* what it asks for */
	enum dmarc_policy applied; /* the same one step milder with t=y (RFC 9989) */
	enum dmarc_alignment spf, dkim[DMARC_DKIM_MAX];
	bool spf_counts, dkim_counts[DMARC_DKIM_MAX]; /* aligned as the record wants it */
};

enum dmarc_found { DMARC_NOTHING, DMARC_RECORD, DMARC_SEVERAL, DMARC_FAILED };
const char *dmarc_found_word(enum dmarc_found);

/* May reports about a domain go to that address (RFC 7489 7.1)? */
enum dmarc_consent {
	DMARC_OWN, /* of the same organisation: nobody is asked */
	DMARC_CONSENT,
	DMARC_NO_CONSENT,
	DMARC_CONSENT_UNKNOWN,
};
const char *dmarc_consent_word(enum dmarc_consent);

struct dmarc_result {
	struct dmarc_view list; /* RFC 7489 */
	struct dmarc_view tree; /* RFC 9989 */
	char difference[360];   /* in words; "" if they agree */
	size_t walk_n;          /* of the author's domain, as far as RFC 9989 needs it */
	struct {
		char domain[ADDRESS_DOMAIN_SIZE];
		enum dmarc_found found;
		char psd; /* of a record */
	} walk[DMARC_WALK_MAX];
	size_t strays;   /* TXT records at the author's _dmarc name that are no policy records */
	char stray[128]; /* the first, cut */
	bool missing;    /* the author's domain does not exist (NXDOMAIN) */
	/* Addresses of the record that applies: first all of rua, then all of ruf. */
	size_t reports;
	enum dmarc_consent consent[2 * DMARC_URIS_MAX];
};

/* Loads the public suffix list: before files are forbidden.  0, or -1: there is none, logged.  Until then
 * the library's own is used, if it has one. */
int dmarc_warm_up(void);

/* About 45 KiB.  *result is good only if VERIFY_DONE. */
enum verify_step dmarc_judge(
    const struct dmarc_input *, struct lookups *, struct dmarc_result *result);
/* The organisation of a domain by the public suffix list; a suffix is its own. */
void dmarc_organisation(char dst[ADDRESS_DOMAIN_SIZE], const char *domain);

#endif
