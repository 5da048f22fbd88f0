/* dmarc.c - see dmarc.h. */
#include "verify/dmarc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/strbuf.h"
#include "lib/suffix.h"

#define TYPE_A   1
#define TYPE_TXT 16

const char *
dmarc_verdict_word(enum dmarc_verdict v)
{
	static const char *const words[] = {
		[DMARC_IS_NONE] = "none",
		[DMARC_IS_PASS] = "pass",
		[DMARC_IS_FAIL] = "fail",
		[DMARC_IS_TEMPERROR] = "temperror",
		[DMARC_IS_PERMERROR] = "permerror",
	};

	return words[v];
}

const char *
dmarc_alignment_word(enum dmarc_alignment a)
{
	static const char *const words[] = {
		[DMARC_UNALIGNED] = "no",
		[DMARC_RELAXED] = "relaxed",
		[DMARC_STRICT] = "strict",
		[DMARC_UNKNOWN] = "unknown",
	};

	return words[a];
}

const char *
dmarc_found_word(enum dmarc_found f)
{
	static const char *const words[] = {
		[DMARC_NOTHING] = "none",
		[DMARC_RECORD] = "record",
		[DMARC_SEVERAL] = "several",
		[DMARC_FAILED] = "no answer",
	};

	return words[f];
}

const char *
dmarc_consent_word(enum dmarc_consent c)
{
	static const char *const words[] = {
		[DMARC_OWN] = "own",
		[DMARC_CONSENT] = "yes",
		[DMARC_NO_CONSENT] = "no",
		[DMARC_CONSENT_UNKNOWN] = "unknown",
	};

	return words[c];
}

/* --- organisations by the list -------------------------------------------------------------------------- */

int
dmarc_warm_up(void)
{
	if (suffix_load() == 0)
		return 0;
	log_warn("DMARC: no public suffix list: install publicsuffix");
	return -1;
}

static void
copy_domain(char dst[ADDRESS_DOMAIN_SIZE], const char *domain)
{
	snprintf(dst, ADDRESS_DOMAIN_SIZE, "%s", domain);
}

void
dmarc_organisation(char dst[ADDRESS_DOMAIN_SIZE], const char *domain)
{
	copy_domain(dst, suffix_organisation(domain));
}

/* --- records in the DNS ------------------------------------------------------------------------------------ */

static const struct lookup *
ask(struct lookups *book, const char *prefix, const char *domain, uint16_t type)
{
	char name[2 * ADDRESS_DOMAIN_SIZE + 32];

	snprintf(name, sizeof(name), "%s%s", prefix, domain);
	return lookup_get(book, name, type);
}

struct found {
	enum dmarc_found what;
	bool waiting, secure;
	size_t strays;
	char stray[128];
	char why[128];
	struct dmarc_record record; /* if what is DMARC_RECORD */
};

/* The policy records among the TXT records of a name. */
static void
sort_out(struct found *f, const struct lookup *l)
{
	struct strbuf text = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		strbuf_reset(&text);
		if (lookup_txt(&text, &l->rdata[i]) == 0 && text.len > 0 &&
		    dmarc_record_is(text.s, text.len)) {
			if (n++ == 0)
				dmarc_record_parse(&f->record, text.s, text.len);
		} else if (f->strays++ == 0 && text.len > 0) {
			snprintf(f->stray, sizeof(f->stray), "%.*s", (int)text.len, text.s);
		}
	}
	f->what = n == 0 ? DMARC_NOTHING : n == 1 ? DMARC_RECORD : DMARC_SEVERAL;
	strbuf_clear(&text);
}

static void
read_at(struct found *f, struct lookups *book, const char *domain)
{
	const struct lookup *l = ask(book, "_dmarc.", domain, TYPE_TXT);

	memset(f, 0, sizeof(*f));
	f->waiting = l->status == LOOKUP_WANTED;
	f->secure = l->secure;
	if (l->status == LOOKUP_OK) {
		sort_out(f, l);
	} else if (l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS) {
		f->what = DMARC_FAILED;
		snprintf(f->why, sizeof(f->why), "%s", l->why);
	}
}

