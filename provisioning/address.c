/* address.c - see address.h. */
#include "provisioning/address.h"

#include <assert.h>
#include <string.h>

#define PREFIX_LEN 8

static const struct {
	unsigned first, end;
} ranges[] = {
	[ADDRESS_SERVES] = { 0, SLOT_REFUSES },
	[ADDRESS_REFUSES] = { SLOT_REFUSES, SLOT_SILENT },
	[ADDRESS_SILENT] = { SLOT_SILENT, SLOT_MAX + 1 },
};

unsigned
address_hosts(enum address_state state)
{
	return ranges[state].end - ranges[state].first;
}

void
address_make(struct in6_addr *dst, const struct in6_addr *prefix, uint64_t id, unsigned test,
    enum address_state state, unsigned host)
{
	uint64_t low;

	assert(host < address_hosts(state) && test < 1024 && id >> 48 == 0);
	low = id << 16 | (uint64_t)test << 6 | (ranges[state].first + host);
	memcpy(dst->s6_addr, prefix->s6_addr, PREFIX_LEN);
	for (unsigned i = 0; i < 8; i++)
		dst->s6_addr[PREFIX_LEN + i] = (uint8_t)(low >> (56 - 8 * i));
}

bool
address_split(
    struct address_parts *dst, const struct in6_addr *address, const struct in6_addr *prefix)
{
	uint64_t low = 0;

	if (memcmp(address->s6_addr, prefix->s6_addr, PREFIX_LEN) != 0)
		return false;
	for (unsigned i = 0; i < 8; i++)
		low = low << 8 | address->s6_addr[PREFIX_LEN + i];
	dst->id = low >> 16;
	dst->test = low >> 6 & 1023;
	dst->slot = low & SLOT_MAX;
	dst->state = dst->slot < SLOT_REFUSES  ? ADDRESS_SERVES
		     : dst->slot < SLOT_SILENT ? ADDRESS_REFUSES
					       : ADDRESS_SILENT;
	dst->host = dst->slot - ranges[dst->state].first;
	return true;
}
