/* bodyhash.h - hashes of the body of one message (RFC 6376 3.7).  Most of its signatures want the same one, so it is
 * made once for each canonical form, hash function and length. */
#ifndef VERIFY_BODYHASH_H
#define VERIFY_BODYHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verify/canon.h"

#define BODYHASHES_MAX 8 /* kept: without l= there are four */

struct bodyhash {
	enum canon how;
	bool sha1;
	uint64_t limit;   /* octets that are hashed, at most */
	uint64_t len;     /* of the whole canonical body */
	uint8_t hash[32]; /* 20 of them for SHA-1 */
};
/* All zero at first. */
struct bodyhashes {
	struct bodyhash kept[BODYHASHES_MAX];
	size_t made;
};
/* Good until the next call. */
const struct bodyhash *bodyhash_get(
    struct bodyhashes *, struct span body, enum canon, bool sha1, uint64_t limit);

#endif
