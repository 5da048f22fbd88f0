/* evaluate.c - the words of verdict rules: a row for each, saying which moments it selects. */
#include "results/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "results/fate.h"
#include "results/offer.h"
#include "results/session.h"
#include "results/tlsrpt_match.h"

#define RCPT_LINE_MAX 998 /* RFC 5322 2.1.1 */

/* The moments that one predicate selects. */
struct moment {
	int64_t t;
	const struct observation *o; /* may be NULL */
};
struct moments {
	const struct evaluation *e;
	const struct predicate *p;
	struct moment *item;
	size_t n;
};
typedef void select_fn(struct moments *);

static void
found(struct moments *m, int64_t t, const struct observation *o)
{
	m->item = grow(m->item, m->n, sizeof *m->item);
	m->item[m->n++] = (struct moment){ t, o };
}

static bool
selects(const struct predicate *p, const struct attempt *a)
{
	bool box = p->mailbox < 0;

	for (unsigned i = 0; !box && i < a->n_rcpt; i++)
		box = a->rcpt[i].mailbox == p->mailbox &&
		      (p->kind != P_ACCEPTED || a->rcpt[i].reply / 100 == 2);
	return box && (p->host < 0 || p->host == a->host) &&
	       (p->phase < 0 || p->phase == a->phase) &&
	       (p->family == 0 || p->family == a->family) &&
	       (p->tls < 0 || (p->tls == 1) == a->tls) && (!p->sni || a->sni) &&
	       (!p->client_cert || a->client_cert);
}

/* Calls found for the attempts that match. */
static void
select_attempts(struct moments *m, bool (*match)(const struct predicate *, const struct attempt *))
{
	const struct facts *f = m->e->facts;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (selects(m->p, a) && match(m->p, a))
			found(m, a->accepted ? a->decides->t : a->t, a->decides);
	}
}

static bool
is_accepted(const struct predicate *p, const struct attempt *a)
{
	(void)p;
	return a->accepted;
}

static bool
is_any(const struct predicate *p, const struct attempt *a)
{
	(void)p;
	(void)a;
	return true;
}

static bool
is_given_up(const struct predicate *p, const struct attempt *a)
{
	return !a->accepted && a->stage == p->stage;
}

static bool
is_completed(const struct predicate *p, const struct attempt *a)
{
	return a->stage != STAGE_SYN && a->commands >= p->commands_min &&
	       a->commands <= p->commands_max;
}

/* The number behind SIZE= in what the host offers; 0: none. */
static int64_t
size_offered(const struct test *t, int host)
{
	const char *s = host >= 0 && host < TEST_HOSTS_MAX ? t->host[host].ehlo : NULL;

	s = s == NULL ? NULL : strstr(s, "SIZE=");
	return s == NULL ? 0 : strtoll(s + 5, NULL, 10);
}

/* Traits that the test's file decides. */
static bool
is_message_of(const struct facts *f, const struct predicate *p, const struct attempt *a)
{
	char marker[TEST_NAME_MAX + 16];
	int64_t size = size_offered(f->test, a->host);

	if (!a->accepted || a->message == NULL)
		return false;
	if (strcmp(p->name[0], "over-size") == 0)
		return size > 0 && observation_num(a->message, EK_SIZE, 0) > size;
	snprintf(marker, sizeof marker, "canary %s", f->test->message);
	return f->test->message != NULL && strstr(text_of(a->message, EK_SUBJECT), marker) != NULL;
}

static bool
is_message(const struct predicate *p, const struct attempt *a)
{
	static const struct {
		const char *trait;
		enum event_key key;
		int64_t over;
	} traits[] = {
		{ "8bit", EK_EIGHTBIT, 0 },
		{ "bare-lf", EK_BARE_LF, 0 },
		{ "bare-cr", EK_BARE_CR, 0 },
		{ "nul", EK_NUL, 0 },
		{ "long-line", EK_LONGEST, RCPT_LINE_MAX },
	};

	for (size_t i = 0; a->accepted && p->n_names > 0 && i < sizeof traits / sizeof traits[0];
	     i++) {
		if (strcmp(p->name[0], traits[i].trait) == 0)
			return observation_num(a->message, traits[i].key, 0) > traits[i].over;
	}
	return false;
}

