/* spf_record.h - the grammar of SPF records (RFC 7208 section 12): strict, and every error says where
 * and why.  Pure, no heap; a record is read in place. */
#ifndef VERIFY_SPF_RECORD_H
#define VERIFY_SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/spf_macro.h"

/* RFC 7208 sets no limit and recommends to fit 512 octets (3.4); one longer than this is refused. */
#define SPF_RECORD_MAX 16384

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_MODIFIER, /* unknown: no effect (6) */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;   /* + - ~ ?, of mechanisms; 0 of modifiers */
	const char *text; /* as written, len octets; at at of the record */
	size_t at, len;
	const char *domain; /* its domain-spec, macros not expanded; NULL: none */
	size_t domain_len;
	uint8_t address[16]; /* ip4, ip6 */
	unsigned prefix4,
	    prefix6; /* bits; of a, mx and ip4: 32, of a, mx and ip6: 128 if not there */
};

/* Begins with "v=spf1" and a space or the end (4.5). */
bool spf_record_is(const char *record, size_t len);

/* The term at *at or behind it (0 at first).  1: *at is behind it; 0: none is left; -1: syntax error. */
int spf_record_next(
    const char *record, size_t len, size_t *at, struct spf_term *, struct spf_error *);

/* The whole record: every term, and redirect= and exp= once at most (6).  0, or -1 and the first error. */
int spf_record_check(const char *record, size_t len, struct spf_error *);

#endif
