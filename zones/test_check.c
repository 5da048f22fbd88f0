/* test_check.c - what spans lines and sections of one test file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zones/parse.h"

/* --- the head ---------------------------------------------------------------------------------- */
static int
check_head(struct parse *p)
{
	const struct test *t = p->test;
	const struct {
		const char *word;
		bool there;
	} needed[] = {
		{ "test", t->name[0] != '\0' },
		{ "number", t->number != 0 },
		{ "group", t->group != NULL },
		{ "title", t->title != NULL },
		{ "about", t->about != NULL },
		{ "[verdict]", t->n_verdicts > 0 },
	};

	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!needed[i].there)
			return parse_fail(p, p->last_line, "%s: is missing", needed[i].word);
	if (t->unmailed &&
	    (t->n_control > 0 || t->n_contrast > 0 || t->n_graded_on > 0 || t->message != NULL))
		return parse_fail(p, 1,
		    "mailed no: then it has no control, contrast, message and is not graded on "
		    "others");
	if (t->message != NULL && t->batch != 'o')
		return parse_fail(p, 1,
		    "message %s: the test must be alone in its message, batch alone", t->message);
	for (unsigned i = 0; i < t->n_control; i++)
		if (strcmp(t->control[i], t->name) == 0)
			return parse_fail(p, 1, "control %s: is the test itself", t->name);
	for (unsigned i = 0; i < t->n_contrast; i++)
		if (strcmp(t->contrast[i], t->name) == 0)
			return parse_fail(p, 1, "contrast %s: is the test itself", t->name);
	return 0;
}

/* What is graded on other tests' mail has none of its own, and nothing for it to come to. */
static int
check_graded(struct parse *p)
{
	const struct test *t = p->test;
	const struct {
		const char *word;
		bool there;
	} own[] = {
		{ "[dns]", t->n_records > 0 },
		{ "[zone]", p->zones_given != 0 },
		{ "[answers]", t->n_answers > 0 },
		{ "[host]", t->n_hosts > 0 },
		{ "[policy]", t->n_policy > 0 },
		{ "[phases]", t->n_phases > 0 },
		{ "mailbox", t->n_mailbox > 0 },
		{ "message", t->message != NULL },
		{ "batch", t->batch != 'a' },
		{ "control", t->n_control > 0 },
		{ "contrast", t->n_contrast > 0 },
		{ "trait", t->n_traits > 0 },
		{ "v6", t->v6_only },
	};

	if (t->n_graded_on == 0)
		return 0;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (own[i].there)
			return parse_fail(p, 1,
			    "%s: the test is graded on the mail of others, nothing is sent to it",
			    own[i].word);
	for (unsigned i = 0; i < t->n_graded_on; i++)
		if (strcmp(t->graded_on[i], t->name) == 0)
			return parse_fail(p, 1, "graded on %s: is the test itself", t->name);
	return 0;
}

/* --- records ----------------------------------------------------------------------------------- */
/* Is there a record at the host name mxK (or below it) of the zone? */
static bool
owner_exists(const struct test *t, const struct template_name *n)
{
	struct template_name o;
	char why[8];

	if (n->root != ROOT_MX)
		return true;
	for (size_t i = 0; i < t->n_records; i++)
		if (template_name_parse(&o, t->records[i].owner, why, sizeof why) == 0 &&
		    o.root == ROOT_MX && o.host == n->host && o.zone == n->zone)
			return true;
	return false;
}

/* Hosts that the RDATA names with an address or a certificate. */
static int
check_rdata(struct parse *p, const struct dns_record *r, uint32_t *reached)
{
	const struct test *t = p->test;
	struct placeholder ph;
	char why[8];

	for (const char *s = r->rdata; (s = strchr(s, '{')) != NULL; s++) {
		if (placeholder_parse(&ph, s, why, sizeof why) != 0)
			continue;
		if (ph.zone == 1 && !t->zone[1].used)
			return parse_fail(p, r->line,
			    "%.*s: there is no second zone, [dns b] is missing", (int)ph.len, s);
		if (!placeholder_needs_host(ph.kind))
			continue;
		if (!t->host[ph.number].used)
			return parse_fail(
			    p, r->line, "%.*s: [host %u] is missing", (int)ph.len, s, ph.number);
		if (ph.kind == PH_IPV4 || ph.kind == PH_IPV6)
			*reached |= UINT32_C(1) << ph.number;
	}
	return 0;
}

