/* fuzz_form.c - any octets as a form.  Promises that are checked: names and values lie in its memory and end, nothing
 * that is refused leaves anything, and what is read again after it was written as a form is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/html.h"
#include "web/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf again = { 0 };
	struct form f, g;

	if (!form_parse(&f, (const char *)data, size)) {
		if (f.n != 0 || f.mem != NULL)
			abort();
		return 0;
	}
	for (unsigned i = 0; i < f.n; i++) {
		strbuf_puts(&again, i > 0 ? "&" : "");
		html_url(&again, f.field[i].name);
		strbuf_puts(&again, "=");
		html_url(&again, f.field[i].value);
	}
	if (!form_parse(&g, again.s, again.len) || g.n != f.n)
		abort();
	for (unsigned i = 0; i < f.n; i++)
		if (strcmp(f.field[i].name, g.field[i].name) != 0 ||
		    strcmp(f.field[i].value, g.field[i].value) != 0)
			abort();
	form_clear(&f);
	form_clear(&g);
	strbuf_clear(&again);
	return 0;
}
