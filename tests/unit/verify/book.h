/* book.h - answers from a table of TXT records, for tests of what asks for keys. */
#ifndef TESTS_VERIFY_BOOK_H
#define TESTS_VERIFY_BOOK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"
#include "tests/unit/verify/records.h"
#include "verify/lookup.h"

struct book_row {
	const char *name; /* NULL: ends the table */
	const char *text; /* NULL: no record, status says why */
	enum lookup_status status;
	bool secure;
};

/* Answers all that waits: rows of the table of that name, else NXDOMAIN.  How many were asked. */
static inline size_t
book_answer(struct lookups *book, const struct book_row *table)
{
	const struct lookup *want;
	size_t iter = 0, asked = 0;

	while ((want = lookup_wanted(book, &iter)) != NULL) {
		const struct book_row *found = NULL;
		struct strbuf text[4] = { 0 };
		struct lookup_rdata rdata[4];
		size_t n = 0;

		for (const struct book_row *r = table; r->name != NULL && n < 4; r++) {
			if (strcmp(r->name, want->name) != 0)
				continue;
			found = r;
			if (r->text == NULL)
				continue;
			put_txt(&text[n], r->text, strlen(r->text));
			rdata[n] = (struct lookup_rdata){ (uint8_t *)text[n].s,
				(uint16_t)text[n].len };
			n++;
		}
		lookup_put(book, want->name, want->type,
		    n > 0           ? LOOKUP_OK
		    : found != NULL ? found->status
				    : LOOKUP_NXDOMAIN,
		    found != NULL && found->secure, found != NULL ? "the test says so" : "", rdata,
		    n);
		for (size_t i = 0; i < n; i++)
			strbuf_clear(&text[i]);
		asked++;
	}
	return asked;
}

/* A file of another signer; cmocka.h is included before. */
static inline void
book_signed(struct strbuf *dst, const char *name)
{
	char *path = xasprintf("tests/unit/verify/dkim/%s", name), block[4096];
	FILE *in = fopen(path, "rb");
	size_t n;

	if (in == NULL)
		fail_msg("%s: cannot be read", path);
	strbuf_reset(dst);
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		strbuf_add(dst, block, n);
	fclose(in);
	free(path);
}

/* The keys of these files: rows that point into text, the last one empty. */
static inline void
book_signed_keys(struct book_row keys[8], struct strbuf *text)
{
	char *line, *rest;

	book_signed(text, "keys.txt");
	rest = text->s;
	for (size_t i = 0; i < 7 && (line = strsep(&rest, "\n")) != NULL && line[0] != '\0'; i++) {
		keys[i].name = strsep(&line, " ");
		keys[i].text = line;
	}
}

#endif
