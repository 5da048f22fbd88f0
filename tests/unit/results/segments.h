/* segments.h - a folder with segments of a log and a store that loads them, for the tests of the store. */
#ifndef TESTS_RESULTS_SEGMENTS_H
#define TESTS_RESULTS_SEGMENTS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/strbuf.h"
#include "results/store.h"

#define LINE                                                                                       \
	"{\"v\":1,\"t\":\"2026-11-21T20:00:%02d.000000Z\",\"node\":\"a\",\"d\":\"smtpd\",\"w\":0," \
	"\"n\":%d,\"ev\":\"smtp.close\"%s}\n"
#define TOKEN ",\"token\":\"aaaaaaaaaaaaaaaa\",\"test\":\"dual\""

static char dir[64];

static inline int
segments_setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/segments.XXXXXX");
	return mkdtemp(dir) == NULL;
}

static inline int
segments_teardown(void **state)
{
	char cmd[96];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

__attribute__((format(printf, 3, 4))) static inline void
write_file(const char *name, const char *mode, const char *fmt, ...)
{
	char path[128];
	va_list ap;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static inline struct store *
open_store(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/store.db", dir);
	struct store *st = store_open(path);
	assert_non_null(st);
	return st;
}

static inline struct store_progress
load(struct store *st)
{
	struct store_progress p;

	assert_int_equal(store_load(st, dir, &p, NULL, NULL), 0);
	return p;
}

static inline int
collect(void *ctx, const char *line, size_t len)
{
	strbuf_add(ctx, line, len);
	strbuf_puts(ctx, "\n");
	return 0;
}

static inline size_t
count_lines(struct store *st, const char *token)
{
	struct strbuf b = { 0 };
	size_t n = 0;

	assert_int_equal(store_events(st, token, collect, &b), 0);
	for (size_t i = 0; i < b.len; i++)
		n += b.s[i] == '\n';
	strbuf_clear(&b);
	return n;
}

#endif
