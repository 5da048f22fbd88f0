/* memory.h - the only state that the workers and daemons of a node share: one fixed-size table mapped
 * from a file before the fork.  Slots are claimed by compare-and-swap and never move.  It outlives kill -9
 * (the file stays); losing it costs one more deferral.  Key = keyed hash made by the caller. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stdint.h>
#include <stddef.h>

struct memory;

struct memory_fact {
	int64_t first_us, last_us; /* wall clock of the first and the latest touch */
	uint32_t count;            /* touches, this one included */
};

/* slots is rounded up to a power of two.  A file of other size or version is replaced.
 * NULL: reason logged. */
struct memory *memory_open(const char *path, size_t slots);
void memory_close(struct memory *);

/* A clock that is set back (by a minute or more behind the latest touch) takes the key's times with it:
 * its age goes on from what it was, instead of standing still until the clock is there again. */

/* Notes that key happened at now; returns what is known, this touch included.  When the table is
 * full around the key, the slot with the oldest last_us in reach is taken over.  Lock-free.
 * key 0 is not allowed. */
struct memory_fact memory_touch(struct memory *, uint64_t key, int64_t now_us);
/* The same without noting anything; count 0: unknown.  now 0: times as they stand. */
struct memory_fact memory_look(struct memory *, uint64_t key, int64_t now_us);

#endif
