#include "lib/conf.h"

#include <errno.h>
#include <stdbool.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/strbuf.h"
#include "lib/text.h"

#define ROWS_MAX 128
#define WHY_MAX  256

static int
parse_digits(uint64_t *dst, const char *text, char **end)
{
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*dst = strtoull(text, end, 10);
	return errno != 0 ? -1 : 0;
}

/* "64K": K, M and G are powers of 1024. */
static int
parse_bytes(uint64_t *dst, const char *text)
{
	static const char units[] = "KMG";
	const char *unit;
	char *end;
	unsigned shift = 0;

	if (parse_digits(dst, text, &end) < 0)
		return -1;
	if (*end != '\0') {
		unit = strchr(units, *end++);
		if (unit == NULL || *end != '\0')
			return -1;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (*dst > UINT64_MAX >> shift)
		return -1;
	*dst <<= shift;
	return 0;
}

static void
format_bytes(char dst[32], uint64_t value)
{
	static const char *const units[] = { "", "K", "M", "G" };
	size_t i = 0;

	for (; i < 3 && value != 0 && value % 1024 == 0; i++)
		value /= 1024;
	snprintf(dst, 32, "%llu%s", (unsigned long long)value, units[i]);
}

/* A duration as a configuration file says it: the largest unit that leaves no rest. */
static void
format_duration(char dst[32], uint64_t us)
{
	static const struct {
		uint64_t us;
		const char *name;
	} units[] = {
		{ UINT64_C(86400000000), "d" },
		{ UINT64_C(3600000000), "h" },
		{ 60000000, "m" },
		{ 1000000, "s" },
		{ 1000, "ms" },
		{ 1, "us" },
	};
	size_t i = 0;

	while (us % units[i].us != 0)
		i++;
	snprintf(dst, 32, "%llu%s", (unsigned long long)(us / units[i].us),
	    us == 0 ? "s" : units[i].name);
}

static void
format_value(char dst[32], enum conf_type type, uint64_t value)
{
	if (type == CONF_BYTES)
		format_bytes(dst, value);
	else if (type == CONF_DURATION)
		format_duration(dst, value);
	else
		snprintf(dst, 32, "%llu", (unsigned long long)value);
}

static int
check_range(const struct conf_row *row, uint64_t value, char why[WHY_MAX])
{
	char limit[32];

	if (value < row->min) {
		format_value(limit, row->type, row->min);
		snprintf(why, WHY_MAX, "it must be at least %s", limit);
		return -1;
	}
	if (row->max != 0 && value > row->max) {
		format_value(limit, row->type, row->max);
		snprintf(why, WHY_MAX, "it must be at most %s", limit);
		return -1;
	}
	return 0;
}

static int
set_number(void *field, const struct conf_row *row, const char *text, char why[WHY_MAX])
{
	static const char *const expected[] = {
		[CONF_UINT] = "it is no whole number",
		[CONF_BYTES] = "it is no size like 64K, 10M or 1G",
		[CONF_DURATION] = "it is no duration like 250ms, 30s, 5m, 6h or 2d",
	};
	uint64_t value = 0;
	int64_t us = 0;
	char *end;
	bool ok;

	if (row->type == CONF_DURATION) {
		ok = duration_parse(&us, text) == 0;
		value = (uint64_t)us;
	} else if (row->type == CONF_BYTES) {
		ok = parse_bytes(&value, text) == 0;
	} else {
		ok = parse_digits(&value, text, &end) == 0 && *end == '\0' && value <= UINT_MAX;
	}
	if (!ok) {
		snprintf(why, WHY_MAX, "%s", expected[row->type]);
		return -1;
	}
	if (check_range(row, value, why) < 0)
		return -1;
	if (row->type == CONF_UINT)
		*(unsigned *)field = (unsigned)value;
	else if (row->type == CONF_BYTES)
		*(uint64_t *)field = value;
	else
		*(int64_t *)field = us;
	return 0;
}

static int
set_value(void *dst, const struct conf_row *row, const char *text, char why[WHY_MAX])
{
	void *field = (char *)dst + row->offset;
	struct conf_list *list = field;

	if (row->type == CONF_LIST) {
		if (list->n == CONF_LIST_MAX) {
			snprintf(why, WHY_MAX, "the list has more than %d items", CONF_LIST_MAX);
			return -1;
		}
		list->item[list->n++] = xstrdup(text);
		return 0;
	}
	if (row->type != CONF_STRING)
		return set_number(field, row, text, why);
	if (strlen(text) >= row->size) {
		snprintf(why, WHY_MAX, "it is longer than %zu octets", row->size - 1);
		return -1;
	}
	memcpy(field, text, strlen(text) + 1);
	return 0;
}

/* The default of a list is its words, parted by blanks. */
static int
set_default(void *dst, const struct conf_row *row, char why[WHY_MAX])
{
	char *words, *word, *save = NULL;
	int rc = 0;

	memset((char *)dst + row->offset, 0, row->size);
	if (row->fallback == NULL)
		return 0;
	if (row->type != CONF_LIST)
		return set_value(dst, row, row->fallback, why);
	words = xstrdup(row->fallback);
	for (word = strtok_r(words, " ", &save); word != NULL && rc == 0;
	     word = strtok_r(NULL, " ", &save))
		rc = set_value(dst, row, word, why);
	free(words);
	return rc;
}

static void
clear_row(void *dst, const struct conf_row *row)
{
	struct conf_list *list = (void *)((char *)dst + row->offset);

	if (row->type != CONF_LIST)
		return;
	for (unsigned i = 0; i < list->n; i++)
		free(list->item[i]);
	memset(list, 0, sizeof(*list));
}

void
conf_clear(void *dst, const struct conf_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		clear_row(dst, &rows[i]);
}

static int
load_line(void *dst, const struct conf_row *rows, size_t n, bool *given, struct text_reader *r,
    const struct text_line *line)
{
	char why[WHY_MAX];
	size_t i = 0;

	if (line->section)
		return text_fail(
		    r, "[%s]: a configuration has no sections", line->n > 0 ? line->word[0] : "");
	while (i < n && strcmp(rows[i].key, line->word[0]) != 0)
		i++;
	if (i == n)
		return text_fail(r, "%s: no such item", line->word[0]);
	if (rows[i].type != CONF_LIST && given[i])
		return text_fail(r, "%s: stands twice", line->word[0]);
	if (rows[i].type != CONF_LIST && line->n != 2)
		return text_fail(r, "%s: it takes one value, not %u", line->word[0], line->n - 1);
	if (!given[i])
		clear_row(dst, &rows[i]); /* what is said replaces the default */
	given[i] = true;
	for (unsigned w = 1; w < line->n; w++) {
		if (strlen(line->word[w]) != line->len[w])
			return text_fail(r, "%s: NUL in the value", line->word[0]);
		if (set_value(dst, &rows[i], line->word[w], why) < 0)
			return text_fail(r, "%s %s: %s", line->word[0], line->word[w], why);
	}
	return 0;
}

static int
load_lines(void *dst, const struct conf_row *rows, size_t n, bool *given, struct text_reader *r)
{
	struct text_line line;
	int more;

	while ((more = text_next(r, &line)) == 1)
		if (load_line(dst, rows, n, given, r, &line) < 0)
			return -1;
	return more;
}

int
conf_load(
    void *dst, const struct conf_row *rows, size_t n, const char *path, char *err, size_t errlen)
{
	bool given[ROWS_MAX] = { false };
	struct text_reader *r = NULL;
	char why[WHY_MAX];
	int rc = -1;

	for (size_t i = 0; i < n; i++)
		memset((char *)dst + rows[i].offset, 0, rows[i].size);
	if (n > ROWS_MAX) {
		snprintf(err, errlen, "%s: more than %d items are known", path, ROWS_MAX);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (set_default(dst, &rows[i], why) < 0) {
			snprintf(
			    err, errlen, "%s: default %s: %s", rows[i].key, rows[i].fallback, why);
			goto out;
		}
	if ((r = text_open(path, err, errlen)) == NULL)
		goto out;
	if (load_lines(dst, rows, n, given, r) < 0) {
		snprintf(err, errlen, "%s", text_error(r));
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (rows[i].fallback == NULL && !given[i]) {
			snprintf(
			    err, errlen, "%s: %s: missing, it has no default", path, rows[i].key);
			goto out;
		}
	rc = 0;
out:
	text_close(r);
	if (rc < 0)
		conf_clear(dst, rows, n);
	return rc;
}

void
conf_manual(FILE *out, const struct conf_row *rows, size_t n)
{
	static const char *const arguments[] = {
		[CONF_STRING] = "word",
		[CONF_UINT] = "number",
		[CONF_BYTES] = "size",
		[CONF_DURATION] = "duration",
		[CONF_LIST] = "word ...",
	};
	char limit[32];

	for (size_t i = 0; i < n; i++) {
		const struct conf_row *row = &rows[i];

		fprintf(out, ".It Ic %s Ar %s\n%s.\n", row->key, arguments[row->type], row->about);
		if (row->min != 0) {
			format_value(limit, row->type, row->min);
			fprintf(out, "At least %s.\n", limit);
		}
		if (row->max != 0) {
			format_value(limit, row->type, row->max);
			fprintf(out, "At most %s.\n", limit);
		}
		if (row->fallback == NULL)
			fputs("Must be given.\n", out);
		else if (row->fallback[0] != '\0')
			fprintf(out, "The default is %s.\n", row->fallback);
	}
}
