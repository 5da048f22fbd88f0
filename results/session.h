/* session.h - the events of one connection become attempts, one for each transaction's test; and what
 * correlate.c and session.c share. */
#ifndef RESULTS_SESSION_H
#define RESULTS_SESSION_H

#include "results/correlate.h"

/* Reads all sessions of obs into c->sessions, c->messages and the tests' attempts. */
void sessions_read(struct correlation *c, const struct observations *obs);

const char *text_of(const struct observation *, enum event_key); /* "" if absent */
int family_of(const char *address);
struct facts *facts_of(struct correlation *, const char *name, size_t len); /* NULL: no such test */
void facts_event(struct facts *, const struct observation *);
/* Room for one more behind n items of an array that grows only through this. */
void *grow(void *items, size_t n, size_t size);

#endif
