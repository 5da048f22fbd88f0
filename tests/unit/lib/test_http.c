/* Requests: whole, in pieces, too long, and the shapes that are used for smuggling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http.h"

static struct http_request r;

static int
teardown(void **state)
{
	(void)state;
	http_clear(&r);
	return 0;
}

static size_t
feed(const char *text)
{
	http_clear(&r);
	http_init(&r);
	r.takes_chunked = true;
	return http_input(&r, text, strlen(text));
}

static void
plain(void **state)
{
	static const char text[] = "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
				   "Host: MTA-STS.x.Example:443\r\nUser-Agent: fetcher/1\r\n"
				   "Accept:\t*/*  \r\n\r\nrest";

	(void)state;
	assert_int_equal(feed(text), sizeof text - 1 - 4);
	assert_int_equal(r.state, HTTP_READ);
	assert_string_equal(r.method, "GET");
	assert_string_equal(r.target, "/.well-known/mta-sts.txt");
	assert_string_equal(r.host, "mta-sts.x.example");
	assert_string_equal(r.agent, "fetcher/1");
	assert_int_equal(r.minor, 1);
	assert_false(r.has_length);
	assert_memory_equal(r.head.s + r.fields, "Host:", 5);
	assert_int_equal(http_input(&r, "GET", 3), 0);
}

static void
looked_up(void **state)
{
	char value[16];

	(void)state;
	feed("GET / HTTP/1.1\r\nHost: h\r\nOrigin:  null \r\nX-Long: 0123456789abcdef\r\norigin: "
	     "second\r\nEmpty:\r\n\r\n");
	assert_int_equal(http_field(&r, "ORIGIN", value, sizeof value), 4);
	assert_string_equal(value, "null");
	assert_int_equal(http_field(&r, "Empty", value, sizeof value), 0);
	assert_string_equal(value, "");
	assert_int_equal(http_field(&r, "X-Long", value, sizeof value), -1);
	assert_int_equal(http_field(&r, "X-Lon", value, sizeof value), -1);
	assert_int_equal(http_field(&r, "GET / HTTP/1.1", value, sizeof value), -1);
	/* who says the truth stands last, in a line of its own perhaps */
	assert_int_equal(http_list(&r, "Origin", value, sizeof value), 11);
	assert_string_equal(value, "null,second");
	assert_int_equal(http_list(&r, "Origin", value, 7), 6);
	assert_string_equal(value, "second");
	assert_int_equal(http_list(&r, "Origin", value, 12), 11);
	assert_int_equal(http_list(&r, "Origin", value, 11), 10);
	assert_string_equal(value, "ull,second");
	assert_int_equal(http_list(&r, "Empty", value, sizeof value), 0);
	assert_string_equal(value, "");
	assert_int_equal(http_list(&r, "X-None", value, sizeof value), -1);
	feed("GET / HTTP/1.1\r\nHost: h\r\n");
	assert_int_equal(http_list(&r, "Host", value, sizeof value), -1);
	assert_int_equal(http_field(&r, "Host", value, sizeof value), -1);
}

