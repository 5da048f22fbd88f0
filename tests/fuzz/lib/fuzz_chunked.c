/* fuzz_chunked.c - any octets as a chunked body.  The first octet is how many are given at once.  Promises
 * that are checked: pieces make no difference, the body has no more than it may, what is done or bad takes
 * nothing more. */
#include <stdlib.h>
#include <string.h>

#include "lib/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 1000

static size_t
feed(struct chunked *c, struct strbuf *body, const uint8_t *data, size_t size, size_t piece)
{
	size_t used = 0;

	memset(c, 0, sizeof *c);
	while (used < size && c->state < CHUNKED_DONE) {
		size_t len = size - used < piece ? size - used : piece, n;
		char *copy = malloc(len);

		memcpy(copy, data + used, len);
		n = chunked_input(c, body, BODY_MAX, copy, len);
		free(copy);
		if (n > len || (n < len && c->state < CHUNKED_DONE) || body->len > BODY_MAX)
			abort();
		used += n;
	}
	if (c->state >= CHUNKED_DONE && chunked_input(c, body, BODY_MAX, "0\r\n\r\n", 5) != 0)
		abort();
	if ((c->state == CHUNKED_BAD) != (c->why != NULL))
		abort();
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf a = { 0 }, b = { 0 };
	struct chunked whole, pieces;

	if (size < 2 || size > 65536)
		return 0;
	if (feed(&whole, &a, data + 1, size - 1, size) !=
		feed(&pieces, &b, data + 1, size - 1, data[0] > 0 ? data[0] : 1) ||
	    whole.state != pieces.state || a.len != b.len ||
	    (a.len > 0 && memcmp(a.s, b.s, a.len) != 0))
		abort();
	strbuf_clear(&a);
	strbuf_clear(&b);
	return 0;
}
