/* tally.h - how often something happened to each of many in the time before now, and for how many it still
 * waits.  Pure but for the heap: a table that grows, a few steps a call, however many there are. */
#ifndef PROVISIONING_TALLY_H
#define PROVISIONING_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct tally;
/* key: random, so that nobody can choose whom to share a count with. */
struct tally *tally_new(const uint8_t key[16]);
void tally_free(struct tally *); /* accepts NULL */

/* It happened to who at t_us; it did not. */
void tally_add(struct tally *, const void *who, size_t len, int64_t t_us);
void tally_remove(struct tally *, const void *who, size_t len, int64_t t_us);
/* One more waits; one less. */
void tally_wait(struct tally *, const void *who, size_t len, int more);

/* How often it happened behind since_us; waiting (may be NULL): how many wait. */
size_t tally_since(
    const struct tally *, const void *who, size_t len, int64_t since_us, size_t *waiting);

#endif
