/* Any octets as a test file: it loads, or is refused with file and line; what loads is consistent. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zones/basezone.h"
#include "zones/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
ignore(void *ctx, enum lint_level level, const char *text)
{
	(void)ctx;
	(void)level;
	if (strncmp(text, "f:", 2) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char err[400] = "";
	struct test *t = test_parse("f", (const char *)data, len, err, sizeof err);
	struct basezone *b;

	if ((t == NULL) != (err[0] != '\0') || (t == NULL && strncmp(err, "f:", 2) != 0))
		abort();
	if (t != NULL) {
		if (t->number == 0 || t->n_verdicts == 0 || t->verdicts[t->n_verdicts - 1].n != 0)
			abort();
		lint_test(t, ignore, NULL);
	}
	test_free(t);
	err[0] = '\0';
	b = basezone_parse("f", (const char *)data, len, err, sizeof err);
	if ((b == NULL) != (err[0] != '\0'))
		abort();
	basezone_free(b);
	return 0;
}
