/* counted.h - which lookups and fetches count.  Pure.
 *
 * Tokens are public, so that what a scanner asks says nothing of the sender.  A lookup counts if it was made within ten
 * minutes before an attempt of its test, or during it; a fetch of the policy also within ten minutes after it (fetchers
 * may be lazy, RFC 8461 5.1).  For a test without attempts: within ten minutes of an attempt of any test.  For mail
 * that we write: a day from then on (outgoing.h). */
#ifndef RESULTS_COUNTED_H
#define RESULTS_COUNTED_H

#include "lib/clock.h"
#include "results/correlation.h"

#define COUNTED_WINDOW (600 * CLOCK_SECOND)

/* Sets the flag of each; all attempts are there. */
void counted_mark(struct correlation *c);

#endif
