/* Times and durations: round trips, edges, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "lib/clock.h"

static int64_t
parsed(const char *text)
{
	int64_t t = INT64_MIN;

	assert_int_equal(clock_parse(&t, text, strlen(text)), 0);
	return t;
}

static void
test_format(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_format(text, 0);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	clock_format(text, -1);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	clock_format(text, INT64_C(1795298400123456));
	assert_string_equal(text, "2026-11-21T22:00:00.123456Z");
	clock_format(text, INT64_C(951782400000000));
	assert_string_equal(text, "2000-02-29T00:00:00.000000Z");
	clock_format(text, INT64_MAX);
	assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
	clock_format(text, INT64_MIN);
	assert_string_equal(text, "0000-01-01T00:00:00.000000Z");
}

/* Against the C library, over 400 years, with steps that meet every day of the week and hour. */
static void
test_round_trip(void **state)
{
	char text[CLOCK_TEXT_MAX], theirs[CLOCK_TEXT_MAX];

	(void)state;
	for (int64_t t = 0; t < INT64_C(12622780800); t += 86400 * 3 + 4001) {
		time_t second = (time_t)t;
		struct tm tm;

		gmtime_r(&second, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000017Z", &tm);
		clock_format(text, t * CLOCK_SECOND + 17);
		assert_string_equal(text, theirs);
		assert_int_equal(parsed(text), t * CLOCK_SECOND + 17);
	}
}

static void
test_parse(void **state)
{
	static const char *const bad[] = { "", "2026-11-21", "2026-11-21T22:00:00",
		"2026-11-21 22:00:00Z", "2026-13-21T22:00:00Z", "2026-00-21T22:00:00Z",
		"2026-11-31T22:00:00Z", "2026-11-00T22:00:00Z", "2025-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T22:60:00Z",
		"2026-11-21T22:00:60Z", "2026-11-21T22:00:00.1234567Z", "2026-11-21T22:00:00Zx",
		"2026-11-21T22:00:00+00:00", "+026-11-21T22:00:00Z" };
	int64_t t;

	(void)state;
	assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(parsed("1970-01-01T00:00:00.Z"), 0);
	assert_int_equal(parsed("1970-01-01T00:00:01.5Z"), 1500000);
	assert_int_equal(parsed("1969-12-31T23:59:59.999999Z"), -1);
	assert_int_equal(parsed("2000-02-29T00:00:00Z"), INT64_C(951782400000000));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(clock_parse(&t, bad[i], strlen(bad[i])), -1);
	assert_int_equal(clock_parse(&t, "1970-01-01T00:00:00Z", 19), -1);
}

static void
test_duration_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = { { "5m", 300 * CLOCK_SECOND }, { "300s", 300 * CLOCK_SECOND },
		{ "1.5s", 1500000 }, { "6h", 6 * 3600 * CLOCK_SECOND },
		{ "2d", 2 * 86400 * CLOCK_SECOND }, { "250ms", 250000 }, { "0s", 0 },
		{ "17us", 17 }, { "0.000001s", 1 }, { "0.5d", 43200 * CLOCK_SECOND },
		{ "106751990d", INT64_C(106751990) * 86400 * CLOCK_SECOND } };
	static const char *const bad[] = { "", "5", "m", "-5m", "+5m", " 5m", "5 m", "5m ", "5min",
		"1.s", ".5s", "1h30m", "0.0000001s", "0.5us", "1.0005ms1", "1e3s", "0x5s",
		"106751992d", "99999999999999999999s" };
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(duration_parse(&us, good[i].text), 0);
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (duration_parse(&us, bad[i]) != -1)
			fail_msg("\"%s\" is taken for a duration", bad[i]);
}

static void
test_duration_format(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = { { 0, "0 s" }, { 1, "1 us" }, { 999, "999 us" }, { 1500, "1 ms 500 us" },
		{ 1500000, "1 s 500 ms" }, { 90 * CLOCK_SECOND, "1 min 30 s" },
		{ 3600 * CLOCK_SECOND, "1 h" }, { 86400 * CLOCK_SECOND + 59 * CLOCK_SECOND, "1 d" },
		{ -90 * CLOCK_SECOND, "-1 min 30 s" }, { 183900 * CLOCK_SECOND, "2 d 3 h" },
		{ INT64_MIN, "-106751991 d 4 h" } };
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		duration_format(text, cases[i].us);
		assert_string_equal(text, cases[i].text);
	}
}

/* The variable is read once, so this test sets it before anyone asks for the time. */
static void
test_offset(void **state)
{
	struct timespec ts;
	int64_t before, t;

	(void)state;
	setenv("OUTPOST_CLOCK_OFFSET", "-86400", 1);
	clock_gettime(CLOCK_REALTIME, &ts);
	before = (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
	t = clock_now();
	assert_in_range(t + 86400 * CLOCK_SECOND - before, 0, 60 * CLOCK_SECOND);
	setenv("OUTPOST_CLOCK_OFFSET", "0", 1);
	assert_in_range(clock_now() - t, 0, 60 * CLOCK_SECOND);
	t = clock_monotonic();
	assert_in_range(clock_monotonic() - t, 0, 60 * CLOCK_SECOND);
}

static void
test_set_by(void **state)
{
	const struct clock_mark from = { 1000 * CLOCK_SECOND, 5 * CLOCK_SECOND };
	struct clock_mark to = { 1060 * CLOCK_SECOND, 65 * CLOCK_SECOND };

	(void)state;
	assert_int_equal(clock_set_by(from, to), 0);
	to.wall_us += 86400 * CLOCK_SECOND;
	assert_int_equal(clock_set_by(from, to), 86400 * CLOCK_SECOND);
	to.wall_us -= 2 * 86400 * CLOCK_SECOND;
	assert_int_equal(clock_set_by(from, to), -86400 * CLOCK_SECOND);
	to = clock_mark();
	assert_in_range(clock_set_by(to, clock_mark()) + 60 * CLOCK_SECOND, 0, 120 * CLOCK_SECOND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_duration_parse),
		cmocka_unit_test(test_duration_format),
		cmocka_unit_test(test_set_by),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
