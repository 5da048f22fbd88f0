#include "authdns/compile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authdns/delegate.h"
#include "authdns/nsec3.h"
#include "authdns/undeviated.h"
#include "lib/strbuf.h"
#include "provisioning/released.h"
#include "provisioning/render.h"
#include "zones/basezone.h"

#define DNSKEY_TTL 3600

/* RFC 4034 B */
static uint16_t
dnskey_tag(const uint8_t *rdata, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? rdata[i] : (uint32_t)rdata[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

/* --- keys --- */

static struct zone_key *
key_add(struct zones *zs, const struct site_zone_key *k, unsigned algorithm)
{
	struct zone_key *dst = &zs->keys[zs->n_keys++];

	dst->algorithm = algorithm;
	dst->pkey = k->pkey;
	dst->dnskey_len = k->dnskey_len;
	memcpy(dst->dnskey, k->dnskey, k->dnskey_len);
	dst->dnskey[3] = (uint8_t)algorithm;
	dst->tag = dnskey_tag(dst->dnskey, dst->dnskey_len);
	return dst;
}

/* Algorithms that RFC 8624 and its registry know need a real key; any other number is served with
 * the P-256 key under that number, since no validator can tell. */
static const struct zone_key *
key_find(struct zones *zs, unsigned algorithm)
{
	const struct site *s = zs->site;
	bool known = algorithm <= 17 || algorithm == 23;

	for (unsigned i = 1; i < zs->n_keys; i++)
		if (zs->keys[i].algorithm == algorithm)
			return &zs->keys[i];
	for (size_t i = 0; i < s->n_zone_keys; i++)
		if (s->zone_key[i].algorithm == (known ? algorithm : 13))
			return key_add(zs, &s->zone_key[i], algorithm);
	return NULL;
}

/* --- nodes --- */

static struct node *
node_get(struct zones *zs, struct zone *z, struct node **list, unsigned *n, const uint8_t *key,
    size_t len)
{
	const uint8_t *found = NULL;
	struct node *node;

	for (unsigned i = 0; i < *n; i++)
		if (list[i]->key_len == len && memcmp(list[i]->key, key, len) == 0)
			return list[i];
	node = arena_alloc(zs->arena, sizeof(*node));
	node->key = arena_alloc(zs->arena, len + 1);
	memcpy(node->key, key, len);
	node->key_len = (uint8_t)len;
	node->labels = (uint8_t)(z->labels + wire_name_labels(node->key));
	found = len != 0 ? memmem(key, len, SENTINEL_TEXT, TOKEN_LEN) : NULL;
	node->token_at = found != NULL ? (int)(found - key) : -1;
	node->id = zs->ids++;
	list[(*n)++] = node;
	return node;
}

/* Key of an owner in the zone: its labels left of the apex, lower case.  -1: not in the zone. */
static int
owner_key(uint8_t key[DNS_NAME_MAX], const struct zone *z, const struct rendering *r)
{
	size_t len = r->owner_len;

	if (len < z->apex_len ||
	    !wire_name_equal(r->owner + len - z->apex_len, z->apex, z->apex_len))
		return -1;
	len -= z->apex_len;
	wire_name_lower(key, r->owner, len);
	return (int)len;
}

static bool
same_owner(const struct record *a, const struct record *b)
{
	const struct rendering *x = &a->as[0], *y = &b->as[0];

	return x->owner_len == y->owner_len && wire_name_equal(x->owner, y->owner, x->owner_len);
}

/* All RRsets of a node out of the zone's records. */
static int
node_fill(struct zones *zs, struct zone *z, struct node *node, struct record_list *l,
    const struct record *first, char *err, size_t errlen)
{
	struct record **group = xmalloc((l->n + 1) * sizeof(struct record *));
	uint16_t types[64];
	unsigned n_types = 0;
	int rc = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool seen = !same_owner(&l->r[i], first);

		for (unsigned k = 0; k < n_types && !seen; k++)
			seen = types[k] == l->r[i].type;
		if (!seen && n_types < 62)
			types[n_types++] = l->r[i].type;
	}
	node->sets = arena_alloc(zs->arena, (n_types + 1) * sizeof(*node->sets));
	for (unsigned k = 0; k < n_types && rc == 0; k++) {
		size_t n = 0;

		for (size_t i = 0; i < l->n; i++)
			if (l->r[i].type == types[k] && same_owner(&l->r[i], first))
				group[n++] = &l->r[i];
		node->sets[k].id = zs->ids++;
		rc = rrset_build(
		    &node->sets[k], zs->arena, z, group, n, node->key_len, err, errlen);
	}
	node->n_sets = n_types;
	types[n_types++] = TYPE_RRSIG;
	if (!z->nsec3)
		types[n_types++] = TYPE_NSEC;
	if (rc == 0 && bitmap_build(&node->bitmap, types, n_types) < 0) {
		snprintf(err, errlen, "%s:%u: too many kinds of types at one name", first->path,
		    first->line);
		rc = -1;
	}
	free(group);
	return rc;
}

/* Empty non-terminals: every name between an owner and the apex exists (RFC 8020). */
static void
add_parents(struct zones *zs, struct zone *z, struct node **list, unsigned *n)
{
	static const uint16_t types[] = { TYPE_RRSIG, TYPE_NSEC };

	for (unsigned i = 0, owners = *n; i < owners; i++)
		for (size_t at = 0; at < list[i]->key_len; at += 1 + (size_t)list[i]->key[at]) {
			struct node *p = node_get(
			    zs, z, list, n, list[i]->key + at, list[i]->key_len - at);

			if (p->n_sets == 0)
				bitmap_build(&p->bitmap, types, z->nsec3 ? 0 : 2);
		}
}

static void
table_build(struct zones *zs, struct zone *z, struct node **list, unsigned n)
{
	unsigned size = 8;

	while (size < 2 * n + 2)
		size *= 2;
	z->table = arena_alloc(zs->arena, size * sizeof(struct node *));
	z->mask = size - 1;
	for (unsigned i = 0; i < n; i++) {
		unsigned h = zone_hash(list[i]->key, list[i]->key_len) & z->mask;

		while (z->table[h] != NULL)
			h = (h + 1) & z->mask;
		z->table[h] = list[i];
	}
}

/* A CNAME stands alone at its name (RFC 1034 3.6.2). */
static const char *
node_fault(const struct zone *z, const struct node *n)
{
	if (node_set(n, TYPE_CNAME) != NULL && n->n_sets > 1)
		return "CNAME and other records at one name (RFC 1034 3.6.2)";
	if (n->key_len == 0 && (node_set(n, TYPE_SOA) == NULL || node_set(n, TYPE_NS) == NULL))
		return "the zone needs SOA and NS at its apex";
	if (n->key_len != 0 && z->test != NULL &&
	    (node_set(n, TYPE_SOA) || node_set(n, TYPE_NS) || node_set(n, TYPE_DS)))
		return "SOA, NS or DS below the apex: a test zone delegates nothing";
	return NULL;
}

/* RFC 6672 2.3: nothing stands below a DNAME. */
static int
check_dname(struct zone *z, struct node **list, unsigned n, char *err, size_t errlen)
{
	for (unsigned i = 0; i < n; i++) {
		if (node_set(list[i], TYPE_DNAME) == NULL)
			continue;
		z->has_dname = true;
		for (unsigned k = 0; k < n; k++) {
			size_t d = list[i]->key_len, l = list[k]->key_len;

			if (l > d && memcmp(list[k]->key + l - d, list[i]->key, d) == 0 &&
			    !z->alias) {
				snprintf(err, errlen,
				    "%s: records stand below a DNAME (RFC 6672 2.3)",
				    z->test != NULL ? z->test->path : "base.zone");
				return -1;
			}
		}
	}
	return 0;
}

static int
zone_build(struct zones *zs, struct zone *z, struct record_list *l, char *err, size_t errlen)
{
	struct node **list = xmalloc((l->n * DNS_LABELS_MAX + 2) * sizeof(struct node *));
	unsigned n = 0;
	int rc = 0;

	for (size_t i = 0; i < l->n && rc == 0; i++) {
		uint8_t key[DNS_NAME_MAX];
		int len = owner_key(key, z, &l->r[i].as[FOR_SENTINEL]);
		unsigned before = n;
		struct node *node;
		const char *fault;

		if (len < 0) {
			snprintf(err, errlen, "%s:%u: the owner is not in the zone", l->r[i].path,
			    l->r[i].line);
			rc = -1;
			break;
		}
		node = node_get(zs, z, list, &n, key, (size_t)len);
		if (n == before)
			continue;
		rc = node_fill(zs, z, node, l, &l->r[i], err, errlen);
		if (rc == 0 && (fault = node_fault(z, node)) != NULL) {
			snprintf(err, errlen, "%s:%u: %s", l->r[i].path, l->r[i].line, fault);
			rc = -1;
		}
	}
	if (rc == 0)
		rc = check_dname(z, list, n, err, errlen);
	if (rc == 0) {
		add_parents(zs, z, list, &n);
		table_build(zs, z, list, n);
		z->top = zone_node(z, (const uint8_t *)"", 0);
		if (z->top == NULL) {
			snprintf(err, errlen, "zones/base.zone: no SOA and NS for a zone");
			rc = -1;
		}
	}
	free(list);
	return rc;
}

/* --- zones --- */

/* RFC 9077: denial lives as long as the lesser of the SOA's TTL and its MINIMUM. */
static void
set_negative_ttl(struct zone *z)
{
	const struct rrset *soa = node_set(z->top, TYPE_SOA);
	const uint8_t *p = soa->plain.data + soa->plain.len - 4;
	uint32_t minimum = (uint32_t)wire_get16(p) << 16 | wire_get16(p + 2);

	z->negative_ttl = minimum < soa->ttl ? minimum : soa->ttl;
}

static int
zone_name(struct zones *zs, struct zone *z, char *err, size_t errlen)
{
	char text[1024], why[160];
	uint8_t name[DNS_NAME_MAX];
	size_t len = 0;

	if (render(text, sizeof(text), "{zone}", zs->site, z->test, z->index,
		&record_tokens[FOR_SENTINEL], why, sizeof(why)) == RENDER_OK)
		len = wire_name_parse(name, text);
	if (len == 0) {
		snprintf(err, errlen, "%s: its zone has no valid name",
		    z->test != NULL ? z->test->path : zs->site->conf.base);
		return -1;
	}
	wire_name_lower(z->apex, name, len);
	z->apex_len = (uint8_t)len;
	z->labels = (uint8_t)wire_name_labels(name);
	return 0;
}

static bool
is_alias(const struct zone *z)
{
	const struct test *t = z->test;

	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].type == TYPE_DNAME && t->records[i].zone == z->index &&
		    strcmp(t->records[i].owner, z->index == 0 ? "{zone}" : "{zone:b}") == 0)
			return true;
	return false;
}

