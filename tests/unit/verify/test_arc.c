/* Chains of ARC beyond the public suite (test_arc_suite.c): the facts of a set, keys that cannot be had, and
 * chains that nobody would make. The signed files are python3-dkim's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/verify/book.h"
#include "verify/arc.h"

static struct arc_result result;
static struct book_row keys[8];
static struct strbuf key_text, chain;

static size_t
judge(const struct strbuf *b, const struct book_row *table)
{
	struct lookups *book = lookups_new(200);
	size_t asked = 0;
	int rounds = 0;
	struct mail m;

	mail_parse(&m, b->s, b->len, &mail_limits);
	while (arc_judge(&m, book, &result) == VERIFY_NEED) {
		asked += book_answer(book, table);
		assert_int_equal(++rounds, 1);
	}
	mail_clear(&m);
	lookups_free(book);
	return asked;
}

static void
expect(enum arc_verdict v, const char *reason)
{
	if (result.verdict != v || strstr(result.reason, reason) == NULL)
		fail_msg("%s (%s), not %s (%s)", arc_verdict_word(result.verdict), result.reason,
		    arc_verdict_word(v), reason);
}

static void
expect_results(struct span s, const char *start)
{
	assert_in_range(s.n, strlen(start), 2000);
	assert_memory_equal(s.p, start, strlen(start));
}

static void
test_facts(void **state)
{
	(void)state;
	book_signed(&chain, "arc-2.eml");
	assert_int_equal(judge(&chain, keys), 1); /* one key for all */
	expect(ARC_IS_PASS, "");
	assert_int_equal(result.n, 2);
	/* The list changed the Subject, so the first message signature is broken. */
	assert_int_equal(result.oldest_pass, 2);
	assert_int_equal(result.set[0].ams, ARC_WRONG);
	assert_int_equal(result.set[1].ams, ARC_RIGHT);
	assert_int_equal(result.set[0].seal, ARC_RIGHT);
	assert_int_equal(result.set[1].seal, ARC_RIGHT);
	assert_string_equal(result.set[0].cv, "none");
	assert_string_equal(result.set[1].cv, "pass");
	assert_string_equal(result.set[0].authserv, "list.example");
	assert_string_equal(result.set[1].authserv, "two.example");
	expect_results(result.set[0].results, "list.example;");
	assert_string_equal(result.set[1].domain, "sender.example");
	assert_string_equal(result.set[1].selector, "r2048");
	assert_string_equal(result.set[1].ams_domain, "sender.example");
	assert_int_equal(result.set[1].sealed_at, 1790000000);
	assert_int_equal(result.set[1].bits, 2048);
	book_signed(&chain, "arc-1.eml");
	judge(&chain, keys);
	expect(ARC_IS_PASS, "");
	assert_int_equal(result.oldest_pass, 0);
	assert_int_equal(result.n, 1);
}

static void
test_changed(void **state)
{
	(void)state;
	book_signed(&chain, "arc-2.eml");
	*(char *)memmem(chain.s, chain.len, "Guten Tag", 9) = 'g';
	judge(&chain, keys);
	expect(ARC_IS_FAIL, "the message signature of set 2: the body");
	assert_int_equal(result.set[1].seal, ARC_RIGHT);
	book_signed(&chain, "arc-2.eml");
	*(char *)memmem(chain.s, chain.len, "dkim=pass header.d", 9) = 'D';
	judge(&chain, keys);
	expect(ARC_IS_FAIL, "the seal of set 2");
	assert_false(result.temporary);
	assert_int_equal(result.set[1].ams, ARC_RIGHT);
}

static void
test_keys(void **state)
{
	static const struct {
		enum lookup_status status;
		bool temporary;
		const char *reason;
	} rows[] = {
		{ LOOKUP_NXDOMAIN, false, "no key" },
		{ LOOKUP_NODATA, false, "no key" },
		{ LOOKUP_FAILED, true, "could not be looked up" },
		{ LOOKUP_BOGUS, true, "bogus" },
	};

	(void)state;
	book_signed(&chain, "arc-1.eml");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct book_row table[2] = { {
		    .name = "r2048._domainkey.sender.example",
		    .status = rows[i].status,
		} };
		judge(&chain, table);
		expect(ARC_IS_FAIL, rows[i].reason);
		assert_int_equal(result.temporary, rows[i].temporary);
		assert_int_equal(result.set[0].temporary, rows[i].temporary);
	}
}

/* --- structure --- */

static void
add_set(struct strbuf *b, unsigned i, const char *cv)
{
	strbuf_printf(b,
	    "ARC-Seal: i=%u; a=rsa-sha256; cv=%s; d=s.example; s=k%u; t=1; b=YWJj\r\n"
	    "ARC-Message-Signature: i=%u; a=rsa-sha256; d=s.example; s=m%u; h=from; b=YWJj; "
	    "bh=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
	    "ARC-Authentication-Results: i=%u; x.example; spf=none\r\n",
	    i, cv, i, i, i, i);
}