/* --- organisations by the tree (RFC 9989 4.10) ------------------------------------------------------------------ */

static size_t
count_labels(const char *domain)
{
	size_t n = 1;

	for (; *domain != '\0'; domain++)
		n += *domain == '.';
	return n;
}

/* The last n labels. */
static const char *
last_labels(const char *domain, size_t n)
{
	for (size_t all = count_labels(domain); all > n; all--)
		domain = strchr(domain, '.') + 1;
	return domain;
}

/* Where records are looked for: the domain itself, then from its parent, or its last 7 labels, upwards. */
static size_t
walk_targets(const char *target[DMARC_WALK_MAX], const char *domain)
{
	size_t labels = count_labels(domain), n = 0;

	target[n++] = domain;
	for (size_t k = labels < 8 ? labels - 1 : 7; k > 0; k--)
		target[n++] = last_labels(domain, k);
	return n;
}

struct walk {
	const char *organisation; /* part of the domain */
	const char *best;         /* the organisation's record stands there; NULL: it has none */
	const char *registry;     /* psd=y of another domain; NULL none */
	bool waiting, failed;
	char why[128];
};

/* Asks for all of it at once, and tells in *r, unless it is NULL, what was there. */
static void
walk(struct walk *w, const char *domain, struct lookups *book, struct dmarc_result *r)
{
	const char *target[DMARC_WALK_MAX];
	size_t n = walk_targets(target, domain);
	struct found f;

	*w = (struct walk){ .organisation = domain };
	for (size_t i = 0; i < n; i++)
		ask(book, "_dmarc.", target[i], TYPE_TXT);
	for (size_t i = 0; i < n; i++) {
		read_at(&f, book, target[i]);
		if (f.waiting || f.what == DMARC_FAILED) {
			w->waiting = f.waiting;
			w->failed = !f.waiting;
			snprintf(w->why, sizeof(w->why), "_dmarc.%.80s: %.30s", target[i], f.why);
		}
		if (r != NULL) {
			copy_domain(r->walk[i].domain, target[i]);
			r->walk[i].found = f.what;
			r->walk[i].psd = f.what == DMARC_RECORD ? f.record.psd : ' ';
			r->walk_n = i + 1;
		}
		if (w->waiting || w->failed)
			return;
		if (f.what != DMARC_RECORD)
			continue;
		if (f.record.psd == 'y' && i > 0) {
			w->registry = target[i];
			w->organisation = last_labels(domain, count_labels(target[i]) + 1);
			if (w->best != NULL && strcmp(w->best, w->organisation) != 0)
				w->best = NULL;
			return;
		}
		w->best = w->organisation = target[i];
		if (f.record.psd != 'u')
			return;
	}
}

/* --- which record, which policy -------------------------------------------------------------------------------- */

static bool
take_record(struct dmarc_view *v, const struct found *f, const char *at, bool tree)
{
	if (f->what != DMARC_RECORD)
		return false;
	copy_domain(v->at, at);
	v->secure = f->secure;
	v->record = f->record;
	v->effect = dmarc_record_effect(&f->record, tree);
	return true;
}

/* No verdict but this one is possible. */
static void __attribute__((format(printf, 3, 4)))
conclude(struct dmarc_view *v, enum dmarc_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	v->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(v->reason, sizeof(v->reason), fmt, ap);
	va_end(ap);
}

static void
choose_policy(struct dmarc_view *v, const char *author, bool tree, bool missing)
{
	const struct dmarc_record *r = &v->record;
	bool own = strcmp(v->at, author) == 0;

	v->policy = tree && r->p == DMARC_UNSET ? DMARC_NO_ACTION : r->p; /* RFC 9989 4.7 */
	strcpy(v->tag, "p");
	if (!own && tree && missing && r->np >= DMARC_NO_ACTION) {
		v->policy = r->np;
		strcpy(v->tag, "np");
	} else if (!own && r->sp >= DMARC_NO_ACTION) {
		v->policy = r->sp;
		strcpy(v->tag, "sp");
	}
	if (v->effect == DMARC_AS_NONE) {
		v->policy = DMARC_NO_ACTION;
		strcpy(v->tag, "p");
	}
	v->applied = v->policy;
	if (tree && r->testing && v->policy > DMARC_NO_ACTION)
		v->applied = v->policy - 1;
}

