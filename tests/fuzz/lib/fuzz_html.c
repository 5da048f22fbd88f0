/* fuzz_html.c - any octets as text of a page: no markup, no control character, only UTF-8 comes out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/html.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf b = { 0 };

	html_textn(&b, (const char *)data, size);
	for (size_t i = 0, n; i < b.len; i += n) {
		n = utf8_length(b.s + i, b.len - i);
		if (n == 0 || strchr("<>\"'", b.s[i]) != NULL ||
		    ((unsigned char)b.s[i] < 0x20 && b.s[i] != '\n' && b.s[i] != '\t'))
			abort();
	}
	strbuf_clear(&b);
	return 0;
}
