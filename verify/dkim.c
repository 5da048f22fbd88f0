#include "verify/dkim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "verify/opendkim.h"
#include "verify/sigcheck.h"

/* How far t= may be ahead of our clock. */
#define CLOCKS_DIFFER 3600

const char *
dkim_verdict_word(enum dkim_verdict v)
{
	static const char *const words[] = {
		[DKIM_IS_NONE] = "none",
		[DKIM_IS_PASS] = "pass",
		[DKIM_IS_FAIL] = "fail",
		[DKIM_IS_POLICY] = "policy",
		[DKIM_IS_NEUTRAL] = "neutral",
		[DKIM_IS_TEMPERROR] = "temperror",
		[DKIM_IS_PERMERROR] = "permerror",
	};

	return words[v];
}

static void __attribute__((format(printf, 3, 4)))
end_as(struct dkim_signature *s, enum dkim_verdict v, const char *fmt, ...)
{
	va_list ap;

	s->verdict = v;
	va_start(ap, fmt);
	vsnprintf(s->reason, sizeof(s->reason), fmt, ap);
	va_end(ap);
}

static void __attribute__((format(printf, 2, 3)))
remark(struct dkim_signature *s, const char *fmt, ...)
{
	size_t n = strlen(s->reason);
	va_list ap;

	if (n > 0 && n + 2 < sizeof(s->reason)) {
		memcpy(s->reason + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(s->reason + n, sizeof(s->reason) - n, fmt, ap);
	va_end(ap);
}

/* --- facts, of what could be read --- */

static void
copy_word(
    char *dst, size_t size, const struct taglist *tags, const char *name, const char *fallback)
{
	taglist_squeeze(dst, size, taglist_value(tags, name, fallback));
}

static void
note_headers(struct dkim_signature *s, struct span headers)
{
	struct span item;

	taglist_squeeze(s->headers, sizeof(s->headers), headers);
	for (char *p = s->headers; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	while (taglist_item(&item, &headers, ':'))
		s->signs_from = s->signs_from || span_is(item, "from");
}

static void
note_facts(struct dkim_signature *s, const struct sigcheck *c, int64_t now)
{
	static const char *const canons[] = { "simple", "relaxed" };

	snprintf(s->domain, sizeof(s->domain), "%s", c->domain);
	snprintf(s->selector, sizeof(s->selector), "%s", c->selector);
	copy_word(s->algorithm, sizeof(s->algorithm), &c->tags, "a", "");
	copy_word(s->identity, sizeof(s->identity), &c->tags, "i", "");
	if (s->identity[0] == '\0')
		snprintf(s->identity, sizeof(s->identity), "@%s", c->domain);
	snprintf(s->canon_header, sizeof(s->canon_header), "%s",
	    c->canon_known ? canons[c->canon_header] : "?");
	snprintf(s->canon_body, sizeof(s->canon_body), "%s",
	    c->canon_known ? canons[c->canon_body] : "?");
	note_headers(s, c->headers);
	s->signed_at = c->signed_at;
	s->expires = c->expires;
	s->body_limit = c->body_limit;
	s->expired = c->expires >= 0 && c->expires <= now;
	s->future = c->signed_at > now + CLOCKS_DIFFER;
	s->sha1 = c->sha1;
}

/* --- what RFC 6376 6.1.1 wants before a key is asked for --- */

static bool
identity_fits(const struct dkim_signature *s)
{
	const char *at = strrchr(s->identity, '@');
	size_t n, d = strlen(s->domain);

	if (at == NULL)
		return false;
	n = strlen(++at);
	return n >= d && strcasecmp(at + n - d, s->domain) == 0 && (n == d || at[n - d - 1] == '.');
}

static bool
worth_a_key(struct dkim_signature *s, const struct sigcheck *c, const struct mail *m)
{
	struct span v = taglist_value(&c->tags, "v", "");

	if (c->wrong[0] != '\0')
		end_as(s, DKIM_IS_NEUTRAL, "the signature cannot be understood: %s", c->wrong);
	else if (!span_is(v, "1"))
		end_as(s, DKIM_IS_NEUTRAL, "the signature cannot be understood: v= is not 1");
	else if (s->expires >= 0 && s->signed_at >= 0 && s->expires <= s->signed_at)
		end_as(s, DKIM_IS_NEUTRAL, "the signature ends (x=) before it was made (t=)");
	else if (m->over_limit)
		end_as(s, DKIM_IS_PERMERROR, "not judged: %s", m->wrong);
	else if (!identity_fits(s))
		end_as(s, DKIM_IS_PERMERROR, "i= is not in the domain of d=");
	else if (!s->signs_from)
		end_as(s, DKIM_IS_PERMERROR, "the field From is not signed (RFC 6376 5.4)");
	else if (mail_count(m, "From") == 0)
		end_as(s, DKIM_IS_PERMERROR, "the message has no field From");
	else
		return true;
	return false;
}

/* --- the verdict --- */

static void
note_body(struct dkim_signature *s, const struct sigcheck_result *r)
{
	s->body_len = r->body_len;
	s->body_covered = r->body_covered;
	s->body_hash_right = r->body_right;
}

static void
judge_without_key(struct dkim_signature *s, const struct sigcheck *c, const struct mail *m,
    struct bodyhashes *bodies)
{
	struct sigcheck_result r;

	sigcheck_body(&r, c, m, bodies);
	note_body(s, &r);
	if (s->key.state == DKIMKEY_RETRY)
		end_as(s, DKIM_IS_TEMPERROR, "%s", s->key.reason);
	else
		end_as(s, DKIM_IS_PERMERROR, "%s", s->key.reason);
}

static void
explain_body(struct dkim_signature *s, const struct sigcheck *c, const struct mail *m)
{
	if (c->body_limit >= 0 && (uint64_t)c->body_limit > s->body_len) {
		end_as(s, DKIM_IS_FAIL,
		    "l= says %" PRId64 " octets, but the body has %" PRIu64
		    ": it was cut on the way, or l= is wrong",
		    c->body_limit, s->body_len);
		return;
	}
	end_as(s, DKIM_IS_FAIL, "the body is not the one that was signed (bh= differs)");
	if (m->bare_lf)
		remark(s, "a line ends in LF alone, which signers read as CR LF");
}

/* A signature that verifies, and what stands against it all the same. */
static void
judge_policy(struct dkim_signature *s)
{
	const char *at = strrchr(s->identity, '@');

	if (s->key.strict && strcasecmp(at + 1, s->domain) != 0)
		end_as(s, DKIM_IS_PERMERROR, "i= is in a subdomain, which the key forbids (t=s)");
	else if (s->sha1)
		end_as(s, DKIM_IS_POLICY,
		    "verifies, but rsa-sha1 must not be used and counts as failed (RFC 8301 3.1)");
	else if (s->strength == DKIMKEY_FORBIDDEN)
		end_as(s, DKIM_IS_POLICY,
		    "verifies, but a key of %u bits must not be taken as valid (RFC 8301 3.2)",
		    s->key.bits);
	else if (s->expired)
		end_as(s, DKIM_IS_POLICY, "verifies, but has expired (x=)");
	else if (s->future)
		end_as(s, DKIM_IS_POLICY, "verifies, but was made in the future (t=)");
	else
		s->verdict = DKIM_IS_PASS;
}

static void
note_flaws(struct dkim_signature *s, const struct mail *m)
{
	size_t from = mail_count(m, "From");

	if (s->body_covered < s->body_len)
		remark(s,
		    "only %" PRIu64 " of %" PRIu64
		    " octets of the body are signed (l=): the rest may be anybody's",
		    s->body_covered, s->body_len);
	if (s->strength == DKIMKEY_SHORT)
		remark(s, "the key has %u bits: 2048 should be used (RFC 8301 3.2)", s->key.bits);
	if (s->key.testing)
		remark(s, "the domain is only testing (t=y): receivers treat it as not signed");
	if (s->key.records > 1)
		remark(s, "%zu TXT records at the key's name: it should be one", s->key.records);
	if (from > 1)
		remark(s, "there are %zu fields From: another one may be shown", from);
}

static void
judge(struct dkim_signature *s, const struct sigcheck *c, const struct mail *m,
    struct bodyhashes *bodies, const struct opendkim_answer *library)
{
	struct sigcheck_result r;

	sigcheck_judge(&r, c, m, bodies, &s->key);
	note_body(s, &r);
	s->strength = dkimkey_strength(&s->key);
	switch (r.verdict) {
	case SIGCHECK_KEY:
		end_as(s, DKIM_IS_PERMERROR, "%s", r.reason);
		break;
	case SIGCHECK_BODY:
		explain_body(s, c, m);
		break;
	case SIGCHECK_SIGNATURE:
		end_as(s, DKIM_IS_FAIL,
		    "a signed field is not the one that was signed, or the key is another");
		break;
	case SIGCHECK_PASS:
		judge_policy(s);
		break;
	}
	s->opendkim_asked = library->opinion != OPENDKIM_NO_OPINION;
	if (s->opendkim_asked &&
	    (library->opinion == OPENDKIM_PASS) != (r.verdict == SIGCHECK_PASS))
		snprintf(s->opendkim, sizeof(s->opendkim), "%s",
		    library->opinion == OPENDKIM_PASS ? "pass" : library->text);
	if (s->verdict == DKIM_IS_PASS)
		note_flaws(s, m);
	if (s->opendkim[0] != '\0')
		remark(s, "receivers that use libopendkim see: %s", s->opendkim);
}

/* --- all of a message --- */

struct work {
	struct sigcheck check[DKIM_SIGNATURES_MAX];
	bool asked[DKIM_SIGNATURES_MAX];
	struct opendkim_question question[DKIM_SIGNATURES_MAX];
	struct opendkim_answer answer[DKIM_SIGNATURES_MAX];
	struct bodyhashes bodies;
};

static enum verify_step
fetch_keys(struct work *w, struct dkim_result *r, struct lookups *book)
{
	enum verify_step step = VERIFY_DONE;

	for (size_t i = 0; i < r->n; i++)
		if (w->asked[i] && dkimkey_get(&r->sig[i].key, book, r->sig[i].selector,
				       r->sig[i].domain) == VERIFY_NEED)
			step = VERIFY_NEED;
	return step;
}

static void
judge_all(struct work *w, struct dkim_result *r, const struct mail *m)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (w->asked[i] && r->sig[i].key.state == DKIMKEY_GOOD)
			w->question[n++] = (struct opendkim_question){ &w->check[i],
				&r->sig[i].key };
	opendkim_judge(w->answer, w->question, n, m);
	n = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (!w->asked[i])
			continue;
		if (r->sig[i].key.state == DKIMKEY_GOOD)
			judge(&r->sig[i], &w->check[i], m, &w->bodies, &w->answer[n++]);
		else
			judge_without_key(&r->sig[i], &w->check[i], m, &w->bodies);
	}
}

static void
sum_up(struct dkim_result *r, const struct mail *m)
{
	const struct dkim_signature *best = &r->sig[0];

	if (r->n == 0) {
		r->verdict = m->over_limit ? DKIM_IS_PERMERROR : DKIM_IS_NONE;
		snprintf(r->reason, sizeof(r->reason), "%s", m->wrong);
		return;
	}
	for (size_t i = r->n; i-- > 0;)
		if (r->sig[i].verdict == DKIM_IS_PASS)
			best = &r->sig[i];
	r->verdict = best->verdict;
	snprintf(r->reason, sizeof(r->reason), "%s", best->reason);
}

enum verify_step
dkim_judge(const struct mail *m, int64_t now, struct lookups *book, struct dkim_result *r)
{
	struct work *w = xcalloc(1, sizeof(*w));
	const struct mail_field *f;
	enum verify_step step;
	size_t at = 0;

	memset(r, 0, sizeof(*r));
	while ((f = mail_find(m, "DKIM-Signature", &at)) != NULL) {
		size_t i = r->n;
		if (++r->signatures > DKIM_SIGNATURES_MAX)
			continue;
		r->n++;
		sigcheck_parse(&w->check[i], SIGCHECK_MESSAGE, f);
		note_facts(&r->sig[i], &w->check[i], now);
		w->asked[i] = worth_a_key(&r->sig[i], &w->check[i], m);
	}
	step = fetch_keys(w, r, book);
	if (step == VERIFY_DONE) {
		judge_all(w, r, m);
		sum_up(r, m);
	}
	free(w);
	return step;
}

int
dkim_warm_up(void)
{
	return dkimkey_warm_up() < 0 || opendkim_warm_up() < 0 ? -1 : 0;
}
