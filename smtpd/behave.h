/* behave.h - which rule of a host applies at a point of a session, and in which phase a test is.
 * Conditions ask the memory table through two functions; nothing else is remembered.  Pure. */
#ifndef SMTPD_BEHAVE_H
#define SMTPD_BEHAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/listen.h"
#include "lib/memory.h"
#include "zones/test.h"

/* Who is asking, as far as it is known. */
struct behave_who {
	const struct test *test; /* NULL: unbound; then rules with a condition do not apply */
	uint64_t id;             /* of the token */
	const union sockaddr_any *peer;
	const char *sender; /* reverse-path; NULL before MAIL */
	size_t sender_len;
	unsigned phase; /* of the test; 0: it has none */
	unsigned pace;  /* divides ages */
	int64_t now_us;
	const uint8_t *key; /* 16 octets, derived from the site's secret */
	void *ctx;
	struct memory_fact (*touch)(void *ctx, uint64_t key, int64_t now_us);
	struct memory_fact (*look)(void *ctx, uint64_t key);
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

/* Notes the event (PHASE_ATTEMPT, PHASE_TLS, PHASE_ACCEPTED) and returns the phase that the test is in
 * now: 0 if it has no phases, else 1 or more; phases only move forward. */
unsigned behave_phase(const struct behave_who *, enum phase_event);

/* Key of a fact in the memory table. */
uint64_t behave_key(const struct behave_who *, unsigned line, enum memory_key);

#endif
