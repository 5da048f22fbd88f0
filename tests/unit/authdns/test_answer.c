/* Which RRsets stand where; that they verify is for other tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "authdns/answer.h"
#include "tests/unit/authdns/site.h"

#include <cmocka.h>

static struct answer a;

/* Asks, and compares with "RCODE aa|-- an:TYPE ns:TYPE* ad:TYPE": * is signed, CNAME! is synthesised,
 * 0 is the proof of absence. */
static void
chooses(const char *local, const char *test, const char *name, uint16_t type, const char *want)
{
	static const char *const sections[] = { "an", "ns", "ad" };
	struct dns_query q;
	struct place p;
	uint8_t msg[600];
	char have[400], buf[12];
	size_t n;

	test_site_find(&p, &q, msg, &s, local, test, name, type);
	answer_choose(&a, &p, &q);
	n = (size_t)snprintf(
	    have, sizeof(have), "%s %s", rcode_name(a.rcode, buf), a.authoritative ? "aa" : "--");
	for (unsigned i = 0; i < a.n; i++) {
		const struct answer_item *it = &a.item[i];

		n += (size_t)snprintf(have + n, sizeof(have) - n, " %s:%s%s", sections[it->section],
		    it->synthesis     ? "CNAME!"
		    : it->set == NULL ? "0"
				      : rrtype_name(it->set->type, buf),
		    it->sign ? "*" : "");
	}
	assert_string_equal(have, want);
}

static void
test_own(void **state)
{
	(void)state;
	chooses("192.0.2.2", "plain", "{d}", TYPE_MX, "NOERROR aa an:MX*");
	chooses("192.0.2.2", "plain", "{d}", TYPE_TXT, "NOERROR aa ns:SOA* ns:0*");
	chooses("192.0.2.2", "plain", "no.{d}", TYPE_TXT, "NOERROR aa ns:SOA* ns:0*");
	chooses("192.0.2.2", "plain", "alias.{d}", TYPE_TXT, "NOERROR aa an:CNAME*");
	chooses("192.0.2.2", "plain", "{mx0}", TYPE_ANY, "NOERROR aa an:A*");
	chooses("192.0.2.2", "plain", "{d}", TYPE_NSEC, "NOERROR aa an:0*");
	chooses("192.0.2.2", "hashed", "{d}", TYPE_NSEC, "NOERROR aa ns:SOA* ns:0*");
	chooses("192.0.2.2", "unsigned", "{d}", TYPE_MX, "NOERROR aa an:MX");
	chooses("192.0.2.2", "unsigned", "{d}", TYPE_TXT, "NOERROR aa ns:SOA");
	chooses("192.0.2.2", "plain", "{d}", TYPE_AXFR, "REFUSED --");
	chooses("192.0.2.2", "plain", "{d}", TYPE_MAILB, "NOTIMP --");
	chooses("192.0.2.2", "plain", "{d}", TYPE_OPT, "FORMERR --");
	chooses("192.0.2.2", NULL, "{base}", TYPE_SOA, "REFUSED --");
}

static void
test_parent(void **state)
{
	(void)state;
	chooses("192.0.2.1", "plain", "{d}", TYPE_MX, "NOERROR -- ns:NS ns:DS* ad:A ad:AAAA");
	chooses("192.0.2.1", "unsigned", "{d}", TYPE_MX, "NOERROR -- ns:NS ns:0* ad:A ad:AAAA");
	chooses("192.0.2.1", "plain", "{zone}", TYPE_DS, "NOERROR aa an:DS*");
	chooses("192.0.2.1", "unsigned", "{zone}", TYPE_DS, "NOERROR aa ns:SOA* ns:0*");
	chooses("192.0.2.1", NULL, "no.{base}", TYPE_A, "NOERROR aa ns:SOA* ns:0*");
	chooses("192.0.2.1", "alias", "{d}", TYPE_MX, "NOERROR aa an:DNAME* an:CNAME!");
	chooses("192.0.2.1", "alias", "{zone}", TYPE_DNAME, "NOERROR aa an:DNAME*");
	chooses("192.0.2.1", "alias", "{zone}", TYPE_MX, "NOERROR aa ns:SOA* ns:0*");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_parent),
	};

	return cmocka_run_group_tests(tests, test_site_set_up, test_site_tear_down);
}
