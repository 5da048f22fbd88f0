#include "verify/arc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/hashing.h"
#include "verify/sigcheck.h"

const char *
arc_verdict_word(enum arc_verdict v)
{
	static const char *const words[] = {
		[ARC_IS_NONE] = "none",
		[ARC_IS_PASS] = "pass",
		[ARC_IS_FAIL] = "fail",
	};

	return words[v];
}

/* One set while it is judged (RFC 8617 4.2). */
struct set {
	const struct mail_field *aar;
	struct sigcheck ams, seal;
	struct dkimkey ams_key, seal_key;
};
struct work {
	struct arc_result *r;
	const struct mail *m;
	struct set set[ARC_SETS_MAX + 1]; /* from 1 */
	struct bodyhashes bodies;
};

/* Only the first fault is told. */
static int __attribute__((format(printf, 2, 3))) fail(struct arc_result *r, const char *fmt, ...)
{
	va_list ap;

	if (r->verdict != ARC_IS_FAIL) {
		va_start(ap, fmt);
		vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
		va_end(ap);
	}
	r->verdict = ARC_IS_FAIL;
	return -1;
}

/* --- the fields --- */

/* i=: 1 to 50, without leading zeros; 0 if it is none. */
static unsigned
instance_of(struct span value)
{
	int64_t number = taglist_number(value);

	if (number < 1 || number > ARC_SETS_MAX || value.p[0] == '0')
		return 0;
	return (unsigned)number;
}

/* "i=1; authserv-id; results" (RFC 8617 4.1.1). Comments before the ";" are not taken. */
static int
read_aar(struct work *w, const struct mail_field *f)
{
	struct span rest = f->value, first, name, number, id;
	struct arc_set *out;
	unsigned i;

	taglist_item(&first, &rest, ';');
	number = first;
	if (rest.p == NULL || !taglist_item(&name, &number, '=') || !span_is(name, "i") ||
	    number.p == NULL || (i = instance_of(span_trim(number))) == 0)
		return fail(w->r, "an ARC-Authentication-Results does not begin with i=1; to i=%d;",
		    ARC_SETS_MAX);
	if (w->set[i].aar != NULL)
		return fail(w->r, "two fields ARC-Authentication-Results with i=%u", i);
	w->set[i].aar = f;
	out = &w->r->set[i - 1];
	out->results = span_trim(rest);
	id = out->results;
	for (size_t n = 0; n < id.n; n++)
		if (strchr("; \t\r\n", id.p[n]) != NULL)
			id.n = n;
	snprintf(
	    out->authserv, sizeof(out->authserv), "%.*s", (int)(id.n < 255 ? id.n : 255), id.p);
	return 0;
}

static int
read_ams(struct work *w, const struct mail_field *f)
{
	struct sigcheck *c = xmalloc(sizeof(*c));
	struct arc_set *out;
	unsigned i;
	int rc = -1;

	sigcheck_parse(c, SIGCHECK_MESSAGE, f);
	i = instance_of(taglist_value(&c->tags, "i", ""));
	if (i == 0) {
		fail(w->r, "an ARC-Message-Signature has no i= from 1 to %d", ARC_SETS_MAX);
	} else if (w->set[i].ams.field != NULL) {
		fail(w->r, "two fields ARC-Message-Signature with i=%u", i);
	} else {
		w->set[i].ams = *c;
		out = &w->r->set[i - 1];
		snprintf(out->ams_domain, sizeof(out->ams_domain), "%s", c->domain);
		snprintf(out->ams_selector, sizeof(out->ams_selector), "%s", c->selector);
		rc = 0;
	}
	free(c);
	return rc;
}

static int
read_seal(struct work *w, const struct mail_field *f)
{
	struct sigcheck *c = xmalloc(sizeof(*c));
	struct arc_set *out;
	unsigned i;
	int rc = -1;

	sigcheck_parse(c, SIGCHECK_SEAL, f);
	i = instance_of(taglist_value(&c->tags, "i", ""));
	if (i == 0) {
		fail(w->r, "an ARC-Seal has no i= from 1 to %d", ARC_SETS_MAX);
	} else if (w->set[i].seal.field != NULL) {
		fail(w->r, "two fields ARC-Seal with i=%u", i);
	} else {
		w->set[i].seal = *c;
		out = &w->r->set[i - 1];
		snprintf(out->domain, sizeof(out->domain), "%s", c->domain);
		snprintf(out->selector, sizeof(out->selector), "%s", c->selector);
		taglist_squeeze(out->cv, sizeof(out->cv), taglist_value(&c->tags, "cv", ""));
		out->sealed_at = c->signed_at;
		rc = 0;
	}
	free(c);
	return rc;
}

