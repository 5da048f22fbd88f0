/* kin.c - see kin.h. */
#include "results/kin.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/party.h"
#include "results/tie.h"
#include "results/window.h"

#define WINDOW      (600 * CLOCK_SECOND) /* a lookup belongs to what comes so soon after it */
#define RRTYPE_A    1
#define RRTYPE_AAAA 28

#define SLACK (5 * CLOCK_SECOND) /* clocks of nodes differ */

#define FOLLOWED 3 /* of so many times that a resolver asks, a session follows one at least */
/* Who asks so long after the last session asks for another reason: a report, a policy that may be stale. */
#define AFTERWARDS (6 * 3600 * CLOCK_SECOND)

struct set { /* of hashes; sorted when it is asked */
	uint64_t *item;
	size_t n;
};

static void
set_add(struct set *s, uint64_t h)
{
	s->item = xgrow(s->item, s->n, sizeof *s->item);
	s->item[s->n++] = h;
}

static bool
set_has(const struct set *s, uint64_t h)
{
	return h != 0 && s->n > 0 && bsearch(&h, s->item, s->n, sizeof *s->item, tie_order) != NULL;
}

static void
set_sort(struct set *s)
{
	if (s->n > 0)
		qsort(s->item, s->n, sizeof *s->item, tie_order);
}

/* --- lookups ------------------------------------------------------------------------------------------- */

struct asker { /* a network that asked for a test that was mailed, within ten minutes from then */
	uint64_t network;
	size_t test;
	int64_t when;  /* which ten minutes */
	bool followed; /* by a session of the participant */
	bool others;   /* in other tests as well; once they are joined */
};

enum asked { ASKED_ADDRESS, ASKED_POLICY, ASKED_MAX };
struct times {
	int64_t *item;
	size_t n;
};

struct home { /* of an address from which the participant delivered */
	uint64_t network, address;
};

struct kin {
	struct correlation *c;
	const struct tie_book *book;
	struct set ties;      /* of the participant's deliveries */
	struct set networks;  /* from which two or more of its addresses delivered */
	struct set claims;    /* what it said in EHLO */
	struct set forwarded; /* pointers to deliveries that came over somebody else's host */
	struct asker *asker;
	size_t n_askers;
	struct times (*asked)[ASKED_MAX]; /* of each test: when a kin resolver asked that */
	struct set conns;                 /* sessions of strangers */
	struct set addresses;             /* of these */
	struct set events;                /* pointers to other events of strangers */
};

/* Is it from a network that the participant has several addresses in, and says no other name there? */
static bool
is_at_home(const struct kin *k, const char *peer, const char *ehlo)
{
	uint64_t claim = tie_claim(ehlo);

	return set_has(&k->networks, tie_network(peer)) &&
	       (claim == 0 || set_has(&k->claims, claim));
}

static bool
is_forwarded(const struct kin *k, const struct attempt *a)
{
	return set_has(&k->forwarded, (uint64_t)(uintptr_t)a);
}

/* By what it shows itself. */
static bool
is_tied(const struct kin *k, const struct attempt *a)
{
	struct ties t;

	ties_of(&t, k->book, a->peer, a->ehlo, a->msgid);
	for (unsigned i = 0; i < t.n; i++)
		if (set_has(&k->ties, t.hash[i]) && (t.hash[i] != t.message || !is_forwarded(k, a)))
			return true;
	return tie_address(a->peer) == 0 || is_at_home(k, a->peer, a->ehlo);
}

static int
asker_order(const void *pa, const void *pb)
{
	const struct asker *a = pa, *b = pb;
	int d = tie_order(&a->network, &b->network);

	if (d != 0 || a->test != b->test)
		return d != 0 ? d : a->test < b->test ? -1 : 1;
	return a->when < b->when ? -1 : a->when > b->when;
}

/* The network that asked; with that of its client, if a resolver that many use tells it (RFC 7871). */
static uint64_t
asker_of(const struct observation *o)
{
	const char *ecs = text_of(o, EK_ECS);
	uint64_t network = tie_network(text_of(o, EK_PEER));
	size_t len = strcspn(ecs, "/");
	char client[64];

	if (network == 0 || len == 0 || len >= sizeof client ||
	    atoi(ecs + len + (ecs[len] == '/')) < 24)
		return network;
	memcpy(client, ecs, len);
	client[len] = '\0';
	return network ^ (tie_network(client) << 1);
}

/* Need no session follow?  Not between two of them: each run of a queue may look up where the mail would go, and find that it
 * is not yet time for the retry. */
