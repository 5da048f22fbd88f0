/* What ties a client to others, at the edges of the rules of tie.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free

#include "results/tie.h"
#include "tests/unit/results/events.h"

static struct observations obs;

static void
judged(const char *peer, const char *results)
{
	char quoted[1024];
	size_t n = 0;

	for (; *results != '\0' && n + 3 < sizeof quoted; results++) {
		if (*results == '\'')
			quoted[n++] = '\\';
		quoted[n++] = *results == '\'' ? '"' : *results;
	}
	quoted[n] = '\0';
	event_at(&obs, 1, "verify.result",
	    "\"test\":\"dual\",\"conn\":\"c\",\"peer\":\"%s\",\"from\":\"a@x.example\","
	    "\"results\":\"%s\"",
	    peer, quoted);
}

/* Have the two addresses anything in common, each with this name in EHLO? */
static bool
are_tied(const char *peer, const char *ehlo, const char *other_peer, const char *other_ehlo)
{
	struct tie_book *b = tie_book_read(&obs, EVENTS_TOKEN);
	struct ties one, other;
	bool tied = false;

	ties_of(&one, b, peer, ehlo, "");
	ties_of(&other, b, other_peer, other_ehlo, "");
	for (unsigned i = 0; i < one.n; i++)
		for (unsigned k = 0; k < other.n; k++)
			tied |= one.hash[i] == other.hash[k];
	tie_book_free(b);
	return tied;
}

static int
clean(void **state)
{
	(void)state;
	observations_clear(&obs);
	return 0;
}

static void
addresses(void **state)
{
	(void)state;
	assert_true(are_tied("192.0.2.1", "", "192.0.2.1", "other.example"));
	assert_false(are_tied("192.0.2.1", "", "192.0.2.2", ""));
	assert_true(are_tied("192.0.2.1", "a.x.example", "192.0.2.2", "B.X.example"));
	assert_false(are_tied("192.0.2.1", "a.x.example", "192.0.2.2", "b.y.example"));
	assert_false(are_tied("192.0.2.1", "a.x.example", "192.0.3.2", "a.x.example"));
	assert_true(are_tied("2001:db8::1", "", "2001:db8::ffff:2", ""));
	assert_false(are_tied("2001:db8:0:1::1", "", "2001:db8:0:2::1", ""));
	assert_true(are_tied("2001:db8:0:1::1", "a.x.example", "2001:db8:0:2::1", "a.x.example"));
	assert_false(are_tied("", "", "", ""));
	assert_false(are_tied("nonsense", "localhost", "rubbish", "localhost"));
}

static void
claims(void **state)
{
	static const char *const none[] = { "", " ", "[192.0.2.1]", "localhost", "192.0.2.1",
		"alone", "..", ".", "a..b", "localhost.localdomain", "b\xc3\xbc.example" };
	char longest[400];

	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(tie_claim(none[i]), 0);
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	longest[3] = '.';
	assert_int_equal(tie_claim(longest), 0);
	assert_true(tie_claim("mail.x.example") == tie_claim("X.example. and more"));
}

/* One that judged proves nothing for the other. */
static void
proofs(void **state)
{
	(void)state;
	judged("192.0.2.1", "{'helo':'a.x.example','ehlo':{'matches':true}}");
	assert_false(are_tied("192.0.2.1", "a.x.example", "198.51.100.1", "a.x.example"));
	judged("198.51.100.1", "{'helo':'b.x.example','ehlo':{'resolves':true},"
			       "'fcrdns':{'name':[{'name':'b.x.example','confirmed':false}]}}");
	assert_false(are_tied("192.0.2.1", "a.x.example", "198.51.100.1", "a.x.example"));
	judged(
	    "198.51.100.1", "{'helo':'b.x.example','spf':{'helo':{'result':'pass','term':'a'}}}");
	assert_true(are_tied("192.0.2.1", "", "198.51.100.1", "anything"));
}

/* Its reverse name leads back, but is another's than what it says. */
static void
another_name(void **state)
{
	static const char *const r = "{'helo':'mail.%s.example','fcrdns':{'name':[{'name':"
				     "'host%u.provider.example','confirmed':true}]}}";
	char results[200];

	(void)state;
	snprintf(results, sizeof results, r, "x", 1u);
	judged("192.0.2.1", results);
	snprintf(results, sizeof results, r, "x", 2u);
	judged("198.51.100.1", results);
	assert_false(are_tied("192.0.2.1", "mail.x.example", "198.51.100.1", "mail.x.example"));
}

/* The name that was proved has an address from which nothing was delivered; but who lists others' addresses is not
 * them. */
