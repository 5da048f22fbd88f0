#include "verify/spf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/address.h"
#include "verify/spf_run.h"

/* Where the explanation of a "fail" stands: exp= of the record that matched (6.2). */
struct explanation {
	char domain[SPF_DOMAIN_SIZE]; /* of the record */
	struct spf_term term;         /* .domain points into record */
	struct strbuf record;
};

const char *
spf_verdict_word(enum spf_verdict v)
{
	static const char *const words[] = { "none", "neutral", "pass", "fail", "softfail",
		"temperror", "permerror" };

	return words[v];
}

const char *
spf_outcome_word(enum spf_outcome o)
{
	static const char *const words[] = { "match", "no match", "temperror", "permerror" };

	return words[o];
}

void
spf_text(char *dst, size_t size, const char *s, size_t len)
{
	size_t n = 0, whole = 0; /* whole: how much may stay if "..." must follow */

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		size_t takes = c >= 0x20 && c < 0x7f ? 1 : 4;

		if (n + takes >= size) {
			snprintf(dst + whole, size - whole, "...");
			return;
		}
		if (takes == 1)
			dst[n] = (char)c;
		else
			snprintf(dst + n, size - n, "\\%03u", c);
		n += takes;
		if (n + sizeof("...") <= size)
			whole = n;
	}
	dst[n] = '\0';
}

void
spf_name(char dst[LOOKUP_NAME_SIZE], const char *raw)
{
	size_t n = 0;

	for (; *raw != '\0' && n + 5 <= LOOKUP_NAME_SIZE; raw++) {
		unsigned char c = (unsigned char)*raw;

		if (c > 0x20 && c < 0x7f && c != '\\')
			dst[n++] = (char)c;
		else
			n += (size_t)snprintf(dst + n, LOOKUP_NAME_SIZE - n, "\\%03u", c);
	}
	dst[n] = '\0';
}

