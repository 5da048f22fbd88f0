/* facts.c - see facts.h. */
#include "results/facts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"
#include "results/tlsrpt_match.h"

const char *
binding_name(enum binding by)
{
	static const char *const names[BOUND_MAX] = { "", "address", "sni", "rcpt" };

	return names[by];
}

int
family_of(const char *address)
{
	return *address == '\0' ? 0 : strchr(address, ':') != NULL ? 6 : 4;
}

void
facts_clear(struct facts *f)
{
	free(f->attempts);
	free(f->lookups);
	free(f->fetches);
	free(f->events);
	for (size_t i = 0; i < f->n_reports; i++)
		tlsrpt_received_free(f->reports[i]);
	free(f->reports);
	free(f->bounces);
}

void
facts_event(struct facts *f, const struct observation *o)
{
	f->events = xgrow(f->events, f->n_events, sizeof *f->events);
	f->events[f->n_events++] = o;
}

void
facts_attempt(struct facts *f, const struct attempt *a)
{
	f->attempts = xgrow(f->attempts, f->n_attempts, sizeof *f->attempts);
	f->attempts[f->n_attempts++] = *a;
}

void
facts_lookup(struct facts *f, const struct observation *o)
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
	f->lookups = xgrow(f->lookups, f->n_lookups, sizeof *f->lookups);
	f->lookups[f->n_lookups++] = l;
}

void
facts_fetch(struct facts *f, const struct observation *o)
{
	if (strncasecmp(text_of(o, EK_AT), "mta-sts.", 8) != 0 ||
	    strstr(text_of(o, EK_WHAT), "/.well-known/mta-sts.txt") == NULL)
		return;
	f->fetches = xgrow(f->fetches, f->n_fetches, sizeof *f->fetches);
	f->fetches[f->n_fetches++] = (struct fetch){ .t = o->t,
		.event = o,
		.status = (int)observation_num(o, EK_REPLY, 0),
		.family = family_of(text_of(o, EK_PEER)),
		.phase = (int)observation_num(o, EK_PHASE, -1) };
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
