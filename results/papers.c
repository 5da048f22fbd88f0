/* papers.c - see papers.h. */
#include "results/papers.h"

#include <string.h>

#include "lib/clock.h"

#include "results/describe.h"

#define LINE_MAX_SAID 600 /* octets of a record or a list that are shown */
#define TRACE_SAID    40  /* terms of an SPF trace */
#define ITEMS_SAID    20  /* of other lists */

/* --- which messages --------------------------------------------------------------------------------- */

static bool
is_alike(const struct verified *a, const struct verified *b)
{
	if (a->state != b->state || strcmp(verified_libspf2(a), verified_libspf2(b)) != 0)
		return false;
	for (unsigned m = 0; m < AUTH_METHOD_MAX; m++) {
		struct strbuf s = { 0 }, t = { 0 };
		verified_describe(&s, a, (enum auth_method)m);
		verified_describe(&t, b, (enum auth_method)m);
		bool same = strcmp(s.s, t.s) == 0;
		strbuf_clear(&s);
		strbuf_clear(&t);
		if (!same)
			return false;
	}
	return true;
}

static void
add(struct papers *p, size_t from, const struct attempt *a, const struct test *t)
{
	for (size_t i = from; i < p->n; i++) {
		if (is_alike(p->paper[i].verified, a->verified)) {
			p->paper[i].messages++;
			return;
		}
	}
	if (p->n - from == PAPERS_MAX) {
		p->beyond++;
		return;
	}
	p->paper[p->n++] = (struct paper){ a, a->verified, t, 1 };
}

void
papers_read(struct papers *p, const struct correlation *c)
{
	static const int families[] = { 4, 6 };

	memset(p, 0, sizeof *p);
	for (size_t k = 0; k < sizeof families / sizeof families[0]; k++) {
		size_t from = p->n;
		for (size_t i = 0; i < c->catalogue->n; i++) {
			const struct facts *f = &c->facts[i];
			if (f->test->n_graded_on > 0)
				continue; /* it shows the messages of others */
			for (size_t n = 0; n < f->n_attempts; n++) {
				const struct attempt *a = &f->attempts[n];
				if (a->verified != NULL && a->family == families[k])
					add(p, from, a, f->test);
			}
		}
	}
}

/* --- evidence --------------------------------------------------------------------------------------- */

const char *
papers_title(enum auth_method m)
{
	static const char *const titles[AUTH_METHOD_MAX] = { "SPF", "SPF of the name in EHLO",
		"DKIM", "DMARC", "ARC", "Name of the address (PTR)", "Name in EHLO" };

	return titles[m];
}

static void
said(struct strbuf *b, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n < LINE_MAX_SAID; s++, n++) {
		char c = (unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e ? '?' : *s;
		if (*s == '\r' || *s == '\n' || *s == '\t') /* folded */
			c = ' ';
		strbuf_add(b, &c, 1);
	}
	if (*s != '\0')
		strbuf_puts(b, "...");
}

static const char *
text(const struct json *o, const char *key)
{
	const char *s = json_string(o, key);

	return s == NULL ? "" : s;
}

static bool
yes(const struct json *o, const char *key)
{
	const struct json *m = json_get(o, key);

	return m != NULL && m->type == JSON_BOOL && m->boolean;
}

static const struct json *
list(const struct json *o, const char *key)
{
	const struct json *m = json_get(o, key);

	return m == NULL || m->type != JSON_ARRAY ? NULL : m->child;
}

/* "before VALUE after", nothing if there is no value; true: there was one. */
static bool
put(struct strbuf *b, const char *before, const char *value, const char *after)
{
	if (*value == '\0')
		return false;
	strbuf_puts(b, before);
	said(b, value);
	strbuf_puts(b, after);
	return true;
}

/* Each term that was evaluated and each record that was read, deeper for each include. */
static void
put_trace(struct strbuf *b, const struct json *spf)
{
	const struct json *step = list(spf, "trace");
	unsigned n = 0;

	for (; step != NULL && n < TRACE_SAID; step = step->next, n++) {
		int64_t depth = json_int(step, "depth", 0);
		bool record = *text(step, "record") != '\0';
		for (int64_t d = record ? 1 : 0; d <= depth && d < 10; d++)
			strbuf_puts(b, "  ");
		put(b, "record of ", record ? text(step, "domain") : "", ": ");
		said(b, record ? text(step, "record") : text(step, "term"));
		put(b, record ? ": gives " : ": ", text(step, "result"), "");
		put(b, ", ", text(step, "found"), "");
		strbuf_puts(b, "\n");
	}
	if (step != NULL || json_int(spf, "trace_lost", 0) > 0)
		strbuf_puts(b, "  and more terms\n");
}

