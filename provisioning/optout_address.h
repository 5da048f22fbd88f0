/* optout_address.h - mail addresses and domains as they are compared: one spelling of each, so that who opted out is
 * out under all of them.  Pure. */
#ifndef PROVISIONING_OPTOUT_ADDRESS_H
#define PROVISIONING_OPTOUT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define OPTOUT_TEXT_MAX 321

/* A mail address as it is compared: lower case, no final dot of its domain, that in A-labels (RFC 5890).  Only what can stand in a header
 * field and an SMTP command as it is: local part of atoms (RFC 5321 4.1.2, UTF-8 by RFC 6531), no quotes,
 * no comments, a domain with a dot, no control characters, no blanks.  false: it is none.  domain
 * (may be NULL): where that begins in dst. */
bool optout_address(char dst[OPTOUT_TEXT_MAX], const char *text, size_t len, const char **domain);
/* The same for a domain alone; dst has room for 256. */
bool optout_address_domain(char *dst, const char *text, size_t len);
/* How much of the local part names the mailbox: user+detail@domain is that of user (RFC 5233), or is taken for
 * it.  Who asks for peace asks for it under all his names, and nobody gets more mail by having more of them. */
size_t optout_address_mailbox(const char *address);

#endif
