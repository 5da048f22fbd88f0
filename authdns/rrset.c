/* rrset.c - the three forms in which an RRset is kept: as it stands in an answer, its RDATA alone,
 * and canonical for signing; each with the places of the token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authdns/compile.h"
#include "lib/strbuf.h"

#define FORM_MAX 65535

/* Octets being put together; len runs on past the end so that overflow shows. */
struct form {
	uint8_t *data;
	size_t len;
};

static void
form_add(struct form *f, const void *p, size_t len)
{
	if (f->len + len <= FORM_MAX)
		memcpy(f->data + f->len, p, len);
	f->len += len;
}

static void
form_add16(struct form *f, unsigned v)
{
	uint8_t b[2];

	wire_put16(b, v);
	form_add(f, b, 2);
}

static void
form_head(struct form *f, uint16_t type, uint32_t ttl)
{
	uint8_t b[8];

	wire_put32(wire_put16(wire_put16(b, type), 1), ttl);
	form_add(f, b, sizeof(b));
}

static void
form_plain(struct form *f, struct record *const *r, size_t n, unsigned as)
{
	f->len = 0;
	for (size_t i = 0; i < n; i++) {
		form_add16(f, (unsigned)r[i]->as[as].len);
		form_add(f, r[i]->as[as].rdata, r[i]->as[as].len);
	}
}

static void
form_canon(struct form *f, struct record *const *r, size_t n, unsigned as, uint32_t ttl)
{
	f->len = 0;
	for (size_t i = 0; i < n; i++) {
		const struct rendering *a = &r[i]->as[as];
		uint8_t owner[DNS_NAME_MAX];

		wire_name_lower(owner, a->owner, a->owner_len);
		form_add(f, owner, a->owner_len);
		form_head(f, r[i]->type, ttl);
		form_add16(f, (unsigned)a->canon_len);
		form_add(f, a->canon, a->canon_len);
	}
}

/* One name of RDATA, its end replaced by a pointer to the apex in the question.  Only for the types
 * of RFC 1035, whose names every resolver decompresses (RFC 3597 4).  Returns the name's length. */
static size_t
form_name(struct form *f, const uint8_t *name, const struct zone *z, size_t question_len)
{
	size_t len = 1, at = 0;

	for (const uint8_t *p = name; *p != 0; p += 1 + *p)
		len += 1 + (size_t)*p;
	while (len - at > z->apex_len)
		at += 1 + (size_t)name[at];
	if (len - at != z->apex_len || !wire_name_equal(name + at, z->apex, z->apex_len)) {
		form_add(f, name, len);
		return len;
	}
	form_add(f, name, at);
	form_add16(f, 0xc000 | (unsigned)(DNS_HEADER + question_len));
	return len;
}

static void
form_compressed(struct form *f, uint16_t type, const struct rendering *a, const struct zone *z,
    size_t question_len)
{
	const uint8_t *p = a->rdata, *end = p + a->len;
	unsigned names = type == TYPE_SOA ? 2 : 1;

	if (type != TYPE_NS && type != TYPE_CNAME && type != TYPE_PTR && type != TYPE_MX &&
	    type != TYPE_SOA)
		names = 0;
	if (type == TYPE_MX) {
		form_add(f, p, 2);
		p += 2;
	}
	while (names-- > 0)
		p += form_name(f, p, z, question_len);
	form_add(f, p, (size_t)(end - p));
}

static void
form_answer(struct form *f, struct record *const *r, size_t n, const struct zone *z, uint32_t ttl,
    size_t question_len)
{
	f->len = 0;
	for (size_t i = 0; i < n; i++) {
		size_t length_at, start;

		form_add16(f, 0xc000 | DNS_HEADER);
		form_head(f, r[i]->type, ttl);
		length_at = f->len;
		form_add16(f, 0);
		start = f->len;
		form_compressed(f, r[i]->type, &r[i]->as[FOR_SENTINEL], z, question_len);
		if (f->len <= FORM_MAX)
			wire_put16(f->data + length_at, (unsigned)(f->len - start));
	}
}

/* Keeps the octets and notes where the sentinel stands in them. */
static void
blob_build(struct blob *b, struct arena *a, const struct form *f)
{
	const struct token *t = &record_tokens[FOR_SENTINEL];
	struct patch found[512];
	uint8_t id[6];

	for (unsigned k = 0; k < 6; k++)
		id[k] = (uint8_t)(t->id >> (40 - 8 * k));
	b->len = f->len;
	b->data = arena_alloc(a, f->len + 1);
	memcpy(b->data, f->data, f->len);
	b->n_patch = 0;
	for (size_t at = 0; at < f->len && b->n_patch < 512; at++) {
		if (at + TOKEN_LEN <= f->len && memcmp(f->data + at, t->text, TOKEN_LEN) == 0)
			found[b->n_patch++] = (struct patch){ (uint16_t)at, PATCH_TOKEN };
		else if (at + 6 <= f->len && memcmp(f->data + at, id, 6) == 0)
			found[b->n_patch++] = (struct patch){ (uint16_t)at, PATCH_ID };
	}
	b->patch = arena_alloc(a, (b->n_patch + 1) * sizeof(*b->patch));
	memcpy(b->patch, found, b->n_patch * sizeof(*b->patch));
}

