/* kin.c - see kin.h. */
#include "results/kin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "lib/suffix.h"
#include "results/session.h"

#define WINDOW      (600 * CLOCK_SECOND) /* a lookup belongs to what comes so soon after it */
#define RRTYPE_A    1
#define RRTYPE_AAAA 28

#define SLACK (5 * CLOCK_SECOND) /* clocks of nodes differ */

/* What ties messages to each other, as a hash of its kind and text; 0: nothing. */
enum tie { TIE_NETWORK, TIE_EHLO, TIE_MSGID, TIE_MAX };

static uint64_t
tie_hash(enum tie kind, const void *text, size_t len)
{
	const unsigned char *p = text;
	uint64_t h = UINT64_C(14695981039346656037) ^ (uint64_t)kind; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint64_t)(kind == TIE_NETWORK ? p[i] : tolower(p[i]))) *
		    UINT64_C(1099511628211);
	return h == 0 ? 1 : h;
}

static uint64_t
network_of(const char *address)
{
	unsigned char a[16];

	if (inet_pton(AF_INET, address, a) == 1)
		return tie_hash(TIE_NETWORK, a, 3);
	return inet_pton(AF_INET6, address, a) == 1 ? tie_hash(TIE_NETWORK, a, 6) : 0;
}

static bool
is_host_name(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0' &&
	       name[0] != '.' && strstr(name, "..") == NULL && name[strlen(name) - 1] != '.';
}

/* What somebody registered: all hosts of one provider are below it, and those of two are not, as they may be below
 * co.uk or the domain of a cloud.  What is no name of a host stands for itself. */
static uint64_t
ehlo_of(const char *name)
{
	size_t len = strcspn(name, " ");
	char lower[256];
	const char *domain = lower;

	if (len == 0 || *name == '[' || strncasecmp(name, "localhost", 9) == 0 ||
	    inet_addr(name) != INADDR_NONE)
		return 0;
	if (len >= sizeof lower)
		return tie_hash(TIE_EHLO, name, len);
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	lower[len] = '\0';
	if (is_host_name(lower))
		domain = suffix_organisation(lower);
	return tie_hash(TIE_EHLO, domain, strlen(domain));
}

static void
ties_of(uint64_t tie[TIE_MAX], const struct attempt *a)
{
	tie[TIE_NETWORK] = network_of(a->peer);
	tie[TIE_EHLO] = ehlo_of(a->ehlo);
	tie[TIE_MSGID] = *a->msgid == '\0' ? 0 : tie_hash(TIE_MSGID, a->msgid, strlen(a->msgid));
}

struct set { /* of hashes; sorted when it is asked */
	uint64_t *item;
	size_t n;
};

static void
set_add(struct set *s, uint64_t h)
{
	s->item = grow(s->item, s->n, sizeof *s->item);
	s->item[s->n++] = h;
}

static int
hash_order(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

static bool
set_has(const struct set *s, uint64_t h)
{
	return h != 0 && s->n > 0 &&
	       bsearch(&h, s->item, s->n, sizeof *s->item, hash_order) != NULL;
}

static void
set_sort(struct set *s)
{
	if (s->n > 0)
		qsort(s->item, s->n, sizeof *s->item, hash_order);
}

/* --- the group ----------------------------------------------------------------------------------------- */

struct delivery {
	const struct attempt *a;
	size_t test;
	uint64_t tie[TIE_MAX];
	size_t up;          /* a delivery of the same sender; itself: none */
	size_t tests, last; /* of the sender, while they are counted */
	bool root;
};

struct tied {
	uint64_t hash;
	size_t delivery;
};

static int
tied_order(const void *pa, const void *pb)
{
	const struct tied *a = pa, *b = pb;

	return hash_order(&a->hash, &b->hash);
}

static size_t
sender_of(struct delivery *d, size_t i)
{
	while (d[i].up != i)
		i = d[i].up = d[d[i].up].up;
	return i;
}

static bool
is_sent_to(const struct test *t)
{
	return !t->unmailed && t->n_graded_on == 0;
}

static struct delivery *
deliveries(const struct correlation *c, size_t *n)
{
	struct delivery *d = NULL;

	*n = 0;
	for (size_t i = 0; i < c->catalogue->n; i++) {
		const struct facts *f = &c->facts[i];
		for (size_t k = 0; is_sent_to(f->test) && k < f->n_attempts; k++) {
			if (!f->attempts[k].accepted)
				continue;
			d = grow(d, *n, sizeof *d);
			d[*n] = (struct delivery){ .a = &f->attempts[k], .test = i, .up = *n };
			d[*n].last = SIZE_MAX;
			ties_of(d[*n].tie, d[*n].a);
			++*n;
		}
	}
	return d;
}

static void
join_ties(struct delivery *d, size_t n)
{
	struct tied *t = xcalloc(n * TIE_MAX + 1, sizeof *t);
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < TIE_MAX; k++)
			if (d[i].tie[k] != 0)
				t[m++] = (struct tied){ d[i].tie[k], i };
	qsort(t, m, sizeof *t, tied_order);
	for (size_t i = 1; i < m; i++)
		if (t[i].hash == t[i - 1].hash)
			d[sender_of(d, t[i].delivery)].up = sender_of(d, t[i - 1].delivery);
	free(t);
}

