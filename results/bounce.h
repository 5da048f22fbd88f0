/* bounce.h - a bounce becomes facts of the tests that it is about.  Pure.
 *
 * Each of its recipients is joined to the test that the address names; one that is no address of ours is that of a
 * message that we wrote.  A bounce of a released participant may tell of our own refusal, so that it says nothing. */
#ifndef RESULTS_BOUNCE_H
#define RESULTS_BOUNCE_H

#include "results/correlation.h"

#define BOUNCES_MAX 256 /* bounces of one participant that are read; more are only events */

/* o: smtp.dsn, which came to an address of the test of these facts. */
void bounce_read(struct correlation *c, struct facts *to, const struct observation *o);

#endif
