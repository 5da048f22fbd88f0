/* What a SYN tells. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provisioning/address.h"
#include "smtpd/tap.h"

#include <cmocka.h> /* last: it has a macro test_free */

static struct catalogue catalogue;
static struct test dual = { .name = "dual", .number = 1 };
static struct site site = { .has_ipv6 = true, .catalogue = &catalogue };

static int
setup(void **state)
{
	(void)state;
	inet_pton(AF_INET6, "2001:db8:53::", &site.prefix);
	catalogue.by_number[1] = &dual;
	site.conf.ipv4_front = (struct conf_list){ 1, { "203.0.113.5" } };
	site.conf.ipv4_refused = (struct conf_list){ 1, { "203.0.113.3" } };
	site.conf.ipv4_silent = (struct conf_list){ 1, { "203.0.113.4" } };
	return 0;
}

static size_t
packet_v4(unsigned char *p, const char *to, unsigned char flags)
{
	memset(p, 0, 64);
	p[0] = 0x46; /* with options */
	p[9] = IPPROTO_TCP;
	inet_pton(AF_INET, "198.51.100.9", p + 12);
	inet_pton(AF_INET, to, p + 16);
	memcpy(p + 24, "\xfa\x01\x00\x19", 4);
	p[24 + 13] = flags;
	return 24 + 20;
}

static size_t
packet_v6(unsigned char *p, uint64_t id, unsigned test, enum address_state state, unsigned host)
{
	memset(p, 0, 64);
	p[0] = 0x60;
	p[6] = IPPROTO_TCP;
	inet_pton(AF_INET6, "2001:db8:1::9", p + 8);
	address_make((struct in6_addr *)(void *)(p + 24), &site.prefix, id, test, state, host);
	memcpy(p + 40, "\xfa\x01\x00\x19", 4);
	p[40 + 13] = 2;
	return 60;
}

static void
test_v4(void **state)
{
	unsigned char p[64];
	struct tap_syn s;
	size_t n = packet_v4(p, "203.0.113.3", 2);

	(void)state;
	assert_true(tap_parse(&s, p, n, &site));
	assert_string_equal(s.state, "refuses");
	assert_int_equal(address_port(&s.peer), 64001);
	assert_int_equal(address_port(&s.local), 25);
	assert_null(s.test);
	for (size_t i = 0; i < n; i++)
		assert_false(tap_parse(&s, p, i, &site));
	n = packet_v4(p, "203.0.113.4", 0xc2); /* ECN */
	assert_true(tap_parse(&s, p, n, &site));
	assert_string_equal(s.state, "silent");
	n = packet_v4(p, "203.0.113.5", 2);
	assert_true(tap_parse(&s, p, n, &site));
	assert_string_equal(s.state, "serves");
	n = packet_v4(p, "203.0.113.5", 0x12);
	assert_false(tap_parse(&s, p, n, &site));
	n = packet_v4(p, "203.0.113.6", 2);
	assert_false(tap_parse(&s, p, n, &site));
	p[0] = 0x4f; /* a header longer than the packet */
	assert_false(tap_parse(&s, p, n, &site));
}

static void
test_v6(void **state)
{
	_Alignas(8) unsigned char p[64];
	struct tap_syn s;
	size_t n = packet_v6(p, 0x123456789abc, 1, ADDRESS_REFUSES, 2);

	(void)state;
	assert_true(tap_parse(&s, p, n, &site));
	assert_string_equal(s.state, "refuses");
	assert_int_equal(s.host, 2);
	assert_ptr_equal(s.test, &dual);
	assert_true(s.token.id == 0x123456789abc);
	n = packet_v6(p, 0x123456789abc, 1, ADDRESS_SILENT, 0);
	assert_true(tap_parse(&s, p, n, &site));
	assert_string_equal(s.state, "silent");
	n = packet_v6(p, 0x123456789abc, 2, ADDRESS_SERVES, 0);
	assert_true(tap_parse(&s, p, n, &site)); /* no such test: still a SYN to us */
	assert_null(s.test);
	n = packet_v6(p, 0, 1, ADDRESS_SERVES, 0); /* infrastructure */
	assert_false(tap_parse(&s, p, n, &site));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_v4),
		cmocka_unit_test(test_v6),
	};

	return cmocka_run_group_tests_name("tap", tests, setup, NULL);
}
