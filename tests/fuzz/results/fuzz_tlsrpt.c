/* Bytes as a TLS report: the first octet says whether by mail or by POST. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "results/tlsrpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "application/tlsrpt+json",
		"application/tlsrpt+gzip; x=y", "" };
	char err[128] = "";

	if (size == 0)
		return 0;
	struct tlsrpt_raw raw = { .mail = data[0] == 'M',
		.type = types[data[0] % 3],
		.encoding = "",
		.data = (const char *)data + 1,
		.len = size - 1 };
	struct tlsrpt *r = tlsrpt_read(&raw, err, sizeof err);
	if (r == NULL && *err == '\0')
		abort(); /* a refusal has a reason */
	if (r != NULL && (r->n > TLSRPT_POLICIES_MAX || r->n_problems > TLSRPT_PROBLEMS_MAX))
		abort();
	tlsrpt_free(r);
	return 0;
}
