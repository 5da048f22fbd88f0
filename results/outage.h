/* outage.h - were we there ourselves?  From the node events of all nodes: pure.
 *
 * While no daemon of ours answers, a sender that comes back finds nobody, and is not seen: it has not stayed away.  The
 * first worker of a daemon stands for the daemon.  It was away from its node.stop to the node.start after it;
 * a start that no stop lies before is a reload if the stop comes within an hour (the old one finished its
 * connections), else the one before it died, nobody knows when. */
#ifndef RESULTS_OUTAGE_H
#define RESULTS_OUTAGE_H

#include "lib/clock.h"
#include "results/observation.h"

/* When a daemon last came back in (from, to] after five minutes or more, or nobody knows how long; 0: none was
 * away.  events: node.start and node.stop, sorted; others are skipped. */
int64_t outage_end(const struct observations *events, int64_t from, int64_t to);

#define OUTAGE_FORGOTTEN (7 * 86400 * CLOCK_SECOND)
/* The log of a node may come late.  Does this one still run, as far as its own lines say?  false: the last that each of
 * its daemons said is node.stop, or it was not heard of for a week before now.  events: of that week. */
bool outage_is_expected(
    const struct observations *events, const char *node, int64_t heard, int64_t now);

#endif
