/* Phases of a test: events of both daemons in one table, time, pace, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisioning/phase.h"

#include <cmocka.h> /* last: it has a macro test_free */

#define MINUTE INT64_C(60000000)
#define START  INT64_C(1795294800000000)
#define ID     UINT64_C(0xbeefcafe1234)

static char dir[64], path[80];
static struct memory *table;
static struct phase_memory m;
static struct test the_test;
static struct site site;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_phase.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/memory", dir);
	table = memory_open(path, 256);
	memset(&site, 0, sizeof site);
	site.conf.pace = 1;
	phase_memory_init(&m, &site, table);
	memset(&the_test, 0, sizeof the_test);
	the_test.number = 83;
	return table == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	memory_close(table);
	unlink(path);
	return rmdir(dir);
}

static unsigned
at(enum phase_event event, int64_t minutes)
{
	return phase_note_event(&m, &the_test, ID, event, START + minutes * MINUTE);
}

static unsigned
now(int64_t minutes)
{
	return phase_now(&m, &the_test, ID, START + minutes * MINUTE);
}

/* A test without phases never touches the table; a name without a token neither. */
static void
without(void **state)
{
	struct phase_condition c = { .event = PHASE_ATTEMPT, .count = 1 };
	struct phase_rule rule = { 1, 2, &c, 1 };

	(void)state;
	m.touch = NULL;
	m.look = NULL;
	assert_int_equal(at(PHASE_ATTEMPT, 0), 0);
	assert_int_equal(now(0), 0);
	assert_int_equal(phase_note_event(&m, NULL, ID, PHASE_TLS, START), 0);
	the_test.phases = &rule;
	the_test.n_phases = 1;
	assert_int_equal(phase_note_event(&m, &the_test, 0, PHASE_ATTEMPT, START), 1);
	assert_int_equal(phase_now(&m, &the_test, 0, START), 1);
}

/* 2 after two attempts or one handshake; 3 an hour after 2 began. */
static void
counts_and_ages(void **state)
{
	struct phase_condition attempts = { .event = PHASE_ATTEMPT, .count = 2 };
	struct phase_condition tls = { .event = PHASE_TLS, .count = 1 };
	struct phase_condition later = { .event = PHASE_PHASE, .phase = 2, .age_us = 60 * MINUTE };
	struct phase_rule rules[] = { { 1, 2, &attempts, 1 }, { 2, 2, &tls, 1 },
		{ 3, 3, &later, 1 } };

	(void)state;
	the_test.phases = rules;
	the_test.n_phases = 3;
	assert_int_equal(at(PHASE_ATTEMPT, 0), 1);
	assert_int_equal(at(PHASE_ACCEPTED, 0), 1);
	assert_int_equal(at(PHASE_ATTEMPT, 1), 2);
	assert_int_equal(now(60), 2);
	assert_int_equal(now(61), 3);
	assert_int_equal(at(PHASE_ATTEMPT, 62), 3);
	assert_int_equal(now(0), 3); /* never back, whatever the clock does */
	assert_int_equal(phase_note_event(&m, &the_test, ID + 1, PHASE_TLS, START), 2);
}

/* As dns-renumber: a minute after either address was first asked for. */
static void
dns(void **state)
{
	char mx0[] = "{mx0}";
	struct phase_condition a = { .event = PHASE_DNS, .type = 1, .name = mx0, .age_us = MINUTE };
	struct phase_condition aaaa = {
		.event = PHASE_DNS, .type = 28, .name = mx0, .age_us = MINUTE
	};
	struct phase_rule rules[] = { { 1, 2, &a, 1 }, { 2, 2, &aaaa, 1 } };
	struct phase_seen seen = { PHASE_DNS, 28, "{d}" };

	(void)state;
	the_test.phases = rules;
	the_test.n_phases = 2;
	assert_int_equal(phase_note(&m, &the_test, ID, &seen, START), 1);
	assert_int_equal(now(10), 1);
	seen.name = "{mx0}";
	assert_int_equal(phase_note(&m, &the_test, ID, &seen, START + 10 * MINUTE), 1);
	assert_int_equal(phase_note(&m, &the_test, ID, &seen, START + 11 * MINUTE - 1), 1);
	assert_int_equal(phase_note(&m, &the_test, ID, &seen, START + 11 * MINUTE), 2);
}

/* Pace divides ages only. */
static void
pace(void **state)
{
	struct phase_condition both[] = { { .event = PHASE_FETCHED, .age_us = 5 * MINUTE },
		{ .event = PHASE_TLS, .count = 2 } };
	struct phase_rule rule = { 1, 2, both, 2 };

	(void)state;
	m.pace = 5;
	the_test.phases = &rule;
	the_test.n_phases = 1;
	assert_int_equal(at(PHASE_FETCHED, 0), 1);
	assert_int_equal(at(PHASE_TLS, 1), 1);
	assert_int_equal(at(PHASE_TLS, 1), 2);
}

