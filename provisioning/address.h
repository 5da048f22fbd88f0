/* address.h - the address plan.  IPv6: site /64 : 48 bits token id : 10 bits test number : 6 bits
 * slot.  Slots 0-31 serve (= host K), 32-55 answer RST, 56-63 are silent.  Id 0 is infrastructure:
 * the name server of test N is slot 0 of test N, its second zone's is slot 1; the parent's is test 0, slot 0
 * (a second one slot 1).  Pure. */
#ifndef PROVISIONING_ADDRESS_H
#define PROVISIONING_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum address_state { ADDRESS_SERVES, ADDRESS_REFUSES, ADDRESS_SILENT };
#define SLOT_REFUSES 32
#define SLOT_SILENT  56
#define SLOT_POLICY  31 /* the HTTPS host; no mail host when the test has a policy */
#define SLOT_MAX     63

struct address_parts {
	uint64_t id;
	unsigned test, slot;
	enum address_state state;
	unsigned host; /* slot within its state's range */
};
/* How many hosts a state has room for: 32, 24, 8. */
unsigned address_hosts(enum address_state);
/* host < address_hosts(state), test < 1024, id < 2^48. */
void address_make(struct in6_addr *dst, const struct in6_addr *prefix, uint64_t id, unsigned test,
    enum address_state, unsigned host);
/* false: not under the prefix. */
bool address_split(
    struct address_parts *dst, const struct in6_addr *, const struct in6_addr *prefix);

#endif