static int
check_pair(struct parse *p, const struct dns_record *a, const struct dns_record *b)
{
	if (a->zone != b->zone || a->phase != b->phase || strcmp(a->owner, b->owner) != 0)
		return 0;
	if (a->type == b->type && strcmp(a->rdata, b->rdata) == 0)
		return parse_fail(p, b->line, "record: the same stands in line %u", a->line);
	if (a->type == b->type && a->ttl != b->ttl)
		return parse_fail(p, b->line,
		    "ttl %u: line %u of the same set has %u (RFC 2181 5.2)", (unsigned)b->ttl,
		    a->line, (unsigned)a->ttl);
	if (a->type == 5 || b->type == 5)
		return parse_fail(p, b->line,
		    "CNAME: stands alone at its name, see line %u (RFC 2181 10.1)", a->line);
	return 0;
}

static int
check_records(struct parse *p)
{
	const struct test *t = p->test;
	uint32_t reached = 0;

	for (size_t i = 0; i < t->n_records; i++) {
		if (check_rdata(p, &t->records[i], &reached) != 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (check_pair(p, &t->records[k], &t->records[i]) != 0)
				return -1;
	}
	for (unsigned k = 0; k < t->n_hosts; k++)
		if (t->host[k].used && !(reached & (UINT32_C(1) << k)))
			return parse_fail(p, t->host[k].line,
			    "[host %u]: no record has {ipv4:%u} or {ipv6:%u}", k, k, k);
	for (size_t i = 0; i < t->n_answers; i++) {
		struct template_name n;
		char why[8];
		if (t->answers[i].name != NULL &&
		    template_name_parse(&n, t->answers[i].name, why, sizeof why) == 0 &&
		    !owner_exists(t, &n))
			return parse_fail(p, t->answers[i].line, "%s: no record stands at {mx%u}",
			    t->answers[i].name, n.host);
	}
	return 0;
}

static int
check_hosts(struct parse *p)
{
	const struct test *t = p->test;

	/* Its IPv6 address is that of the last host. */
	if (t->n_policy > 0 && t->host[TEST_HOSTS_MAX - 1].used)
		return parse_fail(p, t->host[TEST_HOSTS_MAX - 1].line,
		    "[host %d]: is the policy host when a test has a [policy]", TEST_HOSTS_MAX - 1);
	for (unsigned k = 0; k < t->n_hosts; k++)
		if (t->host[k].used && t->host[k].require_tls &&
		    (t->host[k].starttls == STARTTLS_OFF || t->host[k].starttls == STARTTLS_CODE))
			return parse_fail(p, t->host[k].line,
			    "[host %u]: require-tls, but STARTTLS cannot be done", k);
	return 0;
}

/* --- phases ------------------------------------------------------------------------------------ */
static unsigned
last_phase(const struct test *t)
{
	return t->n_phases == 0 ? 0 : t->phases[t->n_phases - 1].phase;
}

static int
check_phase(struct parse *p, unsigned line, unsigned phase)
{
	if (phase <= last_phase(p->test) || (phase == 1 && p->test->n_phases > 0))
		return 0;
	return parse_fail(p, line, "phase %u: [phases] has no such phase", phase);
}

static int
check_phases(struct parse *p)
{
	const struct test *t = p->test;

	for (size_t i = 0; i < t->n_phases; i++)
		for (size_t k = 0; k < t->phases[i].n; k++)
			if (t->phases[i].all[k].event == PHASE_PHASE &&
			    t->phases[i].all[k].phase >= t->phases[i].phase)
				return parse_fail(p, t->phases[i].line,
				    "phase %u: hangs on phase %u, which is not before it",
				    t->phases[i].phase, t->phases[i].all[k].phase);
			else if (t->phases[i].all[k].in >= t->phases[i].phase)
				return parse_fail(p, t->phases[i].line,
				    "phase %u: waits for an event of phase %u, which is not before "
				    "it",
				    t->phases[i].phase, t->phases[i].all[k].in);
	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].phase != 0 &&
		    check_phase(p, t->records[i].line, t->records[i].phase) != 0)
			return -1;
	for (size_t i = 0; i < t->n_answers; i++)
		if (t->answers[i].when.kind == COND_PHASE &&
		    check_phase(p, t->answers[i].line, t->answers[i].when.count) != 0)
			return -1;
	for (unsigned k = 0; k < t->n_hosts; k++)
		for (size_t i = 0; i < t->host[k].n_rules; i++)
			if (t->host[k].rules[i].when.kind == COND_PHASE &&
			    check_phase(
				p, t->host[k].rules[i].line, t->host[k].rules[i].when.count) != 0)
				return -1;
	for (unsigned i = 0; i < t->n_policy; i++)
		if (t->policy[i].phase_to != 0 &&
		    check_phase(p, p->last_line, t->policy[i].phase_to) != 0)
			return -1;
	return 0;
}

