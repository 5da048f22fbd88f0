/* Bytes as event lines, through the correlator, the judge and every view. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "results/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const tokens[] = { "k3xaaaabbbbcccc2", "aaaaaaaaaaaaaaaa" };

static void
check(const struct report *r)
{
	struct strbuf b = { 0 };
	char err[128];
	int64_t until;

	for (const struct report_view *v = reports; v->name != NULL; v++) {
		struct report_style style = { .width = (unsigned)(r->obs.n * 7 % 200),
			.colour = r->obs.n & 1 };
		strbuf_reset(&b);
		v->write(&b, r, &style);
		if (strcmp(v->name, "json") == 0) {
			struct json_doc *doc = json_parse(b.s, b.len, err, sizeof err);
			if (doc == NULL && b.len < (1u << 20))
				abort();
			json_free(doc);
		}
		for (size_t i = 0; strcmp(v->name, "text") == 0 && !style.colour && i < b.len;
		     i++) {
			if ((unsigned char)b.s[i] < 0x20 && b.s[i] != '\n')
				abort(); /* a terminal must not be led by a stranger */
		}
	}
	strbuf_reset(&b);
	report_done(r, true, &b, &until);
	strbuf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalogue *cat;
	struct observations obs = { 0 };
	struct judge j = { .pace = size % 2 == 0 ? 1 : 60 };
	char err[512];

	if (cat == NULL &&
	    (cat = catalogue_load("tests/stages/catalogue", err, sizeof err)) == NULL)
		abort();
	for (size_t at = 0, len; at < size; at += len + 1) {
		const uint8_t *nl = memchr(data + at, '\n', size - at);
		len = nl == NULL ? size - at : (size_t)(nl - data) - at;
		observations_add(&obs, (const char *)data + at, len);
	}
	int64_t now = obs.n == 0 ? 0 : obs.item[obs.n - 1]->t + (int64_t)(size % 1000) * 100000000;
	struct report *r = report_from(
	    &obs, cat, tokens[size / 2 % 2], size % 3 == 0 ? "quick" : "standard", 0, now, &j);
	check(r);
	report_free(r);
	return 0;
}
