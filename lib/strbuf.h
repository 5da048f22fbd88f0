/* strbuf.h - a growing byte string.  Out of memory is fatal. */
#ifndef LIB_STRBUF_H
#define LIB_STRBUF_H

#include <stddef.h>
#include <stdarg.h>

struct strbuf {
	char *s; /* always NUL-terminated once something was added; NULL before */
	size_t len, cap;
};

void strbuf_add(struct strbuf *, const void *data, size_t len);
void strbuf_puts(struct strbuf *, const char *);
void strbuf_printf(struct strbuf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Quoted; UTF-8 stays, an octet that is none is written \u00XX: any octets survive. */
void strbuf_json(struct strbuf *, const char *data, size_t len); /* as json.h reads it */
void strbuf_reset(struct strbuf *);                              /* keeps the memory */
void strbuf_clear(struct strbuf *);                              /* frees */

/* Fatal instead of NULL. */
void *xmalloc(size_t);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *, size_t);
/* Room for one more behind n items of an array that grows only through this. */
void *xgrow(void *items, size_t n, size_t size);
char *xstrdup(const char *);
char *xstrndup(const char *, size_t);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