/* The sender that is the participant; SIZE_MAX: none stands out, or there is no other. */
static size_t
participant(const struct correlation *c, struct delivery *d, size_t n)
{
	size_t best = SIZE_MAX;
	bool equal = false;

	for (size_t i = 0; i < n; i++) { /* in the order of tests */
		struct delivery *s = &d[sender_of(d, i)];
		const struct test *t = c->facts[d[i].test].test;
		s->tests += s->last != d[i].test;
		s->last = d[i].test;
		s->root |= t->n_control == 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (d[i].up != i || i == best)
			continue;
		int more = best == SIZE_MAX              ? 1
			   : d[i].tests != d[best].tests ? (d[i].tests > d[best].tests ? 1 : -1)
							 : (int)d[i].root - (int)d[best].root;
		equal = more == 0 || (more < 0 && equal);
		best = more > 0 ? i : best;
	}
	return equal ? SIZE_MAX : best;
}

/* --- lookups ------------------------------------------------------------------------------------------- */

struct asker { /* a network that asked before a delivery to this test, and to others */
	uint64_t network;
	size_t test;
	bool others;
};

enum asked { ASKED_ADDRESS, ASKED_POLICY, ASKED_MAX };
struct times {
	int64_t *item;
	size_t n;
};

struct kin {
	struct correlation *c;
	struct set ties; /* of the participant's deliveries */
	struct asker *asker;
	size_t n_askers;
	struct times (*asked)[ASKED_MAX]; /* of each test: when a kin resolver asked that */
	struct set conns;                 /* sessions of strangers */
	struct set addresses;             /* of these */
	struct set events;                /* pointers to other events of strangers */
};

