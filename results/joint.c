/* joint.c - see joint.h. */
#include "results/joint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/strbuf.h"

/* --- who wrote the messages ------------------------------------------------------------------------ */

/* Messages of one test whose results are read; what is beyond has none. */
#define VERIFIED_MAX 256

static bool
asks_who(const struct predicate *p)
{
	return p != NULL && (p->kind == P_AUTH || asks_who(p->after) || asks_who(p->within_of));
}

static bool
asks_of_control(const struct test *t)
{
	for (size_t i = 0; i < t->n_verdicts; i++)
		for (size_t k = 0; k < t->verdicts[i].n; k++)
			if (t->verdicts[i].all[k].kind == P_CONTROL_AUTH)
				return true;
	return false;
}

/* Do its rules ask for what stands or falls with the octets of the message? */
static bool
asks_of_content(const struct test *t)
{
	for (size_t i = 0; i < t->n_verdicts; i++) {
		for (size_t k = 0; k < t->verdicts[i].n; k++) {
			const struct predicate *p = &t->verdicts[i].all[k];
			enum auth_method m = p->kind == P_AUTH && p->n_names > 1
						 ? auth_method_by_name(p->name[0])
						 : AUTH_METHOD_MAX;
			if (m == AUTH_DKIM || m == AUTH_DMARC || m == AUTH_ARC)
				return true;
		}
	}
	return false;
}

bool
joint_is_canary(const struct attempt *a)
{
	return a->message != NULL &&
	       strstr(text_of(a->message, EK_SUBJECT), "Outpost canary ") != NULL;
}

bool
joint_asks_who(const struct test *t)
{
	for (size_t i = 0; i < t->n_verdicts; i++) {
		for (size_t k = 0; k < t->verdicts[i].n; k++) {
			if (asks_who(&t->verdicts[i].all[k]))
				return true;
		}
	}
	return false;
}

static bool
is_about(const struct observation *event, const struct observation *message)
{
	static const enum event_key same[] = { EK_CONN, EK_DIGEST };

	if (strcmp(event->node, message->node) != 0)
		return false;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		if (strcmp(text_of(event, same[i]), text_of(message, same[i])) != 0)
			return false;
	}
	return true;
}

/* A message of ours that came back, by a loop or an auto-reply that keeps From: the author's domain has the
 * token as a label, as every domain that we write from.  Its signature would be taken for the participant's. */
static bool
is_ours(const struct verified *v, const char *token)
{
	const char *label = verified_text(verified_part(v, "author"), "domain");
	size_t len = strlen(token);

	for (; *label != '\0';
	     label += label[strcspn(label, ".")] == '.' ? strcspn(label, ".") + 1 : strlen(label)) {
		if (strncasecmp(label, token, len) == 0 &&
		    (label[len] == '.' || label[len] == '\0'))
			return true;
	}
	return false;
}

/* Every accepted message has one event of these at most; of two equal messages in a connection each has its
 * own. */
static void
read_verified(struct correlation *c, struct facts *f)
{
	const struct observation **events = xcalloc(f->n_events + 1, sizeof *events);
	size_t n = 0, read = 0;

	for (size_t i = 0; i < f->n_events; i++) {
		if (f->events[i]->kind >= EV_VERIFY_RESULT && f->events[i]->kind <= EV_VERIFY_LOST)
			events[n++] = f->events[i];
	}
	for (size_t i = 0; i < f->n_attempts && read < VERIFIED_MAX; i++) {
		struct attempt *a = &f->attempts[i];
		size_t k = 0;
		if (!a->accepted || a->message == NULL || a->verified != NULL)
			continue;
		while (k < n && (events[k] == NULL || !is_about(events[k], a->message)))
			k++;
		c->verified = xgrow(c->verified, c->n_verified, sizeof *c->verified);
		c->verified[c->n_verified] = verified_read(a->message, k < n ? events[k] : NULL);
		a->verified = is_ours(c->verified[c->n_verified], c->token)
				  ? NULL
				  : c->verified[c->n_verified];
		c->n_verified++;
		read++;
		if (k < n)
			events[k] = NULL;
	}
	free(events);
}

static void
read_all_verified(struct correlation *c)
{
	for (size_t i = 0; i < c->catalogue->n; i++) {
		const struct test *t = c->catalogue->tests[i];
		for (unsigned k = 0; asks_of_control(t) && k < t->n_control; k++) {
			struct facts *control = correlation_find(
			    c, t->control[k], strlen(t->control[k]));
			if (control != NULL)
				read_verified(c, control);
		}
		if (!joint_asks_who(t))
			continue;
		read_verified(c, &c->facts[i]);
		for (unsigned k = 0; k < t->n_graded_on; k++) {
			struct facts *on = correlation_find(
			    c, t->graded_on[k], strlen(t->graded_on[k]));
			if (on != NULL)
				read_verified(c, on);
		}
	}
}

/* --- tests that are graded on others' mail --------------------------------------------------------- */

#define JOIN(to, n_to, from, n_from)                                                               \
	do {                                                                                       \
		(to) = xrealloc((to), ((n_to) + (n_from) + 1) * sizeof *(to));                     \
		if ((n_from) > 0)                                                                  \
			memcpy((to) + (n_to), (from), (n_from) * sizeof *(to));                    \
		(n_to) += (n_from);                                                                \
	} while (0)

static int
lookup_order(const void *pa, const void *pb)
{
	const struct lookup *a = pa, *b = pb;

	return a->t < b->t ? -1 : a->t > b->t;
}

/* Its facts are those of the named tests, in the order of time.  The last step: sums over all tests count
 * an attempt once. */
static void
join(struct correlation *c, struct facts *f)
{
	const struct test *t = f->test;

	for (unsigned i = 0; i < t->n_graded_on; i++) {
		const struct facts *from = correlation_find(
		    c, t->graded_on[i], strlen(t->graded_on[i]));
		if (from == NULL || from == f || from->test->n_graded_on > 0)
			continue;
		JOIN(f->attempts, f->n_attempts, from->attempts, from->n_attempts);
		JOIN(f->lookups, f->n_lookups, from->lookups, from->n_lookups);
		JOIN(f->events, f->n_events, from->events, from->n_events);
		JOIN(f->bounces, f->n_bounces, from->bounces, from->n_bounces);
		if (from->accepted > 0 && (f->accepted == 0 || from->accepted_at < f->accepted_at))
			f->accepted_at = from->accepted_at;
		f->accepted += from->accepted;
		if (from->last_attempt > f->last_attempt)
			f->last_attempt = from->last_attempt;
		if (from->first != 0 && (f->first == 0 || from->first < f->first))
			f->first = from->first;
		if (from->last > f->last)
			f->last = from->last;
	}
	for (size_t i = 0; asks_of_content(t) && i < f->n_attempts; i++)
		if (joint_is_canary(&f->attempts[i]))
			f->attempts[i].verified = NULL;
	if (f->n_attempts > 0)
		qsort(f->attempts, f->n_attempts, sizeof *f->attempts, attempt_order);
	if (f->n_lookups > 0)
		qsort(f->lookups, f->n_lookups, sizeof *f->lookups, lookup_order);
	if (f->n_events > 0)
		qsort(f->events, f->n_events, sizeof *f->events, event_order);
}

void
joint_read(struct correlation *c)
{
	read_all_verified(c);
	for (size_t i = 0; i < c->catalogue->n; i++) {
		if (c->catalogue->tests[i]->n_graded_on > 0)
			join(c, &c->facts[i]);
	}
}
