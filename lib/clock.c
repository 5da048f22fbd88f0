#include "lib/clock.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"

static int64_t offset_us;
static pthread_once_t offset_once = PTHREAD_ONCE_INIT;

/* A clock that is not what the tester asked for would make a test lie: a bad value is fatal. */
static void
offset_read(void)
{
	const char *text = getenv("OUTPOST_CLOCK_OFFSET");
	const long long limit = 100LL * 366 * 86400;
	long long seconds;
	char *end;

	if (text == NULL || *text == '\0')
		return;
	seconds = strtoll(text, &end, 10);
	if (*end != '\0' || seconds > limit || seconds < -limit)
		log_fatal(EXIT_USAGE,
		    "OUTPOST_CLOCK_OFFSET: \"%s\" is no number of seconds: unset it", text);
	offset_us = seconds * CLOCK_SECOND;
}

int64_t
clock_now(void)
{
	struct timespec ts;

	pthread_once(&offset_once, offset_read);
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000 + offset_us;
}

int64_t
clock_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

struct clock_mark
clock_mark(void)
{
	return (struct clock_mark){ .wall_us = clock_now(), .monotonic_us = clock_monotonic() };
}

int64_t
clock_set_by(struct clock_mark from, struct clock_mark to)
{
	return (to.wall_us - from.wall_us) - (to.monotonic_us - from.monotonic_us);
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, and back: counted in
 * 400-year eras of years that begin in March, so that the leap day is the last day. */
static int64_t
days_of_date(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
date_of_days(int64_t days, int *year, int *month, int *day)
{
	int64_t d = days + 719468;
	int64_t era = (d >= 0 ? d : d - 146096) / 146097;
	int64_t of_era = d - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

static char *
digits(char *p, unsigned value, int n)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + n;
}

#define TIME_MIN (INT64_C(-62167219200) * CLOCK_SECOND) /* year 0 */
#define TIME_MAX (INT64_C(253402300800) * CLOCK_SECOND) /* year 10000 */

static void
format_second(char *p, int64_t second)
{
	int64_t days = second / 86400, rest = second % 86400;
	int year, month, day;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	date_of_days(days, &year, &month, &day);
	p = digits(p, (unsigned)year, 4);
	*p++ = '-';
	p = digits(p, (unsigned)month, 2);
	*p++ = '-';
	p = digits(p, (unsigned)day, 2);
	*p++ = 'T';
	p = digits(p, (unsigned)(rest / 3600), 2);
	*p++ = ':';
	p = digits(p, (unsigned)(rest / 60 % 60), 2);
	*p++ = ':';
	digits(p, (unsigned)(rest % 60), 2);
}

struct timeval
clock_timeval(int64_t us)
{
	return (struct timeval){ .tv_sec = (time_t)(us / CLOCK_SECOND),
		.tv_usec = (suseconds_t)(us % CLOCK_SECOND) };
}

void
clock_format(char dst[CLOCK_TEXT_MAX], int64_t t_us)
{
	/* Events come many to a second: only their fraction is formatted anew. */
	static _Thread_local int64_t cached = INT64_MIN;
	static _Thread_local char text[19];
	int64_t second, fraction;

	if (t_us < TIME_MIN)
		t_us = TIME_MIN;
	if (t_us >= TIME_MAX)
		t_us = TIME_MAX - 1;
	second = t_us / CLOCK_SECOND;
	fraction = t_us % CLOCK_SECOND;
	if (fraction < 0) {
		fraction += CLOCK_SECOND;
		second--;
	}
	if (second != cached) {
		format_second(text, second);
		cached = second;
	}
	memcpy(dst, text, sizeof(text));
	dst[19] = '.';
	digits(dst + 20, (unsigned)fraction, 6);
	dst[26] = 'Z';
	dst[27] = '\0';
}

/* n digits at *p, which moves on; -1 if they are not there. */
static int
number(const char **p, const char *end, int n)
{
	int value = 0;

	if (end - *p < n)
		return -1;
	for (int i = 0; i < n; i++) {
		char c = *(*p)++;
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value;
}

static bool
literal(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

int
clock_parse(int64_t *dst, const char *text, size_t len)
{
	static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const char *p = text, *end = text + len;
	int year, month, day, hour, minute, second, fraction = 0, n = 0;

	if ((year = number(&p, end, 4)) < 0 || !literal(&p, end, '-') ||
	    (month = number(&p, end, 2)) < 1 || month > 12 || !literal(&p, end, '-') ||
	    (day = number(&p, end, 2)) < 1 || day > month_days[month - 1] ||
	    !literal(&p, end, 'T') || (hour = number(&p, end, 2)) < 0 || hour > 23 ||
	    !literal(&p, end, ':') || (minute = number(&p, end, 2)) < 0 || minute > 59 ||
	    !literal(&p, end, ':') || (second = number(&p, end, 2)) < 0 || second > 59)
		return -1;
	if (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
		return -1;
	if (literal(&p, end, '.')) {
		for (; n < 6 && p < end && *p >= '0' && *p <= '9'; n++)
			fraction = fraction * 10 + (*p++ - '0');
		for (; n < 6; n++)
			fraction *= 10;
	}
	if (!literal(&p, end, 'Z') || p != end)
		return -1;
	*dst = ((days_of_date(year, (unsigned)month, (unsigned)day) * 24 + hour) * 60 + minute) *
		   60 * CLOCK_SECOND +
	       second * CLOCK_SECOND + fraction;
	return 0;
}

static const struct unit {
	const char *name, *words;
	int64_t us;
} units[] = {
	{ "d", "d", 86400 * CLOCK_SECOND },
	{ "h", "h", 3600 * CLOCK_SECOND },
	{ "m", "min", 60 * CLOCK_SECOND },
	{ "s", "s", CLOCK_SECOND },
	{ "ms", "ms", CLOCK_SECOND / 1000 },
	{ "us", "us", 1 },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

int
duration_parse(int64_t *dst_us, const char *text)
{
	const char *p = text;
	int64_t whole = 0, fraction = 0, scale = 1;

	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (whole > INT64_C(1000000000000000))
			return -1;
		whole = whole * 10 + (*p - '0');
	}
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return -1;
		for (; *p >= '0' && *p <= '9'; p++) {
			if (scale == 1000000)
				return -1;
			fraction = fraction * 10 + (*p - '0');
			scale *= 10;
		}
	}
	for (size_t i = 0; i < UNITS; i++) {
		if (strcmp(p, units[i].name) != 0)
			continue;
		if (whole > INT64_MAX / units[i].us - 1 || fraction * units[i].us % scale != 0)
			return -1;
		*dst_us = whole * units[i].us + fraction * units[i].us / scale;
		return 0;
	}
	return -1;
}

void
duration_format(char dst[32], int64_t us)
{
	const char *sign = us < 0 ? "-" : "";
	uint64_t rest = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
	size_t i = 0;
	uint64_t first, second;
	char text[64] = "";

	while (i + 1 < UNITS && rest < (uint64_t)units[i].us)
		i++;
	if (rest == 0)
		i = 3;
	first = rest / (uint64_t)units[i].us;
	second = i + 1 < UNITS ? rest % (uint64_t)units[i].us / (uint64_t)units[i + 1].us : 0;
	if (second != 0)
		snprintf(text, sizeof(text), "%s%llu %s %llu %s", sign, (unsigned long long)first,
		    units[i].words, (unsigned long long)second, units[i + 1].words);
	else
		snprintf(text, sizeof(text), "%s%llu %s", sign, (unsigned long long)first,
		    units[i].words);
	memcpy(dst, text, 31); /* the longest has 19 characters */
	dst[31] = '\0';
}
