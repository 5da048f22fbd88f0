/* mime.c - header fields, multiparts and transfer encodings. */
#include "results/mime.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#define DEPTH_MAX 4
#define PARTS_MAX 32
#define LINES_MAX 256 /* of a head */

/* The line at s without its end; *next is where the following one begins. */
static struct span
line_at(const char *s, const char *end, const char **next)
{
	const char *nl = memchr(s, '\n', (size_t)(end - s));
	const char *stop = nl == NULL ? end : nl;

	*next = nl == NULL ? end : nl + 1;
	if (stop > s && stop[-1] == '\r')
		stop--;
	return (struct span){ s, (size_t)(stop - s) };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim(struct span v)
{
	while (v.len > 0 && is_blank(v.s[0])) {
		v.s++;
		v.len--;
	}
	while (v.len > 0 && is_blank(v.s[v.len - 1]))
		v.len--;
	return v;
}

static void
append(char *dst, size_t len, size_t *at, struct span v)
{
	for (size_t i = 0; i < v.len && *at + 1 < len; i++)
		dst[(*at)++] = v.s[i] == '\0' ? '?' : v.s[i];
	dst[*at] = '\0';
}

bool
mime_field(char *dst, size_t len, struct span head, const char *name)
{
	const char *p = head.s, *end = head.s + head.len;
	size_t want = strlen(name), at = 0;
	bool in = false;

	*dst = '\0';
	for (unsigned lines = 0; p < end && lines < LINES_MAX; lines++) {
		struct span l = line_at(p, end, &p);
		if (l.len > 0 && is_blank(l.s[0])) {
			if (in) {
				append(dst, len, &at, (struct span){ " ", at > 0 ? 1 : 0 });
				append(dst, len, &at, trim(l));
			}
			continue;
		}
		if (in)
			break;
		if (l.len > want && l.s[want] == ':' && strncasecmp(l.s, name, want) == 0) {
			in = true;
			append(
			    dst, len, &at, trim((struct span){ l.s + want + 1, l.len - want - 1 }));
		}
	}
	return in;
}

/* Behind one parameter's value; it is copied if dst is not NULL. */
static const char *
value_end(const char *p, char *dst, size_t len)
{
	bool quoted = *p == '"';
	size_t at = 0;

	for (p += quoted; *p != '\0' && *p != (quoted ? '"' : ';'); p++) {
		if (!quoted && is_blank(*p))
			break;
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		if (dst != NULL && at + 1 < len)
			dst[at++] = *p;
	}
	if (dst != NULL)
		dst[at] = '\0';
	return p + (quoted && *p == '"');
}

bool
mime_parameter(char *dst, size_t len, const char *value, const char *name)
{
	const char *p = value + strcspn(value, ";");
	size_t want = strlen(name);

	*dst = '\0';
	while (*p == ';') {
		p++;
		p += strspn(p, " \t");
		size_t n = strcspn(p, "=; \t");
		const char *v = p + n + strspn(p + n, " \t");
		if (*v == '=') {
			v++;
			v += strspn(v, " \t");
			bool it = n == want && strncasecmp(p, name, n) == 0;
			p = value_end(v, it ? dst : NULL, len);
			if (it)
				return true;
		} else {
			p = v;
		}
		p += strcspn(p, ";");
	}
	return false;
}

void
mime_split(struct mime_part *part, const char *s, size_t len)
{
	const char *p = s, *end = s + len;
	char value[512];

	*part = (struct mime_part){ .body = { end, 0 } };
	while (p < end) {
		const char *line = p;
		struct span l = line_at(p, end, &p);
		if (l.len == 0) {
			part->head = (struct span){ s, (size_t)(line - s) };
			part->body = (struct span){ p, (size_t)(end - p) };
			break;
		}
	}
	if (part->head.s == NULL)
		part->head = (struct span){ s, len };
	snprintf(part->type, sizeof part->type, "text/plain");
	if (mime_field(value, sizeof value, part->head, "Content-Type")) {
		size_t n = strcspn(value, "; \t");
		if (n > 0 && n < sizeof part->type) {
			for (size_t i = 0; i < n; i++)
				part->type[i] = (char)tolower((unsigned char)value[i]);
			part->type[n] = '\0';
		}
	}
}

struct search {
	bool (*wanted)(const struct mime_part *);
	unsigned parts;
};
static bool find(struct mime_part *dst, struct search *, struct span at, unsigned depth);

/* 0: no delimiter; 1: one; 2: the last. */
static int
delimiter(struct span l, const char *boundary, size_t len)
{
	if (l.len < len + 2 || memcmp(l.s, "--", 2) != 0 || memcmp(l.s + 2, boundary, len) != 0)
		return 0;
	l = trim((struct span){ l.s + 2 + len, l.len - 2 - len });
	return l.len == 0 ? 1 : l.len == 2 && memcmp(l.s, "--", 2) == 0 ? 2 : 0;
}

static bool
find_inside(struct mime_part *dst, struct search *s, const struct mime_part *multi, unsigned depth)
{
	const char *p = multi->body.s, *end = p + multi->body.len, *from = NULL;
	char value[1024], boundary[128]; /* RFC 2046 5.1.1: at most 70 */
	size_t len;

	if (!mime_field(value, sizeof value, multi->head, "Content-Type") ||
	    !mime_parameter(boundary, sizeof boundary, value, "boundary"))
		return false;
	len = strlen(boundary);
	while (p < end && s->parts < PARTS_MAX) {
		const char *line = p;
		int is = delimiter(line_at(p, end, &p), boundary, len);
		if (is == 0)
			continue;
		if (from != NULL &&
		    find(dst, s, (struct span){ from, (size_t)(line - from) }, depth + 1))
			return true;
		from = p;
		if (is == 2)
			return false;
	}
	/* A mail that was cut has no last delimiter. */
	return from != NULL && s->parts < PARTS_MAX &&
	       find(dst, s, (struct span){ from, (size_t)(end - from) }, depth + 1);
}

static bool
find(struct mime_part *dst, struct search *s, struct span at, unsigned depth)
{
	struct mime_part part;

	s->parts++;
	mime_split(&part, at.s, at.len);
	if (s->wanted(&part)) {
		*dst = part;
		return true;
	}
	return depth < DEPTH_MAX && strncmp(part.type, "multipart/", 10) == 0 &&
	       find_inside(dst, s, &part, depth);
}

bool
mime_find(struct mime_part *dst, const char *message, size_t len,
    bool (*wanted)(const struct mime_part *))
{
	struct search s = { .wanted = wanted };

	return find(dst, &s, (struct span){ message, len }, 0);
}

static int
base64_value(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'             ? 62
	       : c == '/'             ? 63
				      : -1;
}

bool
mime_base64(struct strbuf *dst, const char *s, size_t len, size_t max)
{
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < len && s[i] != '='; i++) {
		int v = base64_value(s[i]);
		if (s[i] == '\r' || s[i] == '\n' || is_blank(s[i]))
			continue;
		if (v < 0)
			return false;
		bits = bits << 6 | (unsigned)v;
		have += 6;
		if (have >= 8) {
			char c = (char)(bits >> (have - 8));
			have -= 8;
			if (dst->len >= max)
				return false;
			strbuf_add(dst, &c, 1);
		}
	}
	return true;
}

