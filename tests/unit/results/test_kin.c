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

/* What the verifier found of a message from there; ' stands for ". */
static void
found(double t, const char *test, const char *peer, const char *from, const char *results)
{
	char quoted[1024];
	size_t n = 0;

	for (; *results != '\0' && n + 3 < sizeof quoted; results++) {
		if (*results == '\'')
			quoted[n++] = '\\';
		quoted[n++] = *results == '\'' ? '"' : *results;
	}
	quoted[n] = '\0';
	event_at(&obs, t, "verify.result",
	    "\"test\":\"%s\",\"conn\":\"none\",\"peer\":\"%s\",\"from\":\"%s\","
	    "\"results\":\"%s\"",
	    test, peer, from, quoted);
}

#define LEADS_BACK(name)                                                                           \
	"{'helo':'" name "','fcrdns':{'name':[{'name':'" name "','confirmed':true}]}}"
#define FORGED(name)                                                                               \
	"{'helo':'" name "','fcrdns':{'name':[{'name':'" name "'}]},'ehlo':{'resolves':true}}"

/* Delivers in spite of the wrong key, from somewhere else, after the participant's resolver has asked. */
static void
deliver_mismatch(const char *peer, const char *ehlo, const char *id)
{
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "MX", "{d}", RESOLVER);
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", peer, ehlo, id);
}

/* What it says in EHLO is anybody's to say; what leads back to it is not. */
static void
named(void **state)
{
	(void)state;
	deliver_mismatch("192.0.2.7", "out7.sender.example", "<7@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.7 took part");
	found(101, "dane-ee-mismatch", "192.0.2.7", "a@sender.example",
	    FORGED("out7.sender.example"));
	found(11, "dual", OWN, "a@sender.example", LEADS_BACK("mail.sender.example"));
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.7 took part");
	found(102, "dane-ee-mismatch", "192.0.2.7", "a@sender.example",
	    LEADS_BACK("out7.EU.sender.example"));
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
	observations_clear(&obs);
	/* Forwards is as good. */
	deliver_mismatch("192.0.2.7", "out7.sender.example", "<7@x.example>");
	found(11, "dual", OWN, "a@sender.example",
	    "{'helo':'mail.sender.example','ehlo':{'matches':true}}");
	found(102, "dane-ee-mismatch", "192.0.2.7", "a@sender.example",
	    "{'helo':'out7.sender.example','ehlo':{'matches':true}}");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
}

/* Below the same public suffix, or with a name that a provider makes of the address, it is somebody else. */
static void
named_by_others(void **state)
{
	static const char *const name[][2] = {
		{ "mail.sender.co.uk", "mail.evil.co.uk" },
		{ "static.25.100.51.198.provider.example", "static.7.2.0.192.provider.example" },
		{ "c6336419.provider.example", "c0000207.provider.example" },
	};
	char results[300];

	(void)state;
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		deliver_mismatch("192.0.2.7", name[i][1], "<7@x.example>");
		for (size_t k = 0; k < 2; k++) {
			snprintf(results, sizeof results, "{'helo':'%s','ehlo':{'matches':true}}",
			    name[i][k]);
			found(102, "dual", k == 0 ? OWN : "192.0.2.7", "a@x.example", results);
		}
		expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.7 took part");
		observations_clear(&obs);
	}
}

/* Its SPF record names both; but not if it names everybody. */
static void
spf(void **state)
{
	static const char *const term[] = { "ip4:192.0.2.0/24", "include:pool.example", "a", "all",
		"+all", "ip4:192.0.0.0/2", "ip6:2000::/3", "exists:%{i}.example" };
	char results[300];

	(void)state;
	for (size_t i = 0; i < sizeof term / sizeof term[0]; i++) {
		deliver_mismatch("192.0.2.7", "localhost", "<7@x.example>");
		snprintf(results, sizeof results,
		    "{'helo':'localhost','spf':{'mailfrom':{'result':'pass','domain':'sender."
		    "example',"
		    "'term':'%s'}}}",
		    term[i]);
		found(11, "dual", OWN, "a@sender.example", results);
		found(101, "dane-ee-mismatch", "192.0.2.7", "b@sender.example", results);
		if (i < 3)
			expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA");
		else
			expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.7 took");
		observations_clear(&obs);
	}
}

