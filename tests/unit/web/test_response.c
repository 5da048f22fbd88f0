/* What every response says, and which browsers' forms are ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h makes macros of names that zones/test.h declares. */
#include "web/exchange.h"
#include "web/serve.h"

#include <cmocka.h>

static const char *
written(struct strbuf *b, const struct response *r)
{
	strbuf_reset(b);
	response_write(b, r, INT64_C(784111777000000));
	return b->s;
}

static void
protects(void **state)
{
	struct response r = {
		.status = 200, .type = "text/html", .cache = "no-store", .body = "abc", .len = 3
	};
	struct strbuf b = { 0 };
	const char *s = written(&b, &r);

	(void)state;
	assert_memory_equal(s, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 54);
	assert_non_null(strstr(s, "\r\nContent-Security-Policy: default-src 'none'; "));
	assert_null(strstr(s, "unsafe"));
	assert_non_null(strstr(s, "\r\nConnection: close\r\n"));
	assert_null(strstr(s, "Strict-Transport-Security"));
	assert_non_null(strstr(s, "\r\nContent-Length: 3\r\n"));
	assert_string_equal(s + strlen(s) - 7, "\r\n\r\nabc");
	r.secure = r.keep = r.head = true;
	r.fields = "Allow: GET\r\n";
	s = written(&b, &r);
	assert_non_null(strstr(s, "\r\nStrict-Transport-Security: max-age=31536000\r\n"));
	assert_non_null(strstr(s, "\r\nConnection: keep-alive\r\n"));
	assert_non_null(strstr(s, "\r\nContent-Length: 3\r\n"));
	assert_string_equal(s + strlen(s) - 14, "Allow: GET\r\n\r\n");
	r.stream = true;
	assert_null(strstr(written(&b, &r), "Content-Length"));
	strbuf_clear(&b);
}

static void
fields_are_one_line(void **state)
{
	struct exchange x = { 0 };

	(void)state;
	exchange_field(&x, "Location", "/a\r\nSet-Cookie: x=1\x7f");
	assert_string_equal(x.fields.s, "Location: /aSet-Cookie: x=1\r\n");
	exchange_clear(&x);
}

static bool
ours(const char *fields)
{
	struct http_request r;
	char text[600];
	bool is;

	snprintf(text, sizeof text, "POST /run HTTP/1.1\r\nHost: a.example:8443\r\n%s\r\n", fields);
	http_init(&r);
	http_input(&r, text, strlen(text));
	assert_int_equal(r.state, HTTP_READ);
	is = exchange_is_ours(&r);
	http_clear(&r);
	return is;
}

static void
origins(void **state)
{
	(void)state;
	assert_true(ours(""));
	assert_true(ours("Origin: https://a.example:8443\r\n"));
	assert_true(ours("Origin: https://A.Example:8443\r\nSec-Fetch-Site: same-origin\r\n"));
	assert_true(ours("Sec-Fetch-Site: none\r\n"));
	assert_false(ours("Origin: https://a.example\r\n"));
	assert_false(ours("Origin: https://a.example:8443.evil.example\r\n"));
	assert_false(ours("Origin: https://evil.example\r\n"));
	assert_false(ours("Origin: null\r\n"));
	assert_false(ours("Origin: \r\n"));
	assert_false(ours("Origin: https://a.example:8443\r\nSec-Fetch-Site: same-site\r\n"));
	assert_false(ours("Sec-Fetch-Site: cross-site\r\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protects),
		cmocka_unit_test(fields_are_one_line),
		cmocka_unit_test(origins),
	};

	return cmocka_run_group_tests_name("response", tests, NULL, NULL);
}
