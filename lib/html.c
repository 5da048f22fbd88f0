/* html.c - see html.h. */
#include "lib/html.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* U+202A..U+202E is e2 80 aa..ae, U+2066..U+2069 is e2 81 a6..a9. */
static bool
turns_text(const unsigned char *p)
{
	return p[0] == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) ||
				   (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

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
		else if (n == 0 ||
			 (n == 1 && (*p == 0x7f || (*p < 0x20 && *p != '\n' && *p != '\t'))) ||
			 (n == 2 && p[0] == 0xc2 && p[1] < 0xa0) || (n == 3 && turns_text(p)))
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
