/* The book of answers: names, order, limits, copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "verify/lookup.h"

#define A   1
#define TXT 16

static struct lookup_rdata
rdata(const void *data, size_t len)
{
	return (struct lookup_rdata){ data, (uint16_t)len };
}

/* n octets of c, then what follows. */
static const char *
filled(char c, size_t n, const char *more)
{
	static char text[4][1200];
	static unsigned turn;
	char *s = text[turn++ % 4];

	memset(s, c, n);
	snprintf(s + n, sizeof(text[0]) - n, "%s", more);
	return s;
}

static void
test_names(void **state)
{
	static const struct {
		const char *asked, *kept; /* NULL: no domain name */
	} cases[] = {
		{ "Example.ORG", "example.org" },
		{ "example.org.", "example.org" },
		{ "_dmarc.x", "_dmarc.x" },
		{ "a\\.b.c", "a\\046b.c" },
		{ "a\\046b.c", "a\\046b.c" },
		{ "a b.c", "a\\032b.c" },
		{ "a\\\\b", "a\\092b" },
		{ "\\065\\066", "ab" },
		{ "\\000\\255", "\\000\\255" },
		{ "foo:bar/baz%", "foo:bar/baz%" },
		{ "\xc3\xa9.x", "\\195\\169.x" },
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ ".a", NULL },
		{ "a..b", NULL },
		{ "a..", NULL },
		{ "a\\", NULL },
		{ "a\\25", NULL },
		{ "a\\256", NULL },
		{ "a\\2b5", NULL },
	};
	struct lookups *b = lookups_new(100);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct lookup *l = lookup_get(b, cases[i].asked, A);

		if (cases[i].kept == NULL) {
			assert_int_equal(l->status, LOOKUP_NXDOMAIN);
			assert_string_equal(l->name, "");
			continue;
		}
		assert_int_equal(l->status, LOOKUP_WANTED);
		assert_string_equal(l->name, cases[i].kept);
		assert_ptr_equal(lookup_get(b, l->name, A), l);
	}
	lookups_free(b);
}

static void
test_name_lengths(void **state)
{
	struct lookups *b = lookups_new(100);
	char name[1200] = "";
	const struct lookup *l;

	(void)state;
	assert_int_equal(lookup_get(b, filled('a', 63, ".x"), A)->status, LOOKUP_WANTED);
	assert_int_equal(lookup_get(b, filled('a', 64, ".x"), A)->status, LOOKUP_NXDOMAIN);
	for (int i = 0; i < 3; i++)
		strcat(name, filled('a', 63, "."));
	strcat(name, filled('b', 61, ""));
	assert_int_equal(strlen(name), 253);
	assert_int_equal(lookup_get(b, name, A)->status, LOOKUP_WANTED);
	strcat(name, ".");
	assert_int_equal(lookup_get(b, name, A)->status, LOOKUP_WANTED);
	name[253] = 'b';
	assert_int_equal(lookup_get(b, name, A)->status, LOOKUP_NXDOMAIN);

	/* The longest text that a name has. */
	name[0] = '\0';
	for (int i = 0; i < 253; i++)
		strcat(name, i % 64 == 63 ? "." : "\\001");
	l = lookup_get(b, name, A);
	assert_int_equal(l->status, LOOKUP_WANTED);
	assert_string_equal(l->name, name);
	strcat(name, "\\001");
	assert_int_equal(lookup_get(b, name, A)->status, LOOKUP_NXDOMAIN);
	lookups_free(b);
}

