/* messages.c - which messages a participant sends: enrol_messages of enrol.h.
 *
 * Mail that mostly fails looks like spam to the participant's own filters, and some panels stop an
 * account after many failures: so a message has few recipients, at most a third of them expected to
 * fail, and it carries the controls and contrasts of its tests along.  Tests whose domain may be
 * refused already at submission (batch b) stand in messages of their own, with their controls: a refusal
 * there makes a mail program drop the whole message.  Batch o: each test alone with its controls; its
 * contrasts are sent by themselves, because the text or the address of such a message may change
 * what happens to every copy (TLS-Required: No). */
#include "provisioning/enrol.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "provisioning/front.h"
#include "provisioning/render.h"

#define RECIPIENTS_MAX 25
#define FAIL_SHARE     3

/* A file that names no mailbox means this one. */
#define MAILBOX_DEFAULT "probe"

static size_t
recipients(const struct test *t)
{
	return t->n_mailbox > 0 ? t->n_mailbox : 1;
}

struct draft {
	const struct test *tests[RECIPIENTS_MAX];
	size_t n, n_rcpt, n_fail;
	char batch;
};

struct plan {
	const struct site *site;
	/* Tests that this site can show over IPv6 only are judged by these as well; NULL: there are none. */
	const struct test *ipv6, *ipv6_dns;
	const struct enrolment *enrolment;
	struct enrol_message *messages;
	size_t n;
};

static bool
is_wanted(const struct plan *p, const struct test *t)
{
	if (t->n_graded_on > 0 || t->unmailed)
		return false; /* nothing is mailed to it */
	return catalogue_in_set(t, p->enrolment->set) || t == p->ipv6 || t == p->ipv6_dns;
}

/* Whether a sender has IPv6 must be known before it is called strict (judge.h). */
static void
want_ipv6(struct plan *p)
{
	const struct catalogue *c = p->site->catalogue;
	enum outcome when;

	for (size_t i = 0; i < c->n && p->site->has_ipv6; i++) {
		const struct test *t = c->tests[i];

		if (!catalogue_in_set(t, p->enrolment->set))
			continue;
		if (t->v6_only || !front_reachable4(p->site, t))
			p->ipv6 = catalogue_trait(c, "ipv6", &when);
		if (t->zone[0].own_address && site_ns4(p->site, t, 0) == NULL)
			p->ipv6_dns = catalogue_trait(c, "ipv6-dns", &when);
	}
}

static bool
says_delivered(const struct verdict_rule *r)
{
	for (size_t i = 0; i < r->n; i++)
		if ((r->all[i].kind == P_ACCEPTED || r->all[i].kind == P_MESSAGE) &&
		    !r->all[i].negated)
			return true;
	return false;
}

/* A test that a sender which does right by it never delivers to: no conforming rule speaks of a
 * delivery; without conforming rules, no rule does. */
static bool
expected_to_fail(const struct test *t)
{
	bool conforms = false, delivered = false;

	for (size_t i = 0; i < t->n_verdicts; i++) {
		if (t->verdicts[i].grade == GRADE_CONFORMS) {
			if (says_delivered(&t->verdicts[i]))
				return false;
			conforms = true;
		}
		delivered |= says_delivered(&t->verdicts[i]);
	}
	return conforms || !delivered;
}

#define SLOW     (5 * CLOCK_SECOND)
#define TYPE_TXT 16

/* Senders that keep the recipients of a message together retry none before the last is through: tests
 * that make them wait for minutes have messages of their own. */
static bool
is_slow(const struct test *t)
{
	int64_t sum = 0;

	for (unsigned k = 0; k < t->n_hosts; k++)
		for (size_t i = 0; i < t->host[k].n_rules; i++) {
			const struct host_rule *r = &t->host[k].rules[i];

			if (r->action == DO_HOLD)
				return true;
			sum += r->action == DO_DELAY ? r->delay_us : 0;
		}
	for (size_t i = 0; i < t->n_records; i++)
		if (strstr(t->records[i].rdata, "-silent") != NULL)
			return true;
	for (size_t i = 0; i < t->n_answers; i++)
		/* Policies are asked for by daemons that wait a few seconds only. */
		if ((t->answers[i].action == ANSWER_DROP && t->answers[i].type != TYPE_TXT) ||
		    t->answers[i].action == ANSWER_DROP_EDNS ||
		    (t->answers[i].action == ANSWER_DELAY && t->answers[i].delay_us >= SLOW))
			return true;
	return sum >= SLOW || t->zone[0].ns == NS_LAME || t->zone[1].ns == NS_LAME;
}

