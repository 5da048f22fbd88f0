/* What became of messages of ours, and which lines of a mail server's log say nothing of them. */
#include "outpost/deliveries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TOKEN "acacacacacacacac"
#define DAY   (86400 * CLOCK_SECOND)

static struct deliveries *d;
static struct delivery y;
static int64_t now;

static bool
is_ours(void *ctx, const char *msgid, char token[TOKEN_LEN + 1])
{
	(void)ctx;
	if (strncmp(msgid, "<ours", 5) != 0)
		return false;
	memcpy(token, TOKEN, TOKEN_LEN + 1);
	return true;
}

static int
setup(void **state)
{
	(void)state;
	d = deliveries_new(is_ours, NULL);
	now = 1000 * DAY;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	deliveries_free(d);
	return 0;
}

static bool
says(const char *line)
{
	char text[900];

	snprintf(text, sizeof text, "Nov 22 05:38:34 host postfix/%s", line);
	return deliveries_line(&y, d, text, strlen(text), now);
}

#define TLS(pid, relay)                                                                            \
	"smtp[" pid "]: Trusted TLS connection established to " relay                              \
	": TLSv1.3 with cipher X (256/256 bits)"
#define TO(pid, queue, relay, status)                                                              \
	"smtp[" pid "]: " queue ": to=<a@b.example>, relay=" relay                                 \
	", delay=1, delays=1, dsn=2.0.0, status=" status " (250 ok)"
#define MX "mx.b.example[192.0.2.1]:25"

static void
ours_and_others(void **state)
{
	(void)state;
	assert_false(says("cleanup[1]: AAAAAA: message-id=<ours.1@x>"));
	assert_false(says("qmgr[1]: AAAAAA: from=<bounce@x>, size=1, nrcpt=1 (queue active)"));
	assert_false(says("cleanup[1]: BBBBBB: message-id=<other.1@x>"));
	assert_false(says(TO("7", "BBBBBB", MX, "sent")));
	assert_true(says(TO("7", "AAAAAA", MX, "deferred")));
	assert_string_equal(y.token, TOKEN);
	assert_string_equal(y.msgid, "<ours.1@x>");
	assert_string_equal(y.from, "bounce@x");
	assert_string_equal(y.line->what, "deferred");
	/* a content filter on this host: the message comes back under another number */
	assert_false(says(TO("7", "AAAAAA", "127.0.0.1[127.0.0.1]:10024", "sent")));
	assert_false(says("qmgr[1]: AAAAAA: removed"));
	assert_false(says(TO("7", "AAAAAA", MX, "sent")));
	/* the number is given to somebody else's message */
	assert_false(says("cleanup[1]: CCCCCC: message-id=<ours.2@x>"));
	assert_false(says("cleanup[1]: CCCCCC: message-id=<other.2@x>"));
	assert_false(says(TO("7", "CCCCCC", MX, "sent")));
}

static void
tls(void **state)
{
	(void)state;
	says("cleanup[1]: AAAAAA: message-id=<ours.1@x>");
	says("cleanup[1]: BBBBBB: message-id=<ours.2@x>");
	assert_true(says(TO("7", "AAAAAA", MX, "sent")));
	assert_string_equal(y.line->version, ""); /* nobody knows */
	says(TLS("7", MX));
	assert_true(says(TO("8", "BBBBBB", MX, "sent")));
	assert_string_equal(y.line->version, DELIVERIES_CLEAR); /* another process */
	assert_true(says(TO("7", "AAAAAA", MX, "sent")));
	assert_string_equal(y.line->version, "TLSv1.3");
	assert_string_equal(y.line->verified, "trusted");
	assert_true(says(TO("7", "AAAAAA", MX, "sent"))); /* its next recipient */
	assert_string_equal(y.line->version, "TLSv1.3");
	assert_true(says(TO("7", "BBBBBB", MX, "sent"))); /* the next message: another connection */
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
	says(TLS("7", "mx2.b.example[192.0.2.2]:25"));
	assert_true(says(TO("7", "BBBBBB", MX, "sent"))); /* TLS was with another host */
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
	says(TLS("7", MX));
	says("smtp[7]: BBBBBB: lost connection with mx.b.example[192.0.2.1] while sending RCPT TO");
	assert_true(says(TO("7", "BBBBBB", MX, "sent"))); /* once more, in the clear */
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
	assert_true(says(TO("7", "BBBBBB", MX, "deferred")));
	assert_string_equal(y.line->version, "");
	now += DELIVERIES_TRUST + 1;
	assert_true(says(TO("7", "BBBBBB", MX, "sent")));
	assert_string_equal(y.line->version, "");
	now -= 1;
	assert_true(says(TO("7", "BBBBBB", MX, "sent")));
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
}

