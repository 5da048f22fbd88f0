/* Every placeholder, every error, and names read back. */
#include <ctype.h>

#include "provisioning/certs.h"
#include "provisioning/render.h"
#include "tests/unit/provisioning/fixture.h"

static struct fixture fixture;
static struct site *site, *bare; /* bare: one front address for two fronts, no IPv6 */
static const struct test *plain, *refusing, *two;
static struct token token;

static int
setup(void **state)
{
	struct fixture second;

	(void)state;
	fixture_new(&fixture);
	fixture_test(&fixture, "plain", 1, "", "", "");
	fixture_test(&fixture, "refusing", 2, "control plain", "", "require-tls");
	fixture_test(&fixture, "two", 3, "control plain", "[zone b]\nds none\n[dns b]\n", "");
	second = fixture;
	snprintf(second.dir, sizeof(second.dir), "%.120s/bare", fixture.root);
	site = fixture_site(&fixture,
	    "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.10,192.0.2.11", "2001:db8:53::/64",
	    NULL);
	bare = fixture_site(&second, "192.0.2.1", "", NULL);
	plain = catalogue_find(site->catalogue, "plain", 5);
	refusing = catalogue_find(site->catalogue, "refusing", 8);
	two = catalogue_find(site->catalogue, "two", 3);
	token_from_id(&token, UINT64_C(0x1234), &site->token_key);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	site_free(site);
	site_free(bare);
	fixture_free(&fixture);
	return 0;
}

static enum render_result
try(char dst[512], const struct site *s, const struct test *t, const char *text)
{
	char err[160] = "";
	enum render_result rc = render(dst, 512, text, s, t, 0, &token, err, sizeof(err));

	assert_int_equal(err[0] != '\0', rc == RENDER_ERROR);
	if (rc == RENDER_ERROR)
		snprintf(dst, 512, "%s", err);
	return rc;
}

static void
assert_rendered(const struct test *t, const char *text, const char *want)
{
	char got[512];

	assert_int_equal(try(got, site, t, text), RENDER_OK);
	assert_string_equal(got, want);
}

static void
test_names(void **state)
{
	char want[512];

	(void)state;
	assert_rendered(plain, "{t}", token.text);
	snprintf(want, sizeof(want), "%s.plain.probe.example.", token.text);
	assert_rendered(plain, "{d}", want);
	assert_rendered(plain, "{zone}", "plain.probe.example.");
	assert_rendered(plain, "ns.{zone}", "ns.plain.probe.example.");
	assert_rendered(plain, "{base}", "probe.example.");
	snprintf(want, sizeof(want), "_25._tcp.%s.mx31.plain.probe.example.", token.text);
	assert_rendered(plain, "_25._tcp.{mx31}", want);
	snprintf(want, sizeof(want),
	    "%s.two-b.probe.example. two-b.probe.example. %s.mx0.two-b.probe.example.", token.text,
	    token.text);
	assert_rendered(two, "{d:b} {zone:b} {mx0:b}", want);
	assert_rendered(plain, "", "");
	assert_rendered(plain, "no placeholder }", "no placeholder }");
}

static void
test_addresses(void **state)
{
	(void)state;
	assert_rendered(plain, "{ipv4:0}", "192.0.2.10");
	assert_rendered(refusing, "{ipv4:0}", "192.0.2.11");
	assert_rendered(plain, "{ipv4-refused}", "192.0.2.3");
	assert_rendered(plain, "{ipv4-silent}", "192.0.2.4");
	assert_rendered(plain, "{ipv6:0}", "2001:db8:53::1234:40");
	assert_rendered(plain, "{ipv6:31}", "2001:db8:53::1234:5f");
	assert_rendered(plain, "{ipv6-refused:0}", "2001:db8:53::1234:60");
	assert_rendered(plain, "{ipv6-silent:7}", "2001:db8:53::1234:7f");
	assert_rendered(plain, "{ns4} {ns6}", "192.0.2.2 2001:db8:53::40");
	assert_rendered(NULL, "{mail4}", "192.0.2.10");
	assert_rendered(NULL, "{ns4} {ns6} {zone} {base}",
	    "192.0.2.1 2001:db8:53:: probe.example. probe.example.");
}

/* One address after the first for each name server that must share none, as far as they go. */
static void
test_own_address(void **state)
{
	static const char *const want[] = { "192.0.2.2", "192.0.2.22", "192.0.2.21", NULL };
	struct fixture f;
	struct site *s;
	char got[512];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "shares", 1, "", "", "");
	fixture_test(&f, "second", 3, "control shares", "[zone]\naddress own\n", "");
	fixture_test(&f, "first", 2, "control shares", "[zone]\naddress own\n", "");
	fixture_test(&f, "third", 4, "control shares", "[zone]\naddress own\n", "");
	s = fixture_site(
	    &f, "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4,192.0.2.10", "2001:db8:53::/64", NULL);
	s->conf.ipv4_child.item[s->conf.ipv4_child.n++] = strdup("192.0.2.21");
	s->conf.ipv4_child.item[s->conf.ipv4_child.n++] = strdup("192.0.2.22");
	for (unsigned i = 0; i < 4; i++) {
		const char *name = (const char *[]){ "shares", "second", "first", "third" }[i];
		const struct test *t = catalogue_find(s->catalogue, name, strlen(name));

		assert_int_equal(
		    try(got, s, t, "{ns4}"), want[i] != NULL ? RENDER_OK : RENDER_NO_ADDRESS);
		if (want[i] != NULL)
			assert_string_equal(got, want[i]);
		assert_int_equal(try(got, s, t, "{ns6}"), RENDER_OK);
	}
	site_free(s);
	fixture_free(&f);
}

