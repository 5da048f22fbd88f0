/* What a name is, and who answers for it at which address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/authdns/site.h"

#include <cmocka.h>

static struct place p;
static struct dns_query q;
static uint8_t msg[600];

static void
find(const char *local, const char *test, const char *name, uint16_t type)
{
	test_site_find(&p, &q, msg, &s, local, test, name, type);
}

static void
test_views(void **state)
{
	struct view v;

	(void)state;
	test_site_view(&v, &s, "192.0.2.1");
	assert_true(v.parent && !v.children && v.only == NULL);
	test_site_view(&v, &s, "192.0.2.2");
	assert_true(!v.parent && v.children && v.only == NULL);
	test_site_view(&v, &s, "192.0.2.3");
	assert_true(!v.parent && !v.children && v.only == NULL);
	test_site_view(&v, &s, "2001:db8:53::");
	assert_true(v.parent && v.only == NULL);
	test_site_view(&v, &s, "2001:db8:53::e140"); /* test 901, slot 0 */
	assert_string_equal(v.only->test->name, "plain");
	test_site_view(&v, &s, "2001:db8:53::e160"); /* an address that refuses */
	assert_null(v.only);
	test_site_view(&v, &s, "2001:db8:53:0:0:0:1:e140"); /* somebody's mail host */
	assert_null(v.only);
	test_site_view(&v, &s, "2001:db8:54::e140");
	assert_true(!v.parent && v.only == NULL);
}

/* "address own": there that zone and nothing else, and the zone nowhere else on IPv4. */
static void
test_own_address(void **state)
{
	struct conf_list *child = &s.site->conf.ipv4_child;
	struct zone *z = zones_by_label(s.zones, (const uint8_t *)"plain", 5);
	struct view v;

	(void)state;
	assert_non_null(z);
	child->item[child->n++] = strdup("192.0.2.3");
	z->own4 = "192.0.2.3";
	test_site_view(&v, &s, "192.0.2.3");
	assert_true(!v.parent && !v.children && v.only == z);
	find("192.0.2.3", "plain", "{d}", TYPE_MX);
	assert_ptr_equal(p.zone, z);
	find("192.0.2.3", "two", "{d}", TYPE_MX);
	assert_null(p.zone);
	find("192.0.2.2", "plain", "{d}", TYPE_MX);
	assert_null(p.zone);
	find("2001:db8:53::e140", "plain", "{d}", TYPE_MX);
	assert_ptr_equal(p.zone, z);
	z->own4 = NULL;
	free(child->item[--child->n]);
}

static void
test_spelling(void **state)
{
	static const char *const names[] = { "{d}", "_25._tcp.{mx0}", "{mx31}", "{zone}",
		"ns.{zone}", "a.b.{d}", "{t}.to.{zone}", "x.{t}.to.{zone}", "mx32.{zone}",
		"mx00.{zone}" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		find("192.0.2.2", "plain", names[i], TYPE_A);
		assert_string_equal(p.at, names[i]);
		assert_true(
		    (p.token.id != 0) == ((names[i][0] == '{' && names[i][1] != 'z') ||
					     strstr(names[i], ".{d") || strstr(names[i], ".{t") ||
					     strstr(names[i], ".{mx")));
		assert_string_equal(p.about->test->name, "plain");
		assert_ptr_equal(p.zone, p.about);
	}
	find("192.0.2.2", "two", "_x.{mx1:b}", TYPE_A);
	assert_string_equal(p.at, "_x.{mx1:b}");
	assert_int_equal(p.host, 1);
	assert_int_equal(p.about->index, 1);
	find("192.0.2.1", NULL, "ns.{zone}", TYPE_A);
	assert_string_equal(p.at, "ns.{zone}");
	assert_null(p.about->test);
	find("192.0.2.1", NULL, "example.org.", TYPE_A);
	assert_string_equal(p.at, "");
	assert_true(p.about == NULL && p.zone == NULL);
}

