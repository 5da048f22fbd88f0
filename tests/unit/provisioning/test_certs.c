/* Every kind of certificate is what its name says, judged by OpenSSL's own verification. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

#include "lib/clock.h"
#include "provisioning/certs.h"
#include "provisioning/keys.h"
#include "tests/unit/provisioning/fixture.h"

#define HOST "aaaaaaaaaaaaaaaa.mx0.plain.probe.example"

static struct certs_ca ca, other_ca;
static EVP_PKEY *key;

static int
setup(void **state)
{
	(void)state;
	ca.key = keys_generate(13);
	other_ca.key = keys_generate(13);
	ca.cert = certs_make_ca(ca.key, "ours", clock_now());
	other_ca.cert = certs_make_ca(other_ca.key, "theirs", clock_now());
	key = keys_generate(13);
	return ca.cert != NULL && other_ca.cert != NULL && key != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	X509_free(ca.cert);
	X509_free(other_ca.cert);
	EVP_PKEY_free(ca.key);
	EVP_PKEY_free(other_ca.key);
	EVP_PKEY_free(key);
	return 0;
}

/* What a sender that trusts our CA alone finds. */
static int
verify(X509 *cert)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int error;

	X509_STORE_add_cert(store, ca.cert);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return error;
}

static void
test_kinds(void **state)
{
	static const char *const names[] = { "*.mx0.plain.probe.example",
		"*.mx0.other.probe.example" };
	static const struct {
		enum cert_kind kind;
		int error;
		bool name;
	} want[] = {
		{ CERT_PKIX_VALID, X509_V_OK, true },
		{ CERT_WRONG_NAME, X509_V_OK, false },
		{ CERT_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, true },
		{ CERT_SELF_SIGNED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, true },
		{ CERT_UNTRUSTED, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, true },
		{ CERT_CN_ONLY, X509_V_OK, false },
		{ CERT_ED25519, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, true },
		{ CERT_RSA, X509_V_OK, true },
	};

	(void)state;
	assert_int_equal(sizeof(want) / sizeof(*want), CERT_KIND_MAX);
	for (size_t i = 0; i < CERT_KIND_MAX; i++) {
		struct certs_request r = { .kind = want[i].kind,
			.name = names,
			.n_names = 2,
			.wrong_name = "elsewhere.example",
			.key = key,
			.ca = &ca,
			.other_ca = &other_ca };
		unsigned algorithm = certs_algorithm(want[i].kind);
		EVP_PKEY *own = algorithm != 13 ? keys_generate(algorithm) : NULL;
		X509 *cert;

		if (own != NULL)
			r.key = own;
		cert = certs_make(&r, clock_now());
		assert_non_null(cert);
		assert_int_equal(verify(cert), want[i].error);
		assert_int_equal(
		    X509_check_host(cert, HOST, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL),
		    want[i].name);
		if (want[i].kind == CERT_CN_ONLY)
			assert_int_equal(X509_check_host(cert, HOST, 0, 0, NULL), 1);
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), r.key), 1);
		assert_int_equal(certs_issuer(&r) == NULL,
		    want[i].kind == CERT_SELF_SIGNED || want[i].kind == CERT_ED25519);
		/* RSA key exchange (RFC 5246 7.4.2) */
		assert_int_equal((X509_get_key_usage(cert) & KU_KEY_ENCIPHERMENT) != 0,
		    want[i].kind == CERT_RSA);
		if (want[i].kind == CERT_UNTRUSTED)
			assert_int_equal(X509_verify(cert, other_ca.key), 1);
		X509_free(cert);
		EVP_PKEY_free(own);
	}
}

/* A common name may be longer than X.520 allows: the host name must be whole. */
static void
test_long_cn(void **state)
{
	static const char *const name[] = { "*.mx31.a-test-with-quite-a-long-name-for-a-label.a."
					    "base.domain.of.some.length.example" };
	struct certs_request r = {
		.kind = CERT_CN_ONLY, .name = name, .n_names = 1, .key = key, .ca = &ca
	};
	X509 *cert = certs_make(&r, clock_now());
	char cn[256];

	(void)state;
	assert_non_null(cert);
	assert_true(X509_NAME_get_text_by_NID(
			X509_get_subject_name(cert), NID_commonName, cn, sizeof(cn)) > 64);
	assert_string_equal(cn, name[0]);
	X509_free(cert);
}

static void
test_files(void **state)
{
	static const char *const name[] = { "a.example" };
	struct certs_request r = {
		.kind = CERT_PKIX_VALID, .name = name, .n_names = 1, .key = key, .ca = &ca
	};
	X509 *cert = certs_make(&r, clock_now()), *again;
	uint8_t a[32], b[32], whole[32], spki512[64];
	struct fixture f;
	char path[300], err[400];
	FILE *file;

	(void)state;
	fixture_new(&f);
	snprintf(path, sizeof(path), "%.100s/cert.pem", f.root);
	assert_null(certs_load(path, err, sizeof(err)));
	assert_int_equal(certs_save(path, cert, ca.cert), 0);
	assert_int_equal(certs_save(path, cert, ca.cert), -1);
	again = certs_load(path, err, sizeof(err));
	assert_int_equal(X509_cmp(cert, again), 0);
	X509_free(again);
	assert_int_equal(certs_digests(a, spki512, whole, cert), 0);
	assert_int_equal(certs_digests(b, NULL, NULL, cert), 0);
	assert_memory_equal(a, b, 32);

	file = fopen(path, "r");
	assert_non_null(file);
	X509_free(PEM_read_X509(file, NULL, NULL, NULL));
	again = PEM_read_X509(file, NULL, NULL, NULL); /* the issuer is sent too */
	assert_int_equal(X509_cmp(ca.cert, again), 0);
	X509_free(again);
	fclose(file);
	X509_free(cert);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_long_cn),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("certs", tests, setup, teardown);
}
