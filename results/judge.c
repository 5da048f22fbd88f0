/* judge.c - settled, so far, and the first rule that holds. */
#include "results/judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "results/evaluate.h"
#include "results/joint.h"
#include "results/outgoing.h"
#include "results/reason.h"
#include "results/tlsrpt_match.h"

#define AWAY     (6 * 3600 * CLOCK_SECOND) /* a sender that stays away this long has given up, maybe */
#define AGAIN    (300 * CLOCK_SECOND)      /* two attempts this far apart say "so far" */
#define DEADLINE (6 * 86400 * CLOCK_SECOND)
/* A TLS report tells of a day, and may come a day later; who has not even asked where to send it when the
 * day was over sends none. */
#define REPORTS   (72 * 3600 * CLOCK_SECOND)
#define NOT_ASKED (36 * 3600 * CLOCK_SECOND)

bool
verdict_rests_on(const struct verdict *v, const struct observation *o)
{
	for (size_t i = 0; i < v->n_evidence; i++) {
		if (v->evidence[i] == o)
			return true;
	}
	return false;
}

/* What happened after that on another node is not known yet. */
static int64_t
known_until(const struct judge *j)
{
	return j->heard != 0 && j->heard < j->now ? j->heard : j->now;
}

/* Nothing that came later is evidence, and nothing that did not come. */
static int64_t
as_of(const struct judge *j)
{
	int64_t released = j->c->released, seen = known_until(j);

	return released != 0 && released < seen ? released : seen;
}

static int64_t
paced(const struct judge *j, int64_t us)
{
	return us / (j->pace == 0 ? 1 : j->pace);
}

/* How long we ourselves keep a sender waiting in one session; pace does not divide it. */
static int64_t
kept_waiting(const struct test *t)
{
	int64_t longest = 0;

	for (unsigned k = 0; k < t->n_hosts; k++) {
		int64_t sum = 0;
		for (size_t i = 0; i < t->host[k].n_rules; i++)
			sum += t->host[k].rules[i].action == DO_DELAY ? t->host[k].rules[i].delay_us
								      : 0;
		longest = sum > longest ? sum : longest;
	}
	return longest;
}

static int
last_phase(const struct test *t)
{
	int last = -1;

	for (size_t i = 0; i < t->n_phases; i++) {
		if ((int)t->phases[i].phase > last)
			last = (int)t->phases[i].phase;
	}
	return last;
}

static bool
awaits_report(const struct facts *f)
{
	if (!test_wants_reports(f->test))
		return false;
	for (size_t i = 0; i < f->n_reports; i++) {
		if (f->reports[i]->report != NULL)
			return false;
	}
	return true;
}

static bool
asked_where_to(const struct facts *f)
{
	for (size_t i = 0; i < f->n_lookups; i++) {
		if (strcasecmp(f->lookups[i].at, "_smtp._tls.{d}") == 0)
			return true;
	}
	return false;
}

/* Until when a message that was handed to the verifier may still be judged; 0: none waits. */
static int64_t
awaits_verdict(const struct facts *f)
{
	int64_t until = 0;

	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (a->verified != NULL && a->verified->state == VERIFIED_OPEN &&
		    a->message->t + JUDGE_VERIFYING > until)
			until = a->message->t + JUDGE_VERIFYING;
	}
	return until;
}

/* Is it about whether a message comes back that was refused for good?  A first retry may be an hour away, and so may be
 * the control's copy of a second message, by which messages are counted. */
static bool
asks_again(const struct test *t)
{
	for (size_t i = 0; i < t->n_verdicts; i++)
		for (size_t k = 0; k < t->verdicts[i].n; k++)
			if (t->verdicts[i].all[k].kind == P_AGAIN)
				return true;
	return false;
}

/* Accepted in the last phase, for every mailbox that the test has. */
static bool
is_complete(const struct facts *f)
{
	int last = last_phase(f->test);
	unsigned boxes = f->test->n_mailbox, want = boxes > 1 ? (1u << boxes) - 1 : 1, got = 0;

	if (awaits_report(f))
		return false;
	for (size_t i = 0; i < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (!a->accepted || (last > 0 && a->phase < last))
			continue;
		if (boxes <= 1)
			return true;
		for (unsigned k = 0; k < a->n_rcpt; k++) {
			if (a->rcpt[k].reply / 100 == 2 && a->rcpt[k].mailbox >= 0)
				got |= 1u << a->rcpt[k].mailbox;
		}
	}
	return (got & want) == want;
}

