/* limit.h - response rate limiting: so many UDP answers a second to one /24 or /56; what is over it
 * slips as TC=1 and is never dropped, because silence would look like a test.  Fixed memory. */
#ifndef AUTHDNS_LIMIT_H
#define AUTHDNS_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/listen.h"

#define LIMIT_SLOTS 16384 /* networks counted at once; two that collide share */

struct limit {
	uint8_t key[16]; /* random: nobody can choose whom to share with */
	unsigned rate;   /* 0: no limit */
	struct {
		uint32_t second, count;
	} slot[LIMIT_SLOTS];
};
bool limit_over(struct limit *, const union sockaddr_any *peer, int64_t now_s);

/* A number of things a second, e.g. signatures for names that strangers make up. */
struct budget {
	unsigned rate;
	int64_t second;
	unsigned used;
};
bool budget_take(struct budget *, int64_t now_s); /* false: spent */

#endif