/* One message by two machines is one sender's, unless the one had it from the other: that is a forwarder. */
static void
same_message(void **state)
{
	(void)state;
	deliver_mismatch("192.0.2.7", "relay.example.net", "<dual-0@sender.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
	observations_clear(&obs);
	delivered_most();
	validates();
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	session(100, "dane-ee-mismatch", "192.0.2.7", "relay.example.net");
	event_at(&obs, 101, "smtp.message",
	    "\"test\":\"dane-ee-mismatch\",\"conn\":\"dane-ee-mismatch-100\",\"reply\":250,"
	    "\"tls\":true,\"msgid\":\"<dual-0@sender.example>\",\"headers\":\"Received: from "
	    "mail.sender.example (mail.sender.example\\r\\n [" OWN
	    "])\\r\\n by relay.example.net\\r\\n\"");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.7 took part");
}

/* Next door in a cloud: the same /24 says nothing, until two addresses of the participant are there. */
static void
neighbour(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		delivered_most();
		if (i == 1)
			mail(70, "tls12", "198.51.100.26", "mail.sender.example",
			    "<dual-0@sender.example>");
		ask(65, "mx-null", "MX", "{d}", RESOLVER);
		session(80, "mx-null", "198.51.100.99", i == 0 ? "evil.example.net" : "");
		if (i == 0)
			expect("mx-null", 9 * HOUR, GRADE_INCONCLUSIVE, "198.51.100.99 took part");
		else
			expect("mx-null", 9 * HOUR, GRADE_VIOLATES, "connected");
		observations_clear(&obs);
	}
	/* A liar, whose own name is another. */
	deliver_mismatch("198.51.100.99", "mail.sender.example", "<7@x.example>");
	found(11, "dual", OWN, "a@sender.example", LEADS_BACK("mail.sender.example"));
	found(101, "dane-ee-mismatch", "198.51.100.99", "a@sender.example",
	    "{'helo':'mail.sender.example','fcrdns':{'name':[{'name':'vps99.example.net',"
	    "'confirmed':true}]}}");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, "198.51.100.99 took part");
}

/* Addresses that an IPv6 host makes up and drops again. */
static void
privacy(void **state)
{
	(void)state;
	delivered_most();
	validates();
	mail(70, "tls12", "2001:db8:7:1::25", "mail.sender.example", "<dual-0@sender.example>");
	ask(99, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	mail(100, "dane-ee-mismatch", "2001:db8:7:1:a1b2::1", "mail.sender.example",
	    "<7@x.example>");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_VIOLATES, "asked for the TLSA record");
}

/* Pools in several networks, of which no session says anything but an EHLO name: by their names, where they have
 * delivered something. */
static void
big_pool(void **state)
{
	static const char *const at[] = { "192.0.2.7", "203.0.113.9", "198.18.4.4" };

	(void)state;
	delivered_most();
	found(11, "dual", OWN, "a@sender.example", LEADS_BACK("o1.out.sender.example"));
	for (size_t i = 0; i < 3; i++) {
		mail(70 + (double)i, "tls12", at[i], "o2.out.sender.example", "");
		found(71 + (double)i, "tls12", at[i], "a@sender.example",
		    LEADS_BACK("o2.out.sender.example"));
	}
	session(100, "greylist-data", at[0], "o2.out.sender.example");
	for (size_t i = 0; i < 3; i++) { /* nothing of it is anybody else's */
		observations_sort(&obs);
		struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
		assert_null(c->own);
		correlation_free(c);
	}
}

