/* Every trace of every test of the catalogue gives the verdict that it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#undef test_free /* cmocka has a macro of that name */

#include "results/trace.h"

static void
test_catalogue(void **state)
{
	char err[512];
	struct catalogue *cat = catalogue_load("zones/catalogue", err, sizeof err);
	unsigned failed = 0;

	(void)state;
	if (cat == NULL)
		fail_msg("%s", err);
	for (size_t i = 0; i < cat->n; i++) {
		unsigned n = trace_run(cat->tests[i], cat, err, sizeof err);
		if (n > 0)
			print_error("%s\n", err);
		failed += n;
	}
	catalogue_free(cat);
	assert_int_equal(failed, 0);
}

static const char two_rules[] =
    "test alone\nnumber 999\ngroup delivery\ntitle \"t\"\nabout \"a\"\n"
    "[dns]\n{d} 60 MX 10 {mx0}\n{mx0} 60 A {ipv4:0}\n[host 0]\nstarttls offer\ncert pkix-valid\n"
    "[verdict]\nconforms accepted \"delivered\"\npending not settled \"waiting\"\n"
    "inconclusive otherwise \"never\"\n"
    "[trace good]\n0s smtp.message reply=250\nverdict conforms\n"
    "[trace wrong]\n0s smtp.message reply=250\nverdict violates\n"
    "[trace reason]\n0s smtp.message reply=250\nverdict conforms \"something else\"\n";

/* A trace whose verdict differs is told with file and line. */
static void
test_difference(void **state)
{
	char err[512] = "";
	struct test *t = test_parse("alone", two_rules, strlen(two_rules), err, sizeof err);

	(void)state;
	if (t == NULL)
		fail_msg("%s", err);
	assert_int_equal(trace_run(t, NULL, err, sizeof err), 2);
	assert_non_null(strstr(err, ": trace wrong: should be violates, is conforms"));
	test_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
