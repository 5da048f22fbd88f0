/* The HTTPS server without sockets: policies, whose they are, reports, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "smtpd/web.h"
#include "tests/replay/smtp/bed.h"

#include <cmocka.h> /* last: it has a macro test_free */

static struct bed bed;
static struct web w;

static const struct test *
test_named(const char *name)
{
	const struct test *t = catalogue_find(bed.site->catalogue, name, strlen(name));

	assert_non_null(t);
	return t;
}

/* A connection to the policy host of the test, or (NULL) to an address that tells nothing. */
static void
begin(const char *name)
{
	struct tls_done done = { .version = "TLSv1.3" };
	union sockaddr_any peer, local;

	strbuf_reset(&bed.replies);
	strbuf_reset(&bed.held);
	strbuf_reset(&bed.events);
	bed.committing = bed.closed = bed.reset = false;
	memset(&peer, 0, sizeof peer);
	memset(&local, 0, sizeof local);
	assert_int_equal(address_parse(&peer, "2001:db8:1::7", 4000), 0);
	if (name != NULL) {
		local.in6.sin6_family = AF_INET6;
		address_make(&local.in6.sin6_addr, &bed.site->prefix, bed.token.id,
		    test_named(name)->number, ADDRESS_SERVES, SLOT_POLICY);
	} else {
		assert_int_equal(address_parse(&local, "127.0.53.2", 443), 0);
	}
	web_init(&w, &bed.env, &bed, "0-1-1", &peer, &local, bed.now);
	web_start(&w, bed.now);
	web_tls.done(&w, &done, bed.now);
}

static void
finish(void)
{
	web_end(&w, HOW_EOF, bed.now);
	web_clear(&w);
}

static void
ask(const char *method, const char *path, const char *host, const char *test, const char *more)
{
	char text[2048];

	snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: %s.%s.%s.outpost.example\r\n%s\r\n",
	    method, path, host, bed.token.text, test, more);
	web_input(&w, text, strlen(text), bed.now);
}

static bool
says(const struct strbuf *b, const char *text)
{
	return b->s != NULL && strstr(b->s, text) != NULL;
}

#define REPLY(text) assert_true(says(&bed.replies, text))
#define EVENT(text) assert_true(says(&bed.events, text))

static int
setup(void **state)
{
	(void)state;
	bed_new(&bed, "tests/replay/smtp/catalogue");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	bed_free(&bed);
	return 0;
}

static void
policy(void **state)
{
	(void)state;
	begin("policy-phases");
	ask("GET", POLICY_PATH, "mta-sts", "policy-phases", "User-Agent: x\r\n");
	REPLY("HTTP/1.1 200 OK\r\n");
	REPLY("Content-Type: text/plain\r\n");
	REPLY("\r\n\r\nversion: STSv1\r\nmode: enforce\r\nmx: ");
	REPLY(".mx0.policy-phases.outpost.example\r\nmx: *.mx1.policy-phases.outpost.example\r\n"
	      "max_age: 86400\r\n");
	EVENT("\"ev\":\"http.request\"");
	EVENT("\"at\":\"mta-sts.{d}\"");
	EVENT("\"what\":\"GET /.well-known/mta-sts.txt\"");
	EVENT("\"by\":\"address\"");
	EVENT("\"agent\":\"x\"");
	EVENT("\"phase\":1");
	assert_true(bed.closed);
	finish();
	/* five minutes after it was fetched it is gone */
	bed.now += INT64_C(300000000);
	begin("policy-phases");
	ask("GET", POLICY_PATH, "mta-sts", "policy-phases", "");
	REPLY("HTTP/1.1 404 ");
	EVENT("\"dev\":\"status 404\"");
	EVENT("\"phase\":2");
	finish();
}

/* HEAD is answered, but it is no fetch. */
static void
head(void **state)
{
	(void)state;
	bed_forget(&bed);
	begin("policy-phases");
	ask("HEAD", POLICY_PATH, "mta-sts", "policy-phases", "");
	REPLY("HTTP/1.1 200 OK\r\n");
	assert_false(says(&bed.replies, "STSv1"));
	finish();
	assert_int_equal(phase_now(&bed.env.memory, test_named("policy-phases"), bed.token.id,
			     bed.now + INT64_C(300000000)),
	    1);
}