static bool
may_ask_only(const struct times *sessions, int64_t t)
{
	int64_t first = sessions->item[0], last = sessions->item[sessions->n - 1];

	return (t > first && t < last) || t > last + AFTERWARDS;
}

/* Who asked for the test, and was it in the ten minutes before a session of the participant? */
static void
add_askers(struct kin *k, const struct times *sessions, size_t test)
{
	const struct facts *f = &k->c->facts[test];

	for (size_t i = 0; i < f->n_lookups && sessions->n > 0; i++) {
		int64_t t = f->lookups[i].t;
		uint64_t net = asker_of(f->lookups[i].event);
		bool followed = window_has(
		    sessions->item, sessions->n, sizeof *sessions->item, t - SLACK, t + WINDOW);
		if (net == 0 || (!followed && may_ask_only(sessions, t)))
			continue;
		k->asker = xgrow(k->asker, k->n_askers, sizeof *k->asker);
		k->asker[k->n_askers++] = (struct asker){ net, test, t / WINDOW, followed, false };
	}
}

/* The askers [from, to) are one network: is it the participant's, or one that asks whoever mails?  Then one of them is
 * left, at kept. */
static bool
join_network(struct asker *a, size_t from, size_t to, size_t kept)
{
	size_t times = 0, followed = 0, first = SIZE_MAX;
	bool others = false;

	for (size_t i = from, end; i < to; i = end) {
		bool one = false;
		for (end = i; end < to && asker_order(&a[i], &a[end]) == 0; end++)
			one |= a[end].followed;
		times++;
		followed += one;
		others |= one && first != SIZE_MAX && a[i].test != a[first].test;
		first = one && first == SIZE_MAX ? i : first;
	}
	if (first == SIZE_MAX || followed * FOLLOWED < times)
		return false;
	a[kept] = a[first];
	a[kept].others = others;
	return true;
}

static void
join_askers(struct kin *k)
{
	size_t kept = 0, end;

	if (k->n_askers > 0)
		qsort(k->asker, k->n_askers, sizeof *k->asker, asker_order);
	for (size_t i = 0; i < k->n_askers; i = end) {
		for (end = i + 1;
		     end < k->n_askers && k->asker[end].network == k->asker[i].network;)
			end++;
		kept += join_network(k->asker, i, end, kept);
	}
	k->n_askers = kept;
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
	uint64_t net = asker_of(l->event);

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
		w->item = xgrow(w->item, w->n, sizeof *w->item);
		w->item[w->n++] = l->t;
	}
}

/* Did a kin resolver ask this in the ten minutes before t? */
static bool
asked_before(const struct kin *k, size_t test, int64_t t, enum asked what)
{
	const struct times *w = &k->asked[test][what];

	return window_has(w->item, w->n, sizeof *w->item, t - WINDOW, t + SLACK);
}

/* --- what strangers did -------------------------------------------------------------------------------- */

static uint64_t
conn_hash(const char *node, const char *conn)
{
	return tie_text(node) ^ (tie_text(conn) << 1);
}

static bool
is_kin_attempt(const struct kin *k, const struct attempt *a, size_t test)
{
	bool nothing = *a->ehlo == '\0' && *a->msgid == '\0'; /* shown but its address */

	if (is_tied(k, a))
		return true;
	return nothing && (a->accepted || asked_before(k, test, a->t, ASKED_ADDRESS));
}