static void
dates(void **state)
{
	char text[HTTP_DATE_MAX];

	(void)state;
	http_date(text, INT64_C(784111777000000));
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

/* The limit of a head can be another one. */
static void
shorter_heads(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

	(void)state;
	feed("");
	r.head_max = sizeof text - 1;
	http_input(&r, text, sizeof text - 1);
	assert_int_equal(r.state, HTTP_READ);
	feed("");
	r.head_max = sizeof text - 2;
	http_input(&r, text, sizeof text - 1);
	assert_int_equal(r.state, HTTP_BAD);
	assert_int_equal(r.status, 431);
}

/* RFC 9112 3.2.2 */
static void
absolute(void **state)
{
	static const char *const rows[][3] = {
		{ "http://A.Example/r", "a.example", "/r" },
		{ "HTTPS://a.example:443/r?a=b", "a.example", "/r?a=b" },
		{ "https://a.example.", "a.example", "/" },
		{ "https://a.example?a=b", "a.example", "/?a=b" },
		{ "https://[2001:db8::1]:443/", "[2001:db8::1]:443", "/" },
		{ "/http://a.example/", "h", "/http://a.example/" },
	};
	char text[HTTP_TARGET_MAX + 100], path[HTTP_TARGET_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", rows[i][0]);
		feed(text);
		assert_int_equal(r.state, HTTP_READ);
		assert_string_equal(r.host, rows[i][1]);
		assert_string_equal(r.target, rows[i][2]);
		assert_int_equal(r.absolute, rows[i][0][0] != '/');
	}
	/* what is long is the path, whatever stands before it */
	for (size_t len = HTTP_TARGET_MAX - 1; len <= HTTP_TARGET_MAX + 1; len++) {
		memset(path, 'a', len);
		path[len] = '\0';
		path[0] = '/';
		snprintf(text, sizeof text, "GET http://h%s HTTP/1.1\r\nHost: h\r\n\r\n", path);
		feed(text);
		assert_int_equal(r.state, len <= HTTP_TARGET_MAX ? HTTP_READ : HTTP_BAD);
		path[0] = '?'; /* one more, in its front */
		snprintf(text, sizeof text, "GET http://h%s HTTP/1.1\r\nHost: h\r\n\r\n", path);
		feed(text);
		assert_int_equal(r.state, len < HTTP_TARGET_MAX ? HTTP_READ : HTTP_BAD);
	}
	assert_int_equal(r.status, 414);
}

/* Any cut gives the same. */
static void
pieces(void **state)
{
	static const char text[] = "POST /r?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n"
				   "Content-Type: application/tlsrpt+gzip\r\n"
				   "Expect: 100-Continue\r\n\r\nbody";

	(void)state;
	for (size_t cut = 1; cut < sizeof text - 5; cut++) {
		size_t used;

		http_clear(&r);
		http_init(&r);
		used = http_input(&r, text, cut);
		assert_int_equal(used, cut);
		used += http_input(&r, text + cut, sizeof text - 1 - cut);
		assert_int_equal(used, sizeof text - 1 - 4);
		assert_int_equal(r.state, HTTP_READ);
		assert_int_equal(r.length, 12);
		assert_true(r.has_length && r.expects);
		assert_string_equal(r.type, "application/tlsrpt+gzip");
	}
}

static void
refused(void **state)
{
	static const struct {
		unsigned status;
		const char *text;
	} rows[] = {
		{ 400, "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\nHost: h\n\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n folded\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost : h\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h h\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h:44x\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n" },
		{ 400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET http://h:x/a HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET http:// HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET http://h/a HTTP/1.1\r\n\r\n" },
		{ 400, "GET http://h/a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n" },
		{ 400, "GET http://h/a HTTP/1.1\r\nHost: h h\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /\x80 HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /#x HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET / HTTP/1.1x\r\nHost: h\r\n\r\n" },
		{ 400, "GET / http/1.1\r\nHost: h\r\n\r\n" },
		{ 505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n" },
		{ 505, "GET /\r\n\r\n" },
		{ 501, "AVERYVERYLONGMETHOD / HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5"
		       "\r\n\r\n" },
		{ 413, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999"
		       "\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" },
		{ 501,
		    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n" },
		{ 501, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \vchunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
		       "Content-Length: 5\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n" },
		{ 417, "POST / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		feed(rows[i].text);
		if (r.state != HTTP_BAD || r.status != rows[i].status)
			fail_msg("row %zu: %u, not %u", i, r.state == HTTP_BAD ? r.status : 0,
			    rows[i].status);
	}
	feed("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n");
	assert_int_equal(r.state, HTTP_READ);
	assert_true(r.chunked && !r.has_length);
	/* not everybody takes it */
	http_clear(&r);
	http_init(&r);
	http_input(&r, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 49);
	assert_int_equal(r.state, HTTP_BAD);
	assert_int_equal(r.status, 501);
	/* HTTP/1.0 needs no Host */
	feed("GET / HTTP/1.0\r\n\r\n");
	assert_int_equal(r.state, HTTP_READ);
}

static void
nul(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n";

	(void)state;
	http_clear(&r);
	http_init(&r);
	http_input(&r, text, sizeof text - 1);
	assert_int_equal(r.state, HTTP_BAD);
}

/* Nothing grows without limit, whatever comes. */
static void
limits(void **state)
{
	static char big[3 * HTTP_HEAD_MAX];
	char line[64];
	size_t n;

	(void)state;
	memset(big, 'a', sizeof big - 1);
	assert_int_equal(feed(big), HTTP_HEAD_MAX);
	assert_int_equal(r.status, 414);

	memcpy(big, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28);
	assert_true(feed(big) <= HTTP_HEAD_MAX);
	assert_int_equal(r.status, 431);

	memset(big, 'a', sizeof big - 1);
	memcpy(big, "GET /", 5);
	strcpy(big + HTTP_TARGET_MAX + 10, " HTTP/1.1\r\nHost: h\r\n\r\n");
	feed(big);
	assert_int_equal(r.status, 414);

	n = (size_t)snprintf(big, sizeof big, "GET / HTTP/1.1\r\nHost: h\r\n");
	for (unsigned i = 0; i < HTTP_FIELDS_MAX + 1; i++) {
		snprintf(line, sizeof line, "X-%u: y\r\n", i);
		strcpy(big + n, line);
		n += strlen(line);
	}
	strcpy(big + n, "\r\n");
	feed(big);
	assert_int_equal(r.status, 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(plain, teardown),
		cmocka_unit_test_teardown(looked_up, teardown),
		cmocka_unit_test(dates),
		cmocka_unit_test_teardown(shorter_heads, teardown),
		cmocka_unit_test_teardown(absolute, teardown),
		cmocka_unit_test_teardown(pieces, teardown),
		cmocka_unit_test_teardown(refused, teardown),
		cmocka_unit_test_teardown(nul, teardown),
		cmocka_unit_test_teardown(limits, teardown),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
