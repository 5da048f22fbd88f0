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

/* Messages without a Message-ID are all different. */
static void
note(struct fate_case *k, const struct accepted_message *m)
{
	for (size_t i = 0; i < k->n_known && *m->msgid != '\0'; i++) {
		if (strcmp(k->known[i].msgid, m->msgid) == 0) {
			k->known[i].t = m->t < k->known[i].t ? m->t : k->known[i].t;
			return;
		}
	}
	k->known = xgrow(k->known, k->n_known, sizeof *k->known);
	k->known[k->n_known++] = (struct known){ m->t, m->msgid };
}

void
fate_case_init(struct fate_case *k, const struct correlation *c, const struct facts *f,
    struct taken *taken, size_t n)
{
	*k = (struct fate_case){ .f = f, .taken = taken, .n = n };
	for (size_t i = 0; i < c->n_messages; i++) {
		if (c->messages[i].test != f->test &&
		    correlation_names(c, &c->messages[i], f->test))
			note(k, &c->messages[i]);
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

static const struct known *
known(const struct fate_case *k, const char *msgid)
{
	for (size_t i = 0; *msgid != '\0' && i < k->n_known; i++) {
		if (strcmp(k->known[i].msgid, msgid) == 0)
			return &k->known[i];
	}
	return NULL;
}

static bool
taken(const struct fate_case *k, const char *msgid, int64_t from, int64_t to)
{
	for (size_t i = 0; *msgid != '\0' && i < k->n; i++) {
		if (k->taken[i].t > from && k->taken[i].t <= to &&
		    strcmp(k->taken[i].msgid, msgid) == 0)
			return true;
	}
	return false;
}

/* Was it there by then, and not yet taken? */
static bool
waits(const struct fate_case *k, const struct known *m, int64_t t)
{
	return m->t <= t + FATE_KNOWN_BY && !taken(k, m->msgid, 0, t);
}

bool
fate_may_be(const struct fate_case *k, int64_t t, const struct observation *o, const char *msgid)
{
	const char *own = shown(k, t, o);
	const struct known *m = known(k, msgid);

	return *own != '\0' ? strcmp(own, msgid) == 0 : m != NULL && waits(k, m, t);
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

enum fate
fate_of(const struct fate_case *k, int64_t t, const struct observation *o)
{
	const char *own = shown(k, t, o);
	size_t back = 0, missing = 0;
	bool stranger = false;

	if (*own != '\0')
		return taken(k, own, t, INT64_MAX) ? FATE_RETURNED : FATE_LOST;
	if (befell_nobody(k, t, o))
		return FATE_UNKNOWN;
	for (size_t i = 0; i < k->n_known; i++) {
		if (!waits(k, &k->known[i], t))
			continue;
		if (taken(k, k->known[i].msgid, t, INT64_MAX))
			back++;
		else
			missing++;
	}
	for (size_t i = 0; i < k->n; i++)
		stranger |= k->taken[i].t > t && known(k, k->taken[i].msgid) == NULL;
	if (back > 0 && missing == 0)
		return FATE_RETURNED;
	return back == 0 && !stranger ? FATE_LOST : FATE_UNKNOWN;
}
