/* moments.c - a row for each word that has moments, saying which ones it selects. */
#include "results/moments.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "results/again.h"
#include "results/offer.h"
#include "results/outgoing.h"
#include "results/tlsrpt_match.h"

#define RCPT_LINE_MAX 998 /* RFC 5322 2.1.1 */

typedef void select_fn(struct moments *);

static void
found(struct moments *m, int64_t t, const struct observation *o)
{
	m->item = xgrow(m->item, m->n, sizeof *m->item);
	m->item[m->n++] = (struct moment){ t, o };
}

bool
is_canary(const struct facts *f, const struct attempt *a)
{
	char marker[TEST_NAME_MAX + 16];

	if (!a->accepted || a->message == NULL || f->test->message == NULL)
		return false;
	snprintf(marker, sizeof marker, "canary %s", f->test->message);
	return strstr(text_of(a->message, EK_SUBJECT), marker) != NULL;
}

static bool
selects(const struct moments *m, const struct attempt *a)
{
	const struct predicate *p = m->p;
	bool box = p->mailbox < 0;

	if (p->canary && !is_canary(m->e->facts, a))
		return false;
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
		if (selects(m, a) && match(m->p, a))
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
	int64_t size = size_offered(f->test, a->host);

	if (!a->accepted || a->message == NULL)
		return false;
	if (strcmp(p->name[0], "over-size") == 0)
		return size > 0 && observation_num(a->message, EK_SIZE, 0) > size;
	return is_canary(f, a);
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

bool
attempt_auth_is(const struct attempt *a, const struct predicate *p)
{
	static const enum verified_state states[] = { VERIFIED_JUDGED, VERIFIED_OPEN,
		VERIFIED_LOST }; /* in the order of auth_state() */
	unsigned state = 0;

	if (a->verified == NULL)
		return false;
	if (p->n_names > 1)
		return verified_is(a->verified, auth_method_by_name(p->name[0]), p->name[1]);
	while (auth_state(state) != NULL && strcmp(auth_state(state), p->name[0]) != 0)
		state++;
	return a->verified->state == states[state];
}

/* An accepted message of whose author the word holds; the moment is that of the message. */
static void
select_auth(struct moments *m)
{
	for (size_t i = 0; i < m->e->facts->n_attempts; i++) {
		const struct attempt *a = &m->e->facts->attempts[i];
		if (selects(m, a) && attempt_auth_is(a, m->p))
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
		if (selects(m, &f->attempts[i]) && is_message_of(f, p, &f->attempts[i]))
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

/* 32 labels of one nibble each: an IPv6 address as RFC 7208 7.3 writes it. */
static bool
is_nibbles(const char *s, size_t len)
{
	if (len != 63)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i % 2 == 0 ? !isxdigit((unsigned char)s[i]) : s[i] != '.')
			return false;
	return true;
}

static bool
is_at(const struct predicate *p, const char *at)
{
	size_t len = strlen(at), want = p->at == NULL ? 0 : strlen(p->at), left;
	unsigned char v4[4];
	char text[INET_ADDRSTRLEN];

	if (p->at == NULL || p->at_kind == AT_NAME)
		return p->at == NULL || strcasecmp(p->at, at) == 0;
	if (len < want + 2 || strcasecmp(at + len - want, p->at) != 0 || at[len - want - 1] != '.')
		return false;
	if (p->at_kind == AT_BELOW)
		return true;
	left = len - want - 1;
	if (is_nibbles(at, left))
		return true;
	if (left >= sizeof text)
		return false;
	memcpy(text, at, left);
	text[left] = '\0';
	return inet_pton(AF_INET, text, v4) == 1;
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
		if (l->counts && via && (p->type == 0 || p->type == l->type) && is_at(p, l->at) &&
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

/* When it was decided to go there: with the connection, however late its transaction. */
static int64_t
connected_at(const struct correlation *c, const struct attempt *a)
{
	const struct session *s = a->session < c->n_sessions ? &c->sessions[a->session] : NULL;
	int64_t t = s == NULL ? a->t : s->syn != 0 ? s->syn : s->t;

	return t < a->t ? t : a->t;
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
		if (a->host == p->host && a->stage != STAGE_SYN &&
		    connected_at(m->e->judge->c, a) - named > p->age_us)
			found(m, a->t, a->decides);
	}
}

static void
select_again(struct moments *m)
{
	const struct facts *f = m->e->facts;
	bool *again = again_find(m->e, m->p->maybe);

	for (size_t i = 0; i < f->n_attempts; i++)
		if (again[i])
			found(m, f->attempts[i].t, f->attempts[i].decides);
	free(again);
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
		if (correlation_names(c, &c->messages[i], f->test))
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
		if (offer_counts(f, a) && selects(m, a) &&
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

static void
select_bounces(struct moments *m)
{
	const struct facts *f = m->e->facts;

	for (size_t i = 0; i < f->n_bounces; i++) {
		if (dsn_status_is(f->bounces[i].rcpt->status, m->p->name[0]))
			found(m, f->bounces[i].t, f->bounces[i].event);
	}
}

static void
select_outgoing(struct moments *m)
{
	const struct facts *f = m->e->facts;

	for (size_t i = 0; i < f->n_events; i++) {
		if (outgoing_is(f->events[i], m->p->name[0]))
			found(m, f->events[i]->t, f->events[i]);
	}
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
	[P_DSN] = select_bounces,
	[P_AUTH] = select_auth,
	[P_OUTGOING] = select_outgoing,
	[P_AGAIN] = select_again,
	[P_SENT] = select_sent,
};

void
moments_select(struct moments *m)
{
	if (selectors[m->p->kind] != NULL)
		selectors[m->p->kind](m);
}
