#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authdns/cookie.h"

static void
unhex(uint8_t *dst, const char *text)
{
	for (unsigned v; *text != '\0'; text += 2) {
		v = (unsigned)((text[0] > '9' ? text[0] - 'a' + 10 : text[0] - '0') << 4) |
		    (unsigned)(text[1] > '9' ? text[1] - 'a' + 10 : text[1] - '0');
		*dst++ = (uint8_t)v;
	}
}

/* RFC 9018 appendix A.1 (IPv4) and A.4 (IPv6). */
static void
test_vectors(void **state)
{
	static const struct {
		const char *secret, *client, *address, *server;
		int64_t time;
	} v[] = {
		{ "e5e973e5a6b2a43f48e7dc849e37bfcf", "2464c4abcf10c957", "198.51.100.100",
		    "010000005cf79f111f8130c3eee29480", 1559731985 },
		{ "dd3bdf9344b678b185a6f5cb60fca715", "22681ab97d52c298",
		    "2001:db8:220:1:59de:d0f4:8769:82b8", "010000005cf7c57926556bd0934c72f8",
		    1559741817 },
		{ "445536bcd2513298075a5d379663c962", "22681ab97d52c298",
		    "2001:db8:220:1:59de:d0f4:8769:82b8", "010000005cf7c609a6bb79d16625507a",
		    1559741961 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint8_t key[16], client[8], want[16], whole[COOKIE_WHOLE];
		union sockaddr_any peer;

		unhex(key, v[i].secret);
		unhex(client, v[i].client);
		unhex(want, v[i].server);
		assert_int_equal(address_parse(&peer, v[i].address, 53), 0);
		cookie_make(whole, client, &peer, v[i].time, key);
		assert_memory_equal(whole, client, 8);
		assert_memory_equal(whole + 8, want, 16);
	}
}

static void
test_valid(void **state)
{
	static const uint8_t key[16] = "sixteen octets!", client[8] = "client!";
	uint8_t whole[COOKIE_WHOLE];
	union sockaddr_any peer, other;

	(void)state;
	address_parse(&peer, "192.0.2.1", 1);
	address_parse(&other, "192.0.2.2", 1);
	cookie_make(whole, client, &peer, 1000000, key);
	assert_true(cookie_valid(whole, sizeof(whole), &peer, 1000000, key));
	assert_true(cookie_valid(whole, sizeof(whole), &peer, 1003600, key));
	assert_false(cookie_valid(whole, sizeof(whole), &peer, 1003601, key));
	assert_true(cookie_valid(whole, sizeof(whole), &peer, 999700, key));
	assert_false(cookie_valid(whole, sizeof(whole), &peer, 999699, key));
	assert_false(cookie_valid(whole, sizeof(whole), &other, 1000000, key));
	assert_false(cookie_valid(whole, 8, &peer, 1000000, key));
	whole[20] ^= 1;
	assert_false(cookie_valid(whole, sizeof(whole), &peer, 1000000, key));
	assert_true(cookie_well_formed(8) && cookie_well_formed(16) && cookie_well_formed(40));
	assert_false(cookie_well_formed(0) || cookie_well_formed(9) || cookie_well_formed(15) ||
		     cookie_well_formed(41));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_valid) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
