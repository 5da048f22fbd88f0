/* correlate.c - from observations to facts: lookups, SYNs, identities, windows.  Sessions are read
 * in session.c. */
#include "results/correlate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/joint.h"
#include "results/kin.h"
#include "results/mime.h"
#include "results/outgoing.h"
#include "results/session.h"
#include "results/tlsrpt_match.h"

#define WINDOW    (600 * CLOCK_SECOND) /* a lookup counts this long before an attempt */
#define SYN_SPAN  (180 * CLOCK_SECOND) /* one connect() sends SYNs for two minutes */
#define SYN_AFTER (2 * CLOCK_SECOND)   /* the tap may note a SYN after smtpd noted its connection */

const char *
binding_name(enum binding by)
{
	static const char *const names[BOUND_MAX] = { "", "address", "sni", "rcpt" };

	return names[by];
}

const char *
text_of(const struct observation *o, enum event_key key)
{
	const char *s = observation_text(o, key);

	return s == NULL ? "" : s;
}

int
family_of(const char *address)
{
	return *address == '\0' ? 0 : strchr(address, ':') != NULL ? 6 : 4;
}

struct facts *
facts_of(struct correlation *c, const char *name, size_t len)
{
	const struct test *t = len == 0 ? NULL : catalogue_find(c->catalogue, name, len);
	const struct facts *f = t == NULL ? NULL : correlation_facts(c, t);

	return f == NULL ? NULL : &c->facts[f - c->facts];
}

