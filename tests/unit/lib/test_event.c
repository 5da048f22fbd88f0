/* The codec of observations: the exact line, round trips of every octet and key, lines at the limit,
 * and what the decoder must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/event.h"
#include "lib/strbuf.h"

static struct event_line line;
static struct event_origin origin;

static void
begin(enum event_kind kind)
{
	origin = (struct event_origin){ .node = "a", .daemon = "smtpd", .worker = 3, .n = 412 };
	event_begin(&line, kind, &origin, INT64_C(1795298400123456));
}

static void
decode(struct event *e)
{
	char err[128] = "";

	assert_true(line.len <= EVENT_LINE_MAX);
	assert_int_equal(line.buf[line.len - 1], '\n');
	if (event_decode(e, line.buf, line.len, err, sizeof(err)) < 0)
		fail_msg("%s", err);
}

static void
test_exact(void **state)
{
	static const char expected[] =
	    "{\"v\":1,\"t\":\"2026-11-21T22:00:00.123456Z\",\"node\":\"a\",\"d\":\"smtpd\",\"w\":3,"
	    "\"n\":412,"
	    "\"ev\":\"smtp.command\",\"token\":\"k3x\",\"verb\":\"MAIL\","
	    "\"arg\":\"FROM:<\\u00e9\\\"\\\\\\u0000\\u007f>\",\"reply\":-250,\"pipelined\":true}\n";

	(void)state;
	begin(EV_SMTP_COMMAND);
	event_str(&line, EK_TOKEN, "k3x");
	event_str(&line, EK_TEST, "");
	event_str(&line, EK_CONN, NULL);
	event_str(&line, EK_VERB, "MAIL");
	event_text(&line, EK_ARG, "FROM:<\xe9\"\\\0\x7f>", 12);
	event_num(&line, EK_REPLY, -250);
	event_bool(&line, EK_PIPELINED, true);
	event_bool(&line, EK_TLS, false);
	event_end(&line);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.buf, expected, line.len);
	assert_int_equal(origin.n, 413);
}

/* Every key of every kind. */
static void
test_kinds(void **state)
{
	(void)state;
	for (int k = 0; k < EV_KIND_MAX; k++) {
		const struct event_kind_row *row = event_kind((enum event_kind)k);
		struct event e;

		begin((enum event_kind)k);
		for (const enum event_key *key = row->keys; *key != EK_MAX; key++) {
			const struct event_key_row *r = event_key(*key);
			if (r->type == EVT_TEXT)
				event_str(&line, *key, r->name);
			else if (r->type == EVT_NUM)
				event_num(&line, *key, *key);
			else
				event_bool(&line, *key, true);
		}
		event_end(&line);
		decode(&e);
		assert_int_equal(e.kind, k);
		assert_string_equal(e.kind_name, row->name);
		assert_string_equal(e.node, "a");
		assert_string_equal(e.daemon, "smtpd");
		assert_int_equal(e.worker, 3);
		assert_int_equal(e.n, 412);
		assert_int_equal(e.t, INT64_C(1795298400123456));
		for (const enum event_key *key = row->keys; *key != EK_MAX; key++) {
			const struct event_key_row *r = event_key(*key);
			assert_true(e.v[*key].set);
			if (r->type == EVT_TEXT)
				assert_string_equal(e.v[*key].text, r->name);
			else
				assert_int_equal(e.v[*key].num, r->type == EVT_NUM ? (int)*key : 1);
		}
		event_clear(&e);
	}
}

static void
test_tables(void **state)
{
	(void)state;
	for (int k = 0; k < EK_MAX; k++) {
		assert_non_null(event_key((enum event_key)k)->name);
		for (int other = 0; other < k; other++)
			assert_string_not_equal(event_key((enum event_key)k)->name,
			    event_key((enum event_key)other)->name);
	}
	for (int k = 0; k < EV_KIND_MAX; k++) {
		const char *name = event_kind((enum event_kind)k)->name;
		assert_int_equal(event_kind_by_name(name, strlen(name)), k);
		assert_int_equal(event_kind_by_name(name, strlen(name) - 1), EV_KIND_MAX);
	}
}

