/* Every verdict of a DKIM signature, and what libopendkim is known to trip over.  The signed files are
 * python3-dkim's; the others are signed here.  Where libopendkim was asked, it has to agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/verify/book.h"
#include "tests/unit/verify/signer.h"
#include "verify/dkim.h"

#define NOW 1790000100

static const char message[] = "From: a@sender.example\r\n"
			      "To: b@mail.example\r\n"
			      "Subject: one\r\n"
			      "\r\n"
			      "A line of a message.\r\nAnother one of these.\r\n";

#define TAGS                                                                                       \
	"v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=k; h=from:to:subject; bh=@; "

static struct signer rsa512, rsa1024, rsa2048, ed25519;
static struct dkim_result result;

/* Judges a text; how many questions it had. */
static size_t
judge_at(const char *text, size_t len, const struct book_row *table, int64_t now)
{
	struct lookups *book = lookups_new(100);
	size_t asked = 0;
	int rounds = 0;
	struct mail m;

	mail_parse(&m, text, len, &mail_limits);
	while (dkim_judge(&m, now, book, &result) == VERIFY_NEED) {
		asked += book_answer(book, table);
		assert_int_equal(++rounds, 1); /* all at once */
	}
	mail_clear(&m);
	lookups_free(book);
	return asked;
}

static size_t
judge(const struct strbuf *b, const struct book_row *table)
{
	return judge_at(b->s, b->len, table, NOW);
}

static const char *
record(const char *tags, const struct signer *s)
{
	static char text[8][2048];
	static size_t next;
	char *out = text[next++ % 8];

	snprintf(out, sizeof(text[0]), "%sp=%s", tags, s->p);
	return out;
}

static const struct book_row *
one_key(const char *text)
{
	static struct book_row table[2];

	table[0] = (struct book_row){ .name = "k._domainkey.sender.example", .text = text };
	return table;
}

static void
expect(size_t i, enum dkim_verdict v, const char *reason)
{
	const struct dkim_signature *s = &result.sig[i];

	assert_in_range(result.n, i + 1, DKIM_SIGNATURES_MAX);
	if (s->verdict != v || strstr(s->reason, reason) == NULL)
		fail_msg("%s (%s), not %s (%s)", dkim_verdict_word(s->verdict), s->reason,
		    dkim_verdict_word(v), reason);
	if (reason[0] == '\0' && v == DKIM_IS_PASS)
		assert_string_equal(s->reason, "");
}

/* What libopendkim was asked about, it sees alike. */
static void
expect_alike(size_t i)
{
	assert_true(result.sig[i].opendkim_asked);
	assert_string_equal(result.sig[i].opendkim, "");
}

/* Signs with the tags, judges with the record. */
static void
check(const char *tags, const struct signer *s, const char *key)
{
	struct strbuf b = { 0 };

	signer_add(&b, s, "DKIM-Signature", tags, message, sizeof(message) - 1);
	judge(&b, one_key(key));
	strbuf_clear(&b);
}

/* --- files of another signer --- */

static struct book_row keys[8];
static struct strbuf key_text;

static void
test_files(void **state)
{
	static const struct {
		const char *name, *reason, *algorithm, *header, *body;
		unsigned bits;
	} files[] = {
		{ "rsa-relaxed-relaxed", "", "rsa-sha256", "relaxed", "relaxed", 2048 },
		{ "rsa-simple-simple", "", "rsa-sha256", "simple", "simple", 2048 },
		{ "rsa-relaxed-simple", "", "rsa-sha256", "relaxed", "simple", 4096 },
		{ "rsa-simple-relaxed", "1024 bits", "rsa-sha256", "simple", "relaxed", 1024 },
		{ "ed25519", "", "ed25519-sha256", "relaxed", "relaxed", 256 },
		{ "length", "", "rsa-sha256", "relaxed", "relaxed", 2048 },
	};
	struct strbuf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const struct dkim_signature *s = &result.sig[0];
		char *name = xasprintf("%s.eml", files[i].name);
		book_signed(&b, name);
		assert_int_equal(judge(&b, keys), 1);
		expect(0, DKIM_IS_PASS, files[i].reason);
		expect_alike(0);
		assert_int_equal(result.verdict, DKIM_IS_PASS);
		assert_int_equal(result.signatures, 1);
		assert_string_equal(s->algorithm, files[i].algorithm);
		assert_string_equal(s->canon_header, files[i].header);
		assert_string_equal(s->canon_body, files[i].body);
		assert_int_equal(s->key.bits, files[i].bits);
		assert_string_equal(s->domain, "sender.example");
		assert_string_equal(s->identity, "@sender.example");
		assert_true(s->signs_from && s->body_hash_right);
		assert_int_equal(s->signed_at, 1790000000);
		assert_int_equal(s->body_covered, s->body_len);
		free(name);
	}
	strbuf_clear(&b);
}