static void
spf_evidence(struct strbuf *b, const struct verified *v, enum auth_method m)
{
	const struct json *spf = verified_spf(v, m);
	const char *libspf2 = m == AUTH_SPF ? verified_libspf2(v) : "";

	if (put(b, "domain ", text(spf, "domain"), ""))
		strbuf_puts(b, yes(spf, "secure") ? ", validated by DNSSEC\n" : "\n");
	put_trace(b, spf);
	if (json_int(spf, "lookups", -1) >= 0)
		strbuf_printf(b, "%d of 10 lookups, %d of 2 that found nothing\n",
		    (int)json_int(spf, "lookups", 0), (int)json_int(spf, "voids", 0));
	put(b, "because ", text(spf, "reason"), "\n");
	put(b, "the domain explains: ", text(spf, "explanation"), "\n");
	put(b, "no explanation: ", text(spf, "no_explanation"), "\n");
	if (strcmp(libspf2, "crashed") == 0)
		strbuf_puts(
		    b, "libspf2 crashed at this record: receivers that use it may do so too\n");
	else
		put(b, "libspf2, which many receivers use: ", libspf2, "\n");
}

static void
put_key(struct strbuf *b, const struct json *k)
{
	int64_t bits = json_int(k, "bits", 0);

	if (k == NULL)
		return;
	put(b, "  key ", text(k, "state"), "");
	if (bits > 0) {
		put(b, ", ", text(k, "type"), "");
		strbuf_printf(b, " of %d bits", (int)bits);
	}
	put(b, ", by RFC 8301 ", text(k, "strength"), "");
	put(b, ", DNSSEC ", text(k, "dnssec"), "");
	strbuf_puts(b, yes(k, "testing") ? ", t=y: a test" : "");
	if (json_int(k, "records", 1) > 1)
		strbuf_printf(b, ", one of %d records", (int)json_int(k, "records", 1));
	put(b, ", ", text(k, "reason"), "");
	strbuf_puts(b, "\n");
}

/* "before 2026-11-21 20:00:00 UTC" */
static void
put_seconds(struct strbuf *b, const char *before, const struct json *o, const char *key)
{
	int64_t t = json_int(o, key, -1);
	char when[32];

	if (t < 0 || t > INT64_C(253402300799)) /* the year 9999 */
		return;
	describe_time(when, t * CLOCK_SECOND, false);
	strbuf_printf(b, "%s%s UTC", before, when);
}

static void
put_signature(struct strbuf *b, const struct json *s, unsigned n)
{
	strbuf_printf(b, "signature %u: ", n);
	said(b, text(s, "result"));
	put(b, ", ", text(s, "reason"), "");
	strbuf_puts(b, "\n  ");
	put(b, "domain ", text(s, "domain"), "");
	put(b, ", selector ", text(s, "selector"), "");
	put(b, ", ", text(s, "algorithm"), "");
	put(b, ", ", text(s, "canon_header"), "");
	put(b, "/", text(s, "canon_body"), "");
	put_seconds(b, ", signed ", s, "signed_at");
	put_seconds(b, yes(s, "expired") ? ", expired " : ", good until ", s, "expires");
	strbuf_puts(b, "\n");
	put_key(b, json_get(s, "key"));
	if (json_int(s, "body_limit", -1) >= 0)
		strbuf_printf(b, "  signs %lld octets of %lld of the body\n",
		    (long long)json_int(s, "body_covered", json_int(s, "body_limit", 0)),
		    (long long)json_int(s, "body_len", 0));
	put(b, "  signs ", text(s, "headers"), "\n");
	put(b, "  libopendkim, which many receivers use: ", text(s, "opendkim"), "\n");
}

static void
dkim_evidence(struct strbuf *b, const struct verified *v)
{
	const struct json *dkim = verified_part(v, "dkim");
	int64_t n = 0, all = json_int(dkim, "signatures", 0);

	for (const struct json *s = list(dkim, "signature"); s != NULL; s = s->next)
		put_signature(b, s, (unsigned)++n);
	if (all > n)
		strbuf_printf(
		    b, "%lld signatures more that were not looked at\n", (long long)(all - n));
}

static void
put_uris(struct strbuf *b, const char *before, const struct json *uri)
{
	for (; uri != NULL; uri = uri->next) {
		put(b, before, text(uri, "uri"), "");
		put(b, ", consent: ", text(uri, "consent"), "");
		strbuf_puts(b, "\n");
	}
}

static void
put_dmarc_record(struct strbuf *b, const struct json *r)
{
	put(b, "  record ", text(r, "text"), "\n");
	put_uris(b, "  reports go to ", list(r, "rua"));
	put_uris(b, "  reports of failures go to ", list(r, "ruf"));
	for (const struct json *f = list(r, "fault"); f != NULL; f = f->next)
		put(b, "  mistake: ", text(f, "text"), "\n");
}

static void
put_view(struct strbuf *b, const char *by, const struct json *view)
{
	if (view == NULL)
		return;
	strbuf_printf(b, "%s: ", by);
	said(b, text(view, "result"));
	put(b, ", ", text(view, "reason"), "");
	strbuf_puts(b, "\n");
	if (put(b, "  organisation ", text(view, "organisation"), "")) {
		put(b, ", record of ", text(view, "at"), "");
		strbuf_puts(b, yes(view, "secure") ? " validated by DNSSEC" : "");
		put(b, ", policy ", text(view, "policy"), "");
		put(b, " by ", text(view, "tag"), "=");
		strbuf_puts(b, "\n");
	}
	put(b, "  alignment of SPF: ", text(view, "spf_aligned"), "\n");
	put_dmarc_record(b, json_get(view, "record"));
}