/* The sender has given up, and told its user so: a bounce that came after its last attempt. */
static bool
is_bounced(const struct facts *f)
{
	for (size_t i = 0; i < f->n_bounces; i++) {
		if (f->bounces[i].rcpt->action == DSN_FAILED &&
		    f->bounces[i].t >= f->last_attempt && f->accepted == 0)
			return true;
	}
	return false;
}

/* Complete; where it matters which message it was, with one that had been put off. */
static bool
is_finished(const struct judge *j, const struct facts *f)
{
	return is_complete(f) && !evaluate_returns(j, f);
}

/* When the last of the controls was accepted first; 0: not all were. */
static int64_t
control_accepted_at(const struct judge *j, const struct test *t)
{
	int64_t at = 0;

	for (unsigned i = 0; i < t->n_control; i++) {
		const struct test *control = catalogue_find(
		    j->c->catalogue, t->control[i], strlen(t->control[i]));
		const struct facts *f = control == NULL ? NULL : correlation_facts(j->c, control);
		if (f == NULL || f->accepted == 0)
			return 0;
		at = f->accepted_at > at ? f->accepted_at : at;
	}
	return at;
}

/* The last accepted message that names the test, by whatever test it was accepted; since when it is
 * expected at the latest. */
static int64_t
mailed_at(const struct judge *j, const struct test *t, int64_t since)
{
	for (size_t i = 0; i < j->c->n_messages; i++) {
		const struct accepted_message *a = &j->c->messages[i];
		if (a->t > since && correlation_names(j->c, a, t))
			since = a->t;
	}
	return since;
}

/* Nothing follows from a test whose control came to nothing, and nothing more is to be expected of it. */
static bool
control_given_up(const struct judge *j, const struct test *t)
{
	char why[96];
	int64_t until;

	for (unsigned i = 0; i < t->n_control; i++) {
		const struct test *control = catalogue_find(
		    j->c->catalogue, t->control[i], strlen(t->control[i]));
		const struct facts *f = control == NULL ? NULL : correlation_facts(j->c, control);
		if (f == NULL || f->accepted > 0)
			continue;
		/* One that was not tried may not have been mailed yet, unless its own was given up. */
		if (f->n_attempts > 0 ? judge_settled(j, f, &until, why, sizeof why)
				      : control_given_up(j, control))
			return true;
	}
	return false;
}

static bool
is_verifying(const struct judge *j, const struct facts *f, int64_t *until, char *why, size_t whylen)
{
	int64_t by = awaits_verdict(f);

	if (by <= j->now || !joint_asks_who(f->test))
		return false;
	*until = by;
	snprintf(why, whylen, "the verifier");
	return true;
}

/* A test that is graded on others' mail is settled when all of these are. */
static bool
graded_settled(
    const struct judge *j, const struct facts *f, int64_t *until, char *why, size_t whylen)
{
	const struct test *t = f->test;
	bool settled = true;

	*until = 0;
	snprintf(why, whylen, "the sender");
	if (j->given != NULL)
		return j->given->settled;
	for (unsigned i = 0; i < t->n_graded_on; i++) {
		const struct test *on = catalogue_find(
		    j->c->catalogue, t->graded_on[i], strlen(t->graded_on[i]));
		int64_t by = 0;
		char what[160];
		if (on == NULL ||
		    judge_settled(j, correlation_facts(j->c, on), &by, what, sizeof what))
			continue;
		if (settled || by == 0 || (*until != 0 && by > *until)) {
			*until = by;
			snprintf(why, whylen, "%s in %s", what, on->name);
		}
		settled = false;
	}
	return settled && !is_verifying(j, f, until, why, whylen);
}

/* Mail that we write: the receiver has looked up by now what it looks up.  None was written: nothing is waited
 * for. */
static bool
outgoing_settled(
    const struct judge *j, const struct facts *f, int64_t *until, char *why, size_t whylen)
{
	int64_t last = outgoing_last(f);

	*until = last == 0 ? 0 : last + paced(j, AWAY);
	snprintf(why, whylen, "lookups of the receiver");
	return j->given != NULL ? j->given->settled : known_until(j) >= *until;
}