static void
test_two_signatures(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	book_signed(&b, "two.eml");
	assert_int_equal(judge(&b, keys), 2);
	expect(0, DKIM_IS_PASS, "");
	expect(1, DKIM_IS_PASS, "");
	expect_alike(0);
	expect_alike(1);
	assert_string_equal(result.sig[0].algorithm, "ed25519-sha256");
	assert_int_equal(result.sig[0].key.dnssec, DKIMKEY_INSECURE);
	assert_int_equal(result.sig[1].key.dnssec, DKIMKEY_SECURE);
	strbuf_clear(&b);
}

static void
change(struct strbuf *b, const char *what, char to)
{
	char *at = memmem(b->s, b->len, what, strlen(what));

	assert_non_null(at);
	*at = to;
}

static void
test_changed(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	/* libopendkim says "passed" of this one, and that the body's hash differs. */
	book_signed(&b, "rsa-simple-simple.eml");
	change(&b, "Guten Tag", 'g');
	judge(&b, keys);
	expect(0, DKIM_IS_FAIL, "the body is not the one");
	expect_alike(0);
	assert_false(result.sig[0].body_hash_right);
	book_signed(&b, "ed25519.eml");
	change(&b, "joerg@", 'J');
	judge(&b, keys);
	expect(0, DKIM_IS_FAIL, "a signed field");
	expect_alike(0);
	assert_true(result.sig[0].body_hash_right);
	assert_int_equal(result.verdict, DKIM_IS_FAIL);
	strbuf_clear(&b);
}

/* --- keys --- */

static void
test_key_answers(void **state)
{
	static const struct {
		enum lookup_status status;
		enum dkim_verdict verdict;
		enum dkimkey_dnssec dnssec;
		const char *reason;
	} rows[] = {
		{ LOOKUP_NXDOMAIN, DKIM_IS_PERMERROR, DKIMKEY_SECURE, "does not exist" },
		{ LOOKUP_NODATA, DKIM_IS_PERMERROR, DKIMKEY_SECURE, "no TXT record" },
		{ LOOKUP_FAILED, DKIM_IS_TEMPERROR, DKIMKEY_SECURE, "could not be looked up" },
		{ LOOKUP_BOGUS, DKIM_IS_TEMPERROR, DKIMKEY_BOGUS, "bogus" },
	};
	struct strbuf b = { 0 };

	(void)state;
	book_signed(&b, "ed25519.eml");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct book_row table[2] = { {
		    .name = "ed._domainkey.sender.example",
		    .status = rows[i].status,
		    .secure = rows[i].status != LOOKUP_BOGUS,
		} };
		judge(&b, table);
		expect(0, rows[i].verdict, rows[i].reason);
		assert_int_equal(result.sig[0].key.dnssec, rows[i].dnssec);
		assert_true(result.sig[0].body_hash_right);
		assert_false(result.sig[0].opendkim_asked);
	}
	strbuf_clear(&b);
}