/* Patching must give what rendering gives; else some placeholder depends on the token in a way
 * that is more than the token's own characters. */
static int
blob_proves(const struct blob *b, const struct form *f, unsigned as)
{
	uint8_t *p;
	int same;

	if (b->len != f->len)
		return 0;
	p = xmalloc(b->len + 1);
	blob_copy(p, b, &record_tokens[as]);
	same = memcmp(p, f->data, b->len) == 0;
	free(p);
	return same;
}

static int
by_canon(const struct record *a, const struct record *b, unsigned as)
{
	const struct rendering *x = &a->as[as], *y = &b->as[as];
	size_t n = x->canon_len < y->canon_len ? x->canon_len : y->canon_len;
	int c = memcmp(x->canon, y->canon, n);

	return c != 0 ? c : (x->canon_len > y->canon_len) - (x->canon_len < y->canon_len);
}

static int
by_sentinel(const void *a, const void *b)
{
	return by_canon(*(struct record *const *)a, *(struct record *const *)b, FOR_SENTINEL);
}

/* RFC 4034 6.3: order by RDATA, no duplicates.  The order must be the same for every token. */
static int
order(struct record **r, size_t *n)
{
	size_t kept = 0;

	qsort(r, *n, sizeof(*r), by_sentinel);
	for (size_t i = 0; i < *n; i++)
		if (kept == 0 || by_canon(r[kept - 1], r[i], FOR_SENTINEL) != 0)
			r[kept++] = r[i];
	*n = kept;
	for (unsigned as = 0; as < RENDERINGS; as++)
		for (size_t i = 1; i < kept; i++)
			if (by_canon(r[i - 1], r[i], as) >= 0)
				return -1;
	return 0;
}

static int
build_forms(struct rrset *dst, struct arena *a, const struct zone *z, struct record *const *r,
    size_t n, size_t question_len)
{
	struct form f = { xmalloc(FORM_MAX), 0 };
	int ok;

	form_answer(&f, r, n, z, dst->ttl, question_len);
	ok = f.len <= FORM_MAX;
	if (ok)
		blob_build(&dst->answer, a, &f);
	form_plain(&f, r, n, FOR_SENTINEL);
	ok = ok && f.len <= FORM_MAX;
	if (ok)
		blob_build(&dst->plain, a, &f);
	form_canon(&f, r, n, FOR_SENTINEL, dst->ttl);
	ok = ok && f.len <= FORM_MAX;
	if (ok)
		blob_build(&dst->canon, a, &f);
	for (unsigned as = FOR_LOWEST; ok && as < RENDERINGS; as++) {
		form_plain(&f, r, n, as);
		ok = blob_proves(&dst->plain, &f, as);
		form_canon(&f, r, n, as, dst->ttl);
		ok = ok && blob_proves(&dst->canon, &f, as);
	}
	free(f.data);
	return ok ? 0 : -1;
}

int
rrset_build(struct rrset *dst, struct arena *a, const struct zone *z, struct record *const *r,
    size_t n, size_t question_len, char *err, size_t errlen)
{
	struct record **sorted = xmalloc(n * sizeof(struct record *));
	const char *why = NULL;
	char type[12];

	memcpy(sorted, r, n * sizeof(struct record *));
	dst->type = r[0]->type;
	dst->ttl = r[0]->ttl;
	for (size_t i = 1; i < n; i++)
		if (r[i]->ttl < dst->ttl)
			dst->ttl = r[i]->ttl;
	if (order(sorted, &n) < 0)
		why = "the order of the records depends on the token, so they cannot be signed: "
		      "make them differ before it";
	else if (build_forms(dst, a, z, sorted, n, question_len) < 0)
		why = "too long, or depends on the token by more than its own characters";
	dst->n = (unsigned)n;
	dst->fixed = dst->canon.n_patch == 0;
	free(sorted);
	if (why == NULL)
		return 0;
	snprintf(err, errlen, "%s:%u: %s records: %s", r[0]->path, r[0]->line,
	    rrtype_name(r[0]->type, type), why);
	return -1;
}