/* Two who ask through one public resolver, which tells for whom. */
static void
client_subnet(void **state)
{
	static const char *const test[] = { "dual", "ipv4", "mx-implicit", "tls-required" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		for (size_t k = 0; k < 4; k++) {
			event_at(&obs, 10.0 * (double)k - 1, "dns.query",
			    "\"test\":\"%s\",\"qtype\":\"A\",\"at\":\"{mx0}\",\"rcode\":"
			    "\"NOERROR\","
			    "\"peer\":\"192.0.2.88\",\"ecs\":\"198.51.100.0/24/0\"",
			    test[k]);
			mail(
			    10.0 * (double)k, test[k], OWN, "mail.sender.example", "<1@a.example>");
		}
		event_at(&obs, 65, "dns.query",
		    "\"test\":\"tls12\",\"qtype\":\"MX\",\"at\":\"{d}\",\"rcode\":\"NOERROR\","
		    "\"peer\":\"192.0.2.88\",\"ecs\":\"%s/24/0\"",
		    i == 0 ? "203.0.113.0" : "198.51.100.0");
		if (i == 0)
			expect("tls12", 9 * HOUR, GRADE_INCONCLUSIVE, "192.0.2.88 took part");
		else
			expect("tls12", 9 * HOUR, GRADE_VIOLATES, "not delivered");
		observations_clear(&obs);
	}
}

/* Who asks for everything, every five minutes for hours, asks before each session of the participant as well. */
static void
sprayed(void **state)
{
	static const char *const tests[] = { "dual", "ipv4", "mx-implicit", "tls-required",
		"dane-ee", "greylist", "dane-ee-mismatch" };

	(void)state;
	delivered_most();
	validates();
	deliver(100, "dane-ee-mismatch", OWN);
	for (int t = -3600; t < 3600; t += 300)
		for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
			ask(t, tests[i], "MX", "{d}", ASKER);
			ask(t, tests[i], "TLSA", "_25._tcp.{mx0}", ASKER);
		}
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_INCONCLUSIVE, ASKER " took part");
}

