/* verify.h - checks RRSIGs of an answer with ldns, against the keys of compiled zones; for tests. */
#ifndef TESTS_UNIT_AUTHDNS_VERIFY_H
#define TESTS_UNIT_AUTHDNS_VERIFY_H

#include <ldns/ldns.h>
#include <string.h>

#include "authdns/zone.h"

/* The key that the signer's name stands for. */
static inline ldns_rr_list *
verify_keys(const struct zones *zones, ldns_rr *rrsig)
{
	ldns_rdf *signer = ldns_rr_rrsig_signame(rrsig);
	ldns_rr_list *keys = ldns_rr_list_new();

	for (unsigned i = 0; i < zones->n; i++) {
		const struct zone *z = &zones->zone[i];
		ldns_rr *rr = NULL;
		uint8_t wire[2048], *p = wire;
		size_t at = 0;

		if (z->key == NULL || z->apex_len != ldns_rdf_size(signer) ||
		    memcmp(z->apex, ldns_rdf_data(signer), z->apex_len) != 0)
			continue;
		memcpy(p, z->apex, z->apex_len);
		p = wire_put16(
		    wire_put32(wire_put16(wire_put16(p + z->apex_len, TYPE_DNSKEY), 1), 3600),
		    (unsigned)z->key->dnskey_len);
		memcpy(p, z->key->dnskey, z->key->dnskey_len);
		p += z->key->dnskey_len;
		if (ldns_wire2rr(&rr, wire, (size_t)(p - wire), &at, LDNS_SECTION_ANSWER) ==
		    LDNS_STATUS_OK)
			ldns_rr_list_push_rr(keys, rr);
	}
	return keys;
}

/* Does it verify over the RRset that it covers in the same section? */
static inline bool
verify_rrsig(const struct zones *zones, ldns_rr_list *list, ldns_rr *rrsig, int64_t now_us)
{
	ldns_rr_type type = ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rrsig));
	ldns_rr_list *set = ldns_rr_list_new(), *sigs = ldns_rr_list_new(),
		     *keys = verify_keys(zones, rrsig);
	ldns_rr *copy;
	bool good;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (ldns_rr_get_type(rr) == type &&
		    ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(rrsig)) == 0)
			ldns_rr_list_push_rr(set, ldns_rr_clone(rr));
	}
	copy = ldns_rr_clone(rrsig);
	ldns_rr_list_push_rr(sigs, copy);
	good = ldns_rr_list_rr_count(set) > 0 &&
	       ldns_verify_time(set, sigs, keys, (time_t)(now_us / 1000000), NULL) ==
		   LDNS_STATUS_OK;
	ldns_rr_list_deep_free(set);
	ldns_rr_list_deep_free(sigs);
	ldns_rr_list_deep_free(keys);
	return good;
}

#endif
