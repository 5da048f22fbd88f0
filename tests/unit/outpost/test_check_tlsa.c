/* TLSA records against chains: what matches, and what a test's file means to match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h makes macros of names that zones/test.h declares. */
#include "outpost/check_tlsa.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"

#include <cmocka.h>

static STACK_OF(X509) * chain;

static int
setup(void **state)
{
	EVP_PKEY *ca_key = keys_generate(13), *key = keys_generate(13);
	X509 *ca_cert = certs_make_ca(ca_key, "CA", 1700000000000000), *leaf;
	struct certs_ca ca = { ca_cert, ca_key };
	const char *name = "*.mx0.test.example";
	struct certs_request r = { .name = &name, .n_names = 1, .key = key, .ca = &ca };

	(void)state;
	leaf = certs_make(&r, 1700000000000000);
	chain = sk_X509_new_null();
	if (leaf == NULL || sk_X509_push(chain, leaf) != 1 || sk_X509_push(chain, ca_cert) != 2)
		return -1;
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sk_X509_pop_free(chain, X509_free);
	return 0;
}

static char *
hex(char *dst, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sprintf(dst + 2 * i, i % 2 != 0 ? "%02X" : "%02x", data[i]);
	return dst;
}

static void
test_matches(void **state)
{
	uint8_t spki[32], spki512[64], whole[32], ca[32], ca512[64], ca_whole[32];
	char data[129], rdata[8192], *full;
	unsigned char *der = NULL;
	int len;

	(void)state;
	assert_int_equal(certs_digests(spki, spki512, whole, sk_X509_value(chain, 0)), 0);
	assert_int_equal(certs_digests(ca, ca512, ca_whole, sk_X509_value(chain, 1)), 0);
	const struct {
		const char *head;
		const uint8_t *data;
		size_t len;
		bool matches;
	} rows[] = {
		{ "3 1 1", spki, 32, true },
		{ "3 1 2", spki512, 64, true },
		{ "3 0 1", whole, 32, true },
		{ "1 1 1", spki, 32, true },
		{ "2 1 1", ca, 32, true },
		{ "0 0 1", ca_whole, 32, true },
		{ "2 1 2", ca512, 64, true },
		{ "3 1 1", whole, 32, false },
		{ "3 0 1", spki, 32, false },
		{ "3 1 2", spki, 32, false },
		{ "3 1 1", spki512, 32, false },
		{ "3 1 1", spki, 20, false },
		{ "3 1 1", ca, 32, false },
		{ "2 1 1", spki, 32, false },
		{ "3 9 1", spki, 32, false },
		{ "3 1 200", spki, 32, false },
		{ "4 1 1", spki, 32, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(rdata, sizeof(rdata), "%s %s", rows[i].head,
		    hex(data, rows[i].data, rows[i].len));
		assert_int_equal(tlsa_matches(rdata, chain), rows[i].matches);
	}
	len = i2d_X509(sk_X509_value(chain, 0), &der);
	assert_in_range(len, 1, 2000);
	full = calloc(1, 2 * (size_t)len + 1);
	snprintf(rdata, sizeof(rdata), "3 0 0 %s", hex(full, der, (size_t)len));
	assert_true(tlsa_matches(rdata, chain));
	free(full);
	OPENSSL_free(der);
	assert_false(tlsa_matches("", chain));
	assert_false(tlsa_matches("3 1", chain));
	assert_false(tlsa_matches("3 1 1 ", chain));
	assert_false(tlsa_matches("\\# 4 03010100", chain));
}

static void
test_no_chain(void **state)
{
	STACK_OF(X509) *leaf = sk_X509_new_null(), *none = sk_X509_new_null();
	uint8_t ca[32];
	char data[65], rdata[80];

	(void)state;
	assert_int_equal(certs_digests(ca, NULL, NULL, sk_X509_value(chain, 1)), 0);
	snprintf(rdata, sizeof(rdata), "2 1 1 %s", hex(data, ca, 32));
	sk_X509_push(leaf, sk_X509_value(chain, 0));
	assert_false(tlsa_matches(rdata, leaf)); /* the CA was not sent */
	assert_false(tlsa_matches(rdata, none));
	rdata[0] = '3';
	assert_false(tlsa_matches(rdata, none));
	sk_X509_free(leaf);
	sk_X509_free(none);
}

static void
test_wanted(void **state)
{
	static const struct {
		const char *rdata;
		unsigned host;
		enum tlsa_wanted wanted;
	} rows[] = {
		{ "3 1 1 {spki:0}", 0, TLSA_MATCH },
		{ "3 1 1 {spki:0}", 1, TLSA_OTHER_HOST },
		{ "3 1 1 {spki-wrong:1}", 1, TLSA_MISMATCH },
		{ "3 1 2 {spki512:0}", 0, TLSA_MATCH },
		{ "3 1 2 {spki512-wrong:0}", 0, TLSA_MISMATCH },
		{ "3 0 1 {cert:0}", 0, TLSA_MATCH },
		{ "2 1 1 {ca-spki}", 7, TLSA_MATCH },
		{ "2 1 1 {other-ca-spki}", 7, TLSA_MISMATCH },
		{ "3 9 1 {spki:0}", 0, TLSA_MISMATCH },
		{ "3 1 200 {spki:0}", 0, TLSA_MISMATCH },
		{ "3 1 1 0123456789abcdef0123456789abcdef01234567", 0, TLSA_MISMATCH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(tlsa_wanted(rows[i].rdata, rows[i].host), rows[i].wanted);
}

static void
test_chain_load(void **state)
{
	char path[64] = "/tmp/outpost-chain-XXXXXX", err[200];
	STACK_OF(X509) * loaded;

	(void)state;
	assert_true(mkstemp(path) >= 0);
	assert_null(tlsa_chain_load(path, err, sizeof(err)));
	assert_non_null(strstr(err, "no certificate"));
	unlink(path);
	assert_null(tlsa_chain_load(path, err, sizeof(err)));
	assert_int_equal(certs_save(path, sk_X509_value(chain, 0), sk_X509_value(chain, 1)), 0);
	loaded = tlsa_chain_load(path, err, sizeof(err));
	assert_non_null(loaded);
	assert_int_equal(sk_X509_num(loaded), 2);
	assert_int_equal(X509_cmp(sk_X509_value(loaded, 1), sk_X509_value(chain, 1)), 0);
	sk_X509_pop_free(loaded, X509_free);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_no_chain),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_chain_load),
	};

	return cmocka_run_group_tests_name("check_tlsa", tests, setup, teardown);
}