/* Exim looks up in each run of its queue, and connects only when the time for a retry has come. */
static void
asks_each_run(void **state)
{
	static const double hours[] = { 1, 1.5, 2, 2.5, 3, 4, 5.5, 8, 11, 16, 23 };

	(void)state;
	delivered_most();
	validates();
	for (double t = 1; t < 24; t += 0.5) {
		ask(t * HOUR - 2, "dane-ee-mismatch", "MX", "{d}", RESOLVER);
		ask(t * HOUR - 1, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", RESOLVER);
	}
	for (size_t i = 0; i < sizeof hours / sizeof hours[0]; i++)
		session(hours[i] * HOUR, "dane-ee-mismatch", OWN, "mail.sender.example");
	expect("dane-ee-mismatch", 48 * HOUR, GRADE_CONFORMS, "refused");
	/* Reports, policies that are refreshed: days later. */
	for (int i = 2; i < 60; i++)
		ask(i * 24 * HOUR, "dual", "TXT", "_mta-sts.{d}", RESOLVER);
	expect("dane-ee-mismatch", 61 * 24 * HOUR, GRADE_CONFORMS, "refused");
}

/* It asks through another resolver from now on, which no delivery follows: only sessions. */
static void
new_resolver(void **state)
{
	(void)state;
	delivered_most();
	validates();
	ask(199, "tls12", "A", "{mx0}", "192.0.2.153");
	session(200, "tls12", OWN, "mail.sender.example");
	ask(299, "dane-ee-mismatch", "TLSA", "_25._tcp.{mx0}", "192.0.2.153");
	session(300, "dane-ee-mismatch", OWN, "mail.sender.example");
	expect("dane-ee-mismatch", 9 * HOUR, GRADE_CONFORMS, "refused");
}

/* Its client is the participant's network, as a resolver says that is not the participant's. */
static void
forged_subnet(void **state)
{
	(void)state;
	delivered_most();
	event_at(&obs, 65, "dns.query",
	    "\"test\":\"tls12\",\"qtype\":\"MX\",\"at\":\"{d}\",\"rcode\":\"NOERROR\","
	    "\"peer\":\"" ASKER "\",\"ecs\":\"198.51.100.0/24/0\"");
	expect("tls12", 9 * HOUR, GRADE_INCONCLUSIVE, ASKER " took part");
}

/* A SYN that bears the participant's address is no connection of its. */
static void
spoofed(void **state)
{
	(void)state;
	delivered_most();
	ask(65, "mx-null", "MX", "{d}", RESOLVER);
	event_at(&obs, 70, "net.syn",
	    "\"test\":\"mx-null\",\"host\":0,\"state\":\"serves\",\"peer\":\"" OWN
	    "\",\"port\":4000,\"local\":\"2001:db8::1\"");
	expect("mx-null", 9 * HOUR, GRADE_INCONCLUSIVE, "a SYN was seen");
}

/* A stranger who refuses nothing delivers to more tests than a participant who enforces: neither stands out. */
static void
busier(void **state)
{
	static const char *const tests[] = { "dual", "ipv4", "mx-implicit", "tls-required",
		"dane-ee", "greylist", "tls12", "dnssec-bogus" };
	char id[64];

	(void)state;
	delivered_most();
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
		snprintf(id, sizeof id, "<%zu@evil.example>", i);
		ask(200 + (double)i, tests[i], "MX", "{d}", ASKER);
		mail(201 + (double)i, tests[i], STRANGER, "evil.example.net", id);
	}
	validates();
	expect("dnssec-bogus", 9 * HOUR, GRADE_INCONCLUSIVE, "several senders took part");
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

/* A stranger before the participant's first mail, or as busy: each may be it. */
static void
nobody_stands_out(void **state)
{
	(void)state;
	mail(0, "dual", STRANGER, "evil.example.net", "<2@b.example>");
	mail(10, "dual", OWN, "mail.sender.example", "<1@a.example>");
	observations_sort(&obs);
	struct correlation *c = correlate(&obs, cat, EVENTS_TOKEN);
	assert_non_null(c->own);
	assert_non_null(c->own->own);
	assert_null(c->own->own->own);
	assert_int_equal(correlation_facts(c->own, cat->tests[0])->accepted, 1);
	assert_int_equal(correlation_facts(c->own->own, cat->tests[0])->accepted, 1);
	correlation_free(c);
	session(20, "mx-null", STRANGER, "evil.example.net");
	ask(20, "mx-null", "MX", "{d}", RESOLVER);
	mail(21, "mx-implicit", STRANGER, "evil.example.net", "<2@b.example>");
	mail(22, "mx-implicit", OWN, "mail.sender.example", "<1@a.example>");
	expect("mx-null", 9 * HOUR, GRADE_INCONCLUSIVE, "several senders took part");
	observations_clear(&obs);
	mail(0, "dual", STRANGER, "evil.example.net", "<2@b.example>");
	mail(10, "dual", OWN, "mail.sender.example", "<1@a.example>");
	mail(20, "ipv4", OWN, "mail.sender.example", "<3@a.example>");
	mail(30, "tls12", OWN, "mail.sender.example", "<4@a.example>");
	observations_sort(&obs);
	c = correlate(&obs, cat, EVENTS_TOKEN);
	assert_null(c->own->own);
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
		cmocka_unit_test_setup_teardown(named, NULL, clean),
		cmocka_unit_test_setup_teardown(named_by_others, NULL, clean),
		cmocka_unit_test_setup_teardown(spf, NULL, clean),
		cmocka_unit_test_setup_teardown(same_message, NULL, clean),
		cmocka_unit_test_setup_teardown(neighbour, NULL, clean),
		cmocka_unit_test_setup_teardown(privacy, NULL, clean),
		cmocka_unit_test_setup_teardown(big_pool, NULL, clean),
		cmocka_unit_test_setup_teardown(client_subnet, NULL, clean),
		cmocka_unit_test_setup_teardown(sprayed, NULL, clean),
		cmocka_unit_test_setup_teardown(asks_each_run, NULL, clean),
		cmocka_unit_test_setup_teardown(new_resolver, NULL, clean),
		cmocka_unit_test_setup_teardown(forged_subnet, NULL, clean),
		cmocka_unit_test_setup_teardown(spoofed, NULL, clean),
		cmocka_unit_test_setup_teardown(busier, NULL, clean),
		cmocka_unit_test_setup_teardown(connected, NULL, clean),
		cmocka_unit_test_setup_teardown(scanned, NULL, clean),
		cmocka_unit_test_setup_teardown(trait, NULL, clean),
		cmocka_unit_test_setup_teardown(fetched, NULL, clean),
		cmocka_unit_test_setup_teardown(bounced, NULL, clean),
		cmocka_unit_test_setup_teardown(nobody_stands_out, NULL, clean),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
