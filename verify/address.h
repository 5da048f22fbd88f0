/* address.h - whose mail it claims to be: the addresses in the From fields (RFC 5322 3.4, 3.6.2, 4.4; groups
 * by RFC 6854, UTF-8 by RFC 6532).  Nothing is guessed: a field that the grammar, obsolete forms and
 * all, cannot read has no author, and why says where it fails.  Pure, linear in the field's length. */
#ifndef VERIFY_ADDRESS_H
#define VERIFY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/mail.h"

#define ADDRESS_DOMAIN_SIZE 256 /* a domain as A-labels, lower case, no final dot; with its NUL */
#define ADDRESS_DOMAINS_MAX 4   /* different ones of the authors */

struct address_author {
	size_t fields;    /* From fields */
	size_t mailboxes; /* in them */
	size_t domains;   /* different ones, in domain; ADDRESS_DOMAINS_MAX + 1: more than that */
	char domain[ADDRESS_DOMAINS_MAX][ADDRESS_DOMAIN_SIZE];
	char address[512]; /* the first mailbox as written, without comments and blanks; cut */
	char why[200];     /* there is not exactly one author domain; "" if there is */
	/* What was met on the way. */
	bool group; /* RFC 6854 */
	bool
	    obsolete; /* RFC 5322 4.4: routes, empty elements, blanks or comments inside an address */
	bool comment;
	bool encoded; /* RFC 2047 words */
	bool
	    not_utf8; /* octets over 127 that are no UTF-8, outside of addresses: no RFC allows them */
};

/* The author of a message: exactly one From field, all of whose mailboxes are of one domain
 * (RFC 7489 6.6.1).  true: domain[0] is that domain. */
bool address_author(struct address_author *, const struct mail *);
/* One field's value, folded or not. */
bool address_field(struct address_author *, const char *value, size_t len);

/* A domain name as the DNS has it: A-labels (IDNA 2008, non-transitional), lower case.  0, or -1: *why says
 * what is wrong.  ASCII labels are taken as they are: whatever is printable and no blank. */
int address_domain(char dst[ADDRESS_DOMAIN_SIZE], const char *domain, size_t len, const char **why);

#endif
