/* Rules of [answers]: which of them act, on what, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "authdns/deviate.h"
#include "tests/unit/authdns/site.h"

#include <cmocka.h>

static struct place p;
static struct dns_query q;
static uint8_t msg[600];
static struct deviation d;
static struct memory *memory;
static struct phase_memory pm;
static union sockaddr_any peer;

static struct circumstances
now(int64_t seconds, bool tcp)
{
	return (struct circumstances){ &pm, &peer, SITE_NOW + seconds * 1000000, tcp, true };
}

static const char *
deviates(const char *test, const char *name, uint16_t type, bool tcp)
{
	struct circumstances c = now(0, tcp);

	test_site_find(&p, &q, msg, &s, "192.0.2.2", test, name, type);
	deviate(&d, &p, &q, &c);
	return d.text;
}

static void
test_actions(void **state)
{
	(void)state;
	assert_string_equal(deviates("deviant", "_25._tcp.{mx0}", 52, false), "rcode SERVFAIL");
	assert_int_equal(d.rcode, RCODE_SERVFAIL);
	assert_string_equal(deviates("deviant", "_25._tcp.{mx0}", TYPE_A, false), "");
	assert_int_equal(d.rcode, -1);
	assert_string_equal(deviates("deviant", "slow.{d}", TYPE_TXT, false), "delay 1500ms");
	assert_int_equal(d.delay_us, 1500000);
	assert_string_equal(deviates("deviant", "{mx0}", TYPE_A, false), "tc");
	assert_string_equal(deviates("deviant", "{mx0}", TYPE_A, true), "");
	assert_false(d.tc);
	assert_string_equal(deviates("deviant", "ttl.{d}", TYPE_TXT, false), "ttl 7");
	assert_true(d.has_ttl && d.ttl == 7);
	assert_string_equal(deviates("deviant", "_gone.{d}", TYPE_TXT, false), "drop");
	assert_true(d.drop);
	assert_string_equal(deviates("plain", "{d}", TYPE_MX, false), "");
}

static void
test_edns(void **state)
{
	struct circumstances c = now(0, false);

	(void)state;
	assert_string_equal(deviates("edns-lost", "{d}", TYPE_MX, false), "drop-edns");
	assert_true(d.drop);
	q.has_opt = false;
	deviate(&d, &p, &q, &c);
	assert_true(!d.drop && d.text[0] == '\0');
	assert_string_equal(deviates("before-edns", "{zone}", TYPE_SOA, false), "noedns");
	assert_true(d.no_edns && d.rcode == RCODE_FORMERR);
	q.has_opt = false;
	deviate(&d, &p, &q, &c);
	assert_true(!d.no_edns && d.rcode == -1);
}

/* The first two, for each participant; never without a memory or a token. */
static void
test_count(void **state)
{
	struct phase_memory none;
	struct token token = s.token;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(
		    deviates("deviant", "once.{d}", TYPE_MX, false), i < 2 ? "rcode SERVFAIL" : "");
	token_from_id(&s.token, 4712, &s.site->token_key);
	assert_string_equal(deviates("deviant", "once.{d}", TYPE_MX, false), "rcode SERVFAIL");
	none = pm;
	phase_memory_init(&pm, s.site, NULL);
	assert_string_equal(deviates("deviant", "once.{d}", TYPE_MX, false), "");
	pm = none;
	s.token = token;
}

static void
test_phase(void **state)
{
	struct circumstances c = now(0, false);

	(void)state;
	assert_string_equal(deviates("phased", "{d}", TYPE_MX, false), "");
	place_in_phase(&p, 2);
	deviate(&d, &p, &q, &c);
	assert_string_equal(d.text, "rcode SERVFAIL");
	place_in_phase(&p, 3);
}

static enum sign_mode
signs(const char *test, const char *name, uint16_t type)
{
	struct circumstances c = now(0, false);

	test_site_find(&p, &q, msg, &s, "192.0.2.2", test, name, type);
	return deviate_sign(&p, p.zone, type, strcmp(name, "{zone}") == 0, &c);
}

static void
test_sign(void **state)
{
	(void)state;
	assert_int_equal(signs("plain", "{d}", TYPE_MX), SIGN_RIGHT);
	assert_int_equal(signs("bogus", "{d}", TYPE_MX), SIGN_CORRUPT);
	assert_int_equal(signs("future", "{d}", TYPE_MX), SIGN_FUTURE);
	assert_int_equal(signs("bad-denial", "{d}", TYPE_MX), SIGN_RIGHT);
	assert_int_equal(signs("bad-denial", "{d}", TYPE_NSEC), SIGN_CORRUPT);
	assert_int_equal(signs("chosen", "{d}", TYPE_MX), SIGN_CORRUPT);
	assert_int_equal(signs("chosen", "{mx0}", TYPE_A), SIGN_EXPIRED);
	assert_int_equal(signs("chosen", "{mx0}", TYPE_AAAA), SIGN_NONE);
	assert_int_equal(signs("chosen", "{zone}", TYPE_DNSKEY), SIGN_RIGHT);
	assert_int_equal(signs("chosen", "_28._tcp.{mx0}", TYPE_NSEC), SIGN_CORRUPT);
	assert_int_equal(signs("chosen", "_29._tcp.{mx0}", TYPE_NSEC), SIGN_RIGHT);
	for (int m = SIGN_RIGHT; m <= SIGN_NONE; m++)
		assert_memory_equal(sign_mode_text((enum sign_mode)m), "sign ", 5);
}

static int
set_up(void **state)
{
	char path[100];

	if (test_site_set_up(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/run/memory", s.dir);
	memory = memory_open(path, 256);
	phase_memory_init(&pm, s.site, memory);
	address_parse(&peer, "192.0.2.53", 5353);
	return memory != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	memory_close(memory);
	return test_site_tear_down(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_edns),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_phase),
		cmocka_unit_test(test_sign),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
