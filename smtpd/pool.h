/* pool.h - the messages that the verifier has in its hands, until each is judged.
 *
 * A message has two judges; each reads it in a process of its own that lives for one round: it gets the
 * answers so far and says which are missing, or the results.  What is missing is looked up, then it is
 * judged again.  So a process waits for nothing, what one judge does is nothing to the other, and while
 * a message waits for DNS it takes its memory and a descriptor, nothing else. */
#ifndef SMTPD_POOL_H
#define SMTPD_POOL_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "smtpd/handover.h"
#include "verify/resolve.h"

enum pool_judge { JUDGE_OURS, JUDGE_LIBSPF2, POOL_JUDGES };

/* How a message ended.  results is NULL if our own judge crashed: why says how.  opinion: a word of
 * libspf2, or "crashed"; then why says how, if nothing else does. */
struct pool_end {
	const struct verify_facts *facts;
	int64_t ms;
	const char *results;
	size_t results_len;
	const char *opinion, *why;
	bool gave_up; /* it was not judged: why says why */
};
struct pool_config {
	struct event_base *base;
	struct resolve *resolve;
	int nursery;        /* its socket (nursery.h): orders only */
	unsigned children;  /* at a time, at most NURSERY_CHILDREN_MAX */
	int64_t lookups_us; /* for all lookups of a message, then they have failed */
	int64_t child_us;   /* of a process in all, then it is killed */
	int64_t give_up_us; /* of a message in all */
	void (*ended)(void *ctx, const struct pool_end *);
	void *ctx;
};
struct pool;
struct pool *pool_new(const struct pool_config *);
void pool_free(struct pool *); /* accepts NULL; says nothing of what is in it */

/* Takes over the descriptor.  ended is called later, once, never from within. */
void pool_add(struct pool *, const struct verify_facts *, int message);
/* The nursery says that this child has ended. */
void pool_child(struct pool *, uint64_t id, int wait_status);
/* Ends all at once. */
void pool_give_up(struct pool *, const char *why);
size_t pool_count(const struct pool *);
/* One after the other from *iter on (NULL at first); NULL: no more. */
const struct verify_facts *pool_next(const struct pool *, const void **iter);

#endif
