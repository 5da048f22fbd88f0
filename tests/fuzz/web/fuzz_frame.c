/* fuzz_frame.c - any octets as a message between the processes of the site: one that is taken lies within what came, and
 * written again it is the same octets. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "web/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf again = { 0 };
	struct frame f;

	if (!frame_decode(&f, (const char *)data, size))
		return 0;
	frame_encode(&again, &f);
	if (again.len != size || memcmp(again.s, data, size) != 0)
		abort();
	strbuf_clear(&again);
	return 0;
}
