#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "authdns/limit.h"

static void
test_networks(void **state)
{
	static struct limit l = { .key = "key of the test", .rate = 2 };
	union sockaddr_any a, same, other, six, six_same, six_other;

	(void)state;
	address_parse(&a, "192.0.2.1", 1);
	address_parse(&same, "192.0.2.254", 2);
	address_parse(&other, "192.0.3.1", 1);
	address_parse(&six, "2001:db8:1:100::1", 1);
	address_parse(&six_same, "2001:db8:1:1ff:2::", 1);
	address_parse(&six_other, "2001:db8:1:200::1", 1);
	assert_false(limit_over(&l, &a, 10));
	assert_false(limit_over(&l, &same, 10));
	assert_true(limit_over(&l, &a, 10));
	assert_false(limit_over(&l, &other, 10));
	assert_false(limit_over(&l, &a, 11));
	assert_false(limit_over(&l, &six, 11));
	assert_false(limit_over(&l, &six_same, 11));
	assert_true(limit_over(&l, &six, 11));
	assert_false(limit_over(&l, &six_other, 11));
	l.rate = 0;
	assert_false(limit_over(&l, &six, 11));
}

static void
test_budget(void **state)
{
	struct budget b = { .rate = 2 };

	(void)state;
	assert_true(budget_take(&b, 5));
	assert_true(budget_take(&b, 5));
	assert_false(budget_take(&b, 5));
	assert_true(budget_take(&b, 6));
	b.rate = 0;
	assert_false(budget_take(&b, 7));
}

/* One count for parent and child. */
static void
test_shared(void **state)
{
	static const uint8_t random[16] = { 1 };
	struct limits *l = limits_new(random);
	union sockaddr_any a;
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(l);
	l->invalid.rate = 3;
	l->answers.rate = 2;
	address_parse(&a, "192.0.2.1", 1);
	assert_true(budget_take(&l->invalid, 9));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(!budget_take(&l->invalid, 9) || !budget_take(&l->invalid, 9) ||
		      budget_take(&l->invalid, 9) || limit_over(&l->answers, &a, 9) ||
		      limit_over(&l->answers, &a, 9));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(budget_take(&l->invalid, 9));
	assert_true(limit_over(&l->answers, &a, 9));
	assert_true(budget_take(&l->invalid, 10));
	limits_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_networks),
		cmocka_unit_test(test_budget), cmocka_unit_test(test_shared) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