static void
test_octets(void **state)
{
	char all[256], *mem;
	struct event e;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	begin(EV_SMTP_COMMAND);
	event_text(&line, EK_ARG, all, sizeof(all));
	event_end(&line);
	for (size_t i = 0; i + 1 < line.len; i++)
		assert_in_range(line.buf[i], 0x20, 0x7e);
	/* Exactly the line in memory, so that a sanitizer sees a read behind it. */
	mem = xmalloc(line.len);
	memcpy(mem, line.buf, line.len);
	assert_int_equal(event_decode(&e, mem, line.len, NULL, 0), 0);
	free(mem);
	assert_int_equal(e.v[EK_ARG].len, 256);
	assert_memory_equal(e.v[EK_ARG].text, all, 256);
	assert_int_equal(e.v[EK_ARG].text[256], '\0');
	event_clear(&e);
}

/* Each octet at each place among plain ones, as the encoder looks at eight at a time. */
static void
test_places(void **state)
{
	char text[17];
	struct event e;

	(void)state;
	for (int c = 0; c < 256; c++)
		for (int place = 0; place < 17; place++) {
			memset(text, 'a' + place, sizeof(text));
			text[place] = (char)c;
			begin(EV_SMTP_COMMAND);
			event_text(&line, EK_ARG, text, sizeof(text));
			event_end(&line);
			decode(&e);
			assert_int_equal(e.v[EK_ARG].len, sizeof(text));
			assert_memory_equal(e.v[EK_ARG].text, text, sizeof(text));
			event_clear(&e);
			for (size_t i = 0; i + 1 < line.len; i++)
				assert_in_range(line.buf[i], 0x20, 0x7e);
		}
}

static void
test_numbers(void **state)
{
	static const int64_t nums[] = { 0, -1, 9, 10, INT64_MAX, INT64_MIN };
	struct event e;

	(void)state;
	for (size_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++) {
		begin(EV_SMTP_COMMAND);
		event_num(&line, EK_REPLY, nums[i]);
		event_end(&line);
		decode(&e);
		assert_true(e.v[EK_REPLY].num == nums[i]);
		event_clear(&e);
	}
}

/* A value that makes a line of exactly the limit is whole; one octet more and it is cut. */
static void
test_limit(void **state)
{
	char *big = xmalloc(EVENT_LINE_MAX);
	size_t fixed;
	struct event e;

	(void)state;
	memset(big, 'x', EVENT_LINE_MAX);
	begin(EV_SMTP_COMMAND);
	event_text(&line, EK_ARG, "", 0);
	event_end(&line);
	fixed = line.len;
	for (size_t more = 0; more < 40; more++) {
		begin(EV_SMTP_COMMAND);
		event_text(&line, EK_ARG, big, EVENT_LINE_MAX - fixed + more);
		event_end(&line);
		assert_int_equal(line.len, EVENT_LINE_MAX);
		decode(&e);
		assert_int_equal(e.v[EK_CUT].set, more > 0);
		assert_int_equal(e.v[EK_ARG].len,
		    EVENT_LINE_MAX - fixed - (more > 0 ? strlen(",\"cut\":true") : 0));
		event_clear(&e);
	}
	free(big);
}