static void
put_alignments(struct strbuf *b, const struct verified *v)
{
	unsigned n = 0;

	for (const struct json *s = list(verified_part(v, "dkim"), "signature"); s != NULL;
	     s = s->next) {
		if (!put(b, "alignment of the signature of ", text(s, "domain"), ""))
			continue;
		put(b, ": ", text(s, "aligned"), "");
		if (strcmp(text(s, "aligned"), text(s, "aligned_tree")) != 0)
			put(b, ", by RFC 9989: ", text(s, "aligned_tree"), "");
		strbuf_puts(b, "\n");
		if (++n == ITEMS_SAID)
			break;
	}
}

static void
dmarc_evidence(struct strbuf *b, const struct verified *v)
{
	const struct json *d = verified_part(v, "dmarc"), *author = verified_part(v, "author");

	if (d == NULL)
		return;
	put(b, "domain in From: ", text(author, "domain"), "\n");
	put(b, "no author: ", text(author, "why"), "\n");
	put_view(b, "RFC 7489, by the public suffix list", json_get(d, "rfc7489"));
	put_view(b, "RFC 9989, by the tree walk", json_get(d, "rfc9989"));
	put(b, "they differ: ", text(d, "difference"), "\n");
	put_alignments(b, v);
	put(b, "a record there that is none: ", text(d, "stray"), "\n");
	for (const struct json *w = list(d, "walk"); w != NULL; w = w->next) {
		put(b, "walk: ", text(w, "domain"), ": ");
		put(b, "", text(w, "found"), "\n");
	}
}

static void
arc_evidence(struct strbuf *b, const struct verified *v)
{
	const struct json *arc = verified_part(v, "arc");
	unsigned n = 0;

	for (const struct json *s = list(arc, "set"); s != NULL && n < ITEMS_SAID; s = s->next) {
		strbuf_printf(b, "set %u", ++n);
		put(b, " by ", text(s, "domain"), "");
		put(b, ", selector ", text(s, "selector"), "");
		put(b, ": cv=", text(s, "cv"), "");
		put(b, ", seal ", text(s, "seal"), "");
		put(b, ", message signature ", text(s, "message"), "");
		put_seconds(b, ", sealed ", s, "sealed_at");
		strbuf_puts(b, "\n");
		put(b, "  it saw: ", text(s, "results"), "\n");
	}
	if (json_int(arc, "sets", 0) > n)
		strbuf_printf(b, "and %lld sets more\n", (long long)(json_int(arc, "sets", 0) - n));
	put(b, "because ", text(arc, "reason"), "\n");
}

static void
fcrdns_evidence(struct strbuf *b, const struct verified *v)
{
	const struct json *f = verified_part(v, "fcrdns");

	for (const struct json *n = list(f, "name"); n != NULL; n = n->next) {
		put(b, "", text(n, "name"), "");
		strbuf_puts(b, yes(n, "confirmed") ? ": has the address\n"
			       : yes(n, "failed")  ? ": could not be looked up\n"
						   : ": does not have the address\n");
	}
	put(b, "because ", text(f, "reason"), "\n");
}

static void
ehlo_evidence(struct strbuf *b, const struct verified *v)
{
	const struct json *e = verified_part(v, "ehlo");

	if (e == NULL)
		return;
	strbuf_puts(b, yes(e, "is_reverse") ? "it is the name of the address\n"
					    : "the address has another name or none\n");
	put(b, "because ", text(e, "reason"), "\n");
}

void
papers_evidence(struct strbuf *b, const struct verified *v, enum auth_method m)
{
	if (v->state != VERIFIED_JUDGED)
		return;
	switch (m) {
	case AUTH_SPF:
	case AUTH_HELO:
		if (verified_result(v, m) != NULL)
			spf_evidence(b, v, m);
		break;
	case AUTH_DKIM:
		dkim_evidence(b, v);
		break;
	case AUTH_DMARC:
		dmarc_evidence(b, v);
		break;
	case AUTH_ARC:
		arc_evidence(b, v);
		break;
	case AUTH_FCRDNS:
		fcrdns_evidence(b, v);
		break;
	default:
		ehlo_evidence(b, v);
		break;
	}
}

void
papers_received(struct strbuf *b, const struct verified *v)
{
	unsigned n = 0;

	for (const struct json *h = list(verified_part(v, "received"), "hop");
	     h != NULL && n < ITEMS_SAID; h = h->next, n++) {
		said(b, *text(h, "by") == '\0' ? "?" : text(h, "by"));
		put(b, " from ", text(h, "from"), "");
		put(b, " (", text(h, "from_info"), ")");
		put(b, " with ", text(h, "with"), "");
		put_seconds(b, ", ", h, "time");
		put(b, ": ", text(h, "wrong"), "");
		strbuf_puts(b, "\n");
	}
}
