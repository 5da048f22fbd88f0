/* Lists of people: any octets; what comes out is text within its limits, and lines never go back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "provisioning/csv.h"
#include "provisioning/optout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
look(void *ctx, unsigned line, char *const *value)
{
	unsigned *last = ctx;
	char lower[OPTOUT_TEXT_MAX], again[OPTOUT_TEXT_MAX];
	const char *domain;

	if (line <= *last)
		abort();
	*last = line;
	for (unsigned i = 0; i < 3; i++)
		if (value[i] != NULL && strlen(value[i]) > CSV_FIELD_MAX)
			abort();
	/* an address that is taken can stand in a header field, and is taken again as it is */
	if (optout_address(lower, value[0], strlen(value[0]), &domain) &&
	    (strpbrk(lower, " \t\r\n\",<>()") != NULL || domain[-1] != '@' ||
		!optout_address(again, lower, strlen(lower), NULL) || strcmp(again, lower) != 0))
		abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const wanted[] = { "address", "label", "tags", NULL };
	char err[200];
	unsigned last = 0;

	csv_read("f", (const char *)data, size, wanted, look, &last, err, sizeof err);
	return 0;
}
