/* What strangers do decides nothing: each of these would be a wrong verdict if it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free

#include "results/judge.h"
#include "results/kin.h"
#include "results/mime.h"
#include "tests/unit/results/events.h"

#define HOUR     3600.0
#define OWN      "198.51.100.25"
#define RESOLVER "198.51.100.53"
#define STRANGER "203.0.113.99"
#define ASKER    "203.0.113.53"

static struct catalogue *cat;
static struct observations obs;

static int
setup(void **state)
{
	char err[512];

	(void)state;
	cat = catalogue_load("zones/catalogue", err, sizeof err);
	return cat == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	catalogue_free(cat);
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	observations_clear(&obs);
	return 0;
}

static void
ask(double t, const char *test, const char *type, const char *at, const char *peer)
{
	event_at(&obs, t, "dns.query",
	    "\"test\":\"%s\",\"qtype\":\"%s\",\"at\":\"%s\",\"rcode\":\"NOERROR\",\"peer\":\"%s\"",
	    test, type, at, peer);
}

static void
session(double t, const char *test, const char *peer, const char *ehlo)
{
	event_at(&obs, t, "smtp.connect",
	    "\"test\":\"%s\",\"conn\":\"%s-%g\",\"host\":0,\"peer\":\"%s\",\"port\":4000,\"local\":"
	    "\"2001:db8::1\"",
	    test, test, t, peer);
	if (*ehlo != '\0')
		event_at(&obs, t + 0.1, "smtp.command",
		    "\"test\":\"%s\",\"conn\":\"%s-%g\",\"verb\":\"EHLO\",\"arg\":\"%s\",\"reply\":"
		    "250",
		    test, test, t, ehlo);
}

static void
mail(double t, const char *test, const char *peer, const char *ehlo, const char *id)
{
	session(t, test, peer, ehlo);
	event_at(&obs, t + 1, "smtp.message",
	    "\"test\":\"%s\",\"conn\":\"%s-%g\",\"reply\":250,\"tls\":true,\"msgid\":\"%s\"", test,
	    test, t, id);
	event_at(&obs, t + 2, "smtp.close",
	    "\"test\":\"%s\",\"conn\":\"%s-%g\",\"stage\":\"accepted\",\"how\":\"quit\"", test,
	    test, t);
}

/* Asks and delivers, each message on its own. */
static void
deliver(double t, const char *test, const char *peer)
{
	char id[64];

	snprintf(id, sizeof id, "<%s-%g@sender.example>", test, t);
	ask(t - 2, test, "MX", "{d}", RESOLVER);
	ask(t - 1, test, "A", "{mx0}", RESOLVER);
	mail(t, test, peer, "mail.sender.example", id);
}

static void
delivered_most(void)
{
	static const char *const tests[] = { "dual", "ipv4", "mx-implicit", "tls-required",
		"dane-ee", "greylist" };

	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		deliver(10 * (double)i, tests[i], OWN);
}

static void
expect(const char *test, double now, enum grade grade, const char *begins)
{
	struct verdict v;

	observations_sort(&obs);
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	struct judge j = { .c = c, .now = EVENTS_START + (int64_t)(now * 1e6), .pace = 1 };
	judge_test(&v, &j, catalogue_find(cat, test, strlen(test)));
	correlation_free(c);
	if (v.grade != grade || strncmp(v.reason, begins, strlen(begins)) != 0)
		fail_msg("%s: %s: %s", test, grade_name(v.grade), v.reason);
}

/* Its resolver validates: dnssec-bogus was asked for, and not delivered. */
static void
validates(void)
{
	ask(65, "dnssec-bogus", "MX", "{d}", RESOLVER);
}

static void
asked_for_tlsa(void **state)
{
	(void)state;
	delivered_most();
	validates();
	deliver(100, "dane-ee-mismatch", OWN);
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INFORMATIONAL, "delivered without asking");
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", ASKER);
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, ASKER " took part");
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
}