/* An alias stands in BASE, where a test can change nothing else. */
static int
check_alias(const struct zone *z, char *err, size_t errlen)
{
	const struct test *t = z->test;
	const char *fault = t->n_phases > 0 ? "has no phases" : NULL;

	for (size_t i = 0; i < t->n_records; i++)
		if (t->records[i].zone == z->index && t->records[i].type != TYPE_DNAME)
			fault = "has no other records";
	for (size_t i = 0; i < t->n_answers; i++)
		if (t->answers[i].zone == z->index)
			fault = "has no [answers]";
	if (fault == NULL)
		return 0;
	snprintf(err, errlen, "%s: a test whose zone is a DNAME %s there", t->path, fault);
	return -1;
}

static void
set_absent(struct zone *z)
{
	static const uint16_t missing[] = { TYPE_RRSIG, TYPE_NSEC, TYPE_NXNAME };

	bitmap_build(&z->absent, missing, z->test == NULL ? 3 : z->nsec3 ? 0 : 2);
}

static int
zone_options_apply(struct zones *zs, struct zone *z, char *err, size_t errlen)
{
	z->nsec3 = z->test != NULL && z->test->zone[z->index].denial == DENIAL_NSEC3;
	set_absent(z);
	z->on_v4 = z->on_v6 = z->is_signed = true;
	if (z->test == NULL) {
		z->key = &zs->keys[0];
		return 0;
	}
	z->options = &z->test->zone[z->index];
	if (z->nsec3 && z->apex_len + 1U + NSEC3_LABEL > DNS_NAME_MAX) {
		snprintf(err, errlen, "%s: denial nsec3: the base domain is too long for it",
		    z->test->path);
		return -1;
	}
	z->alias = is_alias(z);
	if (z->alias && check_alias(z, err, errlen) < 0)
		return -1;
	z->own4 = z->options->own_address ? site_ns4(zs->site, z->test, z->index) : NULL;
	z->on_v4 = z->options->own_address ? z->own4 != NULL : z->options->ns != NS_V6;
	z->on_v6 = z->options->ns != NS_V4;
	z->is_signed = z->options->ds != DS_NONE;
	z->sign = z->options->sign;
	for (size_t i = 0; i < z->test->n_answers; i++)
		if (z->test->answers[i].zone == z->index)
			z->has_rules = true;
	z->key = z->is_signed ? key_find(zs, z->options->algorithm) : NULL;
	if (z->is_signed && z->key == NULL) {
		snprintf(err, errlen,
		    "%s: algorithm %u: the site has no such key: run outpost init again",
		    z->test->path, z->options->algorithm);
		return -1;
	}
	return 0;
}

