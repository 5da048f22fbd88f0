/* csv.h - lists of people, one a row: RFC 4180, read strictly.  The first row names the columns.  Pure. */
#ifndef PROVISIONING_CSV_H
#define PROVISIONING_CSV_H

#include <stddef.h>

#define CSV_COLUMNS_MAX 16
#define CSV_FIELD_MAX   1024 /* octets of a field */

/* Reads text: UTF-8 or any other octets but NUL, lines that end in LF or CRLF, also inside quotes.
 * wanted (NULL ends, at most CSV_COLUMNS_MAX): the columns that row gets, compared case-blind; the first must be
 * there.  value[i] belongs to column i of wanted; NULL: the file has none.  Empty lines are nothing.  0, what row said, or -1: "NAME:LINE: what" in err. */
int csv_read(const char *name, const char *text, size_t len, const char *const *wanted,
    int (*row)(void *ctx, unsigned line, char *const *value), void *ctx, char *err, size_t errlen);

#endif