bool
judge_settled(
    const struct judge *j, const struct facts *f, int64_t *until, char *why, size_t whylen)
{
	const struct attempt *last = f->n_attempts == 0 ? NULL : &f->attempts[f->n_attempts - 1];
	int64_t away = paced(j, AWAY) + kept_waiting(f->test),
		begun = j->c->first_attempt != 0 ? j->c->first_attempt : j->c->first;
	int64_t deadline = f->test->deadline_us > 0 ? f->test->deadline_us : DEADLINE;
	int64_t control = control_accepted_at(j, f->test), by = 0;

	if (f->test->n_graded_on > 0)
		return graded_settled(j, f, until, why, whylen);
	if (f->test->unmailed)
		return outgoing_settled(j, f, until, why, whylen);
	*until = 0;
	snprintf(why, whylen, "a first message");
	if (j->given != NULL) {
		snprintf(why, whylen, "the sender");
		return j->given->settled ||
		       (is_finished(j, f) && !is_verifying(j, f, until, why, whylen));
	}
	if (is_bounced(f))
		return true;
	if (is_finished(j, f) && is_verifying(j, f, until, why, whylen))
		return false;
	if (is_finished(j, f) || (last == NULL && control_given_up(j, f->test)))
		return true;
	if (last != NULL && last->reply >= 500) {
		snprintf(why, whylen, "a last look whether it comes back after a final refusal");
		by = last->end + (asks_again(f->test) ? away : paced(j, AGAIN));
	} else if (last != NULL) {
		if (3 * j->c->gap > away)
			away = 3 * j->c->gap;
		snprintf(why, whylen, "the next retry");
		by = last->t + away;
	} else if (control != 0) {
		snprintf(why, whylen,
		    f->n_lookups > 0 ? "a connection after the lookups" : "a first attempt");
		by = mailed_at(j, f->test, control) + away;
	}
	if (by != 0 && awaits_report(f)) {
		int64_t told = (f->n_attempts > 0 ? f->attempts[0].t : control) +
			       paced(j, asked_where_to(f) ? REPORTS : NOT_ASKED);
		if (told > by) {
			snprintf(why, whylen, "a TLS report");
			by = told;
		}
	}
	if (by != 0 && (last == NULL || last->reply < 500 || asks_again(f->test)) &&
	    j->back + away > by) {
		snprintf(why, whylen, "the sender, because this site was away for a while");
		by = j->back + away;
	}
	if (begun != 0 && (by == 0 || begun + paced(j, deadline) < by))
		by = begun + paced(j, deadline);
	*until = by;
	return by != 0 && as_of(j) >= by;
}

static bool
is_asked_for(const struct facts *f)
{
	for (size_t i = 0; i < f->n_lookups; i++) {
		if (f->lookups[i].counts)
			return true;
	}
	return f->n_attempts > 0;
}

/* Tried twice with the same outcome; or, where only lookups can be seen, asked for and the control
 * delivered a while ago. */
static bool
is_so_far(const struct judge *j, const struct facts *f)
{
	const struct attempt *last;
	int64_t control = control_accepted_at(j, f->test), apart = j->pace > 1 ? 0 : AGAIN;

	if (f->accepted > 0 || f->test->n_control == 0 || control == 0)
		return false;
	if (f->n_attempts == 0)
		return is_asked_for(f) && as_of(j) - control >= paced(j, AGAIN);
	last = &f->attempts[f->n_attempts - 1];
	for (size_t i = 0; i + 1 < f->n_attempts; i++) {
		const struct attempt *a = &f->attempts[i];
		if (a->session != last->session && last->t - a->t >= apart &&
		    a->stage == last->stage)
			return true;
	}
	return false;
}

static bool
in_set(const struct judge *j, const struct test *t)
{
	return j->set == NULL || catalogue_in_set(t, j->set);
}

enum outcome
judge_outcome(const struct judge *j, const struct test *t)
{
	const struct facts *f = correlation_facts(j->c, t);
	char why[64], missing[160];
	int64_t until;
	bool settled;

	/* What was delivered was, in the set or not: messages hold tests of other sets as well. */
	if (f != NULL && f->accepted > 0)
		return OUTCOME_ACCEPTED;
	if (f == NULL || !in_set(j, t))
		return OUTCOME_UNKNOWN;
	settled = judge_settled(j, f, &until, why, sizeof why);
	if (is_asked_for(f) && (settled || is_so_far(j, f)) &&
	    evaluate_controls(j, t, missing, sizeof missing))
		return OUTCOME_REFUSED;
	return settled ? OUTCOME_UNKNOWN : OUTCOME_OPEN;
}