/* RFC 7489 6.6.3.  false: questions are open; with a verdict where there is no more to be said. */
static bool
discover_list(struct dmarc_view *v, const char *author, struct lookups *book)
{
	const char *place[2] = { author, v->organisation };
	size_t places;
	struct found f;

	dmarc_organisation(v->organisation, author);
	places = strcmp(author, v->organisation) == 0 ? 1 : 2;
	for (size_t i = 0; i < places; i++)
		ask(book, "_dmarc.", place[i], TYPE_TXT);
	for (size_t i = 0; i < places; i++) {
		read_at(&f, book, place[i]);
		if (f.waiting)
			return false;
		if (f.what == DMARC_FAILED)
			conclude(v, DMARC_IS_TEMPERROR,
			    "the record at _dmarc.%.100s could not be had: %s", place[i], f.why);
		else if (f.what == DMARC_SEVERAL)
			conclude(v, DMARC_IS_NONE,
			    "there are several records at _dmarc.%.100s: RFC 7489 6.6.3 applies "
			    "none of "
			    "them",
			    place[i]);
		if (f.what == DMARC_FAILED || f.what == DMARC_SEVERAL ||
		    take_record(v, &f, place[i], false))
			return true;
	}
	conclude(v, DMARC_IS_NONE,
	    places == 1 ? "there is no record at _dmarc.%.100s"
			: "there is no record at _dmarc.%.100s, nor at "
			  "_dmarc.%.100s",
	    author, v->organisation);
	return true;
}

/* RFC 9989 4.10.1. */
static bool
discover_tree(
    struct dmarc_view *v, const char *author, struct lookups *book, struct dmarc_result *r)
{
	const char *place[3];
	struct found f;
	struct walk w;

	walk(&w, author, book, r);
	if (w.waiting)
		return false;
	read_at(&f, book, author);
	r->strays = f.strays;
	memcpy(r->stray, f.stray, sizeof(r->stray));
	if (w.failed) {
		conclude(v, DMARC_IS_TEMPERROR, "%s", w.why);
		return true;
	}
	copy_domain(v->organisation, w.organisation);
	place[0] = author;
	place[1] = w.best;
	place[2] = w.registry;
	for (size_t i = 0; i < 3; i++) {
		if (place[i] == NULL)
			continue;
		read_at(&f, book, place[i]);
		if (take_record(v, &f, place[i], true))
			return true;
	}
	conclude(v, DMARC_IS_NONE, "there is no record at _dmarc.%.100s, nor above it", author);
	return true;
}

/* --- alignment ------------------------------------------------------------------------------------------------------ */

static bool
is_below(const char *domain, const char *above)
{
	size_t n = strlen(domain), m = strlen(above);

	return n > m && domain[n - m - 1] == '.' && strcmp(domain + n - m, above) == 0;
}

static enum dmarc_alignment
align_list(const struct dmarc_view *v, const char *author, const char *domain)
{
	char organisation[ADDRESS_DOMAIN_SIZE];

	if (strcmp(domain, author) == 0)
		return DMARC_STRICT;
	dmarc_organisation(organisation, domain);
	return strcmp(organisation, v->organisation) == 0 ? DMARC_RELAXED : DMARC_UNALIGNED;
}

static enum dmarc_alignment
align_tree(const struct dmarc_view *v, const char *author, const char *domain, struct lookups *book,
    bool *waiting)
{
	struct walk w;

	if (strcmp(domain, author) == 0)
		return DMARC_STRICT;
	if (v->organisation[0] == '\0')
		return DMARC_UNKNOWN;
	/* Its organisation is itself or above it: no need to walk elsewhere. */
	if (strcmp(domain, v->organisation) != 0 && !is_below(domain, v->organisation))
		return DMARC_UNALIGNED;
	walk(&w, domain, book, NULL);
	*waiting |= w.waiting;
	if (w.waiting || w.failed)
		return DMARC_UNKNOWN;
	return strcmp(w.organisation, v->organisation) == 0 ? DMARC_RELAXED : DMARC_UNALIGNED;
}

