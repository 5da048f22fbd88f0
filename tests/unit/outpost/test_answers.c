/* A file of DNS answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outpost/answers.h"

static struct answers *
load(const char *text, char *err, size_t errlen)
{
	char path[] = "/tmp/outpost-answers-XXXXXX";
	int fd = mkstemp(path);
	struct answers *a;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	a = answers_load(path, err, errlen);
	unlink(path);
	return a;
}

static const char file[] = "# what dig prints, and what it does not\n"
			   "a.example. 60 IN A 192.0.2.1\n"
			   "A.example A 192.0.2.2\n"
			   "a.example TXT \"one; two\" \"three\"\n"
			   "b.example CNAME A.example.\n"
			   "c.example CNAME c.example\n"
			   "d.example CNAME nowhere.example\n"
			   "deep.x.e.example TXT \"x\"\n"
			   "f.example TXT =failed \"no answer in 3 s\"\n"
			   "g.example TXT =bogus\n"
			   "secure a.example\n"
			   "secure g.example\n";

static void
test_answers(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum lookup_status status;
		size_t n;
		bool secure;
		const char *why;
	} cases[] = {
		{ "a.example", 1, LOOKUP_OK, 2, true, "" },
		{ "A.EXAMPLE", 16, LOOKUP_OK, 1, true, "" },
		{ "a.example", 28, LOOKUP_NODATA, 0, true, "" },
		{ "sub.a.example", 1, LOOKUP_NXDOMAIN, 0, true, "" },
		{ "b.example", 1, LOOKUP_OK, 2, false, "" },
		{ "b.example", 5, LOOKUP_OK, 1, false, "" },
		{ "c.example", 1, LOOKUP_FAILED, 0, false, "too many aliases" },
		{ "d.example", 1, LOOKUP_NXDOMAIN, 0, false, "" },
		{ "e.example", 1, LOOKUP_NODATA, 0, false, "" },
		{ "f.example", 16, LOOKUP_FAILED, 0, false, "no answer in 3 s" },
		{ "f.example", 1, LOOKUP_NODATA, 0, false, "" },
		{ "g.example", 16, LOOKUP_BOGUS, 0, false, "no answer" },
		{ "other.example", 1, LOOKUP_NXDOMAIN, 0, false, "" },
	};
	char err[512] = "";
	struct answers *a = load(file, err, sizeof(err));
	struct lookups *book = lookups_new(50);

	(void)state;
	if (a == NULL)
		fail_msg("%s", err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		lookup_get(book, cases[i].name, cases[i].type);
	answers_put(a, book);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct lookup *l = lookup_get(book, cases[i].name, cases[i].type);

		if (l->status != cases[i].status || l->n != cases[i].n ||
		    l->secure != cases[i].secure || strcmp(l->why, cases[i].why) != 0)
			fail_msg("%s: status %d, %zu records, secure %d, %s", cases[i].name,
			    l->status, l->n, l->secure, l->why);
	}
	assert_memory_equal(lookup_get(book, "a.example", 1)->rdata[1].data, "\300\0\2\2", 4);
	assert_memory_equal(
	    lookup_get(book, "a.example", 16)->rdata[0].data, "\010one; two\005three", 15);
	lookups_free(book);
	answers_free(a);
}

static void
test_mistakes(void **state)
{
	static const char *const cases[][2] = {
		{ "a.example\n", ":1: a.example: wanted NAME TYPE DATA" },
		{ "\na.example X 1\n", ":2: a.example: wanted NAME TYPE DATA" },
		{ "a.example A 1.2.3\n", ":1: a.example: not a record" },
		{ "a.example TXT \"x\n", ":1:" },
		{ "[x]\n", ":1: no sections here" },
		{ "a.example 60 IN\n", ":1: a.example: wanted" },
	};
	char err[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err[0] = '\0';
		assert_null(load(cases[i][0], err, sizeof(err)));
		if (strstr(err, cases[i][1]) == NULL)
			fail_msg("%s: %s", cases[i][0], err);
	}
	assert_null(answers_load("/nonexistent/answers", err, sizeof(err)));
	assert_non_null(strstr(err, "/nonexistent/answers"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
