/* findings.c - see findings.h; the shape of the object is in outpost-events(5). */
#include "verify/findings.h"

#include <stdio.h>
#include <string.h>

#include "lib/json.h"

/* How much is told: everything; without how it came about; the verdicts. */
enum detail { DETAIL_VERDICTS, DETAIL_FACTS, DETAIL_ALL };

struct writer {
	struct strbuf *b;
	enum detail detail;
};

#define SHORT_TEXT 80

/* Octets that are not printable ASCII are \u00XX each, as in events; "" is not written.  Where only verdicts
 * are told, a value is cut to SHORT_TEXT octets of JSON. */
static void
text_n(struct writer *w, const char *name, const char *s, size_t len)
{
	size_t most;

	if (len == 0)
		return;
	json_key(w->b, name);
	strbuf_puts(w->b, "\"");
	most = w->detail == DETAIL_VERDICTS ? w->b->len + SHORT_TEXT : SIZE_MAX;
	for (size_t i = 0; i < len && w->b->len < most; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			strbuf_printf(w->b, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			strbuf_printf(w->b, "\\u%04x", c);
		else
			strbuf_add(w->b, s + i, 1);
	}
	strbuf_puts(w->b, "\"");
}

static void
text(struct writer *w, const char *name, const char *s)
{
	text_n(w, name, s, strlen(s));
}

static void
flag(struct writer *w, const char *name, bool value)
{
	if (value)
		json_put_bool(w->b, name, true);
}

/* --- what is told of each ----------------------------------------------------------------------------------------- */

static void
write_message(struct writer *w, const struct mail *m)
{
	json_begin(w->b, "message", '{');
	json_put_num(w->b, "size", (int64_t)m->all.n);
	json_put_num(w->b, "fields", (int64_t)m->fields);
	text(w, "wrong", m->wrong);
	flag(w, "over_limit", m->over_limit);
	flag(w, "bare_lf", m->bare_lf);
	flag(w, "bare_cr", m->bare_cr);
	flag(w, "nul", m->nul);
	flag(w, "utf8", m->not_ascii);
	json_end(w->b, '}');
}

static void
write_author(struct writer *w, const struct address_author *a)
{
	json_begin(w->b, "author", '{');
	text(w, "domain", a->why[0] == '\0' ? a->domain[0] : "");
	text(w, "address", a->address);
	text(w, "why", a->why);
	json_put_num(w->b, "fields", (int64_t)a->fields);
	json_put_num(w->b, "mailboxes", (int64_t)a->mailboxes);
	flag(w, "group", a->group);
	flag(w, "obsolete", a->obsolete);
	flag(w, "not_utf8", a->not_utf8);
	json_end(w->b, '}');
}

static void
write_trace(struct writer *w, const struct spf_result *s)
{
	if (w->detail < DETAIL_ALL || s->steps == 0)
		return;
	json_begin(w->b, "trace", '[');
	for (size_t i = 0; i < s->steps; i++) {
		const struct spf_step *t = &s->trace[i];

		json_begin(w->b, NULL, '{');
		json_put_num(w->b, "depth", t->depth);
		text(w, t->record ? "record" : "term", t->text);
		text(w, "result",
		    t->record ? spf_verdict_word(t->verdict) : spf_outcome_word(t->outcome));
		text(w, "domain", t->domain);
		text(w, "target", t->target);
		text(w, "found", t->found);
		json_end(w->b, '}');
	}
	json_end(w->b, ']');
	json_put_num(w->b, "trace_lost", (int64_t)s->steps_lost);
}

static void
write_spf(struct writer *w, const char *name, const struct spf_result *s)
{
	json_begin(w->b, name, '{');
	text(w, "result", spf_verdict_word(s->verdict));
	text(w, "domain", s->domain);
	text(w, "reason", s->reason);
	text(w, "term", s->term);
	text(w, "term_domain", s->term_domain);
	text(w, "explanation", s->explanation);
	text(w, "no_explanation", s->no_explanation);
	json_put_num(w->b, "lookups", s->lookups);
	json_put_num(w->b, "voids", s->voids);
	json_put_num(w->b, "void_queries", s->void_queries);
	flag(w, "secure", s->secure);
	write_trace(w, s);
	json_end(w->b, '}');
}

static const char *
key_state(enum dkimkey_state s)
{
	static const char *const words[] = {
		[DKIMKEY_GOOD] = "good",
		[DKIMKEY_NONE] = "none",
		[DKIMKEY_RETRY] = "no answer",
		[DKIMKEY_REVOKED] = "revoked",
		[DKIMKEY_BROKEN] = "broken",
	};

	return words[s];
}

static const char *
strength(enum dkimkey_strength s)
{
	static const char *const words[] = {
		[DKIMKEY_STRONG] = "strong",
		[DKIMKEY_SHORT] = "short",
		[DKIMKEY_FORBIDDEN] = "forbidden",
	};

	return words[s];
}

static void
write_key(struct writer *w, const struct dkim_signature *s)
{
	const struct dkimkey *k = &s->key;

	if (k->name[0] == '\0')
		return;
	json_begin(w->b, "key", '{');
	text(w, "state", key_state(k->state));
	if (k->state == DKIMKEY_GOOD)
		json_put_num(w->b, "bits", k->bits);
	flag(w, "testing", k->testing);
	if (w->detail >= DETAIL_FACTS) {
		text(w, "dnssec",
		    k->dnssec == DKIMKEY_SECURE  ? "secure"
		    : k->dnssec == DKIMKEY_BOGUS ? "bogus"
						 : "insecure");
		text(w, "reason", k->reason);
		if (k->state == DKIMKEY_GOOD) {
			text(w, "type", k->type);
			text(w, "strength", strength(s->strength));
		}
		json_put_num(w->b, "records", (int64_t)k->records);
		flag(w, "strict", k->strict);
	}
	if (w->detail == DETAIL_ALL)
		text_n(w, "record", k->record, strnlen(k->record, 900));
	json_end(w->b, '}');
}

static void
write_times(struct writer *w, const struct dkim_signature *s)
{
	if (s->signed_at >= 0)
		json_put_num(w->b, "signed_at", s->signed_at);
	if (s->expires >= 0)
		json_put_num(w->b, "expires", s->expires);
	flag(w, "expired", s->expired);
	flag(w, "future", s->future);
}

static void
write_signature(
    struct writer *w, const struct dkim_signature *s, const struct dmarc_result *d, size_t i)
{
	json_begin(w->b, NULL, '{');
	text(w, "result", dkim_verdict_word(s->verdict));
	text(w, "reason", s->reason);
	text(w, "domain", s->domain);
	text(w, "selector", s->selector);
	text(w, "algorithm", s->algorithm);
	if (i < DMARC_DKIM_MAX) {
		text(w, "aligned", dmarc_alignment_word(d->list.dkim[i]));
		text(w, "aligned_tree", dmarc_alignment_word(d->tree.dkim[i]));
	}
	if (w->detail >= DETAIL_FACTS) {
		text(w, "identity", s->identity);
		text(w, "canon_header", s->canon_header);
		text(w, "canon_body", s->canon_body);
		text_n(w, "headers", s->headers, strnlen(s->headers, 300));
		flag(w, "signs_from", s->signs_from);
		write_times(w, s);
		json_put_num(w->b, "body_len", (int64_t)s->body_len);
		json_put_num(w->b, "body_covered", (int64_t)s->body_covered);
		flag(w, "body_hash_right", s->body_hash_right);
		text(w, "opendkim", s->opendkim);
	}
	/* What words of the catalogue ask for is told however long the rest is: that it is not there would be read
	 * as an answer. */
	if (s->body_limit >= 0)
		json_put_num(w->b, "body_limit", s->body_limit);
	flag(w, "sha1", s->sha1);
	write_key(w, s);
	json_end(w->b, '}');
}

static void
write_dkim(struct writer *w, const struct dkim_result *d, const struct dmarc_result *dmarc)
{
	json_begin(w->b, "dkim", '{');
	text(w, "result", dkim_verdict_word(d->verdict));
	text(w, "reason", d->reason);
	json_put_num(w->b, "signatures", (int64_t)d->signatures);
	json_begin(w->b, "signature", '[');
	for (size_t i = 0; i < d->n; i++)
		write_signature(w, &d->sig[i], dmarc, i);
	json_end(w->b, ']');
	json_end(w->b, '}');
}

static const char *
check(enum arc_check c)
{
	return c == ARC_RIGHT ? "right" : c == ARC_WRONG ? "wrong" : "unchecked";
}

static void
write_arc(struct writer *w, const struct arc_result *a)
{
	json_begin(w->b, "arc", '{');
	text(w, "result", arc_verdict_word(a->verdict));
	text(w, "reason", a->reason);
	flag(w, "failed_before", a->failed_before);
	flag(w, "temporary", a->temporary);
	json_put_num(w->b, "sets", (int64_t)a->n);
	if (a->verdict == ARC_IS_PASS)
		json_put_num(w->b, "oldest_pass", a->oldest_pass);
	if (w->detail >= DETAIL_FACTS && a->n > 0) {
		json_begin(w->b, "set", '[');
		for (size_t i = 0; i < a->n; i++) {
			const struct arc_set *s = &a->set[i];

			json_begin(w->b, NULL, '{');
			text(w, "cv", s->cv);
			text(w, "seal", check(s->seal));
			text(w, "domain", s->domain);
			text(w, "selector", s->selector);
			text(w, "message", check(s->ams));
			if (strcmp(s->ams_domain, s->domain) != 0)
				text(w, "message_domain", s->ams_domain);
			if (s->sealed_at >= 0)
				json_put_num(w->b, "sealed_at", s->sealed_at);
			json_put_num(w->b, "bits", s->bits);
			text(w, "authserv", s->authserv);
			if (w->detail == DETAIL_ALL && s->results.p != NULL)
				text_n(w, "results", s->results.p,
				    s->results.n < 400 ? s->results.n : 400);
			json_end(w->b, '}');
		}
		json_end(w->b, ']');
	}
	json_end(w->b, '}');
}

/* --- DMARC -------------------------------------------------------------------------------------------------------------- */

static void
write_uris(struct writer *w, const char *name, const struct dmarc_uri *uris, size_t n,
    const enum dmarc_consent *consent)
{
	if (n == 0)
		return;
	json_begin(w->b, name, '[');
	for (size_t i = 0; i < n; i++) {
		json_begin(w->b, NULL, '{');
		text(w, "uri", uris[i].text);
		if (uris[i].limit > 0)
			json_put_num(w->b, "limit", (int64_t)uris[i].limit);
		if (consent != NULL)
			text(w, "consent", dmarc_consent_word(consent[i]));
		json_end(w->b, '}');
	}
	json_end(w->b, ']');
}

static void
write_faults(struct writer *w, const struct dmarc_record *r)
{
	if (r->faults == 0)
		return;
	json_put_num(w->b, "faults", (int64_t)r->faults);
	json_begin(w->b, "fault", '[');
	for (size_t i = 0; i < r->faults && i < DMARC_FAULTS_MAX; i++) {
		json_begin(w->b, NULL, '{');
		text(w, "text", r->fault[i].text);
		flag(w, "grave", r->fault[i].grave);
		json_end(w->b, '}');
	}
	json_end(w->b, ']');
}

static void
write_record(struct writer *w, const struct dmarc_view *v, const enum dmarc_consent *consent)
{
	const struct dmarc_record *r = &v->record;
	const char psd[2] = { r->psd, '\0' };

	json_begin(w->b, "record", '{');
	if (w->detail == DETAIL_VERDICTS) {
		write_faults(w, r);
		json_end(w->b, '}');
		return;
	}
	text(w, "text", r->text);
	text(w, "p", dmarc_policy_word(r->p));
	text(w, "sp", dmarc_policy_word(r->sp));
	text(w, "np", dmarc_policy_word(r->np));
	text(w, "adkim", r->strict_dkim ? "s" : "r");
	text(w, "aspf", r->strict_spf ? "s" : "r");
	json_put_num(w->b, "pct", r->pct);
	flag(w, "testing", r->testing);
	text(w, "psd", psd);
	text(w, "fo", r->fo);
	json_put_num(w->b, "ri", r->interval);
	write_uris(w, "rua", r->rua, r->rua_n, consent);
	write_uris(w, "ruf", r->ruf, r->ruf_n, consent != NULL ? consent + r->rua_n : NULL);
	write_faults(w, r);
	json_end(w->b, '}');
}

static void
write_view(struct writer *w, const char *name, const struct dmarc_view *v, bool record,
    const enum dmarc_consent *consent)
{
	json_begin(w->b, name, '{');
	text(w, "result", dmarc_verdict_word(v->verdict));
	text(w, "reason", v->reason);
	text(w, "organisation", v->organisation);
	text(w, "at", v->at);
	flag(w, "secure", v->secure);
	text(w, "tag", v->tag);
	text(w, "policy", dmarc_policy_word(v->policy));
	text(w, "applied", dmarc_policy_word(v->applied));
	text(w, "spf_aligned", dmarc_alignment_word(v->spf));
	flag(w, "spf_counts", v->spf_counts);
	json_begin(w->b, "dkim_counts", '[');
	for (size_t i = 0; i < DMARC_DKIM_MAX; i++)
		if (v->dkim_counts[i])
			json_put_num(w->b, NULL, (int64_t)i);
	json_end(w->b, ']');
	if (record && v->at[0] != '\0')
		write_record(w, v, consent);
	json_end(w->b, '}');
}

static void
write_dmarc(struct writer *w, const struct dmarc_result *d)
{
	bool own = d->list.at[0] == '\0' || strcmp(d->list.at, d->tree.at) != 0;

	json_begin(w->b, "dmarc", '{');
	text(w, "result", dmarc_verdict_word(d->list.verdict));
	text(w, "difference", d->difference);
	flag(w, "missing", d->missing);
	json_put_num(w->b, "strays", (int64_t)d->strays);
	text(w, "stray", d->stray);
	write_view(w, "rfc7489", &d->list, true, d->consent);
	write_view(w, "rfc9989", &d->tree, own, d->list.at[0] == '\0' ? d->consent : NULL);
	if (w->detail >= DETAIL_FACTS && d->walk_n > 0) {
		json_begin(w->b, "walk", '[');
		for (size_t i = 0; i < d->walk_n; i++) {
			const char psd[2] = { d->walk[i].psd, '\0' };

			json_begin(w->b, NULL, '{');
			text(w, "domain", d->walk[i].domain);
			text(w, "found", dmarc_found_word(d->walk[i].found));
			if (d->walk[i].found == DMARC_RECORD)
				text(w, "psd", psd);
			json_end(w->b, '}');
		}
		json_end(w->b, ']');
	}
	json_end(w->b, '}');
}

/* --- the way here ------------------------------------------------------------------------------------------------------- */

static void
write_fcrdns(struct writer *w, const struct fcrdns_result *f)
{
	json_begin(w->b, "fcrdns", '{');
	text(w, "result", fcrdns_verdict_word(f->verdict));
	text(w, "reason", f->reason);
	flag(w, "secure", f->secure);
	json_put_num(w->b, "names", (int64_t)f->names);
	json_begin(w->b, "name", '[');
	for (size_t i = 0; i < f->names && i < FCRDNS_NAMES_MAX; i++) {
		json_begin(w->b, NULL, '{');
		text(w, "name", f->name[i].name);
		flag(w, "confirmed", f->name[i].confirmed);
		flag(w, "failed", f->name[i].failed);
		json_end(w->b, '}');
	}
	json_end(w->b, ']');
	json_end(w->b, '}');
}

static void
write_helo(struct writer *w, const struct helo_result *h)
{
	json_begin(w->b, "ehlo", '{');
	text(w, "form", helo_form_word(h->form));
	text(w, "reason", h->reason);
	flag(w, "resolves", h->resolves);
	flag(w, "failed", h->failed);
	flag(w, "matches", h->matches);
	flag(w, "is_reverse", h->is_reverse);
	flag(w, "reverse_confirmed", h->reverse_confirmed);
	if (h->addresses > 0) {
		json_begin(w->b, "address", '[');
		for (size_t i = 0; i < h->addresses; i++)
			json_put(w->b, NULL, h->address[i]);
		json_end(w->b, ']');
	}
	json_end(w->b, '}');
}

static void
write_received(struct writer *w, const struct received_result *r)
{
	json_begin(w->b, "received", '{');
	json_put_num(w->b, "hops", (int64_t)r->hops);
	json_put_num(w->b, "wrong", (int64_t)r->wrong);
	json_put_num(w->b, "backwards", (int64_t)r->backwards);
	if (r->backwards > 0)
		json_put_num(w->b, "backwards_most", r->most);
	if (r->has_span)
		json_put_num(w->b, "span", r->span);
	json_put_num(w->b, "ahead", r->ahead);
	if (w->detail == DETAIL_ALL && r->n > 0) {
		json_begin(w->b, "hop", '[');
		for (size_t i = 0; i < r->n; i++) {
			const struct received_hop *h = &r->hop[i];

			json_begin(w->b, NULL, '{');
			text(w, "from", h->from);
			text(w, "from_info", h->from_info);
			text(w, "by", h->by);
			text(w, "with", h->with);
			text(w, "for", h->for_whom);
			if (h->time != RECEIVED_NO_TIME)
				json_put_num(w->b, "time", h->time);
			text(w, "wrong", h->wrong);
			json_end(w->b, '}');
		}
		json_end(w->b, ']');
	}
	json_end(w->b, '}');
}

static void
write_lookups(struct writer *w, const struct lookups *book)
{
	int64_t asked = 0, failed = 0, bogus = 0, secure = 0;
	const struct lookup *l;

	for (; (l = lookup_at(book, (size_t)asked)) != NULL; asked++) {
		failed += l->status == LOOKUP_FAILED;
		bogus += l->status == LOOKUP_BOGUS;
		secure += l->secure;
	}
	json_begin(w->b, "lookups", '{');
	json_put_num(w->b, "asked", asked);
	json_put_num(w->b, "failed", failed);
	json_put_num(w->b, "bogus", bogus);
	json_put_num(w->b, "secure", secure);
	json_end(w->b, '}');
}

static void
write_all(struct writer *w, const struct findings *f, const struct verify_input *in,
    const struct lookups *book)
{
	json_begin(w->b, NULL, '{');
	json_put_num(w->b, "v", 1);
	text(w, "client", in->client);
	text_n(w, "helo", in->helo, strnlen(in->helo, 255));
	text_n(w, "from", in->from, strnlen(in->from, 320));
	write_message(w, &f->mail);
	write_author(w, &f->author);
	json_begin(w->b, "spf", '{');
	write_spf(w, "mailfrom", &f->spf_mail_from);
	write_spf(w, "helo", &f->spf_helo);
	json_end(w->b, '}');
	write_dkim(w, &f->dkim, &f->dmarc);
	write_arc(w, &f->arc);
	write_dmarc(w, &f->dmarc);
	write_fcrdns(w, &f->fcrdns);
	write_helo(w, &f->helo);
	write_received(w, &f->received);
	write_lookups(w, book);
	flag(w, "cut", w->detail < DETAIL_ALL);
	json_end(w->b, '}');
}

void
findings_json(struct strbuf *dst, const struct findings *f, const struct verify_input *in,
    const struct lookups *book)
{
	struct strbuf b = { 0 };
	struct writer w = { &b, DETAIL_ALL };

	write_all(&w, f, in, book);
	while (b.len > VERIFY_JSON_MAX && w.detail > DETAIL_VERDICTS) {
		strbuf_reset(&b);
		w.detail--;
		write_all(&w, f, in, book);
	}
	strbuf_add(dst, b.s, b.len);
	strbuf_clear(&b);
}
