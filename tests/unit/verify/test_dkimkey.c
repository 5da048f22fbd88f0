/* Key records of all shapes, and the names that they are asked for at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify/book.h"
#include "tests/unit/verify/signer.h"
#include "verify/dkimkey.h"

/* The key of RFC 8463 A.2. */
#define ED25519 "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static struct dkimkey k;

static void
parse(const char *record)
{
	memset(&k, 0, sizeof(k));
	dkimkey_parse(&k, record, strlen(record));
}

static void
test_records(void **state)
{
	static const struct {
		const char *record;
		enum dkimkey_state state;
		const char *reason;
	} rows[] = {
		{ "v=DKIM1; k=ed25519; " ED25519, DKIMKEY_GOOD, "" },
		{ "k=ed25519;" ED25519 ";", DKIMKEY_GOOD, "" },
		{ "v=DKIM1; p=", DKIMKEY_REVOKED, "revoked" },
		{ "v=DKIM1", DKIMKEY_BROKEN, "no p=" },
		{ "", DKIMKEY_BROKEN, "no tag-list: empty" },
		{ "v=DKIM2; " ED25519, DKIMKEY_BROKEN, "not DKIM1" },
		{ "k=ed25519; v=DKIM1; " ED25519, DKIMKEY_BROKEN, "not first" },
		{ "v=DKIM1; k=dsa; " ED25519, DKIMKEY_BROKEN, "of type dsa" },
		{ "v=DKIM1; " ED25519, DKIMKEY_BROKEN, "no public key of type rsa" },
		{ "v=DKIM1; k=ed25519; p=AAAA", DKIMKEY_BROKEN, "no public key of type ed25519" },
		{ "v=DKIM1; p=?", DKIMKEY_BROKEN, "no base64" },
		{ "v=DKIM1; p=; p=", DKIMKEY_BROKEN, "twice" },
		/* A key on P-256 is a public key, but none of RSA. */
		{ "p="
		  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP"
		  "40"
		  "Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
		    DKIMKEY_BROKEN, "no public key of type rsa" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(rows[i].record);
		assert_int_equal(k.state, rows[i].state);
		if (strstr(k.reason, rows[i].reason) == NULL)
			fail_msg("%s: %s", rows[i].record, k.reason);
		assert_string_equal(k.record, rows[i].record);
		assert_true((k.bits > 0) == (k.state == DKIMKEY_GOOD));
	}
}

static void
test_tags(void **state)
{
	(void)state;
	parse("v=DKIM1; k=ed25519; t=y:s:z; s=email : tlsrpt; h=sha256:x; n=a note; " ED25519);
	assert_int_equal(k.state, DKIMKEY_GOOD);
	assert_true(k.testing && k.strict);
	assert_string_equal(k.services, "email:tlsrpt");
	assert_string_equal(k.hashes, "sha256:x");
	assert_int_equal(k.bits, 256);
	assert_int_equal(dkimkey_strength(&k), DKIMKEY_STRONG);
	parse("k=ed25519; " ED25519);
	assert_false(k.testing || k.strict);
	assert_string_equal(k.services, "");
	assert_string_equal(k.hashes, "");
}

static void
test_large_record(void **state)
{
	char *record = xasprintf("k=ed25519; " ED25519 "; n=%05000d", 0);

	(void)state;
	record[DKIMKEY_RECORD_MAX] = '\0';
	parse(record);
	assert_int_equal(k.state, DKIMKEY_BROKEN);
	assert_non_null(strstr(k.reason, "more than 4095 octets"));
	record[DKIMKEY_RECORD_MAX - 1] = '\0';
	parse(record);
	assert_int_equal(k.state, DKIMKEY_GOOD);
	free(record);
}

static void
test_bits(void **state)
{
	static const struct {
		unsigned bits;
		enum dkimkey_strength strength;
	} rows[] = {
		{ 1016, DKIMKEY_FORBIDDEN },
		{ 1024, DKIMKEY_SHORT },
		{ 2040, DKIMKEY_SHORT },
		{ 2048, DKIMKEY_STRONG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signer s = { 0 };
		char record[2048];
		uint8_t hash[32] = { 1, 2, 3 }, signature[512];
		size_t n;

		signer_rsa(&s, rows[i].bits);
		snprintf(record, sizeof(record), "p=%s", s.p);
		parse(record);
		assert_int_equal(k.bits, rows[i].bits);
		assert_int_equal(dkimkey_strength(&k), rows[i].strength);
		n = signer_sign(&s, hash, 32, signature, sizeof(signature));
		assert_true(dkimkey_verify(&k, hash, 32, signature, n));
		hash[31] = 1;
		assert_false(dkimkey_verify(&k, hash, 32, signature, n));
		assert_false(dkimkey_verify(&k, hash, 32, signature, n - 1));
		n = signer_sign(&s, hash, 20, signature, sizeof(signature));
		assert_true(dkimkey_verify(&k, hash, 20, signature, n));
		assert_false(dkimkey_verify(&k, hash, 32, signature, n));
		signer_clear(&s);
	}
}

static void
test_names(void **state)
{
	struct lookups *book = lookups_new(10);
	char domain[260];

	(void)state;
	assert_int_equal(dkimkey_get(&k, book, "a.b", "c.example"), VERIFY_NEED);
	assert_string_equal(k.name, "a.b._domainkey.c.example");
	assert_int_equal(book_answer(book, (const struct book_row[2]){ {
					       .name = "a.b._domainkey.c.example",
					       .text = "k=ed25519; " ED25519,
					       .secure = true,
					   } }),
	    1);
	assert_int_equal(dkimkey_get(&k, book, "a.b", "c.example"), VERIFY_DONE);
	assert_int_equal(k.state, DKIMKEY_GOOD);
	assert_int_equal(k.dnssec, DKIMKEY_SECURE);
	assert_int_equal(k.records, 1);
	/* No domain name any more with the selector before it. */
	memset(domain, 'a', sizeof(domain));
	for (size_t i = 50; i < sizeof(domain); i += 50)
		domain[i] = '.';
	domain[249] = '\0';
	assert_int_equal(dkimkey_get(&k, book, "selector", domain), VERIFY_DONE);
	assert_int_equal(k.state, DKIMKEY_NONE);
	lookups_free(book);
}

static void
test_answer_of_rubbish(void **state)
{
	static const uint8_t rubbish[] = { 9, 'x' };
	const struct lookup_rdata rdata = { rubbish, sizeof(rubbish) };
	struct lookups *book = lookups_new(10);

	(void)state;
	assert_int_equal(dkimkey_get(&k, book, "k", "c.example"), VERIFY_NEED);
	lookup_put(book, "k._domainkey.c.example", 16, LOOKUP_OK, false, "", &rdata, 1);
	assert_int_equal(dkimkey_get(&k, book, "k", "c.example"), VERIFY_DONE);
	assert_int_equal(k.state, DKIMKEY_BROKEN);
	lookups_free(book);
}

static void
test_warm_up(void **state)
{
	(void)state;
	assert_int_equal(dkimkey_warm_up(), 0);
	assert_int_equal(dkimkey_warm_up(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_large_record),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_answer_of_rubbish),
		cmocka_unit_test(test_warm_up),
	};

	return cmocka_run_group_tests_name("dkimkey", tests, NULL, NULL);
}
