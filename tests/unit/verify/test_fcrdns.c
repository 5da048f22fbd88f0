/* The names of the sending host, over a table of records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify/fcrdns.h"
#include "verify/packet.h"

/* "NAME A 192.0.2.1", "NAME PTR NAME"; "NAME !" does not answer. */
static const char *const records[] = {
	"1.2.0.192.in-addr.arpa PTR mail.example.com",
	"2.2.0.192.in-addr.arpa PTR other.example.com",
	"3.2.0.192.in-addr.arpa !",
	"4.2.0.192.in-addr.arpa PTR nowhere.example.com",
	"4.2.0.192.in-addr.arpa PTR mail4.example.com",
	"5.2.0.192.in-addr.arpa PTR fails.example.com",
	("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR "
	 "mail.example.com"),
	"mail.example.com A 192.0.2.1",
	"mail.example.com AAAA 2001:db8::1",
	"other.example.com A 192.0.2.1",
	"mail4.example.com A 192.0.2.4",
	"fails.example.com !",
	"half.example.com A 192.0.2.1", /* its other addresses cannot be had */
	"half.example.com AAAA !",
	"empty.example.com PTR .",
	"empty.example.com AAAA !",
	"single A 192.0.2.1",
};

static uint16_t
type_of(const char *word)
{
	return strcmp(word, "A") == 0 ? 1 : strcmp(word, "AAAA") == 0 ? 28 : 12;
}

static void
reply(struct lookups *book, const struct lookup *l)
{
	uint8_t data[8][255];
	struct lookup_rdata rdata[8];
	enum lookup_status status = LOOKUP_NXDOMAIN;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		char name[128], type[8], value[128];
		int words = sscanf(records[i], "%127s %7s %127s", name, type, value);
		size_t len;

		if (strcmp(name, l->name) != 0)
			continue;
		if (words == 2) {
			status = LOOKUP_FAILED;
			break;
		}
		if (status == LOOKUP_NXDOMAIN)
			status = LOOKUP_NODATA;
		if (type_of(type) != l->type)
			continue;
		if (strcmp(value, "!") == 0) {
			status = LOOKUP_FAILED;
			break;
		}
		len = l->type == 12  ? packet_name_wire(data[n], value)
		      : l->type == 1 ? 4u * (unsigned)inet_pton(AF_INET, value, data[n])
				     : 16u * (unsigned)inet_pton(AF_INET6, value, data[n]);
		rdata[n] = (struct lookup_rdata){ data[n], (uint16_t)len };
		n++;
		status = LOOKUP_OK;
	}
	lookup_put(book, l->name, l->type, status, true, "because", rdata, n);
}

static void
judge(const char *client, const char *helo, struct fcrdns_result *f, struct helo_result *h)
{
	struct lookups *book = lookups_new(FCRDNS_LOOKUPS_MAX);

	for (unsigned rounds = 0;; rounds++) {
		bool open = fcrdns_check(client, book, f) == VERIFY_NEED;
		const struct lookup *l;
		size_t iter = 0;

		open |= helo_check(client, helo, f, book, h) == VERIFY_NEED;
		if (!open)
			break;
		assert_true(rounds < 3);
		while ((l = lookup_wanted(book, &iter)) != NULL)
			reply(book, l);
	}
	lookups_free(book);
}