/* Is one of the times (in order) in [from, to]? */
static bool
any_between(const struct times *w, int64_t from, int64_t to)
{
	size_t lo = 0, hi = w->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (w->item[mid] < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->n && w->item[lo] <= to;
}

static int
asker_order(const void *pa, const void *pb)
{
	const struct asker *a = pa, *b = pb;
	int d = hash_order(&a->network, &b->network);

	return d != 0 ? d : a->test < b->test ? -1 : a->test > b->test;
}

/* Who asked in the ten minutes before a delivery to the test. */
static void
add_askers(struct kin *k, const struct times *delivered, size_t test)
{
	const struct facts *f = &k->c->facts[test];

	for (size_t i = 0; i < f->n_lookups; i++) {
		int64_t t = f->lookups[i].t;
		uint64_t net = network_of(text_of(f->lookups[i].event, EK_PEER));
		if (net == 0 || !any_between(delivered, t - SLACK, t + WINDOW))
			continue;
		k->asker = grow(k->asker, k->n_askers, sizeof *k->asker);
		k->asker[k->n_askers++] = (struct asker){ net, test, false };
	}
}

static void
join_askers(struct kin *k)
{
	size_t kept = 0;

	if (k->n_askers == 0)
		return;
	qsort(k->asker, k->n_askers, sizeof *k->asker, asker_order);
	for (size_t i = 1; i < k->n_askers; i++) {
		if (k->asker[i].network == k->asker[kept].network)
			k->asker[kept].others |= k->asker[i].test != k->asker[kept].test;
		else
			k->asker[++kept] = k->asker[i];
	}
	k->n_askers = kept + 1;
}

static bool
asked_elsewhere(const struct kin *k, uint64_t network, size_t test)
{
	size_t lo = 0, hi = k->n_askers;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (k->asker[mid].network < network)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < k->n_askers && k->asker[lo].network == network &&
	       (k->asker[lo].others || k->asker[lo].test != test);
}

static bool
is_kin_lookup(const struct kin *k, const struct lookup *l, size_t test)
{
	uint64_t net = network_of(text_of(l->event, EK_PEER));

	return net == 0 || k->c->facts[test].test->n_control == 0 ||
	       strncasecmp(l->at, "_smtp._tls.", 11) == 0 || asked_elsewhere(k, net, test);
}

static void
note_asked(struct kin *k, size_t test)
{
	const struct facts *f = &k->c->facts[test];

	for (size_t i = 0; i < f->n_lookups; i++) {
		const struct lookup *l = &f->lookups[i];
		enum asked what = ASKED_MAX;
		if (strncasecmp(l->at, "_mta-sts.", 9) == 0 ||
		    strncasecmp(l->at, "mta-sts.", 8) == 0)
			what = ASKED_POLICY;
		else if (*l->at != '_' && (l->type == RRTYPE_A || l->type == RRTYPE_AAAA))
			what = ASKED_ADDRESS;
		if (what == ASKED_MAX || !is_kin_lookup(k, l, test))
			continue;
		struct times *w = &k->asked[test][what];
		w->item = grow(w->item, w->n, sizeof *w->item);
		w->item[w->n++] = l->t;
	}
}

/* Did a kin resolver ask this in the ten minutes before t? */
static bool
asked_before(const struct kin *k, size_t test, int64_t t, enum asked what)
{
	return any_between(&k->asked[test][what], t - WINDOW, t + SLACK);
}

/* --- what strangers did -------------------------------------------------------------------------------- */

static uint64_t
conn_hash(const char *node, const char *conn)
{
	uint64_t h = tie_hash(TIE_MSGID, node, strlen(node));

	return h ^ (tie_hash(TIE_EHLO, conn, strlen(conn)) << 1);
}

static bool
is_kin_attempt(const struct kin *k, const struct attempt *a, size_t test)
{
	uint64_t tie[TIE_MAX];
	bool nothing; /* shown but its address */

	ties_of(tie, a);
	for (unsigned i = 0; i < TIE_MAX; i++)
		if (set_has(&k->ties, tie[i]))
			return true;
	if (tie[TIE_NETWORK] == 0)
		return true;
	nothing = *a->ehlo == '\0' && *a->msgid == '\0';
	return nothing && (a->accepted || asked_before(k, test, a->t, ASKED_ADDRESS));
}

static void
drop_event(struct kin *k, size_t test, const struct observation *o)
{
	const char *peer = text_of(o, EK_PEER);

	set_add(&k->events, (uint64_t)(uintptr_t)o);
	if (*peer != '\0')
		k->c->facts[test].stranger = peer;
}

/* Sessions: one of whose attempts is kin is kin. */
static void
drop_sessions(struct kin *k)
{
	struct correlation *c = k->c;
	bool *kin = xcalloc(c->n_sessions + 1, sizeof *kin);
	bool *tried = xcalloc(c->n_sessions + 1, sizeof *tried);

	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->catalogue->n; i++) {
			struct facts *f = &c->facts[i];
			for (size_t n = 0; is_sent_to(f->test) && n < f->n_attempts; n++) {
				const struct attempt *a = &f->attempts[n];
				if (a->session == UINT_MAX)
					continue;
				tried[a->session] = true;
				if (pass == 0)
					kin[a->session] |= is_kin_attempt(k, a, i);
				else if (!kin[a->session])
					f->stranger = a->peer;
			}
		}
	}
	for (size_t i = 0; i < c->n_sessions; i++) {
		const struct session *s = &c->sessions[i];
		if (!tried[i] || kin[i])
			continue;
		set_add(&k->conns, conn_hash(s->node, s->conn));
		set_add(&k->addresses, tie_hash(TIE_EHLO, s->peer, strlen(s->peer)));
	}
	set_sort(&k->conns);
	set_sort(&k->addresses);
	free(kin);
	free(tried);
}

