#include "lib/quota.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"

#define SLOTS 65536
#define HOUR  (3600 * CLOCK_SECOND)

struct quota {
	uint8_t key[16];
	_Atomic unsigned per_hour;
	_Atomic uint64_t slot[SLOTS]; /* the hour in the upper half, the count in the lower */
};

struct quota *
quota_new(const uint8_t key[16])
{
	struct quota *q = mmap(
	    NULL, sizeof(*q), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (q == MAP_FAILED) {
		log_warn("quota: %s: give the machine more memory", strerror(errno));
		return NULL;
	}
	memcpy(q->key, key, sizeof(q->key));
	return q;
}

void
quota_free(struct quota *q)
{
	if (q != NULL)
		munmap(q, sizeof(*q));
}

void
quota_set(struct quota *q, unsigned per_hour)
{
	atomic_store(&q->per_hour, per_hour);
}

unsigned
quota_limit(const struct quota *q)
{
	return atomic_load(&q->per_hour);
}

static size_t
slot_of(const struct quota *q, uint64_t who)
{
	return hash_sip(q->key, &who, sizeof(who)) % SLOTS;
}

static uint64_t
hour_of(int64_t now_us)
{
	return (uint64_t)(uint32_t)(now_us / HOUR) << 32;
}

bool
quota_over(const struct quota *q, uint64_t who, int64_t now_us)
{
	uint64_t have = atomic_load(&q->slot[slot_of(q, who)]);
	uint32_t limit = atomic_load(&q->per_hour);

	return limit != 0 && have >> 32 == hour_of(now_us) >> 32 && (uint32_t)have > limit;
}

enum quota_state
quota_take(struct quota *q, uint64_t who, int64_t now_us)
{
	_Atomic uint64_t *slot = &q->slot[slot_of(q, who)];
	uint64_t hour = hour_of(now_us), old = atomic_load(slot);
	uint32_t limit = atomic_load(&q->per_hour), count;

	if (limit == 0)
		return QUOTA_WITHIN;
	while (old >> 32 != hour >> 32)
		if (atomic_compare_exchange_weak(slot, &old, hour + 1))
			return QUOTA_WITHIN;
	/* Where it stands still nothing overflows, however long somebody floods. */
	if ((uint32_t)old > limit)
		return QUOTA_OVER;
	count = (uint32_t)atomic_fetch_add(slot, 1) + 1;
	return count <= limit ? QUOTA_WITHIN : count == limit + 1 ? QUOTA_REACHED : QUOTA_OVER;
}
