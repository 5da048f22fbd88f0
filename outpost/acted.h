/* acted.h - what an invited participant has done, by the events of their token: enough to know whether we may write once
 * more.  acted_see is pure. */
#ifndef OUTPOST_ACTED_H
#define OUTPOST_ACTED_H

#include <stdbool.h>
#include <stddef.h>

#include "results/store.h"

struct acted {
	bool wrote; /* mail came to a measurement address, whoever sent it */
	bool
	    consented; /* mail was accepted whose reverse-path is in the domain of the participant, or below it.
			 * Tokens are public (the DNS sees them), so that others' mail is no consent; nor is
			 * a bounce or what a robot says of itself (RFC 3834). */
	bool bounced; /* a bounce came (RFC 3464) */
};
/* One line of the log more. */
void acted_see(struct acted *, const char *domain, const char *line, size_t len);
/* All of the token's; address: of the participant.  0, or -1 logged. */
int acted_read(struct acted *, struct store *, const char *token, const char *address);

#endif
