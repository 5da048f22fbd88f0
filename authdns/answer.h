/* answer.h - which RRsets stand in which section: content only, no octets.  Pure. */
#ifndef AUTHDNS_ANSWER_H
#define AUTHDNS_ANSWER_H

#include "authdns/locate.h"

enum section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

#define ANSWER_ITEMS_MAX 24

struct answer_item {
	enum section section;
	const struct zone *zone; /* whose data, and whose key signs it */
	const struct rrset *set; /* NULL: the NSEC or NSEC3 of owner */
	const struct node *node; /* owner; NULL: a name that does not exist */
	unsigned
	    owner; /* where the owner stands in the question, from the name's start; or OWNER_ELSEWHERE */
	uint32_t ttl;
	bool sign;       /* is authoritative data of a signed zone */
	bool only_rrsig; /* a query for RRSIG: the signatures without the RRset */
	bool synthesis;  /* set is a DNAME: the CNAME that it makes of the question's name */
};
#define OWNER_ELSEWHERE 256u

struct answer {
	unsigned rcode;
	bool authoritative;
	struct answer_item item[ANSWER_ITEMS_MAX];
	unsigned n;
};

/* RFC 1034 4.3.2, RFC 4035 3.1, RFC 6672 (DNAME), RFC 8482 (ANY), RFC 9824 (denial): no wildcards, no CNAME chasing and
 * no additional data but glue, because lookups must be seen. */
void answer_choose(struct answer *dst, const struct place *, const struct dns_query *);

/* Adds the SOA of the zone to the authority section, as in a negative answer. */
void answer_soa(struct answer *, const struct place *, const struct dns_query *);

#endif
