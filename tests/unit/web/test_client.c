/* Who asks, and whom limits count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/client.h"

static struct conf_list proxies = { 2, { "127.0.0.1", "2001:db8::1" } };

static const char *
of(const char *peer, const char *forwarded)
{
	static char text[ADDRESS_TEXT_MAX];
	union sockaddr_any p = { 0 }, c;

	assert_int_equal(address_parse(&p, peer, 4000), 0);
	client_of(&c, &p, forwarded, &proxies);
	address_format(text, &c);
	return text;
}

static void
named_by_a_proxy(void **state)
{
	(void)state;
	assert_string_equal(of("127.0.0.1", "192.0.2.7"), "192.0.2.7");
	assert_string_equal(of("127.0.0.1", "192.0.2.7, 2001:db8::1"), "192.0.2.7");
	assert_string_equal(of("2001:db8::1", " 2001:db8:7::1 ,127.0.0.1"), "2001:db8:7::1");
	/* what stands before the last stranger is the stranger's own word */
	assert_string_equal(of("127.0.0.1", "198.51.100.1, 192.0.2.7"), "192.0.2.7");
	assert_string_equal(of("127.0.0.1", "127.0.0.1, 192.0.2.7, 127.0.0.1"), "192.0.2.7");
}

static void
not_named(void **state)
{
	(void)state;
	assert_string_equal(of("192.0.2.9", "192.0.2.7"), "192.0.2.9");
	assert_string_equal(of("127.0.0.1", ""), "127.0.0.1");
	assert_string_equal(of("127.0.0.1", "unknown"), "127.0.0.1");
	assert_string_equal(of("127.0.0.1", "192.0.2.7, "), "127.0.0.1");
	assert_string_equal(of("127.0.0.1", "192.0.2.7:80"), "127.0.0.1");
	assert_string_equal(
	    of("127.0.0.1", "11111111111111111111111111111111111111111111111111111111111111"),
	    "127.0.0.1");
	assert_string_equal(of("127.0.0.1", ","), "127.0.0.1");
}

static bool
same(const char *a, const char *b)
{
	union sockaddr_any pa = { 0 }, pb = { 0 };

	assert_int_equal(address_parse(&pa, a, 1), 0);
	assert_int_equal(address_parse(&pb, b, 2), 0);
	return client_same_network(&pa, &pb);
}

static void
networks(void **state)
{
	(void)state;
	assert_true(same("192.0.2.7", "192.0.2.7"));
	assert_false(same("192.0.2.7", "192.0.2.8"));
	assert_true(same("2001:db8:7::1", "2001:db8:7:0:ffff::1"));
	assert_false(same("2001:db8:7::1", "2001:db8:7:1::1"));
	assert_true(same("::ffff:192.0.2.7", "192.0.2.7"));
	assert_false(same("::ffff:192.0.2.7", "::ffff:192.0.2.8"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_by_a_proxy),
		cmocka_unit_test(not_named),
		cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
