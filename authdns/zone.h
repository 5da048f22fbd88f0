/* zone.h - what is served, compiled once at load and immutable after: BASE and one zone per test
 * (two where the test has a second).  Names and RDATA are wire templates in which the token stands
 * at known places; answering is copying and patching.
 *
 * A name is kept as its key: lower-case labels left of the zone's apex, with the sentinel token in
 * the place of the token.  Only locate.c makes keys of queries, and it puts the sentinel there only
 * for a valid token, so that a query that spells the sentinel finds nothing. */
#ifndef AUTHDNS_ZONE_H
#define AUTHDNS_ZONE_H

#include <openssl/evp.h>

#include "authdns/wire.h"
#include "provisioning/site.h"

#define SENTINEL_TEXT "kq5xz7wd3jpm6vt2"
#define SENTINEL_ID   UINT64_C(0x5a17c3e9b46d)

enum patch_kind { PATCH_TOKEN /* 16 octets */, PATCH_ID /* 6 octets of an IPv6 address */ };
struct patch {
	uint16_t at;
	uint8_t kind;
};
/* Octets with the places that depend on the token. */
struct blob {
	uint8_t *data;
	size_t len;
	struct patch *patch;
	unsigned n_patch;
};
/* Copies to dst (room for b->len) and puts the token in.  Returns dst + b->len. */
uint8_t *blob_copy(uint8_t *dst, const struct blob *b, const struct token *);

struct rrset {
	uint16_t type;
	uint32_t ttl;
	unsigned n;
	uint32_t id; /* unique in the site: key of cached signatures */
	bool fixed;  /* neither owner nor RDATA depends on the token */
	struct blob
	    answer; /* whole records as they stand in an answer: owner is a pointer to the question,
	                      * names in RDATA end in a pointer to the apex in the question */
	struct blob plain; /* RDLENGTH and RDATA of each record, uncompressed */
	struct blob canon; /* the records in canonical form and order, RFC 4034 6 */
};

struct node {
	uint8_t *key;
	uint8_t key_len;
	uint8_t labels; /* of the whole name: the Labels field of its RRSIGs */
	int token_at;   /* offset of the token's text in key, or -1 */
	struct rrset *sets;
	unsigned n_sets;           /* 0: empty non-terminal */
	uint32_t id;               /* of its NSEC, from the same numbers as rrset.id */
	struct type_bitmap bitmap; /* of its NSEC: the template's types, RRSIG, NSEC; of its
	                            * NSEC3: without NSEC, and RRSIG only where a set stands */
	struct zone *cut;          /* BASE only: delegation to this zone */
};

/* A key as served: the catalogue may ask for algorithms of which no key of its own exists (120). */
struct zone_key {
	unsigned algorithm;
	uint16_t tag;
	EVP_PKEY *pkey; /* the site's */
	uint8_t dnskey[1024];
	size_t dnskey_len;
};

struct zone {
	const struct test *test;                          /* NULL: BASE */
	unsigned index;                                   /* 0 the test's own, 1 its second */
	unsigned phase;                                   /* 0: the test has no phases */
	const struct zone *in_phase[TEST_PHASES_MAX + 1]; /* of phase 1: the others */
	const struct zone *released; /* for tokens that were released; NULL: BASE, an alias */
	bool undeviated;             /* it is that one: no deviation acts in it */
	const struct zone_options *options; /* NULL: BASE */
	uint8_t apex[DNS_NAME_MAX];         /* lower case, whole name */
	uint8_t apex_len, labels;
	bool is_signed;      /* has DNSKEY and denial; else the zone is plain */
	bool has_rules;      /* some answer_rule is about this zone */
	bool has_dname;      /* somewhere in it */
	bool alias;          /* no zone at all: BASE has a DNAME in its place (RFC 6672) */
	bool nsec3;          /* denial by NSEC3 */
	enum sign_mode sign; /* of all signatures in it */
	const struct zone_key *key;
	uint32_t negative_ttl; /* RFC 2308 5, RFC 9077 */
	const struct node *top;
	struct type_bitmap
	    absent; /* of a name that does not exist: RRSIG NSEC, in BASE also NXNAME; NSEC3: none */
	uint32_t absent_id;
	struct node **table; /* open addressing */
	unsigned mask;
	bool on_v4, on_v6; /* its name server's families */
	const char
	    *own4; /* the IPv4 address where it is served and no other zone is; NULL: shared */
};

struct zones {
	const struct site *site;
	struct zone *base;
	struct zone *zone; /* base is zone[0]; later phases are in in_phase */
	unsigned n;
	struct zone **by_label; /* open addressing over the label left of BASE */
	unsigned label_mask;
	const struct zone *by_number[TEST_NUMBER_MAX + 1][TEST_ZONES_MAX];
	struct zone_key *keys;
	unsigned n_keys;
	uint32_t ids;        /* rrset.id and node.id are below this */
	struct arena *arena; /* owns all of it */
};
void zones_free(struct zones *);

/* NULL: no such name. */
const struct node *zone_node(const struct zone *, const uint8_t *key, size_t len);
/* NULL: no such test zone. */
struct zone *zones_by_label(const struct zones *, const uint8_t *label, size_t len);
const struct rrset *node_set(const struct node *, uint16_t type);
uint32_t zone_hash(const uint8_t *data, size_t len);

/* Memory that is freed at once. */
struct arena;
struct arena *arena_new(void);
void *arena_alloc(struct arena *, size_t len); /* zeroed */
void arena_free(struct arena *);

#endif
