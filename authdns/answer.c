#include "authdns/answer.h"

#include <string.h>

static struct answer_item *
add(struct answer *a, enum section section, const struct zone *z, const struct node *node,
    const struct rrset *set, unsigned owner)
{
	struct answer_item *i;

	if (a->n == ANSWER_ITEMS_MAX)
		return &a->item[a->n - 1];
	i = &a->item[a->n++];
	i->section = section;
	i->zone = z;
	i->set = set;
	i->node = node;
	i->owner = owner;
	i->ttl = set != NULL ? set->ttl : z->negative_ttl;
	i->sign = z->is_signed;
	i->only_rrsig = i->synthesis = false;
	return i;
}

void
answer_soa(struct answer *a, const struct place *p, const struct dns_query *q)
{
	const struct zone *z = p->zone;

	add(a, SECTION_AUTHORITY, z, z->top, node_set(z->top, TYPE_SOA), q->name_len - z->apex_len)
	    ->ttl = z->negative_ttl;
}

/* RFC 2308 2.2, RFC 9824 3: SOA, and one NSEC at the name itself. */
static void
deny(struct answer *a, const struct place *p, const struct dns_query *q)
{
	const struct zone *z = p->zone;

	answer_soa(a, p, q);
	if (z->is_signed && q->dnssec_ok)
		add(a, SECTION_AUTHORITY, z, p->node, NULL, 0);
}

/* Addresses of the name servers that lie in the zone itself. */
static void
add_glue(struct answer *a, const struct zone *child)
{
	const struct rrset *ns = node_set(child->top, TYPE_NS);
	static const uint16_t types[] = { TYPE_A, TYPE_AAAA };

	for (const uint8_t *p = ns->plain.data, *end = p + ns->plain.len; p < end;
	     p += 2 + wire_get16(p)) {
		uint8_t key[DNS_NAME_MAX];
		size_t len = wire_get16(p);
		const struct node *n;

		if (len < child->apex_len || len > DNS_NAME_MAX)
			continue;
		wire_name_lower(key, p + 2, len);
		if (memcmp(key + len - child->apex_len, child->apex, child->apex_len) != 0)
			continue;
		n = zone_node(child, key, len - child->apex_len);
		for (unsigned i = 0; n != NULL && i < 2; i++)
			if (node_set(n, types[i]) != NULL)
				add(a, SECTION_ADDITIONAL, child, n, node_set(n, types[i]),
				    OWNER_ELSEWHERE)
				    ->sign = false;
	}
}

/* RFC 4035 3.1.4: NS unsigned, DS or the proof that there is none, glue. */
static void
refer(struct answer *a, const struct place *p, const struct dns_query *q)
{
	const struct zone *base = p->zone;
	const struct rrset *ds = node_set(p->node, TYPE_DS);
	unsigned owner = q->name_len - p->cut->apex_len;

	add(a, SECTION_AUTHORITY, base, p->node, node_set(p->node, TYPE_NS), owner)->sign = false;
	if (q->dnssec_ok && base->is_signed)
		add(a, SECTION_AUTHORITY, base, p->node, ds, owner);
	add_glue(a, p->cut);
}

static void
answer_rrsig(struct answer *a, const struct place *p, const struct dns_query *q)
{
	if (p->zone->is_signed && p->zone->sign != SIGN_NONE && p->node->n_sets > 0)
		add(a, SECTION_ANSWER, p->zone, p->node, &p->node->sets[0], 0)->only_rrsig = true;
	else
		deny(a, p, q);
}

static void
answer_node(struct answer *a, const struct place *p, const struct dns_query *q)
{
	const struct node *n = p->node;
	const struct rrset *set = node_set(n, q->qtype);

	if (q->qtype == TYPE_RRSIG) {
		answer_rrsig(a, p, q);
		return;
	}
	if (q->qtype == TYPE_NSEC && p->zone->is_signed && !p->zone->nsec3) {
		add(a, SECTION_ANSWER, p->zone, n, NULL, 0);
		return;
	}
	if (set == NULL && q->qtype == TYPE_ANY && n->n_sets > 0)
		set = &n->sets[0]; /* RFC 8482 4.1: one RRset is enough */
	if (set == NULL && n->cut == NULL)
		set = node_set(n, TYPE_CNAME);
	if (set != NULL)
		add(a, SECTION_ANSWER, p->zone, n, set, 0)->sign = p->zone->is_signed &&
								   !(n->cut &&
								       set->type == TYPE_NS);
	else
		deny(a, p, q);
}

/* RFC 6672 3.1: the DNAME, and the CNAME that it makes here; a target that is too long is told. */
static void
answer_dname(struct answer *a, const struct place *p)
{
	const struct rrset *set = node_set(p->dname, TYPE_DNAME);
	struct answer_item *cname;

	add(a, SECTION_ANSWER, p->zone, p->dname, set, p->dname_at);
	if (p->dname_at + wire_get16(set->plain.data) > DNS_NAME_MAX) {
		a->rcode = RCODE_YXDOMAIN;
		return;
	}
	cname = add(a, SECTION_ANSWER, p->zone, p->dname, set, 0);
	cname->sign = false;
	cname->synthesis = true;
}

/* Types that no zone can hold: RFC 6895 3.1, RFC 9824 3.5. */
static unsigned
type_fault(uint16_t type)
{
	if (type == TYPE_AXFR || type == TYPE_IXFR)
		return RCODE_REFUSED;
	if (type == TYPE_MAILB || type == TYPE_MAILA)
		return RCODE_NOTIMP;
	if (type == 0 || type == TYPE_OPT || (type >= TYPE_NXNAME && type < TYPE_MAILB))
		return RCODE_FORMERR;
	return RCODE_NOERROR;
}

void
answer_choose(struct answer *a, const struct place *p, const struct dns_query *q)
{
	a->n = 0;
	a->authoritative = false;
	a->rcode = p->zone == NULL || q->qclass != 1 ? RCODE_REFUSED : type_fault(q->qtype);
	if (a->rcode != RCODE_NOERROR)
		return;
	if (p->cut != NULL) {
		refer(a, p, q);
		return;
	}
	a->authoritative = true;
	if (p->node != NULL) {
		answer_node(a, p, q);
		return;
	}
	if (p->dname != NULL) {
		answer_dname(a, p);
		return;
	}
	deny(a, p, q);
	/* RFC 9824 3.1 and 5: who can read NXNAME gets NOERROR, the others are told plainly; but a test zone
	 * never says NXDOMAIN, or a resolver that minimises names would stop there. */
	if (p->zone->test == NULL && !q->dnssec_ok)
		a->rcode = RCODE_NXDOMAIN;
}
