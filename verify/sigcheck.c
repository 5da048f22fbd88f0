#include "verify/sigcheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "verify/hashing.h"

static int __attribute__((format(printf, 2, 3))) wrong(struct sigcheck *s, const char *fmt, ...)
{
	va_list ap;

	if (s->wrong[0] == '\0') {
		va_start(ap, fmt);
		vsnprintf(s->wrong, sizeof(s->wrong), fmt, ap);
		va_end(ap);
	}
	return -1;
}

/* --- the tags --- */

/* A domain name or a selector (RFC 6376 3.5: sub-domains with dots), made lower case.  Underscores are
 * about. */
static void
read_name(struct sigcheck *s, char dst[256], const char *tag)
{
	const struct tag *t = taglist_get(&s->tags, tag);

	if (t == NULL || t->value.n == 0) {
		wrong(s, "%s= is %s", tag, t == NULL ? "missing" : "empty");
		return;
	}
	if (t->value.n > 253) {
		wrong(s, "%s= is longer than a domain name may be", tag);
		return;
	}
	for (size_t i = 0; i < t->value.n; i++) {
		char c = t->value.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
		    c != '.') {
			wrong(s, "%s= is no domain name", tag);
			c = '?';
		}
		dst[i] = c;
	}
	if (dst[0] == '.' || dst[t->value.n - 1] == '.' || strstr(dst, "..") != NULL)
		wrong(s, "%s= has an empty label", tag);
}

static bool
is_word(struct span value, const char *word)
{
	return value.n == strlen(word) && memcmp(value.p, word, value.n) == 0;
}

static void
read_algorithm(struct sigcheck *s)
{
	struct span a = taglist_value(&s->tags, "a", "");

	s->sha1 = is_word(a, "rsa-sha1");
	s->ed25519 = is_word(a, "ed25519-sha256");
	s->hash_len = s->sha1 ? 20 : 32;
	if (!s->sha1 && !s->ed25519 && !is_word(a, "rsa-sha256"))
		wrong(s, "a= is %s", a.n == 0 ? "missing or empty" : "no algorithm that is known");
}

static int
canon_of(enum canon *how, struct span word)
{
	if (!is_word(word, "simple") && !is_word(word, "relaxed"))
		return -1;
	*how = is_word(word, "simple") ? CANON_SIMPLE : CANON_RELAXED;
	return 0;
}

static void
read_canon(struct sigcheck *s)
{
	struct span rest = taglist_value(&s->tags, "c", "simple/simple");
	struct span header, body = { "simple", 6 }, more;

	s->canon_given = taglist_get(&s->tags, "c") != NULL;
	taglist_item(&header, &rest, '/');
	if (taglist_item(&body, &rest, '/') && taglist_item(&more, &rest, '/'))
		header.n = 0;
	s->canon_known = canon_of(&s->canon_header, header) == 0 &&
			 canon_of(&s->canon_body, body) == 0;
	if (!s->canon_known)
		wrong(s, "c= is no pair of simple and relaxed");
}

static void
read_headers(struct sigcheck *s)
{
	struct span rest, item;
	size_t n = 0;

	s->headers = taglist_value(&s->tags, "h", "");
	if (taglist_get(&s->tags, "h") == NULL)
		wrong(s, "h= is missing");
	rest = s->headers;
	while (taglist_item(&item, &rest, ':'))
		if (++n > SIGCHECK_HEADERS_MAX)
			wrong(s, "h= names more than %d fields", SIGCHECK_HEADERS_MAX);
}

static int64_t
read_number(struct sigcheck *s, const char *tag)
{
	const struct tag *t = taglist_get(&s->tags, tag);
	int64_t number;

	if (t == NULL)
		return -1;
	number = taglist_number(t->value);
	if (number < 0)
		wrong(s, "%s= is no number", tag);
	return number;
}

static void
read_body_hash(struct sigcheck *s)
{
	const struct tag *bh = taglist_get(&s->tags, "bh");

	if (bh == NULL || bh->value.n == 0)
		wrong(s, "bh= is %s", bh == NULL ? "missing" : "empty");
	else if (taglist_base64(s->body_hash, sizeof(s->body_hash), bh->value) != (int)s->hash_len)
		wrong(s, "bh= is no hash of %s in base64", s->sha1 ? "SHA-1" : "SHA-256");
}

static void
read_signature(struct sigcheck *s)
{
	const struct tag *b = taglist_get(&s->tags, "b");
	int n;

	if (b == NULL || b->value.n == 0) {
		wrong(s, "b= is %s", b == NULL ? "missing" : "empty");
		return;
	}
	n = taglist_base64(s->signature, sizeof(s->signature), b->value);
	if (n < 0)
		wrong(s, "b= is no signature in base64");
	else
		s->signature_len = (size_t)n;
}

/* RFC 6376 3.5: the one way of asking that there is must be among the named ones. */
static void
read_query(struct sigcheck *s)
{
	struct span rest = taglist_value(&s->tags, "q", "dns/txt"), item;

	while (taglist_item(&item, &rest, ':'))
		if (span_is(item, "dns/txt"))
			return;
	wrong(s, "q= does not name dns/txt");
}

