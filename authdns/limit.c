#include "authdns/limit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/hash.h"
#include "lib/log.h"

/* One more in this second; how many that makes.  Who comes from another second begins anew; a race
 * between two seconds costs one of them a few counts. */
static uint32_t
count(_Atomic uint64_t *slot, int64_t now_s)
{
	uint64_t second = (uint64_t)(uint32_t)now_s << 32,
		 old = atomic_load_explicit(slot, memory_order_relaxed);

	while (old >> 32 != second >> 32)
		if (atomic_compare_exchange_weak_explicit(
			slot, &old, second + 1, memory_order_relaxed, memory_order_relaxed))
			return 1;
	/* 2^32 a second would run into the next second's half: nobody is so fast */
	return (uint32_t)atomic_fetch_add_explicit(slot, 1, memory_order_relaxed) + 1;
}

bool
limit_over(struct limit *l, const union sockaddr_any *peer, int64_t now_s)
{
	uint8_t network[8] = { 0 };

	if (l->rate == 0)
		return false;
	if (peer->sa.sa_family == AF_INET6) {
		network[0] = 6;
		memcpy(network + 1, &peer->in6.sin6_addr, 7);
	} else {
		network[0] = 4;
		memcpy(network + 1, &peer->in.sin_addr, 3);
	}
	return count(&l->slot[hash_sip(l->key, network, sizeof(network)) % LIMIT_SLOTS], now_s) >
	       l->rate;
}

bool
budget_take(struct budget *b, int64_t now_s)
{
	return count(&b->used, now_s) <= b->rate;
}

struct limits *
limits_new(const uint8_t random[16])
{
	struct limits *l = mmap(
	    NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (l == MAP_FAILED) {
		log_warn("limits: %s: give the machine more memory", strerror(errno));
		return NULL;
	}
	memcpy(l->answers.key, random, sizeof(l->answers.key));
	if ((l->tokens = quota_new(random)) == NULL) {
		limits_free(l);
		return NULL;
	}
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	quota_free(l->tokens);
	munmap(l, sizeof(*l));
}
