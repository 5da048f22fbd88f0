/* Fronts: what makes two hosts alike, who gets an address, and that nobody loses one. */
#include "lib/strbuf.h"
#include "provisioning/certs.h"
#include "provisioning/front.h"
#include "tests/unit/provisioning/fixture.h"

#define FOUR "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4"

static const struct front *
front_of_test(const struct site *site, const char *name)
{
	const struct test *t = catalogue_find(site->catalogue, name, strlen(name));

	assert_non_null(t);
	assert_non_null(site->front_of[t->number][0]);
	return site->front_of[t->number][0];
}

static void
test_key(void **state)
{
	struct host_rule before = {
		.at = AT_BANNER, .action = DO_REPLY, .code = 421, .text = "no"
	};
	struct host_rule after = { .at = AT_RCPT, .action = DO_REPLY, .code = 450, .text = "no" };
	struct host plain = { .used = true, .tls_min = 0x0303, .tls_max = 0x0304 }, h;
	char a[65], b[65];

	(void)state;
	front_key(a, &plain, 0, NULL);
	assert_int_equal(strlen(a), 64);
	h = plain;
	h.rules = &after;
	h.n_rules = 1;
	h.line = 77;
	front_key(b, &h, 0, NULL);
	assert_string_equal(a, b); /* what comes at RCPT is bound by then */
	front_key(b, &plain, 1, NULL);
	assert_string_not_equal(a, b);
	h.rules = &before;
	front_key(b, &h, 0, NULL);
	assert_string_not_equal(a, b);

	struct host differs[] = { plain, plain, plain, plain, plain, plain, plain, plain, plain,
		plain };

	differs[0].greet = "hello";
	differs[1].ehlo = "SIZE";
	differs[2].starttls = STARTTLS_OFF;
	differs[3].require_tls = true;
	differs[4].tls_max = 0x0303;
	differs[5].ciphers = "AES128-SHA";
	differs[6].groups = "X25519";
	differs[7].client_cert = true;
	differs[8].cert = CERT_EXPIRED;
	differs[9].sni_only = true;
	for (size_t i = 0; i < sizeof(differs) / sizeof(*differs); i++) {
		front_key(b, &differs[i], 0, NULL);
		assert_string_not_equal(a, b);
	}
}

static void
digest_of(uint8_t spki[32], uint8_t whole[32], const char *path)
{
	char err[512];
	X509 *cert = certs_load(path, err, sizeof(err));

	assert_non_null(cert);
	assert_int_equal(certs_digests(spki, NULL, whole, cert), 0);
	X509_free(cert);
}

/* A test whose DNS names its certificate has a front for itself, and that certificate is the default. */
static void
test_alone(void **state)
{
	struct fixture f;
	struct site *site;
	const struct front *front;
	char cert[512], key[512];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	fixture_test(&f, "whole", 2, "", "_25._tcp.{mx0} 60 TLSA 3 0 1 {cert:0}", "");
	site = fixture_site(&f, FOUR ",192.0.2.10,192.0.2.11", "", NULL);
	front = front_of_test(site, "whole");
	assert_ptr_not_equal(front, front_of_test(site, "plain"));
	assert_int_equal(front->n_tests, 1);
	site_cert_path(cert, key, site, front->tests[0], 0);
	assert_string_equal(front->cert, cert);
	assert_string_equal(front->defaultkey, front->certkey);
	site_cert_path(cert, key, site, front_of_test(site, "plain")->tests[0], 0);
	assert_string_not_equal(front_of_test(site, "plain")->cert, cert);
	site_free(site);
	fixture_free(&f);
}

/* The default certificate of such a front has a key that no TLSA record names. */
static void
test_sni_only(void **state)
{
	struct fixture f;
	struct site *site;
	const struct front *front;
	char cert[512], key[512];
	uint8_t right[32], shown[32], whole[32];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	fixture_test(&f, "named", 2, "", "_25._tcp.{mx0} 60 TLSA 3 1 1 {spki:0}", "sni-only");
	site = fixture_site(&f, FOUR ",192.0.2.10,192.0.2.11", "", NULL);
	front = front_of_test(site, "named");
	assert_ptr_not_equal(front, front_of_test(site, "plain"));
	assert_string_not_equal(front->defaultkey, front->certkey);
	site_cert_path(cert, key, site, front->tests[0], 0);
	digest_of(right, whole, cert);
	digest_of(shown, whole, front->cert);
	assert_memory_not_equal(right, shown, sizeof(right));
	assert_memory_equal(right, site->digests_of[2][0].spki, sizeof(right));
	site_free(site);
	fixture_free(&f);
}

