/* spf.h - may this host send mail for this domain: check_host() of RFC 7208.  Pure and restartable, see
 * lookup.h.
 *
 * Limits (4.6.4): 10 terms that look something up, 2 of them in vain, 10 names of an MX (more is
 * permerror) or PTR (the others are passed over).  What the RFC leaves open is decided so:
 *   - a term is void once, whichever and however many of its queries were; void_queries counts all;
 *   - %{p} belongs to the term that it stands in; exp= and its macros count for nothing;
 *   - the number of MX names is judged before any of them is looked up: their order is chance;
 *   - a name that no query can be made of (two dots in a row) matches nothing (4.8), and is not void;
 *   - BOGUS is temperror, as a validating resolver answers SERVFAIL.
 * Internationalised mail: RFC 8616 4 (A-labels; %{s} and %{l} of a local part in UTF-8 match nothing). */
#ifndef VERIFY_SPF_H
#define VERIFY_SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/lookup.h"

#define SPF_LOOKUPS_MAX 10
#define SPF_VOIDS_MAX   2
#define SPF_NAMES_MAX   10  /* of one MX or PTR */
#define SPF_INPUT_MAX   500 /* octets of client, helo, from and us each; longer is "none" */
#define SPF_TRACE_MAX   64

enum spf_verdict {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

enum spf_outcome { SPF_MATCH, SPF_NO_MATCH, SPF_TERM_TEMPERROR, SPF_TERM_PERMERROR };

enum spf_identity {
	SPF_MAIL_FROM, /* of the null reverse-path: postmaster at HELO (2.4) */
	SPF_HELO,      /* 2.3 */
};

struct spf_input {
	enum spf_identity identity;
	const char *client; /* IPv4 or IPv6 text; IPv4-mapped is IPv4 (5) */
	const char *helo;   /* "" if none */
	const char *from;   /* reverse-path without <>; "" is the null reverse-path */
	const char *us;     /* name of this host, "" if not to be told */
	int64_t now;        /* seconds, for the macro t */
};

/* One line of how the verdict came about.  All texts here and below are printable ASCII: other octets
 * are \DDD, and what is too long ends in "...". */
struct spf_step {
	unsigned depth; /* 0: the domain's own record or what it redirects to; then of includes */
	bool record;    /* text is a whole record; else a term of it */
	enum spf_outcome outcome; /* of a term */
	enum spf_verdict verdict; /* of a record */
	char domain[256];         /* that published it */
	char text[512];
	char target[256]; /* the name that was looked up, macros expanded; "" if none */
	char found[160];  /* what DNS said to it, in words; "" if nothing was asked */
};

struct spf_result {
	enum spf_verdict verdict;
	char domain[256]; /* that was checked */
	char reason[512]; /* one sentence, without a dot at its end */
	char term[256];   /* of the domain that matched, or the innermost in error; "" if none */
	char term_domain[256];    /* whose record it stands in */
	char explanation[512];    /* of the domain, for "fail" only; "" if there is none */
	char no_explanation[256]; /* why there is none although the record has exp= */
	unsigned
	    lookups;    /* terms that look something up, until the verdict: 11 is over the limit */
	unsigned voids; /* of these, in vain: 3 is over the limit */
	unsigned void_queries;
	bool secure; /* every answer that it stands on was validated by DNSSEC */
	struct spf_step trace[SPF_TRACE_MAX];
	size_t steps, steps_lost;
};

/* *result is good only if VERIFY_DONE. */
enum verify_step spf_check(const struct spf_input *, struct lookups *, struct spf_result *result);

/* "pass", "softfail"... and "match", "no match"... */
const char *spf_verdict_word(enum spf_verdict);
const char *spf_outcome_word(enum spf_outcome);

#endif
