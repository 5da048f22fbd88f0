/* joint.h - what joins facts: the verifier's events to the messages that they are about, and the facts of tests to those
 * that are graded on them.  The last step of a correlation. */
#ifndef RESULTS_JOINT_H
#define RESULTS_JOINT_H

#include "results/correlate.h"

void joint_read(struct correlation *);

/* Orders of correlate.c, for qsort: of attempts by time, of pointers to observations. */
int attempt_order(const void *, const void *);
int event_order(const void *, const void *);

#endif