static void
test_reverse(void **state)
{
	static const struct {
		const char *client;
		enum fcrdns_verdict verdict;
		size_t names;
		const char *reason;
	} cases[] = {
		{ "192.0.2.1", FCRDNS_PASS, 1, "" },
		{ "::ffff:192.0.2.1", FCRDNS_PASS, 1, "" },
		{ "2001:db8::1", FCRDNS_PASS, 1, "" },
		{ "192.0.2.2", FCRDNS_FAIL, 1,
		    "other.example.com has no A record of that address" },
		{ "192.0.2.3", FCRDNS_TEMPERROR, 0, "because" },
		{ "192.0.2.4", FCRDNS_PASS, 2, "" },
		{ "192.0.2.5", FCRDNS_TEMPERROR, 1, "fails.example.com" },
		{ "192.0.2.9", FCRDNS_NONE, 0, "9.2.0.192.in-addr.arpa" },
		{ "2001:db8::2", FCRDNS_NONE, 0, "2.0.0" },
		{ "192.0.2", FCRDNS_PERMERROR, 0, "no IP address" },
		{ "", FCRDNS_PERMERROR, 0, "no IP address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fcrdns_result f;
		struct helo_result h;

		judge(cases[i].client, "", &f, &h);
		if (f.verdict != cases[i].verdict || f.names != cases[i].names ||
		    strstr(f.reason, cases[i].reason) == NULL)
			fail_msg("%s: %s, %zu names, %s", cases[i].client,
			    fcrdns_verdict_word(f.verdict), f.names, f.reason);
		assert_int_equal(h.form, HELO_MISSING);
		if (f.verdict == FCRDNS_PASS)
			assert_true(f.secure && f.reason[0] == '\0');
	}
}

static void
test_helo(void **state)
{
	enum { RESOLVES = 1, FAILED = 2, MATCHES = 4, REVERSE = 8, CONFIRMED = 16 };
	static const struct {
		const char *client, *helo;
		enum helo_form form;
		unsigned facts;
		const char *reason;
	} cases[] = {
		{ "192.0.2.1", "MAIL.example.com", HELO_NAME,
		    RESOLVES | MATCHES | REVERSE | CONFIRMED, "" },
		{ "2001:db8::1", "mail.example.com", HELO_NAME,
		    RESOLVES | MATCHES | REVERSE | CONFIRMED, "" },
		{ "192.0.2.1", "other.example.com", HELO_NAME, RESOLVES | MATCHES, "" },
		{ "192.0.2.2", "other.example.com", HELO_NAME, RESOLVES | REVERSE, "others than" },
		{ "2001:db8::1", "other.example.com", HELO_NAME, RESOLVES, "no AAAA record" },
		{ "192.0.2.1", "nowhere.example.com", HELO_NAME, 0, "without address" },
		{ "192.0.2.1", "fails.example.com", HELO_NAME, FAILED, "could not be had" },
		{ "2001:db8::1", "half.example.com", HELO_NAME, RESOLVES | FAILED,
		    "could not be had" },
		{ "192.0.2.1", "half.example.com", HELO_NAME, RESOLVES | MATCHES, "" },
		{ "192.0.2.2", "half.example.com", HELO_NAME, RESOLVES, "others than" },
		{ "192.0.2.1", "empty.example.com", HELO_NAME, FAILED, "could not be had" },
		{ "192.0.2.1", "single", HELO_SINGLE_LABEL, RESOLVES | MATCHES, "one label" },
		{ "192.0.2.1", "[192.0.2.1]", HELO_LITERAL, MATCHES, "" },
		{ "192.0.2.1", "[192.0.2.2]", HELO_LITERAL, 0, "not that of the client" },
		{ "2001:db8::1", "[IPv6:2001:db8:0::1]", HELO_LITERAL, MATCHES, "" },
		{ "2001:db8::1", "[2001:db8::1]", HELO_MALFORMED, 0, "no address literal" },
		{ "192.0.2.1", "[]", HELO_MALFORMED, 0, "no address literal" },
		{ "192.0.2.1", "[192.0.2.1", HELO_MALFORMED, 0, "no address literal" },
		{ "192.0.2.1", "192.0.2.1", HELO_MALFORMED, 0, "without brackets" },
		{ "192.0.2.1", "2001:db8::1", HELO_MALFORMED, 0, "without brackets" },
		{ "192.0.2.1", "my_host.example.com", HELO_MALFORMED, 0, "underscore" },
		{ "192.0.2.1", "-a.example.com", HELO_MALFORMED, 0, "hyphen" },
		{ "192.0.2.1", "a-.example.com", HELO_MALFORMED, 0, "hyphen" },
		{ "192.0.2.1", "a..example.com", HELO_MALFORMED, 0, "empty label" },
		{ "192.0.2.1", "example.com.", HELO_MALFORMED, 0, "a dot at its end" },
		{ "192.0.2.1", ".", HELO_MALFORMED, 0, "empty label" },
		{ "192.0.2.1", "b\303\274cher.example", HELO_MALFORMED, 0, "outside of ASCII" },
		{ "192.0.2.1", "a b", HELO_MALFORMED, 0, "no host name has" },
		{ "192.0.2.1", "a\\.b", HELO_MALFORMED, 0, "no host name has" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fcrdns_result f;
		struct helo_result h;
		unsigned facts;

		judge(cases[i].client, cases[i].helo, &f, &h);
		facts = (h.resolves ? RESOLVES : 0) | (h.failed ? FAILED : 0) |
			(h.matches ? MATCHES : 0) | (h.is_reverse ? REVERSE : 0) |
			(h.reverse_confirmed ? CONFIRMED : 0);
		if (h.form != cases[i].form || facts != cases[i].facts ||
		    strstr(h.reason, cases[i].reason) == NULL ||
		    (h.reason[0] == '\0') != (cases[i].reason[0] == '\0'))
			fail_msg("%s from %s: %s, facts %u, %s", cases[i].helo, cases[i].client,
			    helo_form_word(h.form), facts, h.reason);
	}
}

/* More names than are looked at. */
static void
test_many_names(void **state)
{
	struct lookups *book = lookups_new(FCRDNS_LOOKUPS_MAX);
	struct lookup_rdata rdata[FCRDNS_NAMES_MAX + 3];
	uint8_t data[FCRDNS_NAMES_MAX + 3][255];
	struct fcrdns_result f;
	size_t iter = 0, asked = 0;

	(void)state;
	assert_int_equal(fcrdns_check("192.0.2.1", book, &f), VERIFY_NEED);
	for (size_t i = 0; i < FCRDNS_NAMES_MAX + 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%zu.example", i);
		rdata[i] = (struct lookup_rdata){ data[i],
			(uint16_t)packet_name_wire(data[i], name) };
	}
	/* One that is no name, and one that is the root. */
	rdata[0] = (struct lookup_rdata){ (const uint8_t *)"\77", 1 };
	rdata[1] = (struct lookup_rdata){ (const uint8_t *)"\0", 1 };
	lookup_put(book, "1.2.0.192.in-addr.arpa", 12, LOOKUP_OK, false, NULL, rdata,
	    FCRDNS_NAMES_MAX + 3);
	assert_int_equal(fcrdns_check("192.0.2.1", book, &f), VERIFY_NEED);
	while (lookup_wanted(book, &iter) != NULL)
		asked++;
	assert_int_equal(asked, FCRDNS_NAMES_MAX);
	assert_int_equal(f.names, FCRDNS_NAMES_MAX + 1);
	lookups_free(book);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reverse),
		cmocka_unit_test(test_helo),
		cmocka_unit_test(test_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
