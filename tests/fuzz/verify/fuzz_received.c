/* Any octets as a Received field, and as a date. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct received_hop h;
	int64_t t = received_time((const char *)data, len);

	/* Years 1900 to 9999. */
	if (t != RECEIVED_NO_TIME && (t < -2300000000 || t > 253500000000))
		abort();
	received_hop_read(&h, (const char *)data, len);
	if (h.time == RECEIVED_NO_TIME && h.wrong[0] == '\0')
		abort();
	return 0;
}
