/* Any octets as a From field: one domain that the DNS can be asked for, or a reason. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct address_author a;
	bool ok = address_field(&a, (const char *)data, len);

	if (ok != (a.why[0] == '\0') || (ok && (a.domains != 1 || a.mailboxes == 0)))
		abort();
	for (size_t i = 0; i < a.domains && i < ADDRESS_DOMAINS_MAX; i++) {
		const char *d = a.domain[i], *why;
		char again[ADDRESS_DOMAIN_SIZE];

		if (strlen(d) == 0 || strlen(d) > 253 || strstr(d, "..") != NULL)
			abort();
		for (; *d != '\0'; d++)
			if (*d <= ' ' || *d > '~' || isupper((unsigned char)*d))
				abort();
		if (address_domain(again, a.domain[i], strlen(a.domain[i]), &why) != 0 ||
		    strcmp(again, a.domain[i]) != 0)
			abort();
	}
	return 0;
}
