#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/quota.h"

static const uint8_t key[16] = { 1, 2, 3 };
#define NOW (INT64_C(1795300000) * CLOCK_SECOND)

static void
an_hour(void **state)
{
	struct quota *q = quota_new(key);

	(void)state;
	quota_set(q, 3);
	assert_int_equal(quota_limit(q), 3);
	for (int hour = 0; hour < 3; hour++) {
		int64_t now = NOW + hour * 3600 * CLOCK_SECOND;

		for (int i = 0; i < 3; i++)
			assert_int_equal(quota_take(q, 7, now), QUOTA_WITHIN);
		assert_false(quota_over(q, 7, now));
		assert_int_equal(quota_take(q, 7, now), QUOTA_REACHED);
		assert_true(quota_over(q, 7, now));
		assert_false(quota_over(q, 8, now));
		assert_int_equal(quota_take(q, 7, now), QUOTA_OVER);
		assert_int_equal(quota_take(q, 8, now), QUOTA_WITHIN);
	}
	quota_free(q);
}

static void
no_limit(void **state)
{
	struct quota *q = quota_new(key);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(quota_take(q, 7, NOW), QUOTA_WITHIN);
	quota_free(q);
}

/* Four processes together get what one would, and one of them says that it is over. */
static void
shared(void **state)
{
	struct quota *q = quota_new(key);
	int status, within = 0, reached = 0;

	(void)state;
	quota_set(q, 100);
	for (int p = 0; p < 4; p++)
		if (fork() == 0) {
			int w = 0, r = 0;

			for (int i = 0; i < 1000; i++) {
				enum quota_state s = quota_take(q, 7, NOW);

				w += s == QUOTA_WITHIN;
				r += s == QUOTA_REACHED;
			}
			_exit(w + 128 * r);
		}
	while (wait(&status) > 0) {
		assert_true(WIFEXITED(status));
		within += WEXITSTATUS(status) % 128;
		reached += WEXITSTATUS(status) / 128;
	}
	assert_int_equal(within, 100);
	assert_int_equal(reached, 1);
	quota_free(q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour),
		cmocka_unit_test(no_limit),
		cmocka_unit_test(shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
