/* behave.h - which rule of a host applies at a point of a session.  Conditions ask the memory table
 * (provisioning/phase.h); nothing else is remembered.  Pure. */
#ifndef SMTPD_BEHAVE_H
#define SMTPD_BEHAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/listen.h"
#include "provisioning/phase.h"
#include "zones/test.h"

/* Who is asking, as far as it is known. */
struct behave_who {
	const struct test *test; /* NULL: unbound; then rules with a condition do not apply */
	uint64_t id;             /* of the token */
	const union sockaddr_any *peer;
	const char *sender; /* reverse-path; NULL before MAIL */
	size_t sender_len;
	unsigned phase; /* of the test; 0: it has none */
	int64_t now_us;
	const struct phase_memory *memory;
};

struct behaviour {
	const struct host_rule
	    *rule;        /* what to do: reply, close, rst, hold; NULL: the ordinary thing */
	int64_t delay_us; /* before that */
	const char *dev;  /* for the event; NULL: nothing deviates */
};
/* The first rule of the point that holds, and the first delay that holds.  mailbox: index of the
 * recipient's mailbox in the test, or -1. */
void behave_at(struct behaviour *dst, const struct host *, enum smtp_point, int mailbox,
    const struct behave_who *);

#endif
