/* messages.c - which messages a participant sends: enrol_messages of enrol.h.
 *
 * Mail that mostly fails looks like spam to the participant's own filters, and some panels stop an
 * account after many failures: so a message has few recipients, at most a third of them expected to
 * fail, and it carries the controls and contrasts of its tests along.  Tests whose domain may be
 * refused already at submission (batch b) stand in messages of their own: a refusal there makes a mail
 * program drop the whole message.  Batch o: each test alone with its controls. */
#include "provisioning/enrol.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/strbuf.h"
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
	const struct enrolment *enrolment;
	struct enrol_message *messages;
	size_t n;
};

/* A test whose conforming outcome is never a delivery. */
static bool
expected_to_fail(const struct test *t)
{
	bool has_rule = false;

	for (size_t i = 0; i < t->n_verdicts; i++) {
		if (t->verdicts[i].grade != GRADE_CONFORMS)
			continue;
		has_rule = true;
		for (size_t j = 0; j < t->verdicts[i].n; j++)
			if (t->verdicts[i].all[j].kind == P_ACCEPTED &&
			    !t->verdicts[i].all[j].negated)
				return false;
	}
	return has_rule;
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
			fits = add(d, catalogue_find(c, u->control[i], strlen(u->control[i])));
		for (unsigned i = 0; i < u->n_contrast && fits; i++)
			fits = add(d, catalogue_find(c, u->contrast[i], strlen(u->contrast[i])));
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

/* Adds plain controls until at most a third is expected to fail, as far as there are any. */
static void
pad(struct draft *d, const struct plan *p)
{
	const struct catalogue *c = p->site->catalogue;

	for (size_t i = 0; i < c->n && d->n_fail * FAIL_SHARE > d->n_rcpt; i++) {
		const struct test *t = c->tests[i];

		if (t->batch == 'a' && catalogue_in_set(t, p->enrolment->set) &&
		    !expected_to_fail(t) && is_control(c, t))
			add_closure(d, t, c);
	}
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
	if (d->batch != 'o')
		pad(d, p);
	p->messages = xrealloc(p->messages, (p->n + 1) * sizeof(*p->messages));
	m = &p->messages[p->n++];
	m->batch = d->batch;
	m->n = 0;
	m->rcpt = xcalloc(d->n_rcpt, sizeof(*m->rcpt));
	for (size_t i = 0; i < d->n; i++) {
		const struct test *t = d->tests[i];

		if (t->n_mailbox == 0)
			m->rcpt[m->n++] = address(p, t, MAILBOX_DEFAULT);
		for (unsigned j = 0; j < t->n_mailbox; j++)
			m->rcpt[m->n++] = address(p, t, t->mailbox[j]);
	}
	memset(d, 0, sizeof(*d));
}

/* Tests of one batch that are still to be placed. */
struct queue {
	const struct test **tests;
	size_t n, next;
};

static void
fill(struct queue *q, const struct plan *p, char batch, bool failing)
{
	const struct catalogue *c = p->site->catalogue;

	q->tests = xcalloc(c->n + 1, sizeof(*q->tests));
	q->n = q->next = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->tests[i]->batch == batch &&
		    catalogue_in_set(c->tests[i], p->enrolment->set) &&
		    expected_to_fail(c->tests[i]) == failing)
			q->tests[q->n++] = c->tests[i];
}

/* Two good ones, then a failing one, so that both queues end about together. */
static void
place(struct plan *p, char batch)
{
	struct queue good, bad;
	struct draft d = { 0 };

	fill(&good, p, batch, false);
	fill(&bad, p, batch, true);
	while (good.next < good.n || bad.next < bad.n) {
		bool room_to_fail = (d.n_fail + 1) * FAIL_SHARE <= d.n_rcpt;
		struct queue *q = bad.next < bad.n && (room_to_fail || good.next == good.n) ? &bad
											    : &good;
		const struct test *t = q->tests[q->next];

		d.batch = batch;
		if (batch == 'o' && d.n > 0)
			finish(p, &d);
		d.batch = batch;
		if (contains(&d, t) || add_closure(&d, t, p->site->catalogue)) {
			q->next++;
			continue;
		}
		if (d.n == 0) /* more relatives than a message holds: the test goes alone */
			add(&d, t), q->next++;
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
	place(&p, 'a');
	place(&p, 'b');
	place(&p, 'o');
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
