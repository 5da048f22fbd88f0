#include "verify/taglist.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int __attribute__((format(printf, 2, 3))) wrong(struct taglist *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(l->wrong, sizeof(l->wrong), fmt, ap);
	va_end(ap);
	return -1;
}

/* CR and LF only as a fold: CR LF and a blank after it. */
static bool
folds_right(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			return false;
		if (s.p[i] != '\n')
			continue;
		if (i == 0 || s.p[i - 1] != '\r' || i + 1 == s.n)
			return false;
		if (s.p[i + 1] != ' ' && s.p[i + 1] != '\t')
			return false;
	}
	return true;
}

static int
check_name(struct taglist *l, struct span name)
{
	if (name.n == 0)
		return wrong(l, "tag %zu has no name", l->n + 1);
	if (!is_alpha(name.p[0]))
		return wrong(l, "tag %zu: a name begins with a letter", l->n + 1);
	for (size_t i = 0; i < name.n; i++)
		if (!is_alpha(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '_')
			return wrong(
			    l, "tag %zu: a character that no name of a tag may have", l->n + 1);
	for (size_t i = 0; i < l->n; i++)
		if (l->tag[i].name.n == name.n && memcmp(l->tag[i].name.p, name.p, name.n) == 0)
			return wrong(l, "tag %.*s= stands there twice",
			    (int)(name.n < 32 ? name.n : 32), name.p);
	return 0;
}

static int
check_value(struct taglist *l, struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if ((c < 33 && !is_space((char)c)) || c > 126)
			return wrong(
			    l, "tag %zu: octet 0x%02x is no character of a value", l->n + 1, c);
	}
	return 0;
}

static int
take_tag(struct taglist *l, struct span spec)
{
	const char *equals = memchr(spec.p, '=', spec.n);
	struct span name, value;

	if (equals == NULL)
		return wrong(l, "tag %zu has no =", l->n + 1);
	name = span_trim((struct span){ spec.p, (size_t)(equals - spec.p) });
	value = span_trim((struct span){ equals + 1, (size_t)(spec.p + spec.n - equals - 1) });
	if (!folds_right(spec))
		return wrong(l, "tag %zu: CR or LF that is no fold", l->n + 1);
	if (check_name(l, name) < 0 || check_value(l, value) < 0)
		return -1;
	if (l->n == TAGLIST_MAX)
		return wrong(l, "more than %d tags", TAGLIST_MAX);
	l->tag[l->n++] = (struct tag){ name, value };
	return 0;
}

int
taglist_parse(struct taglist *l, const char *text, size_t len)
{
	const char *end = text + len;

	l->n = 0;
	l->wrong[0] = '\0';
	if (span_trim((struct span){ text, len }).n == 0)
		return wrong(l, "empty");
	while (text < end) {
		const char *semicolon = memchr(text, ';', (size_t)(end - text));
		const char *stop = semicolon != NULL ? semicolon : end;
		struct span spec = { text, (size_t)(stop - text) };
		/* One semicolon may stand at the end. */
		if (semicolon == NULL && span_trim(spec).n == 0)
			break;
		if (take_tag(l, spec) < 0)
			return -1;
		text = semicolon != NULL ? stop + 1 : end;
	}
	return 0;
}

const struct tag *
taglist_get(const struct taglist *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->tag[i].name.n == strlen(name) &&
		    memcmp(l->tag[i].name.p, name, l->tag[i].name.n) == 0)
			return &l->tag[i];
	return NULL;
}

struct span
taglist_value(const struct taglist *l, const char *name, const char *fallback)
{
	const struct tag *t = taglist_get(l, name);

	return t != NULL ? t->value : (struct span){ fallback, strlen(fallback) };
}

bool
taglist_squeeze(char *dst, size_t size, struct span value)
{
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		if (is_space(value.p[i]))
			continue;
		if (n + 1 == size) {
			dst[n] = '\0';
			return false;
		}
		dst[n++] = value.p[i];
	}
	dst[n] = '\0';
	return true;
}

int64_t
taglist_number(struct span value)
{
	int64_t number = 0;

	if (value.n == 0 || value.n > 18)
		return -1;
	for (size_t i = 0; i < value.n; i++) {
		if (!is_digit(value.p[i]))
			return -1;
		number = number * 10 + (value.p[i] - '0');
	}
	return number;
}

bool
taglist_item(struct span *item, struct span *rest, char separator)
{
	const char *at;

	if (rest->p == NULL)
		return false;
	at = rest->n > 0 ? memchr(rest->p, separator, rest->n) : NULL;
	if (at == NULL) {
		*item = span_trim(*rest);
		*rest = (struct span){ NULL, 0 };
	} else {
		*item = span_trim((struct span){ rest->p, (size_t)(at - rest->p) });
		*rest = (struct span){ at + 1, (size_t)(rest->p + rest->n - at - 1) };
	}
	return true;
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
taglist_base64(uint8_t *dst, size_t size, struct span value)
{
	uint32_t bits = 0;
	size_t n = 0, digits = 0, padding = 0, have = 0;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		int v = sextet(c);
		if (is_space(c))
			continue;
		if (c == '=' && ++padding <= 2)
			continue;
		if (v < 0 || padding > 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		digits++;
		have += 6;
		if (have < 8)
			continue;
		if (n == size)
			return -1;
		have -= 8;
		dst[n++] = (uint8_t)(bits >> have);
	}
	if (n == 0 || digits % 4 == 1 || (digits + padding) % 4 != 0)
		return -1;
	return (int)n;
}
