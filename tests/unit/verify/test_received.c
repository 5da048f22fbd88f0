/* Received fields. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/received.h"

static void
test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} cases[] = {
		{ "Thu, 01 Jan 1970 00:00:00 +0000", 0 },
		{ "Sun, 22 Nov 2026 02:00:00 +0000", 1795312800 },
		{ " 22 Nov 2026 03:00:00 +0100", 1795312800 },
		{ "22 nov 26 02:00 GMT (comment (nested))", 1795312800 },
		{ "Sun , 22 Nov 2026 02:00:00 Z", 1795312800 },
		{ "Sat, 21 Nov 2026 21:00:00 EST", 1795312800 },
		{ "Sun, 22 Nov 2026 07:30:00\r\n +0530", 1795312800 },
		{ "29 Feb 2024 00:00:00 +0000", 1709164800 },
		{ "31 Dec 1999 23:59:60 +0000", 946684800 },
		{ "1 Jan 99 0:00:00 UT", 915148800 },
		{ "", RECEIVED_NO_TIME },
		{ "yesterday", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:00:00", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 24:00:00 +0000", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:60:00 +0000", RECEIVED_NO_TIME },
		{ "Sun, 32 Nov 2026 02:00:00 +0000", RECEIVED_NO_TIME },
		{ "Sun, 22 Nix 2026 02:00:00 +0000", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 1026 02:00:00 +0000", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:00:00 +00", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:00:00 +0060", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:00:00 CEST", RECEIVED_NO_TIME },
		{ "Sun, 22 Nov 2026 02:00:00 +0000 x", RECEIVED_NO_TIME },
		{ "2026-11-22T02:00:00Z", RECEIVED_NO_TIME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t t = received_time(cases[i].text, strlen(cases[i].text));

		if (t != cases[i].time)
			fail_msg("%s: %lld", cases[i].text, (long long)t);
	}
}

static void
hop(struct received_hop *h, const char *value)
{
	size_t len = strlen(value);
	char *exact = xmalloc(len > 0 ? len : 1);

	memcpy(exact, value, len);
	received_hop_read(h, exact, len);
	free(exact);
}

static void
test_hop(void **state)
{
	struct received_hop h;

	(void)state;
	hop(&h,
	    " from mail.example.com (mail.example.com [192.0.2.1])\r\n\tby us.example (Postfix) "
	    "with ESMTPS id 4A\r\n\tfor <joe@example.net>; Sun, 22 Nov 2026 02:00:00 +0000 "
	    "(UTC)\r\n");
	assert_string_equal(h.from, "mail.example.com");
	assert_string_equal(h.from_info, "mail.example.com [192.0.2.1]");
	assert_string_equal(h.by, "us.example");
	assert_string_equal(h.with, "ESMTPS");
	assert_string_equal(h.for_whom, "<joe@example.net>");
	assert_int_equal(h.time, 1795312800);
	assert_string_equal(h.wrong, "");
	/* A ";" in a comment or in quotes is none. */
	hop(&h, "from a (x; y) by b with SMTP for \"q;r\"@c.example; 22 Nov 2026 02:00:00 +0000");
	assert_int_equal(h.time, 1795312800);
	assert_string_equal(h.for_whom, "\"q;r\"@c.example");
	hop(&h, "by b with LMTP id x; 22 Nov 2026 02:00:00 +0000");
	assert_string_equal(h.wrong, "");
	hop(&h, "by b with ESMTP id x; 22 Nov 2026 02:00:00 +0000");
	assert_string_equal(h.wrong, "it does not say from whom");
	hop(&h, "from a; 22 Nov 2026 02:00:00 +0000");
	assert_string_equal(h.wrong, "it does not say by whom");
	hop(&h, "from a by b with SMTP");
	assert_string_equal(h.wrong, "it has no date");
	hop(&h, "from a by b with SMTP; soon");
	assert_string_equal(h.wrong, "its date cannot be read (RFC 5322 3.3)");
	assert_int_equal(h.time, RECEIVED_NO_TIME);
	hop(&h, "(");
	hop(&h, "\"");
	hop(&h, "from");
	hop(&h, "");
	assert_string_equal(h.wrong, "it does not say by whom");
}

static void
read_all(struct received_result *r, const char *text, int64_t now)
{
	struct mail m;

	mail_parse(&m, text, strlen(text), &mail_limits);
	received_read(r, &m, now);
	mail_clear(&m);
}

#define HOP(time) "Received: from a by b with SMTP; 22 Nov 2026 " time " +0000\r\n"

static void
test_chain(void **state)
{
	struct received_result r;

	(void)state;
	read_all(&r, HOP("02:00:10") HOP("02:00:05") HOP("02:00:00") "\r\n", 1795312820);
	assert_int_equal(r.hops, 3);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.backwards, 0);
	assert_true(r.has_span);
	assert_int_equal(r.span, 10);
	assert_int_equal(r.ahead, 0);
	/* Two clocks that are wrong, and a field without time between them. */
	read_all(&r,
	    HOP("02:00:10") "Received: from a by b\r\n" HOP("02:01:00") HOP("02:00:00")
		HOP("03:00:00") "\r\n",
	    1795312800);
	assert_int_equal(r.hops, 5);
	assert_int_equal(r.wrong, 1);
	assert_int_equal(r.backwards, 2);
	assert_int_equal(r.most, 3600);
	assert_int_equal(r.span, -3590);
	assert_int_equal(r.ahead, 10);
	read_all(&r, "From: x\r\n\r\n" HOP("02:00:00"), 0);
	assert_int_equal(r.hops, 0);
	assert_false(r.has_span);
}

static void
test_many(void **state)
{
	struct received_result r;
	struct strbuf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < RECEIVED_HOPS_MAX + 1; i++)
		strbuf_puts(&b, HOP("02:00:00"));
	strbuf_puts(&b, "\r\n");
	read_all(&r, b.s, 0);
	assert_int_equal(r.hops, RECEIVED_HOPS_MAX + 1);
	assert_int_equal(r.n, RECEIVED_HOPS_MAX);
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_hop),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