/* ipv4-policy: where policies are served; without it at the first address of the tests' name server. */
static void
test_policy_address(void **state)
{
	struct conf_list *policy = &site->conf.ipv4_policy, child = site->conf.ipv4_child;
	char got[512];

	(void)state;
	assert_rendered(plain, "{policy4}", "192.0.2.2");
	policy->item[policy->n++] = "192.0.2.31";
	assert_rendered(plain, "{policy4}", "192.0.2.31");
	site->conf.ipv4_child.n = 0;
	assert_rendered(plain, "{policy4}", "192.0.2.31");
	policy->n = 0;
	assert_int_equal(try(got, site, plain, "{policy4}"), RENDER_NO_ADDRESS);
	site->conf.ipv4_child = child;
}

/* mail-spf: its terms as they stand, up to the longest that the configuration takes. */
static void
test_mail_spf(void **state)
{
	char *spf = site->conf.mail_spf, want[512];
	size_t longest = sizeof site->conf.mail_spf - 1;

	(void)state;
	assert_rendered(plain, "{spf}", "ip4:192.0.2.1 ip6:2001:db8:53::");
	strcpy(spf, "include:spf.host.example");
	assert_rendered(plain, "v=spf1 {spf} -all", "v=spf1 include:spf.host.example -all");
	memset(spf, 'a', longest);
	spf[longest] = '\0';
	snprintf(want, sizeof want, "%s ~all", spf);
	assert_in_range(strlen(want), 1, 255); /* a string of a TXT record */
	assert_rendered(plain, "{spf} ~all", want);
	*spf = '\0';
}

static void
test_no_address(void **state)
{
	static const char *const none[] = { "{ipv6:0}", "{ipv6-refused:0}", "{ipv6-silent:0}",
		"{ns6}", "{ipv4-refused}", "{ipv4-silent}", "x {ns6} y" };
	const struct test *t = catalogue_find(bare->catalogue, "refusing", 8);
	char got[512];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(try(got, bare, t, none[i]), RENDER_NO_ADDRESS);
	assert_int_equal(
	    try(got, bare, t, "{ipv4:0}"), RENDER_NO_ADDRESS); /* plain has the only address */
	assert_int_equal(
	    try(got, bare, catalogue_find(bare->catalogue, "plain", 5), "{ipv4:0}"), RENDER_OK);
	assert_string_equal(got, "192.0.2.1");
	assert_int_equal(try(got, bare, t, "{ns4}"), RENDER_OK);
}

static void
test_digests(void **state)
{
	char cert[512], key[512], err[200], got[512], wrong[512], want[65];
	uint8_t spki[32], spki512[64], whole[32];
	X509 *x;

	(void)state;
	site_cert_path(cert, key, site, plain, 0);
	x = certs_load(cert, err, sizeof(err));
	assert_non_null(x);
	assert_int_equal(certs_digests(spki, spki512, whole, x), 0);
	X509_free(x);
	for (unsigned i = 0; i < 32; i++)
		snprintf(want + 2 * i, 3, "%02x", spki[i]);
	assert_rendered(plain, "{spki:0}", want);
	assert_int_equal(try(wrong, site, plain, "{spki-wrong:0}"), RENDER_OK);
	assert_int_equal(strlen(wrong), 64);
	assert_string_not_equal(wrong, want);
	assert_int_equal(try(got, site, plain, "{spki-wrong:0}"), RENDER_OK);
	assert_string_equal(got, wrong); /* it never changes */
	for (unsigned i = 0; i < 32; i++)
		snprintf(want + 2 * i, 3, "%02x", whole[i]);
	assert_rendered(plain, "{cert:0}", want);
	assert_int_equal(try(got, site, plain, "{spki512:0}"), RENDER_OK);
	assert_int_equal(strlen(got), 128);
	assert_int_equal(try(wrong, site, plain, "{spki512-wrong:0}"), RENDER_OK);
	assert_int_equal(strlen(wrong), 128);
	assert_string_not_equal(wrong, got);
	assert_int_equal(try(got, site, plain, "{ca-spki}"), RENDER_OK);
	assert_int_equal(try(wrong, site, plain, "{other-ca-spki}"), RENDER_OK);
	assert_int_equal(strlen(got), 64);
	assert_string_not_equal(got, wrong);
}

