/* release.h - when the participant was released, and what shows nothing but that.  Pure.
 *
 * From that moment on its mail is refused whatever the test says, so that what its mail met then is left out. */
#ifndef RESULTS_RELEASE_H
#define RESULTS_RELEASE_H

#include "results/correlation.h"

/* The earliest moment that anything tells of: at (0: nothing told), or an event of the token. */
int64_t release_at(const char *token, const struct observations *, int64_t at);
/* Does it show nothing but the release of c->released (0: none)?  Mail that we write was not released, nor what is
 * found out about a message that was there. */
bool release_hides(const struct correlation *c, const struct observation *);

#endif
