/* http.h - reads one HTTP/1.x request (RFC 9112), strictly: what two programs could understand
 * differently is refused, not repaired.  Bare LF or CR, folded lines, blanks before a colon, two Hosts,
 * two lengths, a length and a transfer coding, targets that are neither a path nor the address of one: 400.  One request a
 * connection, so nothing that follows it is ever taken for a second one.
 *
 * The head is kept as it came for the event; at most HTTP_HEAD_MAX octets.  Pure but for the heap. */
#ifndef LIB_HTTP_H
#define LIB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

#define HTTP_HEAD_MAX   8192 /* of http_init; head_max may be lowered or raised after it */
#define HTTP_TARGET_MAX 1024
#define HTTP_HOST_MAX   255
#define HTTP_FIELDS_MAX 64

enum http_state {
	HTTP_READING, /* the head is not complete yet */
	HTTP_READ,    /* it is; see the request */
	HTTP_BAD      /* answer with status and close */
};

struct http_request {
	enum http_state state;
	unsigned status;                  /* HTTP_BAD: 400, 405, 411, 414, 417, 431, 501, 505 */
	const char *why;                  /* HTTP_BAD: what is wrong, for the event */
	char method[16];                  /* as received; "" unknown yet */
	char target[HTTP_TARGET_MAX + 1]; /* path and query, also of one in the absolute form */
	unsigned minor;                   /* HTTP/1.minor */
	char host[HTTP_HOST_MAX + 1];     /* without port, lower case; "" none */
	bool has_host;                    /* there was a Host field */
	bool absolute;                    /* host is that of the target (RFC 9112 3.2.2) */
	char agent[256];                  /* User-Agent */
	char type[128], encoding[32];     /* Content-Type, Content-Encoding */
	bool expects;                     /* Expect: 100-continue */
	bool takes_chunked; /* said by the caller after http_init; else Transfer-Encoding is 501 */
	bool chunked;       /* the body has the chunked coding (chunked.h) and no length */
	bool has_length;
	uint64_t length;    /* of the body */
	size_t head_max;    /* octets of a head that are read */
	size_t fields;      /* where the fields begin in head */
	struct strbuf head; /* the head as received, its last empty line included */
};
void http_init(struct http_request *);
void http_clear(struct http_request *);

/* Takes octets up to the end of the head; returns how many.  After HTTP_READ or HTTP_BAD: none. */
size_t http_input(struct http_request *, const char *bytes, size_t len);

/* The value of the field NAME (any case) of a head that was read, blanks around it removed; of several
 * the first.  Length, or -1: there is none, or it is longer than dstlen - 1. */
int http_field(const struct http_request *, const char *name, char *dst, size_t dstlen);
/* The values of all fields of this name, "," between them: of a list it is the same whether it stands in one
 * line or in several (RFC 9110 5.3).  What does not fit is cut off at the front.  Length, or -1: there is none. */
int http_list(const struct http_request *, const char *name, char *dst, size_t dstlen);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7). */
#define HTTP_DATE_MAX 40
void http_date(char dst[HTTP_DATE_MAX], int64_t t_us);

const char *http_reason(unsigned status); /* "OK", "Not Found"; never NULL */

#endif
