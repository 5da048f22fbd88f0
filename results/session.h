/* session.h - the events of one connection become attempts, one for each transaction's test.  Pure. */
#ifndef RESULTS_SESSION_H
#define RESULTS_SESSION_H

#include "results/correlation.h"

/* Reads all sessions of obs into c->sessions, c->messages and the tests' attempts. */
void sessions_read(struct correlation *c, const struct observations *obs);

#endif
