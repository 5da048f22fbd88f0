/* Rules of a host: conditions, keys, pace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "smtpd/behave.h"

#include <cmocka.h> /* last: it has a macro test_free */

#define MINUTE INT64_C(60000000)

/* A memory table of the simplest kind. */
static struct {
	uint64_t key;
	struct memory_fact fact;
} table[32];
static unsigned n_facts;

static struct memory_fact
look(void *ctx, uint64_t key, int64_t now_us)
{
	(void)now_us;
	struct memory_fact none = { 0 };

	(void)ctx;
	for (unsigned i = 0; i < n_facts; i++)
		if (table[i].key == key)
			return table[i].fact;
	return none;
}

static struct memory_fact
touch(void *ctx, uint64_t key, int64_t now)
{
	unsigned i;

	(void)ctx;
	for (i = 0; i < n_facts && table[i].key != key; i++)
		;
	if (i == n_facts) {
		assert_true(n_facts < 32);
		table[n_facts++].key = key;
		table[i].fact = (struct memory_fact){ now, now, 0 };
	}
	table[i].fact.last_us = now;
	table[i].fact.count++;
	return table[i].fact;
}

static struct test the_test = { .name = "t", .number = 20 };
static struct phase_memory memory = { .key = { 1 }, .pace = 1, .touch = touch, .look = look };
static union sockaddr_any peer;

static struct behave_who
who_at(int64_t now, const char *address)
{
	struct behave_who w = {
		.test = &the_test, .id = 7, .peer = &peer, .now_us = now, .memory = &memory
	};

	assert_int_equal(address_parse(&peer, address, 25), 0);
	return w;
}

static int
setup(void **state)
{
	(void)state;
	n_facts = 0;
	memory.pace = 1;
	memset(&the_test, 0, sizeof the_test);
	the_test.number = 20;
	return 0;
}

static bool
holds(struct condition c, struct behave_who w)
{
	struct host_rule r = { .line = 9,
		.at = AT_RCPT,
		.action = DO_REPLY,
		.code = 450,
		.mailbox = -1,
		.when = c,
		.dev = "reply 450" };
	struct host h = { .rules = &r, .n_rules = 1 };
	struct behaviour b;

	behave_at(&b, &h, AT_RCPT, -1, &w);
	assert_int_equal(b.rule != NULL, b.dev != NULL);
	return b.rule != NULL;
}

static void
test_age(void **state)
{
	struct condition c = { .kind = COND_AGE, .key = KEY_TOKEN, .age_us = 5 * MINUTE };
	struct behave_who w;

	(void)state;
	assert_true(holds(c, who_at(0, "192.0.2.1")));
	assert_true(holds(c, who_at(5 * MINUTE - 1, "192.0.2.2")));
	assert_false(holds(c, who_at(5 * MINUTE, "192.0.2.1")));
	/* another token has its own clock */
	w = who_at(5 * MINUTE, "192.0.2.1");
	w.id = 8;
	assert_true(holds(c, w));
	memory.pace = 20;
	w.now_us += 15000000 - 1;
	assert_true(holds(c, w));
	w.now_us++;
	assert_false(holds(c, w));
	/* nobody: no rule */
	w.test = NULL;
	w.id = 99;
	assert_false(holds(c, w));
}

static void
test_keys(void **state)
{
	struct condition address = { .kind = COND_COUNT, .key = KEY_ADDRESS, .count = 1 };
	struct condition network = { .kind = COND_COUNT, .key = KEY_NETWORK, .count = 1 };
	struct condition sender = { .kind = COND_COUNT, .key = KEY_SENDER, .count = 1 };
	struct behave_who w;

	(void)state;
	assert_true(holds(address, who_at(0, "192.0.2.1")));
	assert_false(holds(address, who_at(0, "192.0.2.1")));
	assert_true(holds(address, who_at(0, "192.0.2.2")));
	assert_true(holds(network, who_at(0, "192.0.2.1")));
	assert_false(holds(network, who_at(0, "192.0.2.200")));
	assert_true(holds(network, who_at(0, "192.0.3.1")));
	assert_true(holds(network, who_at(0, "2001:db8::1")));
	assert_false(holds(network, who_at(0, "2001:db8::ffff:1")));
	assert_true(holds(network, who_at(0, "2001:db8:0:1::1")));
	w = who_at(0, "192.0.2.1");
	w.sender = "a@x";
	w.sender_len = 3;
	assert_true(holds(sender, w));
	assert_false(holds(sender, w));
	w.sender = "b@x";
	assert_true(holds(sender, w));
}

static void
test_first_rule_wins(void **state)
{
	struct host_rule r[] = {
		{ .line = 1,
		    .at = AT_RCPT,
		    .action = DO_DELAY,
		    .delay_us = 5,
		    .mailbox = -1,
		    .dev = "delay 5us" },
		{ .line = 2,
		    .at = AT_RCPT,
		    .action = DO_REPLY,
		    .code = 452,
		    .mailbox = 1,
		    .dev = "reply 452" },
		{ .line = 3,
		    .at = AT_RCPT,
		    .action = DO_CLOSE,
		    .mailbox = -1,
		    .dev = "close",
		    .when = { .kind = COND_PHASE, .count = 2 } },
		{ .line = 4, .at = AT_RCPT, .action = DO_HOLD, .mailbox = -1, .dev = "hold" },
		{ .line = 5,
		    .at = AT_RCPT,
		    .action = DO_DELAY,
		    .delay_us = 9,
		    .mailbox = -1,
		    .dev = "delay 9us" },
	};
	struct host h = { .rules = r, .n_rules = 5 };
	struct behave_who w = who_at(0, "192.0.2.1");
	struct behaviour b;

	(void)state;
	behave_at(&b, &h, AT_MAIL, -1, &w);
	assert_null(b.rule);
	assert_null(b.dev);
	assert_int_equal(b.delay_us, 0);
	behave_at(&b, &h, AT_RCPT, 0, &w);
	assert_ptr_equal(b.rule, &r[3]);
	assert_int_equal(b.delay_us, 5);
	assert_string_equal(b.dev, "hold");
	behave_at(&b, &h, AT_RCPT, 1, &w);
	assert_ptr_equal(b.rule, &r[1]);
	w.phase = 2;
	behave_at(&b, &h, AT_RCPT, 0, &w);
	assert_ptr_equal(b.rule, &r[2]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_age, setup),
		cmocka_unit_test_setup(test_keys, setup),
		cmocka_unit_test_setup(test_first_rule_wins, setup),
	};

	return cmocka_run_group_tests_name("behave", tests, NULL, NULL);
}
