/* clock.h - the one place that asks for the time.
 * Microseconds since 1970-01-01 UTC in an int64_t.  OUTPOST_CLOCK_OFFSET (seconds, may be
 * negative, read once) shifts what every program of ours believes; tests of long timelines use it. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#define CLOCK_SECOND   INT64_C(1000000)
#define CLOCK_TEXT_MAX 28 /* "2026-11-21T20:00:00.123456Z" and the NUL */

int64_t clock_now(void);       /* wall clock, UTC */
int64_t clock_monotonic(void); /* for intervals; never shifted */

/* Whether somebody sets the wall clock: what it stood at, and when by the clock that nobody sets. */
struct clock_mark {
	int64_t wall_us, monotonic_us;
};
struct clock_mark clock_mark(void);
/* How far the wall clock was set between two marks, beyond the time that went by; negative: back.  A host that slept
 * counts as set ahead: its monotonic clock stood still. */
int64_t clock_set_by(struct clock_mark from, struct clock_mark to);

/* A span, for timers. */
struct timeval clock_timeval(int64_t us);

/* RFC 3339 in UTC with six decimals. */
void clock_format(char dst[CLOCK_TEXT_MAX], int64_t t_us);
/* 0, or -1 if the text (len bytes) is no such time; a fraction of 0 to 6 digits is accepted. */
int clock_parse(int64_t *dst, const char *text, size_t len);

/* "5m", "300s", "1.5s", "6h", "2d", "250ms" to microseconds.  0, or -1. */
int duration_parse(int64_t *dst_us, const char *text);
/* 90 s -> "1 min 30 s": the two largest units, for people. */
void duration_format(char dst[32], int64_t us);

#endif
