/* Any octets as a DMARC record: what is read is what the header promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/dmarc_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct dmarc_record r;

	dmarc_record_is((const char *)data, len);
	dmarc_record_parse(&r, (const char *)data, len);
	if (r.pct > 100 || strchr("ynu", r.psd) == NULL || r.psd == '\0' || r.fo[0] == '\0' ||
	    r.rua_n > DMARC_URIS_MAX || r.ruf_n > DMARC_URIS_MAX)
		abort();
	for (size_t i = 0; i < r.rua_n; i++)
		if (r.rua[i].text[0] == '\0' || r.rua[i].host[0] == '\0')
			abort();
	for (size_t i = 0; i < r.faults && i < DMARC_FAULTS_MAX; i++)
		if (r.fault[i].text[0] == '\0')
			abort();
	if (r.p < DMARC_NO_ACTION && dmarc_record_effect(&r, false) == DMARC_AS_WRITTEN)
		abort();
	return 0;
}
