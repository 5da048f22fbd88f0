/* reason.c - facts in words. */
#include "results/reason.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/describe.h"
#include "results/moments.h"
#include "results/offer.h"
#include "results/outgoing.h"

#define TIMES_MAX 12 /* times listed in a schedule; of more the number is told */

static void
put_attempts(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	strbuf_printf(b, "%zu", e->facts->n_attempts);
}

static void
put_addresses(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct facts *f = e->facts;
	size_t n = 0;

	(void)v;
	for (size_t i = 0; i < f->n_attempts && n < 1000; i++) {
		bool seen = false;
		for (size_t k = 0; k < i && !seen; k++)
			seen = strcmp(f->attempts[k].peer, f->attempts[i].peer) == 0;
		n += !seen;
	}
	strbuf_printf(b, "%zu", n);
}

static void
put_duration(struct strbuf *b, int64_t us)
{
	char text[32];

	describe_duration(text, us);
	strbuf_puts(b, text);
}

static void
put_times(struct strbuf *b, const struct facts *f, bool gaps)
{
	size_t n = f->n_attempts, from = gaps ? 1 : 0;

	if (n <= from)
		strbuf_puts(b, "none");
	for (size_t i = from; i < n && i < from + TIMES_MAX; i++) {
		if (i > from)
			strbuf_puts(b, ", ");
		put_duration(b, f->attempts[i].t - f->attempts[gaps ? i - 1 : 0].t);
	}
	if (n > from + TIMES_MAX)
		strbuf_printf(b, " and %zu more", n - from - TIMES_MAX);
}

static void
put_schedule(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_times(b, e->facts, false);
}

static void
put_gaps(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_times(b, e->facts, true);
}

/* To the delivery that the rule speaks of, where it names one: another may have come before. */
static void
put_delay(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct facts *f = e->facts;
	int64_t at = 0;

	for (size_t i = 0; i < v->n_evidence; i++) {
		const struct observation *o = v->evidence[i];
		if (o->kind == EV_SMTP_MESSAGE && observation_num(o, EK_REPLY, 0) / 100 == 2 &&
		    (at == 0 || o->t < at))
			at = o->t;
	}
	if (f->accepted == 0)
		strbuf_puts(b, "never");
	else
		put_duration(b, (at != 0 ? at : f->accepted_at) - f->attempts[0].t);
}

static void
put_horizon(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct facts *f = e->facts;

	(void)v;
	put_duration(b, f->n_attempts == 0 ? 0 : f->last_attempt - f->attempts[0].t);
}

/* The attempt that tells most: the first accepted one, else the last. */
static const struct attempt *
telling(const struct facts *f)
{
	for (size_t i = 0; i < f->n_attempts; i++) {
		if (f->attempts[i].accepted)
			return &f->attempts[i];
	}
	return f->n_attempts == 0 ? NULL : &f->attempts[f->n_attempts - 1];
}

static void
put_completed(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct attempt *a = telling(e->facts);

	(void)v;
	strbuf_printf(b, "%u", a == NULL ? 0 : a->commands);
}

/* How long the longest session lasted. */
static void
put_lasted(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	int64_t longest = 0;

	(void)v;
	for (size_t i = 0; i < e->facts->n_attempts; i++) {
		const struct attempt *a = &e->facts->attempts[i];
		longest = a->end - a->t > longest ? a->end - a->t : longest;
	}
	put_duration(b, longest);
}

/* The hosts that took a message, in the order of time: "0, 2, 2". */
static void
put_hosts(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	size_t n = 0;

	(void)v;
	for (size_t i = 0; i < e->facts->n_attempts; i++) {
		const struct attempt *a = &e->facts->attempts[i];
		if (!a->accepted)
			continue;
		if (n < TIMES_MAX)
			strbuf_printf(b, "%s%d", n > 0 ? ", " : "", a->host);
		n++;
	}
	if (n == 0)
		strbuf_puts(b, "none");
	if (n > TIMES_MAX)
		strbuf_printf(b, " and %zu more", n - TIMES_MAX);
}

static void
put_size(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct attempt *a = telling(e->facts);

	(void)v;
	strbuf_printf(b, "%lld",
	    a == NULL || a->message == NULL ? 0LL
					    : (long long)observation_num(a->message, EK_SIZE, 0));
}

static void
put_tls(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct attempt *a = telling(e->facts);

	(void)v;
	if (a == NULL || !a->tls)
		strbuf_puts(b, "in clear");
	else if (*a->tls_version == '\0')
		strbuf_puts(b, "TLS");
	else
		strbuf_printf(
		    b, "%s%s%s", a->tls_version, *a->tls_cipher == '\0' ? "" : ", ", a->tls_cipher);
}