/* The set of a phase takes the place of the one that is always there. */
static bool
replaced(const struct dns_record *d, const struct dns_record *all, size_t n, unsigned phase)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].phase == phase && all[i].type == d->type && all[i].zone == d->zone &&
		    strcmp(all[i].owner, d->owner) == 0)
			return true;
	return false;
}

static bool
wanted(const struct zone *z, const struct dns_record *d, const struct dns_record *all, size_t n)
{
	if (strcmp(d->rdata, "{ns4}") == 0)
		return z->on_v4;
	if (strcmp(d->rdata, "{ns6}") == 0)
		return z->on_v6;
	if (d->phase != 0 || z->phase == 0)
		return d->phase == z->phase;
	return !replaced(d, all, n, z->phase);
}

static int
add_all(struct record_list *l, struct zones *zs, const struct zone *z,
    const struct record_source *src, const struct dns_record *d, size_t n, bool own, char *err,
    size_t errlen)
{
	for (size_t i = 0; i < n; i++) {
		if (!wanted(z, &d[i], d, n) || (own && d[i].zone != z->index))
			continue;
		if (record_add(l, zs->arena, src, &d[i], err, errlen) < 0)
			return -1;
	}
	return 0;
}

/* The test's records; for who was released, what stands in their place. */
static int
add_own(struct record_list *l, struct zones *zs, const struct zone *z, char *err, size_t errlen)
{
	struct record_source own = { zs->site, z->test, 0, z->test->path };
	struct undeviated u;
	int rc;

	if (!z->undeviated)
		return add_all(
		    l, zs, z, &own, z->test->records, z->test->n_records, true, err, errlen);
	undeviated_init(&u, zs->site, z->test, z->index);
	rc = add_all(l, zs, z, &own, u.record, u.n, true, err, errlen);
	undeviated_clear(&u);
	return rc;
}

