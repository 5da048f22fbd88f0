/* events.h - event lines written by hand, for the tests of results/. */
#ifndef TESTS_RESULTS_EVENTS_H
#define TESTS_RESULTS_EVENTS_H

#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "results/correlate.h"

#define EVENTS_TOKEN "aaaaaaaaaaaaaaaa"
#define EVENTS_START INT64_C(1767225600000000)

/* One line at SECONDS after the start; the rest is JSON members, e.g. "\"test\":\"dual\"". */
__attribute__((format(printf, 4, 5))) static inline void
event_at(struct observations *obs, double seconds, const char *kind, const char *fmt, ...)
{
	static unsigned n;
	char line[4096], t[CLOCK_TEXT_MAX];
	int len;
	va_list ap;

	clock_format(t, EVENTS_START + (int64_t)(seconds * 1e6));
	len = snprintf(line, sizeof line,
	    "{\"v\":1,\"t\":\"%s\",\"node\":\"a\",\"d\":\"x\",\"w\":0,\"n\":%u,\"ev\":\"%s\","
	    "\"token\":\"" EVENTS_TOKEN "\",",
	    t, ++n, kind);
	va_start(ap, fmt);
	len += vsnprintf(line + len, sizeof line - (size_t)len - 2, fmt, ap);
	va_end(ap);
	line[len++] = '}';
	observations_add(obs, line, (size_t)len);
}

#endif
