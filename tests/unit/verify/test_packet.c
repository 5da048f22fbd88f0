/* DNS answers in wire format. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/packet.h"

struct answer {
	uint8_t wire[65536];
	size_t len;
};

static void
add(struct answer *a, const void *data, size_t len)
{
	assert_true(len <= sizeof(a->wire) - a->len);
	memcpy(a->wire + a->len, data, len);
	a->len += len;
}

/* Header and the question www.example A. */
static void
begin(struct answer *a, unsigned rcode, unsigned records)
{
	const uint8_t header[] = { 0, 0, 0x80, (uint8_t)rcode, 0, 1, (uint8_t)(records >> 8),
		(uint8_t)records, 0, 0, 0, 0 };

	a->len = 0;
	add(a, header, sizeof(header));
	add(a, "\3WWW\7example\0\0\1\0\1", 17);
}

static void
record(struct answer *a, const void *owner, size_t owner_len, unsigned type, const void *data,
    size_t len)
{
	const uint8_t fixed[] = { (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, 60,
		(uint8_t)(len >> 8), (uint8_t)len };

	add(a, owner, owner_len);
	add(a, fixed, sizeof(fixed));
	add(a, data, len);
}

static struct packet *
read_ok(const struct answer *a, const char *name, uint16_t type)
{
	static struct packet p;
	const char *why = NULL;
	/* No octet more than there is, so that a sanitizer sees a read behind the end. */
	uint8_t *exact = xmalloc(a->len);

	memcpy(exact, a->wire, a->len);
	if (packet_read(&p, exact, a->len, name, type, &why) != 0)
		fail_msg("%s: %s", name, why);
	free(exact);
	return &p;
}

static void
read_wrong(const struct answer *a, const char *name, uint16_t type, const char *reason)
{
	static struct packet p;
	const char *why = NULL;

	assert_int_equal(packet_read(&p, a->wire, a->len, name, type, &why), -1);
	assert_non_null(strstr(why, reason));
}

static void
test_records(void **state)
{
	static struct answer a;
	struct packet *p;

	(void)state;
	begin(&a, 0, 3);
	record(&a, "\xc0\x0c", 2, 1, "\300\0\2\1", 4);
	record(&a, "\5other\xc0\x10", 8, 1, "\300\0\2\2", 4); /* of nobody that was asked for */
	record(&a, "\3wWw\7EXAMPLE", 13, 1, "\300\0\2\3", 4);
	p = read_ok(&a, "www.example", 1);
	assert_int_equal(p->n, 2);
	assert_memory_equal(p->rdata[0].data, "\300\0\2\1", 4);
	assert_memory_equal(p->rdata[1].data, "\300\0\2\3", 4);
	assert_int_equal(read_ok(&a, "www.example", 28)->n, 0);
	assert_int_equal(read_ok(&a, "", 1)->n, 0);
}

static void
test_rcode(void **state)
{
	static struct answer a;

	(void)state;
	begin(&a, 3, 0);
	assert_int_equal(read_ok(&a, "www.example", 1)->rcode, 3);
	/* What stands behind an error is not read. */
	begin(&a, 2, 7);
	assert_int_equal(read_ok(&a, "www.example", 1)->rcode, 2);
	/* A question is no answer. */
	begin(&a, 0, 0);
	a.wire[2] = 0;
	read_wrong(&a, "www.example", 1, "malformed");
}

static void
test_aliases(void **state)
{
	static struct answer a;
	struct packet *p;

	(void)state;
	/* In no order. */
	begin(&a, 0, 3);
	record(&a, "\1b\xc0\x10", 4, 1, "\300\0\2\1", 4);
	record(&a, "\1a\xc0\x10", 4, 5, "\1b\xc0\x10", 4);
	record(&a, "\xc0\x0c", 2, 5, "\1A\xc0\x10", 4);
	p = read_ok(&a, "www.example", 1);
	assert_int_equal(p->n, 1);
	assert_memory_equal(p->rdata[0].data, "\300\0\2\1", 4);
	/* Asked for itself, it is not followed. */
	p = read_ok(&a, "www.example", 5);
	assert_int_equal(p->n, 1);
	assert_int_equal(p->rdata[0].len, 11);
	assert_memory_equal(p->rdata[0].data, "\1a\7example\0", 11);
	/* A circle. */
	begin(&a, 0, 1);
	record(&a, "\xc0\x0c", 2, 5, "\xc0\x0c", 2);
	read_wrong(&a, "www.example", 1, "aliases");
	/* One that leads nowhere. */
	begin(&a, 0, 1);
	record(&a, "\xc0\x0c", 2, 5, "\1b\xc0\x10", 4);
	assert_int_equal(read_ok(&a, "www.example", 1)->n, 0);
}

static void
test_names_in_data(void **state)
{
	static struct answer a;
	struct packet *p;

	(void)state;
	begin(&a, 0, 3);
	record(&a, "\xc0\x0c", 2, 15, "\0\12\2mx\xc0\x10", 7);
	record(&a, "\xc0\x0c", 2, 16, "\3abc", 4);
	record(&a, "\xc0\x0c", 2, 12, "\xc0\x0c", 2);
	p = read_ok(&a, "www.example", 15);
	assert_int_equal(p->rdata[0].len, 14);
	assert_memory_equal(p->rdata[0].data, "\0\12\2mx\7example\0", 14);
	p = read_ok(&a, "www.example", 12);
	assert_int_equal(p->rdata[0].len, 13);
	assert_memory_equal(p->rdata[0].data, "\3www\7example\0", 13);
	p = read_ok(&a, "www.example", 16);
	assert_memory_equal(p->rdata[0].data, "\3abc", 4);
	begin(&a, 0, 1);
	record(&a, "\xc0\x0c", 2, 15,
	    "\0\12\2mx\xc0\x10"
	    "x",
	    8);
	read_wrong(&a, "www.example", 15, "malformed");
	begin(&a, 0, 1);
	record(&a, "\xc0\x0c", 2, 15, "\0", 1);
	read_wrong(&a, "www.example", 15, "malformed");
}

static void
test_malformed(void **state)
{
	static struct answer a;
	static struct packet p;
	const char *why;

	(void)state;
	begin(&a, 0, 1);
	record(&a, "\xc0\x0c", 2, 1, "\300\0\2\1", 4);
	for (size_t len = 0; len < a.len; len++) {
		uint8_t *exact = xmalloc(len > 0 ? len : 1);

		memcpy(exact, a.wire, len);
		assert_int_equal(packet_read(&p, exact, len, "www.example", 1, &why), -1);
		free(exact);
	}
	/* A pointer to itself, and one ahead. */
	begin(&a, 0, 1);
	record(&a, "\xc0\x1d", 2, 1, "\300\0\2\1", 4);
	read_wrong(&a, "www.example", 1, "malformed");
	begin(&a, 0, 1);
	record(&a, "\xc0\x2f", 2, 1, "\300\0\2\1", 4);
	read_wrong(&a, "www.example", 1, "malformed");
}

static void
test_limits(void **state)
{
	static struct answer a;

	(void)state;
	begin(&a, 0, PACKET_RECORDS_MAX);
	for (unsigned i = 0; i < PACKET_RECORDS_MAX; i++)
		record(&a, "\xc0\x0c", 2, 1, "\300\0\2\1", 4);
	assert_int_equal(read_ok(&a, "www.example", 1)->n, PACKET_RECORDS_MAX);
	begin(&a, 0, PACKET_RECORDS_MAX + 1);
	for (unsigned i = 0; i <= PACKET_RECORDS_MAX; i++)
		record(&a, "\xc0\x0c", 2, 1, "\300\0\2\1", 4);
	read_wrong(&a, "www.example", 1, "too many");
}

static void
test_name_wire(void **state)
{
	char label[80];
	uint8_t wire[255];

	(void)state;
	assert_int_equal(packet_name_wire(wire, "A\\.b.\\000c"), 8);
	assert_memory_equal(wire, "\3a.b\2\0c", 8);
	assert_int_equal(packet_name_wire(wire, ""), 1);
	assert_int_equal(packet_name_wire(wire, "a."), 3);
	assert_int_equal(packet_name_wire(wire, "a..b"), 0);
	assert_int_equal(packet_name_wire(wire, ".a"), 0);
	assert_int_equal(packet_name_wire(wire, "a\\"), 0);
	assert_int_equal(packet_name_wire(wire, "a\\25"), 0);
	assert_int_equal(packet_name_wire(wire, "a\\256"), 0);
	memset(label, 'a', 63);
	label[63] = '\0';
	assert_int_equal(packet_name_wire(wire, label), 65);
	memcpy(label + 63, "a", 2);
	assert_int_equal(packet_name_wire(wire, label), 0);
}

static void
test_longest_name(void **state)
{
	struct strbuf b = { 0 };
	uint8_t wire[255];

	(void)state;
	for (unsigned i = 0; i < 126; i++)
		strbuf_puts(&b, "a.");
	strbuf_puts(&b, "a");
	assert_int_equal(packet_name_wire(wire, b.s), 255);
	strbuf_puts(&b, "a");
	assert_int_equal(packet_name_wire(wire, b.s), 0);
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_rcode),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_names_in_data),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_name_wire),
		cmocka_unit_test(test_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
