/* judge_wire.c - see judge_wire.h.  Numbers are little-endian, strings have their length before and
 * a NUL behind them. */
#include "smtpd/judge_wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

#define NEEDS  'n'
#define RESULT 'r'

/* --- writing ------------------------------------------------------------------------------------------ */

static void
put_number(struct strbuf *b, uint64_t v, unsigned octets)
{
	uint8_t bytes[8];

	for (unsigned i = 0; i < octets; i++, v >>= 8)
		bytes[i] = (uint8_t)v;
	strbuf_add(b, bytes, octets);
}

static void
put_text(struct strbuf *b, const char *s)
{
	size_t len = strlen(s);

	put_number(b, len, 4);
	strbuf_add(b, s, len + 1);
}

static void
put_lookup(struct strbuf *b, const struct lookup *l)
{
	put_text(b, l->name);
	put_number(b, l->type, 2);
	put_number(b, l->status, 1);
	put_number(b, l->secure, 1);
	put_text(b, l->why);
	put_number(b, l->n, 4);
	for (size_t i = 0; i < l->n; i++) {
		put_number(b, l->rdata[i].len, 2);
		strbuf_add(b, l->rdata[i].data, l->rdata[i].len);
	}
}

void
judge_put_request(struct strbuf *b, const struct verify_input *in, const struct lookups *book)
{
	const struct lookup *l;

	put_number(b, (uint64_t)in->now, 8);
	put_text(b, in->client);
	put_text(b, in->helo);
	put_text(b, in->from);
	put_text(b, in->us);
	for (size_t i = 0; (l = lookup_at(book, i)) != NULL; i++)
		put_lookup(b, l);
}

void
judge_put_needs(struct strbuf *b, const struct lookups *book)
{
	const struct lookup *l;
	size_t iter = 0;

	put_number(b, NEEDS, 1);
	while ((l = lookup_wanted(book, &iter)) != NULL) {
		put_text(b, l->name);
		put_number(b, l->type, 2);
	}
}

void
judge_put_result(struct strbuf *b, const char *json, size_t len)
{
	put_number(b, RESULT, 1);
	strbuf_add(b, json, len);
}

/* --- reading ------------------------------------------------------------------------------------------- */

struct reader {
	const char *p, *end;
	bool bad;
};

static uint64_t
get_number(struct reader *r, unsigned octets)
{
	uint64_t v = 0;

	if (r->bad || (size_t)(r->end - r->p) < octets) {
		r->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < octets; i++)
		v |= (uint64_t)(uint8_t)*r->p++ << (8 * i);
	return v;
}

/* Never NULL; without a NUL inside. */
static const char *
get_text(struct reader *r)
{
	uint64_t len = get_number(r, 4);
	const char *s = r->p;

	if (r->bad || len >= (uint64_t)(r->end - r->p) || memchr(s, '\0', len + 1) != s + len) {
		r->bad = true;
		return "";
	}
	r->p += len + 1;
	return s;
}

/* One answer into the book. */
static void
get_lookup(struct reader *r, struct lookups *book)
{
	const char *name = get_text(r), *why;
	uint16_t type = (uint16_t)get_number(r, 2);
	unsigned status = (unsigned)get_number(r, 1);
	bool secure = get_number(r, 1) != 0;
	struct lookup_rdata *rdata = NULL;
	size_t n;

	why = get_text(r);
	n = (size_t)get_number(r, 4);
	if (status > LOOKUP_BOGUS || n > (size_t)(r->end - r->p))
		r->bad = true;
	if (r->bad)
		return;
	if (n > 0)
		rdata = xcalloc(n, sizeof *rdata);
	for (size_t i = 0; i < n && !r->bad; i++) {
		rdata[i].len = (uint16_t)get_number(r, 2);
		if (rdata[i].len > r->end - r->p) {
			r->bad = true;
			break;
		}
		rdata[i].data = (const uint8_t *)r->p;
		r->p += rdata[i].len;
	}
	if (!r->bad) {
		(void)lookup_get(book, name, type);
		if (status != LOOKUP_WANTED)
			(void)lookup_put(
			    book, name, type, (enum lookup_status)status, secure, why, rdata, n);
	}
	free(rdata);
}

struct lookups *
judge_get_request(struct verify_input *in, const char *bytes, size_t len)
{
	struct reader r = { bytes, bytes + len, false };
	struct lookups *book = lookups_new(JUDGE_LOOKUPS_MAX);

	in->now = (int64_t)get_number(&r, 8);
	in->client = get_text(&r);
	in->helo = get_text(&r);
	in->from = get_text(&r);
	in->us = get_text(&r);
	while (book != NULL && !r.bad && r.p < r.end)
		get_lookup(&r, book);
	if (!r.bad)
		return book;
	lookups_free(book);
	return NULL;
}

static enum judge_answer
lies(const char **why, const char *what)
{
	*why = what;
	return JUDGE_LIES;
}

static enum judge_answer
get_needs(struct lookups *book, struct reader *r, const char **why)
{
	size_t asked = 0, iter = 0;

	while (!r->bad && r->p < r->end) {
		const char *name = get_text(r);
		uint16_t type = (uint16_t)get_number(r, 2);

		if (r->bad || ++asked > JUDGE_LOOKUPS_MAX)
			return lies(why, "questions that are none");
		(void)lookup_get(book, name, type);
	}
	if (lookup_wanted(book, &iter) == NULL)
		return lies(why, "asked nothing new");
	return JUDGE_NEEDS;
}

enum judge_answer
judge_get_answer(struct lookups *book, const char *bytes, size_t len, const char **json,
    size_t *json_len, const char **why)
{
	struct reader r = { bytes, bytes + len, false };
	struct json_doc *doc;
	char err[64];
	uint64_t tag = get_number(&r, 1);
	bool is_object;

	if (r.bad)
		return lies(why, "no answer");
	if (tag == NEEDS)
		return get_needs(book, &r, why);
	if (tag != RESULT)
		return lies(why, "an answer that is none");
	*json = r.p;
	*json_len = (size_t)(r.end - r.p);
	if (*json_len > JUDGE_RESULT_MAX)
		return lies(why, "results that are too long");
	doc = json_parse(*json, *json_len, err, sizeof err);
	is_object = doc != NULL && json_root(doc)->type == JSON_OBJECT;
	json_free(doc);
	return is_object ? JUDGE_RESULT : lies(why, "results that are no JSON object");
}
