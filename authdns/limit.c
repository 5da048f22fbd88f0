#include "authdns/limit.h"

#include <string.h>

#include "lib/hash.h"

bool
limit_over(struct limit *l, const union sockaddr_any *peer, int64_t now_s)
{
	uint8_t network[8] = { 0 };
	uint64_t h;
	uint32_t second = (uint32_t)now_s;

	if (l->rate == 0)
		return false;
	if (peer->sa.sa_family == AF_INET6) {
		network[0] = 6;
		memcpy(network + 1, &peer->in6.sin6_addr, 7);
	} else {
		network[0] = 4;
		memcpy(network + 1, &peer->in.sin_addr, 3);
	}
	h = hash_sip(l->key, network, sizeof(network)) % LIMIT_SLOTS;
	if (l->slot[h].second != second) {
		l->slot[h].second = second;
		l->slot[h].count = 0;
	}
	return ++l->slot[h].count > l->rate;
}

bool
budget_take(struct budget *b, int64_t now_s)
{
	if (b->second != now_s) {
		b->second = now_s;
		b->used = 0;
	}
	return b->used++ < b->rate;
}
