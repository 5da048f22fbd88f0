/* html.h - the one place where text becomes part of a page.  Whatever a stranger may have said passes here. */
#ifndef LIB_HTML_H
#define LIB_HTML_H

#include "lib/strbuf.h"

/* Text, or the value of an attribute in double quotes: & < > " ' are escaped; control characters other than
 * LF and TAB, octets that are no UTF-8, and the characters that turn the direction of text
 * around (U+202A to U+202E, U+2066 to U+2069) become U+FFFD. */
void html_text(struct strbuf *, const char *);
void html_textn(struct strbuf *, const char *, size_t len);

/* One component of a URL (RFC 3986): all but unreserved characters as %XX; fit for an attribute as it is. */
void html_url(struct strbuf *, const char *);

#endif
