#include "authdns/delegate.h"

#include <stdio.h>
#include <string.h>

#include "provisioning/address.h"

#define DS_TTL    3600
#define DS_SHA256 2
#define DS_SHA384 4

/* RFC 4034 5.1.4: digest over owner and DNSKEY RDATA.  Digest types that do not exist get octets of
 * SHA-256: nobody can check them. */
static size_t
ds_rdata(uint8_t *dst, const struct zone *z)
{
	uint8_t data[DNS_NAME_MAX + sizeof(z->key->dnskey)], *p = dst;
	unsigned type = z->options->ds == DS_DIGEST ? z->options->ds_digest : DS_SHA256, len = 0;

	memcpy(data, z->apex, z->apex_len);
	memcpy(data + z->apex_len, z->key->dnskey, z->key->dnskey_len);
	p = wire_put16(p, z->key->tag);
	*p++ = (uint8_t)z->key->algorithm;
	*p++ = (uint8_t)type;
	EVP_Digest(data, z->apex_len + z->key->dnskey_len, p, &len,
	    type == DS_SHA384 ? EVP_sha384() : EVP_sha256(), NULL);
	if (z->options->ds == DS_WRONG)
		for (unsigned i = 0; i < len; i++)
			p[i] ^= 0xff;
	return 4 + len;
}

void
delegate_all(struct record_list *l, struct zones *zs)
{
	for (unsigned i = 1; i < zs->n; i++) {
		const struct zone *z = &zs->zone[i];
		const struct rrset *ns = node_set(z->top, TYPE_NS);
		const uint8_t *p = ns->plain.data, *end = p + ns->plain.len;
		uint8_t ds[4 + EVP_MAX_MD_SIZE];

		if (z->alias) {
			const struct rrset *dname = node_set(z->top, TYPE_DNAME);

			record_add_raw(l, zs->arena, z->apex, z->apex_len, TYPE_DNAME, dname->ttl,
			    dname->plain.data + 2, wire_get16(dname->plain.data));
			continue;
		}
		for (; p < end; p += 2 + wire_get16(p))
			record_add_raw(l, zs->arena, z->apex, z->apex_len, TYPE_NS, ns->ttl, p + 2,
			    wire_get16(p));
		if (z->is_signed)
			record_add_raw(l, zs->arena, z->apex, z->apex_len, TYPE_DS, DS_TTL, ds,
			    ds_rdata(ds, z));
	}
}

void
delegate_link(struct zones *zs)
{
	for (unsigned i = 1; i < zs->n; i++) {
		struct zone *z = &zs->zone[i];

		for (unsigned k = 0; k <= zs->base->mask; k++) {
			struct node *n = zs->base->table[k];

			if (n != NULL && !z->alias && n->key_len == z->apex[0] + 1 &&
			    memcmp(n->key, z->apex, n->key_len) == 0)
				n->cut = z;
		}
	}
}

static void
add_silent(struct record_list *l, struct zones *zs, const struct zone *z, uint8_t *name, size_t len)
{
	const struct site *s = zs->site;
	union sockaddr_any a;

	record_add_raw(l, zs->arena, z->apex, z->apex_len, TYPE_NS, DS_TTL, name, len);
	if (s->conf.ipv4_silent.n > 0 && address_parse(&a, s->conf.ipv4_silent.item[0], 0) == 0)
		record_add_raw(
		    l, zs->arena, name, len, TYPE_A, DS_TTL, (const uint8_t *)&a.in.sin_addr, 4);
	if (s->has_ipv6) {
		struct in6_addr v6;

		address_make(&v6, &s->prefix, 0, z->test->number, ADDRESS_SILENT, z->index);
		record_add_raw(l, zs->arena, name, len, TYPE_AAAA, DS_TTL, v6.s6_addr, 16);
	}
}

int
delegate_lame(
    struct record_list *l, struct zones *zs, const struct zone *z, char *err, size_t errlen)
{
	static const uint8_t label[] = "\006silent";
	uint8_t name[DNS_NAME_MAX];

	if (z->options->ns != NS_LAME)
		return 0;
	if (zs->site->conf.ipv4_silent.n == 0 && !zs->site->has_ipv6) {
		snprintf(err, errlen,
		    "%s: ns lame: no address that is silent: set ipv4-silent in outpost.conf to "
		    "one "
		    "that answers nothing, of this host or not, or ipv6",
		    z->test->path);
		return -1;
	}
	memcpy(name, label, 7);
	memcpy(name + 7, z->apex, z->apex_len);
	add_silent(l, zs, z, name, 7U + z->apex_len);
	return 0;
}
