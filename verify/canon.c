#include "verify/canon.h"

#include <string.h>

/* What is written octet by octet goes out in blocks. */
struct out {
	const struct canon_sink *sink;
	uint64_t total, limit; /* what is over the limit is only counted */
	size_t n;
	char block[4096];
};

static void
flush(struct out *o)
{
	if (o->n > 0)
		o->sink->add(o->sink->ctx, o->block, o->n);
	o->n = 0;
}

static void
put(struct out *o, const char *p, size_t n)
{
	uint64_t room = o->total < o->limit ? o->limit - o->total : 0;
	size_t take = n < room ? n : (size_t)room;

	o->total += n;
	if (take > sizeof(o->block) - o->n)
		flush(o);
	if (take > sizeof(o->block)) {
		o->sink->add(o->sink->ctx, p, take);
	} else {
		memcpy(o->block + o->n, p, take);
		o->n += take;
	}
}

static void
begin(struct out *o, const struct canon_sink *sink, uint64_t limit)
{
	o->sink = sink;
	o->total = 0;
	o->limit = limit;
	o->n = 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
ends_line(const char *p, size_t n)
{
	return n >= 2 && p[0] == '\r' && p[1] == '\n';
}

/* --- header fields (RFC 6376 3.4.1, 3.4.2) --- */

static void
put_lower(struct out *o, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		put(o, &c, 1);
	}
}

/* Folds open, runs of blanks are one blank, none at the ends. */
static void
put_relaxed(struct out *o, struct span s, bool *any, bool *blank)
{
	for (size_t i = 0; i < s.n; i++) {
		if (is_blank(s.p[i])) {
			*blank = true;
		} else if (ends_line(s.p + i, s.n - i)) {
			i++;
		} else {
			if (*blank && *any)
				put(o, " ", 1);
			*blank = false;
			*any = true;
			put(o, s.p + i, 1);
		}
	}
}

static void
put_field(struct out *o, enum canon how, const struct mail_field *f, struct span hole)
{
	struct span before = { f->value.p, (size_t)(hole.p - f->value.p) };
	struct span after = { hole.p + hole.n,
		(size_t)(f->value.p + f->value.n - (hole.p + hole.n)) };
	bool any = false, blank = false;

	if (how == CANON_SIMPLE) {
		put(o, f->raw.p, (size_t)(f->value.p - f->raw.p));
		put(o, before.p, before.n);
		put(o, after.p, after.n);
		return;
	}
	put_lower(o, f->name);
	put(o, ":", 1);
	put_relaxed(o, before, &any, &blank);
	put_relaxed(o, after, &any, &blank);
}

void
canon_field(const struct canon_sink *sink, enum canon how, const struct mail_field *f)
{
	struct out o;

	begin(&o, sink, UINT64_MAX);
	put_field(&o, how, f, (struct span){ f->value.p, 0 });
	put(&o, "\r\n", 2);
	flush(&o);
}

/* The value of the b= tag as it stands there, blanks around it too (RFC 6376 3.5: all of it goes). */
static struct span
find_signature(struct span value)
{
	const char *end = value.p + value.n;

	for (const char *p = value.p; p < end;) {
		const char *semicolon = memchr(p, ';', (size_t)(end - p));
		const char *stop = semicolon != NULL ? semicolon : end;
		const char *equals = memchr(p, '=', (size_t)(stop - p));
		if (equals != NULL) {
			struct span name = span_trim((struct span){ p, (size_t)(equals - p) });
			if (name.n == 1 && name.p[0] == 'b')
				return (struct span){ equals + 1, (size_t)(stop - equals - 1) };
		}
		p = semicolon != NULL ? stop + 1 : end;
	}
	return (struct span){ end, 0 };
}

void
canon_signature(const struct canon_sink *sink, enum canon how, const struct mail_field *f)
{
	struct out o;

	begin(&o, sink, UINT64_MAX);
	put_field(&o, how, f, find_signature(f->value));
	flush(&o);
}

/* --- the body (RFC 6376 3.4.3, 3.4.4) --- */

/* One line without its CR LF: runs of blanks are one blank, none at the end. */
static void
put_relaxed_line(struct out *o, const char *p, size_t n)
{
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	while (n > 0) {
		size_t run = 0;
		if (is_blank(p[0])) {
			put(o, " ", 1);
			while (run < n && is_blank(p[run]))
				run++;
		} else {
			while (run < n && !is_blank(p[run]))
				run++;
			put(o, p, run);
		}
		p += run;
		n -= run;
	}
}

static size_t
find_line_end(const char *p, size_t n)
{
	const char *at = p;

	while ((at = memchr(at, '\r', n - (size_t)(at - p))) != NULL) {
		if (ends_line(at, n - (size_t)(at - p)))
			return (size_t)(at - p);
		at++;
	}
	return n;
}

static bool
is_empty_line(enum canon how, const char *p, size_t n)
{
	if (how == CANON_RELAXED)
		while (n > 0 && is_blank(p[0])) {
			p++;
			n--;
		}
	return n == 0;
}

uint64_t
canon_body(const struct canon_sink *sink, enum canon how, struct span body, uint64_t limit)
{
	const char *p = body.p;
	size_t left = body.n, empty = 0;
	struct out o;

	begin(&o, sink, limit);
	while (left > 0) {
		size_t n = find_line_end(p, left), whole = n < left ? n + 2 : n;
		if (is_empty_line(how, p, n)) {
			empty++;
		} else {
			/* Empty lines count only if something comes after them. */
			for (; empty > 0; empty--)
				put(&o, "\r\n", 2);
			if (how == CANON_SIMPLE)
				put(&o, p, n);
			else
				put_relaxed_line(&o, p, n);
			put(&o, "\r\n", 2);
		}
		p += whole;
		left -= whole;
	}
	if (o.total == 0 && how == CANON_SIMPLE)
		put(&o, "\r\n", 2);
	flush(&o);
	return o.total;
}
