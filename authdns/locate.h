/* locate.h - what a query name is: zone, token, template name.  Pure, no heap. */
#ifndef AUTHDNS_LOCATE_H
#define AUTHDNS_LOCATE_H

#include "authdns/zone.h"

/* Which zones exist at the address that a query came to. */
struct view {
	bool parent;   /* BASE */
	bool children; /* all test zones with an IPv4 name server */
	/* IPv6, or an IPv4 address of its own: this test zone and nothing else; NULL: none */
	const struct zone *only;
};
/* IPv4: by the lists of the configuration.  IPv6: by the address itself (address.h). */
void view_of(struct view *dst, const struct zones *, const union sockaddr_any *local);

#define AT_MAX (DNS_NAME_TEXT_MAX + 16)

struct place {
	const struct zone *zone; /* who answers; NULL: nobody here */
	const struct node *node; /* the name in that zone; NULL: it has no such name */
	const struct zone *cut;  /* zone is BASE and the name belongs to this test zone: referral */
	/* what the name is about, whoever answers */
	const struct zone *about;  /* NULL: not below BASE */
	const struct node *dname;  /* in zone: the DNAME above a name that it has not; NULL: none */
	unsigned dname_at;         /* where that stands in the question, from the name's start */
	unsigned phase;            /* of the test; 0: it has none */
	struct token token;        /* id 0: no valid token */
	int host;                  /* mxK, or -1 */
	bool invalid;              /* names nothing that we publish and carries no valid token */
	char at[AT_MAX];           /* template spelling: "_25._tcp.{mx0}"; "" outside BASE */
	uint8_t key[DNS_NAME_MAX]; /* of node, in the zone about */
	uint8_t key_len;
};
void locate(struct place *dst, const struct zones *, const struct dns_query *, const uint8_t *name,
    const struct view *);

/* From phase 1, as locate leaves it, to another. */
void place_in_phase(struct place *, unsigned phase);
/* The token was released (provisioning/released.h). */
void place_released(struct place *);

#endif
