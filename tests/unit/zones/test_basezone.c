/* base.zone: the shipped file, and what is refused. */
#include "tests/unit/zones/fixture.h"

#include "zones/basezone.h"

static const char *
error_of_zone(const char *text)
{
	static char err[600];
	struct basezone *b;

	err[0] = '\0';
	b = basezone_parse("b", text, strlen(text), err, sizeof err);
	basezone_free(b);
	return err;
}

static void
shipped(void **state)
{
	char err[600] = "";
	struct basezone *b = basezone_load("zones/base.zone", err, sizeof err);

	(void)state;
	assert_string_equal(err, "");
	assert_int_equal(b->n_base, 9);
	assert_int_equal(b->n_test, 4);
	assert_int_equal(b->base[0].type, 6);
	assert_string_equal(b->base[0].owner, "{zone}");
	assert_string_equal(b->base[2].rdata, "{ns4}");
	basezone_free(b);
	basezone_free(NULL);
	assert_null(basezone_load("/nonexistent", err, sizeof err));
	assert_non_null(strstr(err, "/nonexistent"));
}

#define SOA "{zone} 60 SOA ns.{zone} x.{zone} 1 2 3 4 5\n"
#define NS  "{zone} 60 NS ns.{zone}\n"

static void
refused(void **state)
{
	static const struct {
		const char *text, *err;
	} rows[] = {
		{ "[base]\n" SOA NS "[test]\n" SOA NS, "" },
		{ "", "b:1: [base]: {zone} needs an SOA and an NS record" },
		{ "[base]\n" SOA NS, "b:3: [test]: {zone} needs an SOA and an NS record" },
		{ "[base]\n" SOA "[test]\n" SOA NS,
		    "b:5: [base]: {zone} needs an SOA and an NS record" },
		{ SOA, "b:1: {zone}: a section [base] or [test] must stand before it" },
		{ "[other]\n", "b:1: section other: must be one of base, test" },
		{ "[base x]\n", "b:1: []: must be [base] or [test]" },
		{ "[base]\n{d} 60 A {ns4}\n", "b:2: {d}: names in this file end in {zone}" },
		{ "[base]\n{zone} 60 A {ns6}\n", "b:2: {ns6}: gives no IPv4 address" },
		{ "[base]\n{zone} 60 A\n",
		    "b:2: record: must be written: OWNER TTL TYPE RDATA..." },
		{ "[base]\n{zone} 60 NOPE x\n", "b:2: NOPE: no such record type" },
		{ "[base]\n{zone} x A {ns4}\n", "b:2: ttl x: must be a number from 0 to 604800" },
		{ "[base]\n{zone} 60 TXT \"\\x00\"\n", "b:2: \\x00: a word cannot hold it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(error_of_zone(rows[i].text), rows[i].err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