static void
put_stage(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	enum stage s = STAGE_NONE;

	(void)v;
	for (size_t i = 0; i < e->facts->n_attempts; i++) {
		if (e->facts->attempts[i].stage > s)
			s = e->facts->attempts[i].stage;
	}
	strbuf_puts(b, s == STAGE_NONE ? "nothing" : stage_name(s));
}

static void
put_next(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	char text[CLOCK_TEXT_MAX];

	(void)e;
	if (v->until == 0) {
		strbuf_puts(b, "some time");
		return;
	}
	clock_format(text, v->until);
	strbuf_printf(b, "%.10s %.8s UTC", text, text + 11);
}

static void
put_control(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)e;
	strbuf_puts(b, v->missing[0] == '\0' ? "none" : v->missing);
}

/* Which of the method's results it is: the table has what is worst first. */
static unsigned
rank(const struct verified *v, enum auth_method m)
{
	const char *result = verified_result(v, m), *word;

	for (unsigned i = 0; result != NULL && (word = auth_word(m, i)) != NULL; i++)
		if (strcmp(word, result) == 0)
			return i;
	return UINT_MAX;
}

/* Where certain words were asked for, only messages in these words are spoken of. */
static bool
is_meant(const struct facts *f, const struct attempt *a)
{
	if (a->verified == NULL || is_canary(f, a))
		return a->verified != NULL;
	for (size_t i = 0; f->test->message != NULL && i < f->n_attempts; i++)
		if (is_canary(f, &f->attempts[i]))
			return false;
	return true;
}

/* Of the messages that came over this family the one with the worst result; NULL: none came. */
static const struct verified *
worst(const struct facts *f, int family, enum auth_method m)
{
	const struct verified *found = NULL;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (is_meant(f, a) && a->family == family &&
		    (found == NULL || rank(a->verified, m) < rank(found, m)))
			found = a->verified;
	}
	return found;
}

/* The worst over this family in words, and how many messages that is true of; nothing if none came. */
static void
put_family(struct strbuf *b, const struct facts *f, int family, enum auth_method m)
{
	const struct verified *v = worst(f, family, m);
	unsigned all = 0, alike = 0;

	if (v == NULL)
		return;
	verified_describe(b, v, m);
	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!is_meant(f, a) || a->family != family || a->verified->state != VERIFIED_JUDGED)
			continue;
		all++;
		alike += rank(a->verified, m) == rank(v, m);
	}
	if (alike < all)
		strbuf_printf(b, " (%u of %u messages)", alike, all);
}

static void
put_method(struct strbuf *b, const struct evaluation *e, enum auth_method m)
{
	struct strbuf four = { 0 }, six = { 0 };

	put_family(&four, e->facts, 4, m);
	put_family(&six, e->facts, 6, m);
	if (four.len > 0 && six.len > 0 && strcmp(four.s, six.s) == 0)
		strbuf_printf(b, "IPv4 and IPv6: %s", four.s);
	else if (four.len > 0 && six.len > 0)
		strbuf_printf(b, "IPv4: %s; IPv6: %s", four.s, six.s);
	else if (four.len > 0)
		strbuf_printf(b, "IPv4: %s", four.s);
	else
		strbuf_printf(
		    b, "%s%s", six.len > 0 ? "IPv6: " : "no message", six.len > 0 ? six.s : "");
	strbuf_clear(&four);
	strbuf_clear(&six);
}

static void
put_spf(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_SPF);
}

static void
put_helo(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_HELO);
}

static void
put_dkim(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_DKIM);
}

static void
put_dmarc(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_DMARC);
}

static void
put_arc(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_ARC);
}

static void
put_fcrdns(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_FCRDNS);
}

static void
put_ehlo(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	put_method(b, e, AUTH_EHLO);
}

static void
put_unjudged(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	(void)v;
	for (size_t i = 0; i < e->facts->n_attempts; i++) {
		const struct attempt *a = &e->facts->attempts[i];
		if (a->verified != NULL && a->verified->state != VERIFIED_JUDGED) {
			verified_describe(b, a->verified, AUTH_SPF);
			return;
		}
	}
	strbuf_puts(b, "not judged");
}

static const struct {
	const char *name;
	enum hello_thing thing;
} offers[] = {
	{ "{versions}", HELLO_ANY },
	{ "{old}", HELLO_OLD },
	{ "{ssl}", HELLO_SSL },
	{ "{hybrid}", HELLO_HYBRID },
	{ "{draft-hybrid}", HELLO_DRAFT_HYBRID },
	{ "{forbidden}", HELLO_FORBIDDEN },
	{ "{weak}", HELLO_WEAK },
	{ "{static}", HELLO_STATIC },
};

