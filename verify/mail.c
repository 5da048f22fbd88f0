#include "verify/mail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"

const struct mail_limits mail_limits = {
	.header_len = 256 << 10,
	.fields = 1000,
};

bool
span_is(struct span s, const char *word)
{
	return s.n == strlen(word) && (s.n == 0 || strncasecmp(s.p, word, s.n) == 0);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

static void __attribute__((format(printf, 2, 3))) wrong(struct mail *m, const char *fmt, ...)
{
	va_list ap;

	if (m->wrong[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(m->wrong, sizeof(m->wrong), fmt, ap);
	va_end(ap);
}

/* Up to and with its CR LF; what is left if there is none. */
static size_t
line_length(const char *p, size_t n)
{
	const char *at = p;

	while ((at = memchr(at, '\n', n - (size_t)(at - p))) != NULL) {
		at++;
		if (at - p >= 2 && at[-2] == '\r')
			return (size_t)(at - p);
	}
	return n;
}

/* The first line of a field: where its colon stands; -1: it is none (RFC 5322 3.6.8; blanks before the
 * colon: 4.5). */
static int
split(struct mail_field *f, const char *line, size_t n)
{
	size_t name = 0, colon;

	while (name < n && line[name] > 32 && line[name] < 127 && line[name] != ':')
		name++;
	for (colon = name; colon < n && (line[colon] == ' ' || line[colon] == '\t');)
		colon++;
	if (name == 0 || colon == n || line[colon] != ':')
		return -1;
	f->name = (struct span){ line, name };
	f->value.p = line + colon + 1;
	return 0;
}

static void
keep(struct mail *m, const struct mail_field *f, const struct mail_limits *limits)
{
	m->fields++;
	if (m->header_len > limits->header_len) {
		m->over_limit = true;
		wrong(m, "the header is larger than %zu octets", limits->header_len);
	}
	if (m->fields > limits->fields) {
		m->over_limit = true;
		wrong(m, "the header has more than %zu fields", limits->fields);
	}
	if (m->over_limit)
		return;
	m->field = xgrow(m->field, m->n, sizeof(m->field[0]));
	m->field[m->n++] = *f;
}

/* The field that starts at p, continuation lines with it; its length, 0: there is none. */
static size_t
take_field(struct mail_field *f, const char *p, size_t left)
{
	size_t n = line_length(p, left), end;

	if (split(f, p, n) < 0)
		return 0;
	while (n < left && (p[n] == ' ' || p[n] == '\t'))
		n += line_length(p + n, left - n);
	end = n >= 2 && p[n - 2] == '\r' && p[n - 1] == '\n' ? n - 2 : n;
	f->raw = (struct span){ p, n };
	f->value.n = (size_t)(p + end - f->value.p);
	return n;
}

static void
take_header(struct mail *m, const struct mail_limits *limits)
{
	const char *p = m->all.p;
	size_t left = m->all.n;

	while (left > 0 && !(left >= 2 && p[0] == '\r' && p[1] == '\n')) {
		struct mail_field f;
		size_t n = take_field(&f, p, left);
		if (n == 0) {
			wrong(
			    m, "after %zu fields comes a line that is no header field", m->fields);
			m->body = (struct span){ p, left };
			return;
		}
		m->header_len += n;
		keep(m, &f, limits);
		p += n;
		left -= n;
	}
	m->no_empty_line = left == 0;
	m->body = m->no_empty_line ? (struct span){ p, 0 } : (struct span){ p + 2, left - 2 };
}

static void
look_at_octets(struct mail *m)
{
	const char *p = m->all.p, *end = p + m->all.n;

	if (m->all.n == 0)
		return;
	m->nul = memchr(p, '\0', m->all.n) != NULL;
	for (const char *at = p; !m->bare_lf && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		m->bare_lf = at == p || at[-1] != '\r';
	for (const char *at = p; !m->bare_cr && (at = memchr(at, '\r', (size_t)(end - at))); at++)
		m->bare_cr = at + 1 == end || at[1] != '\n';
	for (size_t i = 0; !m->not_ascii && i < m->header_len; i++)
		m->not_ascii = (p[i] & 0x80) != 0;
}

void
mail_parse(struct mail *m, const char *data, size_t len, const struct mail_limits *limits)
{
	memset(m, 0, sizeof(*m));
	m->all = (struct span){ data, len };
	m->body = (struct span){ data, 0 };
	take_header(m, limits);
	look_at_octets(m);
	if (m->nul && memchr(data, '\0', m->header_len) != NULL)
		wrong(m, "there is a NUL in the header");
	if (m->bare_lf || m->bare_cr)
		wrong(m, "a line ends in %s alone, not in CR LF", m->bare_lf ? "LF" : "CR");
}

void
mail_clear(struct mail *m)
{
	free(m->field);
	memset(m, 0, sizeof(*m));
}

size_t
mail_count(const struct mail *m, const char *name)
{
	size_t n = 0, at = 0;

	while (mail_find(m, name, &at) != NULL)
		n++;
	return n;
}

const struct mail_field *
mail_find(const struct mail *m, const char *name, size_t *at)
{
	while (*at < m->n) {
		const struct mail_field *f = &m->field[(*at)++];
		if (span_is(f->name, name))
			return f;
	}
	return NULL;
}
