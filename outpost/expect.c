/* expect.c - see expect.h. */
#include "outpost/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

#define TYPE_DNAME 39

static bool
rule_matches(const struct answer_rule *r, const struct dns_record *rec)
{
	return r->zone == rec->zone && (r->type == 255 || r->type == rec->type) &&
	       (r->name == NULL || strcmp(r->name, rec->owner) == 0);
}

/* Something about this RRset depends on what went before: it cannot be judged by looking once. */
static bool
is_changing(const struct test *t, const struct dns_record *rec)
{
	if (rec->phase != 0)
		return true;
	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].phase != 0 && t->records[i].type == rec->type &&
		    strcmp(t->records[i].owner, rec->owner) == 0)
			return true;
	for (size_t i = 0; i < t->n_answers; i++)
		if (rule_matches(&t->answers[i], rec) && t->answers[i].when.kind != COND_ALWAYS)
			return true;
	return false;
}

static void
apply_rules(struct expect *e, const struct test *t, const struct dns_record *rec)
{
	for (size_t i = 0; i < t->n_answers; i++) {
		const struct answer_rule *r = &t->answers[i];

		if (!rule_matches(r, rec))
			continue;
		if (r->action == ANSWER_RCODE) {
			e->rcode = (int)r->rcode;
			e->fails = true;
		} else if (r->action == ANSWER_DROP) {
			e->dropped = e->fails = true;
		} else if (r->action == ANSWER_NOEDNS) {
			e->edns = EDNS_REFUSED;
		} else if (r->action == ANSWER_DROP_EDNS) {
			e->edns = EDNS_DROPPED;
		} else if (r->action == ANSWER_SIGN && r->sign != SIGN_RIGHT &&
			   e->security == ZONE_SECURE) {
			e->security = ZONE_BOGUS;
		}
	}
}

/* Not to be used any more, or not by everybody. */
static bool
algorithm_is_optional(unsigned n)
{
	return n == 5 || n == 7 || n == 12 || n == 16;
}

static struct expect *
set_of(
    struct expectations *x, const struct test *t, const struct dns_record *rec, const char *owner)
{
	struct expect *e;

	for (size_t i = 0; i < x->n; i++)
		if (x->set[i].type == rec->type && strcmp(x->set[i].owner, owner) == 0)
			return &x->set[i];
	x->set = xrealloc(x->set, (x->n + 1) * sizeof(*x->set));
	e = &x->set[x->n++];
	memset(e, 0, sizeof(*e));
	e->zone = rec->zone;
	e->type = rec->type;
	snprintf(e->owner, sizeof(e->owner), "%s", owner);
	e->rrs = ldns_rr_list_new();
	e->security = zone_security(&t->zone[rec->zone]);
	e->optional = algorithm_is_optional(t->zone[rec->zone].algorithm);
	e->alias = rec->type == TYPE_DNAME && strcmp(rec->owner, "{zone}") == 0;
	apply_rules(e, t, rec);
	return e;
}

static int
add_record(struct expectations *x, const struct site *site, const struct test *t,
    const struct token *token, const struct dns_record *rec, char *err, size_t errlen)
{
	char owner[256], rdata[1024], text[1400], type[12];
	enum render_result rc;
	struct expect *e;
	ldns_rr *rr = NULL;

	if (render(owner, sizeof(owner), rec->owner, site, t, rec->zone, token, err, errlen) !=
	    RENDER_OK)
		return -1;
	e = set_of(x, t, rec, owner);
	/* Records of zone b speak of the first zone unless they say ":b". */
	rc = render(rdata, sizeof(rdata), rec->rdata, site, t, 0, token, err, errlen);
	if (rc == RENDER_NO_ADDRESS)
		return 0;
	if (rc == RENDER_ERROR)
		return -1;
	snprintf(text, sizeof(text), "%s %u IN %s %s", owner, rec->ttl,
	    rrtype_name(rec->type, type), rdata);
	if (ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL) != LDNS_STATUS_OK) {
		snprintf(err, errlen, "%s:%u: not a record: \"%.200s\"", t->path, rec->line, text);
		return -1;
	}
	ldns_rr2canonical(rr);
	ldns_rr_list_push_rr(e->rrs, rr);
	return 0;
}

int
expect_build(struct expectations *dst, const struct site *site, const struct test *t,
    const struct token *token, char *err, size_t errlen)
{
	dst->set = NULL;
	dst->n = 0;
	for (size_t i = 0; i < t->n_records; i++) {
		if (is_changing(t, &t->records[i]))
			continue;
		if (add_record(dst, site, t, token, &t->records[i], err, errlen) != 0) {
			expect_clear(dst);
			return -1;
		}
	}
	for (size_t i = 0; i < dst->n; i++)
		ldns_rr_list_sort(dst->set[i].rrs);
	return 0;
}

void
expect_clear(struct expectations *x)
{
	for (size_t i = 0; i < x->n; i++)
		ldns_rr_list_deep_free(x->set[i].rrs);
	free(x->set);
	x->set = NULL;
	x->n = 0;
}

bool
expect_equal(const struct expect *e, ldns_rr_list *list)
{
	size_t n = list != NULL ? ldns_rr_list_rr_count(list) : 0;
	bool equal = n == ldns_rr_list_rr_count(e->rrs);

	if (list != NULL) {
		ldns_rr_list2canonical(list);
		ldns_rr_list_sort(list);
	}
	for (size_t i = 0; i < n && equal; i++)
		equal = ldns_rr_compare(ldns_rr_list_rr(list, i), ldns_rr_list_rr(e->rrs, i)) == 0;
	ldns_rr_list_deep_free(list);
	return equal;
}
