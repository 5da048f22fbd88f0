#include "authdns/locate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "provisioning/address.h"

static bool
listed(const struct conf_list *l, const char *text)
{
	for (unsigned i = 0; i < l->n; i++) {
		union sockaddr_any a;
		char canonical[ADDRESS_TEXT_MAX];

		if (address_parse(&a, l->item[i], 0) < 0)
			continue;
		address_format(canonical, &a);
		if (strcmp(canonical, text) == 0)
			return true;
	}
	return false;
}

void
view_of(struct view *v, const struct zones *zs, const union sockaddr_any *local)
{
	const struct site *s = zs->site;
	struct address_parts parts;
	char text[ADDRESS_TEXT_MAX];

	memset(v, 0, sizeof(*v));
	if (address_family(local) == 4) {
		address_format(text, local);
		v->parent = listed(&s->conf.ipv4_parent, text);
		v->children = listed(&s->conf.ipv4_child, text);
		for (unsigned i = 1; v->children && i < zs->n && v->only == NULL; i++)
			if (zs->zone[i].own4 != NULL && strcmp(zs->zone[i].own4, text) == 0)
				v->only = &zs->zone[i];
		v->children &= v->only == NULL;
		return;
	}
	if (!s->has_ipv6 || !address_split(&parts, &local->in6.sin6_addr, &s->prefix) ||
	    parts.id != 0 || parts.state != ADDRESS_SERVES)
		return;
	if (parts.test == 0)
		v->parent = true;
	else if (parts.host < TEST_ZONES_MAX && parts.test <= TEST_NUMBER_MAX)
		v->only = zs->by_number[parts.test][parts.host];
	if (v->only != NULL && !v->only->on_v6)
		v->only = NULL;
}

static bool
serves(const struct view *v, const struct zone *z)
{
	return z == v->only || (v->children && z->on_v4 && z->own4 == NULL);
}

/* The label as K of "mxK", or -1. */
static int
host_label(const uint8_t *label)
{
	unsigned k;

	if (label[0] < 3 || label[0] > 4 || wire_lower(label[1]) != 'm' ||
	    wire_lower(label[2]) != 'x')
		return -1;
	if (label[3] < '0' || label[3] > '9')
		return -1;
	k = label[3] - '0';
	if (label[0] == 4) {
		if (k == 0 || label[4] < '0' || label[4] > '9')
			return -1;
		k = 10 * k + (label[4] - '0');
	}
	return k < TEST_HOSTS_MAX ? (int)k : -1;
}

/* Name left of the placeholder, as text, and the placeholder.  side: LABEL of "{t}.LABEL.{zone}", or
 * NULL. */
static void
spell(struct place *p, const uint8_t *prefix, size_t len, const uint8_t *side)
{
	uint8_t lower[DNS_NAME_MAX];
	const char *second = p->about->index != 0 ? ":b" : "";
	char *out = p->at;

	if (len > 0) {
		wire_name_lower(lower, prefix, len);
		out += wire_name_text(p->at, lower, len);
		*out++ = '.';
	}
	if (side != NULL) {
		out = stpcpy(out, "{t}.");
		wire_name_lower(lower, side, 1U + side[0]);
		out += wire_name_text(out, lower, 1U + side[0]);
		out = stpcpy(out, ".{zone");
	} else if (p->token.id == 0)
		out = stpcpy(out, "{zone");
	else if (p->host < 0)
		out = stpcpy(out, "{d");
	else {
		out = stpcpy(out, "{mx");
		if (p->host > 9)
			*out++ = (char)('0' + p->host / 10);
		*out++ = (char)('0' + p->host % 10);
	}
	stpcpy(stpcpy(out, second), "}");
}

/* Labels 0..n-1 stand left of the zone.  Finds the token, which is the last of them or the one before
 * it, and makes the key. */
static void
read_labels(struct place *p, const struct zones *zs, const struct dns_query *q, const uint8_t *name,
    unsigned n, size_t len)
{
	const uint8_t *side = NULL;
	size_t prefix = len;

	p->key_len = (uint8_t)len;
	wire_name_lower(p->key, name, len);
	for (unsigned at = n; at > 0 && at + 2 > n && p->about->test != NULL; at--) {
		const uint8_t *label = name + q->label[at - 1];

		if (at == n && (p->host = host_label(label)) >= 0)
			continue;
		if (token_parse(&p->token, (const char *)label + 1, label[0],
			&zs->site->token_key) != TOKEN_OK)
			continue;
		prefix = q->label[at - 1];
		memcpy(p->key + prefix + 1, SENTINEL_TEXT, TOKEN_LEN);
		if (at < n && p->host < 0)
			side = name + q->label[n - 1];
		break;
	}
	if (p->token.id == 0)
		p->host = -1;
	spell(p, name, prefix, side);
}

