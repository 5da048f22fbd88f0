/* page.h - the one layout of all pages, and their building blocks.  Pages have no inline script or style
 * (the security policy forbids them), load nothing from elsewhere, and work without script.
 * Text passes html_text() (lib/html.h), parts of URLs html_url(): there is no third way into a page. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <stdbool.h>

#include "lib/html.h"
#include "lib/strbuf.h"

struct page {
	const char *title;  /* without the site's name */
	const char *here;   /* path of the entry of the navigation that is this page; NULL: none */
	const char *base;   /* the site's domain */
	bool index;         /* search engines may keep it */
	unsigned refresh_s; /* without script: load it again after so many seconds; 0: never */
	const char
	    *live; /* path of the stream (ROUTE_STREAM) that says when it has changed; NULL */
};
/* Up to and with <main>; what follows is its content, with one <h1>. */
void page_begin(struct strbuf *, const struct page *);
void page_end(struct strbuf *, const struct page *);

/* The hidden field that ROUTE_FORM wants: goes into <form method="post" action=PATH>. */
void page_token(struct strbuf *, const char *csrf);

/* "<pre>" of text with a button that copies it; label: what is copied, for screen readers.  The
 * button is there only with script. */
void page_copy(struct strbuf *, const char *label, const char *text);

/* What cannot be done and why: a whole page.  status is also its headline: "404 Not Found"; why and what (what
 * to do) are sentences; what may be NULL. */
void page_error(
    struct strbuf *, const char *base, unsigned status, const char *why, const char *what);
/* The same for programs, application/problem+json (RFC 9457); and who they are: below /api/.  target may be NULL. */
void page_problem(struct strbuf *, unsigned status, const char *why, const char *what);
bool page_is_program(const char *target);

#endif
