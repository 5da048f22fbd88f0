#include "authdns/sign.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/strbuf.h"

#define CACHE_WAYS 8
#define DAY        INT64_C(86400)

/* One row per DNSSEC algorithm; numbers that are not here are unknown to everybody and get the row
 * of P-256 (zone_key). */
enum method { METHOD_ECDSA, METHOD_RSA, METHOD_EDDSA };
static const struct algorithm {
	unsigned number;
	enum method method;
	const char *digest;
	size_t part; /* ECDSA: octets of r and of s */
} algorithms[] = {
	{ 13, METHOD_ECDSA, "SHA256", 32 }, /* RFC 6605 */
	{ 14, METHOD_ECDSA, "SHA384", 48 },
	{ 7, METHOD_RSA, "SHA1", 0 },   /* RFC 3110, RFC 5155 */
	{ 8, METHOD_RSA, "SHA256", 0 }, /* RFC 5702 */
	{ 10, METHOD_RSA, "SHA512", 0 },
	{ 15, METHOD_EDDSA, NULL, 0 }, /* RFC 8080 */
	{ 16, METHOD_EDDSA, NULL, 0 },
};

/* Prepared once: making these contexts costs more than a signature. */
struct prepared {
	const struct algorithm *a;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *sign;
	EVP_MD *md;
	EVP_MD_CTX *hash;
};

struct signature {
	uint32_t id;
	uint8_t mode;
	uint16_t len;
	uint64_t owner;
	uint32_t window; /* 0: empty */
	uint32_t used;   /* of the signer's clock; the least recently used way is taken over */
	uint8_t data[SIGNATURE_MAX];
};

struct signer {
	const struct zones *zones;
	struct prepared *key;  /* same order as zones->keys */
	struct signature *own; /* by id */
	struct signature *cache;
	unsigned sets, clock;
	uint8_t canon[2 * 65536 + 1024];
};

/* --- one signature --- */

static int
prepare(struct prepared *p, const struct zone_key *k)
{
	p->a = &algorithms[0];
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].number == k->algorithm)
			p->a = &algorithms[i];
	p->pkey = k->pkey;
	p->hash = EVP_MD_CTX_new();
	if (p->hash == NULL || p->a->method == METHOD_EDDSA)
		return p->hash != NULL ? 0 : -1;
	p->md = EVP_MD_fetch(NULL, p->a->digest, NULL);
	p->sign = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	if (p->md == NULL || p->sign == NULL || EVP_PKEY_sign_init(p->sign) != 1)
		return -1;
	if (p->a->method == METHOD_RSA &&
	    (EVP_PKEY_CTX_set_rsa_padding(p->sign, RSA_PKCS1_PADDING) != 1 ||
		EVP_PKEY_CTX_set_signature_md(p->sign, p->md) != 1))
		return -1;
	return 0;
}

/* One INTEGER of the DER form at *p, into part octets, left-padded. */
static int
der_integer(uint8_t *dst, size_t part, const uint8_t **p, const uint8_t *end)
{
	size_t n;
	const uint8_t *v;

	if (end - *p < 2 || (*p)[0] != 2 || (*p)[1] > end - *p - 2)
		return -1;
	n = (*p)[1];
	v = *p + 2;
	*p = v + n;
	while (n > part && *v == 0) {
		v++;
		n--;
	}
	if (n > part)
		return -1;
	memset(dst, 0, part - n);
	memcpy(dst + part - n, v, n);
	return 0;
}

/* RFC 6605 4: r and s as they are, no DER. */
static size_t
ecdsa_raw(uint8_t *dst, size_t part, const uint8_t *der, size_t len)
{
	const uint8_t *p = der + 2, *end = der + len;

	if (len > 2 && der[1] == 0x81)
		p++;
	if (der_integer(dst, part, &p, end) < 0 || der_integer(dst + part, part, &p, end) < 0)
		return 0;
	return 2 * part;
}

static size_t
compute(struct prepared *p, uint8_t dst[SIGNATURE_MAX], const uint8_t *data, size_t len)
{
	uint8_t digest[EVP_MAX_MD_SIZE], raw[SIGNATURE_MAX + 64];
	size_t raw_len = sizeof(raw);
	unsigned digest_len;

	if (p->a->method == METHOD_EDDSA) {
		raw_len = SIGNATURE_MAX;
		if (EVP_DigestSignInit(p->hash, NULL, NULL, NULL, p->pkey) != 1 ||
		    EVP_DigestSign(p->hash, dst, &raw_len, data, len) != 1)
			return 0;
		EVP_MD_CTX_reset(p->hash);
		return raw_len;
	}
	if (EVP_DigestInit_ex(p->hash, p->md, NULL) != 1 ||
	    EVP_DigestUpdate(p->hash, data, len) != 1 ||
	    EVP_DigestFinal_ex(p->hash, digest, &digest_len) != 1 ||
	    EVP_PKEY_sign(p->sign, raw, &raw_len, digest, digest_len) != 1)
		return 0;
	if (p->a->method == METHOD_ECDSA)
		return ecdsa_raw(dst, p->a->part, raw, raw_len);
	if (raw_len > SIGNATURE_MAX)
		return 0;
	memcpy(dst, raw, raw_len);
	return raw_len;
}

/* --- signer --- */

