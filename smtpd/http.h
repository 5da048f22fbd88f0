/* http.h - reads one HTTP/1.x request (RFC 9112), strictly: what two programs could understand
 * differently is refused, not repaired.  Bare LF or CR, folded lines, blanks before a colon, two Hosts,
 * two lengths, a length and a transfer coding, targets that are no path: 400.  One request a
 * connection, so nothing that follows it is ever taken for a second one.
 *
 * The head is kept as it came for the event; at most HTTP_HEAD_MAX octets.  Pure but for the heap. */
#ifndef SMTPD_HTTP_H
#define SMTPD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

#define HTTP_HEAD_MAX   8192
#define HTTP_TARGET_MAX 1024
#define HTTP_FIELDS_MAX 64

enum http_state {
	HTTP_READING, /* the head is not complete yet */
	HTTP_READ,    /* it is; see the request */
	HTTP_BAD      /* answer with status and close */
};

struct http_request {
	enum http_state state;
	unsigned status; /* HTTP_BAD: 400, 405, 411, 414, 417, 431, 501, 505 */
	const char *why; /* HTTP_BAD: what is wrong, for the event */
	char method[16]; /* as received; "" unknown yet */
	char target[HTTP_TARGET_MAX + 1];
	unsigned minor;               /* HTTP/1.minor */
	char host[256];               /* Host field without port, lower case; "" none */
	char agent[256];              /* User-Agent */
	char type[128], encoding[32]; /* Content-Type, Content-Encoding */
	bool expects;                 /* Expect: 100-continue */
	bool has_length;
	uint64_t length;    /* of the body */
	size_t fields;      /* where the fields begin in head */
	struct strbuf head; /* the head as received, its last empty line included */
};
void http_init(struct http_request *);
void http_clear(struct http_request *);

/* Takes octets up to the end of the head; returns how many.  After HTTP_READ or HTTP_BAD: none. */
size_t http_input(struct http_request *, const char *bytes, size_t len);

const char *http_reason(unsigned status); /* "OK", "Not Found"; never NULL */

#endif
