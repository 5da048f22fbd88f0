/* Spans of time. */
#include "results/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_join(void **state)
{
	struct window w[] = { { 50, 60 }, { 0, 10 }, { 61, 70 }, { 10, 20 }, { 12, 15 } };

	(void)state;
	assert_int_equal(windows_join(w, 5), 3);
	assert_int_equal(w[0].from, 0);
	assert_int_equal(w[0].to, 20); /* the one within it does not shorten it */
	assert_int_equal(w[1].from, 50);
	assert_int_equal(w[2].from, 61);
	assert_int_equal(windows_join(NULL, 0), 0);
}

static void
test_hold(void **state)
{
	static const struct window w[] = { { 0, 10 }, { 20, 20 }, { 30, 40 } };
	static const struct {
		int64_t t;
		bool in;
	} cases[] = { { -1, false }, { 0, true }, { 10, true }, { 11, false }, { 19, false },
		{ 20, true }, { 21, false }, { 30, true }, { 40, true }, { 41, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(windows_hold(w, 3, cases[i].t), cases[i].in);
	assert_false(windows_hold(w, 0, 5));
	assert_false(windows_hold(NULL, 0, 5));
}

static void
test_has(void **state)
{
	static const struct {
		int64_t t;
		const char *more;
	} items[] = { { 10, "" }, { 20, "" }, { 20, "" }, { 30, "" } };
	static const struct {
		int64_t from, to;
		bool has;
	} cases[] = { { 0, 9, false }, { 0, 10, true }, { 10, 10, true }, { 11, 19, false },
		{ 11, 20, true }, { 20, 20, true }, { 21, 29, false }, { 30, 99, true },
		{ 31, 99, false }, { 20, 10, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
		    window_has(items, 4, sizeof *items, cases[i].from, cases[i].to), cases[i].has);
	assert_false(window_has(NULL, 0, sizeof *items, 0, 99));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_join),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
