/* eventhead.c - one pass over the line, nothing copied: loading a store is mostly this. */
#include "results/eventhead.h"

#include <stdbool.h>
#include <string.h>

#include "lib/clock.h"

/* The string that starts at p (after its quote); NULL: it does not end before end. */
static const char *
string_end(const char *p, const char *end)
{
	for (; p < end; p++) {
		if (*p == '"')
			return p;
		if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
			return NULL;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

static bool
is(const struct eventhead_span *s, const char *name)
{
	return s->len == strlen(name) && memcmp(s->s, name, s->len) == 0;
}

/* One member from p on; the place after it, or NULL: no such thing. */
static const char *
member(struct eventhead *h, const char *p, const char *end)
{
	struct eventhead_span key, val;
	const char *q;

	if (p >= end || *p != '"' || (q = string_end(p + 1, end)) == NULL)
		return NULL;
	key = (struct eventhead_span){ p + 1, (size_t)(q - p - 1) };
	p = q + 1;
	if (p + 1 >= end || *p++ != ':')
		return NULL;
	if (*p != '"') {
		q = p;
		while (
		    q < end && (*q == '-' || (*q >= '0' && *q <= '9') || (*q >= 'a' && *q <= 'z')))
			q++;
		return q == p ? NULL : q;
	}
	if ((q = string_end(p + 1, end)) == NULL)
		return NULL;
	val = (struct eventhead_span){ p + 1, (size_t)(q - p - 1) };
	if (is(&key, "t")) {
		if (clock_parse(&h->t, val.s, val.len) < 0)
			return NULL;
	} else if (is(&key, "ev")) {
		h->ev = val;
	} else if (is(&key, "node")) {
		h->node = val;
	} else if (is(&key, "token")) {
		h->token = val;
	} else if (is(&key, "conn")) {
		h->conn = val;
	}
	return q + 1;
}

const char *
eventhead_read(struct eventhead *h, const char *line, size_t len)
{
	const char *p = line, *end = line + len;

	*h = (struct eventhead){ .t = INT64_MIN };
	if (len < 2 || *p != '{')
		return "no object";
	do {
		p++;
		if ((p = member(h, p, end)) == NULL)
			return "not a flat object, or a bad time";
	} while (p < end && *p == ',');
	if (p + 1 != end || *p != '}')
		return "does not end with the object";
	if (h->t == INT64_MIN || h->ev.len == 0 || h->node.len == 0)
		return "without t, ev or node";
	return NULL;
}
