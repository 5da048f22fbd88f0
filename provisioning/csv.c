/* csv.c - see csv.h. */
#include "provisioning/csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct reader {
	const char *name, *at, *end;
	unsigned line; /* where at stands */
	char *err;
	size_t errlen;
	char field[CSV_COLUMNS_MAX][CSV_FIELD_MAX + 1];
	unsigned n;
	unsigned begins; /* line of the row */
};

static int
fail(const struct reader *r, unsigned line, const char *what)
{
	snprintf(r->err, r->errlen, "%s:%u: %s", r->name, line, what);
	return -1;
}

/* Is this the end of a row?  Length of what ends it; a CR alone does not. */
static size_t
row_end(const struct reader *r)
{
	if (r->at == r->end)
		return 0;
	if (*r->at == '\n')
		return 1;
	return *r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n' ? 2 : 0;
}

static int
put(struct reader *r, size_t *n, char c)
{
	if (c == '\0')
		return fail(r, r->line, "a NUL octet: this is no text");
	if (*n == CSV_FIELD_MAX)
		return fail(r, r->line, "a field is longer than 1024 octets: is a quote missing?");
	r->field[r->n][(*n)++] = c;
	return 0;
}

static int
read_quoted(struct reader *r, size_t *n)
{
	unsigned begins = r->line;

	for (r->at++; r->at < r->end; r->at++) {
		if (*r->at == '"') {
			if (r->at + 1 == r->end || r->at[1] != '"')
				break;
			r->at++;
		}
		r->line += *r->at == '\n';
		if (put(r, n, *r->at) != 0)
			return -1;
	}
	if (r->at == r->end)
		return fail(r, begins, "the quote is not closed");
	r->at++;
	if (r->at < r->end && *r->at != ',' && row_end(r) == 0)
		return fail(
		    r, r->line, "after a closing quote only a comma or the line's end may stand");
	return 0;
}

static int
read_field(struct reader *r)
{
	size_t n = 0;

	if (r->n == CSV_COLUMNS_MAX)
		return fail(r, r->line, "more than 16 columns");
	if (r->at < r->end && *r->at == '"') {
		if (read_quoted(r, &n) != 0)
			return -1;
	} else {
		for (; r->at < r->end && *r->at != ',' && row_end(r) == 0; r->at++) {
			if (*r->at == '"')
				return fail(r, r->line,
				    "a quote inside a field: the whole field must be quoted, and "
				    "the "
				    "quote doubled");
			if (put(r, &n, *r->at) != 0)
				return -1;
		}
	}
	r->field[r->n++][n] = '\0';
	return 0;
}

/* 1 a row, 0 the end, -1 wrong. */
static int
read_row(struct reader *r)
{
	size_t end;

	while ((end = row_end(r)) > 0) {
		r->at += end;
		r->line++;
	}
	if (r->at == r->end)
		return 0;
	r->begins = r->line;
	r->n = 0;
	for (;;) {
		if (read_field(r) != 0)
			return -1;
		if (r->at == r->end || *r->at != ',')
			break;
		r->at++;
	}
	r->line += row_end(r) > 0;
	r->at += row_end(r);
	return 1;
}

/* Which column of the file each of wanted is; -1: none. */
static int
read_head(struct reader *r, int column[CSV_COLUMNS_MAX], const char *const *wanted)
{
	for (unsigned k = 0; k < CSV_COLUMNS_MAX && wanted[k] != NULL; k++) {
		column[k] = -1;
		for (unsigned i = 0; i < r->n; i++) {
			if (strcasecmp(r->field[i], wanted[k]) != 0)
				continue;
			if (column[k] >= 0)
				return fail(r, r->begins, "a column stands there twice");
			column[k] = (int)i;
		}
	}
	if (column[0] >= 0)
		return 0;
	snprintf(r->err, r->errlen, "%s:%u: no column \"%s\": the first line must name the columns",
	    r->name, r->begins, wanted[0]);
	return -1;
}

int
csv_read(const char *name, const char *text, size_t len, const char *const *wanted,
    int (*row)(void *, unsigned, char *const *), void *ctx, char *err, size_t errlen)
{
	static const char mark[] = "\xef\xbb\xbf"; /* as some programs begin every text */
	struct reader r = {
		.name = name, .at = text, .end = text + len, .line = 1, .err = err, .errlen = errlen
	};
	char *value[CSV_COLUMNS_MAX + 1];
	int column[CSV_COLUMNS_MAX], rc;
	unsigned n;

	if (len >= 3 && memcmp(text, mark, 3) == 0)
		r.at += 3;
	if ((rc = read_row(&r)) == 0)
		return fail(&r, 1, "empty: the first line must name the columns");
	if (rc < 0 || read_head(&r, column, wanted) != 0)
		return -1;
	n = r.n;
	while ((rc = read_row(&r)) > 0) {
		if (r.n != n)
			return fail(&r, r.begins, "not as many fields as the first line has");
		memset(value, 0, sizeof value);
		for (unsigned k = 0; k < CSV_COLUMNS_MAX && wanted[k] != NULL; k++)
			value[k] = column[k] >= 0 ? r.field[column[k]] : NULL;
		if ((rc = row(ctx, r.begins, value)) != 0)
			return rc;
	}
	return rc;
}