/* A test that comes later gets a free address or a front that is there, and nothing else moves. */
static void
test_stable(void **state)
{
	struct fixture f;
	struct site *site;
	struct prepared made;
	char plain[64], tls[64], err[512], cert[512], key[512], later[512];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 10, "", "", "");
	fixture_test(&f, "tls", 20, "", "", "require-tls");
	site_free(fixture_site(&f, FOUR ",192.0.2.10,192.0.2.11,192.0.2.12", "", &made));
	assert_int_equal(made.fronts, 2);

	site = site_load(f.dir, err, sizeof(err));
	assert_non_null(site);
	snprintf(plain, sizeof(plain), "%s", front_of_test(site, "plain")->address);
	snprintf(tls, sizeof(tls), "%s", front_of_test(site, "tls")->address);
	site_cert_path(cert, key, site, catalogue_find(site->catalogue, "plain", 5), 0);
	site_free(site);
	assert_string_equal(plain, "192.0.2.10");
	assert_string_equal(tls, "192.0.2.11");

	fixture_test(&f, "first", 1, "", "", "greet \"before all others\"");
	fixture_test(&f, "alike", 2, "", "", "");
	assert_null(site_load(f.dir, err, sizeof(err)));
	assert_non_null(strstr(err, "run outpost init"));
	assert_int_equal(site_prepare(&made, f.dir, err, sizeof(err)), 0);
	assert_int_equal(made.fronts, 1);
	assert_int_equal(made.keys, 1);
	site = site_load(f.dir, err, sizeof(err));
	assert_non_null(site);
	assert_string_equal(front_of_test(site, "plain")->address, plain);
	assert_string_equal(front_of_test(site, "alike")->address, plain);
	assert_string_equal(front_of_test(site, "tls")->address, tls);
	assert_string_equal(front_of_test(site, "first")->address, "192.0.2.12");
	site_cert_path(later, key, site, catalogue_find(site->catalogue, "plain", 5), 0);
	assert_string_equal(later, cert);
	assert_int_equal(front_of_test(site, "plain")->n_tests, 2);
	site_free(site);
	fixture_free(&f);
}

/* With too few addresses the quick tests choose first; others have none until one is free. */
static void
test_scarce(void **state)
{
	struct fixture f;
	struct site *site;
	struct prepared made;
	char path[300], err[512];

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "late", 1, "", "", "");
	fixture_test(&f, "early", 2, "sets quick standard", "", "require-tls");
	site = fixture_site(&f, "192.0.2.1", "", NULL);
	assert_string_equal(front_of_test(site, "early")->address, "192.0.2.1");
	assert_string_equal(front_of_test(site, "late")->address, "");
	assert_true(front_reachable4(site, catalogue_find(site->catalogue, "early", 5)));
	assert_false(front_reachable4(site, catalogue_find(site->catalogue, "late", 4)));
	site_free(site);

	snprintf(path, sizeof(path), "%s/early.test", f.catalogue);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(site_prepare(&made, f.dir, err, sizeof(err)), 0);
	assert_int_equal(made.fronts, 1);
	site = site_load(f.dir, err, sizeof(err));
	assert_non_null(site);
	assert_string_equal(front_of_test(site, "late")->address, "192.0.2.1");
	site_free(site);
	fixture_free(&f);
}

/* A journal that names other addresses, or says nonsense, gives nothing away. */
static void
test_journal(void **state)
{
	struct fixture f;
	struct site *site;
	char path[512], err[512];
	FILE *file;

	(void)state;
	fixture_new(&f);
	fixture_test(&f, "plain", 1, "", "", "");
	site = fixture_site(&f, "192.0.2.1", "", NULL);
	site_path(path, site, "state", "fronts.jsonl");
	file = fopen(path, "a");
	assert_non_null(file);
	fprintf(file,
	    "{\"front\":\"%s\",\"address\":\"192.0.2.99\"}\n{\"front\":\"ff\",\"address\":7}"
	    "\nnonsense\n",
	    front_of_test(site, "plain")->key);
	assert_int_equal(fclose(file), 0);
	site_free(site);
	site = site_load(f.dir, err, sizeof(err));
	assert_non_null(site);
	assert_string_equal(front_of_test(site, "plain")->address, "192.0.2.1");
	site_free(site);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_sni_only),
		cmocka_unit_test(test_stable),
		cmocka_unit_test(test_scarce),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests_name("front", tests, NULL, NULL);
}