/* An accepted message of whose author the word holds; the moment is that of the message. */
static void
select_auth(struct moments *m)
{
	static const enum verified_state states[] = { VERIFIED_JUDGED, VERIFIED_OPEN,
		VERIFIED_LOST }; /* in the order of auth_state() */
	const struct predicate *p = m->p;
	unsigned state = 0;

	while (auth_state(state) != NULL && strcmp(auth_state(state), p->name[0]) != 0)
		state++;
	for (size_t i = 0; i < m->e->facts->n_attempts; i++) {
		const struct attempt *a = &m->e->facts->attempts[i];
		if (!selects(p, a) || a->verified == NULL)
			continue;
		if (p->n_names == 1
			? a->verified->state == states[state]
			: verified_is(a->verified, auth_method_by_name(p->name[0]), p->name[1]))
			found(m, a->decides->t,
			    a->verified->event != NULL ? a->verified->event : a->decides);
	}
}

static void
select_accepted(struct moments *m)
{
	select_attempts(m, is_accepted);
}

static void
select_attempted(struct moments *m)
{
	select_attempts(m, is_any);
}

static void
select_given_up(struct moments *m)
{
	select_attempts(m, is_given_up);
}

static void
select_completed(struct moments *m)
{
	select_attempts(m, is_completed);
}

static void
select_messages(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const struct predicate *p = m->p;

	if (strcmp(p->name[0], "over-size") != 0 && strcmp(p->name[0], "canary") != 0) {
		select_attempts(m, is_message);
		return;
	}
	for (size_t i = 0; i < f->n_attempts; i++)
		if (selects(p, &f->attempts[i]) && is_message_of(f, p, &f->attempts[i]))
			found(m, f->attempts[i].decides->t, f->attempts[i].decides);
}

/* Is the parameter among the words of the argument? */
static bool
has_word(const char *arg, const char *word)
{
	size_t len = strlen(word);

	if (strcmp(word, "8bit") == 0) {
		for (; *arg != '\0'; arg++)
			if ((unsigned char)*arg > 127)
				return true;
		return false;
	}
	for (; *arg != '\0'; arg += strcspn(arg, " ")) {
		arg += strspn(arg, " ");
		if (strncasecmp(arg, word, len) == 0 && strchr(" =", arg[len]) != NULL)
			return true;
	}
	return false;
}

static void
select_said(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const struct predicate *p = m->p;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct observation *o = f->events[i];
		if (o->kind == EV_SMTP_COMMAND && observation_is(o, EK_VERB, p->name[0]) &&
		    (p->n_names < 2 || has_word(text_of(o, EK_ARG), p->name[1])) &&
		    (p->host < 0 || observation_num(o, EK_HOST, -1) == p->host) &&
		    (p->tls < 0 || observation_num(o, EK_TLS, 0) == p->tls) &&
		    (p->phase < 0 || observation_num(o, EK_PHASE, -1) == p->phase))
			found(m, o->t, o);
	}
}

static void
select_lookups(struct moments *m)
{
	const struct predicate *p = m->p;

	for (size_t i = 0; i < m->e->facts->n_lookups; i++) {
		const struct lookup *l = &m->e->facts->lookups[i];
		bool via = p->via == VIA_ANY || (p->via == VIA_UDP && !l->tcp) ||
			   (p->via == VIA_TCP && l->tcp) || (p->via == VIA_V4 && l->family == 4) ||
			   (p->via == VIA_V6 && l->family == 6);
		if (l->counts && via && (p->type == 0 || p->type == l->type) &&
		    (p->at == NULL || strcasecmp(p->at, l->at) == 0) &&
		    (p->rcode < 0 || p->rcode == l->rcode) &&
		    (p->phase < 0 || p->phase == l->phase) &&
		    (p->family == 0 || p->family == l->family))
			found(m, l->t, l->event);
	}
}

/* "reply 450" is met by an event that says "reply 450" or "reply 450 (twice)". */
static bool
is_dev(const struct predicate *p, const char *dev)
{
	size_t len = p->n_names == 0 ? 0 : strlen(p->name[0]);

	return len == 0 ||
	       (strncasecmp(dev, p->name[0], len) == 0 && (dev[len] == '\0' || dev[len] == ' '));
}

