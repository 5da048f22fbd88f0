/* clients.c - see clients.h.  Linear probing with backward-shift deletion: no tombstones. */
#include "lib/clients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/strbuf.h"

struct slot {
	uint64_t hash; /* 0: free.  Two addresses with one 64-bit keyed hash do not happen. */
	unsigned n;
};
struct clients {
	size_t mask;
	uint8_t key[16];
	struct slot slots[];
};

struct clients *
clients_new(size_t max, const uint8_t key[16])
{
	size_t n = 64;
	struct clients *c;

	while (n < 2 * max)
		n *= 2;
	c = xcalloc(1, sizeof *c + n * sizeof(struct slot));
	c->mask = n - 1;
	memcpy(c->key, key, sizeof c->key);
	return c;
}

void
clients_free(struct clients *c)
{
	free(c);
}

static uint64_t
hash_of(const struct clients *c, const union sockaddr_any *a)
{
	uint64_t h = a->sa.sa_family == AF_INET ? hash_sip(c->key, &a->in.sin_addr, 4)
						: hash_sip(c->key, &a->in6.sin6_addr, 16);

	return h != 0 ? h : 1;
}

static size_t
find(const struct clients *c, uint64_t hash)
{
	size_t i = hash & c->mask;

	while (c->slots[i].hash != 0 && c->slots[i].hash != hash)
		i = (i + 1) & c->mask;
	return i;
}

unsigned
clients_enter(struct clients *c, const union sockaddr_any *a)
{
	uint64_t hash = hash_of(c, a);
	struct slot *s = &c->slots[find(c, hash)];

	s->hash = hash;
	return ++s->n;
}

void
clients_leave(struct clients *c, const union sockaddr_any *a)
{
	size_t i = find(c, hash_of(c, a)), k, home;

	if (c->slots[i].hash == 0 || --c->slots[i].n > 0)
		return;
	for (k = (i + 1) & c->mask; c->slots[k].hash != 0; k = (k + 1) & c->mask) {
		home = c->slots[k].hash & c->mask;
		if (((k - home) & c->mask) >= ((k - i) & c->mask)) {
			c->slots[i] = c->slots[k];
			i = k;
		}
	}
	c->slots[i].hash = 0;
	c->slots[i].n = 0;
}