static void
test_key_records(void **state)
{
	static char bare[2048], notes[4000];
	struct signer s = { 0 };

	(void)state;
	check(TAGS "b=$", &rsa2048, "v=DKIM1; p=");
	expect(0, DKIM_IS_PERMERROR, "revoked");
	check(TAGS "b=$", &rsa2048, "v=spf1 -all");
	expect(0, DKIM_IS_PERMERROR, "not DKIM1");
	check(TAGS "b=$", &rsa2048, "something else");
	expect(0, DKIM_IS_PERMERROR, "no tag-list");
	check(TAGS "b=$", &rsa2048, record("v=DKIM1; s=tlsrpt; ", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "not for mail");
	expect_alike(0);
	check(TAGS "b=$", &rsa2048, record("v=DKIM1; s=web:email; h=sha1:sha256; ", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	expect_alike(0);
	check(TAGS "b=$", &rsa2048, record("v=DKIM1; h=sha1; ", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "not for sha256");
	expect_alike(0);
	check(TAGS "b=$", &rsa2048, record("k=ed25519; ", &ed25519));
	expect(0, DKIM_IS_PERMERROR, "the key is of type ed25519");
	expect_alike(0);
	check(TAGS "b=$", &rsa2048, record("t=y:x; ", &rsa2048));
	expect(0, DKIM_IS_PASS, "only testing");
	expect_alike(0);
	assert_true(result.sig[0].key.testing);
	check(TAGS "b=$", &rsa2048, record("", &rsa1024));
	expect(0, DKIM_IS_FAIL, "the key is another");
	expect_alike(0);
	/* RFC 6376 3.6.1 has the bare RSAPublicKey; libopendkim does not read it. */
	signer_set(&s, rsa2048.key, true);
	snprintf(bare, sizeof(bare), "p=%s", s.p);
	check(TAGS "b=$", &rsa2048, bare);
	expect(0, DKIM_IS_PASS, "receivers that use libopendkim see");
	/* Longer than libopendkim's buffer: it has no opinion then. */
	snprintf(notes, sizeof(notes), "p=%s; n=%01000d", rsa2048.p, 0);
	check(TAGS "b=$", &rsa2048, notes);
	expect(0, DKIM_IS_PASS, "");
	assert_false(result.sig[0].opendkim_asked);
}

static void
test_several_records(void **state)
{
	const struct book_row table[] = {
		{ .name = "k._domainkey.sender.example", .text = "v=spf1 -all" },
		{ .name = "k._domainkey.sender.example", .text = record("v=DKIM1; ", &rsa2048) },
		{ .name = NULL },
	};
	struct strbuf b = { 0 };

	(void)state;
	signer_add(&b, &rsa2048, "DKIM-Signature", TAGS "b=$", message, sizeof(message) - 1);
	judge(&b, table);
	expect(0, DKIM_IS_PASS, "2 TXT records");
	strbuf_clear(&b);
}

/* RFC 8301: libopendkim has no verdict for short keys unless told, and verifies rsa-sha1. */
static void
test_weak(void **state)
{
	(void)state;
	check(TAGS "b=$", &rsa512, record("", &rsa512));
	expect(0, DKIM_IS_POLICY, "512 bits");
	expect_alike(0);
	assert_int_equal(result.sig[0].strength, DKIMKEY_FORBIDDEN);
	check(TAGS "b=$", &rsa1024, record("", &rsa1024));
	expect(0, DKIM_IS_PASS, "1024 bits: 2048 should be used");
	assert_int_equal(result.sig[0].strength, DKIMKEY_SHORT);
	check(TAGS "b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	assert_int_equal(result.sig[0].strength, DKIMKEY_STRONG);
	check("v=1; a=rsa-sha1; d=sender.example; s=k; h=from; bh=@; b=$", &rsa2048,
	    record("", &rsa2048));
	expect(0, DKIM_IS_POLICY, "rsa-sha1 must not be used");
	expect_alike(0);
	assert_true(result.sig[0].sha1);
	check("v=1; a=ed25519-sha256; d=sender.example; s=k; h=from; bh=@; b=$", &ed25519,
	    record("k=ed25519; ", &ed25519));
	expect(0, DKIM_IS_PASS, "");
	expect_alike(0);
	assert_int_equal(result.sig[0].strength, DKIMKEY_STRONG);
}

/* --- tags --- */

static void
test_length(void **state)
{
	(void)state;
	check(TAGS "l=20; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "only 20 of 45 octets");
	expect_alike(0);
	assert_int_equal(result.sig[0].body_limit, 20);
	assert_int_equal(result.sig[0].body_covered, 20);
	assert_int_equal(result.sig[0].body_len, 45);
	check(TAGS "l=46; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_FAIL, "l= says 46 octets, but the body has 45");
	expect_alike(0);
	check(TAGS "l=0; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "only 0 of 45 octets");
	check(TAGS "l=-1; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_NEUTRAL, "l= is no number");
}

static void
test_times(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	check(TAGS "t=1790000000; x=1790000050; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_POLICY, "has expired");
	assert_true(result.sig[0].expired);
	check(TAGS "t=1790000000; x=1790000101; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	check(TAGS "t=1790009000; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_POLICY, "in the future");
	check(TAGS "t=1790000000; x=1780000000; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_NEUTRAL, "before it was made");
	/* libopendkim has a clock of its own: the verdict hangs on ours alone. */
	signer_add(&b, &rsa2048, "DKIM-Signature", TAGS "t=100000000; x=100000100; b=$", message,
	    sizeof(message) - 1);
	judge_at(b.s, b.len, one_key(record("", &rsa2048)), 100000050);
	expect(0, DKIM_IS_PASS, "");
	signer_add(&b, &rsa2048, "DKIM-Signature", TAGS "t=9000000000; x=9000000100; b=$", message,
	    sizeof(message) - 1);
	judge_at(b.s, b.len, one_key(record("", &rsa2048)), 9000000050);
	expect(0, DKIM_IS_PASS, "");
	strbuf_clear(&b);
}

static void
test_identity(void **state)
{
	(void)state;
	check(TAGS "i=a=40@sub.Sender.example; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	expect_alike(0);
	assert_string_equal(result.sig[0].identity, "a=40@sub.Sender.example");
	check(TAGS "i=a@sub.sender.example; b=$", &rsa2048, record("t=s; ", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "t=s");
	check(TAGS "i=a@sender.example; b=$", &rsa2048, record("t=s; ", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	check(TAGS "i=a@asender.example; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "not in the domain of d=");
	check(TAGS "i=sender.example; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "not in the domain of d=");
}

static void
test_not_understood(void **state)
{
	static const struct {
		const char *tags, *reason;
	} rows[] = {
		{ "v=2; a=rsa-sha256; d=sender.example; s=k; h=from; bh=@; b=$", "v= is not 1" },
		{ "a=rsa-sha256; d=sender.example; s=k; h=from; bh=@; b=$", "v= is not 1" },
		{ "v=1; a=rsa-md5; d=sender.example; s=k; h=from; bh=@; b=$", "no algorithm" },
		{ "v=1; a=rsa-sha256; d=; s=k; h=from; bh=@; b=$", "d= is empty" },
		{ "v=1; a=rsa-sha256; d=sender..example; s=k; h=from; bh=@; b=$", "empty label" },
		{ "v=1; a=rsa-sha256; d=send er.example; s=k; h=from; bh=@; b=$",
		    "no domain name" },
		{ "v=1; a=rsa-sha256; d=sender.example; h=from; bh=@; b=$", "s= is missing" },
		{ "v=1; a=rsa-sha256; d=sender.example; s=k; bh=@; b=$", "h= is missing" },
		{ "v=1; a=rsa-sha256; c=nofws; d=sender.example; s=k; h=from; bh=@; b=$",
		    "c= is no" },
		{ "v=1; a=rsa-sha256; d=sender.example; s=k; h=from; bh=x@; b=$",
		    "bh= is no hash" },
		{ TAGS "q=http; b=$", "q= does not" },
		{ TAGS "d=other.example; b=$", "d= stands there twice" },
		{ TAGS "=x; b=$", "has no name" },
		{ TAGS "x; b=$", "has no =" },
		{ TAGS "z=\xc3\xb6; b=$", "octet 0xc3" },
		{ TAGS "z=\x01; b=$", "octet 0x01" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(rows[i].tags, &rsa2048, record("", &rsa2048));
		expect(0, DKIM_IS_NEUTRAL, rows[i].reason);
		assert_int_equal(result.sig[0].key.name[0], '\0');
	}
	check("v=1; a=rsa-sha256; d=sender.example; s=k; h=to; bh=@; b=$", &rsa2048,
	    record("", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "From is not signed");
	check("v=1; a=rsa-sha256; d=sender.example; s=k; h=; bh=@; b=$", &rsa2048,
	    record("", &rsa2048));
	expect(0, DKIM_IS_PERMERROR, "From is not signed");
}

/* Where libopendkim errs, the verdict is right and the report says what its users see. */
static void
test_differs(void **state)
{
	(void)state;
	check(TAGS "b =$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "receivers that use libopendkim see");
	assert_true(result.sig[0].opendkim_asked);
	check(TAGS "xb=1; b=$", &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "receivers that use libopendkim see");
}

/* libopendkim writes behind its list if h= names every field of the message and then one more. */
static void
test_names_every_field(void **state)
{
	(void)state;
	check("v=1; a=rsa-sha256; d=sender.example; s=k; bh=@; "
	      "h=subject:to:from:dkim-signature:x:y:from:to; b=$",
	    &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "receivers that use libopendkim see"); /* it takes its own field */
	check("v=1; a=rsa-sha256; d=sender.example; s=k; bh=@; h=subject:to:from:x:y:from; b=$",
	    &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	expect_alike(0);
}

/* --- messages --- */

static void
sign_text(struct strbuf *b, const char *text, size_t len)
{
	signer_add(b, &rsa2048, "DKIM-Signature", TAGS "b=$", text, len);
}

static void
test_from(void **state)
{
	static const char none[] = "To: b@mail.example\r\n\r\nx\r\n",
			  twice[] = "From: evil@x.example\r\nFrom: a@sender.example\r\n\r\nx\r\n";
	struct strbuf b = { 0 };

	(void)state;
	sign_text(&b, none, sizeof(none) - 1);
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_PERMERROR, "no field From");
	sign_text(&b, twice, sizeof(twice) - 1);
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_PASS, "there are 2 fields From");
	expect_alike(0);
	strbuf_clear(&b);
}

static void
test_unsigned(void **state)
{
	(void)state;
	assert_int_equal(judge_at(message, sizeof(message) - 1, keys, NOW), 0);
	assert_int_equal(result.verdict, DKIM_IS_NONE);
	assert_string_equal(result.reason, "");
	assert_int_equal(judge_at("", 0, keys, NOW), 0);
	assert_int_equal(result.verdict, DKIM_IS_NONE);
}

static void
test_odd_octets(void **state)
{
	static const char lf[] = "From: a@b.example\nDKIM-Signature: v=1\n\nx\n",
			  nul[] = "From: a@sender.example\r\nX: a\0b\r\n\r\nx\0y\r\n",
			  field[] = "DKIM-Signature: v=1; a=\0\r\nFrom: a@sender.example\r\n\r\n",
			  bare[] = "From: a@sender.example\r\n\r\none\ntwo\r\n";
	struct strbuf b = { 0 };

	(void)state;
	judge_at(lf, sizeof(lf) - 1, keys, NOW);
	assert_int_equal(result.verdict, DKIM_IS_NONE);
	assert_non_null(strstr(result.reason, "LF alone"));
	sign_text(&b, nul, sizeof(nul) - 1);
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_PASS, "");
	judge_at(field, sizeof(field) - 1, keys, NOW);
	expect(0, DKIM_IS_NEUTRAL, "octet 0x00");
	sign_text(&b, bare, sizeof(bare) - 1);
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_PASS, "");
	change(&b, "two", 'T');
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_FAIL, "LF alone");
	strbuf_clear(&b);
}

/* --- too much of everything --- */

static void
test_many_signatures(void **state)
{
	static const size_t counts[] = { 100, 5000 };
	struct strbuf one = { 0 }, b = { 0 };
	const char *end;

	(void)state;
	signer_add(&one, &rsa2048, "DKIM-Signature", TAGS "b=$", message, sizeof(message) - 1);
	end = memmem(one.s, one.len, "\r\n", 2);
	for (size_t i = 0; i < 2; i++) {
		strbuf_reset(&b);
		for (size_t n = 0; n < counts[i]; n++)
			strbuf_add(&b, one.s, (size_t)(end + 2 - one.s));
		strbuf_add(&b, message, sizeof(message) - 1);
		/* One selector is one question. */
		assert_int_equal(judge(&b, one_key(record("", &rsa2048))), i == 0 ? 1 : 0);
		assert_int_equal(result.n, DKIM_SIGNATURES_MAX);
		if (i == 0) {
			assert_int_equal(result.signatures, 100);
			for (size_t n = 0; n < DKIM_SIGNATURES_MAX; n++) {
				expect(n, DKIM_IS_PASS, "");
				expect_alike(n);
			}
		} else {
			/* Over the limits of a header: only what was kept is counted. */
			assert_in_range(result.signatures, 100, 1000);
			expect(0, DKIM_IS_PERMERROR, "not judged: the header");
		}
	}
	strbuf_clear(&one);
	strbuf_clear(&b);
}

static void
test_large_header(void **state)
{
	struct strbuf text = { 0 }, b = { 0 };

	(void)state;
	/* 70 KB in one field. */
	strbuf_puts(&text, "From: a@sender.example\r\nSubject:");
	for (size_t i = 0; i < 1000; i++)
		strbuf_printf(&text, " %069zu\r\n", i);
	strbuf_puts(&text, "\r\nbody\r\n");
	sign_text(&b, text.s, text.len);
	judge(&b, one_key(record("", &rsa2048)));
	expect(0, DKIM_IS_PASS, "");
	expect_alike(0);
	/* 60,000 fields. */
	strbuf_reset(&text);
	strbuf_puts(&text, "From: a@sender.example\r\n");
	for (size_t i = 0; i < 60000; i++)
		strbuf_puts(&text, "X: y\r\n");
	strbuf_puts(&text, "\r\nbody\r\n");
	sign_text(&b, text.s, text.len);
	assert_int_equal(judge(&b, one_key(record("", &rsa2048))), 0);
	expect(0, DKIM_IS_PERMERROR, "not judged: the header");
	judge_at(text.s, text.len, keys, NOW);
	assert_int_equal(result.verdict, DKIM_IS_PERMERROR);
	strbuf_clear(&text);
	strbuf_clear(&b);
}

static void
test_large_signature(void **state)
{
	struct strbuf tags = { 0 };

	(void)state;
	strbuf_puts(&tags, "v=1; a=rsa-sha256; d=sender.example; s=k; bh=@; h=from");
	for (size_t i = 0; i < SIGCHECK_HEADERS_MAX - 1; i++)
		strbuf_puts(&tags, ":x");
	strbuf_puts(&tags, "; b=$");
	check(tags.s, &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_PASS, "");
	strbuf_reset(&tags);
	strbuf_puts(&tags, "v=1; a=rsa-sha256; d=sender.example; s=k; bh=@; h=from");
	for (size_t i = 0; i < SIGCHECK_HEADERS_MAX; i++)
		strbuf_puts(&tags, ":x");
	strbuf_puts(&tags, "; b=$");
	check(tags.s, &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_NEUTRAL, "more than 1000 fields");
	strbuf_reset(&tags);
	strbuf_printf(&tags, TAGS "z=%0*d; b=$", SIGCHECK_FIELD_MAX, 0);
	check(tags.s, &rsa2048, record("", &rsa2048));
	expect(0, DKIM_IS_NEUTRAL, "larger than 32768 octets");
	strbuf_clear(&tags);
}

static int
set_up(void **state)
{
	(void)state;
	signer_rsa(&rsa512, 512);
	signer_rsa(&rsa1024, 1024);
	signer_rsa(&rsa2048, 2048);
	signer_ed25519(&ed25519);
	book_signed_keys(keys, &key_text);
	keys[1].secure = true;
	return dkim_warm_up();
}

static int
tear_down(void **state)
{
	(void)state;
	signer_clear(&rsa512);
	signer_clear(&rsa1024);
	signer_clear(&rsa2048);
	signer_clear(&ed25519);
	strbuf_clear(&key_text);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_two_signatures),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_key_answers),
		cmocka_unit_test(test_key_records),
		cmocka_unit_test(test_several_records),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_not_understood),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_names_every_field),
		cmocka_unit_test(test_from),
		cmocka_unit_test(test_unsigned),
		cmocka_unit_test(test_odd_octets),
		cmocka_unit_test(test_many_signatures),
		cmocka_unit_test(test_large_header),
		cmocka_unit_test(test_large_signature),
	};

	return cmocka_run_group_tests_name("dkim", tests, set_up, tear_down);
}
