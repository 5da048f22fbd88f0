/* resolver.c - queries become resolvers, resolvers a farm. */
#include "results/resolver.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "results/correlate.h"

#define SAMPLE        5  /* from so many queries on, ports and ids are judged */
#define CLIENT_COOKIE 16 /* hex digits of a cookie without the server's part */
#define BIT(f)        (1u << (f))

static const struct {
	const char *key, *words;
} rows[RESOLVER_FEATURE_MAX] = {
	[RESOLVER_EDNS] = { "uses_edns", "EDNS" },
	[RESOLVER_DNSSEC_OK] = { "dnssec_ok", "wants DNSSEC records" },
	[RESOLVER_CHECKING_DISABLED] = { "checking_disabled", "asks for unchecked answers" },
	[RESOLVER_TCP] = { "uses_tcp", "TCP" },
	[RESOLVER_COOKIE] = { "cookie", "cookies" },
	[RESOLVER_SERVER_COOKIE] = { "server_cookie", "remembers our cookie" },
	[RESOLVER_CLIENT_SUBNET] = { "client_subnet", "sends client subnet" },
	[RESOLVER_CASE_RANDOM] = { "case_random", "mixes case (0x20)" },
	[RESOLVER_MINIMISED] = { "minimised", "minimises names" },
	[RESOLVER_PORT_FIXED] = { "port_fixed", "one source port only" },
	[RESOLVER_ID_SEQUENTIAL] = { "id_sequential", "ids that count up" },
};

const char *
resolver_feature_key(enum resolver_feature f)
{
	return rows[f].key;
}

const char *
resolver_feature_words(enum resolver_feature f)
{
	return rows[f].words;
}

static int
peer_order(const void *pa, const void *pb)
{
	const struct observation *a = *(const struct observation *const *)pa;
	const struct observation *b = *(const struct observation *const *)pb;
	int d = strcmp(text_of(a, EK_PEER), text_of(b, EK_PEER));

	return d != 0 ? d : observation_order(a, b);
}

static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
		if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	}
	return false;
}

static unsigned
features_of(const struct observation *o)
{
	const char *q = text_of(o, EK_QNAME), *flags = text_of(o, EK_FLAGS);
	size_t cookie = strlen(text_of(o, EK_COOKIE));
	bool upper = false, lower = false;
	unsigned f = 0;

	for (; *q != '\0'; q++) {
		upper |= *q >= 'A' && *q <= 'Z';
		lower |= *q >= 'a' && *q <= 'z';
	}
	f |= observation_num(o, EK_EDNS, -1) >= 0 ? BIT(RESOLVER_EDNS) : 0;
	f |= has_word(flags, "do") ? BIT(RESOLVER_DNSSEC_OK) : 0;
	f |= has_word(flags, "cd") ? BIT(RESOLVER_CHECKING_DISABLED) : 0;
	f |= observation_is(o, EK_VIA, "tcp") ? BIT(RESOLVER_TCP) : 0;
	f |= cookie > 0 ? BIT(RESOLVER_COOKIE) : 0;
	f |= cookie > CLIENT_COOKIE ? BIT(RESOLVER_SERVER_COOKIE) : 0;
	f |= *text_of(o, EK_ECS) != '\0' ? BIT(RESOLVER_CLIENT_SUBNET) : 0;
	f |= upper && lower ? BIT(RESOLVER_CASE_RANDOM) : 0;
	/* Nobody but a resolver that minimises names asks for the empty name between. */
	f |= strncmp(text_of(o, EK_AT), "_tcp.", 5) == 0 ? BIT(RESOLVER_MINIMISED) : 0;
	return f;
}

static int
number_order(const void *pa, const void *pb)
{
	uint16_t a = *(const uint16_t *)pa, b = *(const uint16_t *)pb;

	return a < b ? -1 : a > b;
}

