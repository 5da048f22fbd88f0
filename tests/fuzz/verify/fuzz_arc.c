/* Any octets as a message with a chain: one round of questions, and a pass only of what is whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/verify/keys.h"
#include "verify/arc.h"

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
	static struct arc_result r;
	struct lookups *book = lookups_new(200);
	struct mail m;

	mail_parse(&m, (const char *)data, len, &mail_limits);
	if (arc_judge(&m, book, &r) == VERIFY_NEED) {
		answer_keys(book);
		check(arc_judge(&m, book, &r) == VERIFY_DONE);
	}
	check(r.n <= ARC_SETS_MAX);
	check((r.verdict == ARC_IS_FAIL) == (r.reason[0] != '\0'));
	check(r.verdict != ARC_IS_NONE || r.n == 0);
	for (size_t i = 0; i < r.n; i++) {
		const struct span s = r.set[i].results;
		check(s.n == 0 ||
		      (s.p >= (const char *)data && s.p + s.n <= (const char *)data + len));
		check(r.verdict != ARC_IS_PASS || r.set[i].seal == ARC_RIGHT);
	}
	check(r.verdict != ARC_IS_PASS || r.set[r.n - 1].ams == ARC_RIGHT);
	check(r.oldest_pass <= r.n + 1);
	mail_clear(&m);
	lookups_free(book);
	return 0;
}
