#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "provisioning/tally.h"

static const uint8_t key[16] = "not so random";

static void
counts(void **state)
{
	struct tally *t = tally_new(key);
	size_t waiting = 7;

	(void)state;
	assert_int_equal(tally_since(t, "a", 1, 0, &waiting), 0);
	assert_int_equal(waiting, 0);
	tally_add(t, "a", 1, 100);
	tally_add(t, "a", 1, 300);
	tally_add(t, "a", 1, 200); /* clocks go back */
	tally_add(t, "b", 1, 200);
	assert_int_equal(tally_since(t, "a", 1, 99, NULL), 3);
	assert_int_equal(tally_since(t, "a", 1, 100, NULL), 2);
	assert_int_equal(tally_since(t, "a", 1, 299, NULL), 1);
	assert_int_equal(tally_since(t, "a", 1, 300, NULL), 0);
	tally_remove(t, "a", 1, 250); /* never was */
	tally_remove(t, "c", 1, 200);
	assert_int_equal(tally_since(t, "a", 1, 0, NULL), 3);
	tally_remove(t, "a", 1, 200);
	assert_int_equal(tally_since(t, "a", 1, 100, NULL), 1);
	assert_int_equal(tally_since(t, "b", 1, 100, NULL), 1);
	tally_wait(t, "a", 1, 1);
	tally_wait(t, "a", 1, 1);
	tally_wait(t, "a", 1, -1);
	tally_wait(t, "b", 1, -1);
	tally_since(t, "a", 1, 0, &waiting);
	assert_int_equal(waiting, 1);
	tally_since(t, "b", 1, 0, &waiting);
	assert_int_equal(waiting, 0);
	tally_free(t);
	tally_free(NULL);
}

/* Whoever else there is. */
static void
many(void **state)
{
	struct tally *t = tally_new(key);
	char who[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(who, sizeof who, "u%d", i % 5000);

		tally_add(t, who, (size_t)n, i);
		tally_wait(t, who, (size_t)n, 1);
	}
	for (int i = 0; i < 5000; i++) {
		int n = snprintf(who, sizeof who, "u%d", i);
		size_t waiting;

		assert_int_equal(tally_since(t, who, (size_t)n, -1, &waiting), 4);
		assert_int_equal(waiting, 4);
		assert_int_equal(tally_since(t, who, (size_t)n, i + 5000, NULL), 2);
		for (int k = 0; k < 4; k++)
			tally_remove(t, who, (size_t)n, i + 5000 * k);
		assert_int_equal(tally_since(t, who, (size_t)n, -1, NULL), 0);
	}
	tally_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
