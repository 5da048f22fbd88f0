/* The pool with our own CA in place of a public one: names, requests, what is accepted, who gets which slot, who
 * is shown what. */
#include "tests/unit/provisioning/fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/clock.h"
#include "provisioning/certs.h"
#include "provisioning/enrol.h"
#include "provisioning/keys.h"
#include "provisioning/slots.h"

#define DAY (86400 * CLOCK_SECOND)

static struct fixture f;
static struct site *site;
static int64_t now;

static void
policy_test(const char *name, unsigned number, const char *more)
{
	char policy[200];

	snprintf(policy, sizeof policy, "[policy]\nmode enforce\nmx {mx0}\n%s", more);
	fixture_test(&f, name, number, "sets standard\ncontrol dual",
	    "mta-sts.{d} 60 A {policy4}\nmta-sts.{d} 60 AAAA {policy6}\n"
	    "_mta-sts.{d} 60 TXT \"v=STSv1; id=1\"",
	    policy);
}

static int
setup(void **state)
{
	(void)state;
	now = clock_now();
	fixture_new(&f);
	fixture_test(&f, "dual", 1, "sets quick standard", "", "");
	policy_test("good", 2, "");
	policy_test("late", 3, "slow 20s");
	policy_test("bad", 4, "cert untrusted");
	site = fixture_site(
	    &f, "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4", "2001:db8:53::/64", NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	site_free(site);
	fixture_free(&f);
	return 0;
}

/* Signs the request for these days, as a CA would; the names from the request itself. */
static void
sign(const char *csr, const char *chain, int days, const char *only)
{
	FILE *in = fopen(csr, "r");
	X509_REQ *req = in != NULL ? PEM_read_X509_REQ(in, NULL, NULL, NULL) : NULL;
	EVP_PKEY *ca = keys_generate(13);
	X509 *cert = X509_new();
	STACK_OF(X509_EXTENSION) * exts;

	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
	exts = X509_REQ_get_extensions(req);
	assert_int_equal(sk_X509_EXTENSION_num(exts), 1);
	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), days * 86400L);
	X509_set_pubkey(cert, X509_REQ_get0_pubkey(req));
	if (only != NULL) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, only);
		X509_add_ext(cert, e, -1);
		X509_EXTENSION_free(e);
	} else {
		X509_add_ext(cert, sk_X509_EXTENSION_value(exts, 0), -1);
	}
	assert_true(X509_sign(cert, ca, EVP_sha256()) > 0);
	assert_int_equal(certs_save(chain, cert, NULL), 0);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_free(cert);
	X509_REQ_free(req);
	EVP_PKEY_free(ca);
	fclose(in);
}

static void
names(void **state)
{
	struct token token;
	char **all, want[100];
	size_t n;

	(void)state;
	token_from_id(&token, 12345, &site->token_key);
	n = slots_names(&all, site, &token, "standard");
	assert_int_equal(n, 2); /* neither dual, nor the one whose certificate is to be bad */
	snprintf(want, sizeof want, "mta-sts.%s.good.probe.example", token.text);
	assert_string_equal(all[0], want);
	snprintf(want, sizeof want, "mta-sts.%s.late.probe.example", token.text);
	assert_string_equal(all[1], want);
	slots_names_free(all, n);
	n = slots_names(&all, site, &token, "quick");
	assert_int_equal(n, 0);
	slots_names_free(all, n);
	n = slots_names(&all, site, &token, "quick,good");
	assert_int_equal(n, 1);
	slots_names_free(all, n);
}

static void
refused(void **state)
{
	struct slot slot;
	char csr[512], chain[512];
	struct token token;

	(void)state;
	assert_int_equal(slots_request(&slot, csr, chain, site, "quick"), -1); /* no policy host */
	assert_int_equal(slots_request(&slot, csr, chain, site, "standard"), 0);
	assert_int_equal(slots_accept(&slot, site, now), -1); /* nothing came */
	sign(csr, chain, 29, NULL);
	assert_int_equal(slots_accept(&slot, site, now), -1); /* ends too soon */
	unlink(chain);
	sign(csr, chain, 90, "DNS:*.good.probe.example");
	assert_int_equal(slots_accept(&slot, site, now), -1); /* not the names */
	slots_remove(site, &slot.token);
	assert_int_not_equal(access(csr, F_OK), 0);
	assert_int_not_equal(access(chain, F_OK), 0);
	assert_int_equal(slots_take(&token, site, "standard", now), 0);
}

static struct token
ready_slot(int days)
{
	struct slot slot;
	char csr[512], chain[512];

	assert_int_equal(slots_request(&slot, csr, chain, site, "standard"), 0);
	sign(csr, chain, days, NULL);
	assert_int_equal(slots_accept(&slot, site, now), 0);
	assert_int_not_equal(access(csr, F_OK), 0);
	assert_true(slot.until_us > now + (days - 1) * DAY);
	return slot.token;
}

/* Shown to who names a policy host of the slot, and to nobody else. */
static void
serves(const struct slots *p, const char *name, bool want)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl = SSL_new(ctx);

	assert_int_equal(slots_use(p, ssl, name), want);
	assert_int_equal(SSL_get_certificate(ssl) != NULL, want);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void
slots(void **state)
{
	struct token one = ready_slot(90), two = ready_slot(60);
	struct enrolment e;
	struct token next;
	struct slots *p;
	char name[200];

	(void)state;
	/* the first that nobody has, of this set, while it is good for a month */
	assert_int_equal(slots_take(&next, site, "good", now), 0);
	assert_int_equal(slots_take(&next, site, "standard", now + 61 * DAY), 0);
	assert_int_equal(enrol_new(&e, site, "quick", NULL, now), 0);
	assert_string_not_equal(e.token.text, one.text);
	assert_int_equal(enrol_new(&e, site, "standard", NULL, now), 0);
	assert_string_equal(e.token.text, one.text);
	assert_int_equal(slots_take(&next, site, "standard", now + 31 * DAY), 0);
	assert_int_equal(enrol_new(&e, site, "standard", NULL, now), 0);
	assert_string_equal(e.token.text, two.text);
	assert_int_equal(enrol_new(&e, site, "standard", NULL, now), 0);
	assert_string_not_equal(e.token.text, two.text);
	/* a participant who is forgotten gives nothing back */
	snprintf(name, sizeof name, "%s/state/enrol.jsonl", f.dir);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(slots_take(&next, site, "standard", now), 0);

	p = slots_load(site, now);
	assert_non_null(p);
	assert_int_equal(slots_size(p), 2);
	snprintf(name, sizeof name, "mta-sts.%s.good.probe.example", one.text);
	serves(p, name, true);
	for (char *c = name; *c != '\0'; c++) /* names are case-blind */
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
	serves(p, name, true);
	snprintf(name, sizeof name, "mta-sts.%s.bad.probe.example", one.text);
	serves(p, name, false);
	snprintf(name, sizeof name, "mta-sts.%s.good.probe.example", e.token.text);
	serves(p, name, false);
	serves(p, "mta-sts.probe.example", false);
	serves(p, "", false);
	serves(p, ".", false);
	slots_free(p);
	p = slots_load(site, now + 61 * DAY); /* one of them has ended */
	assert_int_equal(slots_size(p), 1);
	slots_free(p);
	slots_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(refused),
		cmocka_unit_test(slots),
	};

	return cmocka_run_group_tests_name("slots", tests, setup, teardown);
}
