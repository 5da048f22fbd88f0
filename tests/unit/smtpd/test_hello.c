/* ClientHello decoding and the two fingerprints, against the values that their authors published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "smtpd/hello.h"

struct builder {
	unsigned char b[2048];
	size_t n;
};

static void
put(struct builder *b, unsigned v, unsigned octets)
{
	while (octets-- > 0)
		b->b[b->n++] = (unsigned char)(v >> (8 * octets));
}

static void
put_list(struct builder *b, const unsigned *list, size_t n, unsigned octets, unsigned length_octets)
{
	put(b, (unsigned)(n * octets), length_octets);
	for (size_t i = 0; i < n; i++)
		put(b, list[i], octets);
}

/* Fills in the length of what was put behind a 2-octet length at pos. */
static void
close_length(struct builder *b, size_t pos, unsigned octets)
{
	size_t len = b->n - pos - octets;

	for (unsigned i = 0; i < octets; i++)
		b->b[pos + i] = (unsigned char)(len >> (8 * (octets - 1 - i)));
}

static void
begin(struct builder *b, unsigned version, const unsigned *ciphers, size_t n)
{
	memset(b, 0, sizeof *b);
	put(b, 1, 1);
	put(b, 0, 3);
	put(b, version, 2);
	b->n += 32;
	put(b, 0, 1);
	put_list(b, ciphers, n, 2, 2);
	put(b, 0x0100, 2);
}

static void
end(struct builder *b)
{
	size_t len = b->n - 4;

	b->b[1] = (unsigned char)(len >> 16);
	b->b[2] = (unsigned char)(len >> 8);
	b->b[3] = (unsigned char)len;
}

#define N(a) (sizeof(a) / sizeof *(a))

/* The example in the text that defines JA4: Chrome, GREASE included. */
static void
chrome(struct builder *b)
{
	static const unsigned ciphers[] = { 0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c,
		0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035 };
	static const unsigned exts[] = { 0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017,
		0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015 };
	static const unsigned sigalgs[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806,
		0x0601 };
	static const unsigned versions[] = { 0x2a2a, 0x0304, 0x0303 };
	static const unsigned groups[] = { 0x3a3a, 0x11ec, 0x001d };
	size_t all, one, inner;

	begin(b, 0x0303, ciphers, N(ciphers));
	all = b->n;
	put(b, 0, 2);
	for (size_t i = 0; i < N(exts); i++) {
		put(b, exts[i], 2);
		one = b->n;
		put(b, 0, 2);
		inner = b->n;
		switch (exts[i]) {
		case 0x0000:
			put(b, 0, 2);
			put(b, 0, 1);
			put(b, 8, 2);
			memcpy(b->b + b->n, "mx.examp", 8);
			b->n += 8;
			close_length(b, inner, 2);
			break;
		case 0x0010:
			put(b, 0, 2);
			memcpy(b->b + b->n, "\2h2\10http/1.1", 12);
			b->n += 12;
			close_length(b, inner, 2);
			break;
		case 0x000d:
			put_list(b, sigalgs, N(sigalgs), 2, 2);
			break;
		case 0x002b:
			put_list(b, versions, N(versions), 2, 1);
			break;
		case 0x000a:
			put_list(b, groups, N(groups), 2, 2);
			break;
		case 0x0033:
			put(b, 0, 2);
			put(b, 0x11ec, 2);
			put(b, 3, 2);
			put(b, 0x010203, 3);
			put(b, 0x001d, 2);
			put(b, 1, 2);
			put(b, 9, 1);
			close_length(b, inner, 2);
			break;
		}
		close_length(b, one, 2);
	}
	close_length(b, all, 2);
	end(b);
}