static const struct {
	const char *name;
	int (*read)(struct work *, const struct mail_field *);
} fields[] = {
	{ "ARC-Authentication-Results", read_aar },
	{ "ARC-Message-Signature", read_ams },
	{ "ARC-Seal", read_seal },
};

/* Fields of ARC that there are; of the first that cannot be read it is said why. */
static size_t
collect(struct work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->m->n; i++)
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			if (!span_is(w->m->field[i].name, fields[k].name))
				continue;
			n++;
			if (w->r->verdict != ARC_IS_FAIL)
				fields[k].read(w, &w->m->field[i]);
		}
	for (unsigned i = 1; i <= ARC_SETS_MAX; i++)
		if (w->set[i].aar != NULL || w->set[i].ams.field != NULL ||
		    w->set[i].seal.field != NULL)
			w->r->n = i;
	return n;
}

/* --- the structure: RFC 8617 5.2 steps 2 and 3 --- */

static int
check_set(struct work *w, unsigned i)
{
	const struct set *s = &w->set[i];
	const char *cv = w->r->set[i - 1].cv, *due = i == 1 ? "none" : "pass";

	if (s->aar == NULL || s->ams.field == NULL || s->seal.field == NULL)
		return fail(w->r, "set %u has no %s", i,
		    s->aar == NULL         ? fields[0].name
		    : s->ams.field == NULL ? fields[1].name
					   : fields[2].name);
	if (s->seal.wrong[0] != '\0')
		return fail(w->r, "the seal of set %u cannot be understood: %s", i, s->seal.wrong);
	if (taglist_get(&s->seal.tags, "h") != NULL)
		return fail(w->r, "the seal of set %u has h=, which no seal may have", i);
	if (s->seal.sha1)
		return fail(w->r, "set %u is sealed with rsa-sha1: RFC 8301 3.1 forbids it", i);
	if (strcmp(cv, "fail") == 0) {
		w->r->failed_before = true;
		return fail(w->r, "set %u says itself that the chain had failed (cv=fail)", i);
	}
	if (strcmp(cv, due) != 0)
		return fail(w->r, "set %u has cv=%s where %s is due", i, cv, due);
	return 0;
}

static int
check_structure(struct work *w)
{
	if (w->r->verdict == ARC_IS_FAIL)
		return -1;
	if (w->m->over_limit)
		return fail(w->r, "not judged: %s", w->m->wrong);
	for (unsigned i = w->r->n; i >= 1; i--)
		if (check_set(w, i) < 0)
			return -1;
	return 0;
}

/* --- the signatures --- */

/* RFC 8617 4.1.2 says this of the other two fields as well; signers name them all the same. */
static bool
signs_a_seal(const struct sigcheck *ams)
{
	struct span rest = ams->headers, name;

	while (taglist_item(&name, &rest, ':'))
		if (span_is(name, "ARC-Seal"))
			return true;
	return false;
}

/* What is wrong with a message signature before its key is asked for; NULL: nothing.  Only that of the newest
 * set must be right. */
static const char *
ams_fault(const struct sigcheck *ams)
{
	if (ams->wrong[0] != '\0')
		return ams->wrong;
	if (ams->sha1)
		return "rsa-sha1, which RFC 8301 3.1 forbids";
	if (signs_a_seal(ams))
		return "it signs ARC-Seal, which it must not";
	return NULL;
}

static enum verify_step
fetch_keys(struct work *w, struct lookups *book)
{
	enum verify_step step = VERIFY_DONE;

	for (unsigned i = 1; i <= w->r->n; i++) {
		struct set *s = &w->set[i];
		if (ams_fault(&s->ams) == NULL &&
		    dkimkey_get(&s->ams_key, book, s->ams.selector, s->ams.domain) == VERIFY_NEED)
			step = VERIFY_NEED;
		if (dkimkey_get(&s->seal_key, book, s->seal.selector, s->seal.domain) ==
		    VERIFY_NEED)
			step = VERIFY_NEED;
	}
	return step;
}

/* NULL, or why the key is of no use for this signature. */
static const char *
key_fault(char why[160], bool *temporary, const struct sigcheck *c, const struct dkimkey *k)
{
	if (k->state != DKIMKEY_GOOD) {
		*temporary = *temporary || k->state == DKIMKEY_RETRY;
		snprintf(why, 160, "%s", k->reason);
		return why;
	}
	if (!sigcheck_key_fits(why, c, k))
		return why;
	if (dkimkey_strength(k) == DKIMKEY_FORBIDDEN) {
		snprintf(why, 160, "a key of %u bits: RFC 8301 3.2", k->bits);
		return why;
	}
	return NULL;
}