static bool
fits_share(const struct draft *d)
{
	return d->n_fail * FAIL_SHARE <= d->n_rcpt;
}

static bool
contains(const struct draft *d, const struct test *t)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->tests[i] == t)
			return true;
	return false;
}

static bool
add(struct draft *d, const struct test *t)
{
	if (t == NULL || contains(d, t))
		return true;
	if (d->n_rcpt + recipients(t) > RECIPIENTS_MAX || d->n == RECIPIENTS_MAX)
		return false;
	d->tests[d->n++] = t;
	d->n_rcpt += recipients(t);
	d->n_fail += expected_to_fail(t) ? recipients(t) : 0;
	return true;
}

/* A test that others are judged by goes along, unless it needs a message of its own. */
static bool
add_relative(struct draft *d, const struct catalogue *c, const char *name)
{
	const struct test *t = catalogue_find(c, name, strlen(name));

	return t == NULL || (t->batch != 'a' && t->batch != d->batch) || t->batch == 'o' ||
	       add(d, t);
}

/* The test, what it is judged by, and what that is judged by.  false: no room, *d is as before. */
static bool
add_closure(struct draft *d, const struct test *t, const struct catalogue *c)
{
	struct draft before = *d;
	size_t next = d->n;

	if (!add(d, t))
		return false;
	for (; next < d->n; next++) {
		const struct test *u = d->tests[next];
		bool fits = true;

		for (unsigned i = 0; i < u->n_control && fits; i++)
			fits = add_relative(d, c, u->control[i]);
		for (unsigned i = 0; i < u->n_contrast && fits && d->batch != 'o'; i++)
			fits = add_relative(d, c, u->contrast[i]);
		if (!fits) {
			*d = before;
			return false;
		}
	}
	return true;
}

static bool
is_control(const struct catalogue *c, const struct test *t)
{
	for (size_t i = 0; i < c->n; i++)
		for (unsigned j = 0; j < c->tests[i]->n_control; j++)
			if (strcmp(c->tests[i]->control[j], t->name) == 0)
				return true;
	return false;
}

/* Adds an ordinary control that is delivered by everybody, rather one of the set. */
static bool
add_plain(struct draft *d, const struct plan *p)
{
	const struct catalogue *c = p->site->catalogue;

	for (unsigned any = 0; any < 2; any++)
		for (size_t i = 0; i < c->n; i++) {
			const struct test *t = c->tests[i];
			struct draft tried = *d;

			if (t->batch != 'a' || expected_to_fail(t) || is_slow(t) ||
			    !is_control(c, t) || contains(d, t) ||
			    (!any && !catalogue_in_set(t, p->enrolment->set)) ||
			    !add_closure(&tried, t, c) || tried.n_fail > d->n_fail)
				continue;
			*d = tried;
			return true;
		}
	return false;
}

/* Plain controls until at most a third is expected to fail, as far as there are any. */
static void
pad(struct draft *d, const struct plan *p)
{
	while (!fits_share(d) && add_plain(d, p))
		;
}

/* "LOCAL" is at the test's mail domain, "LOCAL@NAME" at another name of it. */
static char *
address(const struct plan *p, const struct test *t, const char *mailbox)
{
	char text[512], err[160];

	if (strchr(mailbox, '@') == NULL) {
		render_domain(text, sizeof(text), p->site, t, &p->enrolment->token);
		return xasprintf("%s@%s", mailbox, text);
	}
	if (render(text, sizeof(text), mailbox, p->site, t, 0, &p->enrolment->token, err,
		sizeof(err)) != RENDER_OK)
		log_fatal(EXIT_CANNOT, "%s: mailbox %s: %s", t->path, mailbox, err);
	text[strlen(text) - 1] = '\0'; /* names come out with their final dot */
	return xstrdup(text);
}

