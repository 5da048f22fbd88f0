/* Who wants no mail: never asked again, never told to others, never forgotten. */
#include "tests/unit/provisioning/fixture.h"

#include "lib/clock.h"
#include "lib/journal.h"
#include "provisioning/optout.h"

static struct fixture f;
static struct site *site;
static struct optouts *all;

static int
setup(void **state)
{
	(void)state;
	site = fixture_plain(&f);
	all = optouts_open(site);
	return all != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	optouts_close(all);
	site_free(site);
	fixture_free(&f);
	return 0;
}

static int
add(const char *text)
{
	struct optout o;
	const char *why;

	if (!optout_parse(&o, site, text, &why))
		fail_msg("%s: %s", text, why);
	return optouts_add(all, &o, "command", 0, clock_now());
}

static bool
has_network(const char *text)
{
	union sockaddr_any a;

	memset(&a, 0, sizeof a);
	assert_int_equal(address_parse(&a, text, 0), 0);
	return optouts_has_network(all, &a);
}

static void
addresses(void **state)
{
	static const char *const good[] = { "a@b.c", "A.b+c=d@X.Example", "a@b.c.", "a@1.b2.3c",
		"a@b--c.d_e.f",
		("j\xc3\xbcrgen@b\xc3\xbc"
		 "cher.example") };
	static const char *const bad[] = { "", "a", "@b.c", "a@", "a@b", "a@.c", "a@b..c", ".a@b.c",
		"a.@b.c", "a..b@c.d", "\"a b\"@c.d", "a b@c.d", "a@b c.d", "a\n@b.c", "a@b.c\n",
		"a@b.c\r\nBcc: x@y.z", "a,b@c.d", "a<b@c.d", "a@b@c.d", "a@[192.0.2.1]",
		"a\xff@b.c", "a@b\xff.c", "a;b@c.d", "a:b@c.d", "(a)b@c.d", "a\\b@c.d", "a%b.c@d.e",
		"b.c!a@d.e", "|a@b.c", "a@127.0.0.1", "a@b.1", "a@-b.c", "a@b-.c", "a@b.c-",
		("\xe2\x80\xae"
		 "a@b.c") };
	char lower[OPTOUT_TEXT_MAX], large[600];
	const char *domain;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(optout_address(lower, good[i], strlen(good[i]), &domain));
	assert_true(optout_address(lower, good[1], strlen(good[1]), &domain));
	assert_string_equal(lower, "a.b+c=d@x.example");
	assert_string_equal(domain, "x.example");
	assert_true(optout_address(lower, "a@b.c.", 6, NULL));
	assert_string_equal(lower, "a@b.c");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (optout_address(lower, bad[i], strlen(bad[i]), NULL))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_false(optout_address(lower, "a\0@b.c", 6, NULL));
	/* 64 octets of local part, 63 of a label */
	memset(large, 'a', sizeof large);
	memcpy(large + 64, "@b.c", 5);
	assert_true(optout_address(lower, large, strlen(large), NULL));
	memset(large, 'a', sizeof large);
	memcpy(large + 65, "@b.c", 5);
	assert_false(optout_address(lower, large, strlen(large), NULL));
	memset(large, 'a', sizeof large);
	memcpy(large, "a@", 2);
	memcpy(large + 2 + 63, ".c", 3);
	assert_true(optout_address(lower, large, strlen(large), NULL));
	memset(large, 'a', sizeof large);
	memcpy(large, "a@", 2);
	memcpy(large + 2 + 64, ".c", 3);
	assert_false(optout_address(lower, large, strlen(large), NULL));
}