/* Whatever is too long, the numbers and the short values behind it stay; escapes are never halved. */
static void
test_cut(void **state)
{
	char *big = xmalloc(3 * EVENT_LINE_MAX);
	struct event e;

	(void)state;
	memset(big, 0xee, 3 * EVENT_LINE_MAX);
	for (size_t len = 5000; len < 3 * EVENT_LINE_MAX; len += len < 11000 ? 997 : 40009) {
		begin(EV_SMTP_MESSAGE);
		event_text(&line, EK_FROM, big, len / 7);
		event_text(&line, EK_RCPTS, big, len);
		event_str(&line, EK_MAILBOX, "probe");
		event_text(&line, EK_SUBJECT, big, 1000);
		event_text(&line, EK_HEADERS, big, len / 2);
		event_num(&line, EK_REPLY, 250);
		event_bool(&line, EK_TLS, true);
		event_num(&line, EK_SIZE, INT64_MIN);
		event_end(&line);
		decode(&e);
		assert_true(e.v[EK_CUT].set ==
			    (6 * (len + len / 7 + 1000 + len / 2) + 300 > EVENT_LINE_MAX));
		assert_string_equal(e.v[EK_MAILBOX].text, "probe");
		assert_int_equal(e.v[EK_REPLY].num, 250);
		assert_true(e.v[EK_SIZE].num == INT64_MIN);
		assert_true(e.v[EK_TLS].set && e.v[EK_FROM].set && e.v[EK_HEADERS].set);
		assert_int_equal(e.v[EK_SUBJECT].len, 1000);
		assert_memory_equal(e.v[EK_RCPTS].text, big, e.v[EK_RCPTS].len);
		event_clear(&e);
	}
	free(big);
}

/* Equal values that do not fit together: no key is lost, no octet behind the limit is written. */
static void
test_cut_equal(void **state)
{
	size_t lens[] = { 65400, 32650, 21800, 16350 };
	char *big = xmalloc(EVENT_LINE_MAX);
	struct event e;

	(void)state;
	memset(big, 'q', EVENT_LINE_MAX);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t more = 0; more < 120; more++) {
			begin(EV_SMTP_COMMAND);
			event_text(&line, EK_ARG, big, lens[i] + more);
			event_text(&line, EK_ECODE, big, lens[i] + more);
			event_text(&line, EK_MAILBOX, big, lens[i] + more);
			event_num(&line, EK_REPLY, 250);
			event_end(&line);
			decode(&e);
			assert_true(e.v[EK_ARG].set && e.v[EK_ECODE].set && e.v[EK_MAILBOX].set &&
				    e.v[EK_REPLY].set);
			event_clear(&e);
		}
	free(big);
}

#define HEAD                                                                                       \
	"{\"v\":1,\"t\":\"2026-11-21T22:00:00Z\",\"node\":\"a\",\"d\":\"x\",\"w\":0,\"n\":1,"      \
	"\"ev\":\"node.stop\""

