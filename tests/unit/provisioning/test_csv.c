/* Lists of people: RFC 4180, and every mistake with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/strbuf.h"
#include "provisioning/csv.h"

static const char *const wanted[] = { "address", "label", "tags", NULL };
static char err[200];

static int
collect(void *ctx, unsigned line, char *const *value)
{
	strbuf_printf(ctx, "%u:%s|%s|%s;", line, value[0], value[1] != NULL ? value[1] : "-",
	    value[2] != NULL ? value[2] : "-");
	return strcmp(value[0], "stop") == 0 ? 7 : 0;
}

static void
reads(const char *text, int rc, const char *expected)
{
	struct strbuf b = { 0 };

	err[0] = '\0';
	strbuf_puts(&b, "");
	assert_int_equal(
	    csv_read("f.csv", text, strlen(text), wanted, collect, &b, err, sizeof err), rc);
	assert_string_equal(rc == -1 ? err : b.s, expected);
	strbuf_clear(&b);
}

static void
good(void **state)
{
	(void)state;
	reads("address\na@b\n", 0, "2:a@b|-|-;");
	reads("address\r\na@b\r\nc@d", 0, "2:a@b|-|-;3:c@d|-|-;");
	reads("\xef\xbb\xbf"
	      "Tags,x,ADDRESS\nt,1,a\n\n\n,,b\n",
	    0, "2:a|-|t;5:b|-|;");
	reads("address,label\na,\"x, \"\"y\"\"\r\nz\"\nb,\n", 0, "2:a|x, \"y\"\r\nz|-;4:b||-;");
	reads("\"address\"\n\"a\"\n", 0, "2:a|-|-;");
	reads("address\na\rb\n", 0, "2:a\rb|-|-;");
	reads("address\none\nstop\ntwo\n", 7, "2:one|-|-;3:stop|-|-;");
	reads("address\n", 0, "");
	reads("address", 0, "");
}

static void
bad(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	reads("", -1, "f.csv:1: empty: the first line must name the columns");
	reads("\n\n", -1, "f.csv:1: empty: the first line must name the columns");
	reads("label\nx\n", -1,
	    "f.csv:1: no column \"address\": the first line must name the columns");
	reads("address,Address\n", -1, "f.csv:1: a column stands there twice");
	reads("address,label\na,b\n\nc\n", -1, "f.csv:4: not as many fields as the first line has");
	reads("address\na,b\n", -1, "f.csv:2: not as many fields as the first line has");
	reads("address\n\"a\nb\n", -1, "f.csv:2: the quote is not closed");
	reads("address\n\"a\nb\"c\n", -1,
	    "f.csv:3: after a closing quote only a comma or the line's end may stand");
	reads("address\na\"b\n", -1,
	    "f.csv:2: a quote inside a field: the whole field must be quoted, and the quote "
	    "doubled");
	assert_int_equal(
	    csv_read("f.csv", "address\na\0b\n", 12, wanted, collect, &b, err, sizeof err), -1);
	assert_string_equal(err, "f.csv:2: a NUL octet: this is no text");
	strbuf_clear(&b);
}

static void
limits(void **state)
{
	struct strbuf b = { 0 }, row = { 0 };

	(void)state;
	strbuf_puts(&b, "address\n");
	for (unsigned i = 0; i < CSV_FIELD_MAX; i++)
		strbuf_puts(&b, "x");
	assert_int_equal(csv_read("f", b.s, b.len, wanted, collect, &row, err, sizeof err), 0);
	strbuf_puts(&b, "x");
	assert_int_equal(csv_read("f", b.s, b.len, wanted, collect, &row, err, sizeof err), -1);
	assert_string_equal(err, "f:2: a field is longer than 1024 octets: is a quote missing?");
	strbuf_reset(&b);
	strbuf_puts(&b, "address");
	for (unsigned i = 1; i < CSV_COLUMNS_MAX; i++)
		strbuf_puts(&b, ",");
	assert_int_equal(csv_read("f", b.s, b.len, wanted, collect, &row, err, sizeof err), 0);
	strbuf_puts(&b, ",");
	assert_int_equal(csv_read("f", b.s, b.len, wanted, collect, &row, err, sizeof err), -1);
	assert_string_equal(err, "f:1: more than 16 columns");
	strbuf_clear(&b);
	strbuf_clear(&row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