/* A farm: the address that asked for the TLSA record is new, its network is not. */
static void
farm(void **state)
{
	(void)state;
	delivered_most();
	validates();
	deliver(100, "dane-ee-mismatch", OWN);
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", "198.51.100.77");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
}

static void
mailed(void **state)
{
	(void)state;
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "MX", "{d}", RESOLVER);
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_CONFORMS, "refused");
	mail(300, "dane-ee-mismatch", STRANGER, "evil.example.net", "<a@evil.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, STRANGER " took part");
}

/* Another machine of the participant: by its name, or by the message. */
static void
pool(void **state)
{
	(void)state;
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", "192.0.2.7", "out7.sender.example", "<7@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
	observations_clear(&obs);
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", "192.0.2.7", "relay.example.net", "<dual-0@sender.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
}

/* The same in another region, by its name alone; and who has a name below the same public suffix is somebody else. */
static void
registered(void **state)
{
	static const char *const tests[] = { "dual", "ipv4", "mx-implicit", "tls-required",
		"dane-ee", "greylist" };
	char id[64];

	(void)state;
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", "192.0.2.7", "out7.EU.sender.example", "<7@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
	observations_clear(&obs);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
		snprintf(id, sizeof id, "<%zu@sender.co.uk>", i);
		ask(10 * (double)i - 2, tests[i], "MX", "{d}", RESOLVER);
		ask(10 * (double)i - 1, tests[i], "A", "{mx0}", RESOLVER);
		mail(10 * (double)i, tests[i], OWN, "sender.co.uk", id);
	}
	validates();
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", STRANGER, "evil.co.uk", "<7@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, STRANGER " took part");
	mail(110, "dane-ee-mismatch", STRANGER, "..\\u00e9.co.uk", "<8@x.example>");
	mail(120, "dane-ee-mismatch", STRANGER, ".", "<9@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, STRANGER " took part");
}

static void
connected(void **state)
{
	(void)state;
	delivered_most();
	ask(65, "mx-null", "MX", "{d}", RESOLVER);
	expect("mx-null", 9 * HOUR, GRADE_CONFORMS, "asked");
	event_at(&obs, 70, "net.syn",
	    "\"test\":\"mx-null\",\"host\":0,\"state\":\"serves\",\"peer\":\"" STRANGER
	    "\",\"port\":4000,\"local\":\"2001:db8::1\"");
	session(70.01, "mx-null", STRANGER, "");
	expect("mx-null", 9 * HOUR, GRADE_INCONCLUSIVE, STRANGER " took part");
	session(80, "mx-null", OWN, "mail.sender.example");
	expect("mx-null", 9 * HOUR, GRADE_VIOLATES, "connected");
}

/* Who looks everything up while the participant delivers, and what never was mailed. */
static void
scanned(void **state)
{
	(void)state;
	delivered_most();
	ask(41, "tls12", "MX", "{d}", ASKER);
	ask(42, "tls12", "A", "{mx0}", ASKER);
	expect("tls12", 9 * HOUR, GRADE_INCONCLUSIVE, ASKER " took part");
	ask(43, "tls12", "MX", "{d}", RESOLVER);
	expect("tls12", 9 * HOUR, GRADE_VIOLATES, "not delivered");
}

/* A trait that a stranger's lookups would give. */
static void
trait(void **state)
{
	(void)state;
	delivered_most();
	deliver(100, "dane-ee-mismatch", OWN);
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	ask(65, "dnssec-bogus", "MX", "{d}", ASKER);
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "somebody took part");
}