static void
saved(void **state)
{
	struct strbuf one = { 0 }, two = { 0 };

	(void)state;
	says("cleanup[1]: AAAAAA: message-id=<ours.\"1@x>");
	says("qmgr[1]: AAAAAA: from=<bounce@x>, size=1, nrcpt=1 (queue active)");
	says(TLS("7", MX));
	deliveries_save(&one, d);
	deliveries_free(d);
	d = deliveries_new(is_ours, NULL);
	for (const char *p = one.s, *end; (end = strchr(p, '\n')) != NULL; p = end + 1)
		assert_true(deliveries_load(d, p, (size_t)(end - p)));
	deliveries_save(&two, d);
	assert_string_equal(one.s, two.s);
	assert_true(says(TO("7", "AAAAAA", MX, "sent")));
	assert_string_equal(y.line->version, "TLSv1.3");
	assert_string_equal(y.msgid, "<ours.\"1@x>");
	assert_false(deliveries_load(d, "{}", 2));
	assert_false(deliveries_load(d, "{\"pid\":-1}", 10));
	assert_false(deliveries_load(d, "x", 1));
	strbuf_clear(&one);
	strbuf_clear(&two);
}

/* At the limits the oldest go. */
static void
full(void **state)
{
	char line[200];

	(void)state;
	for (unsigned i = 0; i <= DELIVERIES_OPEN_MAX; i++, now++) {
		snprintf(line, sizeof line, "cleanup[1]: AA%06u: message-id=<ours.%u@x>", i, i);
		says(line);
	}
	assert_false(says(TO("7", "AA000000", MX, "sent")));
	assert_true(says(TO("7", "AA000001", MX, "sent")));
	assert_true(says(TO("7", "AA004096", MX, "sent")));
	for (unsigned i = 1; i <= DELIVERIES_TLS_MAX + 1; i++, now++) {
		snprintf(line, sizeof line, TLS("%u", MX), i);
		says(line);
	}
	assert_true(says(TO("1", "AA000001", MX, "sent")));
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
	assert_true(says(TO("2", "AA000001", MX, "sent")));
	assert_string_equal(y.line->version, "TLSv1.3");
	assert_true(says(TO("257", "AA000001", MX, "sent")));
	assert_string_equal(y.line->version, "TLSv1.3");
}

static void
exim(void **state)
{
	static const char *const lines[] = {
		"2026-11-22 05:38:34 1xABCD-00000a-AB <= bounce@x U=root P=local S=9 id=ours.1@x",
		"2026-11-22 05:38:34 1xABCD-00000a-AB => a@b.example R=r T=t H=mx.b.example "
		"[192.0.2.1] X=TLS1.2:Y:256 CV=yes C=\"250 ok\"",
		"2026-11-22 05:38:34 1xABCD-00000a-AB -> c@b.example R=r T=t H=mx.b.example "
		"[192.0.2.1] C=\"250 ok\"",
	};

	(void)state;
	assert_false(deliveries_line(&y, d, lines[0], strlen(lines[0]), now));
	assert_true(deliveries_line(&y, d, lines[1], strlen(lines[1]), now));
	assert_string_equal(y.from, "bounce@x");
	assert_string_equal(y.line->version, "TLSv1.2");
	assert_string_equal(y.line->verified, "verified");
	assert_true(deliveries_line(&y, d, lines[2], strlen(lines[2]), now));
	assert_string_equal(y.line->version, DELIVERIES_CLEAR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ours_and_others, setup, teardown),
		cmocka_unit_test_setup_teardown(tls, setup, teardown),
		cmocka_unit_test_setup_teardown(saved, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
		cmocka_unit_test_setup_teardown(exim, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