/* Sorts it.  How many different ones, and the entropy of their distribution in bits. */
static unsigned
spread(double *bits, uint16_t *v, size_t n)
{
	unsigned different = 0;

	*bits = 0;
	qsort(v, n, sizeof *v, number_order);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && v[j] == v[i];)
			j++;
		double p = (double)(j - i) / (double)n;
		*bits -= p * log2(p);
		different++;
	}
	return different;
}

/* Most ids are a little more than the one before. */
static bool
counts_up(const uint16_t *id, size_t n)
{
	size_t steps = 0;

	for (size_t i = 1; i < n; i++)
		steps += (uint16_t)(id[i] - id[i - 1]) - 1u < 16;
	return n >= SAMPLE && steps * 10 >= (n - 1) * 9;
}

/* The queries [0, n) of one address, in the order of time. */
static void
resolver_read(struct resolver *r, const struct observation *const *q, size_t n)
{
	uint16_t *port = xcalloc(n, sizeof *port), *id = xcalloc(n, sizeof *id);

	*r = (struct resolver){ .peer = text_of(q[0], EK_PEER),
		.family = family_of(text_of(q[0], EK_PEER)),
		.queries = (unsigned)n,
		.edns = -1,
		.edns_min = -1,
		.first = q[0]->t,
		.last = q[n - 1]->t };
	for (size_t i = 0; i < n; i++) {
		int64_t edns = observation_num(q[i], EK_EDNS, -1);
		r->features |= features_of(q[i]);
		if (edns >= 0 && (r->edns_min < 0 || edns < r->edns_min))
			r->edns_min = edns;
		r->edns = edns > r->edns ? edns : r->edns;
		id[i] = (uint16_t)observation_num(q[i], EK_ID, 0);
		if (observation_is(q[i], EK_VIA, "tcp"))
			r->tcp++;
		else
			port[r->udp++] = (uint16_t)observation_num(q[i], EK_PORT, 0);
	}
	if (counts_up(id, n))
		r->features |= BIT(RESOLVER_ID_SEQUENTIAL);
	r->ports = spread(&r->port_bits, port, r->udp);
	r->ids = spread(&r->id_bits, id, n);
	if (r->udp >= SAMPLE && r->ports == 1)
		r->features |= BIT(RESOLVER_PORT_FIXED);
	free(port);
	free(id);
}

static void
farm_read(struct resolver_farm *farm, const struct resolver *r, size_t n)
{
	farm->all = BIT(RESOLVER_FEATURE_MAX) - 1;
	for (size_t i = 0; i < n; i++) {
		farm->ipv6 += r[i].family == 6;
		farm->ipv4 += r[i].family == 4;
		if (r[i].queries < RESOLVER_TELLS)
			continue;
		farm->telling++;
		farm->some |= r[i].features;
		farm->all &= r[i].features;
	}
	if (farm->telling == 0)
		farm->all = 0;
}

void
resolvers_read(struct correlation *c, const struct observations *obs)
{
	const struct observation **q = xcalloc(obs->n + 1, sizeof *q);
	size_t n = 0;

	for (size_t i = 0; i < obs->n; i++) {
		if (obs->item[i]->kind == EV_DNS_QUERY &&
		    strcmp(text_of(obs->item[i], EK_TOKEN), c->token) == 0)
			q[n++] = obs->item[i];
	}
	qsort(q, n, sizeof *q, peer_order);
	c->resolvers = xcalloc(IDENTITIES_MAX, sizeof *c->resolvers);
	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1;
		     j < n && strcmp(text_of(q[j], EK_PEER), text_of(q[i], EK_PEER)) == 0;)
			j++;
		if (c->n_resolvers == IDENTITIES_MAX) {
			c->resolvers_beyond = n - i;
			break;
		}
		resolver_read(&c->resolvers[c->n_resolvers++], &q[i], j - i);
	}
	farm_read(&c->farm, c->resolvers, c->n_resolvers);
	free(q);
}