static void
other_address(void **state)
{
	(void)state;
	judged("192.0.2.1", "{'helo':'a.x.example','ehlo':{'matches':true,'address':['192.0.2.1',"
			    "'2001:db8::1',5,'nonsense']}}");
	judged("203.0.113.1", "{'helo':'evil.y.example','ehlo':{'matches':true,'address':["
			      "'203.0.113.1','198.51.100.1']}}");
	judged("198.51.100.1", "{'helo':'a.z.example','ehlo':{'matches':true}}");
	assert_true(are_tied("192.0.2.1", "a.x.example", "2001:db8::1", "b.x.example"));
	assert_false(are_tied("192.0.2.1", "a.x.example", "2001:db8::1", ""));
	assert_false(are_tied("192.0.2.1", "a.x.example", "2001:db8:2::1", "a.x.example"));
	assert_false(are_tied("203.0.113.1", "evil.y.example", "198.51.100.1", "a.z.example"));
}

static void
sent_as(const char *peer, const char *from)
{
	event_at(&obs, 1, "verify.result",
	    "\"test\":\"dual\",\"conn\":\"c\",\"peer\":\"%s\",\"from\":\"a@%s\",\"results\":"
	    "\"{\\\"spf\\\":{\\\"mailfrom\\\":{\\\"result\\\":\\\"pass\\\",\\\"domain\\\":"
	    "\\\"%s\\\",\\\"term\\\":\\\"a\\\"}}}\"",
	    peer, from, from);
}

/* Who proves its envelope sender, but not its name in EHLO, has neighbours still. */
static void
no_name_proved(void **state)
{
	(void)state;
	sent_as("192.0.2.1", "sender.example");
	assert_true(are_tied("192.0.2.1", "a.x.example", "192.0.2.2", "b.x.example"));
	assert_false(are_tied("192.0.2.1", "a.x.example", "192.0.2.2", "b.y.example"));
	judged("192.0.2.1", "{'helo':'a.x.example','ehlo':{'matches':true}}");
	assert_false(are_tied("192.0.2.1", "a.x.example", "192.0.2.2", "b.x.example"));
}

/* An address that many share: each of those that are read ties, and no more are. */
static void
shared(void **state)
{
	char domain[32];

	(void)state;
	for (unsigned i = 0; i <= TIES_OF_ADDRESS; i++) {
		observations_clear(&obs);
		for (unsigned k = 0; k <= TIES_OF_ADDRESS; k++) {
			snprintf(domain, sizeof domain, "d%u.example", 100 + k);
			sent_as("192.0.2.1", domain);
		}
		snprintf(domain, sizeof domain, "d%u.example", 100 + i);
		sent_as("198.51.100.1", domain);
		assert_int_equal(
		    are_tied("192.0.2.1", "", "198.51.100.1", ""), i < TIES_OF_ADDRESS);
	}
}

static void
hostile(void **state)
{
	(void)state;
	judged("192.0.2.1", "{'helo':5,'fcrdns':{'name':{'a':1}},'spf':[],'ehlo':'x'}");
	judged("192.0.2.1", "[]");
	judged("192.0.2.1", "nonsense");
	judged("192.0.2.1", "{'helo':'a.x.example','fcrdns':{'name':[5,'x',{'confirmed':true}]}}");
	judged("192.0.2.1",
	    "{'helo':'a.x.example','spf':{'helo':{'result':'pass','term':'ip4:0.0.0.0/0'}}}");
	judged("198.51.100.1", "{'helo':'a.x.example','ehlo':{'matches':true}}");
	assert_false(are_tied("192.0.2.1", "a.x.example", "198.51.100.1", "a.x.example"));
}

static void
came_over(void **state)
{
	static const char h[] = "Subject: 192.0.2.9\r\nReceived: from a (b [192.0.2.19])\r\n\tby c "
				"[2001:db8::5]\r\nX: 192.0.2.9\r\n";

	(void)state;
	assert_true(tie_came_over(h, "192.0.2.19"));
	assert_true(tie_came_over(h, "2001:DB8::5"));
	assert_false(tie_came_over(h, "192.0.2.1"));
	assert_false(tie_came_over(h, "92.0.2.19"));
	assert_false(tie_came_over(h, "192.0.2.9"));
	assert_false(tie_came_over(h, "2001:db8::"));
	assert_false(tie_came_over("", "192.0.2.9"));
	assert_true(tie_came_over("received: 192.0.2.9", "192.0.2.9"));
	assert_true(tie_came_over("Received: at 192.0.2.9.", "192.0.2.9"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses, NULL, clean),
		cmocka_unit_test_setup_teardown(claims, NULL, clean),
		cmocka_unit_test_setup_teardown(proofs, NULL, clean),
		cmocka_unit_test_setup_teardown(another_name, NULL, clean),
		cmocka_unit_test_setup_teardown(other_address, NULL, clean),
		cmocka_unit_test_setup_teardown(no_name_proved, NULL, clean),
		cmocka_unit_test_setup_teardown(shared, NULL, clean),
		cmocka_unit_test_setup_teardown(hostile, NULL, clean),
		cmocka_unit_test_setup_teardown(came_over, NULL, clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
