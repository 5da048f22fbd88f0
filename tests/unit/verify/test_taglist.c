/* Tag-lists, strictly (RFC 6376 3.2), and what stands in the values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/strbuf.h"
#include "verify/taglist.h"

static struct taglist l;

static int
parse(const char *text)
{
	return taglist_parse(&l, text, strlen(text));
}

static void
expect(struct span s, const char *text)
{
	assert_int_equal(s.n, strlen(text));
	assert_memory_equal(s.p, text, s.n);
}

static void
test_right(void **state)
{
	(void)state;
	assert_int_equal(parse(" v=1 ; a = x y ;\r\n\tb=a\r\n b;c=; d_2=a=b;\r\n "), 0);
	assert_int_equal(l.n, 5);
	expect(taglist_value(&l, "v", ""), "1");
	expect(taglist_value(&l, "a", ""), "x y");
	expect(taglist_value(&l, "b", ""), "a\r\n b");
	expect(taglist_value(&l, "c", "?"), "");
	expect(taglist_value(&l, "d_2", ""), "a=b");
	expect(taglist_value(&l, "A", "fallback"), "fallback");
	assert_non_null(taglist_get(&l, "c"));
	assert_null(taglist_get(&l, "e"));
	assert_string_equal(l.wrong, "");
	assert_int_equal(parse("a=1"), 0);
	assert_int_equal(parse("a=1;A=2"), 0); /* names are case-sensitive */
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "empty" },
		{ " \r\n ", "empty" },
		{ ";", "tag 1 has no =" },
		{ "a=1;;b=2", "tag 2 has no =" },
		{ "a=1;b", "tag 2 has no =" },
		{ "a=1;;", "tag 2 has no =" },
		{ "=1", "tag 1 has no name" },
		{ "1a=1", "tag 1: a name begins with a letter" },
		{ "_a=1", "tag 1: a name begins with a letter" },
		{ "a-b=1", "tag 1: a character that no name of a tag may have" },
		{ "a b=1", "tag 1: a character that no name of a tag may have" },
		{ "a=1;b=2;a=3", "tag a= stands there twice" },
		{ "a=\x7f", "tag 1: octet 0x7f is no character of a value" },
		{ "a=\xc3\xb6", "tag 1: octet 0xc3 is no character of a value" },
		{ "a=x\ny", "tag 1: CR or LF that is no fold" },
		{ "a=x\r\ny", "tag 1: CR or LF that is no fold" },
		{ "a=x\ry", "tag 1: CR or LF that is no fold" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text), -1);
		assert_string_equal(l.wrong, rows[i].why);
	}
	assert_int_equal(parse("a=1;b=2;c"), -1);
	assert_int_equal(l.n, 2);
	assert_int_equal(taglist_parse(&l, "a=\0", 3), -1);
}

static void
test_many(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	for (int i = 0; i < TAGLIST_MAX; i++)
		strbuf_printf(&b, "a%d=%d;", i, i);
	assert_int_equal(taglist_parse(&l, b.s, b.len), 0);
	assert_int_equal(l.n, TAGLIST_MAX);
	strbuf_puts(&b, "b=1");
	assert_int_equal(taglist_parse(&l, b.s, b.len), -1);
	assert_string_equal(l.wrong, "more than 64 tags");
	strbuf_clear(&b);
}

static void
test_squeeze(void **state)
{
	char dst[4];

	(void)state;
	assert_true(taglist_squeeze(dst, sizeof(dst), (struct span){ "a\r\n b\tc ", 8 }));
	assert_string_equal(dst, "abc");
	assert_false(taglist_squeeze(dst, sizeof(dst), (struct span){ "abcd", 4 }));
	assert_string_equal(dst, "abc");
	assert_true(taglist_squeeze(dst, sizeof(dst), (struct span){ "", 0 }));
	assert_string_equal(dst, "");
}

static void
test_number(void **state)
{
	static const struct {
		const char *text;
		int64_t number;
	} rows[] = {
		{ "0", 0 },
		{ "1790000000", 1790000000 },
		{ "007", 7 },
		{ "999999999999999999", 999999999999999999 },
		{ "1000000000000000000", -1 },
		{ "", -1 },
		{ "-1", -1 },
		{ "1 2", -1 },
		{ "0x1", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    taglist_number((struct span){ rows[i].text, strlen(rows[i].text) }),
		    rows[i].number);
}

static void
test_items(void **state)
{
	static const char *const due[] = { "a", "", "b c", "" };
	struct span rest = { "a: :\r\n b c:", 11 }, item;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(taglist_item(&item, &rest, ':'));
		expect(item, due[i]);
	}
	assert_false(taglist_item(&item, &rest, ':'));
	rest = (struct span){ "", 0 };
	assert_true(taglist_item(&item, &rest, ':'));
	assert_int_equal(item.n, 0);
	assert_false(taglist_item(&item, &rest, ':'));
}

static void
test_base64(void **state)
{
	static const struct {
		const char *text;
		int n;
		const char *octets;
	} rows[] = {
		{ "YQ==", 1, "a" },
		{ "YWI=", 2, "ab" },
		{ "YWJj", 3, "abc" },
		{ " YW\r\n\tJjZA = =", 4, "abcd" },
		{ "+/+/", 3, "\xfb\xff\xbf" },
		{ "YWJjZGVm", 6, "abcdef" },
		{ "YWJjZGVmZw==", -1, NULL }, /* 7 octets do not fit */
		{ "", -1, NULL },
		{ "=", -1, NULL },
		{ "Y", -1, NULL },
		{ "Y===", -1, NULL },
		{ "YQ", -1, NULL },
		{ "YQ=", -1, NULL },
		{ "YQ==YQ==", -1, NULL },
		{ "Y-Q=", -1, NULL },
	};
	uint8_t dst[6];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span s = { rows[i].text, strlen(rows[i].text) };
		assert_int_equal(taglist_base64(dst, sizeof(dst), s), rows[i].n);
		if (rows[i].n > 0)
			assert_memory_equal(dst, rows[i].octets, (size_t)rows[i].n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_squeeze),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests_name("taglist", tests, NULL, NULL);
}