/* RFC 6672 3.2: the nearest DNAME above a name that does not exist. */
static void
find_dname(struct place *p)
{
	for (size_t at = 0; at < p->key_len;) {
		const struct node *n;

		at += 1 + (size_t)p->key[at];
		n = zone_node(p->about, p->key + at, p->key_len - at);
		if (n != NULL && node_set(n, TYPE_DNAME) != NULL) {
			p->dname = n;
			p->dname_at = (unsigned)at;
			return;
		}
	}
}

static void
find_node(struct place *p)
{
	p->node = zone_node(p->about, p->key, p->key_len);
	if (p->node != NULL && p->node->token_at >= 0 && p->token.id == 0)
		p->node = NULL; /* somebody spelled the sentinel */
	if (p->node == NULL && p->about->has_dname)
		find_dname(p);
}

/* What the name is about is in another shape of its zone. */
static void
place_in(struct place *p, const struct zone *variant)
{
	const struct zone *z = p->about;

	p->about = variant;
	if (p->zone != z)
		return;
	p->zone = p->about;
	p->dname = NULL;
	find_node(p);
	p->invalid = p->node == NULL && p->token.id == 0;
}

void
place_in_phase(struct place *p, unsigned phase)
{
	p->phase = phase;
	if (phase <= TEST_PHASES_MAX && p->about->in_phase[phase] != NULL)
		place_in(p, p->about->in_phase[phase]);
}

void
place_released(struct place *p)
{
	p->phase = 0;
	place_in(p, p->about->released);
}

/* The test's name is a DNAME of BASE. */
static void
place_alias(struct place *p, const struct zones *zs, const struct view *v, size_t len)
{
	const struct zone *alias = p->about;
	const struct node *n = zone_node(zs->base, alias->apex, 1U + alias->apex[0]);

	p->zone = v->parent ? zs->base : NULL;
	p->node = len == 0 ? n : NULL;
	p->dname = len == 0 ? NULL : n;
	p->dname_at = (unsigned)len;
}

/* Length of the part of the name left of BASE, or -1: the name is not in BASE. */
static int
left_of_base(const struct zones *zs, const struct dns_query *q, const uint8_t *name)
{
	const struct zone *b = zs->base;

	if (q->labels < b->labels || q->name_len < b->apex_len)
		return -1;
	if (!wire_name_equal(name + q->name_len - b->apex_len, b->apex, b->apex_len))
		return -1;
	/* the same octets may start inside a label: the boundaries must agree too */
	if (q->labels == b->labels)
		return q->name_len == b->apex_len ? 0 : -1;
	if (b->labels > 0 && q->label[q->labels - b->labels] != q->name_len - b->apex_len)
		return -1;
	return q->name_len - b->apex_len;
}

void
locate(struct place *p, const struct zones *zs, const struct dns_query *q, const uint8_t *name,
    const struct view *v)
{
	int left = left_of_base(zs, q, name);
	unsigned n = q->labels - zs->base->labels;
	struct zone *child = NULL;
	size_t len;

	p->zone = p->about = p->cut = NULL;
	p->node = p->dname = NULL;
	p->phase = 0;
	p->token.id = 0;
	p->token.text[0] = '\0';
	p->host = -1;
	p->invalid = false;
	p->at[0] = '\0';
	if (left < 0)
		return;
	if (n > 0) {
		const uint8_t *label = name + q->label[n - 1];

		child = zones_by_label(zs, label + 1, label[0]);
	}
	p->about = child != NULL ? child : zs->base;
	if (child != NULL)
		n--;
	len = child != NULL ? q->label[n] : (size_t)left;
	read_labels(p, zs, q, name, n, len);
	p->phase = p->about->phase;
	find_node(p);
	p->invalid = p->node == NULL && p->token.id == 0;
	if (child == NULL) {
		p->zone = v->parent ? zs->base : NULL;
		return;
	}
	if (child->alias) {
		place_alias(p, zs, v, len);
		return;
	}
	/* RFC 4035 3.1.4.1: DS is asked of the parent's side of the cut. */
	if (serves(v, child) && !(n == 0 && q->qtype == TYPE_DS && v->parent)) {
		p->zone = child;
		return;
	}
	if (!v->parent)
		return;
	p->zone = zs->base;
	p->dname = NULL;
	p->node = zone_node(zs->base, child->apex, 1U + child->apex[0]);
	p->cut = n == 0 && q->qtype == TYPE_DS ? NULL : child;
}