/* A clock that is set back an hour keeps nobody waiting for that hour. */
static void
set_back(void **state)
{
	struct phase_condition c = { .event = PHASE_FETCHED, .age_us = 5 * MINUTE };
	struct phase_rule rule = { 1, 2, &c, 1 };

	(void)state;
	the_test.phases = &rule;
	the_test.n_phases = 1;
	assert_int_equal(at(PHASE_FETCHED, 60), 1);
	assert_int_equal(now(0), 1);
	assert_int_equal(now(4), 1);
	assert_int_equal(now(5), 2);
}

/* Only the events of one phase count; a fact that two lines name is counted once. */
static void
inside(void **state)
{
	struct phase_condition first = { .event = PHASE_ATTEMPT, .count = 2 };
	struct phase_condition again = { .event = PHASE_ATTEMPT, .count = 3, .in = 2 };
	struct phase_condition same = { .event = PHASE_ATTEMPT, .count = 9 };
	struct phase_rule rules[] = { { 1, 2, &first, 1 }, { 2, 3, &again, 1 },
		{ 3, 3, &same, 1 } };

	(void)state;
	the_test.phases = rules;
	the_test.n_phases = 3;
	assert_int_equal(at(PHASE_ATTEMPT, 0), 1);
	assert_int_equal(at(PHASE_ATTEMPT, 0), 2);
	assert_int_equal(at(PHASE_ATTEMPT, 1), 2);
	assert_int_equal(at(PHASE_ATTEMPT, 2), 2);
	assert_int_equal(at(PHASE_ATTEMPT, 3), 3);
}

/* Another process with the same file sees what this one saw. */
static void
shared(void **state)
{
	struct phase_condition c = { .event = PHASE_FETCHED, .count = 1 };
	struct phase_rule rule = { 1, 2, &c, 1 };
	struct memory *other = memory_open(path, 256);
	struct phase_memory m2;

	(void)state;
	assert_non_null(other);
	phase_memory_init(&m2, &site, other);
	the_test.phases = &rule;
	the_test.n_phases = 1;
	assert_int_equal(phase_now(&m2, &the_test, ID, START), 1);
	assert_int_equal(at(PHASE_FETCHED, 0), 2);
	assert_int_equal(phase_now(&m2, &the_test, ID, START), 2);
	memory_close(other);
	/* and without any table everything stays at the beginning */
	phase_memory_init(&m2, &site, NULL);
	assert_int_equal(phase_note_event(&m2, &the_test, ID, PHASE_FETCHED, START), 1);
}

static uint64_t
mix(uint64_t x)
{
	x = (x + UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}

/* memory-slots: the size of the file; who is over it takes the place of another, never more room. */
static void
slots(void **state)
{
	static const struct {
		unsigned slots, made;
	} rows[] = { { 1024, 1024 }, { 1025, 2048 } };
	char run[80], file[96];
	struct stat st;

	(void)state;
	snprintf(run, sizeof run, "%s/run", dir);
	assert_int_equal(mkdir(run, 0700), 0);
	snprintf(site.dir, sizeof site.dir, "%s", dir);
	snprintf(file, sizeof file, "%s/memory", run);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		site.conf.memory_slots = rows[i].slots;
		struct memory *own = phase_memory_open(&site);
		unsigned known = 0;
		assert_non_null(own);
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_size, 64 + 32 * rows[i].made);
		for (uint64_t k = 1; k <= 2 * rows[i].made; k++)
			assert_int_equal(memory_touch(own, mix(k), START + (int64_t)k).count, 1);
		for (uint64_t k = 1; k <= 2 * rows[i].made; k++)
			known += memory_look(own, mix(k), 0).count == 1;
		assert_in_range(known, rows[i].made / 2, rows[i].made);
		assert_int_equal(memory_look(own, mix(2 * rows[i].made), 0).count, 1);
		memory_close(own);
	}
	unlink(file);
	rmdir(run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_and_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(dns, setup, teardown),
		cmocka_unit_test_setup_teardown(pace, setup, teardown),
		cmocka_unit_test_setup_teardown(set_back, setup, teardown),
		cmocka_unit_test_setup_teardown(inside, setup, teardown),
		cmocka_unit_test_setup_teardown(shared, setup, teardown),
		cmocka_unit_test_setup_teardown(slots, setup, teardown),
	};

	return cmocka_run_group_tests_name("phase", tests, NULL, NULL);
}
