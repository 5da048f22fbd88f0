#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "authdns/delay.h"

static void
test_order(void **state)
{
	struct delay_queue q;
	int64_t last;
	unsigned seed = 1;

	(void)state;
	delay_init(&q, 100);
	assert_null(delay_first(&q));
	for (unsigned round = 0; round < 20; round++) {
		while (!delay_full(&q)) {
			seed = seed * 1103515245U + 12345U;
			struct delayed *d = delay_add(&q, (seed >> 8) % 1000);

			d->len = (size_t)d->due_us;
		}
		last = -1;
		for (unsigned i = 0; i < 60 + round; i++) {
			const struct delayed *d = delay_first(&q);

			assert_non_null(d);
			assert_true(d->due_us >= last);
			assert_int_equal(d->len, d->due_us);
			last = d->due_us;
			delay_remove_first(&q);
		}
	}
	while (delay_first(&q) != NULL)
		delay_remove_first(&q);
	assert_int_equal(q.n, 0);
	delay_clear(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