/* The first rule that holds; NULL: none. */
static const struct verdict_rule *
first_rule(struct verdict *v, const struct evaluation *e, const struct test *t)
{
	for (size_t i = 0; i < t->n_verdicts; i++) {
		const struct verdict_rule *r = &t->verdicts[i];
		bool holds = true;
		v->n_evidence = 0;
		for (size_t k = 0; k < r->n && holds; k++)
			holds = evaluate(&r->all[k], e, v);
		if (holds)
			return r;
	}
	v->n_evidence = 0;
	return NULL;
}

static void
apply(struct verdict *v, const struct evaluation *e, const struct verdict_rule *r)
{
	v->grade = r == NULL ? GRADE_INCONCLUSIVE : r->grade;
	v->line = r == NULL ? 0 : r->line;
	reason_fill(v->reason, sizeof v->reason,
	    r == NULL ? "no rule of the test fits what was seen" : r->reason, e, v);
}

static bool
is_sent(const struct judge *j, const struct facts *f)
{
	if (is_asked_for(f) || outgoing_last(f) != 0)
		return true;
	for (size_t i = 0; i < j->c->n_messages; i++) {
		if (correlation_names(j->c, &j->c->messages[i], f->test))
			return true;
	}
	return false;
}

/* Somebody who still asks still tries, though nothing of it reaches us: a route that is broken, a host of ours
 * that is down.  Until when to wait for the next lookup; 0: no longer. */
static int64_t
still_asks(const struct evaluation *e)
{
	const struct judge *j = e->judge;
	const struct facts *f = e->facts;
	int64_t begun = j->c->first_attempt != 0 ? j->c->first_attempt : j->c->first;
	int64_t deadline = f->test->deadline_us > 0 ? f->test->deadline_us : DEADLINE;
	int64_t last = 0, until;

	if (j->given != NULL || f->n_attempts > 0 || is_bounced(f))
		return 0;
	for (size_t i = 0; i < f->n_lookups; i++)
		last = f->lookups[i].t > last ? f->lookups[i].t : last;
	until = last == 0 ? 0 : last + paced(j, AWAY);
	if (until > begun + paced(j, deadline))
		until = begun + paced(j, deadline);
	return until > as_of(j) ? until : 0;
}

/* No verdict without evidence; and a refusal means nothing while its control was not delivered
 * either. */
static void
guard(struct verdict *v, const struct evaluation *e)
{
	const struct test *t = e->facts->test;

	if (e->settled && v->grade != GRADE_INCONCLUSIVE && v->grade != GRADE_PENDING &&
	    !is_sent(e->judge, e->facts)) {
		v->grade = GRADE_INCONCLUSIVE;
		v->line = 0;
		snprintf(v->reason, sizeof v->reason,
		    "nothing was seen of this test: was the message sent to it?");
		return;
	}
	if (e->settled && v->grade == GRADE_INCONCLUSIVE && v->missing[0] != '\0' &&
	    e->facts->accepted == 0 && is_sent(e->judge, e->facts) &&
	    strstr(v->reason, v->missing) == NULL) {
		size_t len = strlen(v->reason);
		snprintf(v->reason + len, sizeof v->reason - len, "; not delivered either: %s",
		    v->missing);
	}
	if (e->control || e->facts->accepted > 0 || v->grade == GRADE_INCONCLUSIVE ||
	    v->grade == GRADE_PENDING || (t->n_control == 0 && v->missing[0] == '\0'))
		return;
	v->n_evidence = 0;
	v->line = 0;
	v->grade = e->settled ? GRADE_INCONCLUSIVE : GRADE_PENDING;
	snprintf(v->reason, sizeof v->reason,
	    e->settled ? "nothing was delivered, but neither was the control: %s"
		       : "waiting for the control: %s",
	    v->missing);
}

/* Was the mail released that the test is about, and none of it is with the verifier still? */
static bool
is_released(const struct judge *j, const struct facts *f)
{
	const struct test *t = f->test;
	char why[64];
	int64_t until;

	if (t->n_graded_on > 0)
		t = catalogue_find(j->c->catalogue, t->graded_on[0], strlen(t->graded_on[0]));
	return j->c->released != 0 && t != NULL && !t->unmailed &&
	       !is_verifying(j, f, &until, why, sizeof why);
}

static void
end_released(struct verdict *v)
{
	char before[sizeof v->reason];

	snprintf(before, sizeof before, "%s", v->reason);
	if (v->grade == GRADE_PENDING) {
		v->grade = GRADE_INCONCLUSIVE;
		v->line = 0;
		v->n_evidence = 0;
		snprintf(v->reason, sizeof v->reason, "released before this was decided: %.*s",
		    (int)sizeof before - 64, before);
	} else {
		snprintf(v->reason, sizeof v->reason, "%.*s; then the participant was released",
		    (int)sizeof before - 64, before);
	}
	v->final = true;
}

