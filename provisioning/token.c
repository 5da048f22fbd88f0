/* token.c - see token.h.  The low-level SHA-256 calls are deprecated in OpenSSL 3, but they are the
 * only ones that allocate nothing, and authdns checks a token in every query. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "provisioning/token.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#define ID_BITS   48
#define ID_LEN    6
#define MAC_LEN   4
#define RAW_LEN   (ID_LEN + MAC_LEN)
#define BLOCK_LEN 64 /* of SHA-256 */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static void
id_bytes(uint8_t dst[ID_LEN], uint64_t id)
{
	for (unsigned i = 0; i < ID_LEN; i++)
		dst[i] = (uint8_t)(id >> (8 * (ID_LEN - 1 - i)));
}

/* The state of SHA-256 after one block: the key, padded and changed as the pass wants it. */
static void
pass_begin(uint32_t state[8], const struct token_key *key, uint8_t change)
{
	uint8_t block[BLOCK_LEN];
	SHA256_CTX ctx;

	memset(block, change, sizeof(block));
	for (size_t i = 0; i < sizeof(key->secret); i++)
		block[i] ^= key->secret[i];
	SHA256_Init(&ctx);
	SHA256_Transform(&ctx, block);
	memcpy(state, ctx.h, sizeof(ctx.h));
}

void
token_key_prepare(struct token_key *key)
{
	pass_begin(key->inner, key, 0x36);
	pass_begin(key->outer, key, 0x5c);
	key->prepared = true;
}

/* Ends a pass with up to 55 octets, in one block with its padding (FIPS 180-4 5.1.1). */
static void
pass_end(
    uint8_t dst[SHA256_DIGEST_LENGTH], const uint32_t state[8], const uint8_t *data, size_t len)
{
	uint8_t block[BLOCK_LEN] = { 0 };
	size_t bits = 8 * (BLOCK_LEN + len);
	SHA256_CTX ctx;

	memcpy(block, data, len);
	block[len] = 0x80;
	block[BLOCK_LEN - 2] = (uint8_t)(bits >> 8);
	block[BLOCK_LEN - 1] = (uint8_t)bits;
	SHA256_Init(&ctx);
	memcpy(ctx.h, state, sizeof(ctx.h));
	SHA256_Transform(&ctx, block);
	for (size_t i = 0; i < SHA256_DIGEST_LENGTH / 4; i++) {
		uint32_t word = htobe32(ctx.h[i]);

		memcpy(dst + 4 * i, &word, sizeof(word));
	}
}

/* RFC 2104 with a 32-byte key, cut to 32 bits. */
static void
mac(uint8_t dst[MAC_LEN], const uint8_t id[ID_LEN], const struct token_key *key)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct token_key own;

	if (!key->prepared) {
		memcpy(own.secret, key->secret, sizeof(own.secret));
		token_key_prepare(&own);
		key = &own;
	}
	pass_end(digest, key->inner, id, ID_LEN);
	pass_end(digest, key->outer, digest, sizeof(digest));
	memcpy(dst, digest, MAC_LEN);
}

/* 0..31, or -1. */
static int
base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

/* 80 bits either way: 16 characters, no padding. */
static bool
base32_decode(uint8_t dst[RAW_LEN], const char *text)
{
	uint32_t acc = 0;
	unsigned bits = 0, n = 0;

	for (unsigned i = 0; i < TOKEN_LEN; i++) {
		int v = base32_value(text[i]);

		if (v < 0)
			return false;
		acc = (acc << 5 | (uint32_t)v) & 0xffff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			dst[n++] = (uint8_t)(acc >> bits);
		}
	}
	return true;
}

static void
base32_encode(char dst[TOKEN_LEN + 1], const uint8_t raw[RAW_LEN])
{
	uint32_t acc = 0;
	unsigned bits = 0, n = 0;

	for (unsigned i = 0; i < RAW_LEN; i++) {
		acc = (acc << 8 | raw[i]) & 0xffff;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			dst[n++] = alphabet[acc >> bits & 31];
		}
	}
	dst[n] = '\0';
}

/* Of characters of the alphabet: the digits have that bit already. */
static void
lower(char dst[TOKEN_LEN + 1], const char *text)
{
	for (unsigned i = 0; i < TOKEN_LEN; i++)
		dst[i] = (char)(text[i] | 0x20);
	dst[TOKEN_LEN] = '\0';
}

enum token_err
token_parse(struct token *out, const char *label, size_t len, const struct token_key *key)
{
	uint8_t raw[RAW_LEN], want[MAC_LEN];
	uint64_t id = 0;

	if (len != TOKEN_LEN || !base32_decode(raw, label))
		return TOKEN_FORM;
	mac(want, raw, key);
	for (unsigned i = 0; i < ID_LEN; i++)
		id = id << 8 | raw[i];
	if (CRYPTO_memcmp(want, raw + ID_LEN, MAC_LEN) != 0 || id == 0)
		return TOKEN_FORGED;
	out->id = id;
	lower(out->text, label);
	return TOKEN_OK;
}

bool
token_decode(struct token *out, const char text[TOKEN_LEN])
{
	uint8_t raw[RAW_LEN];
	uint64_t id = 0;

	if (!base32_decode(raw, text))
		return false;
	for (unsigned i = 0; i < ID_LEN; i++)
		id = id << 8 | raw[i];
	if (id == 0)
		return false;
	out->id = id;
	lower(out->text, text);
	return true;
}

void
token_from_id(struct token *out, uint64_t id, const struct token_key *key)
{
	uint8_t raw[RAW_LEN];

	out->id = id & ((UINT64_C(1) << ID_BITS) - 1);
	id_bytes(raw, out->id);
	mac(raw + ID_LEN, raw, key);
	base32_encode(out->text, raw);
}

int
token_new(struct token *out, unsigned node, const struct token_key *key)
{
	uint64_t id = 0;

	do {
		uint8_t raw[ID_LEN];

		if (RAND_bytes(raw, sizeof(raw)) != 1)
			return -1;
		for (unsigned i = 0; i < ID_LEN; i++)
			id = id << 8 | raw[i];
		id &= (UINT64_C(1) << (ID_BITS - 4)) - 1;
	} while (id == 0);
	token_from_id(out, id | (uint64_t)(node & 15) << (ID_BITS - 4), key);
	return 0;
}
