/* correlate.h - the observations of one token become facts per test, step by step.  Pure: no clock, no file.
 *
 * Transactions are bound, not sessions: a session that carries mail for three tests gives three
 * attempts, one for each.  A session without a transaction is one attempt of the test
 * that its address or SNI names.  A SYN that no connection followed is an attempt of stage syn.
 * Everything is said by what the events carry; nothing is bound by a guess. */
#ifndef RESULTS_CORRELATE_H
#define RESULTS_CORRELATE_H

#include "results/correlation.h"

/* obs must be sorted and outlive the correlation.  Never fails (memory: fatal). */
struct correlation *correlate(
    const struct observations *obs, const struct catalogue *, const char *token);
/* The same for who was released then (provisioning/released.h; 0: not, unless events say so): what the participant's
 * mail met from that moment on shows nothing but the release, so it is left out. */
struct correlation *correlate_until(
    const struct observations *obs, const struct catalogue *, const char *token, int64_t released);
/* Adds the correlation of what is not dropped (a flag for each of obs) behind the last c->own. */
void correlate_own(struct correlation *c, const struct observations *obs, const bool *drop);

#endif