static void
test_ja4(void **state)
{
	struct builder b;
	struct hello h;
	char text[512];

	(void)state;
	chrome(&b);
	hello_decode(&h, b.b, b.n);
	assert_false(h.malformed);
	assert_string_equal(h.sni, "mx.examp");
	assert_string_equal(h.alpn, "h2,http/1.1");
	hello_list_hex(text, sizeof text, &h.groups);
	assert_string_equal(text, "3a3a,11ec,001d");
	hello_list_hex(text, sizeof text, &h.shares);
	assert_string_equal(text, "11ec,001d");
	hello_list_hex(text, sizeof text, &h.versions);
	assert_string_equal(text, "2a2a,0304,0303");
	hello_list_decimal(text, sizeof text, &h.extensions);
	assert_string_equal(text, "6682,27,0,51,16,17513,23,45,13,5,35,18,43,65281,11,10,21");
	hello_ja4(text, &h);
	assert_string_equal(text, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void
test_ja3(void **state)
{
	static const unsigned a[] = { 47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4 };
	static const unsigned b_[] = { 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99 };
	static const unsigned groups[] = { 23, 24, 25 };
	struct builder b;
	struct hello h;
	char text[33], ja4[37];

	(void)state;
	begin(&b, 0x0301, a, N(a));
	put(&b, 4 + 4 + 8 + 4 + 2, 2);
	put(&b, 0, 2);
	put(&b, 0, 2);
	put(&b, 10, 2);
	put(&b, 8, 2);
	put_list(&b, groups, 3, 2, 2);
	put(&b, 11, 2);
	put(&b, 2, 2);
	put(&b, 0x0100, 2);
	end(&b);
	hello_decode(&h, b.b, b.n);
	assert_false(h.malformed);
	hello_ja3(text, &h);
	assert_string_equal(text, "ada70206e40642a3e4461f35503241d5");
	/* without extensions */
	begin(&b, 0x0301, b_, N(b_));
	end(&b);
	hello_decode(&h, b.b, b.n);
	assert_false(h.malformed);
	hello_ja3(text, &h);
	assert_string_equal(text, "de350869b8c85de67a350c8d186f11e6");
	hello_ja4(ja4, &h);
	assert_memory_equal(ja4, "t10i110000_", 11);
	assert_memory_equal(ja4 + 23, "_000000000000", 14);
}

/* Every truncation of a good hello: no crash (under the sanitizers), and it is said. */
static void
test_truncated(void **state)
{
	struct builder b;
	struct hello h;

	(void)state;
	chrome(&b);
	for (size_t n = 0; n < b.n; n++) {
		unsigned char *copy = malloc(n > 0 ? n : 1);

		memcpy(copy, b.b, n);
		hello_decode(&h, copy, n);
		assert_true(h.malformed);
		free(copy);
	}
	b.n++;
	hello_decode(&h, b.b, b.n);
	assert_true(h.malformed); /* octets behind it */
}

static void
test_hostile(void **state)
{
	static const unsigned many[400] = { 0 };
	struct builder b;
	struct hello h;
	char ja3[33], ja4[37];

	(void)state;
	/* more than is kept */
	begin(&b, 0x0303, many, N(many));
	end(&b);
	hello_decode(&h, b.b, b.n);
	assert_int_equal(h.ciphers.n, HELLO_LIST_MAX);
	assert_int_equal(h.ciphers.total, 400);
	hello_ja3(ja3, &h);
	hello_ja4(ja4, &h);
	assert_int_equal(strlen(ja4), 36);
	/* a server name with octets that no name has */
	chrome(&b);
	for (size_t i = 0; i + 8 < b.n; i++)
		if (memcmp(b.b + i, "mx.examp", 8) == 0)
			b.b[i + 2] = '\0';
	hello_decode(&h, b.b, b.n);
	assert_string_equal(h.sni, "mx?examp");
}

static void
test_sslv2(void **state)
{
	static const unsigned char m[] = { 1, 3, 1, 0, 6, 0, 0, 0, 16, 0x00, 0x00, 0x2f, 0x01, 0x00,
		0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct hello h;

	(void)state;
	hello_decode(&h, m, sizeof m);
	assert_true(h.sslv2);
	assert_int_equal(h.versions.v[0], 0x0301);
	assert_int_equal(h.ciphers.n, 1);
	assert_int_equal(h.ciphers.v[0], 0x002f);
	hello_decode(&h, m, sizeof m - 1);
	assert_false(h.sslv2);
	assert_true(h.malformed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ja4),
		cmocka_unit_test(test_ja3),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_sslv2),
	};

	return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
