/* data.h - the block between 354 and the final dot (RFC 5321 4.5.2).  Nothing of the body is kept
 * here, unless the caller wants its first octets; who sets a sink is given all of it.
 * Size, digest, framing facts and the header fields that verdicts need are kept.
 *
 * Only CR LF "." CR LF ends the block, whatever else looks like it: LF.LF, CR.CR and their kin are
 * content, and counted.  Pure but for the heap that the kept fields take. */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/strbuf.h"

struct data {
	uint64_t size;           /* after dot-unstuffing, the last CR LF included */
	uint64_t lines, longest; /* lines end in CR LF; longest without it */
	uint64_t bare_lf, bare_cr, nul, eightbit;
	struct strbuf headers; /* kept fields, raw, at most headers_max bytes */
	bool headers_cut;
	struct strbuf raw; /* the first raw_max octets of the content; 0: none */
	size_t raw_max;    /* for the caller to set */
	/* Is given all of it, as it comes; for the caller to set, or NULL. */
	void (*sink)(void *ctx, const char *bytes, size_t len);
	void *sink_ctx;
	/* private */
	int state;
	bool in_header, keeping;
	uint64_t column;
	size_t headers_max;
	struct strbuf line; /* header line being read */
	EVP_MD_CTX *digest; /* owned */
};

/* sha256: fetched once by the caller. */
void data_init(struct data *, const EVP_MD *sha256, size_t headers_max);
void data_clear(struct data *);

/* Reads up to the end of the block; returns the octets used and sets *done when it was found. */
size_t data_input(struct data *, const char *bytes, size_t len, bool *done);
/* Instead: a chunk of known length (RFC 3030), no dot means anything; and the end of the last one. */
void data_chunk(struct data *, const char *bytes, size_t len);
void data_end(struct data *);
/* After *done: SHA-256 of the message, hex.  Once. */
void data_digest(struct data *, char hex[65]);
/* The unfolded, trimmed value of the first kept field of that name into dst; "" if none. */
void data_field(const struct data *, const char *name, char *dst, size_t dstlen);

#endif
