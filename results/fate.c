/* fate.c - see fate.h. */
#include "results/fate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/strbuf.h"

#define FATE_KNOWN_BY (600 * CLOCK_SECOND)

/* The Message-ID of the transaction that the event belongs to; "" if its content never came. */
static const char *
shown(const struct fate_case *k, int64_t t, const struct observation *o)
{
	const char *conn = o == NULL ? "" : text_of(o, EK_CONN);

	for (size_t i = 0; *conn != '\0' && i < k->f->n_attempts; i++) {
		const struct attempt *a = &k->f->attempts[i];
		if (a->t <= t && t <= a->end && strcmp(a->conn, conn) == 0 && *a->msgid != '\0')
			return a->msgid;
	}
	return "";
}

static int
known_order(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;
	int d = strcmp(a->msgid, b->msgid);

	return d != 0 ? d : a->t < b->t ? -1 : a->t > b->t;
}

/* In order, the first of each.  Messages without a Message-ID are all different. */
static void
sort_known(struct fate_case *k)
{
	size_t kept = 0;

	if (k->n_known > 0)
		qsort(k->known, k->n_known, sizeof *k->known, known_order);
	for (size_t i = 0; i < k->n_known; i++)
		if (kept == 0 || *k->known[i].msgid == '\0' ||
		    strcmp(k->known[kept - 1].msgid, k->known[i].msgid) != 0)
			k->known[kept++] = k->known[i];
	k->n_known = kept;
}

static struct known *
find_known(const struct fate_case *k, const char *msgid)
{
	size_t lo = 0, hi = k->n_known;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (strcmp(k->known[mid].msgid, msgid) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return *msgid != '\0' && lo < k->n_known && strcmp(k->known[lo].msgid, msgid) == 0
		   ? &k->known[lo]
		   : NULL;
}

const struct known *
fate_known(const struct fate_case *k, const char *msgid)
{
	return find_known(k, msgid);
}

void
fate_case_init(struct fate_case *k, const struct correlation *c, const struct facts *f,
    struct taken *taken, size_t n)
{
	*k = (struct fate_case){ .f = f, .taken = taken, .n = n };
	for (size_t i = 0; i < c->n_messages; i++) {
		const struct accepted_message *a = &c->messages[i];
		if (a->test == f->test || !correlation_names(c, a, f->test))
			continue;
		k->known = xgrow(k->known, k->n_known, sizeof *k->known);
		k->known[k->n_known++] = (struct known){ .msgid = a->msgid, .t = a->t };
	}
	sort_known(k);
	for (size_t i = 0; i < n; i++) {
		struct known *m = find_known(k, taken[i].msgid);
		if (m == NULL)
			k->unknown = taken[i].t > k->unknown ? taken[i].t : k->unknown;
		else if (m->taken == 0 || taken[i].t < m->taken)
			m->taken = taken[i].t;
	}
}

struct fate_case
fate_of_all(const struct correlation *c, const struct facts *f)
{
	struct taken *t = xcalloc(f->n_attempts + 1, sizeof *t);
	struct fate_case k;
	size_t n = 0;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (a->accepted)
			t[n++] = (struct taken){ a->decides->t, a->msgid };
	}
	fate_case_init(&k, c, f, t, n);
	return k;
}

void
fate_case_clear(struct fate_case *k)
{
	free(k->taken);
	free(k->known);
}

/* Was one with this Message-ID taken after t? */
static bool
is_taken(const struct fate_case *k, const char *msgid, int64_t t)
{
	for (size_t i = 0; i < k->n; i++)
		if (k->taken[i].t > t && strcmp(k->taken[i].msgid, msgid) == 0)
			return true;
	return false;
}

/* Was it there by then, and not yet taken? */
static bool
waits(const struct known *m, int64_t t)
{
	return m->t <= t + FATE_KNOWN_BY && (m->taken == 0 || m->taken > t);
}

bool
fate_may_be(const struct fated *was, const char *msgid, const struct known *m)
{
	return *was->msgid != '\0' ? strcmp(was->msgid, msgid) == 0 : m != NULL && waits(m, was->t);
}

bool
fate_is_probe(const struct attempt *a)
{
	const char *from = strchr(a->from, '<');

	return from != NULL && *a->msgid == '\0' && !a->accepted &&
	       (from[1] == '>' || strncasecmp(from, "<double-bounce@", 15) == 0);
}

/* Was it a probe that the event belongs to? */
static bool
befell_nobody(const struct fate_case *k, int64_t t, const struct observation *o)
{
	const char *conn = o == NULL ? "" : text_of(o, EK_CONN);

	for (size_t i = 0; *conn != '\0' && i < k->f->n_attempts; i++) {
		const struct attempt *a = &k->f->attempts[i];
		if (a->t <= t && t <= a->end && strcmp(a->conn, conn) == 0 && fate_is_probe(a))
			return true;
	}
	return false;
}

/* Of one of those that wait at t. */
static enum fate
fate_of_some(const struct fate_case *k, int64_t t)
{
	size_t back = 0, missing = 0;

	for (size_t i = 0; i < k->n_known; i++) {
		if (!waits(&k->known[i], t))
			continue;
		if (k->known[i].taken != 0)
			back++;
		else
			missing++;
	}
	if (back > 0 && missing == 0)
		return FATE_RETURNED;
	return back == 0 && k->unknown <= t ? FATE_LOST : FATE_UNKNOWN;
}

struct fated
fate_of(const struct fate_case *k, int64_t t, const struct observation *o)
{
	struct fated was = { .t = t, .msgid = shown(k, t, o), .fate = FATE_UNKNOWN };

	if (*was.msgid != '\0')
		was.fate = is_taken(k, was.msgid, t) ? FATE_RETURNED : FATE_LOST;
	else if (!befell_nobody(k, t, o))
		was.fate = fate_of_some(k, t);
	return was;
}