int
sigcheck_parse(struct sigcheck *s, enum sigcheck_kind kind, const struct mail_field *f)
{
	memset(s, 0, sizeof(*s));
	s->field = f;
	s->signed_at = s->expires = s->body_limit = -1;
	if (f->raw.n > SIGCHECK_FIELD_MAX)
		return wrong(s, "it is larger than %d octets", SIGCHECK_FIELD_MAX);
	if (taglist_parse(&s->tags, f->value.p, f->value.n) < 0)
		wrong(s, "no tag-list: %s", s->tags.wrong);
	read_name(s, s->domain, "d");
	read_name(s, s->selector, "s");
	read_algorithm(s);
	s->signed_at = read_number(s, "t");
	read_signature(s);
	if (kind == SIGCHECK_MESSAGE) {
		read_canon(s);
		read_headers(s);
		s->expires = read_number(s, "x");
		s->body_limit = read_number(s, "l");
		read_query(s);
		read_body_hash(s);
	}
	return s->wrong[0] == '\0' ? 0 : -1;
}

/* --- the hashes --- */

/* Of the fields of that name the last that is not yet taken: RFC 6376 5.4.2. */
static const struct mail_field *
take_last(const struct mail *m, bool *taken, struct span name)
{
	for (size_t i = m->n; i-- > 0;) {
		const struct mail_field *f = &m->field[i];
		if (!taken[i] && f->name.n == name.n &&
		    strncasecmp(f->name.p, name.p, name.n) == 0) {
			taken[i] = true;
			return f;
		}
	}
	return NULL;
}

void
sigcheck_hash(uint8_t dst[32], const struct sigcheck *s, const struct mail *m)
{
	bool *taken = xcalloc(m->n + 1, sizeof(*taken));
	struct span rest = s->headers, name;
	struct hashing h;

	/* A signature never signs its own field by name: there was none yet when it was made. */
	for (size_t i = 0; i < m->n; i++)
		taken[i] = m->field[i].raw.p == s->field->raw.p;
	hashing_init(&h, s->sha1);
	while (taglist_item(&name, &rest, ':')) {
		const struct mail_field *f = name.n > 0 ? take_last(m, taken, name) : NULL;
		if (f != NULL)
			canon_field(&h.sink, s->canon_header, f);
	}
	canon_signature(&h.sink, s->canon_header, s->field);
	hashing_end(&h, dst);
	free(taken);
}

void
sigcheck_body(struct sigcheck_result *r, const struct sigcheck *s, const struct mail *m,
    struct bodyhashes *bodies)
{
	uint64_t limit = s->body_limit < 0 ? UINT64_MAX : (uint64_t)s->body_limit;
	const struct bodyhash *b = bodyhash_get(bodies, m->body, s->canon_body, s->sha1, limit);

	memset(r, 0, sizeof(*r));
	r->body_len = b->len;
	r->body_covered = limit < r->body_len ? limit : r->body_len;
	/* RFC 6376 6.1.3: an l= beyond the body is no length of it. */
	r->body_right = memcmp(b->hash, s->body_hash, s->hash_len) == 0 &&
			(s->body_limit < 0 || limit <= r->body_len);
	r->verdict = r->body_right ? SIGCHECK_PASS : SIGCHECK_BODY;
}

/* --- the key --- */

static bool
allows(const char *list, const char *word)
{
	struct span rest = { list, strlen(list) }, item;

	if (list[0] == '\0')
		return true;
	while (taglist_item(&item, &rest, ':'))
		if (span_is(item, word))
			return true;
	return false;
}

bool
sigcheck_key_fits(char reason[160], const struct sigcheck *s, const struct dkimkey *k)
{
	const char *type = s->ed25519 ? "ed25519" : "rsa", *hash = s->sha1 ? "sha1" : "sha256";

	reason[0] = '\0';
	if (strcmp(k->type, type) != 0)
		snprintf(reason, 160, "signed with %s, but the key is of type %s", type, k->type);
	else if (!allows(k->hashes, hash))
		snprintf(reason, 160, "the key is not for %s: its h= is %s", hash, k->hashes);
	else if (!allows(k->services, "email") && !allows(k->services, "*"))
		snprintf(reason, 160, "the key is not for mail: its s= is %s", k->services);
	return reason[0] == '\0';
}

void
sigcheck_judge(struct sigcheck_result *r, const struct sigcheck *s, const struct mail *m,
    struct bodyhashes *bodies, const struct dkimkey *k)
{
	uint8_t hash[32];

	sigcheck_body(r, s, m, bodies);
	if (!sigcheck_key_fits(r->reason, s, k)) {
		r->verdict = SIGCHECK_KEY;
		return;
	}
	sigcheck_hash(hash, s, m);
	if (!dkimkey_verify(k, hash, s->hash_len, s->signature, s->signature_len))
		r->verdict = SIGCHECK_SIGNATURE;
}
