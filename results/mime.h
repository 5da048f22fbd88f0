/* mime.h - finds one part of a stranger's mail by its media type.  Pure; bounded: four levels of
 * multiparts, 32 parts, 256 header lines for each; what is beyond is not looked at.
 * RFC 5322 2.2 (header fields), RFC 2045 5 and 6 (types, encodings), RFC 2046 5.1 (multipart). */
#ifndef RESULTS_MIME_H
#define RESULTS_MIME_H

#include <stdbool.h>

#include "lib/strbuf.h"

/* Octets that belong to somebody else; not NUL-terminated. */
struct span {
	const char *s;
	size_t len;
};

struct mime_part {
	struct span head, body;
	char type[128]; /* lower case, without parameters; "text/plain" if none is said */
};

/* Splits a message or part at the empty line. */
void mime_split(struct mime_part *, const char *s, size_t len);
/* A header field's value, unfolded and trimmed, cut to what fits; false: there is none. */
bool mime_field(char *dst, size_t len, struct span head, const char *name);
/* A parameter of a field's value: mime_parameter(b, sizeof b, "a/b; x=\"y\"", "x") gives y. */
bool mime_parameter(char *dst, size_t len, const char *value, const char *name);

/* The first part (depth first, the message itself included) for which wanted says true. */
bool mime_find(struct mime_part *dst, const char *message, size_t len,
    bool (*wanted)(const struct mime_part *));

/* The body with its Content-Transfer-Encoding removed, at most max octets; false: an encoding that
 * nobody knows, or nothing that decodes, or more than max. */
bool mime_decode(struct strbuf *dst, const struct mime_part *, size_t max);

/* Blanks and line ends are skipped, decoding stops at '='.  false: an octet that is none of it. */
bool mime_base64(struct strbuf *dst, const char *s, size_t len, size_t max);
/* Writes the base64 of it and a NUL: dst has room for len * 4 / 3 + 5. */
void mime_base64_put(char *dst, const char *s, size_t len);

#endif
