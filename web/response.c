/* response.c - what every response says: response_write of serve.h. */
#include <string.h>

#include "web/serve.h"

/* Nothing inline, nothing from elsewhere, in nobody's frame (CSP Level 3).  HSTS is for this host alone: hosts
 * below it have wrong certificates on purpose (RFC 6797 6.1.2).  With no-referrer a browser would
 * say "Origin: null" for our own forms, so the referrer stays within the site. */
static const char protects[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
    "'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n";

void
response_write(struct strbuf *b, const struct response *r, int64_t now_us)
{
	char date[HTTP_DATE_MAX];

	http_date(date, now_us);
	strbuf_printf(b, "HTTP/1.1 %u %s\r\nDate: %s\r\n", r->status, http_reason(r->status), date);
	strbuf_printf(b, "Content-Type: %s\r\n", r->type);
	if (!r->stream)
		strbuf_printf(b, "Content-Length: %zu\r\n", r->len);
	strbuf_printf(b, "Cache-Control: %s\r\nConnection: %s\r\n", r->cache,
	    r->keep ? "keep-alive" : "close");
	strbuf_puts(b, protects);
	if (r->secure)
		strbuf_puts(b, "Strict-Transport-Security: max-age=31536000\r\n");
	if (r->fields != NULL)
		strbuf_puts(b, r->fields);
	strbuf_puts(b, "\r\n");
	if (!r->head && r->len > 0)
		strbuf_add(b, r->body, r->len);
}
