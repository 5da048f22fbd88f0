/* sender.c - see sender.h. */
#include "results/sender.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/correlation.h"

static int
identity_order(const void *pa, const void *pb)
{
	const struct session *a = *(struct session *const *)pa, *b = *(struct session *const *)pb;
	int d;

	if ((d = strcmp(a->peer, b->peer)) != 0 || (d = strcasecmp(a->ehlo, b->ehlo)) != 0 ||
	    (d = strcmp(a->ja4, b->ja4)) != 0)
		return d;
	return a->t < b->t ? -1 : a->t > b->t;
}

void
senders_read(struct correlation *c)
{
	struct session **s = xcalloc(c->n_sessions + 1, sizeof *s);

	for (size_t i = 0; i < c->n_sessions; i++)
		s[i] = &c->sessions[i];
	qsort(s, c->n_sessions, sizeof *s, identity_order);
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
