/* Tokens: round trip, case, form, forgery, edges of the id. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "provisioning/token.h"

static const struct token_key key = { .secret = { 1, 2, 3, 250 } };
static const struct token_key other = { .secret = { 1, 2, 3, 251 } };

static void
test_round_trip(void **state)
{
	static const uint64_t ids[] = { 1, 2, 31, 32, 0xff, 0x100, UINT64_C(0xf00000000001),
		UINT64_C(0xffffffffffff), UINT64_C(0x123456789abc) };

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
		struct token a, b;

		token_from_id(&a, ids[i], &key);
		assert_int_equal(strlen(a.text), TOKEN_LEN);
		assert_int_equal(strspn(a.text, "abcdefghijklmnopqrstuvwxyz234567"), TOKEN_LEN);
		assert_int_equal(token_parse(&b, a.text, TOKEN_LEN, &key), TOKEN_OK);
		assert_true(b.id == ids[i]);
		assert_string_equal(a.text, b.text);
		assert_true(token_decode(&b, a.text));
		assert_true(b.id == ids[i]);
	}
}

/* The MAC is what the header says: HMAC-SHA-256 of the six octets of the id, first 32 bits. */
static void
test_mac_is_hmac(void **state)
{
	const uint8_t id[6] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc };
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t raw[10], mac[32];
	char want[TOKEN_LEN + 1] = "";
	unsigned n;
	struct token t;

	(void)state;
	assert_non_null(
	    HMAC(EVP_sha256(), key.secret, sizeof(key.secret), id, sizeof(id), mac, &n));
	memcpy(raw, id, 6);
	memcpy(raw + 6, mac, 4);
	for (unsigned i = 0; i < TOKEN_LEN; i++) {
		unsigned v = 0;

		for (unsigned bit = 5 * i; bit < 5 * i + 5; bit++)
			v = v << 1 | (raw[bit / 8] >> (7 - bit % 8) & 1);
		want[i] = alphabet[v];
	}
	token_from_id(&t, UINT64_C(0x123456789abc), &key);
	assert_string_equal(t.text, want);

	struct token_key ready = key;

	token_key_prepare(&ready);
	token_from_id(&t, UINT64_C(0x123456789abc), &ready);
	assert_string_equal(t.text, want);
	assert_int_equal(token_parse(&t, want, TOKEN_LEN, &ready), TOKEN_OK);
	assert_int_equal(token_parse(&t, want, TOKEN_LEN, &key), TOKEN_OK);
}

static void
test_case_blind(void **state)
{
	struct token a, b;
	char mixed[TOKEN_LEN];

	(void)state;
	token_from_id(&a, UINT64_C(0xabcdef012345), &key);
	for (unsigned i = 0; i < TOKEN_LEN; i++)
		mixed[i] = (char)(i % 2 ? toupper((unsigned char)a.text[i]) : a.text[i]);
	assert_int_equal(token_parse(&b, mixed, TOKEN_LEN, &key), TOKEN_OK);
	assert_string_equal(b.text, a.text);
}

static void
test_form(void **state)
{
	static const char *const bad[] = { "", "a", "aaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaa",
		"aaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaa0", "aaaaaaaaaaaaaaa8", "aaaaaaaaaaaaaaa-",
		"aaaaaaa.aaaaaaaa", "aaaaaaaaaaaaaaa\xc1" };
	struct token t = { .id = 77, .text = "untouched" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(token_parse(&t, bad[i], strlen(bad[i]), &key), TOKEN_FORM);
	assert_int_equal(token_parse(&t, "aaaaaaaaaaaaaa\0a", TOKEN_LEN, &key), TOKEN_FORM);
	assert_true(t.id == 77);
	assert_string_equal(t.text, "untouched");
	assert_false(token_decode(&t, "aaaaaaaaaaaaaaa1"));
}

/* Whatever single character is changed, the token is another or a forgery, never the same. */
static void
test_forgery(void **state)
{
	struct token good, t = { .id = 77 };

	(void)state;
	token_from_id(&good, UINT64_C(0x00badcafe123), &key);
	assert_int_equal(token_parse(&t, good.text, TOKEN_LEN, &other), TOKEN_FORGED);
	for (unsigned i = 0; i < TOKEN_LEN; i++) {
		for (const char *c = "abcdefghijklmnopqrstuvwxyz234567"; *c != '\0'; c++) {
			char text[TOKEN_LEN + 1];

			memcpy(text, good.text, sizeof(text));
			if (text[i] == *c)
				continue;
			text[i] = *c;
			assert_int_equal(token_parse(&t, text, TOKEN_LEN, &key), TOKEN_FORGED);
		}
	}
	assert_true(t.id == 77);
}

static void
test_id_zero(void **state)
{
	struct token zero, t;

	(void)state;
	token_from_id(&zero, 0, &key); /* its MAC is right, and still it names nobody */
	assert_int_equal(token_parse(&t, zero.text, TOKEN_LEN, &key), TOKEN_FORGED);
	assert_false(token_decode(&t, zero.text));
	token_from_id(&t, UINT64_C(1) << 48, &key);
	assert_true(t.id == 0);
}

static void
test_new(void **state)
{
	struct token a, b;

	(void)state;
	for (unsigned node = 0; node < 16; node++) {
		assert_int_equal(token_new(&a, node, &key), 0);
		assert_int_equal(token_new(&b, node, &key), 0);
		assert_int_equal(a.id >> 44, node);
		assert_true(a.id >> 48 == 0 && a.id != 0);
		assert_true(a.id != b.id);
		assert_int_equal(token_parse(&b, a.text, TOKEN_LEN, &key), TOKEN_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_mac_is_hmac),
		cmocka_unit_test(test_case_blind),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_forgery),
		cmocka_unit_test(test_id_zero),
		cmocka_unit_test(test_new),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
