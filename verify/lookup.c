#include "verify/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one record costs in a DNS message beside its data, its owner compressed (RFC 1035 4.1.3). */
#define RECORD_OVERHEAD 12

struct lookups {
	size_t n, max;
	struct lookup **all; /* max of them */
	struct lookup too_many, no_name;
};

struct lookups *
lookups_new(size_t max)
{
	struct lookups *b = calloc(1, sizeof(*b));

	if (b == NULL || (b->all = calloc(max > 0 ? max : 1, sizeof(struct lookup *))) == NULL) {
		free(b);
		return NULL;
	}
	b->max = max;
	b->too_many.status = LOOKUP_FAILED;
	snprintf(b->too_many.why, sizeof(b->too_many.why), "too many lookups");
	b->no_name.status = LOOKUP_NXDOMAIN;
	return b;
}

void
lookups_free(struct lookups *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++) {
		free(b->all[i]->rdata);
		free(b->all[i]);
	}
	free(b->all);
	free(b);
}

/* One octet of a label as text; returns what it took. */
static size_t
put_octet(char *dst, uint8_t c)
{
	if (c > 0x20 && c < 0x7f && c != '.' && c != '\\') {
		*dst = (char)c;
		return 1;
	}
	dst[0] = '\\';
	dst[1] = (char)('0' + c / 100);
	dst[2] = (char)('0' + c / 10 % 10);
	dst[3] = (char)('0' + c % 10);
	return 4;
}

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The octet after a \, 1 or 3 characters long; -1: none.  *p moves behind it. */
static int
unescape(const char **p)
{
	const char *s = *p;
	int value;

	if (!digit(s[0])) {
		*p += s[0] != '\0';
		return s[0] != '\0' ? (uint8_t)s[0] : -1;
	}
	if (!digit(s[1]) || !digit(s[2]))
		return -1;
	value = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
	*p += 3;
	return value <= 255 ? value : -1;
}

/* name as the book writes it; false: it is no domain name. */
static bool
canonical(char dst[LOOKUP_NAME_SIZE], const char *name)
{
	size_t label = 0, octets = 0, n = 0;

	while (*name != '\0') {
		int c = (uint8_t)*name++;

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			if (*name == '\0')
				break;
		} else if (c == '\\' && (c = unescape(&name)) < 0) {
			return false;
		} else if (++label > 63) {
			return false;
		}
		if (++octets > 253)
			return false;
		if (label == 0) {
			dst[n++] = '.';
			continue;
		}
		n += put_octet(dst + n, (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
	}
	dst[n] = '\0';
	return n > 0;
}

static struct lookup *
find(const struct lookups *b, const char *name, uint16_t type)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->all[i]->type == type && strcmp(b->all[i]->name, name) == 0)
			return b->all[i];
	return NULL;
}

const struct lookup *
lookup_get(struct lookups *b, const char *name, uint16_t type)
{
	char text[LOOKUP_NAME_SIZE];
	struct lookup *l;

	if (!canonical(text, name))
		return &b->no_name;
	if ((l = find(b, text, type)) != NULL)
		return l;
	if (b->n == b->max)
		return &b->too_many;
	l = xcalloc(1, sizeof(*l));
	memcpy(l->name, text, strlen(text) + 1);
	l->type = type;
	return b->all[b->n++] = l;
}

const struct lookup *
lookup_wanted(const struct lookups *b, size_t *iter)
{
	while (*iter < b->n) {
		const struct lookup *l = b->all[(*iter)++];

		if (l->status == LOOKUP_WANTED)
			return l;
	}
	return NULL;
}

/* rdata and what they point to in one block. */
static struct lookup_rdata *
copy(const struct lookup_rdata *rdata, size_t n, size_t octets)
{
	struct lookup_rdata *all = xmalloc(n * sizeof(*all) + octets);
	uint8_t *data = (uint8_t *)(all + n);

	for (size_t i = 0; i < n; i++) {
		all[i] = (struct lookup_rdata){ data, rdata[i].len };
		if (rdata[i].len > 0)
			memcpy(data, rdata[i].data, rdata[i].len);
		data += rdata[i].len;
	}
	return all;
}

int
lookup_put(struct lookups *b, const char *name, uint16_t type, enum lookup_status status,
    bool secure, const char *why, const struct lookup_rdata *rdata, size_t n)
{
	char text[LOOKUP_NAME_SIZE];
	struct lookup *l;
	size_t octets = 0;

	if (status == LOOKUP_WANTED || !canonical(text, name) ||
	    (l = find(b, text, type)) == NULL || l->status != LOOKUP_WANTED)
		return -1;
	if (status != LOOKUP_OK)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		octets += rdata[i].len;
		if (octets + (i + 1) * RECORD_OVERHEAD > LOOKUP_DATA_MAX) {
			l->status = LOOKUP_FAILED;
			snprintf(l->why, sizeof(l->why), "answer too large");
			return -1;
		}
	}
	l->status = status == LOOKUP_OK && n == 0 ? LOOKUP_NODATA : status;
	l->secure = secure;
	snprintf(l->why, sizeof(l->why), "%s", why != NULL ? why : "");
	if (n > 0)
		l->rdata = copy(rdata, n, octets);
	l->n = n;
	return 0;
}

const struct lookup *
lookup_at(const struct lookups *b, size_t i)
{
	return i < b->n ? b->all[i] : NULL;
}

int
lookup_name(char dst[LOOKUP_NAME_SIZE], const uint8_t *data, size_t len)
{
	size_t at = 0, n = 0;

	while (at < len && data[at] != 0) {
		size_t label = data[at++];

		if (label > 63 || label >= len - at || at + label > 254)
			return -1;
		if (n > 0)
			dst[n++] = '.';
		for (size_t i = 0; i < label; i++)
			n += put_octet(dst + n, data[at + i]);
		at += label;
	}
	if (at == len)
		return -1;
	dst[n] = '\0';
	return (int)at + 1;
}

int
lookup_txt(struct strbuf *dst, const struct lookup_rdata *r)
{
	for (size_t at = 0; at < r->len; at += 1u + r->data[at])
		if (r->data[at] > r->len - at - 1)
			return -1;
	for (size_t at = 0; at < r->len; at += 1u + r->data[at])
		strbuf_add(dst, r->data + at + 1, r->data[at]);
	return 0;
}
