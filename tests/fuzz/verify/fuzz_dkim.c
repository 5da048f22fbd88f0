/* Any octets as a signed message: one round of questions, every signature a verdict with its reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/verify/keys.h"
#include "verify/dkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct dkim_result r;
	struct lookups *book = lookups_new(100);
	struct mail m;

	mail_parse(&m, (const char *)data, len, &mail_limits);
	if (dkim_judge(&m, 1790000100, book, &r) == VERIFY_NEED) {
		answer_keys(book);
		check(dkim_judge(&m, 1790000100, book, &r) == VERIFY_DONE);
	}
	check(r.n <= DKIM_SIGNATURES_MAX && r.n <= r.signatures);
	check((r.n > 0) == (r.signatures > 0));
	for (size_t i = 0; i < r.n; i++) {
		const struct dkim_signature *s = &r.sig[i];
		check(s->verdict != DKIM_IS_NONE);
		check(s->verdict == DKIM_IS_PASS || s->reason[0] != '\0');
		check(s->body_covered <= s->body_len);
		check(s->verdict != DKIM_IS_PASS || (s->signs_from && s->body_hash_right));
		check(dkim_verdict_word(s->verdict)[0] != '\0');
	}
	mail_clear(&m);
	lookups_free(book);
	return 0;
}
