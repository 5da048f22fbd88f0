/* quota.h - how many events one participant may cause in an hour: who floods a token shall not fill the disk
 * with it.  One count for all workers of a daemon, in memory that they share from before the fork; fixed
 * size, lock-free; two participants that collide share one count. */
#ifndef LIB_QUOTA_H
#define LIB_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota;

/* For all processes that are forked from now on.  key: random, so that nobody can choose whom to share with.
 * NULL: logged. */
struct quota *quota_new(const uint8_t key[16]);
void quota_free(struct quota *);
void quota_set(struct quota *, unsigned per_hour); /* 0: no limit */
unsigned quota_limit(const struct quota *);

/* One more for WHO.  REACHED: the first that is over in this hour, which is worth a line. */
enum quota_state { QUOTA_WITHIN, QUOTA_REACHED, QUOTA_OVER };
enum quota_state quota_take(struct quota *, uint64_t who, int64_t now_us);
/* Is WHO over it now?  Takes nothing. */
bool quota_over(const struct quota *, uint64_t who, int64_t now_us);

#endif
