/* Bytes as a mail that should be a bounce. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "results/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[160] = "";
	struct dsn *d = dsn_read((const char *)data, size, why, sizeof why);

	if (d == NULL) {
		if (*why == '\0')
			abort(); /* a refusal has a reason */
		return 0;
	}
	if (d->n == 0 || d->n > DSN_RECIPIENTS_MAX || strlen(d->words) >= sizeof d->words)
		abort();
	for (unsigned i = 0; i < d->n; i++) {
		const struct dsn_recipient *r = &d->rcpt[i];
		if (r->action >= DSN_ACTION_MAX ||
		    (r->final[0] == '\0' && r->original[0] == '\0') ||
		    !(dsn_status_is(r->status, "2") || dsn_status_is(r->status, "4") ||
			dsn_status_is(r->status, "5")))
			abort();
	}
	free(d);
	return 0;
}
