/* Mail to who runs the site: its file is named by us and begins with what we know, whatever a stranger wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "outpost/letter.h"
#include "results/mime.h"

#define TIME INT64_C(1795294800000042) /* 2026-11-21T21:00:00.000042Z */

static struct event_line line;
static struct event event;
static struct strbuf text;

/* The event of a message, and the file that is made of it. */
static bool
make(struct letter *l, const char *node, const char *from, const char *raw, size_t len, int cut)
{
	struct event_origin origin = { .node = node, .daemon = "smtpd", .worker = 1, .n = 7 };
	char data[1024], err[200];

	mime_base64_put(data, raw, len);
	event_begin(&line, EV_SMTP_OPERATOR, &origin, TIME);
	event_str(&line, EK_PEER, "192.0.2.7");
	event_str(&line, EK_FROM, from);
	event_str(&line, EK_MAILBOX, "Abuse");
	event_num(&line, EK_REPLY, 250);
	event_bool(&line, EK_TLS, true);
	event_num(&line, EK_BYTES, (int64_t)len + cut);
	event_str(&line, EK_SUBJECT, "hello");
	event_str(&line, EK_DATA, data);
	event_end(&line);
	event_clear(&event);
	assert_int_equal(event_decode(&event, line.buf, line.len - 1, err, sizeof err), 0);
	assert_true(letter_read(l, &event));
	strbuf_reset(&text);
	return letter_file(&text, l, &event, "outpost.example");
}

static void
whole(void **state)
{
	struct letter l;

	(void)state;
	assert_true(make(&l, "a", "x@y.example", "Subject: hello\r\n\r\n.\r\nb\rc\nd\r", 28, 0));
	assert_string_equal(l.name, "1795294800.000042_1_7.a");
	assert_string_equal(l.mailbox, "Abuse");
	assert_string_equal(l.subject, "hello");
	assert_true(l.tls && l.taken);
	assert_string_equal(text.s,
	    "Return-Path: <x@y.example>\nDelivered-To: Abuse@outpost.example\n"
	    "Received: from [192.0.2.7] by mail.outpost.example with ESMTPS; "
	    "Sat, 21 Nov 2026 21:00:00 +0000\n"
	    "Subject: hello\n\n.\nb\rc\nd\r");
}

static void
null_sender_and_nul(void **state)
{
	struct letter l;

	(void)state;
	assert_true(make(&l, "a", "", "a\0b\r\n", 5, 0));
	assert_memory_equal(text.s, "Return-Path: <>\n", 16);
	assert_memory_equal(text.s + text.len - 4, "a\0b\n", 4);
}

static void
hostile(void **state)
{
	struct letter l;

	(void)state;
	assert_true(make(&l, "../no:de\n", "a\r\nBcc: x\x7f@y", "x\r\n", 3, 0));
	assert_string_equal(l.name, "1795294800.000042_1_7...-no-de-");
	assert_memory_equal(text.s, "Return-Path: <a??Bcc: x?@y>\nDelivered-To:", 41);
}

/* What is not the whole message is said to be none; what is there is written all the same. */
static void
damaged(void **state)
{
	struct letter l;

	(void)state;
	assert_false(make(&l, "a", "x@y", "x\r\n", 3, 1));
	assert_non_null(strstr(text.s, "+0000\nx\n"));
}

static void
refused(void **state)
{
	struct event_origin origin = { .node = "a", .daemon = "smtpd", .n = 1 };
	struct letter l;
	char err[200];

	(void)state;
	event_begin(&line, EV_SMTP_OPERATOR, &origin, TIME);
	event_num(&line, EK_REPLY, 452);
	event_end(&line);
	event_clear(&event);
	assert_int_equal(event_decode(&event, line.buf, line.len - 1, err, sizeof err), 0);
	assert_true(letter_read(&l, &event));
	assert_false(l.taken);
	assert_string_equal(l.subject, "");
	event_begin(&line, EV_SMTP_DSN, &origin, TIME);
	event_end(&line);
	event_clear(&event);
	assert_int_equal(event_decode(&event, line.buf, line.len - 1, err, sizeof err), 0);
	assert_false(letter_read(&l, &event));
}

static int
teardown(void **state)
{
	(void)state;
	event_clear(&event);
	strbuf_clear(&text);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(null_sender_and_nul),
		cmocka_unit_test(hostile),
		cmocka_unit_test(damaged),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