static void
test_answers(void **state)
{
	struct lookups *b = lookups_new(100);
	const struct lookup *a = lookup_get(b, "one.example", A), *t, *n;
	uint8_t address[] = { 192, 0, 2, 1 };
	struct lookup_rdata r[2] = { rdata(address, 4), rdata(NULL, 0) };
	char long_why[300];
	size_t iter = 0;

	(void)state;
	t = lookup_get(b, "one.example", TXT);
	n = lookup_get(b, "two.example", A);
	assert_ptr_not_equal(a, t);
	assert_ptr_equal(lookup_wanted(b, &iter), a);
	assert_int_equal(lookup_put(b, "ONE.example.", A, LOOKUP_OK, true, NULL, r, 2), 0);
	memset(address, 0, sizeof(address));
	assert_int_equal(a->status, LOOKUP_OK);
	assert_true(a->secure);
	assert_int_equal(a->n, 2);
	assert_int_equal(a->rdata[0].len, 4);
	assert_memory_equal(a->rdata[0].data, "\xc0\0\2\1", 4);
	assert_int_equal(a->rdata[1].len, 0);
	assert_string_equal(a->why, "");

	/* Once only, and only what was asked. */
	assert_int_equal(lookup_put(b, "one.example", A, LOOKUP_NODATA, false, NULL, NULL, 0), -1);
	assert_int_equal(a->status, LOOKUP_OK);
	assert_int_equal(lookup_put(b, "six.example", A, LOOKUP_NODATA, false, NULL, NULL, 0), -1);
	assert_int_equal(lookup_put(b, "", A, LOOKUP_NODATA, false, NULL, NULL, 0), -1);
	assert_int_equal(lookup_put(b, "two.example", A, LOOKUP_WANTED, false, NULL, NULL, 0), -1);

	iter = 0;
	assert_ptr_equal(lookup_wanted(b, &iter), t);
	assert_ptr_equal(lookup_wanted(b, &iter), n);
	assert_null(lookup_wanted(b, &iter));

	/* No record is no data; a failure has words and no records. */
	assert_int_equal(lookup_put(b, "one.example", TXT, LOOKUP_OK, false, "", NULL, 0), 0);
	assert_int_equal(t->status, LOOKUP_NODATA);
	memset(long_why, 'w', sizeof(long_why));
	long_why[299] = '\0';
	assert_int_equal(lookup_put(b, "two.example", A, LOOKUP_BOGUS, false, long_why, r, 2), 0);
	assert_int_equal(n->status, LOOKUP_BOGUS);
	assert_int_equal(n->n, 0);
	assert_int_equal(strlen(n->why), sizeof(n->why) - 1);
	iter = 0;
	assert_null(lookup_wanted(b, &iter));

	assert_ptr_equal(lookup_at(b, 0), a);
	assert_ptr_equal(lookup_at(b, 2), n);
	assert_null(lookup_at(b, 3));
	lookups_free(b);
	lookups_free(NULL);
}

static void
test_limits(void **state)
{
	struct lookups *b = lookups_new(2);
	static uint8_t data[LOOKUP_DATA_MAX];
	struct lookup_rdata r = rdata(data, LOOKUP_DATA_MAX - 12);
	const struct lookup *one = lookup_get(b, "one", A), *two = lookup_get(b, "two", A), *l;

	(void)state;
	l = lookup_get(b, "three", A);
	assert_int_equal(l->status, LOOKUP_FAILED);
	assert_string_equal(l->why, "too many lookups");
	assert_ptr_equal(lookup_get(b, "one", A), one);
	assert_null(lookup_at(b, 2));

	assert_int_equal(lookup_put(b, "one", A, LOOKUP_OK, false, NULL, &r, 1), 0);
	assert_int_equal(one->rdata[0].len, LOOKUP_DATA_MAX - 12);
	r.len++;
	assert_int_equal(lookup_put(b, "two", A, LOOKUP_OK, false, NULL, &r, 1), -1);
	assert_int_equal(two->status, LOOKUP_FAILED);
	assert_string_equal(two->why, "answer too large");
	assert_int_equal(two->n, 0);
	lookups_free(b);

	b = lookups_new(0);
	assert_int_equal(lookup_get(b, "one", A)->status, LOOKUP_FAILED);
	lookups_free(b);
}

static void
test_wire_names(void **state)
{
	static const struct {
		const char *wire;
		size_t len;
		const char *text;
		int taken;
	} cases[] = {
		{ "\3foO\7example\0", 13, "foO.example", 13 }, { "\3foo\0more", 9, "foo", 5 },
		{ "\0", 1, "", 1 }, { "\4a.b\\\0", 6, "a\\046b\\092", 6 },
		{ "\2\0\xff\0", 4, "\\000\\255", 4 }, { "", 0, NULL, -1 }, { "\3fo", 3, NULL, -1 },
		{ "\3foo", 4, NULL, -1 }, { "\xc0\x0c", 2, NULL, -1 }, /* compressed */
	};
	char text[LOOKUP_NAME_SIZE];
	uint8_t name[300] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(lookup_name(text, (const uint8_t *)cases[i].wire, cases[i].len),
		    cases[i].taken);
		if (cases[i].text != NULL)
			assert_string_equal(text, cases[i].text);
	}
	for (int i = 0; i < 3; i++)
		name[i * 64] = 63;
	name[192] = 61;
	assert_int_equal(lookup_name(text, name, sizeof(name)), 255);
	assert_int_equal(strlen(text), LOOKUP_NAME_SIZE - 1 - 3 * 3);
	name[192] = 62;
	assert_int_equal(lookup_name(text, name, sizeof(name)), -1);
}

static void
test_txt(void **state)
{
	struct strbuf b = { 0 };
	struct lookup_rdata r = rdata("\3v=s\2pf\0\1\0", 10);

	(void)state;
	assert_int_equal(lookup_txt(&b, &r), 0);
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.s, "v=spf\0", 6);
	r.len = 9;
	assert_int_equal(lookup_txt(&b, &r), -1);
	assert_int_equal(b.len, 6);
	r.len = 0;
	assert_int_equal(lookup_txt(&b, &r), 0);
	assert_int_equal(b.len, 6);
	strbuf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_lengths),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_wire_names),
		cmocka_unit_test(test_txt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