static void
moved(void **state)
{
	char name[256];

	(void)state;
	begin("policy-moved");
	assert_int_equal(web_certificate(&w, name), CERT_UNTRUSTED);
	assert_memory_equal(name, "mta-sts.", 8);
	ask("GET", POLICY_PATH, "mta-sts", "policy-moved", "");
	REPLY("HTTP/1.1 301 ");
	REPLY(".policy-moved.outpost.example/moved.txt\r\n");
	EVENT("\"dev\":\"status 301, cert untrusted\"");
	finish();
	begin("policy-moved");
	ask("GET", "/moved.txt", "mta-sts", "policy-moved", "");
	REPLY("HTTP/1.1 200 ");
	REPLY("mode: testing");
	finish();
}

static void
slow(void **state)
{
	(void)state;
	begin("policy-slow");
	ask("GET", POLICY_PATH, "mta-sts", "policy-slow", "");
	assert_int_equal(bed.replies.len, 0);
	assert_int_equal(web_deadline(&w), bed.now + INT64_C(20000000));
	/* Somebody sets the clock back an hour and forth again: the wait stays the same. */
	web_shift(&w, -INT64_C(3600000000));
	assert_int_equal(web_deadline(&w), bed.now + INT64_C(20000000) - INT64_C(3600000000));
	web_shift(&w, INT64_C(3600000000));
	bed.now += INT64_C(20000000);
	web_tick(&w, bed.now);
	REPLY("\r\n\r\nmode: enforce\r\n");
	REPLY("x: y\r\nx-padding");
	EVENT("\"dev\":\"slow 20s, pad 100, omit version, extra\"");
	finish();
	/* who does not wait is on record as well */
	begin("policy-slow");
	ask("GET", POLICY_PATH, "mta-sts", "policy-slow", "");
	finish();
	EVENT("\"reply\":0");
}

/* Bound by name where the address does not tell; never against the address. */
static void
names(void **state)
{
	struct web_name n;
	char text[300];

	(void)state;
	begin(NULL);
	ask("GET", POLICY_PATH, "mta-sts", "policy-moved", "");
	REPLY("HTTP/1.1 301 ");
	EVENT("\"by\":\"host\"");
	finish();
	begin("policy-phases");
	ask("GET", POLICY_PATH, "mta-sts", "policy-moved", "");
	REPLY("HTTP/1.1 421 ");
	finish();
	begin("policy-phases");
	ask("GET", POLICY_PATH, "other", "policy-phases", "");
	REPLY("HTTP/1.1 404 ");
	finish();
	begin("dual");
	ask("GET", POLICY_PATH, "mta-sts", "dual", "");
	REPLY("HTTP/1.1 404 ");
	finish();
	/* the token stands right behind the label */
	snprintf(text, sizeof text, "mta-sts.%s.dual.outpost.example.", bed.token.text);
	assert_true(web_name_parse(&n, text, strlen(text), bed.site));
	assert_int_equal(n.host, WEB_POLICY);
	snprintf(text, sizeof text, "mta-sts.x.%s.dual.outpost.example", bed.token.text);
	assert_false(web_name_parse(&n, text, strlen(text), bed.site));
	snprintf(text, sizeof text, "mta-sts.%s.mx0.dual.outpost.example", bed.token.text);
	assert_false(web_name_parse(&n, text, strlen(text), bed.site));
	assert_false(web_name_parse(&n, "mta-sts.", 8, bed.site));
	assert_false(web_name_parse(&n, "", 0, bed.site));
}

