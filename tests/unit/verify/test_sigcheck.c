/* Which fields a signature covers, and whose key may make it.  Verdicts: test_dkim.c, test_arc.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/hashing.h"
#include "verify/sigcheck.h"

#define HEAD                                                                                       \
	"DKIM-Signature: a=rsa-sha256; d=A.example; s=K; "                                         \
	"bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=YWJj; "

static void
hash_of(uint8_t dst[32], const char *text)
{
	struct hashing h;

	hashing_init(&h, false);
	h.sink.add(h.sink.ctx, text, strlen(text));
	assert_int_equal(hashing_end(&h, dst), 32);
}

static void
test_hashing(void **state)
{
	/* FIPS 180-2: of nothing. */
	static const uint8_t sha256[] = { 0xe3, 0xb0, 0xc4, 0x42 },
			     sha1[] = { 0xda, 0x39, 0xa3, 0xee };
	struct hashing h;
	uint8_t hash[32];

	(void)state;
	hashing_init(&h, false);
	assert_int_equal(hashing_end(&h, hash), 32);
	assert_memory_equal(hash, sha256, 4);
	hashing_init(&h, true);
	assert_int_equal(hashing_end(&h, hash), 20);
	assert_memory_equal(hash, sha1, 4);
}

/* What is hashed for the h= of the field, from the message after it. */
static void
check(const char *h, const char *fields, const char *due)
{
	struct strbuf text = { 0 }, want = { 0 };
	uint8_t got[32], hash[32];
	struct sigcheck c;
	struct mail m;

	strbuf_printf(&text, HEAD "h=%s\r\n%s\r\n", h, fields);
	strbuf_printf(&want,
	    "%sDKIM-Signature: a=rsa-sha256; d=A.example; s=K; "
	    "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; b=; h=%s",
	    due, h);
	mail_parse(&m, text.s, text.len, &mail_limits);
	assert_int_equal(sigcheck_parse(&c, SIGCHECK_MESSAGE, &m.field[0]), 0);
	sigcheck_hash(got, &c, &m);
	hash_of(hash, want.s);
	assert_memory_equal(got, hash, 32);
	mail_clear(&m);
	strbuf_clear(&text);
	strbuf_clear(&want);
}

static void
test_fields(void **state)
{
	static const char fields[] = "To: 1\r\nFrom: 2\r\nto: 3\r\nDKIM-Signature: 4\r\n";

	(void)state;
	check("from", fields, "From: 2\r\n");
	check("to", fields, "to: 3\r\n"); /* from the bottom */
	check("To : TO:to:from", fields, "to: 3\r\nTo: 1\r\nFrom: 2\r\n");
	check("x:from:subject", fields, "From: 2\r\n");
	check("dkim-signature:dkim-signature", fields, "DKIM-Signature: 4\r\n"); /* not itself */
	check("from::to", fields, "From: 2\r\nto: 3\r\n");
}

static void
test_tags(void **state)
{
	static const char seal[] =
	    "ARC-Seal: a=ed25519-sha256; d=A.example; s=K.x; b=YWJj; t=7; i=1",
			  message[] = HEAD "h=from; c=relaxed; l=3; x=9; q=dns/txt:other";
	struct sigcheck c;
	struct mail m;

	(void)state;
	mail_parse(&m, seal, sizeof(seal) - 1, &mail_limits);
	assert_int_equal(sigcheck_parse(&c, SIGCHECK_SEAL, &m.field[0]), 0);
	assert_string_equal(c.domain, "a.example");
	assert_string_equal(c.selector, "k.x");
	assert_true(c.ed25519 && !c.sha1);
	assert_int_equal(c.signed_at, 7);
	assert_int_equal(c.signature_len, 3);
	assert_int_equal(sigcheck_parse(&c, SIGCHECK_MESSAGE, &m.field[0]), -1);
	assert_string_equal(c.wrong, "h= is missing");
	mail_clear(&m);
	mail_parse(&m, message, sizeof(message) - 1, &mail_limits);
	assert_int_equal(sigcheck_parse(&c, SIGCHECK_MESSAGE, &m.field[0]), 0);
	assert_int_equal(c.canon_header, CANON_RELAXED);
	assert_int_equal(c.canon_body, CANON_SIMPLE); /* RFC 6376 3.5 */
	assert_int_equal(c.body_limit, 3);
	assert_int_equal(c.expires, 9);
	assert_int_equal(c.signed_at, -1);
	mail_clear(&m);
}

static void
test_key_fits(void **state)
{
	static const struct {
		const char *type, *hashes, *services;
		bool fits;
	} rows[] = {
		{ "rsa", "", "", true },
		{ "ed25519", "", "", false },
		{ "rsa", "sha256", "", true },
		{ "rsa", "sha1:SHA256", "email", true },
		{ "rsa", "sha1", "", false },
		{ "rsa", "", "*", true },
		{ "rsa", "", "web:*", true },
		{ "rsa", "", "web", false },
	};
	const struct sigcheck c = { .hash_len = 32 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dkimkey k = { 0 };
		char reason[160];
		strcpy(k.type, rows[i].type);
		strcpy(k.hashes, rows[i].hashes);
		strcpy(k.services, rows[i].services);
		assert_int_equal(sigcheck_key_fits(reason, &c, &k), rows[i].fits);
		assert_true((reason[0] == '\0') == rows[i].fits);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashing),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_key_fits),
	};

	return cmocka_run_group_tests_name("sigcheck", tests, NULL, NULL);
}
