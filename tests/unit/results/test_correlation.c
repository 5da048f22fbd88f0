/* Facts are found by their test and by its name. */
#include "results/correlation.h"

#include "tests/unit/results/fixture.h"

static void
test_find(void **state)
{
	struct correlation *c = correlation_new(cat, EVENTS_TOKEN);

	(void)state;
	assert_string_equal(c->token, EVENTS_TOKEN);
	for (size_t i = 0; i < cat->n; i++) {
		const struct test *t = cat->tests[i];
		assert_ptr_equal(c->facts[i].test, t);
		assert_ptr_equal(correlation_facts(c, t), &c->facts[i]);
		assert_ptr_equal(correlation_find(c, t->name, strlen(t->name)), &c->facts[i]);
	}
	assert_null(correlation_find(c, "", 0));
	assert_null(correlation_find(c, "no-such-test", 12));
	assert_null(correlation_find(c, "dual", 3));
	assert_ptr_equal(correlation_find(c, "dual...", 4), facts(c, "dual"));
	correlation_free(c);
	correlation_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, setup_shipped, teardown);
}
