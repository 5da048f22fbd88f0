/* All judges together: one message in, one JSON object out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "verify/verify.h"

#define TYPE_A   1
#define TYPE_PTR 12
#define TYPE_TXT 16

/* "NAME TYPE DATA": of A four octets, of PTR a name in wire format, of TXT the text. */
struct answer {
	const char *name;
	uint16_t type;
	enum lookup_status status;
	const char *data;
	size_t len;
};

static const struct answer zone[] = {
	{ "example.com", TYPE_TXT, LOOKUP_OK, "v=spf1 ip4:192.0.2.1 -all", 0 },
	{ "mail.example.com", TYPE_TXT, LOOKUP_OK, "v=spf1 a -all", 0 },
	{ "mail.example.com", TYPE_A, LOOKUP_OK, "\300\0\2\1", 4 },
	{ "1.2.0.192.in-addr.arpa", TYPE_PTR, LOOKUP_OK, "\4mail\7example\3com", 18 },
	{ "_dmarc.example.com", TYPE_TXT, LOOKUP_OK, "v=DMARC1; p=reject; rua=mailto:d@example.com",
	    0 },
	{ "broken.example", TYPE_TXT, LOOKUP_FAILED, "", 0 },
	{ "_dmarc.broken.example", TYPE_TXT, LOOKUP_BOGUS, "", 0 },
};

static void
reply(struct lookups *book, const struct lookup *l)
{
	for (size_t i = 0; i < sizeof(zone) / sizeof(*zone); i++) {
		const struct answer *a = &zone[i];
		uint8_t data[256];
		size_t len = a->len;
		struct lookup_rdata rdata = { data, 0 };

		if (a->type != l->type || strcmp(a->name, l->name) != 0)
			continue;
		if (a->type == TYPE_TXT) {
			len = strlen(a->data) + 1;
			data[0] = (uint8_t)(len - 1);
			memcpy(data + 1, a->data, len - 1);
		} else {
			memcpy(data, a->data, len);
		}
		rdata.len = (uint16_t)len;
		assert_int_equal(
		    lookup_put(book, l->name, l->type, a->status, false, "because", &rdata, 1), 0);
		return;
	}
	assert_int_equal(
	    lookup_put(book, l->name, l->type, LOOKUP_NXDOMAIN, false, NULL, NULL, 0), 0);
}

struct verdict {
	struct json_doc *doc;
	const struct json *root;
	unsigned rounds;
	size_t len;
};

static struct verdict
judge(const char *message, size_t len, const char *client, const char *helo, const char *from)
{
	const struct verify_input in = { .message = message,
		.len = len,
		.client = client,
		.helo = helo,
		.from = from,
		.us = "us.example",
		.now = 1795000000 };
	struct lookups *book = lookups_new(VERIFY_LOOKUPS_MAX);
	struct strbuf json = { 0 };
	struct verdict v = { 0 };
	char err[200];

	while (verify_run(&in, book, &json) == VERIFY_NEED) {
		const struct lookup *l;
		size_t iter = 0, n = 0;

		assert_int_equal(json.len, 0);
		for (; (l = lookup_wanted(book, &iter)) != NULL; n++)
			reply(book, l);
		assert_true(n > 0);
		assert_true(++v.rounds < 30);
	}
	assert_true(json.len <= VERIFY_JSON_MAX);
	for (size_t i = 0; i < json.len; i++)
		assert_true(json.s[i] >= ' ' && json.s[i] <= '~');
	v.len = json.len;
	if ((v.doc = json_parse(json.s, json.len, err, sizeof(err))) == NULL)
		fail_msg("%s: %s", err, json.s);
	v.root = json_root(v.doc);
	strbuf_clear(&json);
	lookups_free(book);
	return v;
}

/* "a.b.c" in the tree. */
static const char *
value(const struct verdict *v, const char *path)
{
	const struct json *at = v->root;
	char key[32];

	while (strchr(path, '.') != NULL) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)n, path);
		at = json_get(at, key);
		assert_non_null(at);
		path += n + 1;
	}
	return json_string(at, path) != NULL ? json_string(at, path) : "";
}

static const char plain[] = "Received: from mail.example.com (mail.example.com [192.0.2.1])\r\n"
			    "\tby us.example with ESMTP id x; Sun, 22 Nov 2026 02:00:00 +0000\r\n"
			    "From: Joe <joe@example.com>\r\nSubject: x\r\n\r\nhello\r\n";

static void
test_plain(void **state)
{
	struct verdict v = judge(
	    plain, sizeof(plain) - 1, "192.0.2.1", "mail.example.com", "bounce@example.com");

	(void)state;
	assert_string_equal(value(&v, "author.domain"), "example.com");
	assert_string_equal(value(&v, "spf.mailfrom.result"), "pass");
	assert_string_equal(value(&v, "spf.helo.result"), "pass");
	assert_string_equal(value(&v, "dkim.result"), "none");
	assert_string_equal(value(&v, "arc.result"), "none");
	assert_string_equal(value(&v, "dmarc.result"), "pass");
	assert_string_equal(value(&v, "dmarc.rfc7489.policy"), "reject");
	assert_string_equal(value(&v, "dmarc.rfc9989.result"), "pass");
	assert_string_equal(value(&v, "fcrdns.result"), "pass");
	assert_string_equal(value(&v, "ehlo.form"), "name");
	assert_int_equal(json_int(json_get(v.root, "received"), "hops", -1), 1);
	assert_null(json_get(v.root, "cut"));
	/* The names of the host are known after one round, so all is after two. */
	assert_true(v.rounds <= 3);
	json_free(v.doc);
}

