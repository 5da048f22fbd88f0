/* chunked.h - the chunked transfer coding of a request's body (RFC 9112 7.1), strictly: what two programs
 * could understand differently is refused.  Sizes are one to eight hexadecimal digits, every line ends in
 * CR LF, extensions and trailer fields are read over and bounded.  Pure but for the heap of the body. */
#ifndef LIB_CHUNKED_H
#define LIB_CHUNKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

#define CHUNKED_DIGITS_MAX 8
#define CHUNKED_EXTRA_MAX  1024 /* octets of extensions and trailers, all together */

enum chunked_state {
	CHUNKED_SIZE,      /* digits */
	CHUNKED_EXTENSION, /* after them, up to CR */
	CHUNKED_SIZE_LF,
	CHUNKED_DATA,
	CHUNKED_DATA_CR,
	CHUNKED_DATA_LF,
	CHUNKED_TRAILER, /* at the beginning of a line */
	CHUNKED_FIELD,   /* in a trailer field */
	CHUNKED_FIELD_LF,
	CHUNKED_LAST_LF,
	CHUNKED_DONE,  /* the body is complete */
	CHUNKED_BAD,   /* see why */
	CHUNKED_LARGE, /* more than the body may have */
};

struct chunked {
	enum chunked_state state;
	uint64_t left; /* of this chunk */
	unsigned digits;
	bool blank; /* a blank stands after the size: only an extension may follow */
	size_t extra;
	const char *why; /* CHUNKED_BAD, for the event */
};

/* Begin with all zero.  Appends data to body, which never has more than max octets; returns how many octets
 * it took: all, unless the body is done or the state is an error. */
size_t chunked_input(
    struct chunked *, struct strbuf *body, uint64_t max, const char *bytes, size_t len);

#endif