void
spf_reason(struct spf_run *r, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	if (r->out->reason[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	spf_text(r->out->reason, sizeof(r->out->reason), text, strlen(text));
}

const struct lookup *
spf_ask(struct spf_run *r, const char *name, uint16_t type)
{
	const struct lookup *l = lookup_get(r->book, name, type);

	if (l->status == LOOKUP_WANTED)
		r->need = true;
	if (l->name[0] != '\0' && !r->explaining)
		r->out->secure = r->out->secure && l->secure;
	return l;
}

static struct spf_step *
new_step(struct spf_run *r, const char *text, size_t len)
{
	struct spf_step *s = &r->unseen;

	if (r->out->steps < SPF_TRACE_MAX)
		s = &r->out->trace[r->out->steps++];
	else
		r->out->steps_lost++;
	memset(s, 0, sizeof(*s));
	s->depth = r->depth;
	spf_text(s->domain, sizeof(s->domain), r->macro.domain, strlen(r->macro.domain));
	spf_text(s->text, sizeof(s->text), text, len);
	return s;
}

/* The term that decided, once: inner ones come first. */
static void
set_term(struct spf_run *r, const struct spf_term *t)
{
	if (r->out->term_domain[0] != '\0')
		return;
	if (t != NULL)
		spf_text(r->out->term, sizeof(r->out->term), t->text, t->len);
	spf_text(r->out->term_domain, sizeof(r->out->term_domain), r->macro.domain,
	    strlen(r->macro.domain));
}

/* --- records --- */

/* The SPF record of the domain (4.4, 4.5).  SPF_PASS: it is in *record; SPF_NONE: there is none. */
static enum spf_verdict
find_record(struct spf_run *r, struct strbuf *record)
{
	char name[LOOKUP_NAME_SIZE];
	struct strbuf one = { 0 };
	const struct lookup *l;
	size_t records = 0;

	spf_name(name, r->macro.domain);
	l = spf_ask(r, name, SPF_TYPE_TXT);
	if (r->need)
		return SPF_TEMPERROR;
	if (l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS) {
		spf_reason(r, "the lookup of TXT of %s failed: %s%s%s", name,
		    l->status == LOOKUP_BOGUS ? "DNSSEC: bogus" : "DNS error",
		    l->why[0] != '\0' ? ": " : "", l->why);
		return SPF_TEMPERROR;
	}
	for (size_t i = 0; i < l->n; i++) {
		strbuf_reset(&one);
		if (lookup_txt(&one, &l->rdata[i]) < 0 || one.len == 0 ||
		    !spf_record_is(one.s, one.len))
			continue;
		if (records++ == 0)
			strbuf_add(record, one.s, one.len);
	}
	strbuf_clear(&one);
	if (records > 1)
		spf_reason(r, "%s has %zu SPF records, and may have only one", name, records);
	return records > 1 ? SPF_PERMERROR : records == 1 ? SPF_PASS : SPF_NONE;
}

static enum spf_verdict check_record(struct spf_run *, struct explanation *);

/* 5.2: the other domain's verdict decides. */
static enum spf_outcome
include(struct spf_run *r, const struct spf_term *t)
{
	const char *outer = r->macro.domain;
	struct spf_step *step = r->step;
	char target[SPF_DOMAIN_SIZE];
	enum spf_verdict v;

	if (spf_count(r) < 0 || spf_target(r, t, target) < 0)
		return SPF_TERM_PERMERROR;
	if (r->need)
		return SPF_NO_MATCH;
	spf_text(step->target, sizeof(step->target), target, strlen(target));
	r->macro.domain = target;
	r->depth++;
	v = check_record(r, NULL);
	r->depth--;
	r->macro.domain = outer;
	r->step = step;
	if (r->need)
		return SPF_NO_MATCH;
	snprintf(step->found, sizeof(step->found), "%s", spf_verdict_word(v));
	if (v == SPF_NONE)
		spf_reason(r, "%s is included and has no SPF record", step->target);
	if (v == SPF_NONE || v == SPF_PERMERROR)
		return SPF_TERM_PERMERROR;
	if (v == SPF_TEMPERROR)
		return SPF_TERM_TEMPERROR;
	if (v == SPF_PASS)
		return SPF_MATCH;
	r->out->reason[0] = '\0'; /* of a match inside that changed nothing */
	return SPF_NO_MATCH;
}

static bool
is_ascii(const char *s)
{
	while (*s != '\0' && (unsigned char)*s < 0x80)
		s++;
	return *s == '\0';
}

static enum spf_outcome
mechanism(struct spf_run *r, const struct spf_term *t)
{
	struct spf_step *step = new_step(r, t->text, t->len);
	bool sender = t->domain != NULL && (spf_macro_uses(t->domain, t->domain_len, 's') ||
					       spf_macro_uses(t->domain, t->domain_len, 'l'));
	enum spf_outcome o;

	r->step = step;
	r->void_term = false;
	if (sender && !is_ascii(r->macro.local)) {
		snprintf(step->found, sizeof(step->found), "the sender's local part is not ASCII");
		o = SPF_NO_MATCH; /* RFC 8616 4 */
	} else if (t->kind == SPF_ALL) {
		o = SPF_MATCH;
	} else {
		o = t->kind == SPF_INCLUDE ? include(r, t) : spf_term(r, t);
	}
	step->outcome = o;
	return o;
}

static enum spf_verdict
by_qualifier(char c)
{
	return c == '+' ? SPF_PASS : c == '-' ? SPF_FAIL : c == '~' ? SPF_SOFTFAIL : SPF_NEUTRAL;
}

/* The words for a match at the top: what an include matched stands in the reason already. */
static void
matched(struct spf_run *r, const struct spf_term *t)
{
	char term[256], inner[sizeof(r->out->reason)];
	const char *domain = r->macro.domain;

	spf_text(term, sizeof(term), t->text, t->len);
	if (t->kind == SPF_ALL) {
		spf_reason(r, "no term before \"%s\" of %s matches %s", term, domain, r->client);
	} else if (t->kind == SPF_INCLUDE) {
		memcpy(inner, r->out->reason, sizeof(inner));
		r->out->reason[0] = '\0';
		spf_reason(r, "\"%s\" of %s matches: %s", term, domain, inner);
	} else {
		spf_reason(r, "%s matches \"%s\" of %s", r->client, term, domain);
	}
}

/* The mechanisms of a checked record, from left to right.  *redirect and *exp are the modifiers if they
 * are there and to be heeded (.domain). */
static enum spf_verdict
evaluate(
    struct spf_run *r, const struct strbuf *record, struct spf_term *redirect, struct spf_term *exp)
{
	struct spf_term t, decided = { 0 };
	enum spf_outcome o = SPF_NO_MATCH;
	enum spf_verdict v = SPF_NEUTRAL;
	struct spf_error err;
	size_t at = 0;

	while (!r->need && spf_record_next(record->s, record->len, &at, &t, &err) == 1) {
		if (t.kind == SPF_REDIRECT)
			*redirect = t;
		else if (t.kind == SPF_EXP)
			*exp = t;
		if (t.qualifier == 0 || o != SPF_NO_MATCH)
			continue;
		o = mechanism(r, &t);
		decided = t;
	}
	if (r->need || o == SPF_NO_MATCH)
		return v;
	redirect->domain = NULL;
	v = o == SPF_TERM_TEMPERROR   ? SPF_TEMPERROR
	    : o == SPF_TERM_PERMERROR ? SPF_PERMERROR
				      : by_qualifier(decided.qualifier);
	if (o != SPF_MATCH || r->depth == 0)
		set_term(r, &decided);
	if (o == SPF_MATCH && (v == SPF_PASS || r->depth == 0))
		matched(r, &decided);
	return v;
}

/* Reads the record of macro.domain into *record and checks it.  Not SPF_PASS: that is the verdict. */
static enum spf_verdict
load(struct spf_run *r, struct strbuf *record)
{
	enum spf_verdict v = find_record(r, record);
	struct spf_term t = { .text = record->s };
	struct spf_error err;
	char text[128];

	if (r->need || v != SPF_PASS || spf_record_check(record->s, record->len, &err) == 0)
		return v;
	for (t.at = err.at; t.at > 0 && record->s[t.at - 1] != ' ';)
		t.at--;
	for (t.text += t.at; t.at + t.len < record->len && t.text[t.len] != ' ';)
		t.len++;
	set_term(r, &t);
	spf_text(text, sizeof(text), t.text, t.len);
	spf_reason(r, "syntax error in the record of %s, \"%s\" at octet %zu: %s", r->macro.domain,
	    text, err.at + 1, err.why);
	return SPF_PERMERROR;
}

/* One record: that of macro.domain.  redirect->domain: it goes on there. */
static enum spf_verdict
one_record(struct spf_run *r, struct strbuf *record, struct spf_term *redirect,
    struct explanation *explain)
{
	enum spf_verdict v = load(r, record);
	struct spf_term exp = { 0 };
	struct spf_step *step;

	if (r->need || v == SPF_TEMPERROR || v == SPF_NONE)
		return v;
	step = new_step(r, record->s, record->len);
	step->record = true;
	if (v == SPF_PASS)
		v = evaluate(r, record, redirect, &exp);
	step->verdict = v;
	if (v == SPF_FAIL && explain != NULL && exp.domain != NULL) {
		snprintf(explain->domain, sizeof(explain->domain), "%s", r->macro.domain);
		strbuf_add(&explain->record, exp.domain, exp.domain_len);
		explain->term = exp;
		explain->term.domain = explain->record.s;
	}
	return v;
}

/* 6.1: the name that redirect= points to.  -1: permerror. */
static int
follow(struct spf_run *r, const struct spf_term *redirect, char target[SPF_DOMAIN_SIZE])
{
	r->step = new_step(r, redirect->text, redirect->len);
	r->void_term = false;
	if (spf_count(r) < 0 || spf_target(r, redirect, target) < 0) {
		r->step->outcome = SPF_TERM_PERMERROR;
		set_term(r, redirect);
		return -1;
	}
	spf_text(r->step->target, sizeof(r->step->target), target, strlen(target));
	return 0;
}

/* The record of macro.domain and those that it redirects to.  explain: NULL in includes. */
static enum spf_verdict
check_record(struct spf_run *r, struct explanation *explain)
{
	const char *outer = r->macro.domain;
	char domain[2][SPF_DOMAIN_SIZE];
	struct spf_term redirect = { 0 };
	struct strbuf record[2] = { { 0 } };
	enum spf_verdict v = one_record(r, &record[0], &redirect, explain);

	for (unsigned turn = 0; !r->need && redirect.domain != NULL; turn ^= 1) {
		const char *from = r->macro.domain;
		struct spf_term by = redirect;

		if (follow(r, &redirect, domain[turn]) < 0)
			v = SPF_PERMERROR;
		redirect.domain = NULL;
		if (v == SPF_PERMERROR || r->need)
			break;
		r->macro.domain = domain[turn];
		strbuf_reset(&record[turn ^ 1]);
		v = one_record(r, &record[turn ^ 1], &redirect, explain);
		if (v == SPF_NONE) {
			spf_reason(
			    r, "%s is the target of redirect= and has no SPF record", domain[turn]);
			v = SPF_PERMERROR;
		}
		if (v == SPF_TEMPERROR || v == SPF_PERMERROR) {
			r->macro.domain = from;
			set_term(r, &by);
			r->macro.domain = domain[turn];
		}
	}
	if (r->depth == 0 && (v == SPF_TEMPERROR || v == SPF_PERMERROR))
		set_term(r, NULL);
	if (v == SPF_NEUTRAL && r->depth == 0)
		spf_reason(r,
		    "no term of the record of %s matches %s, and it has neither all nor redirect=",
		    r->macro.domain, r->client);
	r->macro.domain = outer;
	strbuf_clear(&record[0]);
	strbuf_clear(&record[1]);
	return v;
}

/* --- the explanation, RFC 7208 6.2: whatever is wrong with it, the verdict stays --- */

static void
explain_text(struct spf_run *r, const struct strbuf *text)
{
	char expanded[sizeof(r->out->explanation)];
	struct spf_error err;
	bool ends;

	if (text->len == 0)
		return;
	if (spf_macro_check(text->s, text->len, true, &ends, &err) < 0) {
		snprintf(r->out->no_explanation, sizeof(r->out->no_explanation),
		    "syntax error at octet %zu of the text: %s", err.at + 1, err.why);
		return;
	}
	if (spf_macro_uses(text->s, text->len, 'p'))
		spf_validate(r);
	if (r->need)
		return;
	spf_macro_text(expanded, sizeof(expanded), text->s, text->len, &r->macro);
	spf_text(r->out->explanation, sizeof(r->out->explanation), expanded, strlen(expanded));
}

static void
explain(struct spf_run *r, const struct explanation *e)
{
	char target[SPF_DOMAIN_SIZE], name[LOOKUP_NAME_SIZE], why[LOOKUP_NAME_SIZE + 100] = "";
	struct strbuf text = { 0 };
	const struct lookup *l;

	r->explaining = true;
	r->step = &r->unseen;
	memset(r->step, 0, sizeof(*r->step));
	r->macro.domain = e->domain;
	spf_target(r, &e->term, target);
	if (r->need)
		return;
	spf_name(name, target);
	l = spf_ask(r, name, SPF_TYPE_TXT);
	if (r->need)
		return;
	if (l->n != 1)
		snprintf(why, sizeof(why), "exp=: %s has %s TXT record", name,
		    l->n > 1 ? "more than one"
		    : l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS
			? "an error instead of a"
			: "no");
	else if (lookup_txt(&text, &l->rdata[0]) < 0)
		snprintf(why, sizeof(why), "exp=: %s has a malformed TXT record", name);
	else
		explain_text(r, &text);
	if (why[0] != '\0')
		spf_text(r->out->no_explanation, sizeof(r->out->no_explanation), why, strlen(why));
	strbuf_clear(&text);
}

/* --- what comes in --- */

/* RFC 8616 4: the domain of the reverse-path is taken as A-labels.  What cannot be stays as it is. */
static void
to_a_labels(char *domain, size_t size)
{
	char ascii[ADDRESS_DOMAIN_SIZE];
	const char *why;

	if (!is_ascii(domain) && address_domain(ascii, domain, strlen(domain), &why) == 0)
		snprintf(domain, size, "%s", ascii);
}

/* 4.3: NULL, or why no record can be asked for. */
static const char *
not_checkable(const char *domain)
{
	size_t len = strlen(domain), label = 0, labels = 1;

	if (len == 0)
		return "there is no name to check";
	if (domain[0] == '[')
		return "an address literal has no SPF record";
	for (size_t i = 0; i < len; i++) {
		if (domain[i] < 0x21 || domain[i] > 0x7e)
			return "the name holds what may not stand in one";
		label = domain[i] == '.' ? 0 : label + 1;
		labels += domain[i] == '.';
		if (label > 63)
			return "the name has a label of more than 63 octets";
		if (domain[i] == '.' && (i == 0 || i + 1 == len || domain[i - 1] == '.'))
			return "the name has an empty label";
	}
	if (len >= SPF_DOMAIN_SIZE)
		return "the name is longer than 253 octets";
	return labels < 2 ? "the name has one label only" : NULL;
}

struct sender {
	char local[SPF_INPUT_MAX + 1], domain[SPF_INPUT_MAX + 1], helo[SPF_INPUT_MAX + 1];
};

/* 2.3, 2.4, 4.3: who is checked.  -1: too long for any of it. */
static int
read_sender(struct sender *s, const struct spf_input *in)
{
	const char *at = in->identity == SPF_MAIL_FROM ? strrchr(in->from, '@') : NULL;
	bool from = in->identity == SPF_MAIL_FROM && in->from[0] != '\0';
	size_t len;

	if (strlen(in->helo) > SPF_INPUT_MAX || strlen(in->from) > SPF_INPUT_MAX ||
	    strlen(in->us) > SPF_INPUT_MAX)
		return -1;
	snprintf(s->helo, sizeof(s->helo), "%s", in->helo);
	len = strlen(s->helo);
	if (len > 0 && s->helo[len - 1] == '.')
		s->helo[len - 1] = '\0';
	snprintf(
	    s->local, sizeof(s->local), "%.*s", at != NULL ? (int)(at - in->from) : 0, in->from);
	if (s->local[0] == '\0')
		snprintf(s->local, sizeof(s->local), "postmaster");
	snprintf(s->domain, sizeof(s->domain), "%s",
	    at != NULL ? at + 1
	    : from     ? in->from
		       : s->helo);
	len = strlen(s->domain);
	if (len > 0 && s->domain[len - 1] == '.')
		s->domain[len - 1] = '\0';
	if (from)
		to_a_labels(s->domain, sizeof(s->domain));
	return 0;
}

enum verify_step
spf_check(const struct spf_input *in, struct lookups *book, struct spf_result *out)
{
	struct spf_run r = { .book = book, .out = out };
	struct explanation e = { 0 };
	struct sender sender;
	const char *why;

	memset(out, 0, sizeof(*out));
	out->secure = true;
	if (read_sender(&sender, in) < 0 || spf_address_parse(&r.macro.client, in->client) < 0) {
		spf_reason(&r,
		    "the address of the client, the name it gave or the sender is no such thing");
		return VERIFY_DONE;
	}
	spf_text(out->domain, sizeof(out->domain), sender.domain, strlen(sender.domain));
	if ((why = not_checkable(sender.domain)) != NULL) {
		spf_reason(&r, "%s", why);
		return VERIFY_DONE;
	}
	spf_address_format(r.client, &r.macro.client);
	r.macro.local = sender.local;
	r.macro.sender_domain = r.macro.domain = sender.domain;
	r.macro.helo = sender.helo;
	r.macro.us = in->us;
	r.macro.validated = "";
	r.macro.now = in->now;
	out->verdict = check_record(&r, &e);
	if (out->verdict == SPF_NONE)
		spf_reason(&r, "%s has no SPF record", sender.domain);
	if (!r.need && out->verdict == SPF_FAIL && e.term.domain != NULL)
		explain(&r, &e);
	strbuf_clear(&e.record);
	return r.need ? VERIFY_NEED : VERIFY_DONE;
}
