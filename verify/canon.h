/* canon.h - canonical forms of header fields and of the body (RFC 6376 3.4), as they go into a hash. */
#ifndef VERIFY_CANON_H
#define VERIFY_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"
#include "verify/mail.h"

enum canon { CANON_SIMPLE, CANON_RELAXED };

/* Takes the next octets of a canonical form. */
struct canon_sink {
	void (*add)(void *ctx, const void *data, size_t len);
	void *ctx;
};

/* The field with its final CRLF, as it stands among the signed ones. */
void canon_field(const struct canon_sink *, enum canon, const struct mail_field *);
/* The signature field itself: the value of its b= tag is left out and there is no CRLF at the end. */
void canon_signature(const struct canon_sink *, enum canon, const struct mail_field *);
/* The body, its first limit octets.  Returns the whole length of the canonical body.  An empty body is CRLF
 * (simple) or nothing (relaxed). */
uint64_t canon_body(const struct canon_sink *, enum canon, struct span body, uint64_t limit);

#endif
