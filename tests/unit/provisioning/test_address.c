/* The address plan at all its edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "provisioning/address.h"

static struct in6_addr
in6(const char *text)
{
	struct in6_addr a;

	assert_int_equal(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static void
assert_made(const char *want, uint64_t id, unsigned test, enum address_state s, unsigned host)
{
	struct in6_addr prefix = in6("2001:db8:53::"), a;
	char text[INET6_ADDRSTRLEN];

	address_make(&a, &prefix, id, test, s, host);
	assert_string_equal(inet_ntop(AF_INET6, &a, text, sizeof(text)), want);
}

static void
test_known(void **state)
{
	(void)state;
	assert_made("2001:db8:53::", 0, 0, ADDRESS_SERVES, 0);
	assert_made("2001:db8:53::1", 0, 0, ADDRESS_SERVES, 1);
	assert_made("2001:db8:53::40", 0, 1, ADDRESS_SERVES, 0);
	assert_made("2001:db8:53::1:0", 1, 0, ADDRESS_SERVES, 0);
	assert_made("2001:db8:53::1940", 0, 101, ADDRESS_SERVES, 0);
	assert_made(
	    "2001:db8:53:0:1234:5678:9abc:1960", UINT64_C(0x123456789abc), 101, ADDRESS_REFUSES, 0);
	assert_made(
	    "2001:db8:53:0:ffff:ffff:ffff:ffff", UINT64_C(0xffffffffffff), 1023, ADDRESS_SILENT, 7);
}

/* Every slot of the smallest and the largest test and id, there and back. */
static void
test_all_slots(void **state)
{
	static const uint64_t ids[] = { 0, 1, UINT64_C(0x800000000000), UINT64_C(0xffffffffffff) };
	static const unsigned numbers[] = { 0, 1, 512, 1023 };
	struct in6_addr prefix = in6("2001:db8:ffff:1::"), a;
	unsigned total = 0;

	(void)state;
	for (unsigned s = ADDRESS_SERVES; s <= ADDRESS_SILENT; s++)
		total += address_hosts(s);
	assert_int_equal(total, SLOT_MAX + 1);
	for (unsigned i = 0; i < 16; i++) {
		for (unsigned s = ADDRESS_SERVES; s <= ADDRESS_SILENT; s++) {
			for (unsigned host = 0; host < address_hosts(s); host++) {
				struct address_parts p;

				address_make(&a, &prefix, ids[i / 4], numbers[i % 4], s, host);
				assert_true(address_split(&p, &a, &prefix));
				assert_true(p.id == ids[i / 4]);
				assert_int_equal(p.test, numbers[i % 4]);
				assert_int_equal(p.state, s);
				assert_int_equal(p.host, host);
				assert_int_equal(p.slot & 0x3f, a.s6_addr[15] & 0x3f);
			}
		}
	}
}

/* What the two mask rules of nftables.conf see must be what address_split says. */
static void
test_masks(void **state)
{
	struct in6_addr prefix = in6("2001:db8:53::"), a = prefix;

	(void)state;
	for (unsigned slot = 0; slot <= SLOT_MAX; slot++) {
		struct address_parts p;
		bool silent = (slot & 0x38) == 0x38, refuses = !silent && (slot & 0x20) == 0x20;

		a.s6_addr[15] = (uint8_t)slot;
		assert_true(address_split(&p, &a, &prefix));
		assert_int_equal(p.state, silent    ? ADDRESS_SILENT
					  : refuses ? ADDRESS_REFUSES
						    : ADDRESS_SERVES);
	}
}

static void
test_other_prefix(void **state)
{
	struct in6_addr prefix = in6("2001:db8:53::"), a = in6("2001:db8:53:1::40");
	struct address_parts p;

	(void)state;
	assert_false(address_split(&p, &a, &prefix));
	a = in6("::");
	assert_false(address_split(&p, &a, &prefix));
	a = in6("2001:db8:53::40");
	assert_true(address_split(&p, &a, &prefix));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_all_slots),
		cmocka_unit_test(test_masks),
		cmocka_unit_test(test_other_prefix),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