/* --- what rules and traces ask for -------------------------------------------------------------- */
/* Can the test's daemons ever say this deviation? */
static bool
dev_exists(const struct test *t, const char *dev)
{
	static const char *const zone_signs[] = { "", "sign corrupt", "sign expired", "sign future",
		"sign none" };
	static const char *const offers[] = { "", "starttls off", NULL, "starttls mangle",
		"starttls inject", "starttls abort" };
	char code[24], policy[160];

	for (unsigned i = 0; i < t->n_policy; i++) {
		policy_dev(policy, sizeof policy, &t->policy[i]);
		if (strcmp(policy, dev) == 0)
			return true;
	}
	for (unsigned z = 0; z < TEST_ZONES_MAX; z++)
		if (t->zone[z].sign != SIGN_RIGHT && strcmp(zone_signs[t->zone[z].sign], dev) == 0)
			return true;
	for (size_t i = 0; i < t->n_answers; i++)
		if (strcmp(t->answers[i].text, dev) == 0)
			return true;
	for (unsigned k = 0; k < t->n_hosts; k++) {
		const struct host *h = &t->host[k];
		if (!h->used)
			continue;
		snprintf(code, sizeof code, "starttls %u", h->starttls_code);
		if (strcmp(h->starttls == STARTTLS_CODE ? code : offers[h->starttls], dev) == 0 ||
		    (h->require_tls && strcmp(dev, "require-tls") == 0))
			return true;
		for (size_t i = 0; i < h->n_rules; i++)
			if (strcmp(h->rules[i].dev, dev) == 0)
				return true;
	}
	return false;
}

static int
check_dev(struct parse *p, unsigned line, const char *dev)
{
	if (dev[0] == '\0' || dev_exists(p->test, dev))
		return 0;
	return parse_fail(p, line, "dev \"%.60s\": this file has no such deviation", dev);
}

/* A name that a question can carry and that names a participant. */
static int
check_asked(struct parse *p, unsigned line, const char *at)
{
	struct template_name n;
	char why[160];

	if (template_name_parse(&n, at, why, sizeof why) != 0)
		return parse_fail(p, line, "%s", why);
	if (n.root == ROOT_ZONE || n.root == ROOT_BASE)
		return parse_fail(
		    p, line, "%s: has no token in it, nobody could say who asked", at);
	if (n.zone == 1 && !p->test->zone[1].used)
		return parse_fail(p, line, "%s: there is no second zone, [dns b] is missing", at);
	if (!owner_exists(p->test, &n))
		return parse_fail(
		    p, line, "%s: no record stands at {mx%u}, it is never asked for", at, n.host);
	return 0;
}

static int
check_predicate(struct parse *p, unsigned line, const struct predicate *q)
{
	const struct test *t = p->test;

	if (q->host >= 0 && (q->kind == P_STALE || q->kind == P_ACCEPTED || q->kind == P_MET) &&
	    !t->host[q->host].used)
		return parse_fail(p, line, "host %d: [host %d] is missing", q->host, q->host);
	if (q->mailbox >= 0 && (unsigned)q->mailbox >= (t->n_mailbox ? t->n_mailbox : 1))
		return parse_fail(p, line, "mailbox %d: the test has no such mailbox", q->mailbox);
	if (q->phase >= 0 && check_phase(p, line, (unsigned)q->phase) != 0)
		return -1;
	if (q->at != NULL && check_asked(p, line, q->at) != 0)
		return -1;
	if (q->kind == P_MET && q->n_names > 0 && check_dev(p, line, q->name[0]) != 0)
		return -1;
	if (q->canary && t->message == NULL)
		return parse_fail(p, line, "canary: the head asks for no message");
	if (q->kind == P_CONTRAST && t->n_contrast == 0)
		return parse_fail(p, line, "contrast: the head names none");
	if ((q->kind == P_CONTROL_ACCEPTED || q->kind == P_CONTROL_RETURNED ||
		q->kind == P_CONTROL_AUTH) &&
	    t->n_control == 0)
		return parse_fail(p, line, "control: the head names none");
	if (q->kind == P_FETCHED && t->n_policy == 0)
		return parse_fail(p, line, "fetched: the test has no [policy]");
	if (q->after != NULL && check_predicate(p, line, q->after) != 0)
		return -1;
	if (q->returned != NULL && check_predicate(p, line, q->returned) != 0)
		return -1;
	return q->within_of == NULL ? 0 : check_predicate(p, line, q->within_of);
}

