/* observation.h - events as the correlator keeps them: only the keys that are set, one allocation
 * each, in the order of time.  Fed with event lines; pure. */
#ifndef RESULTS_OBSERVATION_H
#define RESULTS_OBSERVATION_H

#include "lib/event.h"

struct observation_value {
	enum event_key key;
	int64_t num;
	const char *text; /* NUL-terminated; NULL for numbers and booleans */
	size_t len;
};
struct observation {
	int64_t t; /* microseconds, UTC */
	const char *node, *daemon;
	unsigned worker;
	uint64_t n;
	enum event_kind kind; /* never EV_KIND_MAX */
	unsigned n_values;
	struct observation_value value[];
};

struct observations {
	struct observation **item; /* owned */
	size_t n;
	size_t corrupt; /* lines that were no event */
	size_t unknown; /* kinds of a later version: skipped */
	size_t twice;   /* dropped by observations_sort */
};

/* One event line (with or without '\n').  0 kept; 1 skipped: corrupt or unknown, counted. */
int observations_add(struct observations *, const char *line, size_t len);
/* Orders by t, node, daemon, worker, n and drops what is there twice (a segment copied under
 * another name). */
void observations_sort(struct observations *);
int observation_order(const struct observation *, const struct observation *); /* <0, 0, >0 */
void observations_clear(struct observations *);

/* "" and fallback: the event has no such key. */
const char *text_of(const struct observation *, enum event_key);
int64_t observation_num(const struct observation *, enum event_key, int64_t fallback);
bool observation_is(const struct observation *, enum event_key, const char *text); /* case-blind */

#endif
