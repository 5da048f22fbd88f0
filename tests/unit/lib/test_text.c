/* The reader of our files: words, quotes, continuations, sections, and errors with the right line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/text.h"

/* What a text reads as: "NUMBER:[section] word|word" lines, then the error if there is one. */
static char *
read_as(const char *data, size_t len)
{
	struct text_reader *r = text_from("f", data, len);
	struct strbuf b = { 0 };
	struct text_line line;
	int rc;

	strbuf_puts(&b, "");
	while ((rc = text_next(r, &line)) == 1) {
		strbuf_printf(&b, "%u:%s", line.number, line.section ? "[]" : "");
		for (unsigned i = 0; i < line.n; i++) {
			strbuf_puts(&b, i > 0 ? "|" : "");
			strbuf_puts(&b, line.quoted[i] ? "'" : "");
			strbuf_add(&b, line.word[i], line.len[i]);
		}
		strbuf_puts(&b, "\n");
	}
	if (rc < 0) {
		strbuf_puts(&b, text_error(r));
		assert_int_equal(text_next(r, &line), -1);
	} else {
		assert_string_equal(text_error(r), "");
		assert_int_equal(text_next(r, &line), 0);
	}
	text_close(r);
	return b.s;
}

static void
check(const char *data, const char *expected)
{
	char *s = read_as(data, strlen(data));

	assert_string_equal(s, expected);
	free(s);
}

static void
test_words(void **state)
{
	(void)state;
	check("", "");
	check("\n \n\t\n# c\n  # c\n", "");
	check("a", "1:a\n");
	check("a b\tc  \n", "1:a|b|c\n");
	check("a # b", "1:a\n");
	check("a#b #c", "1:a#b\n");
	check("\n\na\n\nb\n", "3:a\n5:b\n");
	check("a\r\nb c\r\n", "1:a\n2:b|c\n");
	check("\\# 4 0a000001\n", "1:\\#|4|0a000001\n");
	check("caf\xc3\xa9\n", "1:caf\xc3\xa9\n");
}

static void
test_quotes(void **state)
{
	(void)state;
	check("a \"b c\" d", "1:a|'b c|d\n");
	check("\"\"", "1:'\n");
	check("k=\"v w\" x=\"\" \"=\"", "1:k=v w|x=|'=\n");
	check("\"# no comment\"# x", "f:1: text right after a closing quote, a blank is missing");
	check("\"a # b\" # c", "1:'a # b\n");
	check("\"\\\"\\\\\\r\\n\\t\\x41\\xfF\"", "1:'\"\\\r\n\tA\xff\n");
	check("x\ny \"abc\nz",
	    "1:x\nf:2: quote is not closed, or its next line does not begin with a blank");
	check("\"a\"b", "f:1: text right after a closing quote, a blank is missing");
	check("\"a\"\"b\"", "f:1: text right after a closing quote, a blank is missing");
	check("a\"b\"", "f:1: quote inside a word, it may stand at its start or after \"=\"");
	check("\"\\q\"", "f:1: bad escape in quotes, only \\\" \\\\ \\n \\r \\t \\xHH are known");
	check("\"\\x4\"", "f:1: bad escape in quotes, only \\\" \\\\ \\n \\r \\t \\xHH are known");
	check("\"\\", "f:1: bad escape in quotes, only \\\" \\\\ \\n \\r \\t \\xHH are known");
}

static void
test_nul(void **state)
{
	struct text_reader *r = text_from("f", "\"a\\x00b\" c", 10);
	struct text_line line;

	(void)state;
	assert_int_equal(text_next(r, &line), 1);
	assert_int_equal(line.n, 2);
	assert_int_equal(line.len[0], 3);
	assert_memory_equal(line.word[0], "a\0b", 4);
	assert_string_equal(line.word[1], "c");
	text_close(r);
	r = text_from("f", "a\nb\0c\n", 6);
	assert_int_equal(text_next(r, &line), 1);
	assert_int_equal(text_next(r, &line), -1);
	assert_string_equal(text_error(r), "f:2: control character 0x00");
	text_close(r);
	check("a\rb\n", "f:1: control character 0x0d");
	check("\"\x7f\"", "f:1: control character 0x7f");
}