/* Hosts that handshake alike share the key, so that a TLSA record is right without SNI too. */
static void
test_shared_key(void **state)
{
	char a[512], b[512];

	(void)state;
	assert_int_equal(try(a, site, plain, "{spki:0}"), RENDER_OK);
	assert_int_equal(try(b, site, two, "{spki:0}"), RENDER_OK);
	assert_string_equal(a, b);
	assert_int_equal(try(b, site, refusing, "{spki:0}"), RENDER_OK);
	assert_string_not_equal(a, b);
}

static void
test_errors(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "{nothing}", "{nothing}: no such placeholder" },
		{ "{d", "} is missing" },
		{ "{}", "no such placeholder" },
		{ "{mx}", "no such placeholder" },
		{ "{mx32}", "no such placeholder" },
		{ "{mx00}", "no such placeholder" },
		{ "{mx1x}", "no such placeholder" },
		{ "{ipv4}", "no such placeholder" },
		{ "{ipv4:}", "no such placeholder" },
		{ "{ipv4:x}", "no such placeholder" },
		{ "{ipv6:32}", "no such placeholder" },
		{ "{t:b}", "no such placeholder" },
		{ "{zone:c}", "no such placeholder" },
		{ "{ipv4:1}", "no such [host]" },
		{ "{spki:1}", "no such [host]" },
		{ "{spki-wrong:9}", "no such [host]" },
		{ "{ipv6-refused:24}", "have no address" },
		{ "{ipv6-silent:8}", "have no address" },
		{ "{zone:b}", "no second zone" },
	};
	char got[512], err[160];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(try(got, site, plain, bad[i].text), RENDER_ERROR);
		assert_non_null(strstr(got, bad[i].why));
	}
	assert_int_equal(
	    render(got, sizeof(got), "{d}", site, plain, 0, NULL, err, sizeof(err)), RENDER_ERROR);
	assert_non_null(strstr(err, "no token"));
	assert_int_equal(
	    render(got, sizeof(got), "{d}", site, NULL, 0, &token, err, sizeof(err)), RENDER_ERROR);
	assert_non_null(strstr(err, "no test"));
	assert_int_equal(
	    render(got, 8, "{zone}", site, plain, 0, &token, err, sizeof(err)), RENDER_ERROR);
	assert_int_equal(
	    render(got, 4, "abcd", site, plain, 0, &token, err, sizeof(err)), RENDER_ERROR);
	assert_int_equal(
	    render(got, 5, "abcd", site, plain, 0, &token, err, sizeof(err)), RENDER_OK);
}

static void
test_domain(void **state)
{
	char got[256], want[256];

	(void)state;
	render_domain(got, sizeof(got), site, plain, &token);
	snprintf(want, sizeof(want), "%s.plain.probe.example", token.text);
	assert_string_equal(got, want);
}

static void
test_split(void **state)
{
	char name[256];
	struct name_parts p;

	(void)state;
	snprintf(name, sizeof(name), "%s.MX7.Plain.PROBE.example", token.text);
	for (char *c = name; *c != '\0'; c += 2)
		*c = (char)toupper((unsigned char)*c);
	assert_true(name_split(&p, name, strlen(name), site));
	assert_ptr_equal(p.test, plain);
	assert_true(p.token.id == token.id);
	assert_int_equal(p.host, 7);
	assert_int_equal(p.zone, 0);

	snprintf(name, sizeof(name), "_mta-sts.%s.two-b.probe.example", token.text);
	assert_true(name_split(&p, name, strlen(name), site));
	assert_ptr_equal(p.test, two);
	assert_int_equal(p.zone, 1);
	assert_int_equal(p.host, -1);
	assert_true(p.token.id == token.id);

	snprintf(name, sizeof(name), "x.%s.to.plain.probe.example", token.text);
	assert_true(name_split(&p, name, strlen(name), site));
	assert_int_equal(p.host, -1);
	assert_true(p.token.id == token.id);
	snprintf(name, sizeof(name), "%s.a.b.plain.probe.example", token.text);
	assert_true(name_split(&p, name, strlen(name), site));
	assert_true(p.token.id == 0);
}

static void
test_split_without_token(void **state)
{
	static const char *const names[] = { "plain.probe.example", "ns.plain.probe.example",
		"mx0.plain.probe.example", "aaaaaaaaaaaaaaaa.plain.probe.example",
		"mx32.plain.probe.example", "x.mx0.plain.probe.example", ".plain.probe.example" };
	static const char *const outside[] = { "", ".", "probe.example", "example",
		"unknown.probe.example", "plain.probe.examplf", "plainprobe.example",
		"plain-b.probe.example", "-b.probe.example", ".probe.example",
		"plain.probe.example." };
	struct name_parts p;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_true(name_split(&p, names[i], strlen(names[i]), site));
		assert_ptr_equal(p.test, plain);
		assert_true(p.token.id == 0);
	}
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		assert_false(name_split(&p, outside[i], strlen(outside[i]), site));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_policy_address),
		cmocka_unit_test(test_mail_spf),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_shared_key),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_without_token),
	};

	return cmocka_run_group_tests_name("render", tests, setup, teardown);
}