/* Without a valid token nothing is invalid that the template has. */
static void
test_invalid(void **state)
{
	static const struct {
		const char *name;
		bool invalid;
	} rows[] = { { "{d}", false }, { "x.{d}", false }, { "{zone}", false },
		{ "fixed.{zone}", false }, { "mx0.{zone}", false }, { "no.{zone}", true },
		{ SENTINEL_TEXT ".{zone}", true }, { SENTINEL_TEXT ".mx0.{zone}", true },
		{ "{t}.a.b.{zone}", true }, { "{t}.mx32.{zone}", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		find("192.0.2.2", "plain", rows[i].name, TYPE_A);
		assert_int_equal(p.invalid, rows[i].invalid);
		assert_true(!rows[i].invalid || p.node == NULL);
	}
}

/* The octets of BASE inside a label are not BASE. */
static void
test_boundaries(void **state)
{
	static const char *const names[] = { "x.y\\003lab\\007example.", "y\\003lab\\007example.",
		"x.y.z\\003lab\\007example.", "xlab.example.", "example." };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		find("192.0.2.1", NULL, names[i], TYPE_A);
		assert_true(p.zone == NULL && p.about == NULL);
	}
}

static void
test_cut(void **state)
{
	(void)state;
	find("192.0.2.1", "plain", "{d}", TYPE_MX);
	assert_ptr_equal(p.zone, s.zones->base);
	assert_string_equal(p.cut->test->name, "plain");
	assert_true(p.token.id == s.token.id);
	/* RFC 4035 3.1.4.1 */
	find("192.0.2.1", "plain", "{zone}", TYPE_DS);
	assert_ptr_equal(p.zone, s.zones->base);
	assert_null(p.cut);
	find("192.0.2.2", "plain", "{zone}", TYPE_DS);
	assert_string_equal(p.zone->test->name, "plain");
	/* no IPv4 name server */
	find("192.0.2.2", "six", "{d}", TYPE_MX);
	assert_null(p.zone);
	assert_true(p.token.id == s.token.id);
	find("2001:db8:53::e140", "unsigned", "{d}", TYPE_MX);
	assert_null(p.zone);
}

static void
test_alias(void **state)
{
	(void)state;
	find("192.0.2.1", "alias", "x.{d}", TYPE_MX);
	assert_ptr_equal(p.zone, s.zones->base);
	assert_true(p.node == NULL && p.cut == NULL && p.dname != NULL);
	assert_string_equal(p.about->test->name, "alias");
	assert_int_equal(p.dname_at, 2 + 17);
	assert_string_equal(p.at, "x.{d}");
	find("192.0.2.1", "alias", "{zone}", TYPE_A);
	assert_true(p.node != NULL && p.dname == NULL);
	find("192.0.2.2", "alias", "{d}", TYPE_MX);
	assert_null(p.zone);
	find("192.0.2.2", "alias", "{d:b}", TYPE_MX);
	assert_true(p.node != NULL && p.zone == p.about);
}

static void
test_phases(void **state)
{
	(void)state;
	find("192.0.2.2", "phased", "early.{d}", TYPE_TXT);
	assert_int_equal(p.phase, 1);
	assert_non_null(p.node);
	place_in_phase(&p, 2);
	assert_int_equal(p.phase, 2);
	assert_true(p.node == NULL && !p.invalid && p.zone == p.about);
	find("192.0.2.2", "phased", "{mx0}", TYPE_AAAA);
	place_in_phase(&p, 3);
	assert_non_null(node_set(p.node, TYPE_TXT));
	/* the parent has no phases */
	find("192.0.2.1", "phased", "{mx0}", TYPE_AAAA);
	place_in_phase(&p, 3);
	assert_ptr_equal(p.zone, s.zones->base);
	assert_non_null(p.cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_spelling),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_phases),
	};

	return cmocka_run_group_tests(tests, test_site_set_up, test_site_tear_down);
}
