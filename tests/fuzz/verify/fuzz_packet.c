/* Any octets as a DNS answer; the first two say which type was asked for. */
#include <stdlib.h>
#include <string.h>

#include "verify/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct packet p;
	const char *why = NULL;
	size_t octets = 0;

	if (len < 2)
		return 0;
	if (packet_read(&p, data + 2, len - 2, "www.example", (uint16_t)(data[0] << 8 | data[1]),
		&why) != 0) {
		if (why == NULL)
			abort();
		return 0;
	}
	for (size_t i = 0; i < p.n; i++) {
		if (p.rdata[i].data != p.mem + octets)
			abort();
		octets += p.rdata[i].len;
	}
	if (octets != p.used || octets > sizeof(p.mem))
		abort();
	return 0;
}
