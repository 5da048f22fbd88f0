/* knock.h - SYNs become the beginnings of sessions, or attempts of stage syn.  Pure.
 *
 * A SYN belongs to the session of the same addresses and ports that follows it within three minutes, for so long one
 * connect() tries, or that was noted up to two seconds before it: the tap may be late.  SYNs that no session
 * follows are one attempt for each connect(), however often the kernel repeated them. */
#ifndef RESULTS_KNOCK_H
#define RESULTS_KNOCK_H

#include "lib/clock.h"
#include "results/correlation.h"

#define KNOCK_SPAN (180 * CLOCK_SECOND) /* one connect() sends SYNs for two minutes */
#define KNOCK_LATE (2 * CLOCK_SECOND)   /* so long after its session a SYN may be noted */

/* c->sessions and the attempts in them are there. */
void knocks_read(struct correlation *c, const struct observations *);

#endif