static void
judge_once(struct verdict *v, const struct judge *j, const struct test *t)
{
	struct evaluation e = { .judge = j, .facts = correlation_facts(j->c, t) };
	const char *unsound = j->unsound == NULL ? NULL : j->unsound(j->ctx, t);
	struct verdict so_far;
	int64_t until;

	memset(v, 0, sizeof *v);
	v->grade = GRADE_INCONCLUSIVE;
	if (unsound != NULL) {
		v->final = true;
		snprintf(v->reason, sizeof v->reason, "the test is not as specified: %s", unsound);
		return;
	}
	if (j->c->cut_short) {
		/* What is missing could be what another verdict needs. */
		v->final = true;
		snprintf(v->reason, sizeof v->reason,
		    "more was seen of this participant than a site keeps in an hour, so what is "
		    "kept is "
		    "no evidence");
		return;
	}
	e.control = evaluate_controls(j, t, v->missing, sizeof v->missing);
	e.settled = judge_settled(j, e.facts, &v->until, v->waits, sizeof v->waits);
	apply(v, &e, first_rule(v, &e, t));
	guard(v, &e);
	if (v->grade == GRADE_VIOLATES && (until = still_asks(&e)) != 0) {
		v->grade = GRADE_PENDING;
		v->until = until;
		v->line = 0;
		v->n_evidence = 0;
		snprintf(v->reason, sizeof v->reason,
		    "not delivered so far, but its names are still asked for");
		snprintf(v->waits, sizeof v->waits, "a connection after the lookups");
	}
	v->final = e.settled && v->grade != GRADE_PENDING;
	if (!v->final && v->grade == GRADE_PENDING && j->given == NULL && is_so_far(j, e.facts)) {
		so_far = *v;
		e.settled = true;
		apply(&so_far, &e, first_rule(&so_far, &e, t));
		guard(&so_far, &e);
		if (so_far.grade == GRADE_CONFORMS)
			*v = so_far;
	}
	if (!v->final && is_released(j, e.facts))
		end_released(v);
	if (v->final) {
		v->until = 0;
		v->waits[0] = '\0';
	}
}

/* Another node may have seen what changes it. */
static void
await_logs(struct verdict *v, const struct judge *j, const struct test *t)
{
	char since[CLOCK_TEXT_MAX];

	if (j->heard == 0 || !v->final || correlation_facts(j->c, t)->last <= j->heard)
		return;
	clock_format(since, j->heard);
	v->final = false;
	v->until = 0;
	snprintf(v->waits, sizeof v->waits,
	    "the log of node %.60s, which may change this: it ends at %.19s", j->late, since);
}

/* A verdict stands if it does not hang on what may have been somebody else (kin.h). */
static void
without_strangers(struct verdict *v, const struct judge *j, const struct test *t)
{
	struct judge alone = *j;
	const struct facts *f = correlation_facts(j->c, t);
	struct verdict own, kept = *v;
	char with[sizeof v->reason];

	for (const struct correlation *c = j->c->own; c != NULL; c = c->own) {
		alone.c = c;
		judge_once(&own, &alone, t);
		if (own.grade == GRADE_PENDING) {
			*v = own;
			return;
		}
		if (c == j->c->own && own.grade == v->grade)
			kept = own;
		if (own.grade == v->grade)
			continue;
		if (v->grade == GRADE_PENDING)
			return;
		memcpy(with, v->reason, sizeof with);
		v->final &= own.final;
		v->grade = GRADE_INCONCLUSIVE;
		v->line = 0;
		if (j->c->own->own != NULL)
			snprintf(v->reason, sizeof v->reason,
			    "several senders took part, and nothing tells which is the "
			    "participant; "
			    "with all of them: %.150s; with one alone: %.150s",
			    with, own.reason);
		else
			snprintf(v->reason, sizeof v->reason,
			    "%s took part, which nothing else ties to this sender; with it: "
			    "%.180s; "
			    "without it: %.180s",
			    f->stranger == NULL ? "somebody" : f->stranger, with, own.reason);
		return;
	}
	*v = kept;
}

void
judge_test(struct verdict *v, const struct judge *j, const struct test *t)
{
	judge_once(v, j, t);
	if (j->c->own != NULL && (v->line != 0 || v->grade == GRADE_PENDING))
		without_strangers(v, j, t);
	await_logs(v, j, t);
}
