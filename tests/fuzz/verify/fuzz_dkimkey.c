/* Any octets as a key record: it is a key that can be used, or it is said why not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/dkimkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t hash[32], signature[256];
	struct dkimkey k = { 0 };

	dkimkey_parse(&k, (const char *)data, len);
	if ((k.state == DKIMKEY_GOOD) != (k.reason[0] == '\0'))
		abort();
	if (k.state == DKIMKEY_NONE || k.state == DKIMKEY_RETRY)
		abort();
	if (k.state != DKIMKEY_GOOD)
		return 0;
	if (k.bits == 0)
		abort();
	(void)dkimkey_strength(&k);
	(void)dkimkey_verify(&k, hash, sizeof(hash), signature, sizeof(signature));
	return 0;
}
