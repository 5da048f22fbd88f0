/* record.h - one resource record from a test's file, rendered for three tokens: the sentinel, and
 * the lowest and the highest that there can be.  From the difference the compiler knows what
 * depends on the token and proves that patching is right.  Used at load only. */
#ifndef AUTHDNS_RECORD_H
#define AUTHDNS_RECORD_H

#include "authdns/zone.h"

enum { FOR_SENTINEL, FOR_LOWEST, FOR_HIGHEST, RENDERINGS };
extern const struct token record_tokens[RENDERINGS];

struct rendering {
	uint8_t owner[DNS_NAME_MAX]; /* case as written */
	uint8_t owner_len;
	uint8_t *rdata, *canon; /* as written; canonical (RFC 4034 6.2) */
	size_t len, canon_len;
};
struct record {
	const char *path; /* where it was written, for messages */
	unsigned line;
	uint16_t type;
	uint32_t ttl;
	struct rendering as[RENDERINGS];
};
struct record_list {
	struct record *r;
	size_t n;
};

/* What to render.  zone: which zone {zone}, {ns4} and so on mean. */
struct record_source {
	const struct site *site;
	const struct test *test; /* NULL: BASE */
	unsigned zone;
	const char *path;
};
/* Adds the record, or leaves it out when it needs an address that the site has not.  -1: err. */
int record_add(struct record_list *, struct arena *, const struct record_source *,
    const struct dns_record *, char *err, size_t errlen);
/* Adds one whose octets are known and do not depend on the token. */
void record_add_raw(struct record_list *, struct arena *, const uint8_t *owner, size_t owner_len,
    uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len);
void record_clear(struct record_list *);

#endif
