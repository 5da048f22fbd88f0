#include "lib/strbuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/utf8.h"

static void
strbuf_room(struct strbuf *b, size_t more)
{
	size_t need;

	if (more > SIZE_MAX / 4 - b->len)
		log_fatal(EXIT_CANNOT, "out of memory: %zu bytes more", more);
	need = b->len + more + 1;
	if (need <= b->cap)
		return;
	b->cap = b->cap < 64 ? 64 : b->cap;
	while (b->cap < need)
		b->cap *= 2;
	b->s = xrealloc(b->s, b->cap);
}

void
strbuf_add(struct strbuf *b, const void *data, size_t len)
{
	strbuf_room(b, len);
	if (len > 0)
		memcpy(b->s + b->len, data, len);
	b->len += len;
	b->s[b->len] = '\0';
}

void
strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

void
strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? b->s + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		log_fatal(EXIT_CANNOT, "cannot format \"%s\"", fmt);
	if ((size_t)n >= room) {
		strbuf_room(b, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(b->s + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void
strbuf_json(struct strbuf *b, const char *data, size_t len)
{
	strbuf_add(b, "\"", 1);
	for (size_t i = 0; i < len;) {
		size_t plain = 0, n;

		while (i + plain < len && (unsigned char)data[i + plain] >= 0x20 &&
		       data[i + plain] != '"' && data[i + plain] != '\\' &&
		       data[i + plain] != 0x7f &&
		       (n = utf8_length(data + i + plain, len - i - plain)) > 0)
			plain += n;
		strbuf_add(b, data + i, plain);
		i += plain;
		if (i == len)
			break;
		if (data[i] == '"' || data[i] == '\\')
			strbuf_printf(b, "\\%c", data[i]);
		else
			strbuf_printf(b, "\\u00%02x", (unsigned char)data[i]);
		i++;
	}
	strbuf_add(b, "\"", 1);
}

void
strbuf_reset(struct strbuf *b)
{
	b->len = 0;
	if (b->s != NULL)
		b->s[0] = '\0';
}

void
strbuf_clear(struct strbuf *b)
{
	free(b->s);
	memset(b, 0, sizeof(*b));
}

static void *
checked(void *p, size_t size)
{
	if (p == NULL)
		log_fatal(EXIT_CANNOT, "out of memory: %zu bytes", size);
	return p;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1), size);
}

void *
xcalloc(size_t n, size_t size)
{
	return checked(n > 0 && size > 0 ? calloc(n, size) : calloc(1, 1), size);
}

void *
xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size > 0 ? size : 1), size);
}

void *
xgrow(void *items, size_t n, size_t size)
{
	/* Capacity is the next power of two: grown when n is one. */
	if (n != 0 && (n & (n - 1)) != 0)
		return items;
	return xrealloc(items, (n == 0 ? 1 : 2 * n) * size);
}

char *
xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t len)
{
	size_t n = strnlen(s, len);
	char *copy = xmalloc(n + 1);

	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		log_fatal(EXIT_CANNOT, "out of memory: formatting \"%s\"", fmt);
	return s;
}
