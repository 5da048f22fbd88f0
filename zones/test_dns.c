/* test_dns.c - sections [dns], [zone] and [answers] of a test file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "zones/parse.h"
#include "zones/rdata.h"

/* "[dns]", "[dns b]", "[dns phase 2]", "[dns b phase 2]" */
static int
begin_dns(struct parse *p, const struct text_line *l)
{
	unsigned i = 1;
	unsigned long n;

	if (i < l->n && strcmp(l->word[i], "b") == 0) {
		p->zone = 1;
		p->test->zone[1].used = true;
		i++;
	}
	if (l->n - i == 2 && strcmp(l->word[i], "phase") == 0) {
		if (parse_number(p, l->number, "phase", l->word[i + 1], 1, TEST_PHASES_MAX, &n) !=
		    0)
			return -1;
		p->phase = (unsigned)n;
		i += 2;
	}
	return i == l->n
		   ? 0
		   : parse_fail(p, l->number, "[dns]: must be written: %s", section_dns.usage);
}

#define RECORDS_MAX 512

static int
dns_line(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	struct template_name owner;
	struct dns_record r = { .line = l->number, .zone = p->zone, .phase = p->phase };
	unsigned long ttl;
	char why[200];

	if (l->n < 4)
		return parse_fail(
		    p, l->number, "record: must be written: %s", section_dns.line_usage);
	if (t->n_records == RECORDS_MAX)
		return parse_fail(p, l->number, "record: more than %d in one file", RECORDS_MAX);
	if (parse_name(p, l->number, l->word[0], (int)p->zone, &owner) != 0 ||
	    parse_number(p, l->number, "ttl", l->word[1], 0, 604800, &ttl) != 0)
		return -1;
	if (owner.root == ROOT_BASE)
		return parse_fail(
		    p, l->number, "%.60s: a test has no records at {base}", l->word[0]);
	r.ttl = (uint32_t)ttl;
	r.type = rrtype_by_name(l->word[2]);
	if (r.type == 0)
		return parse_fail(p, l->number, "%.40s: no such record type", l->word[2]);
	r.rdata = rdata_text(l, 3, r.type, why, sizeof why);
	if (r.rdata == NULL)
		return parse_fail(p, l->number, "%s", why);
	r.owner = xstrdup(l->word[0]);
	t->records = parse_grow(t->records, t->n_records, sizeof r);
	t->records[t->n_records++] = r;
	return 0;
}

const struct section section_dns = { "dns", "[dns [b] [phase N]]", begin_dns, NULL, 0, dns_line,
	"OWNER TTL TYPE RDATA...", NULL };

/* --- [zone] ------------------------------------------------------------------------------------ */
const char *const ns_names[] = { "both", "v4", "v6", "lame", NULL };
const char *const ds_names[] = { "right", "wrong", "none", "digest", NULL };
const char *const sign_names[] = { "right", "corrupt", "expired", "future", "none", NULL };
const char *const denial_names[] = { "nsec", "nsec3", "corrupt", NULL };

static int
begin_zoned(struct parse *p, const struct text_line *l)
{
	if (l->n == 2 && strcmp(l->word[1], "b") == 0)
		p->zone = 1;
	else if (l->n != 1)
		return parse_fail(p, l->number, "[%s]: must be [%s] or [%s b]", l->word[0],
		    l->word[0], l->word[0]);
	return 0;
}

static int
begin_zone(struct parse *p, const struct text_line *l)
{
	if (begin_zoned(p, l) != 0)
		return -1;
	if (p->zones_given & (1u << p->zone))
		return parse_fail(p, l->number, "[zone%s]: said twice", p->zone ? " b" : "");
	p->zones_given |= 1u << p->zone;
	p->test->zone[p->zone].used = true;
	return 0;
}