static void
hashed(void **state)
{
	char path[512], text[4096] = "";
	struct optouts *again;
	FILE *in;

	(void)state;
	assert_int_equal(add("Somebody@Shop.Example"), 0);
	assert_int_equal(add("somebody@shop.example"), 1);
	assert_int_equal(add("nomail.example"), 0);
	assert_int_equal(optouts_number(all, OPTOUT_ADDRESS), 1);
	assert_true(optouts_has_address(all, "SOMEBODY@shop.example"));
	assert_false(optouts_has_address(all, "somebody.else@shop.example"));
	assert_false(optouts_has_address(all, "somebody@sub.shop.example"));
	assert_true(optouts_has_address(all, "x@nomail.example"));
	assert_true(optouts_has_address(all, "x@deep.sub.nomail.example"));
	assert_false(optouts_has_address(all, "x@othernomail.example"));
	assert_false(optouts_has_address(all, "nomail.example@other.example"));
	assert_true(optouts_has_address(all, "no address"));
	/* the mailbox, under whichever of its names */
	assert_true(optouts_has_address(all, "somebody+news@shop.example"));
	assert_int_equal(add("other+list@shop.example."), 0);
	assert_int_equal(add("OTHER@shop.example"), 1);
	assert_true(optouts_has_address(all, "other@shop.example"));
	assert_false(optouts_has_address(all, "+other@shop.example"));
	/* what is sent to ourselves measures nobody */
	assert_true(optouts_has_address(all, "probe@token.plain.PROBE.example"));
	assert_false(optouts_has_address(all, "probe@otherprobe.example"));

	site_path(path, site, "state", OPTOUT_FILE);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_true(fread(text, 1, sizeof text - 1, in) > 0);
	fclose(in);
	assert_null(strcasestr(text, "somebody"));
	assert_null(strcasestr(text, "shop"));
	assert_null(strcasestr(text, "nomail"));

	again = optouts_open(site);
	assert_non_null(again);
	assert_true(optouts_has_address(again, "somebody@shop.example"));
	assert_true(optouts_has_address(again, "x@nomail.example"));
	optouts_close(again);
}

/* One name, however it is written. */
static void
international(void **state)
{
	char a[OPTOUT_TEXT_MAX], b[OPTOUT_TEXT_MAX];
	static const char upper[] = "x@B\xc3\x9c"
				    "CHER.example",
			  dot[] = "x@a\xe3\x80\x82"
				  "b.example",
			  decomposed[] = "x@bu\xcc\x88"
					 "cher.example";

	(void)state;
	assert_true(optout_address(a, "x@xn--bcher-kva.example", 23, NULL));
	assert_true(optout_address(b, upper, sizeof upper - 1, NULL));
	assert_string_equal(a, b);
	assert_false(optout_address(b, dot, sizeof dot - 1, NULL));
	assert_int_equal(add("b\xc3\xbc"
			     "cher.example"),
	    0);
	assert_int_equal(add("XN--BCHER-KVA.example"), 1);
	assert_true(optouts_has_address(all, "x@sub.xn--bcher-kva.example"));
	assert_true(optouts_has_address(all, decomposed));
	assert_true(optouts_has_address(all, upper));
	assert_false(optouts_has_address(all, "x@bucher.example"));
}

static void
mailboxes(void **state)
{
	(void)state;
	assert_int_equal(optout_address_mailbox("a@b.c"), 1);
	assert_int_equal(optout_address_mailbox("a+1@b.c"), 1);
	assert_int_equal(optout_address_mailbox("a+2+3@b.c"), 1);
	assert_int_equal(optout_address_mailbox("a+@b.c"), 1);
	assert_int_equal(optout_address_mailbox("ab+c@b.c"), 2);
	assert_int_equal(optout_address_mailbox("+a@b.c"), 2); /* a name, no detail */
}

