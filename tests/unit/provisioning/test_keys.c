/* Keys on disk and what the DNS says of them, checked by ldns and by a published example. */
#include <openssl/bn.h>
#include <openssl/x509.h>
#include <ldns/ldns.h>

#include "provisioning/keys.h"
#include "tests/unit/provisioning/fixture.h"

static const unsigned algorithms[] = { 5, 7, 8, 10, 13, 14, 15, 16, 120 };

/* Its DNSKEY at probe.example, as it goes over the wire. */
static ldns_rr *
dnskey_of(const struct site_zone_key *key)
{
	uint8_t wire[2048] = "\5probe\7example\0\0\60\0\1\0\0\16\20";
	size_t len = 15 + 8, pos = 0;
	ldns_rr *rr = NULL;

	wire[len++] = (uint8_t)(key->dnskey_len >> 8);
	wire[len++] = (uint8_t)key->dnskey_len;
	assert_true(key->dnskey_len <= sizeof wire - len);
	memcpy(wire + len, key->dnskey, key->dnskey_len);
	assert_int_equal(ldns_wire2rr(&rr, wire, len + key->dnskey_len, &pos, LDNS_SECTION_ANSWER),
	    LDNS_STATUS_OK);
	assert_int_equal(pos, len + key->dnskey_len);
	return rr;
}

/* ldns reads our DNSKEY, finds the same key tag, and computes the same DS. */
static void
test_dnskey_and_ds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		struct site_zone_key key;
		char ds[512];
		ldns_rr *rr = NULL, *theirs, *ours = NULL;

		assert_int_equal(
		    zone_key_set(&key, keys_generate(algorithms[i]), algorithms[i]), 0);
		assert_int_equal(key.dnskey[3], algorithms[i]);
		rr = dnskey_of(&key);
		assert_int_equal(ldns_calc_keytag(rr), key.keytag);
		for (unsigned digest = 1; digest <= 4; digest += digest == 2 ? 2 : 1) {
			theirs = ldns_key_rr2ds(rr, digest == 1   ? LDNS_SHA1
						    : digest == 2 ? LDNS_SHA256
								  : LDNS_SHA384);
			assert_non_null(theirs);
			assert_int_equal(
			    zone_key_ds_text(ds, sizeof(ds), &key, "probe.example", digest), 0);
			assert_int_equal(
			    ldns_rr_new_frm_str(&ours, ds, 0, NULL, NULL), LDNS_STATUS_OK);
			assert_int_equal(ldns_rr_compare(ours, theirs), 0);
			ldns_rr_free(ours);
			ldns_rr_free(theirs);
		}
		ldns_rr_free(rr);
		zone_key_clear(&key);
	}
}

/* RFC 6605 6.1: the P-256 key of the example, its tag and its DS. */
static void
test_rfc6605(void **state)
{
	static const char text[] =
	    "example.net. 3600 IN DNSKEY 257 3 13 "
	    "GojIhhXUN/"
	    "u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==";
	struct site_zone_key key = { .algorithm = 13 };
	uint8_t ds[64];
	ldns_rr *rr = NULL;
	ldns_rdf *rdf;
	char hex[65];

	(void)state;
	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	rdf = ldns_rr_rdf(rr, 3);
	memcpy(key.dnskey, "\x01\x01\x03\x0d", 4);
	memcpy(key.dnskey + 4, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	key.dnskey_len = 4 + ldns_rdf_size(rdf);
	key.keytag = ldns_calc_keytag_raw(key.dnskey, key.dnskey_len);
	ldns_rr_free(rr);
	assert_int_equal(key.keytag, 55648);
	assert_int_equal(zone_key_ds(ds, sizeof(ds), &key, "example.net", 2), 36);
	assert_int_equal(ds[0] << 8 | ds[1], 55648);
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", ds[4 + i]);
	assert_string_equal(
	    hex, "b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17");
	assert_int_equal(zone_key_ds(ds, 35, &key, "example.net", 2), 0);
	assert_int_equal(zone_key_ds(ds, sizeof(ds), &key, "example.net", 100), 36);
	assert_int_equal(ds[3], 100);
}

static void
test_files(void **state)
{
	struct fixture f;
	char path[300], err[400];
	EVP_PKEY *key, *again;
	uint8_t a[32], b[32];
	struct stat st;
	FILE *file;

	(void)state;
	fixture_new(&f);
	snprintf(path, sizeof(path), "%.100s/key.pem", f.root);
	assert_null(keys_load(path, err, sizeof(err)));
	assert_non_null(strstr(err, "key.pem: No such file"));
	key = keys_generate(13);
	assert_int_equal(keys_save(path, key), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	again = keys_load(path, err, sizeof(err));
	assert_non_null(again);
	assert_int_equal(EVP_PKEY_eq(key, again), 1);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
	key = keys_generate(15);
	assert_int_equal(keys_save(path, key), -1); /* what exists stays */
	EVP_PKEY_free(key);

	snprintf(path, sizeof(path), "%.100s/secret", f.root);
	assert_int_equal(keys_secret_new(path), 0);
	assert_int_equal(keys_secret_new(path), -1);
	assert_int_equal(keys_secret_load(a, path, err, sizeof(err)), 0);
	assert_int_equal(keys_secret_load(b, path, err, sizeof(err)), 0);
	assert_memory_equal(a, b, 32);
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("more\n", file);
	fclose(file);
	assert_int_equal(keys_secret_load(b, path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "64 hexadecimal digits"));
	assert_null(keys_load(path, err, sizeof(err)));
	assert_non_null(strstr(err, "not a private key"));
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dnskey_and_ds),
		cmocka_unit_test(test_rfc6605),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
