/* dmarc_record.h - the text of a DMARC policy record (RFC 7489 6.3 and 6.4, RFC 9091, RFC 9989 4.7 and 4.8):
 * what it asks for, and everything that is wrong with it.  Pure, linear in the text's length.
 *
 * Faults are kept to what the RFCs say of them: a value that cannot be read is as if its tag were not
 * there, unknown tags are passed over, of a tag that stands twice the first counts (RFC 6376 3.2 makes such
 * a list void: receivers differ, so it is said). */
#ifndef VERIFY_DMARC_RECORD_H
#define VERIFY_DMARC_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/address.h"

#define DMARC_URIS_MAX   8 /* of rua and of ruf; RFC 7489 6.2 asks receivers for two */
#define DMARC_FAULTS_MAX 16

enum dmarc_policy {
	DMARC_UNSET,   /* the tag is not there */
	DMARC_INVALID, /* it is, with another word */
	DMARC_NO_ACTION,
	DMARC_QUARANTINE,
	DMARC_REJECT,
};
const char *dmarc_policy_word(enum dmarc_policy); /* "none", "quarantine", "reject", else "" */

struct dmarc_uri {
	char text[256];                 /* as written, without the size */
	char host[ADDRESS_DOMAIN_SIZE]; /* of a mailto address; "" of other schemes */
	uint64_t limit;                 /* octets; 0 none */
};

struct dmarc_record {
	char text[1024]; /* cut */
	enum dmarc_policy p, sp, np;
	bool strict_dkim, strict_spf;
	unsigned pct;      /* 100 if absent */
	bool testing;      /* t=y */
	char psd;          /* y, n, u */
	char fo[8];        /* "0" if absent */
	uint32_t interval; /* ri=, 86400 if absent */
	size_t rua_n, ruf_n;
	struct dmarc_uri rua[DMARC_URIS_MAX], ruf[DMARC_URIS_MAX];
	size_t faults; /* the first DMARC_FAULTS_MAX are in fault */
	struct {
		bool grave; /* something else applies than what was meant; else untidy only */
		char text[160];
	} fault[DMARC_FAULTS_MAX];
};

/* Does it begin as a policy record must?  Others at the name are no policy records (RFC 7489 6.6.3). */
bool dmarc_record_is(const char *text, size_t len);
/* For a text that begins so; never fails. */
void dmarc_record_parse(struct dmarc_record *, const char *text, size_t len);
/* What RFC 7489 6.6.3 step 6 says of one without a valid p, or with an sp that is not valid: with an address for
 * reports it is p=none, without there is no DMARC.  RFC 9989 (tree) says the same in 4.10.1, of np too; but by its 4.7
 * a record that has no p at all is as if p=none stood there, and sp and np count as they are written. */
enum dmarc_effect { DMARC_AS_WRITTEN, DMARC_AS_NONE, DMARC_NOT_APPLIED };
enum dmarc_effect dmarc_record_effect(const struct dmarc_record *, bool tree);

#endif
