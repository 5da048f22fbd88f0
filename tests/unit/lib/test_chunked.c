/* Chunked bodies: what is taken, what is refused, whole and octet by octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/chunked.h"

#define BODY_MAX 20

/* Both ways must end alike; returns the octets used. */
static size_t
feed(struct chunked *c, struct strbuf *body, const char *text, size_t len)
{
	struct chunked one = { 0 };
	struct strbuf other = { 0 };
	size_t used, n = 0;

	memset(c, 0, sizeof *c);
	strbuf_reset(body);
	used = chunked_input(c, body, BODY_MAX, text, len);
	while (n < len && one.state < CHUNKED_DONE)
		n += chunked_input(&one, &other, BODY_MAX, text + n, 1);
	assert_int_equal(one.state, c->state);
	assert_int_equal(n, used);
	assert_int_equal(other.len, body->len);
	assert_true(body->len == 0 || memcmp(other.s, body->s, body->len) == 0);
	strbuf_clear(&other);
	return used;
}

static void
good(void **state)
{
	static const struct {
		const char *text, *body;
	} rows[] = {
		{ "0\r\n\r\n", "" },
		{ "5\r\nhello\r\n0\r\n\r\n", "hello" },
		{ "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!" },
		{ "00000005\r\nhello\r\n00\r\n\r\n", "hello" },
		{ "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789" },
		{ "2;x=y\r\n\r\n\r\n0;last\r\n\r\n", "\r\n" },
		{ "2 ; x=\"y\"\r\nab\r\n0\r\n\r\n", "ab" },
		{ "2\r\nab\r\n0\r\nDigest: x\r\nTransfer-Encoding: chunked\r\n\r\n", "ab" },
	};
	struct strbuf body = { 0 };
	struct chunked c;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char more[200];

		assert_int_equal(
		    feed(&c, &body, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
		assert_int_equal(c.state, CHUNKED_DONE);
		assert_int_equal(body.len, strlen(rows[i].body));
		assert_true(body.len == 0 || memcmp(body.s, rows[i].body, body.len) == 0);
		/* what follows is not looked at */
		snprintf(more, sizeof more, "%sGET / HTTP/1.1\r\n", rows[i].text);
		assert_int_equal(feed(&c, &body, more, strlen(more)), strlen(rows[i].text));
		/* and every beginning wants more */
		for (size_t n = 0; n < strlen(rows[i].text); n++) {
			feed(&c, &body, rows[i].text, n);
			assert_true(c.state < CHUNKED_DONE);
		}
	}
	strbuf_clear(&body);
}

static void
refused(void **state)
{
	static const struct {
		enum chunked_state state;
		const char *text;
	} rows[] = {
		{ CHUNKED_BAD, "\r\n" },
		{ CHUNKED_BAD, ";x\r\n" },
		{ CHUNKED_BAD, " 5\r\nhello" },
		{ CHUNKED_BAD, "5 \r\nhello" },
		{ CHUNKED_BAD, "5 5\r\nhello" },
		{ CHUNKED_BAD, "5\nhello" },
		{ CHUNKED_BAD, "5\rhello" },
		{ CHUNKED_BAD, "5;x\nhello" },
		{ CHUNKED_BAD, "5;x\ry" },
		{ CHUNKED_BAD, "0x5\r\nhello" },
		{ CHUNKED_BAD, "+5\r\nhello" },
		{ CHUNKED_BAD, "-1\r\nhello" },
		{ CHUNKED_BAD, "5g\r\nhello" },
		{ CHUNKED_BAD, "000000005\r\nhello" },
		{ CHUNKED_BAD, "FFFFFFFFFFFFFFFF5\r\n" },
		{ CHUNKED_BAD, "10000000000000005\r\nhello" },
		{ CHUNKED_BAD, "5\r\nhello0\r\n\r\n" },
		{ CHUNKED_BAD, "5\r\nhello\n0\r\n\r\n" },
		{ CHUNKED_BAD, "5\r\nhello\r0\r\n\r\n" },
		{ CHUNKED_BAD, "5\r\nhello\r\n\r\n" },
		{ CHUNKED_BAD, "0\r\n\n" },
		{ CHUNKED_BAD, "0\r\n\rX" },
		{ CHUNKED_BAD, "0\r\nX: a\n\r\n" },
		{ CHUNKED_BAD, "0\r\nX: \x01\r\n\r\n" },
		{ CHUNKED_LARGE, "15\r\n" },
		{ CHUNKED_LARGE, "FFFFFFFF\r\n" },
		{ CHUNKED_LARGE, "14\r\n01234567890123456789\r\n1\r\n" },
	};
	struct strbuf body = { 0 };
	struct chunked c;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		feed(&c, &body, rows[i].text, strlen(rows[i].text));
		if (c.state != rows[i].state)
			fail_msg("row %zu: state %d", i, c.state);
		assert_true(c.state == CHUNKED_LARGE || c.why != NULL);
	}
	assert_int_equal(feed(&c, &body, "5;\0\r\n", 6), 3);
	assert_int_equal(c.state, CHUNKED_BAD);
	strbuf_clear(&body);
}

/* Extensions and trailers are bounded together, at the octet. */
static void
bounded(void **state)
{
	char text[2 * CHUNKED_EXTRA_MAX + 32];
	struct strbuf body = { 0 };
	struct chunked c;
	size_t n;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		n = (size_t)snprintf(text, sizeof text, "1;");
		memset(text + n, 'x', CHUNKED_EXTRA_MAX - 4 + more);
		n += CHUNKED_EXTRA_MAX - 4 + more;
		n += (size_t)snprintf(text + n, sizeof text - n, "\r\na\r\n0\r\nX: y\r\n\r\n");
		feed(&c, &body, text, n);
		assert_int_equal(c.state, more == 0 ? CHUNKED_DONE : CHUNKED_BAD);
	}
	strbuf_clear(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(refused),
		cmocka_unit_test(bounded),
	};

	return cmocka_run_group_tests_name("chunked", tests, NULL, NULL);
}
