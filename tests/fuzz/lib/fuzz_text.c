/* Any octets through the reader of our files. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct text_reader *r = text_from("input", (const char *)data, len);
	struct text_line line;
	unsigned last = 0;
	int rc;

	while ((rc = text_next(r, &line)) == 1) {
		if (line.number <= last || strlen(line.raw) > TEXT_LINE_MAX ||
		    line.word[line.n] != NULL)
			abort();
		last = line.number;
		for (unsigned i = 0; i < line.n; i++)
			if (line.word[i][line.len[i]] != '\0')
				abort();
	}
	if ((rc < 0) != (text_error(r)[0] != '\0'))
		abort();
	text_close(r);
	return 0;
}
