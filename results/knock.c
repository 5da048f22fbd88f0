/* knock.c - see knock.h. */
#include "results/knock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

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
	struct facts *f = correlation_find(c, name, strlen(name));

	if (f == NULL)
		return;
	struct attempt a = {
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
		.from = "",
		.decides = k->syn,
		.session = UINT_MAX,
	};
	facts_attempt(f, &a);
}

static bool
is_smtp_syn(const struct observation *o)
{
	int64_t port = observation_num(o, EK_LPORT, 25);

	return o->kind == EV_NET_SYN && port != 443 && port != 80 && port != 53;
}

/* All of this token, each SYN beside the session of the same ports; NULL: no SYN. */
static struct knock *
knocks_collect(const struct correlation *c, const struct observations *obs, size_t *count)
{
	struct knock *k = NULL;
	size_t n = 0;

	for (size_t i = 0; i < obs->n; i++) {
		const struct observation *o = obs->item[i];
		if (!is_smtp_syn(o) || strcmp(text_of(o, EK_TOKEN), c->token) != 0)
			continue;
		k = xgrow(k, n, sizeof *k);
		k[n++] = (struct knock){ text_of(o, EK_PEER), text_of(o, EK_LOCAL),
			(unsigned)observation_num(o, EK_PORT, 0), o->t, o, 0 };
	}
	for (size_t i = 0; n > 0 && i < c->n_sessions; i++) {
		const struct session *s = &c->sessions[i];
		k = xgrow(k, n, sizeof *k);
		k[n++] = (struct knock){ s->peer, s->local, s->port, s->t, NULL, (unsigned)i };
	}
	if (n > 0)
		qsort(k, n, sizeof *k, knock_order);
	*count = n;
	return k;
}

void
knocks_read(struct correlation *c, const struct observations *obs)
{
	size_t n;
	struct knock *k = knocks_collect(c, obs, &n);

	for (size_t i = 0; i < n; i++) {
		if (k[i].syn == NULL)
			continue;
		size_t j = i;
		while (j + 1 < n && same_knock(&k[j + 1], &k[i]) && k[j + 1].syn != NULL &&
		       k[j + 1].t - k[i].t <= KNOCK_SPAN)
			j++;
		bool before = i > 0 && k[i - 1].syn == NULL && same_knock(&k[i - 1], &k[i]) &&
			      k[i].t - k[i - 1].t <= KNOCK_LATE;
		bool after = j + 1 < n && k[j + 1].syn == NULL && same_knock(&k[j + 1], &k[i]) &&
			     k[j + 1].t - k[i].t <= KNOCK_SPAN;
		if (after)
			c->sessions[k[j + 1].session].syn = k[i].t;
		else if (!before)
			bare_syn(c, &k[i], k[j].t);
		i = j;
	}
	free(k);
	lead(c);
}