const struct facts *
correlation_facts(const struct correlation *c, const struct test *t)
{
	size_t lo = 0, hi = c->catalogue->n;

	while (lo < hi) { /* tests are in the order of their numbers */
		size_t mid = (lo + hi) / 2;
		if (c->facts[mid].test == t)
			return &c->facts[mid];
		if (c->facts[mid].test->number < t->number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

void *
grow(void *items, size_t n, size_t size)
{
	/* Capacity is the next power of two: grown when n is one. */
	if (n != 0 && (n & (n - 1)) != 0)
		return items;
	return xrealloc(items, (n == 0 ? 1 : 2 * n) * size);
}

void
facts_event(struct facts *f, const struct observation *o)
{
	f->events = grow(f->events, f->n_events, sizeof *f->events);
	f->events[f->n_events++] = o;
}

static void
add_lookup(struct facts *f, const struct observation *o)
{
	const char *rcode = text_of(o, EK_RCODE);
	struct lookup l = {
		.t = o->t,
		.event = o,
		.at = text_of(o, EK_AT),
		.type = rrtype_by_name(text_of(o, EK_QTYPE)),
		.tcp = observation_is(o, EK_VIA, "tcp"),
		.family = family_of(text_of(o, EK_PEER)),
		.phase = (int)observation_num(o, EK_PHASE, -1),
		.dev = text_of(o, EK_DEV),
	};

	l.rcode = strcasecmp(rcode, "DROP") == 0 ? RCODE_DROP : rcode_by_name(rcode);
	f->lookups = grow(f->lookups, f->n_lookups, sizeof *f->lookups);
	f->lookups[f->n_lookups++] = l;
}

/* RFC 8461 3.3: one path at one host name. */
static void
add_fetch(struct facts *f, const struct observation *o)
{
	if (strncasecmp(text_of(o, EK_AT), "mta-sts.", 8) != 0 ||
	    strstr(text_of(o, EK_WHAT), "/.well-known/mta-sts.txt") == NULL)
		return;
	f->fetches = grow(f->fetches, f->n_fetches, sizeof *f->fetches);
	f->fetches[f->n_fetches++] = (struct fetch){ .t = o->t,
		.event = o,
		.status = (int)observation_num(o, EK_REPLY, 0),
		.family = family_of(text_of(o, EK_PEER)),
		.phase = (int)observation_num(o, EK_PHASE, -1) };
}

/* --- SYNs --------------------------------------------------------------------------------------- */

struct knock { /* a SYN or a session, in one order */
	const char *peer, *local;
	unsigned port;
	int64_t t;
	const struct observation *syn; /* NULL: session */
	unsigned session;
};

static int
knock_order(const void *pa, const void *pb)
{
	const struct knock *a = pa, *b = pb;
	int c;

	if ((c = strcmp(a->peer, b->peer)) != 0 || (c = strcmp(a->local, b->local)) != 0)
		return c;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->t < b->t ? -1 : a->t > b->t;
}

static bool
same_knock(const struct knock *a, const struct knock *b)
{
	return a->port == b->port && strcmp(a->peer, b->peer) == 0 &&
	       strcmp(a->local, b->local) == 0;
}

/* The first attempt of a session begins with its SYN. */
static void
lead(struct correlation *c)
{
	for (size_t i = 0; i < c->catalogue->n; i++) {
		for (size_t k = 0; k < c->facts[i].n_attempts; k++) {
			struct attempt *a = &c->facts[i].attempts[k];
			const struct session *s = a->session == UINT_MAX ? NULL
									 : &c->sessions[a->session];
			if (s != NULL && s->syn != 0 && s->syn < s->t && a->t == s->t)
				a->t = s->syn;
		}
	}
}

static void
bare_syn(struct correlation *c, const struct knock *k, int64_t end)
{
	const char *name = text_of(k->syn, EK_TEST);
	struct facts *f = facts_of(c, name, strlen(name));

	if (f == NULL)
		return;
	f->attempts = grow(f->attempts, f->n_attempts, sizeof *f->attempts);
	f->attempts[f->n_attempts++] = (struct attempt){
		.t = k->t,
		.end = end,
		.conn = "",
		.peer = k->peer,
		.local = k->local,
		.port = k->port,
		.family = family_of(*k->peer != '\0' ? k->peer : k->local),
		.host = (int)observation_num(k->syn, EK_HOST, -1),
		.state = text_of(k->syn, EK_STATE),
		.stage = STAGE_SYN,
		.reply_text = "",
		.dev = "",
		.phase = -1,
		.how = "",
		.by = BOUND_ADDRESS,
		.ehlo = "",
		.tls_version = "",
		.tls_cipher = "",
		.alert_in = "",
		.alert_out = "",
		.msgid = "",
		.decides = k->syn,
		.session = UINT_MAX,
	};
}

static bool
is_smtp_syn(const struct observation *o)
{
	int64_t port = observation_num(o, EK_LPORT, 25);

	return o->kind == EV_NET_SYN && port != 443 && port != 80 && port != 53;
}

/* A SYN belongs to the session of the same ports that follows it; SYNs that none follows are one
 * attempt for each connect(), however often the kernel repeated them. */
static void
add_syns(struct correlation *c, const struct observations *obs)
{
	struct knock *k = NULL;
	size_t n = 0;

	for (size_t i = 0; i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		if (!is_smtp_syn(o) || strcmp(text_of(o, EK_TOKEN), c->token) != 0)
			continue;
		k = grow(k, n, sizeof *k);
		k[n++] = (struct knock){ text_of(o, EK_PEER), text_of(o, EK_LOCAL),
			(unsigned)observation_num(o, EK_PORT, 0), o->t, o, 0 };
	}
	for (size_t i = 0; n > 0 && i < c->n_sessions; i++) {
		const struct session *s = &c->sessions[i];
		k = grow(k, n, sizeof *k);
		k[n++] = (struct knock){ s->peer, s->local, s->port, s->t, NULL, (unsigned)i };
	}
	if (n > 0)
		qsort(k, n, sizeof *k, knock_order);
	for (size_t i = 0; i < n; i++) {
		if (k[i].syn == NULL)
			continue;
		size_t j = i;
		while (j + 1 < n && same_knock(&k[j + 1], &k[i]) && k[j + 1].syn != NULL &&
		       k[j + 1].t - k[i].t <= SYN_SPAN)
			j++;
		bool before = i > 0 && k[i - 1].syn == NULL && same_knock(&k[i - 1], &k[i]) &&
			      k[i].t - k[i - 1].t <= SYN_AFTER;
		bool after = j + 1 < n && k[j + 1].syn == NULL && same_knock(&k[j + 1], &k[i]) &&
			     k[j + 1].t - k[i].t <= SYN_SPAN;
		if (after)
			c->sessions[k[j + 1].session].syn = k[i].t;
		else if (!before)
			bare_syn(c, &k[i], k[j].t);
		i = j;
	}
	free(k);
	lead(c);
}

/* --- identities ----------------------------------------------------------------------------------- */

static int
session_order(const void *pa, const void *pb)
{
	const struct session *a = *(struct session *const *)pa, *b = *(struct session *const *)pb;
	int d;

	if ((d = strcmp(a->peer, b->peer)) != 0 || (d = strcasecmp(a->ehlo, b->ehlo)) != 0 ||
	    (d = strcmp(a->ja4, b->ja4)) != 0)
		return d;
	return a->t < b->t ? -1 : a->t > b->t;
}

static void
add_senders(struct correlation *c)
{
	struct session **s = xcalloc(c->n_sessions + 1, sizeof *s);

	for (size_t i = 0; i < c->n_sessions; i++)
		s[i] = &c->sessions[i];
	qsort(s, c->n_sessions, sizeof *s, session_order);
	c->senders = xcalloc(IDENTITIES_MAX, sizeof *c->senders);
	for (size_t i = 0; i < c->n_sessions; i++) {
		bool fresh = i == 0 || strcmp(s[i]->peer, s[i - 1]->peer) != 0 ||
			     strcasecmp(s[i]->ehlo, s[i - 1]->ehlo) != 0 ||
			     strcmp(s[i]->ja4, s[i - 1]->ja4) != 0;
		if (fresh && c->n_senders == IDENTITIES_MAX)
			c->senders_beyond++;
		if (c->senders_beyond > 0)
			continue;
		if (fresh)
			c->senders[c->n_senders++] = (struct sender){ .peer = s[i]->peer,
				.ehlo = s[i]->ehlo,
				.ja4 = s[i]->ja4,
				.tls_version = s[i]->tls_version,
				.tls_cipher = s[i]->tls_cipher,
				.family = s[i]->family,
				.first = s[i]->t,
				.last = s[i]->end };
		struct sender *to = &c->senders[c->n_senders - 1];
		to->sessions++;
		if (s[i]->end > to->last)
			to->last = s[i]->end;
	}
	free(s);
}

/* --- windows and sums ------------------------------------------------------------------------------ */

struct window {
	int64_t from, to;
};

static int
window_order(const void *pa, const void *pb)
{
	const struct window *a = pa, *b = pb;

	return a->from < b->from ? -1 : a->from > b->from;
}

/* Sorted, overlapping ones joined; the new number. */
static size_t
windows_join(struct window *w, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(w, n, sizeof *w, window_order);
	for (size_t i = 1; i < n; i++) {
		if (w[i].from <= w[kept].to)
			w[kept].to = w[i].to > w[kept].to ? w[i].to : w[kept].to;
		else
			w[++kept] = w[i];
	}
	return kept + 1;
}

static bool
in_windows(const struct window *w, size_t n, int64_t t)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w[mid].to < t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && w[lo].from <= t;
}

/* What was asked for because of mail that we wrote. */
static void
count_outgoing(struct facts *f)
{
	struct window *w = xcalloc(f->n_events + 1, sizeof *w);
	size_t n = 0;

	for (size_t i = 0; i < f->n_events; i++)
		if (f->events[i]->kind == EV_OUT_SENT)
			w[n++] = (struct window){ f->events[i]->t,
				f->events[i]->t + OUTGOING_WINDOW };
	n = windows_join(w, n);
	for (size_t k = 0; k < f->n_lookups; k++)
		f->lookups[k].counts = in_windows(w, n, f->lookups[k].t);
	free(w);
}

static void
count_lookups(struct correlation *c)
{
	struct window *all, *own;
	size_t n = 0, n_all;

	for (size_t i = 0; i < c->catalogue->n; i++)
		n += c->facts[i].n_attempts;
	all = xcalloc(n + 1, sizeof *all);
	own = xcalloc(n + 1, sizeof *own);
	n = 0;
	for (size_t i = 0; i < c->catalogue->n; i++) {
		for (size_t k = 0; k < c->facts[i].n_attempts; k++)
			all[n++] = (struct window){ c->facts[i].attempts[k].t - WINDOW,
				c->facts[i].attempts[k].end + WINDOW };
	}
	n_all = windows_join(all, n);
	for (size_t i = 0; i < c->catalogue->n; i++) {
		struct facts *f = &c->facts[i];
		if (f->test->unmailed) {
			count_outgoing(f);
			continue;
		}
		for (n = 0; n < f->n_attempts; n++)
			own[n] = (struct window){ f->attempts[n].t - WINDOW, f->attempts[n].end };
		n = windows_join(own, n);
		for (size_t k = 0; k < f->n_lookups; k++)
			f->lookups[k].counts = n > 0 ? in_windows(own, n, f->lookups[k].t)
						     : in_windows(all, n_all, f->lookups[k].t);
		for (n = 0; n < f->n_attempts && f->n_fetches > 0; n++)
			own[n] = (struct window){ f->attempts[n].t - WINDOW,
				f->attempts[n].end + WINDOW };
		n = windows_join(own, n);
		for (size_t k = 0; k < f->n_fetches; k++)
			f->fetches[k].counts = n > 0 ? in_windows(own, n, f->fetches[k].t)
						     : in_windows(all, n_all, f->fetches[k].t);
	}
	free(all);
	free(own);
}

int
attempt_order(const void *pa, const void *pb)
{
	const struct attempt *a = pa, *b = pb;

	if (a->t != b->t)
		return a->t < b->t ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

int
event_order(const void *a, const void *b)
{
	return observation_order(
	    *(const struct observation *const *)a, *(const struct observation *const *)b);
}

static void
sum_up(struct correlation *c, struct facts *f)
{
	if (f->n_attempts > 0)
		qsort(f->attempts, f->n_attempts, sizeof *f->attempts, attempt_order);
	if (f->n_events > 0) {
		qsort(f->events, f->n_events, sizeof *f->events, event_order);
		f->first = f->events[0]->t;
		f->last = f->events[f->n_events - 1]->t;
	}
	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i], *before = i == 0 ? NULL : a - 1;
		if (a->accepted && f->accepted++ == 0)
			f->accepted_at = a->decides->t;
		f->last_attempt = a->t;
		if (c->first_attempt == 0 || a->t < c->first_attempt)
			c->first_attempt = a->t;
		/* Only a message that was still in the queue was retried. */
		if (before != NULL && !before->accepted && before->reply < 500 &&
		    a->t - before->t > c->gap)
			c->gap = a->t - before->t;
	}
}

/* --- bounces --------------------------------------------------------------------------------------- */

/* The test that an address names: "...@TOKEN.TEST." or "...TOKEN.LABEL.TEST."; NULL: none. */
static struct facts *
test_in_address(struct correlation *c, const char *address)
{
	size_t len = strlen(c->token);
	const char *p = strrchr(address, '@');

	for (; p != NULL; p = strchr(p + 1, '.')) {
		const char *label = p + 1 + len;
		if (strncasecmp(p + 1, c->token, len) != 0 || *label != '.')
			continue;
		for (unsigned i = 0; i < 2 && *label == '.';
		     i++, label += 1 + strcspn(label + 1, ".")) {
			size_t n = strcspn(label + 1, ".");
			struct facts *f = facts_of(c, label + 1, n);
			if (f == NULL && n > 2 && strncasecmp(label + n - 1, "-b", 2) == 0)
				f = facts_of(c, label + 1, n - 2);
			if (f != NULL)
				return f;
		}
	}
	return NULL;
}

static void
add_bounce(struct facts *f, const struct observation *o, const struct dsn *d, unsigned i)
{
	f->bounces = grow(f->bounces, f->n_bounces, sizeof *f->bounces);
	f->bounces[f->n_bounces++] = (struct bounce){ o->t, o, d, &d->rcpt[i] };
	if (f->n_events == 0 || f->events[f->n_events - 1] != o)
		facts_event(f, o); /* the timeline of the test that it explains shows it */
}

/* It may tell of our own 550. */
static bool
is_of_release_bounce(
    const struct correlation *c, const struct facts *f, const struct observation *o)
{
	return c->released != 0 && o->t >= c->released && !f->test->unmailed;
}

/* Each of its recipients is joined to the test that it is about; one that is no address of ours is that
 * of a message that we wrote. */
static void
read_bounce(struct correlation *c, struct facts *to, const struct observation *o)
{
	const char *data = text_of(o, EK_DATA);
	struct strbuf raw = { 0 };
	struct dsn *d = NULL;
	char why[160];

	if (c->n_dsns == BOUNCES_MAX)
		return;
	if (mime_base64(&raw, data, strlen(data), DSN_MAX) && raw.len > 0)
		d = dsn_read(raw.s, raw.len, why, sizeof why);
	strbuf_clear(&raw);
	if (d == NULL)
		return;
	c->dsns = grow(c->dsns, c->n_dsns, sizeof *c->dsns);
	c->dsns[c->n_dsns++] = d;
	for (unsigned i = 0; i < d->n; i++) {
		struct facts *f = test_in_address(c, d->rcpt[i].final);
		if (f == NULL)
			f = test_in_address(c, d->rcpt[i].original);
		if (f == NULL && to->test->unmailed)
			f = to;
		if (f != NULL && !is_of_release_bounce(c, f, o))
			add_bounce(f, o, d, i);
	}
}

static void
note_event(struct correlation *c, const struct observation *o)
{
	const char *token = text_of(o, EK_TOKEN), *name = text_of(o, EK_TEST);
	struct facts *f;

	if (*token == '\0')
		return; /* before its connection was bound: session.c gives it to the tests it led to */
	if (strcmp(token, c->token) != 0) {
		c->foreign++;
		return;
	}
	if (c->first == 0)
		c->first = o->t;
	c->last = o->t;
	if (o->kind == EV_LIMIT_EVENTS)
		c->cut_short = true;
	if (*name == '\0')
		return;
	if ((f = facts_of(c, name, strlen(name))) == NULL) {
		c->unknown_test++;
		return;
	}
	facts_event(f, o);
	if (o->kind == EV_DNS_QUERY)
		add_lookup(f, o);
	if (o->kind == EV_HTTP_REQUEST)
		add_fetch(f, o);
	if (o->kind == EV_SMTP_DSN)
		read_bounce(c, f, o);
	if (o->kind == EV_TLSRPT_REPORT && f->n_reports < REPORTS_MAX) {
		f->reports = grow(f->reports, f->n_reports, sizeof *f->reports);
		f->reports[f->n_reports++] = tlsrpt_receive(o);
	}
}

/* --- released ------------------------------------------------------------------------------------- */

/* The earliest moment that anything tells of. */
static int64_t
released_at(const struct correlation *c, const struct observations *obs, int64_t at)
{
	for (size_t i = 0; i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		if (observation_is(o, EK_DEV, "released") && (at == 0 || o->t < at) &&
		    strcmp(text_of(o, EK_TOKEN), c->token) == 0)
			at = o->t;
	}
	return at;
}

/* Mail that we write is not what was released, nor what is found out about a message that was there. */
static bool
is_of_release(const struct correlation *c, const struct observation *o)
{
	const char *name = text_of(o, EK_TEST);
	const struct test *t;

	if (o->t < c->released || (o->kind >= EV_VERIFY_RESULT && o->kind <= EV_VERIFY_AUDIT) ||
	    strcmp(text_of(o, EK_TOKEN), c->token) != 0)
		return false;
	t = catalogue_find(c->catalogue, name, strlen(name));
	return t == NULL ? o->kind == EV_LIMIT_EVENTS : !t->unmailed;
}

static struct observations
before_release(const struct correlation *c, const struct observations *obs)
{
	struct observations kept = { .item = xcalloc(obs->n + 1, sizeof *kept.item) };

	for (size_t i = 0; i < obs->n; i++)
		if (!is_of_release(c, obs->item[i]))
			kept.item[kept.n++] = obs->item[i];
	return kept;
}

static struct correlation *
correlation_new(const struct catalogue *cat, const char *token)
{
	struct correlation *c = xcalloc(1, sizeof *c);

	c->catalogue = cat;
	snprintf(c->token, sizeof c->token, "%s", token);
	return c;
}

static void
correlate_all(struct correlation *c, const struct observations *obs)
{
	const struct catalogue *cat = c->catalogue;

	c->facts = xcalloc(cat->n + 1, sizeof *c->facts);
	for (size_t i = 0; i < cat->n; i++)
		c->facts[i].test = cat->tests[i];
	for (size_t i = 0; i < obs->n; i++)
		note_event(c, obs->item[i]);
	sessions_read(c, obs);
	add_syns(c, obs);
	for (size_t i = 0; i < cat->n; i++) {
		sum_up(c, &c->facts[i]);
		for (size_t k = 0; k < c->facts[i].n_reports; k++)
			tlsrpt_match(c->facts[i].reports[k], &c->facts[i], c->token);
	}
	count_lookups(c);
	add_senders(c);
	resolvers_read(c, obs);
}

void
correlate_own(struct correlation *c, const struct observations *obs, const bool *drop)
{
	struct observations rest = { .item = xcalloc(obs->n + 1, sizeof *rest.item) };
	struct correlation **own = &c->own;

	for (size_t i = 0; i < obs->n; i++)
		if (!drop[i] && (c->released == 0 || !is_of_release(c, obs->item[i])))
			rest.item[rest.n++] = obs->item[i];
	while (*own != NULL)
		own = &(*own)->own;
	*own = correlation_new(c->catalogue, c->token);
	(*own)->released = c->released;
	correlate_all(*own, &rest);
	(*own)->cut_short = c->cut_short;
	joint_read(*own);
	free(rest.item);
}

struct correlation *
correlate(const struct observations *obs, const struct catalogue *cat, const char *token)
{
	return correlate_until(obs, cat, token, 0);
}

struct correlation *
correlate_until(const struct observations *all, const struct catalogue *cat, const char *token,
    int64_t released)
{
	struct correlation *c = correlation_new(cat, token);
	const struct observations *obs = all;
	struct observations kept = { 0 };
	bool *drop[KIN_SENDERS_MAX];
	unsigned n;

	if ((c->released = released_at(c, all, released)) != 0) {
		kept = before_release(c, all);
		obs = &kept;
	}
	correlate_all(c, obs);
	n = kin_strangers(c, obs, drop);
	for (unsigned i = 0; i < n; i++) {
		correlate_own(c, obs, drop[i]);
		free(drop[i]);
	}
	joint_read(c);
	free(kept.item);
	return c;
}

void
correlation_free(struct correlation *c)
{
	if (c == NULL)
		return;
	correlation_free(c->own);
	for (size_t i = 0; i < c->catalogue->n; i++) {
		free(c->facts[i].attempts);
		free(c->facts[i].lookups);
		free(c->facts[i].fetches);
		free(c->facts[i].events);
		for (size_t k = 0; k < c->facts[i].n_reports; k++)
			tlsrpt_received_free(c->facts[i].reports[k]);
		free(c->facts[i].reports);
		free(c->facts[i].bounces);
	}
	for (size_t i = 0; i < c->n_verified; i++)
		verified_free(c->verified[i]);
	for (size_t i = 0; i < c->n_dsns; i++)
		free(c->dsns[i]);
	free(c->dsns);
	free(c->verified);
	free(c->facts);
	free(c->sessions);
	free(c->messages);
	free(c->senders);
	free(c->resolvers);
	free(c);
}
