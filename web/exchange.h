/* exchange.h - one request and the response to it, as handlers see them.  A handler (route.h) reads the
 * upper half, asks and changes things through the desk, and fills the lower half: it always leaves a
 * complete response.  It touches no socket.  GET changes nothing, ever: what follows links (mail
 * scanners, crawlers, previews) must not enrol, confirm or forget anybody. */
#ifndef WEB_EXCHANGE_H
#define WEB_EXCHANGE_H

#include "lib/http.h"
#include "lib/listen.h"
#include "provisioning/site.h"
#include "web/form.h"
#include "web/page.h"
#include "web/route.h"

#define SUBJECT_MAX 64

struct desk;

struct exchange {
	struct desk *desk;
	const struct site *site;
	int64_t now_us;
	const struct http_request *http; /* head: http_field() */
	const char *body;
	size_t body_len;
	union sockaddr_any client; /* who asked; behind a proxy of ours the one that it names */
	struct form query;         /* of the URL; what cannot be read is 400 before the handler */
	struct form form;          /* ROUTE_FORM: checked already */
	char part[ROUTE_PARTS_MAX][ROUTE_PART_MAX + 1]; /* what {x} of the pattern stood for */

	unsigned status; /* 200 */
	char type[64];   /* "text/html; charset=utf-8" */
	struct strbuf out;
	struct strbuf fields;      /* exchange_field */
	char subject[SUBJECT_MAX]; /* ROUTE_STREAM, status 200: what to wait for, see desk.h */
};

/* Reads head and body, finds the route, checks what its flags ask for, calls its handler. */
void exchange_run(struct exchange *, const struct route *rows);
void exchange_clear(struct exchange *); /* all that it owns */

/* A response field; control characters in the value are left out. */
void exchange_field(struct exchange *, const char *name, const char *value);
/* 303: after a POST, so that loading again sends nothing twice.  path is ours, such as "/run/ID". */
void exchange_redirect(struct exchange *, const char *path);
/* A whole page that says what is wrong; as page_error().  Below /api/ a problem document (RFC 9457). */
void exchange_error(struct exchange *, unsigned status, const char *why, const char *what);
/* Begins the response as text of this type, for programs. */
void exchange_type(struct exchange *, const char *type);

/* page_begin() and page_end() with what is the same on all pages of the site. */
void exchange_page(struct exchange *, struct page *);
void exchange_page_end(struct exchange *, const struct page *);
/* <form method="post" action="PATH"> and the field that ROUTE_FORM wants of it. */
void exchange_form(struct exchange *, const char *path);

/* A browser that says it acts for another site (Origin, Sec-Fetch-Site) is not ours. */
bool exchange_is_ours(const struct http_request *);

#endif