/* Of events that show nothing but an address. */
static bool
is_kin_address(const struct kin *k, const char *peer)
{
	struct ties t;

	ties_of(&t, k->book, peer, "", "");
	for (unsigned i = 0; i < t.n; i++)
		if (set_has(&k->ties, t.hash[i]))
			return true;
	return tie_address(peer) == 0 || is_at_home(k, peer, "");
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
			for (size_t n = 0; party_mails(f->test) && n < f->n_attempts; n++) {
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
		set_add(&k->addresses, tie_text(s->peer));
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
		bool sent = party_mails(f->test);
		for (size_t n = 0; sent && n < f->n_lookups; n++)
			if (!is_kin_lookup(k, &f->lookups[n], i))
				drop_event(k, i, f->lookups[n].event);
		for (size_t n = 0; sent && n < f->n_fetches; n++) {
			const struct fetch *w = &f->fetches[n];
			const char *peer = text_of(w->event, EK_PEER);
			if (!is_kin_address(k, peer) && !asked_elsewhere(k, tie_network(peer), i) &&
			    !asked_before(k, i, w->t, ASKED_POLICY))
				drop_event(k, i, w->event);
		}
		for (size_t n = 0; n < f->n_events; n++) {
			const struct observation *o = f->events[n];
			const char *peer = text_of(o, EK_PEER);
			if (!sent || (o->kind != EV_SMTP_DSN && o->kind != EV_NET_SYN) ||
			    is_kin_address(k, peer))
				continue;
			if (o->kind == EV_SMTP_DSN || set_has(&k->addresses, tie_text(peer)) ||
			    !asked_before(k, i, o->t, ASKED_ADDRESS))
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
	free(k->networks.item);
	free(k->claims.item);
	free(k->forwarded.item);
	free(k->asker);
	for (size_t i = 0; k->asked != NULL && i < k->c->catalogue->n; i++)
		for (unsigned what = 0; what < ASKED_MAX; what++)
			free(k->asked[i][what].item);
	free(k->asked);
	free(k->conns.item);
	free(k->addresses.item);
	free(k->events.item);
}

static int
home_order(const void *pa, const void *pb)
{
	const struct home *a = pa, *b = pb;
	int d = tie_order(&a->network, &b->network);

	return d != 0 ? d : tie_order(&a->address, &b->address);
}

/* Where two or more of its addresses are, and what it says in EHLO. */
static void
know_networks(struct kin *k, struct delivery *d, size_t n, size_t who)
{
	struct home *h = xcalloc(n + 1, sizeof *h);
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t claim = tie_claim(d[i].a->ehlo), net = tie_network(d[i].a->peer);
		if (party_of(d, i) != who)
			continue;
		if (claim != 0)
			set_add(&k->claims, claim);
		if (net != 0)
			h[m++] = (struct home){ net, tie_address(d[i].a->peer) };
	}
	if (m > 0)
		qsort(h, m, sizeof *h, home_order);
	for (size_t i = 1; i < m; i++)
		if (h[i].network == h[i - 1].network && h[i].address != h[i - 1].address)
			set_add(&k->networks, h[i].network);
	free(h);
	set_sort(&k->networks);
	set_sort(&k->claims);
}

/* What ties to the participant: its deliveries. */
static void
know_ties(struct kin *k, struct delivery *d, size_t n, size_t who)
{
	for (size_t i = 0; i < n; i++) {
		if (d[i].forwarded)
			set_add(&k->forwarded, (uint64_t)(uintptr_t)d[i].a);
		for (unsigned h = 0; h < d[i].ties.n && party_of(d, i) == who; h++)
			if (!d[i].forwarded || d[i].ties.hash[h] != d[i].ties.message)
				set_add(&k->ties, d[i].ties.hash[h]);
	}
	set_sort(&k->ties);
	set_sort(&k->forwarded);
}

/* Who asks before it connects. */
static void
know_askers(struct kin *k)
{
	struct times t = { 0 };

	for (size_t i = 0; i < k->c->catalogue->n; i++) {
		const struct facts *f = &k->c->facts[i];
		t.n = 0;
		for (size_t n = 0; party_mails(f->test) && n < f->n_attempts; n++) {
			if (!is_tied(k, &f->attempts[n]))
				continue;
			t.item = xrealloc(t.item, (t.n + 1) * sizeof *t.item);
			t.item[t.n++] = f->attempts[n].t;
		}
		add_askers(k, &t, i);
	}
	free(t.item);
	join_askers(k);
	k->asked = xcalloc(k->c->catalogue->n + 1, sizeof *k->asked);
	for (size_t i = 0; i < k->c->catalogue->n; i++)
		note_asked(k, i);
}

unsigned
kin_strangers(struct correlation *c, const struct observations *obs, bool *drop[KIN_SENDERS_MAX])
{
	struct tie_book *book = tie_book_read(obs, c->token);
	size_t n, who[KIN_SENDERS_MAX], senders;
	struct delivery *d = party_deliveries(c, book, &n);
	unsigned kept = 0;

	senders = party_candidates(c, d, n, who);
	for (size_t i = 0; i < senders; i++) {
		struct kin k = { .c = c, .book = book };
		know_ties(&k, d, n, who[i]);
		know_networks(&k, d, n, who[i]);
		know_askers(&k);
		drop_sessions(&k);
		drop_rest(&k);
		if ((drop[kept] = flags_of(&k, obs)) != NULL)
			kept++;
		kin_clear(&k);
	}
	free(d);
	tie_book_free(book);
	return kept;
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
