/* joint.h - what joins facts: the verifier's events to the messages that they are about, and the facts of tests to those
 * that are graded on them.  The last step of a correlation. */
#ifndef RESULTS_JOINT_H
#define RESULTS_JOINT_H

#include "results/correlation.h"

void joint_read(struct correlation *);

/* Do the rules of the test ask who wrote a message? */
bool joint_asks_who(const struct test *);

/* Was the message sent in the words of some test's head?  Such words are there to be broken on the way, and each
 * copy of the message is, that for its control as well. */
bool joint_is_canary(const struct attempt *);

#endif
