#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authdns/wire.h"

static size_t
build(uint8_t *dst, const char *name, uint16_t type, unsigned additional)
{
	uint8_t *p = wire_put16(wire_put16(dst, 77), FLAG_RD);

	p = wire_put16(wire_put16(wire_put16(wire_put16(p, 1), 0), 0), additional);
	p += wire_name_parse(p, name);
	return (size_t)(wire_put16(wire_put16(p, type), 1) - dst);
}

static void
test_question(void **state)
{
	uint8_t msg[600];
	struct dns_query q;
	const char *what;
	size_t len = build(msg, "a.bcd.Example", TYPE_MX, 0);

	(void)state;
	assert_int_equal(wire_query(&q, msg, len, &what), WIRE_OK);
	assert_null(what);
	assert_int_equal(q.id, 77);
	assert_int_equal(q.labels, 3);
	assert_int_equal(q.label[2], 6);
	assert_int_equal(q.name_len, 15);
	assert_int_equal(q.qtype, TYPE_MX);
	assert_int_equal(q.question_end, len);
	assert_false(q.has_opt);
}

/* Every shorter message is malformed, none is read beyond its end. */
static void
test_prefixes(void **state)
{
	uint8_t msg[600], *exact;
	struct dns_query q;
	const char *what;
	size_t len = build(msg, "_25._tcp.host.example", TYPE_A, 1);
	static const uint8_t opt[] = { 0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3,
		4, 5, 6, 7, 8 };

	(void)state;
	memcpy(msg + len, opt, sizeof(opt));
	len += sizeof(opt);
	assert_int_equal(wire_query(&q, msg, len, &what), WIRE_OK);
	assert_true(q.has_opt && q.dnssec_ok);
	assert_int_equal(q.edns_size, 1232);
	assert_int_equal(q.n_options, 1);
	assert_int_equal(q.cookie_len, 8);
	for (size_t n = 0; n < len; n++) {
		exact = test_malloc(n + 1);
		memcpy(exact, msg, n);
		assert_int_equal(
		    wire_query(&q, exact, n, &what), n < DNS_HEADER ? WIRE_IGNORE : WIRE_FORMERR);
		test_free(exact);
	}
}

static void
test_longest_name(void **state)
{
	uint8_t msg[600] = { 0, 1, 0, 0, 0, 1 }, *p = msg + DNS_HEADER;
	struct dns_query q;
	const char *what;

	(void)state;
	for (unsigned i = 0; i < 127; i++) {
		*p++ = 1;
		*p++ = 'a';
	}
	*p++ = 0;
	p = wire_put16(wire_put16(p, 1), 1);
	assert_int_equal(wire_query(&q, msg, (size_t)(p - msg), &what), WIRE_OK);
	assert_int_equal(q.labels, 127);
	assert_int_equal(q.name_len, 255);
	p = msg + DNS_HEADER + 254;
	*p++ = 1;
	*p++ = 'a';
	*p++ = 0;
	p = wire_put16(wire_put16(p, 1), 1);
	assert_int_equal(wire_query(&q, msg, (size_t)(p - msg), &what), WIRE_FORMERR);
	assert_string_equal(what, "long-name");
}

static void
test_names(void **state)
{
	static const char *const names[] = { "a.b", "_25._tcp.host.example", "x\\.y.z",
		"\\000\\255.q", "\\\\.z" };
	uint8_t wire[DNS_NAME_MAX];
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = wire_name_parse(wire, names[i]);
		assert_true(len > 0);
		wire_name_text(text, wire, len);
		assert_string_equal(text, names[i]);
	}
	assert_int_equal(wire_name_parse(wire, "."), 1);
	assert_int_equal(wire_name_text(text, wire, 1), 1);
	assert_string_equal(text, ".");
	assert_int_equal(wire_name_parse(wire, "a..b"), 0);
	assert_int_equal(wire_name_parse(wire, "\\256"), 0);
	assert_int_equal(wire_name_parse(wire, "\\12"), 0);
	assert_int_equal(wire_name_parse(wire, "a\\"), 0);
	assert_int_equal(wire_name_parse(wire,
			     "0123456789012345678901234567890123456789012345678901234567890123"),
	    0);
	assert_int_equal(wire_name_parse(wire, "EXAMPLE."), 9);
	wire_name_lower(wire, wire, 9);
	assert_memory_equal(wire, "\7example", 9);
	assert_true(wire_name_equal((const uint8_t *)"\1A", (const uint8_t *)"\1a", 3));
	assert_int_equal(wire_name_labels((const uint8_t *)"\1a\2bc"), 2);
}

static void
test_bitmap(void **state)
{
	/* the example of RFC 4034 4.3: A MX RRSIG NSEC TYPE1234 */
	static const uint16_t types[] = { 1234, TYPE_NSEC, TYPE_A, TYPE_MX, TYPE_RRSIG, TYPE_A };
	static const uint8_t want[] = { 0, 6, 0x40, 1, 0, 0, 0, 3, 4, 27, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20 };
	static const uint16_t many[] = { 1, 256, 512, 768, 1024 + 255, 1280 + 255, 2047, 2303,
		2559 };
	struct type_bitmap b;

	(void)state;
	assert_int_equal(bitmap_build(&b, types, 6), 0);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.wire, want, sizeof(want));
	assert_int_equal(bitmap_build(&b, many, 9), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