/* A message signature is a DKIM signature without v= (RFC 8617 4.1.2). NULL: it is right. */
static const char *
judge_ams(struct work *w, unsigned i, char why[160])
{
	struct set *s = &w->set[i];
	struct arc_set *out = &w->r->set[i - 1];
	struct sigcheck_result r;

	out->ams = ARC_WRONG;
	if (ams_fault(&s->ams) != NULL)
		return ams_fault(&s->ams);
	if (key_fault(why, &out->temporary, &s->ams, &s->ams_key) != NULL)
		return why;
	sigcheck_judge(&r, &s->ams, w->m, &w->bodies, &s->ams_key);
	if (r.verdict != SIGCHECK_PASS && !s->ams.canon_given) {
		/* RFC 8617 leaves the default of c= that DKIM has, simple; the public suite and who follows
		 * it take relaxed. */
		s->ams.canon_header = s->ams.canon_body = CANON_RELAXED;
		sigcheck_judge(&r, &s->ams, w->m, &w->bodies, &s->ams_key);
	}
	if (r.verdict == SIGCHECK_BODY)
		return "the body is not the one that was signed";
	if (r.verdict != SIGCHECK_PASS)
		return "a signed field is not the one that was signed, or the key is another";
	out->ams = ARC_RIGHT;
	return NULL;
}

/* RFC 8617 5.1.1: the fields of all sets up to this one, oldest first, this seal last. */
static void
hash_seal(uint8_t dst[32], const struct work *w, unsigned last)
{
	struct hashing h;

	hashing_init(&h, false);
	for (unsigned i = 1; i <= last; i++) {
		const struct set *s = &w->set[i];
		canon_field(&h.sink, CANON_RELAXED, s->aar);
		canon_field(&h.sink, CANON_RELAXED, s->ams.field);
		if (i < last)
			canon_field(&h.sink, CANON_RELAXED, s->seal.field);
	}
	canon_signature(&h.sink, CANON_RELAXED, w->set[last].seal.field);
	hashing_end(&h, dst);
}

static const char *
judge_seal(struct work *w, unsigned i, char why[160])
{
	const struct set *s = &w->set[i];
	struct arc_set *out = &w->r->set[i - 1];
	uint8_t hash[32];

	out->seal = ARC_WRONG;
	out->bits = s->seal_key.bits;
	if (key_fault(why, &out->temporary, &s->seal, &s->seal_key) != NULL)
		return why;
	hash_seal(hash, w, i);
	if (!dkimkey_verify(
		&s->seal_key, hash, sizeof(hash), s->seal.signature, s->seal.signature_len))
		return "a field of ARC is not the one that was sealed, or the key is another";
	out->seal = ARC_RIGHT;
	return NULL;
}

/* Steps 4 to 6. All seals and message signatures are tried, for the facts. */
static void
judge_chain(struct work *w)
{
	struct arc_result *r = w->r;
	const char *fault;
	char why[160];
	bool unbroken = true;

	for (unsigned i = r->n; i >= 1; i--) {
		fault = judge_ams(w, i, why);
		if (fault != NULL && i == r->n) {
			r->temporary = r->set[i - 1].temporary;
			fail(r, "the message signature of set %u: %s", i, fault);
		}
		if (fault != NULL && unbroken)
			r->oldest_pass = i + 1;
		unbroken = unbroken && fault == NULL;
	}
	for (unsigned i = r->n; i >= 1; i--) {
		fault = judge_seal(w, i, why);
		if (fault == NULL)
			continue;
		if (r->verdict != ARC_IS_FAIL)
			r->temporary = r->set[i - 1].temporary;
		fail(r, "the seal of set %u: %s", i, fault);
	}
	if (r->verdict != ARC_IS_FAIL)
		r->verdict = ARC_IS_PASS;
}

enum verify_step
arc_judge(const struct mail *m, struct lookups *book, struct arc_result *r)
{
	struct work *w = xcalloc(1, sizeof(*w));
	enum verify_step step = VERIFY_DONE;

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < ARC_SETS_MAX; i++)
		r->set[i].sealed_at = -1;
	w->r = r;
	w->m = m;
	if (collect(w) > 0 && check_structure(w) == 0) {
		step = fetch_keys(w, book);
		if (step == VERIFY_DONE)
			judge_chain(w);
	}
	free(w);
	return step;
}
