/* The data block: the same message must give the same facts however it is cut into pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "smtpd/data.h"

static const struct {
	const char *wire, *content;
	unsigned lines, longest, bare_lf, bare_cr;
} rows[] = {
	{ ".\r\n", "", 0, 0, 0, 0 },
	{ "a\r\n.\r\n", "a\r\n", 1, 1, 0, 0 },
	{ "\r\n\r\n.\r\n", "\r\n\r\n", 2, 0, 0, 0 },
	{ "..\r\n.\r\n", ".\r\n", 1, 1, 0, 0 },
	{ "...a\r\n.\r\n", "..a\r\n", 1, 3, 0, 0 },
	{ ".a\r\n.\r\n", "a\r\n", 1, 1, 0, 0 },
	{ "a.\r\n.\r\n", "a.\r\n", 1, 2, 0, 0 },
	{ ".\n\r\n.\r\n", "\n\r\n", 1, 1, 1, 0 },
	{ "\n.\n\r\n.\r\n", "\n.\n\r\n", 1, 3, 2, 0 },
	{ "\n.\r\n\r\n.\r\n", "\n.\r\n\r\n", 2, 2, 1, 0 },
	{ "\r.\r\r\n.\r\n", "\r.\r\r\n", 1, 3, 0, 2 },
	{ ".\r.\r\n.\r\n", "\r.\r\n", 1, 2, 0, 1 },
	{ ".\r\r\n.\r\n", "\r\r\n", 1, 1, 0, 1 },
	{ "a\r\r\n.\r\n", "a\r\r\n", 1, 2, 0, 1 },
	{ "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", 2, 1, 0, 1 },
};

static void
digest_of(char hex[65], const char *bytes, size_t len)
{
	unsigned char md[EVP_MAX_MD_SIZE];

	EVP_Digest(bytes, len, md, NULL, EVP_sha256(), NULL);
	for (unsigned i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

static void
check(size_t i, size_t cut1, size_t cut2)
{
	size_t len = strlen(rows[i].wire), at = 0;
	const size_t stop[3] = { cut1, cut2, len };
	struct data d;
	char want[65], got[65];
	bool done = false;

	data_init(&d, EVP_sha256(), 1024);
	for (unsigned k = 0; k < 3; k++) {
		size_t n = stop[k] - at;
		char *piece = malloc(n > 0 ? n : 1);

		assert_false(done && n > 0);
		memcpy(piece, rows[i].wire + at, n);
		if (n > 0)
			assert_int_equal(data_input(&d, piece, n, &done), n);
		free(piece);
		at = stop[k];
	}
	assert_true(done);
	if (d.size != strlen(rows[i].content))
		print_error(
		    "row %zu cut %zu %zu: size %llu\n", i, cut1, cut2, (unsigned long long)d.size);
	assert_int_equal(d.size, strlen(rows[i].content));
	assert_int_equal(d.lines, rows[i].lines);
	assert_int_equal(d.longest, rows[i].longest);
	assert_int_equal(d.bare_lf, rows[i].bare_lf);
	assert_int_equal(d.bare_cr, rows[i].bare_cr);
	digest_of(want, rows[i].content, strlen(rows[i].content));
	data_digest(&d, got);
	assert_string_equal(got, want);
	data_clear(&d);
}

static void
test_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t a = 0; a <= strlen(rows[i].wire); a++)
			for (size_t b = a; b <= strlen(rows[i].wire); b++)
				check(i, a, b);
}

/* What stands behind the end is not read. */
static void
test_rest(void **state)
{
	struct data d;
	bool done;

	(void)state;
	data_init(&d, EVP_sha256(), 1024);
	assert_int_equal(data_input(&d, "a\r\n.\r\nQUIT\r\n", 12, &done), 6);
	assert_true(done);
	data_clear(&d);
}

static void
test_fields(void **state)
{
	static const char m[] =
	    "Message-ID:  <1@x> \r\nX-Other: no\r\n no\r\nsubject: a\r\n\tb\r\n c\r\n"
	    "To: one\nFrom: bare\n\r\nTo: body\r\n.\r\n";
	struct data d;
	bool done;
	char text[64];

	(void)state;
	data_init(&d, EVP_sha256(), 1024);
	data_input(&d, m, sizeof m - 1, &done);
	assert_true(done);
	data_field(&d, "Message-ID", text, sizeof text);
	assert_string_equal(text, "<1@x>");
	data_field(&d, "Subject", text, sizeof text);
	assert_string_equal(text, "a\tb c");
	data_field(&d, "To", text, sizeof text);
	assert_string_equal(text, "one");
	data_field(&d, "Cc", text, sizeof text);
	assert_string_equal(text, "");
	data_field(&d, "Subject", text, 3);
	assert_string_equal(text, "a");
	assert_null(strstr(d.headers.s, "X-Other"));
	assert_null(strstr(d.headers.s, "body"));
	assert_int_equal(d.bare_lf, 2);
	data_clear(&d);
}

static void
test_counts(void **state)
{
	struct data d;
	bool done;

	(void)state;
	data_init(&d, EVP_sha256(), 16);
	data_input(
	    &d, "To: 12345678901234567890\r\nSubject: x\r\n\0\xff\x80\t\r\n.\r\n", 48, &done);
	assert_true(done);
	assert_int_equal(d.nul, 1);
	assert_int_equal(d.eightbit, 2);
	assert_true(d.headers_cut);
	assert_string_equal(d.headers.s, "Subject: x\r\n"); /* what fits is kept */
	data_clear(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
