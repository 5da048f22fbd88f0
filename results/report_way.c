/* report_way.c - the way of a lookup as a picture of boxes: the servers that sent, the networks of the resolvers that
 * asked for them, and whether what they were told is checked.  Boxes are text, so a screen reader and a narrow
 * screen have the same picture. */
#include <stdlib.h>
#include <string.h>

#include "lib/html.h"
#include "results/describe.h"
#include "results/report_views.h"

#define NETWORKS_MAX 5 /* that are shown; the others are counted */

struct network {
	const struct place *place;
	unsigned ipv4, ipv6, queries, wants, here; /* here: addresses that send as well */
};

static bool
same_place(const struct place *a, const struct place *b)
{
	return a->as == b->as && strcmp(a->country, b->country) == 0 &&
	       (a->as != 0 || strcmp(a->organization, b->organization) == 0);
}

static bool
sends(const struct correlation *c, const char *peer)
{
	for (size_t i = 0; i < c->n_senders; i++)
		if (strcmp(c->senders[i].peer, peer) == 0)
			return true;
	return false;
}

static int
most_queries(const void *pa, const void *pb)
{
	const struct network *a = pa, *b = pb;

	return (a->queries < b->queries) - (a->queries > b->queries);
}

static size_t
networks_of(struct network *dst, const struct correlation *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_resolvers; i++) {
		const struct resolver *r = &c->resolvers[i];
		size_t k = 0;

		while (k < n && !same_place(dst[k].place, &r->place))
			k++;
		if (k == n)
			dst[n++] = (struct network){ .place = &r->place };
		dst[k].ipv4 += r->family == 4;
		dst[k].ipv6 += r->family == 6;
		dst[k].queries += r->queries;
		dst[k].wants += resolver_has(r, RESOLVER_DNSSEC_OK);
		dst[k].here += sends(c, r->peer);
	}
	qsort(dst, n, sizeof *dst, most_queries);
	return n;
}

static void
put_place(struct strbuf *b, const struct place *at)
{
	char text[112];

	place_format(text, at);
	html_text(b, *text == '\0' ? "network not known" : text);
}

/* Is it the network of a server that sends?  Told only where the network is known. */
static const char *
whose(const struct correlation *c, const struct network *n)
{
	if (n->here > 0)
		return n->here == n->ipv4 + n->ipv6 ? "on the servers that send"
						    : "some of them on the servers that send";
	if (n->place->as == 0)
		return NULL;
	for (size_t i = 0; i < c->n_senders; i++)
		if (c->senders[i].place.as == n->place->as)
			return "in the network of the servers that send";
	return c->n_senders > 0 ? "in another network than the servers that send" : NULL;
}

static void
put_network(struct strbuf *b, const struct correlation *c, const struct network *n)
{
	unsigned all = n->ipv4 + n->ipv6;
	const char *where = whose(c, n);

	strbuf_puts(b, "<div class=\"node\"><b>");
	put_place(b, n->place);
	strbuf_printf(b, "</b><span>%u resolver%s", all, all == 1 ? "" : "s");
	if (n->ipv6 > 0)
		strbuf_printf(b, n->ipv4 > 0 ? ", %u of them over IPv6" : " over IPv6", n->ipv6);
	strbuf_printf(b, "; %u quer%s</span><span>%s asked for DNSSEC records</span>", n->queries,
	    n->queries == 1 ? "y" : "ies",
	    n->wants == all ? "all"
	    : n->wants == 0 ? "none"
			    : "some");
	if (where != NULL)
		strbuf_printf(b, "<span>%s</span>", where);
	strbuf_puts(b, "</div>\n");
}

static void
put_senders(struct strbuf *b, const struct correlation *c)
{
	unsigned n = 0;

	strbuf_puts(b, "<div class=\"stop\"><div class=\"node\"><b>Your mail servers</b>");
	for (size_t i = 0; i < c->n_senders; i++) {
		bool told = false;
		for (size_t k = 0; k < i && !told; k++)
			told = strcmp(c->senders[k].peer, c->senders[i].peer) == 0;
		if (told || ++n > NETWORKS_MAX)
			continue;
		struct strbuf peer = { 0 };
		describe_said(&peer, c->senders[i].peer);
		strbuf_puts(b, "<span><code>");
		html_text(b, peer.s);
		strbuf_puts(b, "</code></span>");
		strbuf_clear(&peer);
	}
	if (n == 0)
		strbuf_puts(b, "<span>none has come yet</span>");
	if (n > NETWORKS_MAX)
		strbuf_printf(b, "<span>and %u more addresses</span>", n - NETWORKS_MAX);
	strbuf_puts(b, "</div></div>\n");
}

static void
put_arrow(struct strbuf *b)
{
	strbuf_puts(b, "<svg class=\"arrow\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path "
		       "d=\"M2 12h19m-6-6 6 6-6 6\"/></svg>\n");
}

void
report_html_way(struct strbuf *b, const struct report *r)
{
	static const char *const validates[TRAIT_MAX][3] = {
		[TRAIT_YES] = { "ok", "Validated", "forged answers are refused" },
		[TRAIT_NO] = { "bad", "Not validated",
		    "at least one resolver takes a forged answer: mail to dnssec-bogus was "
		    "delivered" },
		[TRAIT_OPEN] = { "none", "Not decided yet",
		    "whether forged answers are refused will be seen when dnssec-bogus is "
		    "settled" },
		[TRAIT_UNKNOWN] = { "none", "Not known",
		    "whether forged answers are refused could not be seen" },
	};
	const char *const *v = validates[r->validates];
	const struct correlation *c = r->c;
	struct network *net = xcalloc(c->n_resolvers + 1, sizeof *net);
	size_t n = networks_of(net, c);

	strbuf_puts(b, "<figure class=\"way-of\">\n");
	put_senders(b, c);
	put_arrow(b);
	strbuf_puts(b, "<div class=\"stop\">\n");
	for (size_t i = 0; i < n && i < NETWORKS_MAX; i++)
		put_network(b, c, &net[i]);
	if (n > NETWORKS_MAX)
		strbuf_printf(b, "<div class=\"node\"><span>and %zu more networks</span></div>\n",
		    n - NETWORKS_MAX);
	strbuf_puts(b, "</div>\n");
	put_arrow(b);
	strbuf_printf(b,
	    "<div class=\"stop\"><div class=\"node %s\"><b>%s</b><span>%s</span></div></div>\n"
	    "<figcaption>Who asked for your mail servers, from where, and whether the answers are "
	    "checked by DNSSEC.</figcaption></figure>\n",
	    v[0], v[1], v[2]);
	free(net);
}
