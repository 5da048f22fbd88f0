/* resolver.h - who asked: the resolvers behind one token, from the raw features of their queries.
 * Pure.  A resolver is an address; all addresses of a token are its farm. */
#ifndef RESULTS_RESOLVER_H
#define RESULTS_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/whereabouts.h"

enum resolver_feature {
	RESOLVER_EDNS,              /* RFC 6891 */
	RESOLVER_DNSSEC_OK,         /* RFC 3225 */
	RESOLVER_CHECKING_DISABLED, /* RFC 4035 3.2.2 */
	RESOLVER_TCP,               /* RFC 7766 */
	RESOLVER_COOKIE,            /* RFC 7873 */
	RESOLVER_SERVER_COOKIE,     /* it keeps ours and sends it back */
	RESOLVER_CLIENT_SUBNET,     /* RFC 7871 */
	RESOLVER_CASE_RANDOM,       /* "0x20" */
	RESOLVER_MINIMISED,         /* RFC 9156 */
	RESOLVER_PORT_FIXED,    /* over five or more UDP queries one source port: RFC 5452 9.2 */
	RESOLVER_ID_SEQUENTIAL, /* over five or more queries ids that count up: RFC 5452 9.2 */
	RESOLVER_FEATURE_MAX
};
/* The key in the JSON report, and words for people: "wants DNSSEC records". */
const char *resolver_feature_key(enum resolver_feature);
const char *resolver_feature_words(enum resolver_feature);

struct resolver {
	const char *peer;
	int family;
	unsigned queries, udp, tcp;
	int64_t edns, edns_min;    /* payload sizes; -1 never used EDNS */
	unsigned features;         /* bits 1 << enum resolver_feature */
	unsigned ports, ids;       /* different source ports (UDP), different ids */
	double port_bits, id_bits; /* entropy of the sample: at most log2 of its number */
	int64_t first, last;
	struct place place; /* filled by the report */
};
static inline bool
resolver_has(const struct resolver *r, enum resolver_feature f)
{
	return (r->features >> f & 1) != 0;
}

#define RESOLVER_TELLS 4 /* queries: from fewer, what a resolver does not do cannot be told */
struct resolver_farm {
	unsigned ipv4, ipv6;
	unsigned telling;   /* members with that many queries */
	unsigned some, all; /* features that one, that all of these have: what is in some but not in
				 * all, the members differ in */
};

struct correlation;
struct observations;
/* Fills c->resolvers and c->farm from the queries for c->token. */
void resolvers_read(struct correlation *c, const struct observations *);

#endif
