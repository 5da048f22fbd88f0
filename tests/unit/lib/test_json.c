/* Strict JSON: what RFC 8259 allows is read, all else is refused, and the limits hold. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/json.h"
#include "lib/strbuf.h"

static struct json_doc *
parse(const char *text)
{
	char err[128], *exact = xmalloc(strlen(text));
	struct json_doc *doc;

	memcpy(exact, text, strlen(text));
	doc = json_parse(exact, strlen(text), err, sizeof(err));
	free(exact);
	if (doc == NULL)
		fail_msg("%s: %s", text, err);
	return doc;
}

static void
test_tree(void **state)
{
	struct json_doc *doc = parse(
	    " {\"a\":[1,\"x\",{},[],null], \"b\" : true,\"c\":false,\"d\":-7,\"e\":\"s\"} \n");
	const struct json *root = json_root(doc), *a = json_get(root, "a");

	(void)state;
	assert_int_equal(root->type, JSON_OBJECT);
	assert_int_equal(root->len, 5);
	assert_int_equal(a->type, JSON_ARRAY);
	assert_int_equal(a->len, 5);
	assert_int_equal(a->child->integer, 1);
	assert_null(a->child->key);
	assert_string_equal(a->child->next->string, "x");
	assert_int_equal(a->child->next->next->next->next->type, JSON_NULL);
	assert_true(json_get(root, "b")->boolean);
	assert_false(json_get(root, "c")->boolean);
	assert_int_equal(json_get(root, "c")->type, JSON_BOOL);
	assert_int_equal(json_int(root, "d", 5), -7);
	assert_int_equal(json_int(root, "e", 5), 5);
	assert_int_equal(json_int(root, "z", 5), 5);
	assert_string_equal(json_string(root, "e"), "s");
	assert_null(json_string(root, "d"));
	assert_null(json_string(a, "d"));
	assert_null(json_get(NULL, "d"));
	json_free(doc);
	json_free(NULL);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *text;
		double number;
		int64_t integer;
	} cases[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "12.75", 12.75, 12 },
		{ "-12.75", -12.75, -12 },
		{ "1e2", 100, 100 },
		{ "1E+2", 100, 100 },
		{ "25e-1", 2.5, 2 },
		{ "9007199254740993", 9007199254740992.0, INT64_C(9007199254740993) },
		{ "9223372036854775807", 9223372036854775808.0, INT64_MAX },
		{ "-9223372036854775808", -9223372036854775808.0, INT64_MIN },
		{ "9223372036854775808", 9223372036854775808.0, INT64_MAX },
		{ "1e30", 1e30, INT64_MAX },
		{ "-1e30", -1e30, INT64_MIN },
		{ "1e999", DBL_MAX, INT64_MAX },
		{ "-1e999", -DBL_MAX, INT64_MIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_doc *doc = parse(cases[i].text);

		assert_int_equal(json_root(doc)->type, JSON_NUMBER);
		assert_true(json_root(doc)->number == cases[i].number);
		assert_true(json_root(doc)->integer == cases[i].integer);
		json_free(doc);
	}
}

static void
test_strings(void **state)
{
	static const struct {
		const char *text, *string;
		size_t len;
	} cases[] = {
		{ "\"\"", "", 0 },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8 },
		{ "\"\\u0041\\u00e9\\u0000x\"", "A\xe9\0x", 4 },
		{ "\"\\u20AC\\uD83D\\ude00\"", "\xe2\x82\xac\xf0\x9f\x98\x80", 7 },
		{ "\"\xc3\xa9\x7f\"", "\xc3\xa9\x7f", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_doc *doc = parse(cases[i].text);

		assert_int_equal(json_root(doc)->len, cases[i].len);
		assert_memory_equal(json_root(doc)->string, cases[i].string, cases[i].len + 1);
		json_free(doc);
	}
}

/* Octets of every value survive strbuf_json and the way back. */
static void
test_octets(void **state)
{
	struct strbuf b = { 0 };
	struct json_doc *doc;
	char all[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)(255 - i);
	strbuf_json(&b, all, sizeof(all));
	doc = parse(b.s);
	assert_int_equal(json_root(doc)->len, 256);
	assert_memory_equal(json_root(doc)->string, all, 256);
	json_free(doc);
	strbuf_clear(&b);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[", "]", "[1", "[1,", "[1,]", "[,1]",
		"[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\" 1}", "\"",
		"\"\\\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"",
		"\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\x01\"", "\"\n\"", "\"\xff\"", "\"\xc3\"",
		"01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity",
		"tru", "truex", "nul", "True", "1 1", "{}{}", "// c\n1", "'a'",
		"\xef\xbb\xbf\x31" };
	char err[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *exact = xmalloc(strlen(bad[i]));

		memcpy(exact, bad[i], strlen(bad[i]));
		err[0] = '\0';
		if (json_parse(exact, strlen(bad[i]), err, sizeof(err)) != NULL)
			fail_msg("accepted: %s", bad[i]);
		assert_memory_equal(err, "octet ", 6);
		free(exact);
	}
	assert_null(json_parse("1\0", 2, err, sizeof(err)));
	assert_string_equal(err, "octet 1: more after the value");
}

static void
test_depth(void **state)
{
	struct strbuf b = { 0 };
	char err[128];

	(void)state;
	for (int depth = 64; depth <= 65; depth++) {
		struct json_doc *doc;

		strbuf_reset(&b);
		for (int i = 0; i < depth; i++)
			strbuf_puts(&b, i % 2 ? "{\"k\":" : "[");
		strbuf_puts(&b, "1");
		for (int i = depth - 1; i >= 0; i--)
			strbuf_puts(&b, i % 2 ? "}" : "]");
		doc = json_parse(b.s, b.len, err, sizeof(err));
		assert_true((doc != NULL) == (depth == 64));
		json_free(doc);
	}
	assert_non_null(strstr(err, "deeper than 64"));
	strbuf_clear(&b);
}

static void
test_nodes(void **state)
{
	size_t n = 1000000; /* values, the array counts as one */
	char *text = xmalloc(2 * n + 2), err[128];
	struct json_doc *doc;

	(void)state;
	for (size_t i = 0; i < n; i++)
		memcpy(text + 2 * i, ",1", 2);
	text[0] = '[';
	text[2 * n - 2] = ']';
	doc = json_parse(text, 2 * n - 1, err, sizeof(err));
	assert_non_null(doc);
	assert_int_equal(json_root(doc)->len, n - 1);
	json_free(doc);
	memcpy(text + 2 * n - 2, ",1]", 3);
	assert_null(json_parse(text, 2 * n + 1, err, sizeof(err)));
	assert_non_null(strstr(err, "more than 1000000 values"));
	free(text);
}

static void
test_writing(void **state)
{
	static char a[] = "a", brace[] = "{", nothing[] = "";
	char *list[] = { a, brace, nothing };
	struct strbuf b = { 0 };

	(void)state;
	json_begin(&b, NULL, '{');
	json_put(&b, "text", "x[");
	json_put(&b, "none", NULL);
	json_put_some(&b, "absent", NULL);
	json_put_some(&b, "absent", "");
	json_put_some(&b, "some", ",");
	json_put_num(&b, "least", INT64_MIN);
	json_put_num(&b, "most", INT64_MAX);
	json_put_hash(&b, "hash", 0xab);
	json_put_hash(&b, "hash", 0);
	json_put_bool(&b, "yes", true);
	json_put_bool(&b, "no", false);
	json_put_null(&b, "null");
	json_put_time(&b, "never", 0);
	json_put_time(&b, "t", 1000001);
	json_put_list(&b, "list", list, 3);
	json_put_list(&b, "empty", list, 0);
	json_key(&b, "quo\"te");
	strbuf_puts(&b, "0.5");
	json_begin(&b, "nested", '[');
	json_begin(&b, NULL, '{');
	json_end(&b, '}');
	json_begin(&b, NULL, '[');
	json_put_num(&b, NULL, 1);
	json_put_num(&b, NULL, -2);
	json_put_bool(&b, NULL, true);
	json_put_null(&b, NULL);
	json_end(&b, ']');
	json_key(&b, NULL);
	strbuf_puts(&b, "\n");
	json_begin(&b, NULL, '{');
	json_end(&b, '}');
	json_end(&b, ']');
	json_key(&b, "last");
	json_put(&b, NULL, ":");
	json_end(&b, '}');
	assert_string_equal(b.s,
	    "{\"text\":\"x[\",\"none\":\"\",\"some\":\",\",\"least\":-9223372036854775808,"
	    "\"most\":9223372036854775807,\"hash\":\"00000000000000ab\",\"yes\":true,\"no\":false,"
	    "\"null\":null,\"never\":null,"
	    "\"t\":\"1970-01-01T00:00:01.000001Z\",\"list\":[\"a\",\"{\",\"\"],\"empty\":[],"
	    "\"quo\\\"te\":0.5,\"nested\":[{},[1,-2,true,null],\n{}],\"last\":\":\"}");
	json_free(parse(b.s));
	/* A line of its own behind others. */
	strbuf_puts(&b, "\n");
	json_begin(&b, NULL, '[');
	assert_string_equal(b.s + b.len - 4, "\"}\n[");
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_writing),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nodes),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