static void
networks(void **state)
{
	static const char *const bad[] = { "192.0.2.0/33", "192.0.2.0/0", "192.0.2.0/",
		"2001:db8::/129", "192.0.2/24", "AS0", "AS4294967296", "AS12x", "localhost",
		"a b.c", "", ".", "a..b" };
	struct optout o;
	char text[96];
	const char *why;

	(void)state;
	assert_int_equal(add("192.0.2.77/24"), 0);
	assert_int_equal(add("192.0.2.0/24"), 1);
	assert_int_equal(add("198.51.100.7"), 0);
	assert_int_equal(add("2001:db8:7::/48"), 0);
	assert_int_equal(add("AS64500"), 0);
	assert_int_equal(add("as64500"), 1);
	assert_int_equal(add("AS4294967295"), 0);
	assert_true(has_network("192.0.2.255"));
	assert_true(has_network("::ffff:192.0.2.1"));
	assert_false(has_network("192.0.3.0"));
	assert_true(has_network("198.51.100.7"));
	assert_false(has_network("198.51.100.6"));
	assert_true(has_network("2001:db8:7:ffff::1"));
	assert_false(has_network("2001:db8:8::1"));
	assert_true(optouts_has_as(all, 64500));
	assert_false(optouts_has_as(all, 64501));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (optout_parse(&o, site, bad[i], &why))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_true(optout_parse(&o, site, "192.0.2.77/24", &why));
	optout_format(text, &o);
	assert_string_equal(text, "192.0.2.0/24");
	assert_true(optout_parse(&o, site, "2001:DB8:7::1/48", &why));
	optout_format(text, &o);
	assert_string_equal(text, "2001:db8:7::/48");
	assert_true(optout_parse(&o, site, "::/1", &why));
	optout_format(text, &o);
	assert_string_equal(text, "::/1");
}

static void
links(void **state)
{
	char link[OPTOUT_LINK_LEN + 1], other[OPTOUT_LINK_LEN + 1];
	struct optout o;

	(void)state;
	optout_link(link, site, "Reader@News.Example");
	optout_link(other, site, "reader@news.example");
	assert_string_equal(link, other);
	assert_int_equal(strlen(link), OPTOUT_LINK_LEN);
	assert_true(optout_link_read(&o, site, link));
	assert_false(optouts_has_address(all, "reader@news.example"));
	assert_int_equal(optouts_add(all, &o, "link", 0, clock_now()), 0);
	assert_int_equal(optouts_add(all, &o, "link", 0, clock_now()), 1);
	assert_true(optouts_has_address(all, "reader@news.example"));
	/* every one of its characters counts; the last one has three bits that say nothing */
	for (size_t i = 0; i + 1 < OPTOUT_LINK_LEN; i++) {
		memcpy(other, link, sizeof other);
		other[i] = link[i] == 'a' ? 'b' : 'a';
		assert_false(optout_link_read(&o, site, other));
	}
	assert_false(optout_link_read(&o, site, ""));
	assert_false(optout_link_read(&o, site, link + 1));
}

/* The web may ask so often a day; a restart forgets nothing. */
static void
counted(void **state)
{
	struct optouts *again;
	struct optout o;
	const char *why;

	(void)state;
	assert_true(optout_parse(&o, site, "a@b.example", &why));
	assert_int_equal(optouts_add(all, &o, "page", 77, clock_now()), 0);
	assert_true(optout_parse(&o, site, "b@b.example", &why));
	assert_int_equal(optouts_add(all, &o, "page", 77, clock_now()), 0);
	again = optouts_open(site);
	assert_int_equal(optouts_of(again, 77), 2);
	assert_int_equal(optouts_of(again, 78), 0);
	optouts_close(again);
}

/* If it is not known who is out, nobody is written to. */
static void
unreadable(void **state)
{
	char path[512];

	(void)state;
	assert_int_equal(add("a@b.example"), 0);
	site_path(path, site, "state", OPTOUT_FILE);
	assert_int_equal(journal_append(path, "{\"kind\":\"address\"}", 18), 0);
	assert_int_equal(optouts_refresh(all), -1);
	assert_null(optouts_open(site));
	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(optouts_refresh(all), -1);
}

static void
many(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		snprintf(text, sizeof text, "user%u@many.example", i);
		assert_int_equal(add(text), 0);
	}
	for (unsigned i = 0; i < 400; i++) {
		snprintf(text, sizeof text, "user%u@many.example", i);
		assert_true(optouts_has_address(all, text));
	}
	assert_false(optouts_has_address(all, "user400@many.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(hashed, setup, teardown),
		cmocka_unit_test_setup_teardown(international, setup, teardown),
		cmocka_unit_test(mailboxes),
		cmocka_unit_test_setup_teardown(networks, setup, teardown),
		cmocka_unit_test_setup_teardown(links, setup, teardown),
		cmocka_unit_test_setup_teardown(counted, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
	};

	return cmocka_run_group_tests_name("optout", tests, NULL, NULL);
}
