/* party.c - see party.h. */
#include "results/party.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

#define STANDS_OUT 2  /* times as many tests as the next */
#define PEERS_MAX  16 /* that brought one message, and are looked for in its Received: fields */

struct tied {
	uint64_t hash;
	size_t delivery;
};

static int
tied_order(const void *pa, const void *pb)
{
	const struct tied *a = pa, *b = pb;

	return tie_order(&a->hash, &b->hash);
}

size_t
party_of(struct delivery *d, size_t i)
{
	while (d[i].up != i)
		i = d[i].up = d[d[i].up].up;
	return i;
}

bool
party_mails(const struct test *t)
{
	return !t->unmailed && t->n_graded_on == 0;
}

struct delivery *
party_deliveries(const struct correlation *c, const struct tie_book *book, size_t *n)
{
	struct delivery *d = NULL;

	*n = 0;
	for (size_t i = 0; i < c->catalogue->n; i++) {
		const struct facts *f = &c->facts[i];
		for (size_t k = 0; party_mails(f->test) && k < f->n_attempts; k++) {
			const struct attempt *a = &f->attempts[k];
			if (!a->accepted)
				continue;
			d = xgrow(d, *n, sizeof *d);
			d[*n] = (struct delivery){ .a = a, .test = i, .up = *n };
			d[*n].last = SIZE_MAX;
			ties_of(&d[*n].ties, book, a->peer, a->ehlo, a->msgid);
			++*n;
		}
	}
	return d;
}

static const char *
headers_of(const struct delivery *d)
{
	return d->a->message == NULL ? "" : text_of(d->a->message, EK_HEADERS);
}

/* Who brought the same message: which of them had it from another?  An address that its own copy has passed as well
 * is where the message was written. */
static void
mark_forwarded(struct delivery *d, const struct tied *t, size_t n)
{
	const char *peer[PEERS_MAX];
	size_t peers = 0;

	for (size_t i = 0; i < n; i++) {
		const struct delivery *one = &d[t[i].delivery];
		bool known = *one->a->peer == '\0' || tie_came_over(headers_of(one), one->a->peer);
		for (size_t k = 0; k < peers && !known; k++)
			known = strcmp(peer[k], one->a->peer) == 0;
		if (!known && peers < PEERS_MAX)
			peer[peers++] = one->a->peer;
	}
	for (size_t i = 0; i < n; i++) {
		struct delivery *one = &d[t[i].delivery];
		for (size_t k = 0; k < peers && !one->forwarded; k++)
			one->forwarded = strcmp(peer[k], one->a->peer) != 0 &&
					 tie_came_over(headers_of(one), peer[k]);
	}
}

static void
join_ties(struct delivery *d, size_t n)
{
	struct tied *t = xcalloc(n * TIES_MAX + 1, sizeof *t);
	size_t m = 0, end;

	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < d[i].ties.n; k++)
			t[m++] = (struct tied){ d[i].ties.hash[k], i };
	qsort(t, m, sizeof *t, tied_order);
	for (size_t i = 0; i < m; i = end) {
		size_t first = SIZE_MAX;
		bool message = d[t[i].delivery].ties.message == t[i].hash;
		for (end = i + 1; end < m && t[end].hash == t[i].hash;)
			end++;
		if (message)
			mark_forwarded(d, &t[i], end - i);
		for (size_t k = i; k < end; k++) {
			if (message && d[t[k].delivery].forwarded)
				continue;
			if (first != SIZE_MAX)
				d[party_of(d, t[k].delivery)].up = party_of(d, first);
			first = t[k].delivery;
		}
	}
	free(t);
}

/* a is more likely the participant than b. */
static bool
is_ahead(const struct delivery *a, const struct delivery *b)
{
	return a->tests != b->tests ? a->tests > b->tests : a->root && !b->root;
}

/* The senders that may be the participant, the likeliest first: more than that one only if it does not stand
 * out. */
size_t
party_candidates(const struct correlation *c, struct delivery *d, size_t n, size_t who[PARTIES_MAX])
{
	size_t found = 0;

	join_ties(d, n);
	for (size_t i = 0; i < n; i++) { /* in the order of tests */
		struct delivery *s = &d[party_of(d, i)];
		const struct test *t = c->facts[d[i].test].test;
		s->tests += s->last != d[i].test;
		s->last = d[i].test;
		s->root |= t->n_control == 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t at = found;
		if (d[i].up != i)
			continue;
		while (at > 0 && is_ahead(&d[i], &d[who[at - 1]]))
			at--;
		if (at == PARTIES_MAX)
			continue;
		found += found < PARTIES_MAX;
		memmove(&who[at + 1], &who[at], (found - at - 1) * sizeof *who);
		who[at] = i;
	}
	while (found > 1 && d[who[0]].tests > STANDS_OUT * d[who[found - 1]].tests)
		found--;
	return found;
}
