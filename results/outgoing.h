/* outgoing.h - mail that we wrote to the participant: what the words of "outgoing WORD" mean in the events out.sent,
 * out.delivery and out.published.  Pure. */
#ifndef RESULTS_OUTGOING_H
#define RESULTS_OUTGOING_H

#include "lib/clock.h"
#include "results/correlate.h"

/* A lookup counts for so long after we wrote: receivers defer strangers for hours, and judge again later.
 * Tokens are public, so that one at another time says nothing of the participant. */
#define OUTGOING_WINDOW (86400 * CLOCK_SECOND)

/* Does the event say this (outgoing_word() of zones/predicate.h)? */
bool outgoing_is(const struct observation *, const char *word);
/* Is it about one of the further messages, which come after an answer? */
bool outgoing_is_further(const struct observation *);
/* When we wrote last, or our host last tried to deliver; 0: never. */
int64_t outgoing_last(const struct facts *);

#endif
