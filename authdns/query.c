#include "authdns/query.h"

#include <string.h>

#include "authdns/cookie.h"
#include "authdns/observe.h"

/* A query on its way through the steps. */
struct job {
	struct engine *g;
	const struct query_in *in;
	struct query_out *out;
	struct dns_query query;
	struct place place;
	struct answer answer;
	struct deviation deviation;
	struct circumstances now;
	uint8_t cookie[COOKIE_WHOLE];
	bool located, with_cookie, client_known;
	bool empty_tc, no_opt;
	unsigned rcode; /* of an answer without records */
	const char *what;
};

enum step_result {
	STEP_NEXT,
	STEP_EMPTY, /* answer with job.rcode and no records */
	STEP_SEND,  /* the packet is in the buffer */
	STEP_DROP,  /* a deviation: no answer, but an event */
	STEP_IGNORE /* no query: neither */
};

static enum step_result
empty(struct job *j, unsigned rcode, const char *what)
{
	j->rcode = rcode;
	j->what = what;
	return STEP_EMPTY;
}

static enum step_result
step_parse(struct job *j)
{
	size_t len = j->in->len < QUERY_WIRE_MAX ? j->in->len : QUERY_WIRE_MAX;
	const char *what;
	enum wire_result r = wire_query(&j->query, j->in->wire, len, &what);

	if (r == WIRE_IGNORE)
		return STEP_IGNORE;
	if (j->in->len > QUERY_WIRE_MAX)
		return empty(j, RCODE_FORMERR, "too-long");
	switch (r) {
	case WIRE_NOTIMP:
		return empty(j, RCODE_NOTIMP, what);
	case WIRE_BADVERS:
		return empty(j, RCODE_BADVERS, what);
	case WIRE_FORMERR:
		return empty(j, RCODE_FORMERR, what);
	default:
		return STEP_NEXT;
	}
}

static enum step_result
step_edns(struct job *j)
{
	const struct dns_query *q = &j->query;
	int64_t now_s = j->in->now_us / 1000000;

	if (q->cookie == NULL)
		return STEP_NEXT;
	if (!cookie_well_formed(q->cookie_len))
		return empty(j, RCODE_FORMERR, "cookie-length");
	j->client_known = cookie_valid(
	    q->cookie, q->cookie_len, j->in->peer, now_s, j->g->cookie_key);
	cookie_make(j->cookie, q->cookie, j->in->peer, now_s, j->g->cookie_key);
	j->with_cookie = true;
	return STEP_NEXT;
}

static enum step_result
step_locate(struct job *j)
{
	locate(&j->place, j->g->zones, &j->query, j->in->wire + DNS_HEADER, j->in->view);
	j->located = true;
	return STEP_NEXT;
}

/* TCP and cookies prove the address, so they are not limited. */
static enum step_result
step_limit(struct job *j)
{
	if (j->in->tcp || j->client_known ||
	    !limit_over(&j->g->limits->answers, j->in->peer, j->in->now_us / 1000000))
		return STEP_NEXT;
	j->empty_tc = true;
	return empty(j, RCODE_NOERROR, "rate");
}

/* Not what BASE says of the test: that is everybody's. */
static enum step_result
step_released(struct job *j)
{
	struct place *p = &j->place;

	if (p->zone != NULL && p->zone == p->about && p->zone->released != NULL &&
	    released_has(j->g->released, p->token.id))
		place_released(p);
	return STEP_NEXT;
}

/* Only what the test's own server is asked counts: a referral tells nobody anything. */
static enum step_result
step_phase(struct job *j)
{
	struct place *p = &j->place;
	const struct phase_seen seen = { PHASE_DNS, j->query.qtype, p->at };

	if (p->phase != 0 && p->zone == p->about && p->token.id != 0)
		place_in_phase(p,
		    phase_note(&j->g->memory, p->about->test, p->token.id, &seen, j->in->now_us));
	return STEP_NEXT;
}

static enum step_result
step_answer(struct job *j)
{
	answer_choose(&j->answer, &j->place, &j->query);
	return STEP_NEXT;
}

static enum step_result
step_deviate(struct job *j)
{
	struct deviation *d = &j->deviation;

	deviate(d, &j->place, &j->query, &j->now);
	if (d->drop)
		return STEP_DROP;
	j->out->delay_us = d->delay_us;
	if (d->no_edns)
		j->no_opt = true;
	if (d->rcode >= 0) {
		/* a name error is told with the SOA, or nobody would remember it; never with proof */
		if (d->rcode == RCODE_NXDOMAIN && j->answer.authoritative &&
		    !j->place.zone->is_signed) {
			j->answer.n = 0;
			j->answer.rcode = RCODE_NXDOMAIN;
			answer_soa(&j->answer, &j->place, &j->query);
			return STEP_NEXT;
		}
		return empty(j, (unsigned)d->rcode, NULL);
	}
	if (d->tc) {
		j->empty_tc = true;
		return empty(j, j->answer.rcode, NULL);
	}
	return STEP_NEXT;
}