static void
add_made(struct record_list *l, struct zones *zs, const struct zone *z)
{
	uint8_t param[NSEC3PARAM_RDATA];

	if (!z->is_signed)
		return;
	record_add_raw(l, zs->arena, z->apex, z->apex_len, TYPE_DNSKEY, DNSKEY_TTL, z->key->dnskey,
	    z->key->dnskey_len);
	if (!z->nsec3)
		return;
	nsec3_param(param, z->options->iterations);
	record_add_raw(
	    l, zs->arena, z->apex, z->apex_len, TYPE_NSEC3PARAM, 0, param, sizeof(param));
}

/* Records into nodes; name and options are there. */
static int
zone_fill(struct zones *zs, struct zone *z, const struct basezone *bz, char *err, size_t errlen)
{
	struct record_source common = { zs->site, z->test, z->index, "base.zone" };
	struct record_list l = { 0 };
	int rc = -1;

	z->absent_id = zs->ids++;
	if (z->test == NULL) {
		if (add_all(&l, zs, z, &common, bz->base, bz->n_base, false, err, errlen) < 0)
			goto out;
	} else {
		if (add_all(&l, zs, z, &common, bz->test, bz->n_test, false, err, errlen) < 0 ||
		    add_own(&l, zs, z, err, errlen) < 0 ||
		    delegate_lame(&l, zs, z, err, errlen) < 0)
			goto out;
	}
	add_made(&l, zs, z);
	if (z->test == NULL)
		delegate_all(&l, zs);
	if (zone_build(zs, z, &l, err, errlen) < 0)
		goto out;
	set_negative_ttl(z);
	if (z->test == NULL)
		delegate_link(zs);
	rc = 0;
out:
	record_clear(&l);
	return rc;
}

