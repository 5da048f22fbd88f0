/* conf.h - configuration files as schema rows: parser, range check, default and manual line come
 * from one row. */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
	CONF_STRING,   /* char[size] */
	CONF_UINT,     /* unsigned */
	CONF_BYTES,    /* uint64_t; "64K", "10M", "1G" */
	CONF_DURATION, /* int64_t microseconds; clock.h duration_parse */
	CONF_LIST,     /* struct conf_list; the key may be repeated, its words are appended */
};

#define CONF_LIST_MAX 64
struct conf_list {
	unsigned n;
	char *item[CONF_LIST_MAX]; /* owned; conf_clear */
};

struct conf_row {
	const char *key;
	enum conf_type type;
	size_t offset, size;  /* offsetof/sizeof in the target struct */
	uint64_t min, max;    /* UINT, BYTES, DURATION (us); max 0 = no limit */
	const char *fallback; /* default as text; NULL = required */
	const char *about;    /* one line for the manual page */
};

/* Fills *dst (all rows first get their default).  0, or -1 with "file:line: what, why" in err. */
int conf_load(
    void *dst, const struct conf_row *rows, size_t n, const char *path, char *err, size_t errlen);
void conf_clear(void *dst, const struct conf_row *rows, size_t n);
void conf_manual(FILE *, const struct conf_row *rows, size_t n); /* mdoc .It lines */

#endif