/* Every name that a stranger makes up costs a signature: so many a second and no more. */
static enum step_result
step_budget(struct job *j)
{
	const struct answer *a = &j->answer;

	if (!j->place.invalid || !j->query.dnssec_ok || a->n == 0 ||
	    a->item[a->n - 1].set != NULL || a->item[a->n - 1].node != NULL ||
	    budget_take(&j->g->limits->invalid, j->in->now_us / 1000000))
		return STEP_NEXT;
	j->empty_tc = !j->in->tcp;
	return empty(j, j->in->tcp ? RCODE_SERVFAIL : RCODE_NOERROR, "budget");
}

static size_t
size_limit(const struct job *j)
{
	size_t most = j->in->tcp ? 65535 : DNS_UDP_PLAIN;

	if (!j->in->tcp && j->query.has_opt && j->query.edns_size > DNS_UDP_PLAIN)
		most = j->query.edns_size < DNS_UDP_MAX ? j->query.edns_size : DNS_UDP_MAX;
	return most < j->out->cap ? most : j->out->cap;
}

static struct packet_context
context(struct job *j)
{
	return (struct packet_context){ .msg = j->in->wire,
		.query = &j->query,
		.place = &j->place,
		.deviation = &j->deviation,
		.now = &j->now,
		.signer = j->g->signer,
		.name_key = j->g->name_key,
		.cookie = j->with_cookie ? j->cookie : NULL,
		.with_opt = j->query.has_opt && !j->no_opt };
}

static enum step_result
step_write(struct job *j)
{
	struct packet p = { .buf = j->out->buf, .limit = size_limit(j) };
	struct packet_context c = context(j);

	if (packet_write(&p, &j->answer, &c) < 0)
		return empty(j, RCODE_SERVFAIL, "sign");
	j->out->len = p.len;
	j->rcode = j->answer.rcode;
	j->empty_tc = p.truncated;
	return STEP_SEND;
}

static const struct query_step {
	const char *name;
	enum step_result (*run)(struct job *);
} steps[] = {
	{ "parse", step_parse }, /* RFC 1035 4.1, RFC 6891 */
	{ "edns", step_edns },   /* RFC 7873 */
	{ "locate", step_locate },
	{ "limit", step_limit },
	{ "released", step_released },
	{ "phase", step_phase },
	{ "answer", step_answer },
	{ "deviate", step_deviate }, /* after the answer is chosen */
	{ "budget", step_budget },
	{ "write", step_write },
};

/* The one exit: nothing is sent that this did not see. */
static void
finish(struct job *j, enum step_result r)
{
	struct observation o = { .in = j->in,
		.query = &j->query,
		.place = j->located ? &j->place : NULL,
		.what = j->what,
		.dev = j->deviation.text,
		.dropped = r == STEP_DROP };

	if (r == STEP_IGNORE)
		return;
	if (r == STEP_EMPTY) {
		struct packet p = { .buf = j->out->buf, .limit = j->out->cap };
		struct packet_context c = context(j);

		packet_empty(&p, j->rcode, j->located && j->answer.authoritative, j->empty_tc, &c);
		j->out->len = p.len;
	}
	if (j->located && j->place.invalid) {
		j->g->invalid++;
		return;
	}
	o.rcode = j->rcode;
	o.truncated = j->empty_tc;
	o.size = j->out->len;
	observe_query(j->g, &o);
}

void
query_run(struct engine *g, const struct query_in *in, struct query_out *out)
{
	enum step_result r = STEP_NEXT;
	struct job j;

	/* the large parts are filled by their steps */
	j.g = g;
	j.in = in;
	j.out = out;
	j.located = j.with_cookie = j.client_known = j.empty_tc = j.no_opt = false;
	j.rcode = RCODE_NOERROR;
	j.what = NULL;
	j.answer.authoritative = false;
	j.deviation.text[0] = '\0';
	j.deviation.pad = 0;
	j.now = (struct circumstances){ &g->memory, in->peer, in->now_us, in->tcp, in->may_delay };
	out->len = 0;
	out->delay_us = 0;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == STEP_NEXT; i++)
		r = steps[i].run(&j);
	finish(&j, r);
}

void
engine_init(struct engine *g, const struct zones *zones, struct signer *signer,
    struct memory *memory, struct limits *limits, const struct engine_log *log,
    const uint8_t random[16])
{
	memset(g, 0, sizeof(*g));
	g->zones = zones;
	g->signer = signer;
	phase_memory_init(&g->memory, zones->site, memory);
	g->limits = limits;
	g->log = *log;
	cookie_key(g->cookie_key, &zones->site->token_key);
	memcpy(g->name_key, random, 16);
}

void
engine_tick(struct engine *g, int64_t now_us)
{
	struct event_line *e = &g->line;

	if (g->invalid == 0 || now_us - g->invalid_told_us < 1000000)
		return;
	event_begin(e, EV_DNS_INVALID, g->log.origin(g->log.ctx), now_us);
	event_num(e, EK_COUNT, (int64_t)g->invalid);
	event_end(e);
	g->log.append(g->log.ctx, e->buf, e->len);
	g->invalid = 0;
	g->invalid_told_us = now_us;
}