static int
zone_ns(struct parse *p, const struct text_line *l)
{
	int k = parse_word(p, l->number, "ns", ns_names, l->word[1]);

	p->test->zone[p->zone].ns = (enum ns_mode)k;
	return k < 0 ? -1 : 0;
}

static int
zone_ds(struct parse *p, const struct text_line *l)
{
	struct zone_options *z = &p->test->zone[p->zone];
	int k = parse_word(p, l->number, "ds", ds_names, l->word[1]);
	unsigned long n;

	if (k < 0)
		return -1;
	z->ds = (enum ds_mode)k;
	if ((z->ds == DS_DIGEST) != (l->n == 3))
		return parse_fail(p, l->number,
		    "ds %s: a digest type must follow digest, and only digest", l->word[1]);
	if (l->n == 3) {
		if (parse_number(p, l->number, "digest", l->word[2], 0, 255, &n) != 0)
			return -1;
		z->ds_digest = (unsigned)n;
	}
	return 0;
}

static int
zone_algorithm(struct parse *p, const struct text_line *l)
{
	unsigned long n;

	if (parse_number(p, l->number, "algorithm", l->word[1], 1, 255, &n) != 0)
		return -1;
	p->test->zone[p->zone].algorithm = (unsigned)n;
	return 0;
}

static int
zone_sign(struct parse *p, const struct text_line *l)
{
	int k = parse_word(p, l->number, "sign", sign_names, l->word[1]);

	p->test->zone[p->zone].sign = (enum sign_mode)k;
	return k < 0 ? -1 : 0;
}

static int
zone_denial(struct parse *p, const struct text_line *l)
{
	struct zone_options *z = &p->test->zone[p->zone];
	int k = parse_word(p, l->number, "denial", denial_names, l->word[1]);
	unsigned long n;

	if (k < 0)
		return -1;
	z->denial = (enum denial_mode)k;
	if (l->n == 2)
		return 0;
	if (z->denial != DENIAL_NSEC3 || l->n != 4 || strcmp(l->word[2], "iterations") != 0)
		return parse_fail(
		    p, l->number, "denial: only nsec3 may be followed, by iterations N");
	if (parse_number(p, l->number, "iterations", l->word[3], 0, 2500, &n) != 0)
		return -1;
	z->iterations = (unsigned)n;
	return 0;
}

static int
zone_address(struct parse *p, const struct text_line *l)
{
	static const char *const own[] = { "own", NULL };

	p->test->zone[p->zone].own_address = true;
	return parse_word(p, l->number, "address", own, l->word[1]) < 0 ? -1 : 0;
}

static const struct keyword zone_keywords[] = {
	{ "ns", 1, 1, false, "ns both|v4|v6|lame", zone_ns },
	{ "ds", 1, 2, false, "ds right|wrong|none|digest N", zone_ds },
	{ "algorithm", 1, 1, false, "algorithm N", zone_algorithm },
	{ "sign", 1, 1, false, "sign right|corrupt|expired|future|none", zone_sign },
	{ "denial", 1, 3, false, "denial nsec|nsec3|corrupt [iterations N]", zone_denial },
	{ "address", 1, 1, false, "address own", zone_address },
};
const struct section section_zone = { "zone", "[zone [b]]", begin_zone, zone_keywords,
	sizeof zone_keywords / sizeof zone_keywords[0], NULL, NULL, NULL };

enum zone_security
zone_security(const struct zone_options *z)
{
	/* Unknown algorithms and digests count as no DS at all (RFC 4035 5.2); 120 is unassigned. */
	if (z->ds == DS_NONE ||
	    (z->ds == DS_DIGEST && z->ds_digest != 1 && z->ds_digest != 2 && z->ds_digest != 4) ||
	    z->algorithm == 120)
		return ZONE_INSECURE;
	return z->ds == DS_WRONG || z->sign != SIGN_RIGHT ? ZONE_BOGUS : ZONE_SECURE;
}

