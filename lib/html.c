/* html.c - see html.h. */
#include "lib/html.h"

#include <ctype.h>
#include <string.h>

#include "lib/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static const char *
entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void
html_textn(struct strbuf *b, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		const unsigned char *p = (const unsigned char *)s + i;
		const char *e = entity(*p);

		n = utf8_length(s + i, len - i);
		if (e != NULL)
			strbuf_puts(b, e);
		else if (n == 0 || (!utf8_is_plain(s + i, n) && *p != '\n' && *p != '\t'))
			strbuf_puts(b, REPLACEMENT);
		else
			strbuf_add(b, s + i, n);
		if (n == 0)
			n = 1;
	}
}

void
html_text(struct strbuf *b, const char *s)
{
	if (s != NULL)
		html_textn(b, s, strlen(s));
}

void
html_url(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) != NULL)
			strbuf_add(b, s, 1);
		else
			strbuf_printf(b, "%%%02X", (unsigned char)*s);
	}
}