static void
finish(struct plan *p, struct draft *d)
{
	struct enrol_message *m;

	if (d->n == 0)
		return;
	p->messages = xrealloc(p->messages, (p->n + 1) * sizeof(*p->messages));
	m = &p->messages[p->n++];
	m->batch = d->batch;
	m->message = d->batch == 'o' ? d->tests[0]->message : NULL;
	m->n = 0;
	m->rcpt = xcalloc(d->n_rcpt, sizeof(*m->rcpt));
	for (size_t i = 0; i < d->n; i++) {
		const struct test *t = d->tests[i];

		if (t->n_mailbox == 0)
			m->rcpt[m->n++] = address(p, t, MAILBOX_DEFAULT);
		for (unsigned j = 0; j < t->n_mailbox; j++)
			m->rcpt[m->n++] = address(p, t, t->mailbox[j]);
	}
	*d = (struct draft){ .batch = d->batch };
}

/* Tests of one batch that are still to be placed. */
struct queue {
	const struct test **tests;
	size_t n, next;
};

static void
fill(struct queue *q, const struct plan *p, char batch, bool slow, bool failing)
{
	const struct catalogue *c = p->site->catalogue;

	q->tests = xcalloc(c->n + 1, sizeof(*q->tests));
	q->n = q->next = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->tests[i]->batch == batch && is_slow(c->tests[i]) == slow &&
		    is_wanted(p, c->tests[i]) && expected_to_fail(c->tests[i]) == failing)
			q->tests[q->n++] = c->tests[i];
}

/* The queue to take the next test from: the failing ones when there is room for one in the share.  NULL: the
 * message is full. */
static struct queue *
choose(struct draft *d, struct queue *good, struct queue *bad, const struct plan *p)
{
	while (bad->next < bad->n) {
		struct draft tried = *d;
		bool fits = add_closure(&tried, bad->tests[bad->next], p->site->catalogue);

		if (fits && fits_share(&tried))
			return bad;
		if (good->next < good->n)
			return good;
		if (d->n == 0)
			return bad;
		/* Only failing ones are left: plain controls make room for them, or a new message. */
		if (!fits || !add_plain(d, p))
			return NULL;
	}
	return good;
}

/* Adds the test with its relatives; false: it must begin another message. */
static bool
take(struct draft *d, const struct test *t, const struct plan *p)
{
	struct draft tried = *d;

	if (add_closure(&tried, t, p->site->catalogue)) {
		if (d->batch != 'o')
			pad(&tried, p);
		if (d->n > 0 && !fits_share(&tried))
			return false;
		*d = tried;
		return true;
	}
	/* More relatives than a message holds: the test goes without them. */
	return d->n == 0 && add(d, t);
}

static void
place(struct plan *p, char batch, bool slow)
{
	struct queue good, bad, *q;
	struct draft d = { .batch = batch };

	fill(&good, p, batch, slow, false);
	fill(&bad, p, batch, slow, true);
	while (good.next < good.n || bad.next < bad.n) {
		q = batch == 'o' && d.n > 0 ? NULL : choose(&d, &good, &bad, p);
		if (q != NULL && take(&d, q->tests[q->next], p))
			q->next++;
		else
			finish(p, &d);
	}
	finish(p, &d);
	free(good.tests);
	free(bad.tests);
}

int
enrol_messages(
    struct enrol_message **dst, size_t *n, const struct site *site, const struct enrolment *e)
{
	struct plan p = { .site = site, .enrolment = e };

	if (!catalogue_set_exists(site->catalogue, e->set))
		return -1;
	want_ipv6(&p);
	for (const char *batch = "abo"; *batch != '\0'; batch++) {
		place(&p, *batch, false);
		place(&p, *batch, true);
	}
	*dst = p.messages;
	*n = p.n;
	return 0;
}

void
enrol_messages_free(struct enrol_message *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < m[i].n; j++)
			free(m[i].rcpt[j]);
		free(m[i].rcpt);
	}
	free(m);
}

void
enrol_messages_json(struct strbuf *b, const struct enrol_message *m, size_t n)
{
	json_begin(b, "messages", '[');
	for (size_t i = 0; i < n; i++) {
		const char batch[2] = { m[i].batch, '\0' };

		json_begin(b, NULL, '{');
		json_put(b, "batch", batch);
		json_put_some(b, "message", m[i].message);
		json_put_list(b, "recipients", m[i].rcpt, m[i].n);
		json_end(b, '}');
	}
	json_end(b, ']');
}
