/* Signatures: the head of an RRSIG, windows, the cache, and what is wrong in wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "authdns/sign.h"
#include "tests/unit/authdns/site.h"

#include <cmocka.h>

#define NOW_S (SITE_NOW / 1000000)

static unsigned made; /* canonical forms */

static size_t
canon(uint8_t *dst, const void *ctx)
{
	made++;
	memcpy(dst, ctx, strlen(ctx));
	return strlen(ctx);
}

static struct sign_request
request(const char *test, enum sign_mode mode, uint64_t owner)
{
	const struct test *t = catalogue_find(s.site->catalogue, test, strlen(test));

	return (struct sign_request){ .zone = s.zones->by_number[t->number][0],
		.mode = mode,
		.type = TYPE_MX,
		.labels = 4,
		.ttl = 60,
		.id = 1,
		.keep = true,
		.owner = owner,
		.canon = canon,
		.ctx = "any octets" };
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)wire_get16(p) << 16 | wire_get16(p + 2);
}

/* RFC 4034 3.1 */
static void
test_head(void **state)
{
	struct signer *g = signer_new(s.zones, 64);
	struct sign_request r = request("plain", SIGN_RIGHT, 1);
	uint8_t rdata[RRSIG_MAX];
	size_t len;
	bool fresh;

	(void)state;
	len = signer_sign(g, rdata, &r, NOW_S, &fresh);
	assert_true(fresh);
	assert_int_equal(len, 18U + r.zone->apex_len + 64);
	assert_int_equal(wire_get16(rdata), TYPE_MX);
	assert_int_equal(rdata[2], 13);
	assert_int_equal(rdata[3], 4);
	assert_int_equal(get32(rdata + 4), 60);
	assert_true(get32(rdata + 8) > NOW_S + 86400 && get32(rdata + 12) < NOW_S - 3600);
	assert_int_equal(wire_get16(rdata + 16), r.zone->key->tag);
	assert_memory_equal(rdata + 18, r.zone->apex, r.zone->apex_len);
	r.mode = SIGN_EXPIRED;
	assert_true(signer_sign(g, rdata, &r, NOW_S, &fresh) > 0);
	assert_true(get32(rdata + 8) < NOW_S - 86400);
	r.mode = SIGN_FUTURE;
	assert_true(signer_sign(g, rdata, &r, NOW_S, &fresh) > 0);
	assert_true(get32(rdata + 12) > NOW_S + 86400);
	signer_free(g);
}

static void
test_cache(void **state)
{
	struct signer *g = signer_new(s.zones, 64);
	struct sign_request r = request("plain", SIGN_RIGHT, 1);
	uint8_t first[RRSIG_MAX], again[RRSIG_MAX];
	size_t len;
	bool fresh;

	(void)state;
	made = 0;
	len = signer_sign(g, first, &r, NOW_S, &fresh);
	assert_int_equal(signer_sign(g, again, &r, NOW_S + 1, &fresh), len);
	assert_false(fresh);
	assert_memory_equal(first, again, len);
	/* the next window, another owner, another mode are other signatures */
	signer_sign(g, again, &r, NOW_S + SIGN_WINDOW_S, &fresh);
	assert_true(fresh);
	r.owner = 2;
	signer_sign(g, again, &r, NOW_S, &fresh);
	assert_true(fresh);
	r.mode = SIGN_CORRUPT;
	signer_sign(g, again, &r, NOW_S, &fresh);
	assert_true(fresh);
	assert_int_equal(made, 4);
	/* what a stranger made up takes nobody's place */
	r = request("plain", SIGN_RIGHT, 99);
	r.keep = false;
	for (unsigned i = 0; i < 2; i++) {
		signer_sign(g, again, &r, NOW_S, &fresh);
		assert_true(fresh);
	}
	/* and many owners only push out each other */
	for (uint64_t owner = 100; owner < 400; owner++) {
		r = request("plain", SIGN_RIGHT, owner);
		assert_true(signer_sign(g, again, &r, NOW_S, &fresh) > 0);
		signer_sign(g, again, &r, NOW_S, &fresh);
		assert_false(fresh);
	}
	signer_free(g);
}

/* Of many it remembers as many as dns-sign-cache says, rounded up to a power of two: the latest. */
static void
test_cache_size(void **state)
{
	static const struct {
		unsigned size, kept;
	} rows[] = { { 16, 16 }, { 17, 32 }, { 64, 64 } };
	uint8_t rdata[RRSIG_MAX];
	bool fresh;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct signer *g = signer_new(s.zones, rows[i].size);
		unsigned kept = 0;

		for (uint64_t owner = 1; owner <= 1000; owner++) {
			struct sign_request r = request("plain", SIGN_RIGHT, owner);
			assert_true(signer_sign(g, rdata, &r, NOW_S, &fresh) > 0);
			assert_true(fresh);
		}
		/* The latest first: what is there stays there until one of its set is missing. */
		for (uint64_t owner = 1000; owner >= 1; owner--) {
			struct sign_request r = request("plain", SIGN_RIGHT, owner);
			signer_sign(g, rdata, &r, NOW_S, &fresh);
			kept += !fresh;
		}
		assert_int_equal(kept, rows[i].kept);
		signer_free(g);
	}
}

/* Every algorithm signs with the length that its RFC gives; a corrupt one differs in one octet only. */
static void
test_algorithms(void **state)
{
	static const struct {
		const char *test;
		unsigned algorithm;
		size_t len;
	} rows[] = { { "rsa-sha1", 7, 256 }, { "rsa", 8, 256 }, { "rsa-sha512", 10, 256 },
		{ "plain", 13, 64 }, { "p384", 14, 96 }, { "ed25519", 15, 64 },
		{ "ed448", 16, 114 }, { "unknown-algorithm", 120, 64 } };
	struct signer *g = signer_new(s.zones, 64);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sign_request r = request(rows[i].test, SIGN_RIGHT, i);
		uint8_t rdata[RRSIG_MAX], bad[RRSIG_MAX];
		unsigned differ = 0;
		bool fresh, deterministic = rows[i].algorithm < 13 || rows[i].algorithm == 15 ||
					    rows[i].algorithm == 16;
		size_t len = signer_sign(g, rdata, &r, NOW_S, &fresh);

		assert_int_equal(len, 18U + r.zone->apex_len + rows[i].len);
		assert_int_equal(rdata[2], rows[i].algorithm);
		r.mode = SIGN_CORRUPT;
		assert_int_equal(signer_sign(g, bad, &r, NOW_S, &fresh), len);
		for (size_t k = 0; k < len; k++)
			differ += rdata[k] != bad[k];
		assert_true(deterministic ? differ == 1 : differ > 0);
	}
	signer_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_cache_size),
		cmocka_unit_test(test_algorithms),
	};

	return cmocka_run_group_tests(tests, test_site_set_up, test_site_tear_down);
}