void
mime_base64_put(char *dst, const char *s, size_t len)
{
	EVP_EncodeBlock((unsigned char *)dst, (const unsigned char *)s, (int)len);
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* RFC 2045 6.7. */
static bool
quoted_printable(struct strbuf *dst, struct span in, size_t max)
{
	const char *p = in.s, *end = in.s + in.len;

	while (p < end) {
		struct span l = line_at(p, end, &p);
		bool soft = false;
		while (l.len > 0 && is_blank(l.s[l.len - 1]))
			l.len--;
		for (size_t i = 0; i < l.len; i++) {
			char c = l.s[i];
			if (c == '=' && i + 1 == l.len) {
				soft = true;
				break;
			}
			if (c == '=') {
				int hi = hex_value(l.s[i + 1]);
				int lo = i + 2 < l.len ? hex_value(l.s[i + 2]) : -1;
				if (hi < 0 || lo < 0)
					return false;
				c = (char)(hi << 4 | lo);
				i += 2;
			}
			strbuf_add(dst, &c, 1);
		}
		if (!soft)
			strbuf_puts(dst, "\r\n");
		if (dst->len > max)
			return false;
	}
	return true;
}

bool
mime_decode(struct strbuf *dst, const struct mime_part *part, size_t max)
{
	char encoding[64];

	if (!mime_field(encoding, sizeof encoding, part->head, "Content-Transfer-Encoding"))
		snprintf(encoding, sizeof encoding, "7bit");
	encoding[strcspn(encoding, "; \t")] = '\0';
	if (strcasecmp(encoding, "base64") == 0)
		return mime_base64(dst, part->body.s, part->body.len, max);
	if (strcasecmp(encoding, "quoted-printable") == 0)
		return quoted_printable(dst, part->body, max);
	if (strcasecmp(encoding, "7bit") != 0 && strcasecmp(encoding, "8bit") != 0 &&
	    strcasecmp(encoding, "binary") != 0)
		return false;
	if (part->body.len > max)
		return false;
	strbuf_add(dst, part->body.s, part->body.len);
	return true;
}
