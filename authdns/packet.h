/* packet.h - an answer as octets: the only place that knows about sizes, counts and truncation. */
#ifndef AUTHDNS_PACKET_H
#define AUTHDNS_PACKET_H

#include "authdns/deviate.h"
#include "authdns/sign.h"

struct packet {
	uint8_t *buf;
	size_t len;   /* written so far */
	size_t limit; /* most that may be sent */
	bool truncated;
};
struct packet_context {
	const uint8_t *msg; /* the query */
	const struct dns_query *query;
	const struct place *place;
	struct deviation *deviation;
	const struct circumstances *now;
	struct signer *signer;
	const uint8_t *name_key; /* 16 octets: keyed hash of names in the signature cache */
	const uint8_t *cookie;   /* 24 octets to send back, or NULL */
	bool with_opt;
};

/* Header, the question exactly as it came, the answer's sections, OPT.  If the records do not fit, the
 * sections stay empty and TC is set.  -1: a signature could not be made. */
int packet_write(struct packet *, const struct answer *, const struct packet_context *);

/* Only header, question (where it could be read) and OPT. */
void packet_empty(
    struct packet *, unsigned rcode, bool authoritative, bool tc, const struct packet_context *);

#endif