static void
select_met(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const struct predicate *p = m->p;
	size_t k = 0;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct observation *o = f->events[i];
		const char *dev = text_of(o, EK_DEV);
		if (o->kind == EV_DNS_QUERY) {
			while (k < f->n_lookups && f->lookups[k].event != o)
				k++;
			if (k < f->n_lookups && !f->lookups[k].counts)
				continue;
		}
		if (*dev != '\0' && is_dev(p, dev) &&
		    (p->phase < 0 || observation_num(o, EK_PHASE, -1) == p->phase) &&
		    (p->host < 0 || observation_num(o, EK_HOST, -1) == p->host))
			found(m, o->t, o);
	}
}

static void
select_early(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const struct predicate *p = m->p;

	for (size_t i = 0; i < f->n_events; i++) {
		const struct observation *o = f->events[i];
		if (o->kind == EV_SMTP_EARLY &&
		    (p->n_names == 0 || observation_is(o, EK_VERB, p->name[0])) &&
		    (p->phase < 0 || observation_num(o, EK_PHASE, -1) == p->phase))
			found(m, o->t, o);
	}
}

/* Did the answer to this lookup name host K?  What the test has there in the phase that was answered. */
static bool
names_host(const struct test *t, const struct lookup *l, int host)
{
	char v4[16], v6[16];
	bool phased = false;

	snprintf(v4, sizeof v4, "{ipv4:%d}", host);
	snprintf(v6, sizeof v6, "{ipv6:%d}", host);
	for (size_t i = 0; i < t->n_records; i++) {
		const struct dns_record *r = &t->records[i];
		phased |= r->type == l->type && strcasecmp(r->owner, l->at) == 0 && l->phase > 0 &&
			  r->phase == (unsigned)l->phase;
	}
	for (size_t i = 0; i < t->n_records; i++) {
		const struct dns_record *r = &t->records[i];
		if (r->type == l->type && strcasecmp(r->owner, l->at) == 0 &&
		    r->phase == (phased ? (unsigned)l->phase : 0) &&
		    (strstr(r->rdata, v4) != NULL || strstr(r->rdata, v6) != NULL))
			return true;
	}
	return false;
}

static void
select_stale(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const struct predicate *p = m->p;
	int64_t named = INT64_MIN / 2; /* when an answer last named the host */
	size_t k = 0;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		for (; k < f->n_lookups && f->lookups[k].t <= a->t; k++) {
			if (names_host(f->test, &f->lookups[k], p->host))
				named = f->lookups[k].t;
		}
		if (a->host == p->host && a->t - named > p->age_us)
			found(m, a->t, a->decides);
	}
}

/* Final answers beyond the number of messages that came: the sender tried again. */
static void
select_again(struct moments *m)
{
	const struct correlation *c = m->e->judge->c;
	const struct facts *f = m->e->facts;
	size_t messages = 0, finals = 0;

	for (size_t i = 0; i < c->n_messages; i++) {
		const struct accepted_message *a = &c->messages[i];
		bool control = false, twice = false;
		for (unsigned k = 0; k < f->test->n_control; k++)
			control |= strcmp(a->test->name, f->test->control[k]) == 0;
		for (size_t k = 0; k < i && *a->msgid != '\0'; k++)
			twice |= strcmp(c->messages[k].msgid, a->msgid) == 0;
		messages += control && !twice && evaluate_names(c, a, f->test);
	}
	if (messages == 0)
		messages = 1;
	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!a->accepted && a->reply >= 500 && selects(m->p, a) && ++finals > messages)
			found(m, a->t, a->decides);
	}
}

static void
select_sent(struct moments *m)
{
	const struct correlation *c = m->e->judge->c;
	const struct facts *f = m->e->facts;

	for (size_t i = 0; i < f->n_lookups; i++) {
		if (f->lookups[i].counts)
			found(m, f->lookups[i].t, f->lookups[i].event);
	}
	for (size_t i = 0; i < f->n_attempts; i++)
		found(m, f->attempts[i].t, f->attempts[i].decides);
	for (size_t i = 0; i < c->n_messages; i++) {
		if (evaluate_names(c, &c->messages[i], f->test))
			found(m, c->messages[i].t, NULL);
	}
}

static void
select_fetches(struct moments *m)
{
	const struct predicate *p = m->p;

	for (size_t i = 0; i < m->e->facts->n_fetches; i++) {
		const struct fetch *f = &m->e->facts->fetches[i];
		if (f->counts && (p->number == 0 || (unsigned)f->status == p->number) &&
		    (p->phase < 0 || p->phase == f->phase) &&
		    (p->family == 0 || p->family == f->family))
			found(m, f->t, f->event);
	}
}

