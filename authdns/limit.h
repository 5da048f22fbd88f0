/* limit.h - how much strangers may cost a second: response rate limiting, so many UDP answers to one
 * /24 or /56 (what is over it slips as TC=1 and is never dropped, because silence would look like a
 * test), and a budget of signatures.  One count for all workers: it lies in memory that they share
 * from before the fork.  Fixed size, lock-free. */
#ifndef AUTHDNS_LIMIT_H
#define AUTHDNS_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/listen.h"
#include "lib/quota.h"

#define LIMIT_SLOTS 16384 /* networks counted at once; two that collide share */

struct limit {
	uint8_t key[16]; /* random: nobody can choose whom to share with */
	unsigned rate;   /* 0: no limit */
	_Atomic uint64_t
	    slot[LIMIT_SLOTS]; /* the second in the upper half, the count in the lower */
};
bool limit_over(struct limit *, const union sockaddr_any *peer, int64_t now_s);

/* A number of things a second, e.g. signatures for names that strangers make up. */
struct budget {
	unsigned rate;
	_Atomic uint64_t used; /* as in a slot */
};
bool budget_take(struct budget *, int64_t now_s); /* false: spent */

struct limits {
	struct limit answers;
	struct budget invalid; /* signatures for names that strangers make up */
	struct quota *tokens;  /* events of a participant */
};
/* For all processes that are forked from now on; random: 16 octets nobody knows.  NULL: logged. */
struct limits *limits_new(const uint8_t random[16]);
void limits_free(struct limits *);

#endif
