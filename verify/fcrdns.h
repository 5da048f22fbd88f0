/* fcrdns.h - what the names of the sending host are worth: the name of its address, confirmed forwards
 * (FCrDNS, as "iprev" of RFC 8601 2.7.3), and what it says in EHLO (RFC 5321 4.1.1.1, 4.1.2, 4.1.3).  Facts, no
 * judgement of the sender.  Pure and restartable, see lookup.h; at most FCRDNS_LOOKUPS_MAX questions. */
#ifndef VERIFY_FCRDNS_H
#define VERIFY_FCRDNS_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/lookup.h"

#define FCRDNS_NAMES_MAX   10 /* of one address; further ones are counted */
#define HELO_ADDRESSES_MAX 8  /* of one name that are kept */
#define FCRDNS_LOOKUPS_MAX (1 + FCRDNS_NAMES_MAX + 2)

/* The words of RFC 8601 2.7.3, and none: the address has no name at all. */
enum fcrdns_verdict {
	FCRDNS_NONE,
	FCRDNS_PASS,
	FCRDNS_FAIL, /* names, and none leads back */
	FCRDNS_TEMPERROR,
	FCRDNS_PERMERROR, /* the client is no IP address */
};
const char *fcrdns_verdict_word(enum fcrdns_verdict);

struct fcrdns_result {
	enum fcrdns_verdict verdict;
	char reason[240];
	bool secure;  /* the answers that it stands on are validated by DNSSEC */
	size_t names; /* of the address; the first FCRDNS_NAMES_MAX are in name */
	struct {
		char name[256];
		bool confirmed;
		bool failed; /* its addresses could not be had now */
	} name[FCRDNS_NAMES_MAX];
};

enum helo_form { HELO_MISSING, HELO_MALFORMED, HELO_LITERAL, HELO_SINGLE_LABEL, HELO_NAME };
const char *helo_form_word(enum helo_form);

struct helo_result {
	enum helo_form form;
	char reason[240];       /* what is not as RFC 5321 wants it; "" if nothing */
	bool resolves;          /* the name has an address */
	bool failed;            /* those that would tell could not be had now */
	bool matches;           /* one of them, or the literal, is the client's */
	bool is_reverse;        /* it is a name of the client's address */
	bool reverse_confirmed; /* ... that leads back */
	size_t addresses;       /* of the name; the first of them */
	char address[HELO_ADDRESSES_MAX][46];
};

/* *r is good only if VERIFY_DONE. */
enum verify_step fcrdns_check(const char *client, struct lookups *, struct fcrdns_result *r);
enum verify_step helo_check(const char *client, const char *helo, const struct fcrdns_result *,
    struct lookups *, struct helo_result *r);

#endif
