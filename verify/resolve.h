/* resolve.h - answers for a book of lookups, from libunbound on the caller's libevent loop: the rim of
 * what is judged by verify.h.  All questions that a book waits for are asked at once, those of many
 * books side by side.
 *
 * What an answer is: data that DNSSEC proves false is LOOKUP_BOGUS, whatever it says; NXDOMAIN and no
 * data are said as such, validated or not; everything else (SERVFAIL, REFUSED, malformed, too large,
 * no answer in time) is LOOKUP_FAILED with the reason. */
#ifndef VERIFY_RESOLVE_H
#define VERIFY_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/lookup.h"

#define RESOLVE_TIMEOUT_MS 15000 /* of one lookup, aliases and validation included */
#define RESOLVE_CONCURRENT 64    /* lookups on their way; further ones wait in line */

struct event_base;
struct resolve; /* one per loop: has the cache */
struct resolve_job;

struct resolve_options {
	const char *forward; /* ADDRESS[@PORT] of a resolver; NULL: hints */
	const char *hints;   /* root hints; NULL and no forward: resolvers of /etc/resolv.conf */
	const char *anchor;  /* file of trust anchors; NULL: the system's */
	unsigned timeout_ms; /* 0: RESOLVE_TIMEOUT_MS */
	unsigned concurrent; /* 0: RESOLVE_CONCURRENT */
};
/* Reads every file that it will ever need: afterwards it wants sockets only.  NULL: reason in err. */
struct resolve *resolve_new(
    struct event_base *, const struct resolve_options *, char *err, size_t errlen);
void resolve_free(struct resolve *); /* accepts NULL; ends its jobs, done is not called */

/* Asks all that the book waits for; done is called from the loop, never from within resolve_start,
 * when nothing waits any more.  The book must live until then, and nobody else may touch it.  The job
 * is gone when done is called. */
struct resolve_job *resolve_start(
    struct resolve *, struct lookups *, void (*done)(void *ctx), void *ctx);
void resolve_cancel(struct resolve_job *); /* done is not called, the book no more touched */

#endif
