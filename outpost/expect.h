/* expect.h - what a test's file promises the DNS will say for one token. */
#ifndef OUTPOST_EXPECT_H
#define OUTPOST_EXPECT_H

#include <ldns/ldns.h>

#include "provisioning/render.h"

enum expect_edns { EDNS_KNOWN, EDNS_REFUSED, EDNS_DROPPED };

/* One RRset of the test, without what acts only under a condition or in a phase. */
struct expect {
	unsigned zone;
	uint16_t type;
	char owner[256];             /* rendered, final dot */
	ldns_rr_list *rrs;           /* sorted, canonical; owned */
	enum zone_security security; /* what a validating resolver finds */
	bool fails;                  /* a deviation makes every resolver fail here */
	bool dropped;                /* the name server does not answer */
	enum expect_edns edns;       /* what it makes of questions with EDNS */
	bool optional; /* a resolver may treat the algorithm as unknown (RFC 8624 3.1) */
	bool alias;    /* the zone's name itself is an alias: stands in BASE */
	int rcode;     /* the name server's; 0 */
};
struct expectations {
	struct expect *set;
	size_t n;
};
/* 0, or -1 with the reason in err. */
int expect_build(struct expectations *dst, const struct site *, const struct test *,
    const struct token *, char *err, size_t errlen);
void expect_clear(struct expectations *);

/* Are these the records of e, in any order?  Takes list (may be NULL: none). */
bool expect_equal(const struct expect *e, ldns_rr_list *list);

#endif