static void
test_null_sender(void **state)
{
	struct verdict v = judge(plain, sizeof(plain) - 1, "192.0.2.9", "mail.example.com", "");

	(void)state;
	assert_string_equal(value(&v, "spf.mailfrom.result"), "fail");
	assert_string_equal(value(&v, "spf.mailfrom.domain"), "mail.example.com");
	assert_string_equal(value(&v, "dmarc.result"), "fail");
	assert_string_equal(value(&v, "fcrdns.result"), "none");
	json_free(v.doc);
}

static void
test_no_answers(void **state)
{
	static const char message[] = "From: a@broken.example\r\n\r\n";
	struct verdict v = judge(
	    message, sizeof(message) - 1, "192.0.2.1", "x", "a@broken.example");

	(void)state;
	assert_string_equal(value(&v, "spf.mailfrom.result"), "temperror");
	assert_string_equal(value(&v, "dmarc.result"), "temperror");
	assert_string_equal(value(&v, "ehlo.form"), "single label");
	json_free(v.doc);
}

static void
test_no_author(void **state)
{
	static const char *const messages[] = { "", "\r\n", "Subject: x\r\n\r\nx\r\n",
		"From: a@example.com\r\nFrom: b@example.com\r\n\r\n", "From: <>\r\n\r\n",
		"nonsense without end", "From: a@example.com, b@example.net\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct verdict v = judge(
		    messages[i], strlen(messages[i]), "2001:db8::1", "", "joe@example.com");

		assert_string_equal(value(&v, "dmarc.result"), "permerror");
		assert_true(value(&v, "author.why")[0] != '\0');
		assert_string_equal(value(&v, "spf.mailfrom.result"), "fail");
		json_free(v.doc);
	}
}

static void
test_bad_client(void **state)
{
	struct verdict v = judge(plain, sizeof(plain) - 1, "nonsense", "\xff\xff", "\"\xff\"@\xff");

	(void)state;
	assert_string_equal(value(&v, "fcrdns.result"), "permerror");
	assert_string_equal(value(&v, "ehlo.form"), "malformed");
	json_free(v.doc);
}

/* However much there is to tell, it fits. */
static void
test_hostile(void **state)
{
	struct strbuf b = { 0 };
	struct verdict v;

	(void)state;
	strbuf_puts(&b, "From: \xff\xfe <a@");
	for (unsigned i = 0; i < 120; i++)
		strbuf_puts(&b, "a.");
	strbuf_puts(&b, "example>\r\n");
	for (unsigned i = 0; i < 40; i++) {
		strbuf_printf(
		    &b, "Received: from \xff\xff\xff\xff\xff by \xff (\xff); no date\r\n");
		strbuf_printf(&b, "DKIM-Signature: v=1; a=rsa-sha256; d=%u.", i);
		for (unsigned k = 0; k < 28; k++)
			strbuf_puts(&b, "\"\\aaaaaa.");
		strbuf_puts(&b, "example; s=");
		for (unsigned k = 0; k < 28; k++)
			strbuf_puts(&b, "\"\\ssssss.");
		strbuf_puts(&b, "x; h=from:");
		for (unsigned k = 0; k < 200; k++)
			strbuf_puts(&b, "\"\\\"\\\"\\:");
		strbuf_puts(&b, "to; l=3; bh=AAAA; b=AAAA\r\n");
		strbuf_printf(&b,
		    "ARC-Seal: i=%u; cv=pass; a=rsa-sha256; d=d.example; s=s; b=AA\r\n"
		    "ARC-Message-Signature: i=%u; a=rsa-sha256; d=d.example; s=s; h=from; "
		    "bh=AA; b=AA\r\nARC-Authentication-Results: i=%u; \xff\xff\xff; none\r\n",
		    i + 1, i + 1, i + 1);
	}
	strbuf_puts(&b, "\r\nbody\r\n");
	v = judge(b.s, b.len, "192.0.2.1", "mail.example.com", "joe@example.com");
	assert_non_null(json_get(v.root, "cut"));
	/* What verdicts hang on is there all the same. */
	assert_null(json_get(json_get(json_get(v.root, "dkim"), "signature")->child, "headers"));
	for (const struct json *s = json_get(json_get(v.root, "dkim"), "signature")->child;
	     s != NULL; s = s->next)
		assert_int_equal(json_int(s, "body_limit", -1), 3);
	assert_int_equal(json_int(json_get(v.root, "dkim"), "signatures", -1), 40);
	assert_int_equal(json_int(json_get(v.root, "received"), "hops", -1), 40);
	json_free(v.doc);
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_null_sender),
		cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_no_author),
		cmocka_unit_test(test_bad_client),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
