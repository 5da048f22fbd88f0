/* Any words as a verdict rule. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "zones/predicate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), *word[64], err[120] = "", *save = NULL;
	struct predicate *p = NULL;
	size_t n_out = 0;
	unsigned n = 0;

	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	for (char *s = strtok_r(text, " \n", &save); s != NULL && n < 64;
	     s = strtok_r(NULL, " \n", &save))
		word[n++] = s;
	if (predicate_parse(&p, &n_out, word, n, err, sizeof err) == 0) {
		if (n_out == 0 || err[0] != '\0')
			abort();
		predicate_free(p, n_out);
	} else if (err[0] == '\0') {
		abort();
	}
	free(text);
	return 0;
}