static bool
counts(enum dmarc_alignment a, bool strict)
{
	return a == DMARC_STRICT || (a == DMARC_RELAXED && !strict);
}

/* Everything but the verdict; false: questions are open. */
static bool
align(struct dmarc_view *v, const struct dmarc_input *in, struct lookups *book, bool tree)
{
	bool waiting = false;

	for (size_t i = 0; i <= in->n && i <= DMARC_DKIM_MAX; i++) {
		bool spf = i == 0;
		const struct dmarc_identity *id = spf ? &in->spf : &in->dkim[i - 1];
		enum dmarc_alignment *dst = spf ? &v->spf : &v->dkim[i - 1];
		char domain[ADDRESS_DOMAIN_SIZE];
		const char *why;

		*dst = DMARC_UNALIGNED;
		if (id->domain[0] == '\0' ||
		    address_domain(domain, id->domain, strlen(id->domain), &why) != 0)
			continue;
		*dst = tree ? align_tree(v, in->author, domain, book, &waiting)
			    : align_list(v, in->author, domain);
	}
	v->spf_counts = counts(v->spf, v->record.strict_spf);
	for (size_t i = 0; i < in->n && i < DMARC_DKIM_MAX; i++)
		v->dkim_counts[i] = counts(v->dkim[i], v->record.strict_dkim);
	return !waiting;
}

static void
judge(struct dmarc_view *v, const struct dmarc_input *in)
{
	const char *what = NULL, *open = NULL, *failed = NULL;

	if (v->effect == DMARC_NOT_APPLIED) {
		conclude(v, DMARC_IS_NONE,
		    "the record at _dmarc.%.100s has no valid policy and no address for reports",
		    v->at);
		v->policy = v->applied = DMARC_UNSET;
		v->tag[0] = '\0';
		return;
	}
	for (size_t i = 0; i <= in->n && i <= DMARC_DKIM_MAX; i++) {
		const struct dmarc_identity *id = i == 0 ? &in->spf : &in->dkim[i - 1];
		bool aligned = i == 0 ? v->spf_counts : v->dkim_counts[i - 1];
		bool unknown = (i == 0 ? v->spf : v->dkim[i - 1]) == DMARC_UNKNOWN;
		const char *name = i == 0 ? "SPF" : "DKIM";

		if (aligned && id->pass && what == NULL)
			what = name;
		else if ((aligned && id->temporary) || (unknown && (id->pass || id->temporary)))
			open = name;
		else if (aligned || id->pass)
			failed = aligned          ? "what is aligned does not pass"
				 : failed == NULL ? "what passes is not aligned"
						  : failed;
	}
	if (what != NULL)
		conclude(v, DMARC_IS_PASS, "%s passes for an aligned domain", what);
	else if (open != NULL)
		conclude(v, DMARC_IS_TEMPERROR,
		    "%s could not be judged for lack of an answer from "
		    "the DNS",
		    open);
	else
		conclude(v, DMARC_IS_FAIL, "neither SPF nor DKIM passes for an aligned domain%s%s",
		    failed != NULL ? ": " : "", failed != NULL ? failed : "");
}

/* --- reports ---------------------------------------------------------------------------------------------------------- */

static enum dmarc_consent
consent(const char *at, const struct dmarc_uri *uri, struct lookups *book, bool *waiting)
{
	char ours[ADDRESS_DOMAIN_SIZE], theirs[ADDRESS_DOMAIN_SIZE];
	char name[2 * ADDRESS_DOMAIN_SIZE + 32];
	const struct lookup *l;
	struct found f = { 0 };

	dmarc_organisation(ours, at);
	dmarc_organisation(theirs, uri->host);
	if (strcmp(ours, theirs) == 0)
		return DMARC_OWN;
	snprintf(name, sizeof(name), "%s._report._dmarc.%s", at, uri->host);
	l = lookup_get(book, name, TYPE_TXT);
	*waiting |= l->status == LOOKUP_WANTED;
	if (l->status == LOOKUP_FAILED || l->status == LOOKUP_BOGUS)
		return DMARC_CONSENT_UNKNOWN;
	sort_out(&f, l);
	return f.what == DMARC_NOTHING ? DMARC_NO_CONSENT : DMARC_CONSENT;
}

