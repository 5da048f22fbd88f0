/* Bytes as the records of a domain: the first octet says how its lookups end, then one octet of length and so many
 * of data for each record. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *at, *end;

static size_t
records(struct lookup_rdata *r, size_t max)
{
	size_t n = 0;

	while (at < end && n < max && *at != 0) {
		size_t len = *at++;
		if (len > (size_t)(end - at))
			len = (size_t)(end - at);
		r[n++] = (struct lookup_rdata){ at, (uint16_t)len };
		at += len;
	}
	at += at < end;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum lookup_status how[] = { LOOKUP_OK, LOOKUP_OK, LOOKUP_NODATA,
		LOOKUP_FAILED };
	struct lookups *book = lookups_new(PUBLISHED_LOOKUPS_MAX);
	struct published p;
	unsigned bits = size > 0 ? data[0] : 0, rounds = 0;

	if (book == NULL)
		abort();
	at = data + (size > 0);
	end = data + size;
	while (published_look("d.example", book, &p) == VERIFY_NEED) {
		const struct lookup *want;
		size_t iter = 0;
		if (++rounds > 2)
			abort(); /* all that waits is asked at once */
		while ((want = lookup_wanted(book, &iter)) != NULL) {
			struct lookup_rdata r[16];
			size_t n = records(r, 16);
			lookup_put(book, want->name, want->type, how[bits & 3], bits & 4, "", r, n);
			bits = bits >> 1 | (bits & 1) << 7;
		}
	}
	if (p.tlsa == NULL || p.sts == NULL || strlen(p.mx) >= sizeof p.mx)
		abort();
	lookups_free(book);
	return 0;
}
