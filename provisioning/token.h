/* token.h - the 16 characters [a-z2-7] that tie a DNS query, an SMTP session and an HTTPS request
 * to one participant's run: base32 (RFC 4648 alphabet, lower case) of 48 bits of id and the first
 * 32 bits of HMAC-SHA-256(site key, id).  Read case-blind (resolvers randomise case, RFC 1035
 * 2.3.4); the check is constant-time.  Pure: no I/O, no heap. */
#ifndef PROVISIONING_TOKEN_H
#define PROVISIONING_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_LEN 16

struct token_key {
	uint8_t secret[32];
	/* What token_key_prepare makes of it: SHA-256 after the padded key of either pass of HMAC. */
	bool prepared;
	uint32_t inner[8], outer[8];
};
struct token {
	uint64_t id;              /* 48 bits, never 0 */
	char text[TOKEN_LEN + 1]; /* lower case */
};
enum token_err {
	TOKEN_OK,
	TOKEN_FORM /* not 16 of the alphabet */,
	TOKEN_FORGED /* MAC differs, or id 0 */
};

/* Half of the work of every token, done once; a key that was not prepared only costs more. */
void token_key_prepare(struct token_key *);
/* *out is written only on TOKEN_OK. */
enum token_err token_parse(
    struct token *out, const char *label, size_t len, const struct token_key *);
void token_from_id(struct token *out, uint64_t id, const struct token_key *);
/* The same without a key: form only, whoever made it.  For those who read our own journals. */
bool token_decode(struct token *out, const char text[TOKEN_LEN]);
/* A fresh random id with the node's 4 bits on top.  -1: no randomness. */
int token_new(struct token *out, unsigned node, const struct token_key *);

#endif
