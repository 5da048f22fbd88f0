/* The table of connections per address, against a plain count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clients.h"

#include <cmocka.h> /* last: it has a macro test_free */

static const uint8_t key[16] = { 3 };

static union sockaddr_any
address(unsigned i)
{
	union sockaddr_any a;

	memset(&a, 0, sizeof a);
	if (i % 2 == 0) {
		a.in.sin_family = AF_INET;
		a.in.sin_addr.s_addr = i;
	} else {
		a.in6.sin6_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, &i, sizeof i);
	}
	return a;
}

static void
test_counts(void **state)
{
	struct clients *c = clients_new(100, key);
	unsigned count[90] = { 0 }, seed = 1, total = 0;

	(void)state;
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i;
		union sockaddr_any a;

		seed = seed * 1103515245 + 12345;
		i = (seed >> 16) % 90;
		a = address(i);
		if (total < 100 && (seed & 0x40000000)) {
			assert_int_equal(clients_enter(c, &a), ++count[i]);
			total++;
		} else if (count[i] > 0) {
			clients_leave(c, &a);
			count[i]--;
			total--;
		}
	}
	for (unsigned i = 0; i < 90; i++) {
		union sockaddr_any a = address(i);

		assert_int_equal(clients_enter(c, &a), count[i] + 1);
	}
	clients_free(c);
}

static void
test_leaving_a_stranger(void **state)
{
	struct clients *c = clients_new(1, key);
	union sockaddr_any a = address(4);

	(void)state;
	clients_leave(c, &a);
	assert_int_equal(clients_enter(c, &a), 1);
	clients_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_leaving_a_stranger),
	};

	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