/* --- [answers] --------------------------------------------------------------------------------- */
const char *const answer_names[] = { "rcode", "drop", "delay", "tc", "noedns", "ttl", "case", "pad",
	"sign", "drop-edns", NULL };
/* Has the action an argument? */
static const bool answer_argument[] = { true, false, true, false, false, true, false, true, true,
	false };

static int
answer_value(struct parse *p, const struct text_line *l, struct answer_rule *a)
{
	const char *arg = l->word[3];
	unsigned long n = 0;
	int k;

	switch (a->action) {
	case ANSWER_RCODE:
		if ((k = rcode_by_name(arg)) < 0)
			return parse_fail(p, l->number, "rcode %.40s: no such response code", arg);
		if (k > 15)
			return parse_fail(
			    p, l->number, "rcode %.40s: extended codes cannot be sent", arg);
		/* Resolvers take NXDOMAIN for all types and for the names below (RFC 8020). */
		if (k == 3 && (a->type == 255 || a->name == NULL))
			return parse_fail(p, l->number,
			    "rcode NXDOMAIN: only for one type at one name, it hides others");
		a->rcode = (unsigned)k;
		return 0;
	case ANSWER_DELAY:
		return parse_duration(p, l->number, "delay", arg, &a->delay_us);
	case ANSWER_TTL:
	case ANSWER_PAD:
		if (parse_number(p, l->number, l->word[2], arg, 0,
			a->action == ANSWER_TTL ? 604800 : 60000, &n) != 0)
			return -1;
		a->number = (uint32_t)n;
		return 0;
	case ANSWER_SIGN:
		k = parse_word(p, l->number, "sign", sign_names, arg);
		a->sign = (enum sign_mode)k;
		return k < 0 ? -1 : 0;
	default:
		return 0;
	}
}

#define ANSWERS_MAX 128

/* TYPE|any NAME|any ACTION [ARGUMENT] [while ...] */
static int
answers_line(struct parse *p, const struct text_line *l)
{
	struct test *t = p->test;
	struct answer_rule a = { .line = l->number, .zone = p->zone };
	struct template_name name;
	unsigned used;
	int k;

	if (l->n < 3)
		return parse_fail(
		    p, l->number, "answer: must be written: %s", section_answers.line_usage);
	if (t->n_answers == ANSWERS_MAX)
		return parse_fail(p, l->number, "answer: more than %d in one file", ANSWERS_MAX);
	a.type = strcmp(l->word[0], "any") == 0 ? 255 : rrtype_by_name(l->word[0]);
	if (!rrtype_can_be_asked(a.type) || (a.type == 255 && strcmp(l->word[0], "any") != 0))
		return parse_fail(p, l->number, "%.40s: no type that can be asked for", l->word[0]);
	if (strcmp(l->word[1], "any") != 0 &&
	    parse_name(p, l->number, l->word[1], (int)p->zone, &name) != 0)
		return -1;
	if ((k = parse_word(p, l->number, "action", answer_names, l->word[2])) < 0)
		return -1;
	a.action = (enum answer_action)k;
	used = answer_argument[k] ? 4 : 3;
	if (l->n < used)
		return parse_fail(p, l->number, "%s: its argument is missing", l->word[2]);
	if (strcmp(l->word[1], "any") != 0)
		a.name = l->word[1]; /* for answer_value; copied below */
	if (answer_value(p, l, &a) != 0 || parse_condition(p, l, used, &a.when) != 0)
		return -1;
	if (a.name != NULL)
		a.name = xstrdup(a.name);
	a.text = parse_join(l, 2, used);
	t->answers = parse_grow(t->answers, t->n_answers, sizeof a);
	t->answers[t->n_answers++] = a;
	return 0;
}

const struct section section_answers = { "answers", "[answers [b]]", begin_zoned, NULL, 0,
	answers_line, "TYPE|any NAME|any ACTION [ARGUMENT] [while CONDITION]", NULL };