/* Two rules with the same predicates: the second is never reached. */
static bool
predicate_same(const struct predicate *a, const struct predicate *b)
{
	if ((a == NULL) != (b == NULL))
		return false;
	if (a == NULL)
		return true;
	if (a->kind != b->kind || a->negated != b->negated || a->host != b->host ||
	    a->mailbox != b->mailbox || a->phase != b->phase || a->family != b->family ||
	    a->tls != b->tls || a->sni != b->sni || a->client_cert != b->client_cert ||
	    a->lost != b->lost || a->canary != b->canary || a->count_min != b->count_min ||
	    a->count_max != b->count_max || a->stage != b->stage ||
	    a->commands_min != b->commands_min || a->commands_max != b->commands_max ||
	    a->type != b->type || a->rcode != b->rcode || a->via != b->via ||
	    a->number != b->number || a->age_us != b->age_us || a->outcome != b->outcome ||
	    a->answer != b->answer || a->within_us != b->within_us ||
	    a->within_side != b->within_side || a->thing != b->thing || a->without != b->without ||
	    a->maybe != b->maybe || a->n_names != b->n_names ||
	    (a->at == NULL) != (b->at == NULL) || a->at_kind != b->at_kind ||
	    (a->at != NULL && strcmp(a->at, b->at) != 0))
		return false;
	for (unsigned i = 0; i < a->n_names; i++)
		if (strcmp(a->name[i], b->name[i]) != 0)
			return false;
	return predicate_same(a->after, b->after) && predicate_same(a->within_of, b->within_of) &&
	       predicate_same(a->returned, b->returned);
}

/* Does every rule that meets b also meet a?  True if each predicate of a stands in b. */
static bool
rule_covers(const struct verdict_rule *a, const struct verdict_rule *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;
		for (size_t k = 0; k < b->n && !found; k++)
			found = predicate_same(&a->all[i], &b->all[k]);
		if (!found)
			return false;
	}
	return true;
}

static int
check_rules(struct parse *p)
{
	const struct test *t = p->test;

	for (size_t i = 0; i < t->n_verdicts; i++) {
		const struct verdict_rule *r = &t->verdicts[i];
		for (size_t k = 0; k < r->n; k++)
			if (check_predicate(p, r->line, &r->all[k]) != 0)
				return -1;
		for (size_t k = 0; k < i; k++)
			if (rule_covers(&t->verdicts[k], r))
				return parse_fail(p, r->line,
				    "rule: never reached, the one in line %u holds wherever it "
				    "does",
				    t->verdicts[k].line);
	}
	return 0;
}

static int
check_traces(struct parse *p)
{
	const struct test *t = p->test;

	for (size_t i = 0; i < t->n_traces; i++)
		for (size_t k = 0; k < t->traces[i].n; k++) {
			const struct trace_step *s = &t->traces[i].steps[k];
			for (unsigned w = 1; s->kind == TRACE_EVENT && w < s->n; w++) {
				if (strncmp(s->word[w], "at=", 3) == 0 &&
				    check_asked(p, s->line, s->word[w] + 3) != 0)
					return -1;
				if (strncmp(s->word[w], "dev=", 4) == 0 &&
				    strcmp(s->word[w] + 4, "released") != 0 &&
				    check_dev(p, s->line, s->word[w] + 4) != 0)
					return -1;
			}
			if (s->kind == TRACE_CONTRAST && t->n_contrast == 0)
				return parse_fail(p, s->line, "contrast: the head names none");
		}
	return 0;
}

int
parse_check(struct parse *p)
{
	return check_head(p) != 0 || check_graded(p) != 0 || check_records(p) != 0 ||
		       check_hosts(p) != 0 || check_phases(p) != 0 || check_rules(p) != 0 ||
		       check_traces(p) != 0
		   ? -1
		   : 0;
}
