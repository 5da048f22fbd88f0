/* spf_macro.h - macro strings of SPF (RFC 7208 section 7): their syntax and their expansion.  Pure. */
#ifndef VERIFY_SPF_MACRO_H
#define VERIFY_SPF_MACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No macro stands for more octets: longer input is refused before (spf.h). */
#define SPF_VALUE_MAX   1024
#define SPF_DOMAIN_SIZE 254

struct spf_error {
	size_t at; /* octet, from 0 */
	char why[160];
};
/* Says it; -1. */
int spf_error_at(struct spf_error *, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct spf_address {
	bool v6; /* never of an IPv4-mapped one (RFC 7208 5) */
	uint8_t octets[16];
};

/* What the letters stand for.  Texts of at most SPF_VALUE_MAX octets each. */
struct spf_macro {
	const char *local;         /* l */
	const char *sender_domain; /* o; s is l@o */
	const char *domain;        /* d: of the record that is evaluated */
	const char *helo;          /* h */
	const char *us;            /* r; "": unknown */
	const char *validated;     /* p; "": unknown */
	struct spf_address client; /* i, c, v */
	int64_t now;               /* t */
};

/* 0, or -1 and the first error: a character that may not stand there, a % that begins nothing, a
 * letter unknown or (not exp) allowed in explanations only, %{d0}.  exp: spaces may stand in it.
 * *ends: the last character belongs to a macro. */
int spf_macro_check(const char *s, size_t len, bool exp, bool *ends, struct spf_error *);
/* A checked string holds %{letter...}. */
bool spf_macro_uses(const char *s, size_t len, char letter);

/* Both take checked strings only. */
/* The name: at most 253 octets, whole labels cut off at its left (7.3), no final dot.  May be "". */
void spf_macro_domain(
    char dst[SPF_DOMAIN_SIZE], const char *s, size_t len, const struct spf_macro *);
/* A text, cut at size - 1 octets. */
void spf_macro_text(char *dst, size_t size, const char *s, size_t len, const struct spf_macro *);

/* The address as people write it. */
#define SPF_ADDRESS_SIZE 46
void spf_address_format(char dst[SPF_ADDRESS_SIZE], const struct spf_address *);
/* 0, -1: no address.  IPv4-mapped becomes IPv4. */
int spf_address_parse(struct spf_address *, const char *);

#endif