static void
test_accepted(void **state)
{
	static const char spaced[] =
	    " { \"ev\" :\t\"later.kind\", \"n\":7,\"w\":0,\"node\":\"\",\"d\":\"\\u0041\\/\\b\","
	    "\"t\":\"2026-11-21T22:00:00.5Z\",\"v\":1 , "
	    "\"new\":\"\\u0000\",\"newer\":-1,\"x\":false}\r\n";
	static const char rewritten[] = HEAD ",\"reason\":\"caf\xc3\xa9 \xc2\x80\"}";
	struct event e;
	char err[128];

	(void)state;
	assert_int_equal(event_decode(&e, spaced, strlen(spaced), err, sizeof(err)), 0);
	assert_int_equal(e.kind, EV_KIND_MAX);
	assert_string_equal(e.kind_name, "later.kind");
	assert_string_equal(e.daemon, "A/\b");
	assert_int_equal(e.n, 7);
	event_clear(&e);
	assert_int_equal(event_decode(&e, rewritten, strlen(rewritten), err, sizeof(err)), 0);
	assert_string_equal(e.v[EK_REASON].text, "caf\xe9 \x80");
	event_clear(&e);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "not a JSON object" },
		{ "[]", "not a JSON object" },
		{ "{}", "no key where one must stand" },
		{ HEAD, "object is not closed" },
		{ HEAD "}x", "more after the object" },
		{ HEAD ",}", "no key where one must stand" },
		{ HEAD ",\"reason\":\"a}", "unterminated string" },
		{ HEAD ",\"reason\":\"\\q\"}", "bad escape in a string" },
		{ HEAD ",\"reason\":\"\\u00g0\"}", "bad escape in a string" },
		{ HEAD ",\"reason\":\"\\u0100\"}", "bad escape in a string" },
		{ HEAD ",\"reason\":\"\\u00", "bad escape in a string" },
		{ HEAD ",\"reason\":\"\\", "bad escape in a string" },
		{ HEAD ",\"reason\":\"\n\"}", "control character in a string" },
		{ HEAD ",\"reason\":\"\xe9\"}", "octet 0xe9 in a string" },
		{ HEAD ",\"reason\":\"\xc3\"}", "octet 0xc3 in a string" },
		{ HEAD ",\"reason\":7}", "\"reason\" is not a string" },
		{ HEAD ",\"port\":\"7\"}", "\"port\" is not an integer" },
		{ HEAD ",\"tls\":1}", "\"tls\" is not a boolean" },
		{ HEAD ",\"port\":1.5}", "number is not an integer" },
		{ HEAD ",\"port\":1e3}", "number is not an integer" },
		{ HEAD ",\"port\":01}", "not a number" },
		{ HEAD ",\"port\":-}", "not a number" },
		{ HEAD ",\"port\":9223372036854775808}", "number out of range" },
		{ HEAD ",\"port\":-9223372036854775809}", "number out of range" },
		{ HEAD ",\"port\":null}",
		    "value of \"port\" is neither string, integer nor boolean" },
		{ HEAD ",\"new\":[1]}", "value of \"new\" is neither string, integer nor boolean" },
		{ HEAD ",\"new\":{}}", "value of \"new\" is neither string, integer nor boolean" },
		{ HEAD ",\"new\" 1}", "no colon after \"new\"" },
		{ HEAD ",\"port\":1,\"port\":1}", "\"port\" stands twice" },
		{ HEAD ",\"n\":1}", "\"n\" stands twice" },
		{ "{\"v\":1}", "no \"t\"" },
		{ "{\"v\":\"1\"}", "\"v\" is not an integer" },
		{ "{\"v\":2,\"t\":\"2026-11-21T22:00:00Z\",\"node\":\"a\",\"d\":\"x\",\"w\":0,"
		  "\"n\":1,\"ev\":\"a\"}",
		    "version 2 is not 1" },
		{ "{\"v\":1,\"t\":\"now\",\"node\":\"a\",\"d\":\"x\",\"w\":0,\"n\":1,\"ev\":\"a\"}",
		    "\"now\" is no time" },
		{ "{\"v\":1,\"t\":\"2026-11-21T22:00:00Z\",\"node\":\"a\",\"d\":\"x\",\"w\":-1,"
		  "\"n\":1,\"ev\":\"a\"}",
		    "worker or number out of range" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct event e;
		char err[128] = "", *exact = xmalloc(strlen(bad[i].text));

		memcpy(exact, bad[i].text, strlen(bad[i].text));
		if (event_decode(&e, exact, strlen(bad[i].text), err, sizeof(err)) != -1)
			fail_msg("accepted: %s", bad[i].text);
		assert_string_equal(err, bad[i].why);
		assert_null(e.mem);
		free(exact);
	}
}

static void
test_bounded(void **state)
{
	char *big = xmalloc(EVENT_LINE_MAX + 1), err[128];
	struct event e;

	(void)state;
	memset(big, ' ', EVENT_LINE_MAX + 1);
	memcpy(big, HEAD "}", strlen(HEAD "}"));
	assert_int_equal(event_decode(&e, big, EVENT_LINE_MAX, err, sizeof(err)), 0);
	event_clear(&e);
	assert_int_equal(event_decode(&e, big, EVENT_LINE_MAX + 1, err, sizeof(err)), -1);
	assert_string_equal(err, "longer than 65536 octets");
	free(big);
}

/* The manual has every kind and every key, and no line that begins with a stray control. */
static void
test_manual(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	event_manual(out);
	fclose(out);
	for (int k = 0; k < EV_KIND_MAX; k++) {
		char *item = xasprintf(".It Li %s\n", event_kind((enum event_kind)k)->name);
		assert_non_null(strstr(text, item));
		free(item);
	}
	for (int k = 0; k < EK_MAX; k++) {
		char *item = xasprintf(".It Li %s Pq ", event_key((enum event_key)k)->name);
		assert_non_null(strstr(text, item));
		free(item);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_equal),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_manual),
	};
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
