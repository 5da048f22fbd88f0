/* correlate.c - see correlate.h: the steps and their order. */
#include "results/correlate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "results/bounce.h"
#include "results/counted.h"
#include "results/joint.h"
#include "results/kin.h"
#include "results/knock.h"
#include "results/release.h"
#include "results/session.h"
#include "results/tlsrpt_match.h"

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
	if ((f = correlation_find(c, name, strlen(name))) == NULL) {
		c->unknown_test++;
		return;
	}
	facts_event(f, o);
	if (o->kind == EV_DNS_QUERY)
		facts_lookup(f, o);
	if (o->kind == EV_HTTP_REQUEST)
		facts_fetch(f, o);
	if (o->kind == EV_SMTP_DSN)
		bounce_read(c, f, o);
	if (o->kind == EV_TLSRPT_REPORT && f->n_reports < REPORTS_MAX) {
		f->reports = xgrow(f->reports, f->n_reports, sizeof *f->reports);
		f->reports[f->n_reports++] = tlsrpt_receive(o);
	}
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

static void
correlate_all(struct correlation *c, const struct observations *obs)
{
	const struct catalogue *cat = c->catalogue;

	for (size_t i = 0; i < obs->n; i++)
		note_event(c, obs->item[i]);
	sessions_read(c, obs);
	knocks_read(c, obs);
	for (size_t i = 0; i < cat->n; i++) {
		sum_up(c, &c->facts[i]);
		for (size_t k = 0; k < c->facts[i].n_reports; k++)
			tlsrpt_match(c->facts[i].reports[k], &c->facts[i], c->token);
	}
	counted_mark(c);
	senders_read(c);
	resolvers_read(c, obs);
}

/* What neither the release hides nor is dropped (NULL: none is).  The array is the caller's, to be freed. */
static struct observations
remaining(const struct correlation *c, const struct observations *obs, const bool *drop)
{
	struct observations rest = { .item = xcalloc(obs->n + 1, sizeof *rest.item) };

	for (size_t i = 0; i < obs->n; i++)
		if ((drop == NULL || !drop[i]) && !release_hides(c, obs->item[i]))
			rest.item[rest.n++] = obs->item[i];
	return rest;
}

void
correlate_own(struct correlation *c, const struct observations *obs, const bool *drop)
{
	struct observations rest = remaining(c, obs, drop);
	struct correlation **own = &c->own;

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
	struct observations obs;
	bool *drop[KIN_SENDERS_MAX];
	unsigned n;

	c->released = release_at(c->token, all, released);
	obs = remaining(c, all, NULL);
	correlate_all(c, &obs);
	n = kin_strangers(c, &obs, drop);
	for (unsigned i = 0; i < n; i++) {
		correlate_own(c, &obs, drop[i]);
		free(drop[i]);
	}
	joint_read(c);
	free(obs.item);
	return c;
}
