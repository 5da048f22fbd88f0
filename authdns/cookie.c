#include "authdns/cookie.h"

#include <openssl/crypto.h>
#include <string.h>

#include "authdns/wire.h"
#include "lib/hash.h"

#define OLDEST 3600
#define AHEAD  300

void
cookie_key(uint8_t key[16], const struct token_key *k)
{
	static const char label[2][8] = { "cookie 1", "cookie 2" };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t h = hash_sip(k->secret, label[i], sizeof(label[i])) ^
			     hash_sip(k->secret + 16, label[i], sizeof(label[i]));

		for (unsigned b = 0; b < 8; b++)
			key[8 * i + b] = (uint8_t)(h >> (8 * b));
	}
}

bool
cookie_well_formed(size_t len)
{
	return len == COOKIE_CLIENT || (len >= 16 && len <= 40);
}

/* Hash over client cookie, version, reserved, time and the client's address. */
static void
put_hash(
    uint8_t dst[8], const uint8_t head[16], const union sockaddr_any *peer, const uint8_t key[16])
{
	uint8_t data[32];
	size_t len = 16;
	uint64_t h;

	memcpy(data, head, 16);
	if (peer->sa.sa_family == AF_INET6) {
		memcpy(data + 16, &peer->in6.sin6_addr, 16);
		len += 16;
	} else {
		memcpy(data + 16, &peer->in.sin_addr, 4);
		len += 4;
	}
	h = hash_sip(key, data, len);
	for (unsigned b = 0; b < 8; b++)
		dst[b] = (uint8_t)(h >> (8 * b));
}

void
cookie_make(uint8_t dst[COOKIE_WHOLE], const uint8_t client[COOKIE_CLIENT],
    const union sockaddr_any *peer, int64_t now_s, const uint8_t key[16])
{
	memcpy(dst, client, COOKIE_CLIENT);
	memcpy(dst + 8, "\1\0\0\0", 4);
	wire_put32(dst + 12, (uint32_t)now_s);
	put_hash(dst + 16, dst, peer, key);
}

bool
cookie_valid(const uint8_t *option, size_t len, const union sockaddr_any *peer, int64_t now_s,
    const uint8_t key[16])
{
	uint8_t want[8];
	int32_t age;

	if (len != COOKIE_WHOLE || memcmp(option + 8, "\1\0\0\0", 4) != 0)
		return false;
	/* RFC 1982 arithmetic: the time is 32 bits */
	age = (int32_t)((uint32_t)now_s -
			((uint32_t)wire_get16(option + 12) << 16 | wire_get16(option + 14)));
	if (age > OLDEST || age < -AHEAD)
		return false;
	put_hash(want, option, peer, key);
	return CRYPTO_memcmp(want, option + 16, 8) == 0;
}
