/* again.c - see again.h. */
#include "results/again.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "results/fate.h"

static bool
is_control_of(const struct test *t, const struct test *other)
{
	bool control = false;

	for (unsigned k = 0; k < t->n_control; k++)
		control |= strcmp(other->name, t->control[k]) == 0;
	return control;
}

/* What tells a message or an attempt from others: its Message-ID, or its envelope sender. */
struct mark {
	const char *text;
	size_t len;
	size_t attempt;
};

static int
id_order(const void *pa, const void *pb)
{
	const struct mark *a = pa, *b = pb;
	int d = strcmp(a->text, b->text);

	return d != 0 ? d : a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

static int
address_order(const void *pa, const void *pb)
{
	const struct mark *a = pa, *b = pb;
	int d = strncasecmp(a->text, b->text, a->len < b->len ? a->len : b->len);

	if (d == 0 && a->len != b->len)
		d = a->len < b->len ? -1 : 1;
	return d != 0 ? d : a->attempt < b->attempt ? -1 : a->attempt > b->attempt;
}

static bool
same_address(const struct mark *a, const struct mark *b)
{
	return a->len == b->len && strncasecmp(a->text, b->text, a->len) == 0;
}

/* "FROM:<a@b> SIZE=5", "a@b" */
static struct mark
address_in(const char *text, size_t attempt)
{
	const char *open = strchr(text, '<');

	text = open == NULL ? text : open + 1;
	return (struct mark){ text, strcspn(text, "> "), attempt };
}

static void
sort(struct mark *m, size_t n, int (*order)(const void *, const void *))
{
	if (n > 0)
		qsort(m, n, sizeof *m, order);
}

/* --- messages that the controls accepted and whose To: names the test ------------------------------------ */

struct messages {
	size_t n;            /* by Message-ID */
	struct mark *sender; /* theirs, in order */
	size_t n_senders;
	bool known; /* one of these was refused: the sender is not another for each recipient */
};

static void
messages_read(struct messages *m, const struct correlation *c, const struct test *t)
{
	struct mark *id = xcalloc(c->n_messages + 1, sizeof *id);
	size_t n = 0;

	*m = (struct messages){ .sender = xcalloc(c->n_messages + 1, sizeof *m->sender) };
	for (size_t i = 0; i < c->n_messages; i++) {
		const struct accepted_message *a = &c->messages[i];
		if (!is_control_of(t, a->test) || !correlation_names(c, a, t))
			continue;
		id[n++].text = a->msgid;
		if (*a->from != '\0')
			m->sender[m->n_senders++] = address_in(a->from, 0);
	}
	sort(id, n, id_order);
	sort(m->sender, m->n_senders, address_order);
	for (size_t i = 0; i < n; i++)
		m->n += *id[i].text == '\0' || i == 0 || strcmp(id[i].text, id[i - 1].text) != 0;
	free(id);
}

static bool
is_of_them(const struct messages *m, struct mark sender)
{
	sender.attempt = 0;
	return m->n_senders > 0 &&
	       bsearch(&sender, m->sender, m->n_senders, sizeof sender, address_order) != NULL;
}

/* --- refusals -------------------------------------------------------------------------------------------- */

/* Refused before the content, by envelope sender, in order. */
static struct mark *
refusals(const struct facts *f, size_t *n)
{
	struct mark *r = xcalloc(f->n_attempts + 1, sizeof *r);

	*n = 0;
	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!a->accepted && a->reply >= 500 && *a->msgid == '\0')
			r[(*n)++] = address_in(a->from, i);
	}
	sort(r, *n, address_order);
	return r;
}

/* all: refusals of the sender up to this one; apart: where those within a minute are one. */
static bool
is_too_many(const struct messages *m, size_t all, size_t apart, bool maybe)
{
	if (m->n == 0)
		return maybe && all > 1;
	return maybe ? all > m->n && apart <= m->n : apart > m->n;
}

static void
mark_refusals(bool *again, const struct evaluation *e, bool maybe)
{
	const struct facts *f = e->facts;
	unsigned pace = e->judge->pace;
	int64_t before = 0, span = 60 * CLOCK_SECOND / (pace == 0 ? 1 : pace);
	size_t n, all = 0, apart = 0;
	struct mark *r = refusals(f, &n);
	struct messages m;

	messages_read(&m, e->judge->c, f->test);
	for (size_t i = 0; i < n && !m.known; i++)
		m.known = is_of_them(&m, r[i]);
	for (size_t i = 0; i < n; i++) {
		const struct attempt *a = &f->attempts[r[i].attempt];
		if (i == 0 || !same_address(&r[i], &r[i - 1])) {
			all = apart = 0;
			before = INT64_MIN / 2;
		}
		all++;
		apart += a->t - before > span;
		before = a->t;
		if (!fate_is_probe(a) && (!m.known || *a->from == '\0' || is_of_them(&m, r[i])))
			again[r[i].attempt] = is_too_many(&m, all, apart, maybe);
	}
	free(m.sender);
	free(r);
}

/* A message that was refused after its content came once more. */
static void
mark_same(bool *again, const struct facts *f)
{
	struct mark *id = xcalloc(f->n_attempts + 1, sizeof *id);
	size_t n = 0;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!a->accepted && a->reply >= 500 && *a->msgid != '\0')
			id[n++] = (struct mark){ a->msgid, 0, i };
	}
	sort(id, n, id_order);
	for (size_t i = 1; i < n; i++)
		again[id[i].attempt] = strcmp(id[i].text, id[i - 1].text) == 0;
	free(id);
}

bool *
again_find(const struct evaluation *e, bool maybe)
{
	bool *again = xcalloc(e->facts->n_attempts + 1, sizeof *again);

	mark_refusals(again, e, maybe);
	if (!maybe)
		mark_same(again, e->facts);
	return again;
}