static bool
ask_consent(struct dmarc_result *r, struct lookups *book)
{
	const struct dmarc_view *v = r->list.at[0] != '\0' ? &r->list : &r->tree;
	bool waiting = false;

	if (v->at[0] == '\0')
		return true;
	for (size_t i = 0; i < v->record.rua_n + v->record.ruf_n; i++) {
		const struct dmarc_uri *uri = i < v->record.rua_n
						  ? &v->record.rua[i]
						  : &v->record.ruf[i - v->record.rua_n];

		r->consent[r->reports++] = consent(v->at, uri, book, &waiting);
	}
	return !waiting;
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

static void
tell_difference(struct dmarc_result *r)
{
	const struct dmarc_view *a = &r->list, *b = &r->tree;

	if (a->verdict == DMARC_IS_TEMPERROR || b->verdict == DMARC_IS_TEMPERROR)
		return; /* who knows */
	if (a->verdict == b->verdict && b->organisation[0] == '\0')
		return; /* neither knows */
	if (a->verdict == b->verdict && a->policy == b->policy && strcmp(a->at, b->at) == 0 &&
	    strcmp(a->organisation, b->organisation) == 0)
		return;
	if (a->verdict != b->verdict || a->policy != b->policy)
		snprintf(r->difference, sizeof(r->difference),
		    "by the public suffix list (RFC 7489) %s%s%s, by the walk up the tree (RFC "
		    "9989) %s%s%s",
		    dmarc_verdict_word(a->verdict), a->policy != DMARC_UNSET ? ", policy " : "",
		    dmarc_policy_word(a->policy), dmarc_verdict_word(b->verdict),
		    b->policy != DMARC_UNSET ? ", policy " : "", dmarc_policy_word(b->policy));
	else
		snprintf(r->difference, sizeof(r->difference),
		    "the same verdict, but the organisation is %.100s by the public suffix list "
		    "(RFC "
		    "7489) and %.100s by the walk up the tree (RFC 9989)",
		    a->organisation, b->organisation);
}

/* What is asked whatever SPF and DKIM say. */
static void
foresee(const char *author, struct lookups *book)
{
	char organisation[ADDRESS_DOMAIN_SIZE];
	struct walk w;

	dmarc_organisation(organisation, author);
	ask(book, "_dmarc.", organisation, TYPE_TXT);
	walk(&w, author, book, NULL);
	ask(book, "", author, TYPE_A);
}

enum verify_step
dmarc_judge(const struct dmarc_input *in, struct lookups *book, struct dmarc_result *r)
{
	struct dmarc_view *view[2] = { &r->list, &r->tree };
	const struct lookup *a;
	bool found[2], done = true;

	memset(r, 0, sizeof(*r));
	if (in->author[0] == '\0') {
		for (size_t i = 0; i < 2; i++)
			conclude(view[i], DMARC_IS_PERMERROR, "no author domain: %s", in->why);
		return VERIFY_DONE;
	}
	foresee(in->author, book);
	found[0] = discover_list(&r->list, in->author, book);
	found[1] = discover_tree(&r->tree, in->author, book, r);
	a = ask(book, "", in->author, TYPE_A);
	r->missing = a->status == LOOKUP_NXDOMAIN;
	for (size_t i = 0; i < 2; i++) {
		struct dmarc_view *v = view[i];

		done &= found[i] && align(v, in, book, i == 1);
		if (!found[i] || v->at[0] == '\0')
			continue;
		choose_policy(v, in->author, i == 1, r->missing);
		judge(v, in);
	}
	if (!found[0] || !found[1] || !ask_consent(r, book) || !done || a->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	tell_difference(r);
	return VERIFY_DONE;
}
