/* Any octets as an SPF record: a checked one can be walked and expanded, an error is inside of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "verify/spf_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct spf_macro values = {
	.local = "a.b-c+d",
	.sender_domain = "example.org",
	.domain = "x.example.org",
	.helo = "\xff %",
	.us = "",
	.validated = "",
	.client = { .v6 = true, .octets = { 0x20, 1, 0xd, 0xb8 } },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *record = (const char *)data;
	char name[SPF_DOMAIN_SIZE], text[100];
	struct spf_error err = { 0 };
	size_t at = 0, last = 0;
	struct spf_term t;
	bool ends;
	int rc;

	if (spf_macro_check(record, len, true, &ends, &err) == 0) {
		spf_macro_text(text, sizeof(text), record, len, &values);
		if (strlen(text) >= sizeof(text))
			abort();
	} else if (err.at > len || err.why[0] == '\0') {
		abort();
	}
	if (!spf_record_is(record, len))
		return 0;
	if (spf_record_check(record, len, &err) < 0) {
		if (err.at > len || err.why[0] == '\0')
			abort();
		return 0;
	}
	while ((rc = spf_record_next(record, len, &at, &t, &err)) == 1) {
		if (at <= last || at > len || t.text != record + t.at || t.at + t.len != at ||
		    t.prefix4 > 32 || t.prefix6 > 128)
			abort();
		last = at;
		if (t.domain == NULL)
			continue;
		if (t.domain < t.text || t.domain + t.domain_len > t.text + t.len)
			abort();
		spf_macro_domain(name, t.domain, t.domain_len, &values);
		if (strlen(name) >= sizeof(name) || (name[0] != '\0' && name[strlen(name)] == '.'))
			abort();
	}
	if (rc != 0)
		abort();
	return 0;
}
