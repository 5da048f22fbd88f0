/* token.c - see token.h.  The low-level SHA-256 calls are deprecated in OpenSSL 3, but they are the
 * only ones that allocate nothing, and authdns checks a token in every query. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "provisioning/token.h"

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

/* RFC 2104 with a 32-byte key, cut to 32 bits. */
static void
mac(uint8_t dst[MAC_LEN], const uint8_t id[ID_LEN], const struct token_key *key)
{
	uint8_t block[BLOCK_LEN], digest[SHA256_DIGEST_LENGTH];
	SHA256_CTX ctx;

	memset(block, 0x36, sizeof(block));
	for (size_t i = 0; i < sizeof(key->secret); i++)
		block[i] ^= key->secret[i];
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, block, sizeof(block));
	SHA256_Update(&ctx, id, ID_LEN);
	SHA256_Final(digest, &ctx);

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	SHA256_Init(&ctx);
	SHA256_Update(&ctx, block, sizeof(block));
	SHA256_Update(&ctx, digest, sizeof(digest));
	SHA256_Final(digest, &ctx);
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
	base32_encode(out->text, raw);
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
	base32_encode(out->text, raw);
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
