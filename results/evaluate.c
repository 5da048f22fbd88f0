/* evaluate.c - does a predicate hold: its moments near and after others, and what is known of other tests. */
#include "results/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "results/fate.h"
#include "results/joint.h"
#include "results/moments.h"
#include "results/window.h"

/* --- after and within ---------------------------------------------------------------------------- */

static int
moment_order(const void *pa, const void *pb)
{
	const struct moment *a = pa, *b = pb;

	return a->t < b->t ? -1 : a->t > b->t;
}

static void moments_find(struct moments *, const struct evaluation *, const struct predicate *);
static bool holds_moments(const struct predicate *, const struct evaluation *, struct verdict *);

static void
keep_after(struct moments *m)
{
	struct moments first;
	size_t kept = 0;

	moments_find(&first, m->e, m->p->after);
	for (size_t i = 0; first.n > 0 && i < m->n; i++) {
		if (m->item[i].t >= first.item[0].t)
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	free(first.item);
}

/* "within D before P": the moment lies at most D before one of P's. */
static void
keep_within(struct moments *m)
{
	const struct predicate *p = m->p;
	struct moments of;
	size_t kept = 0;

	moments_find(&of, m->e, p->within_of);
	for (size_t i = 0; i < m->n; i++) {
		int64_t t = m->item[i].t;
		if (window_has(of.item, of.n, sizeof *of.item,
			p->within_side == WITHIN_BEFORE ? t : t - p->within_us,
			p->within_side == WITHIN_AFTER ? t : t + p->within_us))
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	free(of.item);
}

/* Acceptances, among them the moments that they decide about. */
static void
fate_begin(struct fate_case *k, const struct moments *m)
{
	struct taken *t = xcalloc(m->n + 1, sizeof *t);

	for (size_t i = 0; i < m->n; i++)
		t[i] = (struct taken){ m->item[i].t,
			m->item[i].o == NULL ? "" : text_of(m->item[i].o, EK_MSGID) };
	fate_case_init(k, m->e->judge->c, m->e->facts, t, m->n);
}

/* "returned P": acceptances of messages that were put off at a moment of P. */
static void
keep_returned(struct moments *m)
{
	struct moments off;
	struct fate_case k;
	struct fated *was;
	size_t kept = 0, n = 0;

	moments_find(&off, m->e, m->p->returned);
	fate_begin(&k, m);
	was = xcalloc(off.n + 1, sizeof *was);
	for (size_t j = 0; m->n > 0 && j < off.n; j++) {
		was[n] = fate_of(&k, off.item[j].t, off.item[j].o);
		n += was[n].fate == FATE_RETURNED;
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct known *known = fate_known(&k, k.taken[i].msgid);
		bool back = false;
		for (size_t j = 0; !back && j < n && was[j].t < m->item[i].t; j++)
			back = fate_may_be(&was[j], k.taken[i].msgid, known);
		if (back)
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	free(was);
	fate_case_clear(&k);
	free(off.item);
}

static void
keep_lost(struct moments *m)
{
	struct fate_case k = fate_of_all(m->e->judge->c, m->e->facts);
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (fate_of(&k, m->item[i].t, m->item[i].o).fate == FATE_LOST)
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	fate_case_clear(&k);
}

static void
moments_find(struct moments *m, const struct evaluation *e, const struct predicate *p)
{
	*m = (struct moments){ .e = e, .p = p };
	moments_select(m);
	if (m->n > 0)
		qsort(m->item, m->n, sizeof *m->item, moment_order);
	if (p->after != NULL)
		keep_after(m);
	if (p->within_of != NULL)
		keep_within(m);
	if (p->returned != NULL)
		keep_returned(m);
	if (p->lost)
		keep_lost(m);
}

bool
evaluate_returns(const struct judge *j, const struct facts *f)
{
	struct evaluation e = { .judge = j, .facts = f };
	bool open = false;

	for (size_t i = 0; i < f->test->n_verdicts; i++) {
		const struct verdict_rule *r = &f->test->verdicts[i];
		for (size_t k = 0; k < r->n; k++) {
			if (r->all[k].returned == NULL)
				continue;
			if (holds_moments(&r->all[k], &e, NULL))
				return false;
			open |= holds_moments(r->all[k].returned, &e, NULL);
		}
	}
	return open;
}

static void
testify(struct verdict *v, const struct observation *o)
{
	if (o != NULL && v->n_evidence < VERDICT_EVIDENCE_MAX && !verdict_rests_on(v, o))
		v->evidence[v->n_evidence++] = o;
}

static bool
holds_moments(const struct predicate *p, const struct evaluation *e, struct verdict *v)
{
	struct moments m;

	moments_find(&m, e, p);
	for (size_t i = 0; v != NULL && i < m.n; i++)
		testify(v, m.item[i].o);
	free(m.item);
	return m.n >= p->count_min && m.n <= p->count_max;
}

/* --- what is known of other tests ------------------------------------------------------------- */

static bool
test_accepted(const struct judge *j, const char *name)
{
	const struct judge_given *g = j->given;
	const struct test *t;

	for (unsigned i = 0; g != NULL && i < g->n_controls; i++) {
		if (g->control[i].name == NULL || strcasecmp(g->control[i].name, name) == 0)
			return g->control[i].accepted;
	}
	t = g != NULL ? NULL : catalogue_find(j->c->catalogue, name, strlen(name));
	return t != NULL && correlation_facts(j->c, t)->accepted > 0;
}

static void
miss(char *missing, size_t len, const char *name)
{
	size_t at = strlen(missing);

	if (at < len)
		snprintf(missing + at, len - at, "%s%s", at == 0 ? "" : ", ", name);
}

static void
need_trait(const struct judge *j, const struct test *t, const char *name, char *missing, size_t len)
{
	enum outcome when = OUTCOME_ACCEPTED;
	const struct test *trait = catalogue_trait(j->c->catalogue, name, &when);

	if (j->given == NULL && trait != NULL && trait != t && judge_outcome(j, trait) != when)
		miss(missing, len, trait->name);
}

bool
evaluate_controls(const struct judge *j, const struct test *t, char *missing, size_t len)
{
	bool v6 = t->v6_only || (j->reachable4 != NULL && !j->reachable4(j->ctx, t));
	bool v6_dns = j->asked4 != NULL && !j->asked4(j->ctx, t);

	*missing = '\0';
	for (unsigned i = 0; i < t->n_control; i++) {
		if (!test_accepted(j, t->control[i]))
			miss(missing, len, t->control[i]);
	}
	/* A sender without IPv6 must never be called strict. */
	if (v6)
		need_trait(j, t, "ipv6", missing, len);
	if (v6_dns)
		need_trait(j, t, "ipv6-dns", missing, len);
	return *missing == '\0';
}

static bool
holds_control_any(const struct predicate *p, const struct evaluation *e)
{
	for (unsigned i = 0; i < p->n_names; i++) {
		if (test_accepted(e->judge, p->name[i]))
			return true;
	}
	return false;
}

/* Did it take a message that it had put off? */
static bool
has_returned(const struct correlation *c, const struct facts *f)
{
	struct fate_case k = fate_of_all(c, f);
	bool returned = false;

	for (size_t i = 0; i < f->n_attempts && !returned; i++) {
		const struct attempt *a = &f->attempts[i];
		returned = !a->accepted && a->reply / 100 == 4 &&
			   fate_of(&k, a->reply_t, a->decides).fate == FATE_RETURNED;
	}
	fate_case_clear(&k);
	return returned;
}

static bool
holds_control_returned(const struct evaluation *e)
{
	const struct judge *j = e->judge;
	const struct test *t = e->facts->test;

	for (unsigned i = 0; j->given != NULL && i < j->given->n_controls; i++) {
		if (j->given->control[i].returned)
			return true;
	}
	for (unsigned i = 0; j->given == NULL && i < t->n_control; i++) {
		const struct test *control = catalogue_find(
		    j->c->catalogue, t->control[i], strlen(t->control[i]));
		if (control != NULL && has_returned(j->c, correlation_facts(j->c, control)))
			return true;
	}
	return false;
}

static const struct facts *
control_facts(const struct evaluation *e, unsigned i)
{
	const char *name = e->facts->test->control[i];
	const struct test *control = catalogue_find(e->judge->c->catalogue, name, strlen(name));

	return control == NULL ? NULL : correlation_facts(e->judge->c, control);
}

static bool
waits_in_vain(const struct attempt *a, const struct evaluation *e)
{
	return a->verified->state == VERIFIED_OPEN &&
	       a->message->t + JUDGE_VERIFYING <= e->judge->now;
}

/* Was other mail judged so? */
static bool
holds_control_auth(const struct predicate *p, const struct evaluation *e)
{
	const struct judge_given *g = e->judge->given;
	const char *word = p->n_names > 1 ? p->name[1] : NULL;

	for (unsigned i = 0; g != NULL && i < g->n_control_auths; i++) {
		const char *said = g->control_auth[i].word;
		if (strcasecmp(g->control_auth[i].method, p->name[0]) == 0 &&
		    (word == NULL ? said == NULL : said != NULL && strcasecmp(said, word) == 0))
			return true;
	}
	for (unsigned i = 0; g == NULL && i < e->facts->test->n_control; i++) {
		const struct facts *f = control_facts(e, i);
		for (size_t k = 0; f != NULL && k < f->n_attempts; k++)
			if (!joint_is_canary(&f->attempts[k]) &&
			    attempt_auth_is(&f->attempts[k], p) &&
			    !waits_in_vain(&f->attempts[k], e))
				return true;
	}
	return false;
}

static bool
holds_contrast(const struct predicate *p, const struct evaluation *e)
{
	const struct test *t = e->facts->test;
	unsigned n[OUTCOME_MAX] = { 0 };
	enum outcome is = OUTCOME_UNKNOWN;

	if (e->judge->given != NULL)
		return e->judge->given->contrast == p->outcome;
	for (unsigned i = 0; i < t->n_contrast; i++) {
		const struct test *other = catalogue_find(
		    e->judge->c->catalogue, t->contrast[i], strlen(t->contrast[i]));
		n[other == NULL ? OUTCOME_UNKNOWN : judge_outcome(e->judge, other)]++;
	}
	if (n[OUTCOME_ACCEPTED] > 0)
		is = OUTCOME_ACCEPTED;
	else if (t->n_contrast > 0 && n[OUTCOME_REFUSED] == t->n_contrast)
		is = OUTCOME_REFUSED;
	else if (n[OUTCOME_OPEN] > 0)
		is = OUTCOME_OPEN;
	return is == p->outcome;
}

enum trait_answer
evaluate_trait(const struct judge *j, const char *name)
{
	const struct judge_given *g = j->given;
	enum outcome when = OUTCOME_ACCEPTED, is;
	const struct test *t;

	if (g != NULL) {
		for (unsigned i = 0; i < g->n_traits; i++) {
			if (strcasecmp(g->trait[i].name, name) == 0)
				return g->trait[i].answer;
		}
		return g->settled ? TRAIT_UNKNOWN : TRAIT_OPEN;
	}
	if ((t = catalogue_trait(j->c->catalogue, name, &when)) == NULL)
		return TRAIT_UNKNOWN;
	is = judge_outcome(j, t);
	return is == when              ? TRAIT_YES
	       : is == OUTCOME_OPEN    ? TRAIT_OPEN
	       : is == OUTCOME_UNKNOWN ? TRAIT_UNKNOWN
				       : TRAIT_NO;
}

bool
evaluate(const struct predicate *p, const struct evaluation *e, struct verdict *v)
{
	bool holds;

	switch (p->kind) {
	case P_CONTROL_ACCEPTED:
		holds = e->control;
		break;
	case P_CONTROL_RETURNED:
		holds = holds_control_returned(e);
		break;
	case P_CONTROL_ANY:
		holds = holds_control_any(p, e);
		break;
	case P_CONTROL_AUTH:
		holds = holds_control_auth(p, e);
		break;
	case P_CONTRAST:
		holds = holds_contrast(p, e);
		break;
	case P_TRAIT:
		holds = evaluate_trait(e->judge, p->name[0]) == p->answer;
		break;
	case P_SETTLED:
		holds = e->settled;
		break;
	case P_OTHERWISE:
		holds = true;
		break;
	default:
		holds = holds_moments(p, e, p->negated ? NULL : v);
		break;
	}
	return holds != p->negated;
}
