/* form.c - see form.h. */
#include "web/form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes (s, len) to *out, which moves behind the NUL.  false: not well-formed. */
static bool
decode(char **out, const char *s, size_t len)
{
	char *p = *out;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			int high = len - i > 2 ? digit(s[i + 1]) : -1;
			int low = len - i > 2 ? digit(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		if (c == '\0')
			return false;
		*p++ = (char)c;
	}
	*p++ = '\0';
	*out = p;
	return true;
}

static bool
add_field(struct form *f, char **out, const char *s, size_t len)
{
	const char *equals = memchr(s, '=', len);
	size_t name = equals != NULL ? (size_t)(equals - s) : len;

	if (f->n == FORM_FIELDS_MAX)
		return false;
	f->field[f->n].name = *out;
	if (!decode(out, s, name))
		return false;
	f->field[f->n].value = *out;
	if (!decode(out, s + name + (equals != NULL), len - name - (equals != NULL)))
		return false;
	f->n++;
	return true;
}

bool
form_parse(struct form *dst, const char *text, size_t len)
{
	char *out;

	memset(dst, 0, sizeof *dst);
	if (len == 0)
		return true;
	/* Decoded it is never longer, but for two NULs a field. */
	out = dst->mem = xmalloc(len + 2 * FORM_FIELDS_MAX);
	for (size_t at = 0; at <= len;) {
		const char *end = at < len ? memchr(text + at, '&', len - at) : NULL;
		size_t n = end != NULL ? (size_t)(end - text) - at : len - at;

		if (n > 0 && !add_field(dst, &out, text + at, n)) {
			form_clear(dst);
			return false;
		}
		at += n + 1;
	}
	return true;
}

void
form_clear(struct form *f)
{
	free(f->mem);
	memset(f, 0, sizeof *f);
}

const char *
form_get(const struct form *f, const char *name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->field[i].name, name) == 0)
			return f->field[i].value;
	return "";
}