static void
test_continuation(void **state)
{
	(void)state;
	check("a b\n c\n\td\ne\n", "1:a|b|c|d\n4:e\n");
	check("a # x\n\n # y\n b # z\n", "1:a|b\n");
	check("about \"one\n       two.\n\n   three\" x\nb\n", "1:about|'one two. three|x\n5:b\n");
	check("a \"one\n # two\"\n", "1:a|'one # two\n");
	check(" a\n", "f:1: line begins with a blank but continues nothing");
	check("# c\n a\n", "f:2: line begins with a blank but continues nothing");
	check("a\n b\n c \"d\ne",
	    "f:3: quote is not closed, or its next line does not begin with a blank");
	check("a\n b\"c\n", "f:2: quote inside a word, it may stand at its start or after \"=\"");
}

static void
test_raw(void **state)
{
	const char *data = "a  \"b  c\"   # x\n   d\te   \n[s t] # y\n";
	struct text_reader *r = text_from("f", data, strlen(data));
	struct text_line line;

	(void)state;
	assert_int_equal(text_next(r, &line), 1);
	assert_string_equal(line.raw, "a  \"b  c\" d\te");
	assert_null(line.word[line.n]);
	assert_int_equal(text_next(r, &line), 1);
	assert_string_equal(line.raw, "[s t]");
	text_close(r);
}

static void
test_sections(void **state)
{
	(void)state;
	check("[dns]\n[host 0] # c\n[ \"a ]\" ]\n[]\n", "1:[]dns\n2:[]host|0\n3:[]'a ]\n4:[]\n");
	check("[trace a\n  b]\n", "1:[]trace|a|b\n");
	check("[dns", "f:1: section without \"]\"");
	check("[dns]x", "f:1: text after the section's \"]\"");
	check("[dns]\n x", "f:2: text after the section's \"]\"");
	check("a]b [c\n", "1:a]b|[c\n");
}

/* A line of exactly the limit is read, one octet more is not; the same for words. */
static void
test_limits(void **state)
{
	char *data = xmalloc(TEXT_LINE_MAX + 3), *s;

	(void)state;
	memset(data, 'x', TEXT_LINE_MAX + 2);
	s = read_as(data, TEXT_LINE_MAX);
	assert_int_equal(strlen(s), 2 + TEXT_LINE_MAX + 1);
	free(s);
	s = read_as(data, TEXT_LINE_MAX + 1);
	assert_string_equal(s, "f:1: line longer than 4096 octets");
	free(s);
	memcpy(data + TEXT_LINE_MAX - 3, "\n yy", 4); /* joined by one blank: exactly the limit */
	s = read_as(data, TEXT_LINE_MAX + 1);
	assert_int_equal(strlen(s), 2 + TEXT_LINE_MAX + 1);
	free(s);
	s = read_as(data, TEXT_LINE_MAX + 2);
	assert_string_equal(s, "f:2: line longer than 4096 octets");
	free(s);
	for (int i = 0; i < 2 * TEXT_WORDS_MAX + 2; i++)
		data[i] = i % 2 ? ' ' : 'w';
	s = read_as(data, 2 * TEXT_WORDS_MAX);
	assert_int_equal(strlen(s), 2 + 2 * TEXT_WORDS_MAX);
	free(s);
	s = read_as(data, 2 * TEXT_WORDS_MAX + 2);
	assert_string_equal(s, "f:1: more than 256 words in one line");
	free(s);
	free(data);
}

static void
test_fail(void **state)
{
	struct text_reader *r = text_from("f", "a\nb\n c\nd \"", 9);
	struct text_line line;

	(void)state;
	assert_int_equal(text_next(r, &line), 1);
	assert_int_equal(text_next(r, &line), 1);
	assert_int_equal(text_fail(r, "%s: no such %s", line.word[0], "thing"), -1);
	assert_int_equal(text_fail(r, "second"), -1);
	assert_string_equal(text_error(r), "f:2: b: no such thing");
	assert_int_equal(text_next(r, &line), 1);
	assert_string_equal(line.word[0], "d");
	text_close(r);
	text_close(NULL);
}

static void
test_open(void **state)
{
	char path[] = "/tmp/test_text.XXXXXX", err[256] = "";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	struct text_reader *r;
	struct text_line line;

	(void)state;
	fputs("k v\n", out);
	fclose(out);
	r = text_open(path, err, sizeof(err));
	assert_non_null(r);
	assert_int_equal(text_next(r, &line), 1);
	assert_string_equal(line.word[1], "v");
	text_close(r);
	unlink(path);
	assert_null(text_open(path, err, sizeof(err)));
	assert_memory_equal(err, path, strlen(path));
	assert_string_equal(err + strlen(path), ": No such file or directory");
	assert_null(text_open("/", err, sizeof(err)));
	assert_string_equal(err, "/: Is a directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_continuation),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_fail),
		cmocka_unit_test(test_open),
	};
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