static void
fetched(void **state)
{
	(void)state;
	delivered_most();
	deliver(60, "sts-enforce", OWN);
	deliver(1000, "sts-mx-mismatch", OWN);
	event_at(&obs, 1001, "smtp.close",
	    "\"test\":\"sts-mx-mismatch\",\"conn\":\"sts-mx-mismatch-1000\",\"phase\":3");
	event_at(&obs, 990, "http.request",
	    "\"test\":\"sts-mx-mismatch\",\"at\":\"mta-sts.{d}\",\"reply\":200,"
	    "\"what\":\"GET /.well-known/mta-sts.txt HTTP/1.1\",\"peer\":\"" STRANGER "\"");
	for (size_t i = 0; i < 2; i++) {
		observations_sort(&obs);
		struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
		const struct test *t = catalogue_find(cat, "sts-mx-mismatch", 15);
		const struct facts *f = correlation_facts(c->own == NULL ? c : c->own, t);
		assert_int_equal(correlation_facts(c, t)->n_fetches, 1);
		assert_int_equal(f->n_fetches, i); /* the fetcher's own resolver asks, then ours */
		correlation_free(c);
		ask(989, "sts-mx-mismatch", "TXT", "_mta-sts.{d}", i == 0 ? RESOLVER : ASKER);
	}
}

/* A bounce that anybody can write does not end the waiting. */
static void
bounced(void **state)
{
	static const char text[] =
	    "From: <>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
	    "report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nno\r\n--b\r\n"
	    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
	    "Final-Recipient: rfc822; probe@" EVENTS_TOKEN
	    ".tls12.outpost.example\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n--b--\r\n";
	char data[2 * sizeof text];

	(void)state;
	delivered_most();
	ask(65, "tls12", "MX", "{d}", RESOLVER);
	expect("tls12", HOUR, GRADE_PENDING, "waiting");
	mime_base64_put(data, text, sizeof text - 1);
	event_at(&obs, 80, "smtp.dsn",
	    "\"test\":\"dual\",\"conn\":\"d\",\"peer\":\"" STRANGER
	    "\",\"mailbox\":\"dsn\",\"data\":\"%s\"",
	    data);
	expect("tls12", HOUR, GRADE_PENDING, "waiting");
	event_at(&obs, 90, "smtp.dsn",
	    "\"test\":\"dual\",\"conn\":\"e\",\"peer\":\"" OWN
	    "\",\"mailbox\":\"dsn\",\"data\":\"%s\"",
	    data);
	expect("tls12", HOUR, GRADE_VIOLATES, "not delivered");
}

/* Without a group that stands out nobody is a stranger. */
static void
nobody_stands_out(void **state)
{
	(void)state;
	mail(0, "dual", OWN, "mail.sender.example", "<1@a.example>");
	mail(10, "dual", STRANGER, "evil.example.net", "<2@b.example>");
	observations_sort(&obs);
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	assert_null(c->own);
	correlation_free(c);
	mail(20, "ipv4", OWN, "mail.sender.example", "<3@a.example>");
	observations_sort(&obs);
	c = correlate(&obs, cat, EVENTS_TOKEN);
	assert_non_null(c->own);
	assert_int_equal(correlation_facts(c, cat->tests[0])->accepted, 2);
	assert_int_equal(correlation_facts(c->own, cat->tests[0])->accepted, 1);
	correlation_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asked_for_tlsa, NULL, clean),
		cmocka_unit_test_setup_teardown(farm, NULL, clean),
		cmocka_unit_test_setup_teardown(mailed, NULL, clean),
		cmocka_unit_test_setup_teardown(pool, NULL, clean),
		cmocka_unit_test_setup_teardown(registered, NULL, clean),
		cmocka_unit_test_setup_teardown(connected, NULL, clean),
		cmocka_unit_test_setup_teardown(scanned, NULL, clean),
		cmocka_unit_test_setup_teardown(trait, NULL, clean),
		cmocka_unit_test_setup_teardown(fetched, NULL, clean),
		cmocka_unit_test_setup_teardown(bounced, NULL, clean),
		cmocka_unit_test_setup_teardown(nobody_stands_out, NULL, clean),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
