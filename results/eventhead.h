/* eventhead.h - the head of an event line, as far as the store must understand it.
 *
 * A line is one flat JSON object of printable ASCII (lib/event.h); of its members only those that a line is
 * found by are told, as they stand.  Pure: no I/O, no heap. */
#ifndef RESULTS_EVENTHEAD_H
#define RESULTS_EVENTHEAD_H

#include <stddef.h>
#include <stdint.h>

struct eventhead_span { /* points into the line; len 0: not there */
	const char *s;
	size_t len;
};

struct eventhead {
	int64_t t; /* microseconds since 1970 */
	struct eventhead_span token, conn, node, ev;
};

/* NULL, or why it is no event: then *head says nothing. */
const char *eventhead_read(struct eventhead *head, const char *line, size_t len);

#endif