static void
end(struct strbuf *b)
{
	strbuf_puts(b, "From: a@b.example\r\n\r\nx\r\n");
}

static void
test_fifty(void **state)
{
	(void)state;
	strbuf_reset(&chain);
	for (unsigned i = ARC_SETS_MAX; i >= 1; i--)
		add_set(&chain, i, i == 1 ? "none" : "pass");
	end(&chain);
	/* Two keys for each set, all at once. */
	assert_int_equal(judge(&chain, keys), 2 * ARC_SETS_MAX);
	expect(ARC_IS_FAIL, "the message signature of set 50: no key");
	assert_int_equal(result.n, ARC_SETS_MAX);
	strbuf_reset(&chain);
	for (unsigned i = ARC_SETS_MAX + 1; i >= 1; i--)
		add_set(&chain, i, i == 1 ? "none" : "pass");
	end(&chain);
	assert_int_equal(judge(&chain, keys), 0);
	expect(ARC_IS_FAIL, "no i= from 1 to 50");
}

static void
test_structure(void **state)
{
	static const struct {
		const char *fields, *reason;
	} rows[] = {
		{ "ARC-Seal: i=1; cv=none\r\n", "set 1 has no ARC-Authentication-Results" },
		{ "ARC-Authentication-Results: i=1; x\r\n", "set 1 has no ARC-Message-Signature" },
		{ "ARC-Authentication-Results: i=01; x\r\n", "does not begin with i=1" },
		{ "ARC-Authentication-Results: x; i=1\r\n", "does not begin with i=1" },
		{ "ARC-Authentication-Results: i=1\r\n", "does not begin with i=1" },
		{ "ARC-Authentication-Results: i; x\r\n", "does not begin with i=1" },
		{ "ARC-Authentication-Results:\r\n", "does not begin with i=1" },
		{ "ARC-Seal: i=0\r\n", "no i= from 1 to 50" },
		{ "ARC-Seal: i=99999999999999999999\r\n", "no i= from 1 to 50" },
		{ "ARC-Seal: i=1;cv=none\r\nARC-Seal: i=1;cv=none\r\n", "two fields ARC-Seal" },
		{ "ARC-Message-Signature: \x01\xff\r\n", "no i= from 1 to 50" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strbuf_reset(&chain);
		strbuf_puts(&chain, rows[i].fields);
		end(&chain);
		assert_int_equal(judge(&chain, keys), 0);
		expect(ARC_IS_FAIL, rows[i].reason);
		assert_false(result.temporary);
	}
	/* Of a chain with a gap the newest sets are read first. */
	strbuf_reset(&chain);
	add_set(&chain, 3, "pass");
	add_set(&chain, 1, "none");
	end(&chain);
	assert_int_equal(judge(&chain, keys), 0);
	expect(ARC_IS_FAIL, "set 2 has no");
	strbuf_reset(&chain);
	add_set(&chain, 1, "fail");
	end(&chain);
	judge(&chain, keys);
	expect(ARC_IS_FAIL, "cv=fail");
	assert_true(result.failed_before);
}

/* An older message signature need not even make sense: RFC 8617 5.2 asks for the newest one. */
static void
test_older_signature(void **state)
{
	char *at;

	(void)state;
	strbuf_reset(&chain);
	add_set(&chain, 2, "pass");
	add_set(&chain, 1, "none");
	end(&chain);
	at = memmem(chain.s, chain.len, "ARC-Message-Signature: i=1; a=rsa", 33);
	at[30] = 'x';
	assert_int_equal(judge(&chain, keys), 3);
	expect(ARC_IS_FAIL, "set 2: no key");
	assert_int_equal(result.set[0].ams, ARC_WRONG);
}

static void
test_none(void **state)
{
	(void)state;
	strbuf_reset(&chain);
	end(&chain);
	assert_int_equal(judge(&chain, keys), 0);
	expect(ARC_IS_NONE, "");
	assert_int_equal(result.n, 0);
}

static void
test_too_much(void **state)
{
	(void)state;
	strbuf_reset(&chain);
	add_set(&chain, 1, "none");
	for (int i = 0; i < 60000; i++)
		strbuf_puts(&chain, "X: y\r\n");
	end(&chain);
	assert_int_equal(judge(&chain, keys), 0);
	expect(ARC_IS_FAIL, "not judged: the header");
	strbuf_reset(&chain);
	for (int i = 0; i < 5000; i++)
		strbuf_puts(&chain, "ARC-Seal: i=1; cv=none\r\n");
	end(&chain);
	assert_int_equal(judge(&chain, keys), 0);
	expect(ARC_IS_FAIL, "two fields ARC-Seal");
}

static int
set_up(void **state)
{
	(void)state;
	book_signed_keys(keys, &key_text);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	strbuf_clear(&key_text);
	strbuf_clear(&chain);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_fifty),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_older_signature),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests_name("arc", tests, set_up, tear_down);
}