struct signer *
signer_new(const struct zones *zs, unsigned cache)
{
	struct signer *s = xcalloc(1, sizeof(*s));

	s->zones = zs;
	s->key = xcalloc(zs->n_keys, sizeof(*s->key));
	s->own = xcalloc(zs->ids + 1, sizeof(*s->own));
	for (s->sets = 1; s->sets * CACHE_WAYS < cache; s->sets *= 2)
		;
	s->cache = xcalloc((size_t)s->sets * CACHE_WAYS, sizeof(*s->cache));
	/* Every page now: what a worker holds shall not grow with the number of participants. */
	memset(s->cache, 0, (size_t)s->sets * CACHE_WAYS * sizeof(*s->cache));
	for (unsigned i = 0; i < zs->n_keys; i++)
		if (prepare(&s->key[i], &zs->keys[i]) < 0) {
			log_warn("DNSSEC key of algorithm %u: %s: run outpost init again",
			    zs->keys[i].algorithm, ERR_reason_error_string(ERR_peek_last_error()));
			signer_free(s);
			return NULL;
		}
	return s;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	for (unsigned i = 0; i < s->zones->n_keys; i++) {
		EVP_PKEY_CTX_free(s->key[i].sign);
		EVP_MD_CTX_free(s->key[i].hash);
		EVP_MD_free(s->key[i].md);
	}
	free(s->own);
	free(s->cache);
	free(s->key);
	free(s);
}

/* Where the signature of the request is or goes.  *hit: it is there. */
static struct signature *
slot(struct signer *s, const struct sign_request *r, uint32_t window, bool *hit)
{
	struct signature *set, *oldest;
	uint64_t h = (r->owner ^ (uint64_t)r->id << 40) * UINT64_C(0x9e3779b97f4a7c15);

	*hit = false;
	if (r->fixed) {
		struct signature *g = &s->own[r->id];

		*hit = g->window == window && g->mode == r->mode;
		return g;
	}
	set = oldest = &s->cache[((h >> 32) & (s->sets - 1)) * CACHE_WAYS];
	s->clock++;
	for (unsigned i = 0; i < CACHE_WAYS; i++) {
		struct signature *g = &set[i];

		if (g->window == window && g->id == r->id && g->owner == r->owner &&
		    g->mode == r->mode) {
			g->used = s->clock;
			*hit = true;
			return g;
		}
		if (g->used < oldest->used)
			oldest = g;
	}
	return r->keep ? oldest : NULL;
}

/* RFC 4034 3.1 up to the signature.  Inception and expiration follow from the window alone, so
 * that any node gives the same ones. */
static size_t
rrsig_head(uint8_t *dst, const struct sign_request *r, uint32_t window)
{
	int64_t start = (int64_t)window * SIGN_WINDOW_S, from = start - DAY,
		until = start + 7 * DAY;
	uint8_t *p = wire_put16(dst, r->type);

	if (r->mode == SIGN_EXPIRED) {
		from = start - 30 * DAY;
		until = start - 2 * DAY;
	} else if (r->mode == SIGN_FUTURE) {
		from = start + 10 * DAY;
		until = start + 40 * DAY;
	}
	*p++ = (uint8_t)r->zone->key->algorithm;
	*p++ = r->labels;
	p = wire_put32(p, r->ttl);
	p = wire_put32(p, (uint32_t)until);
	p = wire_put32(p, (uint32_t)from);
	p = wire_put16(p, r->zone->key->tag);
	memcpy(p, r->zone->apex, r->zone->apex_len);
	return 18U + r->zone->apex_len;
}

size_t
signer_sign(
    struct signer *s, uint8_t *dst, const struct sign_request *r, int64_t now_s, bool *fresh)
{
	uint32_t window = (uint32_t)(now_s / SIGN_WINDOW_S);
	size_t head = rrsig_head(dst, r, window), len;
	bool hit;
	struct signature *g = slot(s, r, window, &hit);

	*fresh = !hit;
	if (hit) {
		memcpy(dst + head, g->data, g->len);
		return head + g->len;
	}
	memcpy(s->canon, dst, head);
	len = compute(&s->key[r->zone->key - s->zones->keys], dst + head, s->canon,
	    head + r->canon(s->canon + head, r->ctx));
	if (len == 0)
		return 0;
	if (r->mode == SIGN_CORRUPT)
		dst[head + len / 2] ^= 0x55;
	if (g != NULL) {
		g->id = r->id;
		g->owner = r->owner;
		g->mode = (uint8_t)r->mode;
		g->window = window;
		g->used = s->clock;
		g->len = (uint16_t)len;
		memcpy(g->data, dst + head, len);
	}
	return head + len;
}

static size_t
canon_set(uint8_t *dst, const void *ctx)
{
	const struct rrset *set = ctx;

	memcpy(dst, set->canon.data, set->canon.len);
	return set->canon.len;
}

static void
prepare_zone(struct signer *s, const struct zone *z, int64_t now_s)
{
	uint8_t rrsig[RRSIG_MAX];

	for (unsigned k = 0; k <= z->mask && z->is_signed && z->sign != SIGN_NONE; k++)
		for (unsigned j = 0; z->table[k] != NULL && j < z->table[k]->n_sets; j++) {
			const struct rrset *set = &z->table[k]->sets[j];
			struct sign_request r = { z, z->sign, set->type, z->table[k]->labels,
				set->ttl, set->id, true, true, 0, canon_set, set };
			bool fresh;

			if (set->fixed)
				signer_sign(s, rrsig, &r, now_s, &fresh);
		}
}

void
signer_prepare(struct signer *s, int64_t now_s)
{
	for (unsigned i = 0; i < s->zones->n; i++) {
		const struct zone *z = &s->zones->zone[i];

		prepare_zone(s, z, now_s);
		for (unsigned p = 0; p <= TEST_PHASES_MAX; p++)
			if (z->in_phase[p] != NULL)
				prepare_zone(s, z->in_phase[p], now_s);
	}
}