/* 201 leaves when the report is on disk. */
static void
report(void **state)
{
	(void)state;
	begin("dual");
	ask("POST", "/r", "tlsrpt", "dual",
	    "Content-Type: application/tlsrpt+gzip\r\nContent-Length: 5\r\n"
	    "Expect: 100-continue\r\n");
	REPLY("HTTP/1.1 100 Continue\r\n\r\n");
	strbuf_reset(&bed.replies);
	web_input(&w, "he", 2, bed.now);
	web_input(&w, "lloGET / HTTP/1.1\r\n", 19, bed.now);
	EVENT("\"ev\":\"tlsrpt.report\"");
	EVENT("\"data\":\"aGVsbG8=\"");
	EVENT("\"type\":\"application/tlsrpt+gzip\"");
	assert_int_equal(bed.replies.len, 0);
	assert_true(says(&bed.held, "HTTP/1.1 201 "));
	assert_int_equal(web_deadline(&w), INT64_MAX);
	web_committed(&w, bed.now);
	assert_true(bed.closed);
	finish();
	/* limits */
	begin("dual");
	ask("POST", "/r", "tlsrpt", "dual", "");
	REPLY("HTTP/1.1 411 ");
	finish();
	begin("dual");
	ask("POST", "/r", "tlsrpt", "dual", "Content-Length: 99999999\r\n");
	REPLY("HTTP/1.1 413 ");
	finish();
	begin("policy-moved");
	ask("POST", POLICY_PATH, "mta-sts", "policy-moved", "Content-Length: 1\r\n");
	REPLY("HTTP/1.1 404 ");
	finish();
	begin("policy-moved");
	ask("PUT", POLICY_PATH, "mta-sts", "policy-moved", "");
	REPLY("HTTP/1.1 405 ");
	finish();
}

/* The same with a body in chunks (RFC 9112 7.1). */
static void
chunks(void **state)
{
	static const struct {
		const char *body, *reply;
	} rows[] = {
		{ "5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 201 " },
		{ "0\r\n\r\n", "HTTP/1.1 201 " },
		{ "5\r\nhello\n0\r\n\r\n", "HTTP/1.1 400 " },
		{ "7FFFFFFF\r\n", "HTTP/1.1 413 " },
		{ "123456789\r\n", "HTTP/1.1 400 " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin("dual");
		ask("POST", "/r", "tlsrpt", "dual", "Transfer-Encoding: chunked\r\n");
		for (const char *p = rows[i].body; *p != '\0'; p++)
			web_input(&w, p, 1, bed.now);
		if (bed.committing)
			assert_true(says(&bed.held, rows[i].reply));
		else
			REPLY(rows[i].reply);
		if (i == 0) {
			EVENT("\"data\":\"aGVsbG8=\"");
			EVENT("\"bytes\":5");
		}
		/* a second request in what follows is not answered */
		size_t n = bed.replies.len + bed.held.len;
		ask("GET", "/", "tlsrpt", "dual", "");
		assert_int_equal(bed.replies.len + bed.held.len, n);
		finish();
	}
	begin("policy-moved");
	ask("GET", POLICY_PATH, "mta-sts", "policy-moved", "Transfer-Encoding: chunked\r\n");
	REPLY("HTTP/1.1 400 ");
	finish();
	/* the body stops coming */
	begin("dual");
	ask("POST", "/r", "tlsrpt", "dual", "Transfer-Encoding: chunked\r\n");
	web_input(&w, "5\r\nhel", 6, bed.now);
	web_tick(&w, bed.now + bed.site->conf.https_timeout - 1);
	assert_int_equal(bed.replies.len, 0);
	web_tick(&w, bed.now + bed.site->conf.https_timeout);
	REPLY("HTTP/1.1 408 ");
	EVENT("\"reply\":408");
	assert_false(says(&bed.events, "tlsrpt.report"));
	finish();
}

static void
late(void **state)
{
	(void)state;
	begin("dual");
	web_input(&w, "GET /", 5, bed.now);
	bed.now += bed.site->conf.https_timeout;
	web_tick(&w, bed.now);
	REPLY("HTTP/1.1 408 ");
	EVENT("\"reply\":408");
	finish();
	begin("dual");
	web_tick(&w, bed.now + bed.site->conf.https_timeout);
	assert_true(bed.closed);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy),
		cmocka_unit_test(head),
		cmocka_unit_test(moved),
		cmocka_unit_test(slow),
		cmocka_unit_test(names),
		cmocka_unit_test(report),
		cmocka_unit_test(chunks),
		cmocka_unit_test(late),
	};

	return cmocka_run_group_tests_name("web", tests, setup, teardown);
}