/* Highest phase of the test; 0: it has none. */
static unsigned
phases_of(const struct test *t)
{
	unsigned n = 0;

	for (size_t i = 0; t != NULL && i < t->n_phases; i++)
		if (t->phases[i].phase > n)
			n = t->phases[i].phase;
	return n;
}

/* A zone like z, filled for another occasion. */
static struct zone *
zone_variant(struct zones *zs, const struct zone *z)
{
	struct zone *v = arena_alloc(zs->arena, sizeof(*v));

	*v = *z;
	memset(v->in_phase, 0, sizeof(v->in_phase));
	return v;
}

/* What tokens meet that were released: signed rightly whatever the test does, without phases. */
static int
zone_release(struct zones *zs, struct zone *z, const struct basezone *bz, char *err, size_t errlen)
{
	struct zone *v;

	if (z->test == NULL || z->alias || !released_covers(z->test))
		return 0;
	v = zone_variant(zs, z);
	v->undeviated = true;
	v->phase = 0;
	v->sign = SIGN_RIGHT;
	v->has_rules = false;
	v->nsec3 =
	    false; /* its iterations may be the fault; NSEC is as good a proof (RFC 4035 5.4) */
	set_absent(v);
	z->released = v;
	return zone_fill(zs, v, bz, err, errlen);
}

/* Every phase is a whole zone, so that denial is right in each. */
static int
zone_compile(struct zones *zs, struct zone *z, const struct basezone *bz, char *err, size_t errlen)
{
	unsigned phases = phases_of(z->test);

	if (zone_name(zs, z, err, errlen) < 0 || zone_options_apply(zs, z, err, errlen) < 0)
		return -1;
	z->phase = phases > 0;
	for (unsigned p = 2; p <= phases; p++) {
		struct zone *later = zone_variant(zs, z);

		later->phase = p;
		if (zone_fill(zs, later, bz, err, errlen) < 0)
			return -1;
		z->in_phase[p] = later;
	}
	if (zone_release(zs, z, bz, err, errlen) < 0)
		return -1;
	return zone_fill(zs, z, bz, err, errlen);
}

static void
index_zones(struct zones *zs)
{
	unsigned size = 8;

	while (size < 2 * zs->n + 2)
		size *= 2;
	zs->by_label = arena_alloc(zs->arena, size * sizeof(struct zone *));
	zs->label_mask = size - 1;
	for (unsigned i = 1; i < zs->n; i++) {
		struct zone *z = &zs->zone[i];
		unsigned h = zone_hash(z->apex + 1, z->apex[0]) & zs->label_mask;

		while (zs->by_label[h] != NULL)
			h = (h + 1) & zs->label_mask;
		zs->by_label[h] = z;
		zs->by_number[z->test->number][z->index] = z;
	}
}

struct zones *
zones_compile(const struct site *site, char *err, size_t errlen)
{
	struct zones *zs = xcalloc(1, sizeof(*zs));
	const struct catalogue *c = site->catalogue;
	struct basezone *bz = basezone_load(site->base_zone, err, errlen);
	bool ok = bz != NULL;

	zs->site = site;
	zs->arena = arena_new();
	zs->keys = arena_alloc(zs->arena, (2 + TEST_ZONES_MAX * c->n) * sizeof(*zs->keys));
	zs->zone = arena_alloc(zs->arena, (1 + TEST_ZONES_MAX * c->n) * sizeof(*zs->zone));
	zs->base = &zs->zone[0];
	zs->n = 1;
	key_add(zs, &site->base_key, site->base_key.algorithm);
	for (size_t i = 0; i < c->n; i++)
		for (unsigned k = 0; k < TEST_ZONES_MAX; k++)
			if (c->tests[i]->n_graded_on == 0 &&
			    (k == 0 || c->tests[i]->zone[k].used)) {
				zs->zone[zs->n].test = c->tests[i];
				zs->zone[zs->n++].index = k;
			}
	for (unsigned i = 1; i < zs->n && ok; i++)
		ok = zone_compile(zs, &zs->zone[i], bz, err, errlen) == 0;
	if (ok)
		index_zones(zs);
	ok = ok && zone_compile(zs, zs->base, bz, err, errlen) == 0;
	basezone_free(bz);
	if (ok)
		return zs;
	zones_free(zs);
	return NULL;
}