static void
select_hellos(struct moments *m)
{
	const struct facts *f = m->e->facts;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (offer_counts(f, a) && selects(m->p, a) &&
		    offer_has(a->hello, m->p->thing) != m->p->without)
			found(m, a->hello->t, a->hello);
	}
}

static void
select_reports(struct moments *m)
{
	const struct facts *f = m->e->facts;
	const char *want = m->p->n_names == 0 ? "any" : m->p->name[0];

	for (size_t i = 0; i < f->n_reports; i++) {
		const struct received_report *r = f->reports[i];
		if (r->report != NULL &&
		    (strcmp(want, "any") == 0 || strcmp(want, tlsrpt_answer_name(r->answer)) == 0))
			found(m, r->t, r->event);
	}
}

/* Bounces: this version has no collector that sees them, so there are no such moments. */
static void
select_none(struct moments *m)
{
	(void)m;
}

static select_fn *const selectors[P_KIND_MAX] = {
	[P_ACCEPTED] = select_accepted,
	[P_ATTEMPTED] = select_attempted,
	[P_GAVE_UP_AT] = select_given_up,
	[P_COMPLETED] = select_completed,
	[P_SEEN] = select_lookups,
	[P_FETCHED] = select_fetches,
	[P_MET] = select_met,
	[P_EARLY] = select_early,
	[P_STALE] = select_stale,
	[P_SAID] = select_said,
	[P_MESSAGE] = select_messages,
	[P_HELLO] = select_hellos,
	[P_REPORT] = select_reports,
	[P_DSN] = select_none,
	[P_AUTH] = select_auth,
	[P_AGAIN] = select_again,
	[P_SENT] = select_sent,
};

/* --- after and within ---------------------------------------------------------------------------- */

static int
moment_order(const void *pa, const void *pb)
{
	const struct moment *a = pa, *b = pb;

	return a->t < b->t ? -1 : a->t > b->t;
}

/* Is one of the moments (in order) in [from, to]? */
static bool
any_between(const struct moments *m, int64_t from, int64_t to)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (m->item[mid].t < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->n && m->item[lo].t <= to;
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
		if (any_between(&of, p->within_side == WITHIN_BEFORE ? t : t - p->within_us,
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
	size_t kept = 0;

	moments_find(&off, m->e, m->p->returned);
	fate_begin(&k, m);
	for (size_t i = 0; i < m->n; i++) {
		bool back = false;
		for (size_t j = 0; !back && j < off.n && off.item[j].t < m->item[i].t; j++)
			back = fate_may_be(&k, off.item[j].t, off.item[j].o, k.taken[i].msgid) &&
			       fate_of(&k, off.item[j].t, off.item[j].o) == FATE_RETURNED;
		if (back)
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	fate_case_clear(&k);
	free(off.item);
}

static void
keep_lost(struct moments *m)
{
	struct fate_case k = fate_of_all(m->e->judge->c, m->e->facts);
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (fate_of(&k, m->item[i].t, m->item[i].o) == FATE_LOST)
			m->item[kept++] = m->item[i];
	}
	m->n = kept;
	fate_case_clear(&k);
}

static void
moments_find(struct moments *m, const struct evaluation *e, const struct predicate *p)
{
	*m = (struct moments){ .e = e, .p = p };
	if (selectors[p->kind] != NULL)
		selectors[p->kind](m);
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
	for (size_t i = 0; i < v->n_evidence; i++) {
		if (v->evidence[i] == o)
			return;
	}
	if (o != NULL && v->n_evidence < VERDICT_EVIDENCE_MAX)
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
is_named(const struct correlation *c, const struct accepted_message *a, const char *test)
{
	char name[32 + TEST_NAME_MAX + 3];
	size_t len;

	len = (size_t)snprintf(name, sizeof name, "%s.%s.", c->token, test);
	for (const char *p = a->to; *p != '\0'; p++) {
		if (strncasecmp(p, name, len) == 0)
			return true;
	}
	return false;
}

bool
evaluate_names(const struct correlation *c, const struct accepted_message *a, const struct test *t)
{
	for (unsigned i = 0; i < t->n_graded_on; i++) {
		if (is_named(c, a, t->graded_on[i]))
			return true;
	}
	return t->n_graded_on == 0 && is_named(c, a, t->name);
}

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
			   fate_of(&k, a->reply_t, a->decides) == FATE_RETURNED;
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
