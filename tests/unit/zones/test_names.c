/* RR types, rcodes, placeholders and template names: the tables answer both ways. */
#include "tests/unit/zones/fixture.h"

#include "zones/names.h"
#include "zones/test.h"

static void
types_both_ways(void **state)
{
	char buf[12];

	(void)state;
	assert_int_equal(rrtype_by_name("MX"), 15);
	assert_int_equal(rrtype_by_name("tlsa"), 52);
	assert_int_equal(rrtype_by_name("TYPE65400"), 65400);
	assert_int_equal(rrtype_by_name("TYPE0"), 0);
	assert_int_equal(rrtype_by_name("TYPE65535"), 65535);
	assert_int_equal(rrtype_by_name("TYPE65536"), 0);
	assert_int_equal(rrtype_by_name("TYPE"), 0);
	assert_int_equal(rrtype_by_name("TYPE1x"), 0);
	assert_int_equal(rrtype_by_name(""), 0);
	assert_int_equal(rrtype_by_name("BOGUS"), 0);
	for (unsigned t = 1; t < 65536; t++)
		assert_int_equal(rrtype_by_name(rrtype_name((uint16_t)t, buf)), t);
	assert_false(rrtype_can_be_asked(0));
	assert_false(rrtype_can_be_asked(41));
	assert_false(rrtype_can_be_asked(252));
	assert_true(rrtype_can_be_asked(255));
	assert_true(rrtype_can_be_asked(52));
}

static void
rcodes_both_ways(void **state)
{
	char buf[12];

	(void)state;
	assert_int_equal(rcode_by_name("SERVFAIL"), 2);
	assert_int_equal(rcode_by_name("noerror"), 0);
	assert_int_equal(rcode_by_name("NXDOMAIN"), 3);
	assert_int_equal(rcode_by_name("RCODE4095"), 4095);
	assert_int_equal(rcode_by_name("RCODE4096"), -1);
	assert_int_equal(rcode_by_name("DROP"), -1);
	for (unsigned r = 0; r < 4096; r++)
		assert_int_equal(rcode_by_name(rcode_name(r, buf)), r);
}

static void
placeholders(void **state)
{
	static const struct {
		const char *text;
		int rc;
		enum placeholder_kind kind;
		unsigned number, zone;
	} rows[] = {
		{ "{t}", 0, PH_TOKEN, 0, 0 },
		{ "{d}", 0, PH_D, 0, 0 },
		{ "{d:b}x", 0, PH_D, 0, 1 },
		{ "{mx0}", 0, PH_MX, 0, 0 },
		{ "{mx31:b}", 0, PH_MX, 31, 1 },
		{ "{mx32}", -1, PH_MX, 0, 0 },
		{ "{mx}", -1, PH_MX, 0, 0 },
		{ "{mx00}", -1, PH_MX, 0, 0 },
		{ "{ipv4:31}", 0, PH_IPV4, 31, 0 },
		{ "{ipv4:32}", -1, PH_IPV4, 0, 0 },
		{ "{ipv4}", -1, PH_IPV4, 0, 0 },
		{ "{ipv4-refused}", 0, PH_IPV4_REFUSED, 0, 0 },
		{ "{ipv6-refused:23}", 0, PH_IPV6_REFUSED, 23, 0 },
		{ "{ipv6-refused:24}", -1, PH_IPV6_REFUSED, 0, 0 },
		{ "{ipv6-silent:7}", 0, PH_IPV6_SILENT, 7, 0 },
		{ "{ipv6-silent:8}", -1, PH_IPV6_SILENT, 0, 0 },
		{ "{spki-wrong:0}", 0, PH_SPKI_WRONG, 0, 0 },
		{ "{spki512:1}", 0, PH_SPKI512, 1, 0 },
		{ "{spki512-wrong:1}", 0, PH_SPKI512_WRONG, 1, 0 },
		{ "{d:c}", -1, PH_D, 0, 0 },
		{ "{}", -1, PH_D, 0, 0 },
		{ "{d", -1, PH_D, 0, 0 },
		{ "{nonsense}", -1, PH_D, 0, 0 },
	};
	struct placeholder p;
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(placeholder_parse(&p, rows[i].text, err, sizeof err), rows[i].rc);
		if (rows[i].rc != 0)
			continue;
		assert_int_equal(p.kind, rows[i].kind);
		assert_int_equal(p.number, rows[i].number);
		assert_int_equal(p.zone, rows[i].zone);
	}
	assert_true(placeholder_needs_host(PH_SPKI));
	assert_false(placeholder_needs_host(PH_IPV6_REFUSED));
}

static void
template_names(void **state)
{
	static const struct {
		const char *name;
		int rc;
	} rows[] = {
		{ "{d}", 0 },
		{ "_25._tcp.{mx0}", 0 },
		{ "ns.{zone}", 0 },
		{ "{base}", 0 },
		{ "a.b.{d:b}", 0 },
		{ "{t}", -1 },
		{ "{t}.to.{zone}", 0 },
		{ "_25._tcp.{t}.to.{zone:b}", 0 },
		{ "{t}.{zone}", -1 },
		{ "{t}.a.b.{zone}", -1 },
		{ "{t}.to.{d}", -1 },
		{ "{t}to.{zone}", -1 },
		{ "{t}.to{zone}", -1 },
		{ "{t}.mx1.{zone}", -1 },
		{ "{t}.abcdefghijklmnop.{zone}", -1 },
		{ "{t}.to.{zone}x", -1 },
		{ "example.org", -1 },
		{ "x{d}", -1 },
		{ ".{d}", -1 },
		{ "a..{d}", -1 },
		{ "A.{d}", -1 },
		{ "*.{d}", -1 },
		{ "{d}.x", -1 },
		{ "{ipv4:0}", -1 },
		{ "a123456789012345678901234567890123456789012345678901234567890123.{d}", -1 },
	};
	struct template_name n;
	char err[200];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		    template_name_parse(&n, rows[i].name, err, sizeof err), rows[i].rc);
	assert_int_equal(template_name_parse(&n, "_25._tcp.{mx3:b}", err, sizeof err), 0);
	assert_int_equal(n.root, ROOT_MX);
	assert_int_equal(n.host, 3);
	assert_int_equal(n.zone, 1);
	assert_int_equal(n.label_len, 9);
	assert_int_equal(template_name_parse(&n, "x.{t}.to.{zone:b}", err, sizeof err), 0);
	assert_int_equal(n.root, ROOT_SIDE);
	assert_int_equal(n.zone, 1);
	assert_int_equal(n.label_len, 2);
	assert_int_equal(n.side_len, 2);
	assert_memory_equal(n.side, "to", 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_both_ways),
		cmocka_unit_test(rcodes_both_ways),
		cmocka_unit_test(placeholders),
		cmocka_unit_test(template_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