static void
drop_rest(struct kin *k)
{
	for (size_t i = 0; i < k->c->catalogue->n; i++) {
		const struct facts *f = &k->c->facts[i];
		bool sent = is_sent_to(f->test);
		for (size_t n = 0; sent && n < f->n_lookups; n++)
			if (!is_kin_lookup(k, &f->lookups[n], i))
				drop_event(k, i, f->lookups[n].event);
		for (size_t n = 0; sent && n < f->n_fetches; n++) {
			const struct fetch *w = &f->fetches[n];
			uint64_t net = network_of(text_of(w->event, EK_PEER));
			if (net != 0 && !set_has(&k->ties, net) && !asked_elsewhere(k, net, i) &&
			    !asked_before(k, i, w->t, ASKED_POLICY))
				drop_event(k, i, w->event);
		}
		for (size_t n = 0; n < f->n_events; n++) {
			const struct observation *o = f->events[n];
			uint64_t net = network_of(text_of(o, EK_PEER));
			const char *peer = text_of(o, EK_PEER);
			if (net == 0 || set_has(&k->ties, net))
				continue;
			if (o->kind == EV_SMTP_DSN && sent)
				drop_event(k, i, o);
			if (o->kind == EV_NET_SYN && sent &&
			    (set_has(&k->addresses, tie_hash(TIE_EHLO, peer, strlen(peer))) ||
				!asked_before(k, i, o->t, ASKED_ADDRESS)))
				drop_event(k, i, o);
		}
	}
	set_sort(&k->events);
}

static bool *
flags_of(const struct kin *k, const struct observations *obs)
{
	bool *drop = NULL;

	if (k->conns.n + k->events.n == 0)
		return NULL;
	drop = xcalloc(obs->n + 1, sizeof *drop);
	for (size_t i = 0; i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		const char *conn = text_of(o, EK_CONN);
		drop[i] = set_has(&k->events, (uint64_t)(uintptr_t)o) ||
			  (*conn != '\0' && set_has(&k->conns, conn_hash(o->node, conn)));
	}
	return drop;
}

static void
kin_clear(struct kin *k)
{
	free(k->ties.item);
	free(k->asker);
	for (size_t i = 0; k->asked != NULL && i < k->c->catalogue->n; i++)
		for (unsigned what = 0; what < ASKED_MAX; what++)
			free(k->asked[i][what].item);
	free(k->asked);
	free(k->conns.item);
	free(k->addresses.item);
	free(k->events.item);
}

/* What ties to the participant: its deliveries, and who asked before them. */
static void
know(struct kin *k, struct delivery *d, size_t n, size_t who)
{
	struct times t = { .item = xcalloc(n + 1, sizeof *t.item) };

	for (size_t i = 0; i < n; i++) { /* in the order of tests, of each in that of time */
		if (sender_of(d, i) == who) {
			for (unsigned what = 0; what < TIE_MAX; what++)
				if (d[i].tie[what] != 0)
					set_add(&k->ties, d[i].tie[what]);
			t.item[t.n++] = d[i].a->t;
		}
		if (i + 1 == n || d[i + 1].test != d[i].test) {
			add_askers(k, &t, d[i].test);
			t.n = 0;
		}
	}
	free(t.item);
	set_sort(&k->ties);
	join_askers(k);
	k->asked = xcalloc(k->c->catalogue->n + 1, sizeof *k->asked);
	for (size_t i = 0; i < k->c->catalogue->n; i++)
		note_asked(k, i);
}

bool *
kin_strangers(struct correlation *c, const struct observations *obs)
{
	struct kin k = { .c = c };
	bool *drop = NULL;
	size_t n, who;
	struct delivery *d = deliveries(c, &n);

	join_ties(d, n);
	who = participant(c, d, n);
	if (who != SIZE_MAX) {
		know(&k, d, n, who);
		drop_sessions(&k);
		drop_rest(&k);
		drop = flags_of(&k, obs);
	}
	free(d);
	kin_clear(&k);
	return drop;
}

bool *
kin_named(
    struct correlation *c, const struct observations *obs, const char *const *address, unsigned n)
{
	struct kin k = { .c = c };
	bool *drop;

	for (size_t i = 0; n > 0 && i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		const char *peer = text_of(o, EK_PEER), *conn = text_of(o, EK_CONN);
		bool named = false;
		for (unsigned a = 0; a < n; a++)
			named |= strcasecmp(address[a], peer) == 0;
		if (!named)
			continue;
		set_add(&k.events, (uint64_t)(uintptr_t)o);
		if (*conn != '\0')
			set_add(&k.conns, conn_hash(o->node, conn));
		for (size_t t = 0; t < c->catalogue->n; t++)
			c->facts[t].stranger = peer;
	}
	set_sort(&k.events);
	set_sort(&k.conns);
	drop = flags_of(&k, obs);
	kin_clear(&k);
	return drop;
}