/* Says what ClientHellos offered, if p begins with such a word; its length, else 0. */
static size_t
put_offer(struct strbuf *b, const char *p, const struct evaluation *e)
{
	for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
		size_t len = strlen(offers[i].name);
		if (strncmp(p, offers[i].name, len) == 0) {
			offer_names(b, e->facts, offers[i].thing);
			return len;
		}
	}
	return 0;
}

/* The last bounce: its status and what it says. */
static void
put_bounce(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct facts *f = e->facts;
	const struct dsn_recipient *r;

	(void)v;
	if (f->n_bounces == 0)
		return;
	r = f->bounces[f->n_bounces - 1].rcpt;
	strbuf_puts(b, r->status);
	if (r->diagnostic[0] != '\0') {
		strbuf_puts(b, ", ");
		describe_said(b, r->diagnostic);
	}
	if (r->remote_mta[0] != '\0') {
		strbuf_puts(b, " by ");
		describe_said(b, r->remote_mta);
	}
}

/* The last that our host says of the delivery. */
static void
put_delivery(struct strbuf *b, const struct evaluation *e, const struct verdict *v)
{
	const struct facts *f = e->facts;
	const struct observation *o = NULL;

	(void)v;
	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i]->kind == EV_OUT_DELIVERY &&
		    (o == NULL || !outgoing_is_further(f->events[i])))
			o = f->events[i];
	if (o == NULL)
		return;
	describe_said(b, *text_of(o, EK_MX) != '\0' ? text_of(o, EK_MX) : "no host was reached");
	if (*text_of(o, EK_VERSION) != '\0' && !observation_is(o, EK_VERSION, "none")) {
		strbuf_puts(b, ", ");
		describe_said(b, text_of(o, EK_VERSION));
		strbuf_puts(b, " ");
		describe_said(b, text_of(o, EK_CIPHER));
	}
	if (*text_of(o, EK_ECODE) != '\0') {
		strbuf_puts(b, ", ");
		describe_said(b, text_of(o, EK_ECODE));
	}
}

static const struct {
	const char *name;
	void (*put)(struct strbuf *, const struct evaluation *, const struct verdict *);
} words[] = {
	{ "{attempts}", put_attempts },
	{ "{addresses}", put_addresses },
	{ "{schedule}", put_schedule },
	{ "{gaps}", put_gaps },
	{ "{delay}", put_delay },
	{ "{horizon}", put_horizon },
	{ "{completed}", put_completed },
	{ "{lasted}", put_lasted },
	{ "{hosts}", put_hosts },
	{ "{size}", put_size },
	{ "{tls}", put_tls },
	{ "{stage}", put_stage },
	{ "{next}", put_next },
	{ "{control}", put_control },
	{ "{spf}", put_spf },
	{ "{helo}", put_helo },
	{ "{dkim}", put_dkim },
	{ "{dmarc}", put_dmarc },
	{ "{arc}", put_arc },
	{ "{fcrdns}", put_fcrdns },
	{ "{ehlo}", put_ehlo },
	{ "{unjudged}", put_unjudged },
	{ "{bounce}", put_bounce },
	{ "{delivery}", put_delivery },
};

/* "1 attempts" reads badly: after a count of one the noun that follows loses its plural. */
static const char *
put_singular(struct strbuf *b, const char *p)
{
	static const struct {
		const char *many, *one;
	} nouns[] = {
		{ " attempts", " attempt" },
		{ " addresses", " address" },
		{ " connections", " connection" },
		{ " times", " time" },
		{ " hosts", " host" },
	};

	for (size_t i = 0; i < sizeof nouns / sizeof nouns[0]; i++) {
		if (strncmp(p, nouns[i].many, strlen(nouns[i].many)) == 0) {
			strbuf_puts(b, nouns[i].one);
			return p + strlen(nouns[i].many);
		}
	}
	return p;
}

void
reason_fill(
    char *dst, size_t len, const char *text, const struct evaluation *e, const struct verdict *v)
{
	struct strbuf b = { 0 };

	for (const char *p = text; *p != '\0';) {
		size_t i = 0, n = sizeof words / sizeof words[0], offer = put_offer(&b, p, e);
		if (offer > 0) {
			p += offer;
			continue;
		}
		while (i < n && strncmp(p, words[i].name, strlen(words[i].name)) != 0)
			i++;
		if (i < n) {
			size_t before = b.len;
			words[i].put(&b, e, v);
			p += strlen(words[i].name);
			if (b.len == before + 1 && b.s[before] == '1')
				p = put_singular(&b, p);
		} else {
			strbuf_add(&b, p++, 1);
		}
	}
	snprintf(dst, len, "%s", b.s == NULL ? "" : b.s);
	strbuf_clear(&b);
}
